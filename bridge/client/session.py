"""A session that outlives its connections: reading, reconnecting, subscribing anew, asking for what is in doubt."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bridge.client.asking import answered, new_id, not_allowed, write
from bridge.client.errors import BridgeError, ClientClosed, NotConnected, RejectedError, SessionEnded
from bridge.client.link import Link, LinkLost
from bridge.client.messages import Delivery, address_of, read_message, read_status
from bridge.client.renewal import renew
from bridge.client.state import ClientState, StateChange
from bridge.client.unanswered import Unanswered
from bridge.protocol import control
from bridge.protocol.address import Pattern
from bridge.protocol.errors import Code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.client.door import Door
    from bridge.client.messages import Message
    from bridge.client.pace import Pace
    from bridge.client.subscription import Subscription
    from bridge.protocol.address import Address

PROBE = Pattern(*control.HEARTBEAT)
"""A pattern that no message of a stream ever matches: subscribing to it tells the stream's epoch and nothing else."""


class Session:
    """One session in one workspace, across connections. ``BridgeClient`` is its public face."""

    def __init__(
        self,
        door: Door,
        link: Link,
        *,
        pace: Pace,
        on_state: Callable[[StateChange], object] | None,
    ) -> None:
        self._door = door
        self._on_state = on_state
        self.pace = pace

        # The connection: ``link`` is None while there is none that messages could be sent over.
        self.state = ClientState.CONNECTED
        self.link: Link | None = link
        self.opened = link.opened
        self._over: BridgeError | None = None
        self._running: asyncio.Task[None] | None = None

        # Position in the workspace's stream: everything up to it has been handed to the subscriptions.
        self.epoch: str | None = None
        self._offset = 0

        # What is subscribed: by whom, and which patterns the bridge has for the present connection.
        self._subscriptions: list[Subscription] = []
        self._registered: set[Pattern] = set()
        self._echo: bool | None = None

        # What waits for a reply, by the id of the question; ``doubt`` is set while outcomes have to be asked for.
        self.unanswered = Unanswered()
        self._beginning: dict[str, Subscription] = {}
        self._questions: dict[str, asyncio.Future[Mapping[str, Any]]] = {}
        self._doubt = asyncio.Event()

    # Beginning and end

    async def begin(self) -> None:
        """Learn the epoch, then read on in the background. Raises ``LinkLost``."""
        link = self.connected()
        await self._resubscribe(link)
        self._running = asyncio.create_task(self._run(link), name="bridge client")
        self._running.add_done_callback(self._stopped)

    async def end(self) -> None:
        """End everything; harmless when repeated."""
        link = self.link
        self._finish(None)
        if link is not None:
            await link.close()
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])

    def refuse_over(self) -> None:
        """Raise what ended the session, if it has ended."""
        if self._over is not None:
            raise self._over

    def connected(self) -> Link:
        """Give the connection. Raises ``NotConnected`` where there is none."""
        self.refuse_over()
        if self.link is None:
            raise NotConnected("there is no connection to the bridge now; nothing was sent")
        return self.link

    def _finish(self, error: BridgeError | None) -> None:
        """Tell everybody who waits that the session is over."""
        if self._over is not None:
            return
        self.link = None
        self._over = error or ClientClosed("the client was closed")
        self.unanswered.give_up(str(self._over))
        for question in self._questions.values():
            if not question.done():
                question.set_exception(self._over)
        for subscription in self._subscriptions:
            subscription.end(error)
        self._tell(StateChange(ClientState.CLOSED, str(self._over)))

    def _stopped(self, running: asyncio.Task[None]) -> None:
        """Let nobody wait for a reader that is gone: its loop ended, or it has met a fault of its own."""
        if not running.cancelled() and (fault := running.exception()) is not None:
            self._finish(BridgeError(f"the client has failed: {fault!r}"))
        else:
            self._finish(None)

    def _tell(self, change: StateChange) -> None:
        self.state = change.state
        if self._on_state is not None:
            asyncio.get_running_loop().call_soon(self._on_state, change)

    # Connections

    async def _run(self, link: Link) -> None:
        """Read from one connection after the other."""
        attempt = 0
        current: Link | None = link
        while current is not None:
            since = self.pace.monotonic()
            lost = await self._live(current)
            if self.pace.monotonic() - since >= self.pace.stable:
                attempt = 0
            current, attempt = await self._reconnect(lost, attempt)

    async def _live(self, link: Link) -> LinkLost:
        """Read until the connection ends. Return why it did."""
        asking = asyncio.create_task(self._ask_on(), name="bridge client, outcomes")
        expires_in = link.opened.expiresInSeconds
        renewing = asyncio.create_task(renew(self, self._door, expires_in), name="bridge client, token")
        try:
            while True:
                await self._take(await link.receive(), link)
        except LinkLost as lost:
            return lost
        finally:
            asking.cancel()
            renewing.cancel()
            self._disconnected()
            link.abort()

    def _disconnected(self) -> None:
        self.link = None
        self._registered.clear()
        self._beginning.clear()
        self.unanswered.connection_lost(self.pace.monotonic())
        for question in self._questions.values():
            if not question.done():
                question.set_exception(NotConnected("the connection was lost before the answer came"))

    async def _reconnect(self, lost: LinkLost, attempt: int) -> tuple[Link | None, int]:
        """Try until there is a session again. Return its link, ``None`` if there never will be."""
        while not self._door.is_closed(lost) and self._over is None:
            delay = self.pace.delay(attempt, lost.code)
            attempt += 1
            self._tell(StateChange(ClientState.RECONNECTING, lost.text, delay))
            await self.pace.sleep(delay)
            try:
                return await self._open(), attempt
            except LinkLost as again:
                lost = again
        self._finish(SessionEnded(lost.code, lost.reason))
        return None, attempt

    async def _open(self) -> Link:
        link = await self._door.open()
        try:
            await self._resubscribe(link)
            for subscription in tuple(self._subscriptions):
                if not subscription.active:
                    await self._begin(link, subscription)
            await self._trim(link)
        except BaseException:
            self._disconnected()
            link.abort()
            raise
        if self.unanswered.in_doubt:
            self._doubt.set()
        return link

    # Subscriptions

    async def subscribe(self, subscription: Subscription, *, echo: bool | None) -> None:
        """Begin to deliver to a subscription, now or with the next connection; wait for the bridge's answer.

        Raises:
            RejectedError: The bridge refused.
            BridgeError: The session is over, or ends before.
        """
        self.refuse_over()
        if echo is not None:
            self._echo = echo
        self._subscriptions.append(subscription)
        try:
            if self.link is not None:
                with suppress(LinkLost):
                    await self._begin(self.link, subscription)
            await subscription.started()
        except BaseException:
            await self.leave(subscription)
            raise

    async def leave(self, subscription: Subscription) -> None:
        """Cease to deliver to a subscription."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        if self.link is not None:
            with suppress(LinkLost):
                await self._trim(self.link)

    async def _begin(self, link: Link, subscription: Subscription) -> None:
        await self._trim(link)
        question = new_id()
        self._beginning[question] = subscription
        self._registered.update(subscription.patterns)
        await write(link, control.SUBSCRIBE, self._wish(subscription.patterns), question)

    async def _resubscribe(self, link: Link) -> None:
        """Take up all subscriptions where they stopped, in one step, before anything else is sent."""
        active = [subscription for subscription in self._subscriptions if subscription.active]
        patterns = {pattern: None for subscription in active for pattern in subscription.patterns} or {PROBE: None}
        self._registered = set(patterns)
        wish = self._wish(patterns)
        if active and self.epoch is not None:
            wish["recover"] = {"epoch": self.epoch, "offset": self._offset}
        try:
            try:
                data = await answered(link, self.pace, control.SUBSCRIBE, wish, by=control.SUBSCRIBED)
            except RejectedError as refused:
                await self._not_taken_up(link, active, refused)
            else:
                self._connected(link)
                self._resume(active, data)
        except (KeyError, TypeError, AttributeError):
            raise await link.misread() from None

    async def _not_taken_up(self, link: Link, active: list[Subscription], refused: RejectedError) -> None:
        """End what a newer token does not allow and let the rest go on; where that is not it, end all."""
        self._registered.clear()
        lost = await self._not_allowed_now(link, active, refused)
        if lost:
            self._end(lost)
            await self._resubscribe(link)
            return
        self._connected(link)
        self.epoch = None
        for subscription in active:
            self._drop(subscription, refused)

    async def _not_allowed_now(
        self, link: Link, active: list[Subscription], refused: RejectedError
    ) -> frozenset[Pattern]:
        """Find out which patterns are meant by a refusal, which is for all of them together."""
        if refused.code != Code.NOT_PERMITTED or len(active) <= 1:
            return frozenset()
        patterns = dict.fromkeys(pattern for subscription in active for pattern in subscription.patterns)
        try:
            return await not_allowed(link, self.pace, patterns)
        except RejectedError:
            return frozenset()

    def _end(self, lost: frozenset[Pattern]) -> None:
        """End the subscriptions that a newer token does not allow."""
        for subscription in tuple(self._subscriptions):
            mine = lost.intersection(subscription.patterns)
            if mine:
                text = f"the newer token does not allow {', '.join(sorted(map(str, mine)))}"
                why = {"code": Code.NOT_PERMITTED.value, "message": text, "temporary": False}
                self._drop(subscription, RejectedError(None, why))

    def _drop(self, subscription: Subscription, error: BridgeError) -> None:
        """End a subscription, unless its reader has closed it meanwhile."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            subscription.end(error)

    def _connected(self, link: Link) -> None:
        self.opened = link.opened
        self.link = link
        if self.state is not ClientState.CONNECTED:
            self._tell(StateChange(ClientState.CONNECTED))

    def _resume(self, active: Iterable[Subscription], data: Mapping[str, Any]) -> None:
        before = (self.epoch, self._offset)
        self._moved(data)
        if data.get("recovered"):
            missed = [read_message(fields, Delivery.RECOVERED) for fields in data["messages"]]
            self._note_outcomes(missed)
            for subscription in active:
                subscription.resume(missed)
        else:
            snapshot = _snapshot(data)
            for subscription in active:
                subscription.restart(before[1], snapshot, epoch_changed=before[0] != self.epoch)

    def _wish(self, patterns: Iterable[Pattern]) -> dict[str, Any]:
        wish: dict[str, Any] = {"patterns": [str(pattern) for pattern in patterns]}
        if self._echo is not None:
            wish["echo"] = self._echo
        return wish

    async def _trim(self, link: Link) -> None:
        """Unsubscribe from what nobody reads any more. The probe may stay as long as nobody subscribes at all."""
        wanted = {pattern for subscription in self._subscriptions for pattern in subscription.patterns}
        idle = self._registered - (wanted or {PROBE})
        if idle:
            self._registered -= idle
            patterns = [str(pattern) for pattern in sorted(idle, key=str)]
            await write(link, control.UNSUBSCRIBE, {"patterns": patterns}, None)

    # Reading

    async def _take(self, fields: Mapping[str, Any], link: Link) -> None:
        """Do what one message from the bridge wants."""
        try:
            if "offset" in fields:
                await self._deliver(read_message(fields), link)
            else:
                self._reply(address_of(fields), fields.get("correlationId"), fields["data"])
        except (KeyError, TypeError, AttributeError):
            raise await link.misread() from None

    async def _deliver(self, message: Message, link: Link) -> None:
        self._offset = message.offset
        self._note_outcomes((message,))
        overfull = [s for s in self._subscriptions if s.active and not s.deliver(message)]
        for subscription in overfull:
            self._subscriptions.remove(subscription)
        if overfull:
            await self._trim(link)

    def _note_outcomes(self, messages: Iterable[Message]) -> None:
        for message in messages:
            if message.address in control.OUTCOMES:
                self.unanswered.outcome(message)

    def _reply(self, address: Address, question: str | None, data: Mapping[str, Any]) -> None:
        if address in {control.HEARTBEAT, control.SUBSCRIBED}:
            self._moved(data)
        if question in self._beginning:
            self._begun(self._beginning.pop(question), address, data)
        elif question in self._questions:
            self._answer(self._questions[question], question, address, data)
        elif address == control.ACCEPTED and question is not None:
            self.unanswered.accepted(question, data)
            if self.unanswered.in_doubt:
                self._doubt.set()
        elif address == control.REJECTED and question is not None:
            self.unanswered.rejected(question, data)

    def _begun(self, subscription: Subscription, address: Address, data: Mapping[str, Any]) -> None:
        if address == control.SUBSCRIBED:
            subscription.begin(_snapshot(data))
        else:
            subscription.end(RejectedError(None, data))

    @staticmethod
    def _answer(
        answer: asyncio.Future[Mapping[str, Any]], question: str, address: Address, data: Mapping[str, Any]
    ) -> None:
        if answer.done():
            return
        if address == control.REJECTED:
            answer.set_exception(RejectedError(question, data))
        else:
            answer.set_result(data)

    def _moved(self, data: Mapping[str, Any]) -> None:
        """Note the stream's position: replies come in order, so all that matched before it has been delivered."""
        self.epoch, self._offset = data["epoch"], data["offset"]

    # Asking and writing

    async def ask(self, message_id: str) -> Mapping[str, Any]:
        """Ask what became of a message. Raises as ``question`` does."""
        return await self.question(control.STATUS, {"id": message_id})

    async def not_allowed(self, patterns: frozenset[Pattern]) -> None:
        """End subscriptions that the bridge has ended because a newer token does not allow them."""
        self._registered -= patterns
        self._end(patterns)
        if self.link is not None:
            with suppress(LinkLost):
                await self._trim(self.link)

    async def question(self, address: Address, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask the bridge something and wait for the answer's data.

        Raises:
            NotConnected: There is no connection, or it was lost before the answer came.
            RejectedError: The question was refused.
        """
        link = self.connected()
        question = new_id()
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._questions[question] = answer
        try:
            await write(link, address, data, question)
            return await answer
        except LinkLost:
            raise NotConnected("the connection was lost before the answer came") from None
        finally:
            del self._questions[question]

    async def _ask_on(self) -> None:
        """While there are messages in doubt, ask for them. Cancelled with the connection."""
        while True:
            await self._doubt.wait()
            for message_id in self.unanswered.in_doubt:
                with suppress(BridgeError):
                    status = read_status(message_id, await self.ask(message_id))
                    self.unanswered.status(status, self.epoch, self.pace)
            if self.unanswered.in_doubt:
                await self.pace.sleep(self.pace.ask)
            else:
                self._doubt.clear()


def _snapshot(data: Mapping[str, Any]) -> list[Message]:
    return [read_message(fields, Delivery.SNAPSHOT) for fields in data["snapshot"]]
