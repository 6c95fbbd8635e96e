"""One WebSocket connection, from the handshake over ``Opened`` to its end. It knows nothing of reconnecting."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import socket
import ssl
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pydantic import ValidationError
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI, WebSocketException
from websockets.typing import Subprotocol

from bridge.client.errors import close_text
from bridge.client.messages import address_of
from bridge.client.pace import LOST, NO_RETURN
from bridge.protocol import control
from bridge.protocol.errors import CloseCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from websockets.asyncio.client import ClientConnection

_logger = logging.getLogger("bridge.client.websockets")
_logger.setLevel(logging.WARNING)  # below it tells every header, and a token is in one

MAX_FRAME = 64 * 1024 * 1024
"""What the bridge sends may exceed ``messageBytes``: a snapshot of many calls is one message."""

CLOSE_SECONDS = 5.0
MISSED_HEARTBEATS = 2
HTTP_TOO_MANY = 429
HTTP_SERVER_ERROR = 500


class LinkLost(Exception):  # noqa: N818 an event inside this package, never seen outside
    """The connection has ended, or could not be made.

    Attributes:
        code: The close code; 1006 where there was none.
        reason: In words.
        final: Whether trying again would end the same way.
        answered: Whether a bridge, or something else, said no; otherwise nobody answered.
    """

    def __init__(self, code: int, reason: str, *, final: bool, answered: bool = True) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.final = final
        self.answered = answered

    @property
    def text(self) -> str:
        """Code and reason in words; the reason alone where there was no close frame."""
        return self.reason if self.code == LOST and self.reason else close_text(self.code, self.reason)


class Link:
    """An open connection whose ``Opened`` has come."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._patience: float | None = None
        self.opened: control.Opened

    @classmethod
    async def open(
        cls, url: str, *, seconds: float, token: str | None = None, tls: ssl.SSLContext | None = None
    ) -> Self:
        """Connect and wait for ``Opened``, both together within ``seconds``. ``tls`` says whom to trust.

        Raises:
            LinkLost: There is no session.
        """
        link: Self | None = None
        try:
            async with asyncio.timeout(seconds):
                link = cls(await _connected(url, token, tls))
                try:
                    await link._greeted()
                except BaseException:
                    link.abort()
                    raise
                return link
        except TimeoutError:
            hint = "; perhaps this bridge asks for a token" if link is not None and token is None else ""
            raise LinkLost(LOST, f"no answer within {seconds:g} s{hint}", final=False, answered=False) from None

    async def receive(self) -> Mapping[str, Any]:
        """Give the next message.

        Raises:
            LinkLost: The connection has ended, was silent for two heartbeats, or carried something else.
        """
        try:
            async with asyncio.timeout(self._patience):
                text = await self._socket.recv()
        except TimeoutError:
            self.abort()
            raise LinkLost(LOST, f"nothing came for {self._patience:g} s", final=False) from None
        except ConnectionClosed as closed:
            raise _lost(closed) from None
        try:
            if isinstance(text, bytes):
                raise TypeError("binary")
            fields = json.loads(text)
            address_of(fields)
        except (ValueError, TypeError, KeyError):
            raise await self.misread() from None
        return dict(fields)

    async def send(self, text: str) -> None:
        """Send one message, waiting while the connection takes no more.

        Raises:
            LinkLost: The connection has ended; the message may have left or not.
        """
        try:
            await self._socket.send(text)
        except ConnectionClosed as closed:
            raise _lost(closed) from None

    async def close(self) -> None:
        """Say good-bye, and cut the connection if the bridge does not answer."""
        await self._socket.close()

    def abort(self) -> None:
        """Cut the connection at once; harmless after its end."""
        self._socket.transport.abort()

    async def misread(self) -> LinkLost:
        """End the connection because of a message that is not of this protocol; give what to raise."""
        await self._socket.close(CloseCode.PROTOCOL_ERROR)
        return LinkLost(CloseCode.PROTOCOL_ERROR, "the server sent what is no message of this protocol", final=True)

    async def _greeted(self) -> None:
        if self._socket.subprotocol != control.SUBPROTOCOL:
            await self._socket.close(CloseCode.PROTOCOL_ERROR)
            raise LinkLost(LOST, f"this server does not speak {control.SUBPROTOCOL}", final=True)
        fields = await self.receive()
        try:
            if address_of(fields) != control.OPENED:
                raise ValueError("no greeting")
            self.opened = control.Opened.model_validate(fields.get("data"))
        except (ValidationError, ValueError):
            raise await self.misread() from None
        self._patience = MISSED_HEARTBEATS * self.opened.heartbeatSeconds


