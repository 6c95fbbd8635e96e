"""The envelope: from bytes to a message, and from a message to bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bridge.protocol import strict_json
from bridge.protocol.address import SEGMENT, Address
from bridge.protocol.errors import Code, FieldError, Rejection, worth_telling
from bridge.protocol.model import MAX_FIELDS, field_errors, too_many_fields
from bridge.protocol.repair import Warn, doubled_error, normalised, repair_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

Segment = Annotated[str, StringConstraints(pattern=f"^{SEGMENT}$", max_length=64)]
Source = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,128}$")]
MessageId = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,64}$")]

MAX_NAME = 64
"""Characters in an id, or in a segment of an address."""

ENVELOPE_FIELDS = ("channel", "topic", "subtopic", "source", "data", "id", "time", "offset", "correlationId")
BRIDGE_FIELDS = frozenset({"time", "offset", "correlationId"})
"""Set by the bridge alone; what a client sends there is overwritten without a word."""

CLIENT_FIELDS = tuple(name for name in ENVELOPE_FIELDS if name not in BRIDGE_FIELDS)

REQUIRED_FIELDS = 3
"""Without channel, topic and subtopic there is no message."""

KNOWN_HEADS = 1024
"""So many combinations of address and source are remembered as right. A desktop has some dozens."""

_known = {name.casefold(): name for name in ENVELOPE_FIELDS}
_exact = frozenset(ENVELOPE_FIELDS)
_heads: dict[tuple[Any, ...], Address] = {}


class Envelope(BaseModel):
    """What a client sends: one JSON object with an address and data."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    channel: Segment = Field(description="First part of the address, such as `Cisco`.")
    topic: Segment = Field(description="Second part of the address, such as `InboundCall`.")
    subtopic: Segment = Field(description="Third part of the address, such as `SetCONSULT`.")
    source: Source | None = Field(None, description="Name of the app that broadcasts; filled by the bridge if absent.")
    data: Any = Field(None, description="The body; absent means null.")
    id: MessageId | None = Field(None, description="Names the message: makes it idempotent, and answered.")


_validate = Envelope.__pydantic_validator__.validate_python


@dataclass(slots=True)
class Message:
    """A message from a client whose envelope is right.

    ``warnings`` tells what was repaired, ``doubled`` where keys stand twice somewhere in ``data``.
    """

    address: Address
    source: str | None = None
    data: Any = None
    id: str | None = None
    warnings: list[Warn] = field(default_factory=list)
    doubled: tuple[strict_json.Path, ...] = ()


def decode(text: str, *, strict: bool = False) -> Message:
    """Read one message. With ``strict`` every repair is an error.

    Raises:
        Rejection: ``malformed_json`` or ``invalid_envelope``.
    """
    try:
        fields, doubled = strict_json.read(text)
    except strict_json.MalformedError as error:
        where = {"line": error.line, "column": error.column}
        raise Rejection(Code.MALFORMED_JSON, f"not valid JSON: {error}", details=where) from None
    if not isinstance(fields, dict):
        raise Rejection(Code.MALFORMED_JSON, "a message is one JSON object", details={"line": 1, "column": 1})
    message = None if doubled else _familiar(fields)
    return message or _check(fields, doubled, strict=strict)


def _familiar(fields: dict[str, Any]) -> Message | None:
    """Read an envelope whose address and source have been right before; only the ``id`` is new."""
    if len(fields) != REQUIRED_FIELDS + ("source" in fields) + ("data" in fields) + ("id" in fields):
        return None  # there are others
    get = fields.get
    source, message_id = get("source"), get("id")
    try:
        address = _heads.get((get("channel"), get("topic"), get("subtopic"), source))
    except TypeError:  # a list or an object
        return None
    if address is None or (message_id is not None and valid_id(message_id) is None):
        return None
    return Message(address, source, get("data"), message_id, [])


