"""What a client gets: messages, gaps between them, and what became of what it sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from bridge.protocol.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping


class Delivery(Enum):
    """On which way a message came."""

    SNAPSHOT = "snapshot"
    """The latest of its kind, as it stood when the subscription began, or began anew after a gap."""
    RECOVERED = "recovered"
    """It was missed while the connection was down, and given again."""
    LIVE = "live"
    """It came as it happened."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the workspace's stream.

    ``time`` is RFC 3339, UTC, milliseconds. ``correlation_id`` is the id of the message that caused this one, ``None``
    where nobody on the bus asked for it.
    """

    address: Address
    source: str
    data: Any
    id: str
    time: str
    offset: int
    correlation_id: str | None = None
    delivery: Delivery = Delivery.LIVE

    def to_json(self) -> dict[str, Any]:
        """Give the message as it stood on the wire."""
        fields: dict[str, Any] = {
            "channel": self.address.channel,
            "topic": self.address.topic,
            "subtopic": self.address.subtopic,
            "source": self.source,
            "data": self.data,
            "id": self.id,
            "time": self.time,
            "offset": self.offset,
        }
        if self.correlation_id is not None:
            fields["correlationId"] = self.correlation_id
        return fields


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages were missed that the bridge could not give again.

    Attributes:
        last_offset: Offset of the last position that this client had read.
        epoch_changed: Whether the stream is a new one: remembered ids and outstanding outcomes are gone with the old.
        snapshot: The retained messages as they are now, complete. They also follow one by one. A call that is not among
            them is over while call control is connected.
    """

    last_offset: int
    epoch_changed: bool
    snapshot: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair that the bridge made in a message that it accepted."""

    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """The message was published, or had been before (``duplicate``).

    ``outcome`` is there for a duplicate whose command has ended.
    """

    id: str
    offset: int
    duplicate: bool = False
    warnings: tuple[Repair, ...] = ()
    outcome: Message | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the body of ``Bridge/Message/Accepted``."""
        warnings = [{"pointer": warning.pointer, "message": warning.message} for warning in self.warnings]
        body: dict[str, Any] = {"offset": self.offset, "duplicate": self.duplicate, "warnings": warnings}
        if self.outcome is not None:
            body["outcome"] = self.outcome.to_json()
        return body


@dataclass(frozen=True, slots=True)
class Completed:
    """The command was carried out. ``outcome`` is the message that said so."""

    id: str
    address: str
    call: str | None
    consult_call: str | None
    outcome: Message


@dataclass(frozen=True, slots=True)
class Status:
    """What the bridge knows of an id: ``offset`` and ``outcome`` where it knows them."""

    id: str
    known: bool
    offset: int | None = None
    outcome: Message | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """Which rule decides, and all that were asked before, in their order."""

    allowed: bool
    rule: str
    tried: tuple[str, ...]


def address_of(fields: Mapping[str, Any]) -> Address:
    """Read the address of a message from the bridge. Raises ``KeyError`` where there is none."""
    return Address(fields["channel"], fields["topic"], fields["subtopic"])


def read_message(fields: Mapping[str, Any], delivery: Delivery = Delivery.LIVE) -> Message:
    """Read one message of the stream; fields that are not known are ignored. Raises ``KeyError`` if it is none."""
    return Message(
        address=address_of(fields),
        source=fields["source"],
        data=fields["data"],
        id=fields["id"],
        time=fields["time"],
        offset=fields["offset"],
        correlation_id=fields.get("correlationId"),
        delivery=delivery,
    )


def read_accepted(message_id: str, data: Mapping[str, Any]) -> Accepted:
    """Read the body of ``Bridge/Message/Accepted``."""
    outcome = data.get("outcome")
    return Accepted(
        id=message_id,
        offset=data["offset"],
        duplicate=data["duplicate"],
        warnings=tuple(Repair(warning["pointer"], warning["message"]) for warning in data.get("warnings", ())),
        outcome=read_message(outcome) if outcome is not None else None,
    )


def read_status(message_id: str, data: Mapping[str, Any]) -> Status:
    """Read the answer to ``Bridge/Command/Status``."""
    outcome = data.get("outcome")
    return Status(
        id=message_id,
        known=data["known"],
        offset=data.get("offset"),
        outcome=read_message(outcome) if outcome is not None else None,
    )