class _Direct(connect):
    """Connects, and follows no redirect: the token is for this address alone, and the library would take it along."""

    def process_redirect(self, exc: Exception) -> Exception:
        """Take a redirect for the refusal that it is."""
        return exc


async def _connected(url: str, token: str | None, tls: ssl.SSLContext | None) -> ClientConnection:
    offered = [Subprotocol(control.SUBPROTOCOL)]
    if token is not None:
        offered.append(Subprotocol(f"bearer.{token}"))
    try:
        return await _Direct(
            url,
            subprotocols=offered,
            logger=_logger,
            compression=None,
            proxy=_proxy(url),
            ping_interval=None,
            open_timeout=None,
            close_timeout=CLOSE_SECONDS,
            max_size=MAX_FRAME,
            ssl=(tls or True) if urlsplit(url).scheme == "wss" else None,
        )
    except InvalidStatus as refused:
        raise _http_refusal(refused, token) from None
    except InvalidURI as error:
        raise ValueError(str(error)) from None
    except InvalidHandshake as error:
        broken_off = isinstance(error.__cause__, EOFError)
        raise LinkLost(LOST, _hidden(str(error), token), final=not broken_off, answered=not broken_off) from None
    except (OSError, WebSocketException) as error:
        raise LinkLost(LOST, _in_words(error), final=False, answered=False) from None


def _in_words(error: Exception) -> str:
    match error:
        case ConnectionRefusedError():
            return "nobody listens there"
        case socket.gaierror():
            return "there is no host of this name"
        case ssl.SSLError():
            return f"TLS failed: {error}"
        case _:
            return str(error) or type(error).__name__


def _hidden(said: str, token: str | None) -> str:
    """Give what a server said, without the token: some repeat the headers that they do not like."""
    return said if token is None else said.replace(token, "(the token)")


def _http_refusal(refused: InvalidStatus, token: str | None) -> LinkLost:
    response = refused.response
    status = response.status_code
    said = _hidden(bytes(response.body or b"").decode(errors="replace"), token).strip()[:300]
    reason = f"HTTP {status} instead of a WebSocket" + (f": {said}" if said else "")
    return LinkLost(LOST, reason, final=status < HTTP_SERVER_ERROR and status != HTTP_TOO_MANY)


def _lost(closed: ConnectionClosed) -> LinkLost:
    """Read why a connection was closed. Only the bridge's own close frame counts: ours would say what we thought."""
    if closed.rcvd is None or closed.rcvd_then_sent is False:
        return LinkLost(LOST, "the connection was lost", final=False)
    code = closed.rcvd.code
    return LinkLost(code, closed.rcvd.reason, final=code in NO_RETURN)


def _proxy(url: str) -> Literal[True] | None:
    """Use the environment's proxy, but never for this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return None if host == "localhost" or ipaddress.ip_address(host).is_loopback else True
    except ValueError:
        return True


def session_url(url: str, workspace: str | None, app: str) -> str:
    """Add workspace and app to the URL of a bridge's WebSocket endpoint; without a workspace the bridge chooses.

    Raises:
        ValueError: It is no ``ws://`` or ``wss://`` URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"ws", "wss"} or not parts.hostname:
        raise ValueError(f"{url!r} is no WebSocket URL: write one such as ws://127.0.0.1:8765/ws")
    query = [pair for pair in parse_qsl(parts.query) if pair[0] not in {"workspace", "app"}]
    if workspace is not None:
        query.append(("workspace", workspace))
    query.append(("app", app))
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/ws", urlencode(query), ""))
