"""The client as its users see it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from bridge.client.asking import new_id, to_text
from bridge.client.door import Door, Token
from bridge.client.errors import ConnectError, OutcomeUnknown
from bridge.client.link import LinkLost, session_url
from bridge.client.messages import Accepted, Completed, Explained, Status, read_status
from bridge.client.pace import Pace
from bridge.client.session import Session
from bridge.client.subscription import Subscription
from bridge.client.unanswered import Waiting
from bridge.protocol import catalogue, control
from bridge.protocol.address import Address, Pattern
from bridge.protocol.catalogue import Kind
from bridge.protocol.message import Message as Sent
from bridge.protocol.message import valid_id
from bridge.protocol.repair import normalised

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Generator, Mapping
    from types import TracebackType
    from typing import Self

    from bridge.client.messages import Gap
    from bridge.client.state import ClientState, StateChange
    from bridge.protocol.control import Opened

UNREAD = 4096
"""How many live messages a subscription holds unread by default: minutes of a busy desktop."""

Destination: TypeAlias = "str | Address | Mapping[str, Any]"


class BridgeClient:
    """A session in one workspace. ``connect`` makes it; it reconnects by itself until ``close``.

    One client serves many tasks of one event loop. Subscriptions go on across reconnects. Commands are never sent
    again: one whose connection was lost is asked for (``Bridge/Command/Status``) until its outcome is known.
    """

    def __init__(self, session: Session, *, unread: int) -> None:
        self._session = session
        self._unread = unread

    @property
    def state(self) -> ClientState:
        """Where the client stands now."""
        return self._session.state

    @property
    def opened(self) -> Opened:
        """What the bridge said when the present connection, or the last one, began."""
        return self._session.opened

    @property
    def extension(self) -> str | None:
        """The extension of the workspace's agent when the connection began, ``None`` if nobody was signed in."""
        return self.opened.identity.extension

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session. Subscriptions end; what is unanswered raises ``OutcomeUnknown``. Harmless when repeated."""
        await self._session.end()

    async def subscribe(
        self, *patterns: str | Pattern, echo: bool | None = None, on_gap: Callable[[Gap], None] | None = None
    ) -> Subscription:
        """Read everything that matches one of the patterns: the snapshot first, then live.

        While there is no connection this waits for the next one.

        Args:
            patterns: Such as ``Cisco/InboundCall`` or ``Cisco/*/SetHOLD``; ``*`` is everything.
            echo: Whether the session's own messages are delivered too. It is one switch for all of the client's
                subscriptions, the last value given counts.
            on_gap: Called where messages were missed for good, instead of raising ``MessagesLost`` there.

        Raises:
            ValueError: A text is no pattern, or there is none.
            RejectedError: The bridge refused.
            ClientClosed, SessionEnded: There will be no connection any more.
        """
        if not patterns:
            raise ValueError("give at least one pattern; * is everything")
        parsed = [pattern if isinstance(pattern, Pattern) else Pattern.parse(pattern) for pattern in patterns]
        subscription = Subscription(parsed, self._session, limit=self._unread, on_gap=on_gap)
        await self._session.subscribe(subscription, echo=echo)
        return subscription

    async def publish(self, to: Destination, data: Any = None, *, id: str | None = None) -> Accepted:  # noqa: A002
        """Publish one message and wait until the bridge has taken it.

        Args:
            to: An address such as ``Notes/Note/Added``, or a whole message (then ``data`` is not used).
            data: The body, any JSON.
            id: Names the message; the same id with the same content has no second effect.

        Raises:
            ValueError: The message cannot be sent, or an answer for this id is still awaited.
            NotConnected: There is no connection now; nothing was sent.
            RejectedError: The bridge refused.
            NotSent: The connection was lost before the message reached the bridge.
            OutcomeUnknown: The connection was lost, and nobody knows whether the message had reached the bridge.
        """
        accepted: Accepted = await self._send(to, data, id, command=False, told=None)
        return accepted

    async def command(
        self,
        to: Destination,
        data: Any = None,
        *,
        id: str | None = None,  # noqa: A002 the protocol's word
        timeout: float | None = None,  # noqa: ASYNC109 what happens then is this method's promise
        on_accepted: Callable[[Accepted], object] | None = None,
    ) -> Completed:
        """Send a command and wait for its outcome. It is sent once, whatever happens.

        Args:
            to: An address such as ``Cisco/InboundCall/SetCONSULT``, or a whole message (then ``data`` is not used).
            data: The body.
            id: Names the command.
            timeout: Seconds to wait at most; the command itself goes on. The bridge has a limit of its own.
            on_accepted: Called when the bridge has taken the command.

        Raises:
            ValueError: The message cannot be sent, is no command, or an outcome for this id is still awaited.
            NotConnected: There is no connection now; nothing was sent.
            RejectedError: The bridge refused.
            CommandFailed: It was not carried out.
            CommandTimedOut: The bridge does not know what became of it.
            NotSent: The connection was lost before the command reached the bridge.
            OutcomeUnknown: Nobody knows, or not within ``timeout``.
        """
        name = id or new_id()
        try:
            async with asyncio.timeout(timeout):
                completed: Completed = await self._send(to, data, name, command=True, told=on_accepted)
        except TimeoutError:
            raise OutcomeUnknown(name, f"no outcome came within {timeout:g} s") from None
        return completed

    async def status(self, id: str) -> Status:  # noqa: A002 the protocol's word
        """Ask what became of a message, without acting.

        Raises:
            ValueError: That is no id.
            NotConnected: There is no connection now, or it was lost before the answer came.
            RejectedError: The bridge refused the question, for instance ``rate_limited``.
        """
        return read_status(_checked_id(id), await self._session.ask(id))

    async def explain(self, action: Literal["publish", "subscribe"], address: str) -> Explained:
        """Ask which rule decides whether this session may publish at an address, or subscribe to a pattern.

        Raises:
            NotConnected: There is no connection now, or it was lost before the answer came.
            RejectedError: That is no address, or no pattern.
        """
        reply = await self._session.question(control.EXPLAIN, {"action": action, "address": address})
        return Explained(allowed=reply["allowed"], rule=reply["rule"], tried=tuple(reply["tried"]))

    async def _send(
        self,
        to: Destination,
        data: Any,
        message_id: str | None,
        *,
        command: bool,
        told: Callable[[Accepted], object] | None,
    ) -> Any:
        """Send a message once and wait for its answer."""
        fields, name = _compose(to, data, message_id)
        _refuse_misuse(fields, command=command)
        text = to_text(fields)
        self._refuse_too_big(text)
        session = self._session
        link = session.connected()
        waiting = Waiting(name, command, session.pace.monotonic(), session.epoch, told)
        session.unanswered.add(waiting)
        try:
            with suppress(LinkLost):  # it may have left: the next connection will tell
                await link.send(text)
            return await waiting.answer
        finally:
            session.unanswered.forget(waiting)

    def _refuse_too_big(self, text: str) -> None:
        """Refuse here what the bridge would answer by ending the session (1009)."""
        most = self.opened.limits.messageBytes
        size = len(text.encode())
        if 0 < most < size:
            raise ValueError(f"the message has {size} bytes; this bridge takes {most}")


def _compose(to: Destination, data: Any, message_id: str | None) -> tuple[dict[str, Any], str]:
    """Give the message to send, and its id."""
    if isinstance(to, str):
        to = Address.parse(to)
    if isinstance(to, Address):
        fields: dict[str, Any] = {**to._asdict(), "data": data}
    else:
        fields = dict(to)
    own = next((key for key in fields if normalised(key) == "id"), "id")
    name = message_id or fields.get(own) or new_id()
    fields[own] = _checked_id(name)
    return fields, name


def _checked_id(name: Any) -> str:
    """Return an id that the bridge can answer to; a refusal of any other would not say what it refuses."""
    if valid_id(name) is None:
        raise ValueError(f"{name!r} is no id: 1 to 64 printable ASCII characters")
    return str(name)


def _refuse_misuse(fields: Mapping[str, Any], *, command: bool) -> None:
    """Refuse what would never be answered as the caller expects. All else is for the bridge to judge."""
    parts = [fields.get(part) for part in Address._fields]
    if not all(isinstance(part, str) for part in parts):
        return
    address = Address(*map(str, parts))
    entry = catalogue.entry(Sent(address))
    if entry is not None and entry.kind is Kind.CONTROL:
        raise ValueError(f"{address} is the client's own: use subscribe, status or close")
    if command and entry is None and address.channel not in catalogue.CHANNELS:
        raise ValueError(f"{address} is no command, so it has no outcome: use publish")


class Connecting:
    """What ``connect`` returns: await it, or enter it with ``async with``."""

    def __init__(self, open_client: Callable[[], Coroutine[Any, Any, BridgeClient]]) -> None:
        self._open_client = open_client
        self._client: BridgeClient

    def __await__(self) -> Generator[Any, None, BridgeClient]:
        return self._open_client().__await__()

    async def __aenter__(self) -> BridgeClient:
        self._client = await self
        return self._client

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.close()


def connect(
    url: str = "ws://127.0.0.1:8765/ws",
    *,
    workspace: str | None = None,
    app: str = "python",
    token: Token | None = None,
    tls: ssl.SSLContext | None = None,
    open_timeout: float = 10.0,
    unread: int = UNREAD,
    on_state: Callable[[StateChange], object] | None = None,
    pace: Pace | None = None,
) -> Connecting:
    """Open a session in a workspace.

    Use it as ``async with connect(url) as client``, or as ``client = await connect(url)`` and ``client.close()``.
    The first connection is tried once. After that the client reconnects by itself.

    Args:
        url: The bridge's WebSocket endpoint.
        workspace: Whose desktop. By default the first that the token names; without authentication ``demo``.
        app: Name of the app that broadcasts: the ``source`` of its messages. Where there is authentication the token
            says it.
        token: A token, or a function that gives one. The function is asked anew for each connection, and in time before
            the present token expires; it may be a coroutine function. While it fails the client tries again.
        tls: Whom to trust as the bridge behind a ``wss://`` URL; by default the system's certificate authorities.
        open_timeout: Seconds for one attempt to connect, and for one token.
        unread: How many live messages a subscription may hold unread before it ends.
        on_state: Called when the state changes.
        pace: How fast to reconnect.

    Raises:
        ValueError: That is no WebSocket URL, or no token, or ``tls`` is for a URL without TLS.
        ConnectError: On entering: there is no session to be had.
    """
    target = session_url(url, workspace, app)

    async def open_client() -> BridgeClient:
        link = None
        try:
            door = Door(target, open_timeout, token, tls)
            link = await door.open()
            session = Session(door, link, pace=pace or Pace(), on_state=on_state)
            await session.begin()
        except LinkLost as lost:
            raise ConnectError(url, lost.text, refused=lost.answered) from None
        except BaseException:
            if link is not None:
                link.abort()
            raise
        return BridgeClient(session, unread=unread)

    return Connecting(open_client)
