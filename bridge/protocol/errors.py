"""Every code that a client can meet: refusals of a message, and reasons for the end of a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Code(StrEnum):
    """Why a message was refused. The order is that of the checks: the first that fails answers."""

    RATE_LIMITED = "rate_limited"
    MALFORMED_JSON = "malformed_json"
    INVALID_ENVELOPE = "invalid_envelope"
    RESERVED_CHANNEL = "reserved_channel"
    NOT_PERMITTED = "not_permitted"
    UNKNOWN_ADDRESS = "unknown_address"
    INVALID_DATA = "invalid_data"
    LIMIT_EXCEEDED = "limit_exceeded"
    ID_CONFLICT = "id_conflict"
    NOT_SIGNED_IN = "not_signed_in"
    WRONG_EXTENSION = "wrong_extension"
    UNKNOWN_CALL = "unknown_call"
    ILLEGAL_STATE = "illegal_state"
    UNAVAILABLE = "unavailable"


class Refusal(NamedTuple):
    """What a code means, beside its name: HTTP status, whether trying again may help, one sentence."""

    status: int
    temporary: bool
    meaning: str


REFUSALS: dict[Code, Refusal] = {
    Code.RATE_LIMITED: Refusal(429, True, "The session sends more messages than its rate allows."),
    Code.MALFORMED_JSON: Refusal(400, False, "The text is not one JSON object."),
    Code.INVALID_ENVELOPE: Refusal(400, False, "A field of the envelope is missing, unknown, doubled or wrong."),
    Code.RESERVED_CHANNEL: Refusal(403, False, "Only the bridge sends messages with this address."),
    Code.NOT_PERMITTED: Refusal(403, False, "The session may not publish or subscribe there."),
    Code.UNKNOWN_ADDRESS: Refusal(404, False, "The channel is in the catalogue, this topic and subtopic are not."),
    Code.INVALID_DATA: Refusal(422, False, "The body does not fit what the catalogue says of this address."),
    Code.LIMIT_EXCEEDED: Refusal(422, False, "One of the session's limits would be exceeded."),
    Code.ID_CONFLICT: Refusal(409, False, "The id was used before, for a message with other content."),
    Code.NOT_SIGNED_IN: Refusal(409, True, "No agent is signed in for this workspace."),
    Code.WRONG_EXTENSION: Refusal(403, False, "MediaAddress is not the extension of this workspace's agent."),
    Code.UNKNOWN_CALL: Refusal(404, False, "The agent has no call with this id."),
    Code.ILLEGAL_STATE: Refusal(409, False, "The call, or the agent, does not allow this action now."),
    Code.UNAVAILABLE: Refusal(503, True, "Call control cannot be reached, or is not configured."),
}


class FieldError(NamedTuple):
    """One thing that is wrong in a message. ``pointer`` is RFC 6901, into the repaired message."""

    pointer: str
    code: str
    message: str
    hint: str | None = None

    def to_json(self) -> dict[str, str]:
        """Give the entry as it stands in ``errors``."""
        entry = {"pointer": self.pointer, "code": self.code, "message": self.message}
        if self.hint is not None:
            entry["hint"] = self.hint
        return entry


MAX_ERRORS = 16
"""So many are told at once: more help nobody, and a message of a thousand wrong keys shall not cost a thousandfold."""

MAX_POINTER_CHARACTERS = 4096
"""Of all pointers together, the first not counted: keys may be as long as a message."""


def worth_telling(errors: Iterable[FieldError]) -> tuple[FieldError, ...]:
    """Give the first of many errors: an answer must not be far larger than what it answers."""
    told: list[FieldError] = []
    characters = 0
    for error in errors:
        characters += len(error.pointer)
        if told and (len(told) >= MAX_ERRORS or characters > MAX_POINTER_CHARACTERS):
            break
        told.append(error)
    return tuple(told)


@dataclass(slots=True, eq=False)
class Rejection(Exception):  # noqa: N818 it is the protocol's word, and an answer rather than a fault
    """A message is refused: raised wherever a check fails, answered as ``Bridge/Message/Rejected``.

    Attributes:
        code: One of the documented codes.
        message: One sentence for the developer of the widget.
        address: Where the message would have gone, as far as it is known.
        correlation_id: The message's ``id`` where it is a valid one.
        errors: What is wrong, field by field.
        details: The further fields of this code, such as ``state`` and ``allowed``.
    """

    code: Code
    message: str
    address: str | None = None
    correlation_id: str | None = None
    errors: tuple[FieldError, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def to_json(self) -> dict[str, Any]:
        """Give the body of ``Rejected`` (and of the HTTP problem document)."""
        body: dict[str, Any] = {
            "code": self.code.value,
            "message": self.message,
            "temporary": REFUSALS[self.code].temporary,
        }
        if self.address is not None:
            body["address"] = self.address
        if self.errors:
            body["errors"] = [error.to_json() for error in self.errors]
        body.update(self.details)
        return body


class CloseCode(IntEnum):
    """Why the bridge ends a session (RFC 6455 section 7.4, and the protocol's own above 4000)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    INVALID_TEXT = 1007
    POLICY = 1008
    TOO_BIG = 1009
    INTERNAL_ERROR = 1011
    RESTART = 1012
    TRY_AGAIN_LATER = 1013
    UNAUTHENTICATED = 4401
    TOKEN_EXPIRED = 4402
    FORBIDDEN = 4403
    OPEN_TIMEOUT = 4408
    SLOW_CONSUMER = 4410
    TOO_MANY = 4429


TERMINAL_CLOSE_CODES = frozenset(
    {
        CloseCode.NORMAL,
        CloseCode.PROTOCOL_ERROR,
        CloseCode.UNSUPPORTED_DATA,
        CloseCode.INVALID_TEXT,
        CloseCode.POLICY,
        CloseCode.TOO_BIG,
        CloseCode.UNAUTHENTICATED,
        CloseCode.FORBIDDEN,
    },
)
"""After these a client does not reconnect: the same would happen again."""


def pointer(*segments: str | int) -> str:
    """Join segments to a JSON pointer (RFC 6901): ``pointer("data", "a/b")`` is ``/data/a~1b``."""
    return "".join("/" + str(segment).replace("~", "~0").replace("/", "~1") for segment in segments)
