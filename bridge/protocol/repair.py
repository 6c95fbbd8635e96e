"""The leniency rules: what is mended in a message, and how each mend is told.

White space around keys and their case are repaired in the envelope and in the data of catalogued messages; topic and
subtopic of a catalogued channel match without regard to case; where the catalogue says string, a non-negative integer
of up to 15 digits is taken as its digits. Everything else stays as it was sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.protocol.errors import Code, FieldError, Rejection, pointer

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_REPAIRED_INTEGER = 10**15
"""Integers from here on have more than 15 digits: a JavaScript writer may have rounded them already."""

SEND_ONCE = "send each field once"


class Warn(NamedTuple):
    """One repair. The last segment of ``pointer`` is as it was sent.

    With ``strict`` it is an error, with this ``code`` and at ``repaired``, the place in the repaired message.
    """

    pointer: str
    code: str
    message: str
    repaired: str | None = None

    def to_json(self) -> dict[str, str]:
        """Give the entry as it stands in ``warnings``."""
        return {"pointer": self.pointer, "message": self.message}

    def to_error(self) -> FieldError:
        """Give the same as the error that it is with ``strict``."""
        return FieldError(self.repaired or self.pointer, self.code, self.message)


def doubled_error(*segments: str | int) -> FieldError:
    """Tell of a key that stands twice in one object."""
    return FieldError(pointer(*segments), "doubled", "a key stands twice in one object", SEND_ONCE)


def normalised(key: str) -> str:
    """Give the form in which keys are compared: no white space around it, no case."""
    return key.strip().casefold()


def repair_keys(
    fields: dict[str, Any],
    known: Mapping[str, str],
    *,
    at: tuple[str, ...],
    code: Code,
    warnings: list[Warn],
) -> dict[str, Any]:
    """Give ``fields`` under the known spelling of its keys. Unknown keys stay, for the model to refuse.

    Args:
        fields: The object as it was read.
        known: Normalised name to the spelling of the catalogue.
        at: Where the object stands, as segments of a pointer.
        code: What a doubled key is answered with.
        warnings: Gets one entry per repaired key.

    Raises:
        Rejection: Two keys fall together.
    """
    repaired: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for key, value in fields.items():
        name = known.get(normalised(key), key)
        if name in repaired:
            message = f"{spelled[name]!r} and {key!r} are the same field"
            raise Rejection(code, message, errors=(FieldError(pointer(*at, name), "doubled", message, SEND_ONCE),))
        repaired[name] = value
        spelled[name] = key
        if name != key:
            message = f"{key!r} was taken as {name!r}"
            warnings.append(Warn(pointer(*at, key), "misspelt_key", message, pointer(*at, name)))
    return repaired


def digits_for_strings(
    fields: dict[str, Any],
    strings: frozenset[str],
    *,
    at: tuple[str, ...],
    warnings: list[Warn],
) -> None:
    """Turn non-negative integers into their digits where the catalogue says string, in place."""
    for key, value in fields.items():
        if type(value) is int and key in strings and 0 <= value < MAX_REPAIRED_INTEGER:
            fields[key] = str(value)
            warnings.append(Warn(pointer(*at, key), "number_for_string", "a number was taken as a string"))
