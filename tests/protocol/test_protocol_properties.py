"""What holds for every text: nothing but a refusal ever comes out of it, and what is accepted comes out unchanged."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import example, given
from hypothesis import strategies as st

from bridge.protocol import message
from bridge.protocol.control import REJECTED
from bridge.protocol.errors import REFUSALS, Rejection
from bridge.protocol.message import Published, decode, encode_control, salvage_id
from bridge.protocol.strict_json import MalformedError, canonical, read, read_carefully, write
from tests.protocol.wire import CONSULT, DOCUMENTED_SAMPLE, checked, text

if TYPE_CHECKING:
    from collections.abc import Callable

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)
good_messages = st.sampled_from(
    [
        DOCUMENTED_SAMPLE,
        text("Cisco/InboundCall/SetCONSULT", CONSULT, id="m1", source="widget"),
        text("Cisco/Agent/SetUserInfo", {"username": "a", "password": "b", "extension": "c"}),
        text("Bridge/Subscription/Subscribe", {"patterns": ["Cisco"], "recover": {"epoch": "e", "offset": 1}}),
        text("Simulator/Call/Offer", {"fromAddress": "1", "variables": {"a": "b"}}),
        text("Gadget/a/b", {"deep": [[{"a": 1e5, "ä": "\ud83d\ude00"}]]}),
    ]
)
pieces = st.text(max_size=3) | st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e999",
        "\\ud800",
        "\\",
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "null",
        " ",
        '"data":1,',
        "9" * 20,
    ]
)


def read_by(reader: Callable[[str], Any], written: str) -> tuple[str, str]:
    """Give what a reader makes of a text, kinds of values and texts of errors included."""
    try:
        return "read", repr(reader(written))
    except MalformedError as error:
        return f"line {error.line}, column {error.column}", str(error)
    except Rejection as rejection:
        return "refused", repr(rejection.to_json())


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good message in which some pieces were cut out and others put in."""
    written = draw(good_messages)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(written)))
        written = written[:start] + draw(pieces) + written[start + draw(st.integers(0, 5)) :]
    return written


@st.composite
def scrambled(draw: st.DrawFn) -> str:
    """An object with the names of real fields, and any values."""
    names = st.sampled_from(["channel", "topic", "subtopic", "data", "source", "id", "time", "DATA ", "Id"])
    fields = draw(st.dictionaries(names | st.text(max_size=3), values, max_size=9))
    for name in ("channel", "topic", "subtopic"):
        if draw(st.booleans()):
            fields[name] = draw(st.sampled_from(["Cisco", "Bridge", "Agent", "SetReadyState", "InboundCall", "x"]))
    return json.dumps(fields)


def answer(written: str, *, strict: bool) -> Rejection | None:
    try:
        checked(written, strict=strict)
    except Rejection as rejection:
        return rejection
    return None


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | mutated() | scrambled(), st.booleans())
@example('{"channel":"Cisco"', False)
def test_any_text_is_accepted_or_refused_with_a_whole_answer(written: str, strict: bool) -> None:  # noqa: FBT001 drawn
    rejection = answer(written, strict=strict)

    if rejection is not None:
        body = read(encode_control(REJECTED, rejection.to_json(), rejection.correlation_id).payload.decode())[0]["data"]
        assert body["code"] in {code.value for code in REFUSALS}
        assert body["message"]
        for error in body.get("errors", ()):
            assert error["pointer"] == "" or error["pointer"].startswith("/")
    salvage_id(written)


@given(mutated() | scrambled())
def test_strict_accepts_nothing_that_is_refused_without_it(written: str) -> None:
    if answer(written, strict=True) is None:
        assert answer(written, strict=False) is None


@given(mutated() | scrambled())
def test_what_was_repaired_needs_no_repair_again(written: str) -> None:
    try:
        message, body = checked(written)
    except Rejection:
        return
    again, same = checked(text(str(message.address), message.data), strict=True)

    assert again.data == message.data
    assert same == body


@given(values)
def test_data_of_a_free_channel_comes_out_as_it_went_in(data: Any) -> None:
    message = decode(text("Gadget/a/b", data))

    encoded = Published(message.address, "me", message.data, "i", "t", 1, 0.0)

    assert typed(json.loads(encoded.payload)["data"]) == typed(data)


@given(values)
def test_reading_what_was_written_gives_the_same(value: Any) -> None:
    assert typed(read(write(value).decode())[0]) == typed(value)
    assert typed(json.loads(canonical(value))) == typed(value)


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,20})?([eE][-+]?[0-9]{1,3})?", fullmatch=True)


@given(mutated() | numbers | values.map(lambda value: write(value).decode()))
@example('{"a":1,"a":1}')
@example("[18446744073709551616,-0,1.0,1E5,1e400]")
@example('"\\ud800"')
def test_both_readers_give_the_same(written: str) -> None:
    assert read_by(read, written) == read_by(read_carefully, written)


@given(mutated(), st.text(max_size=70) | st.none() | st.integers() | st.lists(st.none(), max_size=1))
@example(text("Gadget/a/b"), "an id")
def test_message_is_the_same_when_its_address_was_met_before(written: str, message_id: Any) -> None:
    with_id = written.replace("{", f'{{"id":{json.dumps(message_id)},', 1)
    for each in (written, with_id):
        first, second = read_by(decode, each), read_by(decode, each)
        message._heads.clear()

        assert first == second == read_by(decode, each)


@given(values, values)
@example({"a": 1, "b": 2**80}, {"b": 2**80, "a": 1})
@example({"a": "ä", "b": 1}, {"b": 1, "a": "ä"})
@example([1], [True])
def test_canonical_text_is_equal_exactly_where_the_values_are(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) is (typed(one) == typed(other))


@given(values)
def test_canonical_text_does_not_depend_on_the_order_of_keys(value: Any) -> None:
    assert canonical(turned(value)) == canonical(value)


def typed(value: Any) -> Any:
    """Give what compares as JSON does: Python holds true for 1, and 1 for 1.0."""
    if isinstance(value, dict):
        return {key: typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [typed(inner) for inner in value]
    return type(value).__name__, repr(value)


def turned(value: Any) -> Any:
    """Give the same with the keys of all objects in the opposite order."""
    if isinstance(value, dict):
        return {key: turned(value[key]) for key in reversed(value)}
    return [turned(inner) for inner in value] if isinstance(value, list) else value
