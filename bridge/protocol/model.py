"""What all message models share, and how their complaints become the protocol's."""

from __future__ import annotations

import difflib
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, SecretStr

from bridge.protocol.errors import FieldError, pointer, worth_telling

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


MAX_FIELDS = 32
"""No message of the catalogue has as many fields; objects that it leaves open are counted by their own models."""


class Body(BaseModel):
    """The ``data`` of one message: closed, immutable, exact about types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "string_type": "wrong_type",
    "int_type": "wrong_type",
    "bool_type": "wrong_type",
    "list_type": "wrong_type",
    "dict_type": "wrong_type",
    "model_type": "wrong_type",
    "string_too_short": "too_short",
    "too_short": "too_short",
    "string_too_long": "too_long",
    "too_long": "too_long",
    "string_pattern_mismatch": "wrong_format",
    "value_error": "wrong_format",
    "literal_error": "wrong_value",
    "greater_than_equal": "wrong_value",
}

_KEY_DEPTH = 2
"""pydantic marks a complaint about a key of an open object, ``(field, key)``, by ``[key]`` behind it."""

_EXPECTED = {"string_type": "a string", "int_type": "an integer", "bool_type": "true or false", "list_type": "an array"}


def field_errors(error: ValidationError, *, at: tuple[str, ...], known: Iterable[str]) -> tuple[FieldError, ...]:
    """Translate pydantic's complaints. No value that was sent is repeated: it may be a secret."""
    names = tuple(known)
    details = error.errors(include_url=False, include_input=False)
    return worth_telling(_field_error(detail, at, names) for detail in details)


def _field_error(detail: ErrorDetails, at: tuple[str, ...], known: tuple[str, ...]) -> FieldError:
    kind = detail["type"]
    segments = (*at, *detail["loc"])
    if len(detail["loc"]) > _KEY_DEPTH and segments[-1] == "[key]":
        segments = segments[:-1]
    place = pointer(*segments)
    name = str(segments[-1]) if segments else "the message"
    return FieldError(place, _CODES.get(kind, "wrong_value"), _sentence(kind, name, detail), _hint(kind, name, known))


def _sentence(kind: str, name: str, detail: ErrorDetails) -> str:
    if kind == "missing":
        return f"{name} is required"
    if kind == "extra_forbidden":
        return f"{name} is no field of this message"
    if kind in _EXPECTED:
        return f"{name} must be {_EXPECTED[kind]}"
    if kind in {"dict_type", "model_type"}:
        return f"{name} must be an object"
    if kind == "value_error":
        return str(detail["msg"]).removeprefix("Value error, ")
    return f"{name}: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


_HINTS = {
    "MediaAddress": "the agent's own extension, as Opened gives it",
    "toAddress": "the number or extension to call",
    "CallID": "call.id of the call's latest event",
    "digits": "one or more of 0-9 * # A-D",
    "channel": "an address has channel, topic and subtopic, each a string",
    "topic": "an address has channel, topic and subtopic, each a string",
    "subtopic": "an address has channel, topic and subtopic, each a string",
    "patterns": 'a list such as ["Cisco/InboundCall"]',
    "data": "send the object itself, not a string that contains JSON",
}

_BODY_IS_DATA = "the body goes in data"
_PACKET = "this is the outer packet of a message between windows; send the message within it"
_HINTS_ON_UNKNOWN = {
    "message": _BODY_IS_DATA,
    "payload": _BODY_IS_DATA,
    "body": _BODY_IS_DATA,
    "okmessage": _PACKET,
    "responseurl": _PACKET,
    "subscriberid": _PACKET,
    "type": "there is no type: the address is channel, topic and subtopic",
}
"""Fields that other buses and the documented family have, in lower case."""


def _hint(kind: str, name: str, known: tuple[str, ...]) -> str | None:
    if kind == "extra_forbidden":
        if "data" in known and (usual := _HINTS_ON_UNKNOWN.get(name.casefold())):
            return usual
        near = difflib.get_close_matches(name[:64], known, n=1)
        if near:
            return f"did you mean {near[0]}?"
        return f"known fields: {', '.join(known)}" if known else "this message has no fields"
    return _HINTS.get(name)


def too_many_fields(at: tuple[str, ...]) -> FieldError:
    """Refuse an object before its fields are looked at one by one."""
    return FieldError(pointer(*at), "too_many", f"more than {MAX_FIELDS} fields")


def string_fields(model: type[BaseModel]) -> frozenset[str]:
    """Name the fields that the catalogue calls strings: there an integer is taken as its digits."""
    return frozenset(name for name, field in model.model_fields.items() if _is_string(field.annotation))


def _is_string(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_string(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return any(map(_is_string, get_args(annotation)))
    return annotation in {str, SecretStr}