def _check(fields: dict[str, Any], paths: tuple[strict_json.Path, ...], *, strict: bool) -> Message:
    if len(fields) > MAX_FIELDS:
        raise _invalid(fields, (too_many_fields(()),))
    warnings: list[Warn] = []
    if not _exact.issuperset(fields):
        fields = _repaired(fields, warnings, strict=strict)
    if outside := [path for path in paths if len(path) == 1 or _field(path) != "data"]:
        raise _invalid(fields, worth_telling(doubled_error(_field(path), *path[1:]) for path in outside))
    for name in BRIDGE_FIELDS.intersection(fields):
        del fields[name]
    try:
        envelope = _validate(fields)
    except ValidationError as error:
        raise _invalid(fields, field_errors(error, at=(), known=CLIENT_FIELDS)) from None
    address = Address(envelope.channel, envelope.topic, envelope.subtopic)
    if len(_heads) >= KNOWN_HEADS:
        _heads.clear()
    _heads[*address, envelope.source] = address
    return Message(address, envelope.source, envelope.data, envelope.id, warnings, paths)


def _repaired(fields: dict[str, Any], warnings: list[Warn], *, strict: bool) -> dict[str, Any]:
    try:
        repaired = repair_keys(fields, _known, at=(), code=Code.INVALID_ENVELOPE, warnings=warnings)
    except Rejection as rejection:
        raise _invalid(fields, rejection.errors) from None
    if strict and warnings:
        raise _invalid(repaired, tuple(warning.to_error() for warning in warnings))
    return repaired


def _field(path: strict_json.Path) -> str:
    """Name the field of the envelope in which a place lies, as the repaired message has it."""
    first = str(path[0])
    return _known.get(normalised(first), first)


def _invalid(fields: dict[str, Any], errors: tuple[FieldError, ...]) -> Rejection:
    return Rejection(
        Code.INVALID_ENVELOPE,
        errors[0].message,
        address=_address_text(fields),
        correlation_id=valid_id(fields.get("id")),
        errors=errors,
    )


def valid_id(value: Any) -> str | None:
    """Return the ``id`` if it is one that a refusal may carry back."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        return None
    return value if value.isascii() and value.isprintable() else None


def salvage_id(text: str) -> str | None:
    """Return the ``id`` of a message that is refused before it was read, if it has a valid one.

    Who sends too much gets no more of the bridge's time than this quick look takes.
    """
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return valid_id(fields.get("id")) if isinstance(fields, dict) else None


def _address_text(fields: dict[str, Any]) -> str | None:
    parts = [fields.get(name) for name in ("channel", "topic", "subtopic")]
    if all(isinstance(part, str) and len(part) <= MAX_NAME for part in parts):
        return "/".join(str(part) for part in parts)
    return None


class Encoded:
    """A message ready to be sent: serialised once, for all who get it.

    Attributes:
        payload: The JSON text.
        offset: Position in the workspace's stream; ``None`` for control messages.
        frame: Room for the transport to keep the payload framed, so that this too happens once.
    """

    __slots__ = ("frame", "offset", "payload")

    def __init__(self, payload: bytes, offset: int | None = None) -> None:
        self.payload = payload
        self.offset = offset
        self.frame: bytes | None = None


class Burst:
    """Messages for the same sessions, ready to be sent in one go.

    Attributes:
        messages: In their order.
        frames: Room for the transport to keep all of them framed, so that this too happens once.
    """

    __slots__ = ("frames", "messages")

    def __init__(self, messages: Sequence[Encoded]) -> None:
        self.messages = messages
        self.frames: bytes | None = None


def encode_control(address: Address, data: Any, correlation_id: str | None = None) -> Encoded:
    """Serialise a control message: it has no place in the stream."""
    fields: dict[str, Any] = {"channel": address.channel, "topic": address.topic, "subtopic": address.subtopic}
    if correlation_id is not None:
        fields["correlationId"] = correlation_id
    fields["data"] = data
    return Encoded(strict_json.write(fields))


class Published(Encoded):
    """A message with its place in a workspace's stream: serialised, and what the workspace must know of it.

    Attributes:
        offset: Position in the stream.
        address: Where it went.
        at: When, in monotonic seconds.
    """

    __slots__ = ("address", "at")

    offset: int

    def __init__(
        self,
        address: Address,
        source: str,
        data: Any,
        message_id: str,
        time: str,
        offset: int,
        at: float,
        correlation_id: str | None = None,
    ) -> None:
        channel, topic, subtopic = address
        fields: dict[str, Any] = {
            "channel": channel,
            "topic": topic,
            "subtopic": subtopic,
            "source": source,
            "data": data,
            "id": message_id,
            "time": time,
            "offset": offset,
        }
        if correlation_id is not None:
            fields["correlationId"] = correlation_id
        self.payload = strict_json.write(fields)
        self.offset = offset
        self.frame = None
        self.address = address
        self.at = at
