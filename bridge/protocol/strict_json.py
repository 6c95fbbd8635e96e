"""JSON as RFC 8259 has it, without the liberties that common readers take.

Python's and pydantic's readers accept NaN, keep the last of doubled keys, turn 1e999 into infinity, and pass on lone
surrogates, which cannot be written as UTF-8 again. Each of these would let two readers of one message disagree.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_DEPTH = 64
"""How deep objects and arrays may nest: far beyond any real message, far below what exhausts a reader's stack."""

MAX_INTEGER_DIGITS = 4300
"""Python refuses to convert longer ones (CVE-2020-10735): the conversion takes quadratic time."""

_token = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_string_or_number = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[-+.\w]+', re.DOTALL)
_long_integer = re.compile(rf"-?\d{{{MAX_INTEGER_DIGITS + 1},}}+(?![.eE])")
_escape = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair of surrogates
    r"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    r"|\\."
)


class MalformedError(ValueError):
    """The text is no JSON that this protocol takes. ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, text: str, position: int) -> None:
        super().__init__(message)
        self.line = text.count("\n", 0, position) + 1
        self.column = position - (text.rfind("\n", 0, position) + 1) + 1


Path = tuple[str | int, ...]
"""Where a value stands: keys and indices from the outermost value inwards."""


class _Doubled(dict[str, Any]):
    """An object in which keys stood more than once."""

    keys_doubled: tuple[str, ...] = ()


class _DoubledError(ValueError):
    pass


class _NotFiniteError(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise _DoubledError
    return fields


def _marked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = _Doubled(pairs)
    counted = Counter(key for key, _ in pairs)
    fields.keys_doubled = tuple(key for key, count in counted.items() if count > 1)
    return fields


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise _NotFiniteError(digits)
    return number


def _constant(name: str) -> Any:
    raise _NotFiniteError(name)


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_finite, parse_constant=_constant)
_marking_decoder = json.JSONDecoder(object_pairs_hook=_marked_object, parse_float=_finite, parse_constant=_constant)


def read(text: str) -> tuple[Any, tuple[Path, ...]]:
    """Read one JSON value; give it, and the places of all keys that stand twice in their object.

    Where writing the value gives the same text again, nothing was lost in reading: no key stood twice, no number was
    rounded. Then the fastest reader will do. It is so for what ``JSON.stringify`` writes, and for most other writers
    that put no spaces; everything else is read carefully, which takes four times as long.

    Raises:
        MalformedError: No JSON, NaN, Infinity or a number beyond the range of a double, a lone surrogate, nesting
            over 64.
    """
    openings = text.count("{")
    if "[" in text:  # seldom; to look takes a tenth of the time that counting takes
        openings += text.count("[")
    if openings > MAX_DEPTH:
        _check_depth(text)
    try:
        value = orjson.loads(text)
        if orjson.dumps(value) == text.encode():
            return value, ()
    except ValueError:
        pass  # what is wrong, if anything is, the careful reader says
    return read_carefully(text)


def read_carefully(text: str) -> tuple[Any, tuple[Path, ...]]:
    """Read as ``read`` does, by a reader that looks at every key and number. The nesting was checked before.

    Raises:
        MalformedError: As of ``read``, but for the nesting.
    """
    doubled: tuple[Path, ...] = ()
    try:
        value = _decode(_decoder, text)
    except _DoubledError:
        value = _decode(_marking_decoder, text)
        doubled = tuple(_doubled_paths(value, ()))
    if "\\u" in text:
        _check_surrogates(text)
    return value, doubled


def _decode(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        if text.startswith("{"):
            value, end = decoder.scan_once(text, 0)  # type: ignore[attr-defined]  # what decode calls, in C
            if end == len(text):
                return value
        return decoder.decode(text)  # white space around it, or something that is wrong
    except StopIteration as stop:
        raise MalformedError("Expecting value", text, stop.value) from None
    except json.JSONDecodeError as error:
        raise MalformedError(error.msg, text, error.pos) from None
    except _DoubledError:
        raise
    except _NotFiniteError as error:
        number = str(error)
        position = _position(lambda token: token.startswith(number), text)
        raise MalformedError(f"{number[:24]} is no JSON number", text, position) from None
    except ValueError:
        raise MalformedError("an integer has too many digits", text, _position(_long_integer.match, text)) from None


def _position(is_it: Callable[[str], object], text: str) -> int:
    """Find a number where it stands as one: the same characters may come earlier, within a string."""
    return next((token.start() for token in _string_or_number.finditer(text) if is_it(token.group())), 0)


def _doubled_paths(value: Any, at: Path) -> Iterator[Path]:
    if isinstance(value, _Doubled):
        yield from ((*at, key) for key in value.keys_doubled)
    if isinstance(value, dict):
        children: Iterable[tuple[str | int, Any]] = value.items()
    else:
        children = enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from _doubled_paths(child, (*at, key))


def _check_depth(text: str) -> None:
    depth = 0
    for token in _token.finditer(text):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedError(f"nesting over {MAX_DEPTH}", text, token.start())
        elif first in "]}":
            depth -= 1


def _check_surrogates(text: str) -> None:
    """Only an escape can bring a lone surrogate in: UTF-8 cannot carry one."""
    for escape in _escape.finditer(text):
        if escape["lone"]:
            raise MalformedError("a surrogate stands alone", text, escape.start())


def write(value: Any) -> bytes:
    """Serialise to UTF-8. Integers beyond 64 bits, which orjson does not take, go the slower way."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def canonical(value: Any) -> bytes:
    """Serialise with sorted keys: equal values give equal bytes."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
