"""The bus: open a session, receive its messages, close it; and what call control gives back.

Methods go in, effects go out through each session's ``Subscriber`` in the order in which they happened. Every method
runs to its end without waiting, so what one call does is one step in the workspace's order.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from bridge.broker.controls import Controls
from bridge.broker.delivery import Delivery
from bridge.broker.directory import Directory
from bridge.broker.expiry import Expiries
from bridge.broker.guests import Guests
from bridge.broker.limits import Limits
from bridge.broker.observer import Observer, Silent
from bridge.broker.policy import Permissions
from bridge.broker.publishing import Publishing, name, too_fast
from bridge.broker.rate import Bucket
from bridge.broker.renewal import Renewal
from bridge.broker.rota import Rota
from bridge.broker.session import Session, Subscriber
from bridge.protocol import control
from bridge.protocol.catalogue import Kind
from bridge.protocol.errors import CloseCode, Rejection
from bridge.protocol.message import Encoded, Message, decode, encode_control

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.clock import Clock
    from bridge.broker.gate import Gate
    from bridge.broker.guests import Notice
    from bridge.broker.identity import Identity
    from bridge.broker.tokens import Tokens
    from bridge.broker.workspace import Workspace
    from bridge.protocol.address import Address


def random_id() -> str:
    """Give 20 random letters and digits, quickly: every message gets one. Unlikely to be met twice, no secret."""
    return random.getrandbits(80).to_bytes(10).hex()


class RefusedError(Exception):
    """A session cannot be opened: a limit is reached, or the bridge is stopping."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Broker:
    """Workspaces, their sessions and their messages."""

    def __init__(
        self,
        *,
        clock: Clock,
        gate: Gate,
        limits: Limits | None = None,
        tokens: Tokens | None = None,
        observer: Observer | None = None,
        new_id: Callable[[], str] = random_id,
        server: control.Server | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._gate = gate
        self._observer = observer or Silent()
        self._new_id = new_id
        self._server = server or control.Server(version="0", adapter="none")
        self.delivery = Delivery()
        self.workspaces = Directory(clock=clock, gate=gate, limits=self.limits, new_id=new_id)
        self._heartbeats: Rota[Session] = Rota(self.limits.heartbeat_seconds)
        self._expiries = Expiries()
        self._addresses: dict[str, int] = {}
        self._renewal = Renewal(
            tokens=tokens, clock=clock, delivery=self.delivery, expiries=self._expiries, observer=self._observer
        )
        self._controls = Controls(clock=clock, delivery=self.delivery, limits=self.limits, renewal=self._renewal)
        self._publishing = Publishing(
            clock=clock,
            delivery=self.delivery,
            gate=gate,
            limits=self.limits,
            observer=self._observer,
            new_id=new_id,
            workspaces=self.workspaces,
        )
        self._guests = Guests(
            clock=clock, publishing=self._publishing, workspaces=self.workspaces, observer=self._observer, new_id=new_id
        )

    @property
    def draining(self) -> bool:
        """Whether the bridge is stopping: nobody new is let in, nothing new is published."""
        return self._publishing.draining

    @draining.setter
    def draining(self, draining: bool) -> None:
        self._publishing.draining = draining

    # Sessions

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._heartbeats)

    @property
    def expiring(self) -> int:
        """How many sessions end with their tokens."""
        return len(self._expiries)

    def open(self, workspace: str, identity: Identity, subscriber: Subscriber) -> Session:
        """Open a session and greet it.

        Raises:
            RefusedError: A limit is reached, or the bridge is stopping.
        """
        self._refuse_session(workspace, identity)
        now = self._clock.monotonic()
        room = self._enter(workspace, self._bucket(now))
        permissions = Permissions(identity, workspace)
        session = Session(self._new_id(), room, identity, subscriber, permissions, self._bucket(now), now)
        room.sessions[session.id] = session
        self.workspaces.occupied(room)
        self._heartbeats.join(session)
        expires_in = self._renewal.expect(session)
        if self.limits.sessions_per_address and identity.address is not None:
            self._addresses[identity.address] = self._addresses.get(identity.address, 0) + 1
        self._observer.session_opened(session)
        self.delivery.send(session, self._greeting(session, expires_in))
        return session

    def close(self, session: Session, code: int, reason: str) -> None:
        """Forget a session whose connection has ended. Its commands go on; harmless when repeated."""
        room = session.workspace
        if room.sessions.get(session.id) is not session:
            return
        room.leave(session)
        self._heartbeats.leave(session)
        self._expiries.leave(session)
        self._forget_address(session.identity.address)
        if not room.sessions:
            self.workspaces.vacated(room)
        seconds = self._clock.monotonic() - session.opened_at
        self._observer.session_closed(session, code, reason, seconds)

    def tick(self) -> None:
        """Do what is due; call it once a second."""
        for session in self._heartbeats.tick():
            room = session.workspace
            beat = {"epoch": room.epoch, "offset": room.offset}
            self.delivery.send(session, encode_control(control.HEARTBEAT, beat))
        for session in self._expiries.due(self._clock.monotonic()):
            self.delivery.close(session, CloseCode.TOKEN_EXPIRED, "the token has expired; come back with a new one")
        self.workspaces.sweep()

    def close_all(self, code: CloseCode, reason: str) -> None:
        """End every session, as the last thing before the process stops."""
        for room in self.workspaces:
            for session in tuple(room.sessions.values()):
                self.delivery.close(session, code, reason)

    def _refuse_session(self, workspace: str, identity: Identity) -> None:
        limits = self.limits
        if self.draining:
            raise RefusedError(CloseCode.RESTART, "the bridge is stopping")
        if limits.max_sessions and self.sessions >= limits.max_sessions:
            raise RefusedError(CloseCode.TOO_MANY, f"MAX_SESSIONS ({limits.max_sessions}) is reached")
        room = self.workspaces.find(workspace)
        if room is not None and 0 < limits.sessions_per_workspace <= len(room.sessions):
            limit = limits.sessions_per_workspace
            raise RefusedError(CloseCode.TOO_MANY, f"SESSIONS_PER_WORKSPACE ({limit}) is reached")
        if (
            limits.sessions_per_address
            and self._addresses.get(identity.address or "", 0) >= limits.sessions_per_address
        ):
            limit = limits.sessions_per_address
            raise RefusedError(CloseCode.TOO_MANY, f"SESSIONS_PER_ADDRESS ({limit}) is reached")

    def _enter(self, workspace: str, guests: Bucket) -> Workspace:
        room = self.workspaces.enter(workspace, guests)
        if room is None:
            raise RefusedError(CloseCode.TOO_MANY, f"MAX_WORKSPACES ({self.limits.max_workspaces}) is reached")
        return room

    def _bucket(self, now: float) -> Bucket:
        return Bucket(self.limits.messages_per_second, self.limits.messages_burst, now)

    def _forget_address(self, address: str | None) -> None:
        left = self._addresses.pop(address or "", 0) - 1
        if address is not None and left > 0:
            self._addresses[address] = left

    def _greeting(self, session: Session, expires_in: float | None) -> Encoded:
        identity, limits = session.identity, self.limits
        extension = identity.extension or self._gate.extension(session.workspace.name)
        opened = control.Opened(
            protocol="workspace-bridge.v1",
            session=session.id,
            workspace=session.workspace.name,
            identity=control.Identity(subject=identity.subject, app=identity.app, extension=extension),
            heartbeatSeconds=limits.heartbeat_seconds,
            limits=control.Limits(
                messageBytes=limits.message_bytes,
                messagesPerSecond=limits.messages_per_second,
                subscriptions=limits.patterns_per_session,
            ),
            server=self._server,
            expiresInSeconds=expires_in,
        )
        optional = {"expiresInSeconds"} if expires_in is None else None
        return encode_control(control.OPENED, opened.model_dump(exclude=optional))

    # Messages from clients

    def receive(self, session: Session, text: str) -> None:
        """Take one message from a session; every answer goes to its subscriber. A closed session is ignored."""
        if session.workspace.sessions.get(session.id) is not session:
            return
        now = self._clock.monotonic()
        session.received += 1
        wait = session.bucket.take(now)
        message = None
        try:
            if wait:
                raise too_fast(self.limits, text, wait)
            message = decode(text, strict=self.limits.strict)
            session.last_address = message.address
            checked = self._publishing.check(session.permissions, message)
            entry = checked.entry
            if entry is not None and entry.kind is Kind.CONTROL:
                self._controls.handle(session, message, entry.address, checked.body)
            else:
                self._publishing.publish(session.workspace, session, message, checked, now)
        except Rejection as rejection:
            self._reject(session, rejection, message)
            if wait and session.bucket.exhausted(now):
                self.delivery.close(session, CloseCode.TOO_MANY, "rate refused for 10 s on end")

    def _reject(self, session: Session, rejection: Rejection, message: Message | None) -> None:
        name(rejection, message)
        reply = encode_control(control.REJECTED, rejection.to_json(), rejection.correlation_id)
        self.delivery.send(session, reply)
        self._observer.rejected(session.workspace.name, session.identity, rejection, message)

    # Messages from clients without a session

    def publish(self, workspace: str, identity: Identity, text: str) -> tuple[str, dict[str, Any]]:
        """Take one message. Return its id and the body of ``Accepted``.

        Raises:
            Rejection: The message is refused.
        """
        return self._guests.publish(workspace, identity, text)

    def announce(self, identity: Identity, text: str) -> Notice:
        """Take one message for every workspace that there is. The notice that is returned has to be driven on.

        Raises:
            Rejection: The message is refused.
        """
        return self._guests.announce(identity, text)

    # Messages from call control

    def emit(self, workspace: str, address: Address, data: Any, correlation_id: str | None = None) -> int | None:
        """Publish an event of the bridge. Return its offset, ``None`` if there is no such workspace any more."""
        return self._publishing.emit(workspace, address, data, correlation_id)

    def settle(self, workspace: str, command_id: str, address: Address, data: Any) -> None:
        """Publish the outcome of a command: to whoever subscribed, and in any case to the session that sent it.

        A second outcome for the same command is not published: there is exactly one.
        """
        self._publishing.settle(workspace, command_id, address, data)
