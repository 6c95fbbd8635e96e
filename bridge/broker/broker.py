"""The bus: open, receive, publish, close; and what call control gives back.

Methods go in, effects go out through each session's ``Subscriber`` in the order in which they happened. Every method
runs to its end without waiting, so what one call does is one step in the workspace's order.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import orjson

from bridge.broker.controls import Controls
from bridge.broker.directory import Directory
from bridge.broker.gate import Command, Gate
from bridge.broker.idempotency import Remembered, fingerprint
from bridge.broker.limits import Limits
from bridge.broker.observer import Observer, Silent
from bridge.broker.policy import LoopbackPolicy, Policy, not_permitted
from bridge.broker.rate import Bucket
from bridge.broker.rota import Rota
from bridge.broker.session import Session, Subscriber
from bridge.protocol import catalogue, control
from bridge.protocol.catalogue import Entry, Kind
from bridge.protocol.errors import CloseCode, Code, Rejection
from bridge.protocol.message import Encoded, Message, Published, decode, encode_control, salvage_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel

    from bridge.broker.clock import Clock
    from bridge.broker.identity import Identity
    from bridge.broker.workspace import Workspace
    from bridge.protocol.address import Address

SOURCE = "workspace-bridge"
"""The ``source`` of what the bridge publishes itself."""


def random_id() -> str:
    """Give 20 random letters and digits, quickly: every message gets one. Unlikely to be met twice, no secret."""
    return f"{random.getrandbits(80):020x}"


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
        policy: Policy | None = None,
        observer: Observer | None = None,
        new_id: Callable[[], str] = random_id,
        server: control.Server | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._clock = clock
        self._gate = gate
        self._policy = policy or LoopbackPolicy()
        self._observer = observer or Silent()
        self._new_id = new_id
        self._server = server or control.Server(version="0", adapter="none")
        self.workspaces = Directory(clock=clock, gate=gate, limits=self.limits, new_id=new_id)
        self._heartbeats: Rota[Session] = Rota(self.limits.heartbeat_seconds)
        self._addresses: dict[str, int] = {}
        self._controls = Controls(clock=clock, limits=self.limits, policy=self._policy)
        self.draining = False

    # Sessions

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._heartbeats)

    def open(self, workspace: str, identity: Identity, subscriber: Subscriber) -> Session:
        """Open a session and greet it.

        Raises:
            RefusedError: A limit is reached, or the bridge is stopping.
        """
        self._refuse_session(workspace, identity)
        now = self._clock.monotonic()
        room = self._enter(workspace, self._bucket(now))
        session = Session(self._new_id(), room, identity, subscriber, self._bucket(now), now)
        room.sessions[session.id] = session
        self.workspaces.occupied(room)
        self._heartbeats.join(session)
        if self.limits.sessions_per_address and identity.address is not None:
            self._addresses[identity.address] = self._addresses.get(identity.address, 0) + 1
        self._observer.session_opened(session)
        subscriber.send(self._greeting(session))
        return session

    def close(self, session: Session, code: int, reason: str) -> None:
        """Forget a session whose connection has ended. Its commands go on; harmless when repeated."""
        room = session.workspace
        if room.sessions.get(session.id) is not session:
            return
        room.leave(session)
        self._heartbeats.leave(session)
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
            session.subscriber.send(encode_control(control.HEARTBEAT, beat))
        self.workspaces.sweep()

    def close_all(self, code: CloseCode, reason: str) -> None:
        """End every session, as the last thing before the process stops."""
        for room in self.workspaces:
            for session in tuple(room.sessions.values()):
                session.subscriber.close(code, reason)

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

    def _greeting(self, session: Session) -> Encoded:
        identity, limits = session.identity, self.limits
        opened = control.Opened(
            protocol="workspace-bridge.v1",
            session=session.id,
            workspace=session.workspace.name,
            identity=control.Identity(
                subject=identity.subject, app=identity.app, extension=self._gate.extension(session.workspace.name)
            ),
            heartbeatSeconds=limits.heartbeat_seconds,
            limits=control.Limits(
                messageBytes=limits.message_bytes,
                messagesPerSecond=limits.messages_per_second,
                subscriptions=limits.patterns_per_session,
            ),
            server=self._server,
        )
        return encode_control(control.OPENED, opened.model_dump())

    # Messages from clients

    def receive(self, session: Session, text: str) -> None:
        """Take one message from a session; every answer goes to its subscriber. A closed session is ignored."""
        if session.workspace.sessions.get(session.id) is not session:
            return
        now = self._clock.monotonic()
        session.received += 1
        wait = session.bucket.take(now)
        try:
            if wait:
                raise self._too_fast(text, wait)
            self._handle(session, text)
        except Rejection as rejection:
            self._reject(session, rejection)
            if wait and session.bucket.exhausted(now):
                session.subscriber.close(CloseCode.TOO_MANY, "rate refused for 10 s on end")

    def publish(self, workspace: str, identity: Identity, text: str) -> tuple[str, dict[str, Any]]:
        """Take one message from a client without a session (HTTP). Return its id and the body of ``Accepted``.

        Raises:
            Rejection: The message is refused.
        """
        message = None
        try:
            guests = self._slow_guest_down(workspace, text)
            message = decode(text, strict=self.limits.strict)
            message.id = message.id or self._new_id()
            entry, body = self._check(identity, message)
            if entry is not None and entry.kind is Kind.CONTROL:
                raise Rejection(Code.RESERVED_CHANNEL, f"{message.address} needs a session")
            room = self._enter_as_guest(workspace, guests)
            return message.id, self._publish(room, identity, None, message, entry, body)
        except Rejection as rejection:
            _name(rejection, message)
            self._observer.rejected(workspace, identity, rejection)
            raise

    def _slow_guest_down(self, workspace: str, text: str) -> Bucket:
        """Let those who publish to a workspace without a session share one rate. Return it."""
        now = self._clock.monotonic()
        room = self.workspaces.find(workspace)
        bucket = room.guests if room is not None else self._bucket(now)
        if wait := bucket.take(now):
            raise self._too_fast(text, wait)
        return bucket

    def _enter_as_guest(self, workspace: str, guests: Bucket) -> Workspace:
        """Find or make the workspace, only now: what is refused shall not cost another workspace its place."""
        if self.draining:
            raise Rejection(Code.UNAVAILABLE, "the bridge is stopping")
        try:
            return self._enter(workspace, guests)
        except RefusedError as refused:
            raise Rejection(Code.UNAVAILABLE, refused.reason) from None

    def _too_fast(self, text: str, wait: float) -> Rejection:
        rate = self.limits.messages_per_second
        return Rejection(
            Code.RATE_LIMITED,
            f"more than {rate:g} messages a second",
            correlation_id=salvage_id(text),
            details={"retryAfterMs": max(1, round(wait * 1000))},
        )

    def _reject(self, session: Session, rejection: Rejection) -> None:
        reply = encode_control(control.REJECTED, rejection.to_json(), rejection.correlation_id)
        session.subscriber.send(reply)
        self._observer.rejected(session.workspace.name, session.identity, rejection)

    def _handle(self, session: Session, text: str) -> None:
        message = decode(text, strict=self.limits.strict)
        session.last_address = message.address
        try:
            entry, body = self._check(session.identity, message)
            if entry is not None and entry.kind is Kind.CONTROL:
                self._controls.handle(session, message, entry.address, body)
            else:
                self._publish(session.workspace, session.identity, session, message, entry, body)
        except Rejection as rejection:
            _name(rejection, message)
            raise

    def _check(self, identity: Identity, message: Message) -> tuple[Entry | None, BaseModel | None]:
        """Ask everything that does not depend on the workspace's state, in the documented order."""
        entry = catalogue.entry(message)
        catalogue.refuse_reserved(message, entry)
        if entry is None or entry.kind is not Kind.CONTROL:
            decision = self._policy.publish(identity, message.address)
            if not decision.allowed:
                raise not_permitted(f"publish {message.address}", decision.rule)
        if entry is None:
            catalogue.refuse_unknown(message.address, open_channels=self.limits.open_channels)
            catalogue.check_free_data(message)
            return None, None
        return entry, catalogue.check_body(entry, message, strict=self.limits.strict)

    def _publish(
        self,
        room: Workspace,
        identity: Identity,
        sender: Session | None,
        message: Message,
        entry: Entry | None,
        body: BaseModel | None,
    ) -> dict[str, Any]:
        now = self._clock.monotonic()
        secret = entry is not None and entry.secret
        mark = b""
        if message.id is not None:
            mark = fingerprint(message.address, None if secret else message.data)
            if (known := room.ids.find(message.id, now)) is not None:
                return self._repeat(room, known, mark, message, sender)
        if self.draining:
            raise Rejection(Code.UNAVAILABLE, "the bridge is stopping")
        command = None
        if entry is not None and body is not None:
            command_id = message.id or self._new_id()
            command = Command(room.name, command_id, message.address, body, identity, message.warnings)
            self._gate.admit(command)
        published = self._stamp(room, identity, message, command.id if command else None, secret=secret)
        if command is not None or message.id is not None:
            expires = now + self.limits.idempotency_seconds
            remembered = Remembered(room.offset, mark, sender if command else None, expires)
            room.ids.add(published.id, remembered, now, command=command is not None)
        accepted = _accepted(room.offset, message)
        if sender is not None and message.id is not None:
            sender.subscriber.send(encode_control(control.ACCEPTED, accepted, message.id))
        if not secret:
            self._deliver(room, published, published.encode(), now, sender, entry)
        if command is not None:
            self._gate.take(command)
        return accepted

    def _stamp(
        self, room: Workspace, identity: Identity, message: Message, command_id: str | None, *, secret: bool
    ) -> Published:
        if not secret:
            room.offset += 1
        return Published(
            address=message.address,
            source=message.source or identity.app,
            data=message.data,
            id=message.id or command_id or self._new_id(),
            time=self._clock.timestamp(),
            offset=room.offset,
        )

    def _deliver(
        self,
        room: Workspace,
        published: Published,
        encoded: Encoded,
        now: float,
        sender: Session | None,
        entry: Entry | None,
    ) -> tuple[Session, ...]:
        retention = None
        if entry is not None and entry.kind is Kind.EVENT:
            retention = catalogue.retention(published.address, published.data)
        matched = room.publish(published, encoded, now, sender, retention)
        self._observer.published(published.address, catalogued=entry is not None, recipients=len(matched))
        return matched

    def _repeat(
        self, room: Workspace, known: Remembered, mark: bytes, message: Message, sender: Session | None
    ) -> dict[str, Any]:
        """Answer an id that was used before: the same again has no second effect, anything else is a conflict."""
        if known.fingerprint != mark:
            raise Rejection(Code.ID_CONFLICT, "this id was used within the last minutes for another message")
        if sender is not None:
            room.ids.owe(str(message.id), sender)
        accepted = _accepted(known.offset, message, duplicate=True)
        if known.outcome is not None:
            accepted["outcome"] = orjson.Fragment(known.outcome.payload)
        if sender is not None:
            sender.subscriber.send(encode_control(control.ACCEPTED, accepted, message.id))
        return accepted

    # Messages from call control

    def emit(self, workspace: str, address: Address, data: Any, correlation_id: str | None = None) -> int | None:
        """Publish an event of the bridge. Return its offset, ``None`` if there is no such workspace any more."""
        room = self.workspaces.find(workspace)
        if room is None:
            return None
        published, encoded = self._compose(room, address, data, correlation_id)
        self._deliver(room, published, encoded, self._clock.monotonic(), None, catalogue.BY_ADDRESS[address])
        return published.offset

    def settle(self, workspace: str, command_id: str, address: Address, data: Any) -> None:
        """Publish the outcome of a command: to whoever subscribed, and in any case to the session that sent it.

        A second outcome for the same command is not published: there is exactly one.
        """
        room = self.workspaces.find(workspace)
        if room is None or not room.ids.owes(command_id):
            return
        published, encoded = self._compose(room, address, data, command_id)
        now = self._clock.monotonic()
        sender = room.ids.settle(command_id, encoded, now)
        matched = self._deliver(room, published, encoded, now, None, catalogue.BY_ADDRESS[address])
        if sender is not None and sender not in matched:
            sender.subscriber.send(encoded)

    def _compose(
        self, room: Workspace, address: Address, data: Any, correlation_id: str | None
    ) -> tuple[Published, Encoded]:
        room.offset += 1
        published = Published(
            address, SOURCE, data, self._new_id(), self._clock.timestamp(), room.offset, correlation_id
        )
        return published, published.encode()


def _name(rejection: Rejection, message: Message | None) -> None:
    """Complete a refusal with what is known of the message."""
    if message is not None:
        rejection.address = rejection.address or str(message.address)
        rejection.correlation_id = message.id


def _accepted(offset: int, message: Message, *, duplicate: bool = False) -> dict[str, Any]:
    return {"offset": offset, "duplicate": duplicate, "warnings": [warning.to_json() for warning in message.warnings]}
