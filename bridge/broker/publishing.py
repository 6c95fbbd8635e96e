"""One message's way into a workspace's stream: checked, given its place, remembered, delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from bridge.broker.gate import Command
from bridge.broker.idempotency import Remembered, fingerprint
from bridge.broker.policy import not_permitted
from bridge.broker.session import Session
from bridge.protocol import catalogue, control
from bridge.protocol.catalogue import Entry, Kind
from bridge.protocol.errors import Code, Rejection
from bridge.protocol.message import Message, Published, encode_control, salvage_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import BaseModel

    from bridge.broker.clock import Clock
    from bridge.broker.delivery import Delivery
    from bridge.broker.directory import Directory
    from bridge.broker.gate import Gate
    from bridge.broker.identity import Identity
    from bridge.broker.limits import Limits
    from bridge.broker.observer import Observer
    from bridge.broker.policy import Permissions
    from bridge.broker.workspace import Workspace
    from bridge.protocol.address import Address

SOURCE = "workspace-bridge"
"""The ``source`` of what the bridge publishes itself."""


class Checked(NamedTuple):
    """What a message was found to be: its place in the catalogue with its body, and the rule that lets it pass."""

    entry: Entry | None
    body: BaseModel | None
    rule: str


class Guest(NamedTuple):
    """Who publishes without a session."""

    identity: Identity
    permissions: Permissions


class Publishing:
    """Checks and publishes messages, whoever they come from."""

    def __init__(
        self,
        *,
        clock: Clock,
        delivery: Delivery,
        gate: Gate,
        limits: Limits,
        observer: Observer,
        new_id: Callable[[], str],
        workspaces: Directory,
    ) -> None:
        self.draining = False
        self.limits = limits
        self._clock = clock
        self._delivery = delivery
        self._gate = gate
        self._observer = observer
        self._new_id = new_id
        self._workspaces = workspaces

    # From clients

    def check(self, permissions: Permissions, message: Message) -> Checked:
        """Ask everything that does not depend on the workspace's state, in the documented order.

        Raises:
            Rejection: ``reserved_channel``, ``not_permitted``, ``unknown_address`` or ``invalid_data``.
        """
        free = catalogue.home(message.address.channel) is None
        entry = None if free else catalogue.entry(message)
        if not free:
            catalogue.refuse_reserved(message, entry)
        allowed, rule, _ = permissions.publish(message.address)
        if not allowed:
            raise not_permitted(f"publish {message.address}", rule)
        if entry is not None:
            return Checked(entry, catalogue.check_body(entry, message, strict=self.limits.strict), rule)
        if not free or not self.limits.open_channels:
            raise catalogue.unknown_address(message.address)
        if message.doubled:
            raise catalogue.doubled_keys(message)
        return Checked(None, None, rule)

    def publish(
        self, room: Workspace, publisher: Session | Guest, message: Message, checked: Checked, now: float
    ) -> dict[str, Any] | None:
        """Publish a checked message; answer its publisher, if it has a session.

        Return the body of ``Accepted``, which is for messages with an id.

        Raises:
            Rejection: ``id_conflict``, ``unavailable``, or what the gate says.
        """
        if message.id is not None or checked.body is not None:
            return self._publish_once(room, publisher, message, checked, now)
        self._refuse_when_draining()
        source = publisher.permissions.source(message.source)
        self._place(room, publisher, message, source, self._new_id(), now, None)
        return None

    def _publish_once(
        self, room: Workspace, publisher: Session | Guest, message: Message, checked: Checked, now: float
    ) -> dict[str, Any] | None:
        """Publish a message that is remembered, because it may come again or owes an outcome."""
        sender = publisher if isinstance(publisher, Session) else None
        entry, body, rule = checked
        secret = entry is not None and entry.secret
        mark = b""
        if message.id is not None:
            mark = fingerprint(message.address, None if secret else message.data)
            if (known := room.ids.find(message.id, now)) is not None:
                return self._repeat(room, known, mark, message, sender)
        self._refuse_when_draining()
        source = publisher.permissions.source(message.source)
        command = None if body is None else self._admitted(room, publisher, message, body, rule, source)
        message_id = message.id or (self._new_id() if command is None else command.id)
        offset = room.offset if secret else room.offset + 1
        expires = now + self.limits.idempotency_seconds
        remembered = Remembered(message.address, offset, mark, sender if command else None, expires)
        room.ids.add(message_id, remembered, now, command=command is not None)
        accepted = None
        if message.id is not None:
            accepted = _accepted(offset, message)
            if sender is not None:
                self._delivery.send(sender, encode_control(control.ACCEPTED, accepted, message_id))
        if not secret:
            self._place(room, publisher, message, source, message_id, now, entry)
        if command is not None:
            self._gate.take(command)
        return accepted

    def _refuse_when_draining(self) -> None:
        if self.draining:
            raise Rejection(Code.UNAVAILABLE, "the bridge is stopping")

    def _place(
        self,
        room: Workspace,
        publisher: Session | Guest,
        message: Message,
        source: str,
        message_id: str,
        now: float,
        entry: Entry | None,
    ) -> None:
        """Give a client's message the next place in the stream, and deliver it."""
        room.offset += 1
        time, offset = self._clock.timestamp(), room.offset
        published = Published(message.address, source, message.data, message_id, time, offset, now)
        audience = room.store(published, None)
        self._delivery.publish(published, audience, publisher if isinstance(publisher, Session) else None)
        self._observer.published(message.address, entry, len(audience))

    def _admitted(
        self, room: Workspace, publisher: Session | Guest, message: Message, body: BaseModel, rule: str, source: str
    ) -> Command:
        """Ask the gate to let a command pass."""
        command = Command(
            room.name,
            message.id or self._new_id(),
            message.address,
            body,
            publisher.identity,
            message.warnings,
            rule,
            source,
        )
        self._gate.admit(command)
        return command

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
            self._delivery.send(sender, encode_control(control.ACCEPTED, accepted, message.id))
        return accepted

    # From call control

    def emit(self, workspace: str, address: Address, data: Any, correlation_id: str | None = None) -> int | None:
        """Publish an event of the bridge. Return its offset, ``None`` if there is no such workspace any more."""
        room = self._workspaces.find(workspace)
        if room is None:
            return None
        published = self._compose(room, address, data, correlation_id)
        self._deliver(room, published, catalogue.BY_ADDRESS[address], data)
        return published.offset

    def settle(self, workspace: str, command_id: str, address: Address, data: Any) -> None:
        """Publish the one outcome of a command, to who subscribed and to who sent it."""
        room = self._workspaces.find(workspace)
        if room is None or not room.ids.owes(command_id):
            return
        published = self._compose(room, address, data, command_id)
        sender = room.ids.settle(command_id, published, published.at)
        audience = self._deliver(room, published, catalogue.BY_ADDRESS[address], data)
        if sender is not None and sender not in audience:
            self._delivery.send(sender, published)

    def _compose(self, room: Workspace, address: Address, data: Any, correlation_id: str | None) -> Published:
        room.offset += 1
        time, now = self._clock.timestamp(), self._clock.monotonic()
        return Published(address, SOURCE, data, self._new_id(), time, room.offset, now, correlation_id)

    def _deliver(self, room: Workspace, published: Published, entry: Entry, data: Any) -> Mapping[Session, None]:
        retention = catalogue.retention(published.address, data) if entry.kind is Kind.EVENT else None
        audience = room.store(published, retention)
        self._delivery.publish(published, audience, None)
        self._observer.published(published.address, entry, len(audience))
        return audience


def name(rejection: Rejection, message: Message | None) -> None:
    """Complete a refusal with what is known of the message."""
    if message is not None:
        rejection.address = rejection.address or str(message.address)
        rejection.correlation_id = message.id


def too_fast(limits: Limits, text: str, wait: float) -> Rejection:
    """Give the refusal of a message that comes ``wait`` seconds too early."""
    return Rejection(
        Code.RATE_LIMITED,
        f"more than {limits.messages_per_second:g} messages a second",
        correlation_id=salvage_id(text),
        details={"retryAfterMs": max(1, round(wait * 1000))},
    )


def _accepted(offset: int, message: Message, *, duplicate: bool = False) -> dict[str, Any]:
    return {"offset": offset, "duplicate": duplicate, "warnings": [warning.to_json() for warning in message.warnings]}
