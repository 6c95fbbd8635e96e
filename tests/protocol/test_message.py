from __future__ import annotations

import json
import time
from typing import Any

import pytest

from bridge.protocol.address import Address
from bridge.protocol.errors import Code, Rejection
from bridge.protocol.message import Published, decode, encode_control, salvage_id, valid_id
from tests.protocol.wire import DOCUMENTED_SAMPLE, checked, pointers, refused, text, warnings

GADGET = "Gadget/notes/Changed"


def refused_envelope(written: str) -> Rejection:
    with pytest.raises(Rejection) as caught:
        decode(written)
    return caught.value


def test_decode_message_with_everything_that_a_client_may_send() -> None:
    message = decode(text(GADGET, {"n": 1}, source="notes", id="n-1"))

    assert message.address == Address("Gadget", "notes", "Changed")
    assert (message.source, message.data, message.id, message.warnings) == ("notes", {"n": 1}, "n-1", [])


def test_decode_message_with_an_address_only() -> None:
    message = decode('{"channel":"a","topic":"b","subtopic":"c"}')

    assert (message.source, message.data, message.id) == (None, None, None)


@pytest.mark.parametrize("field", ["time", "offset", "correlationId", "correlationid ", "TIME"])
@pytest.mark.parametrize("value", [None, 5, "x" * 1000, [1], {"a": {}}])
def test_decode_drops_what_only_the_bridge_sets_whatever_it_is(field: str, value: Any) -> None:
    message = decode(text(GADGET, **{field: value}))

    assert message.address == Address("Gadget", "notes", "Changed")
    assert message.data is None


@pytest.mark.parametrize("field", ["time", "offset", "correlationId"])
def test_decode_overwrites_what_only_the_bridge_sets_silently(field: str) -> None:
    assert decode(text(GADGET, **{field: 5}), strict=True).warnings == []


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[]", "a message is one JSON object"),
        ('"text"', "a message is one JSON object"),
        ("5", "a message is one JSON object"),
        ("null", "a message is one JSON object"),
        ("true", "a message is one JSON object"),
        ('[{"channel":"a","topic":"b","subtopic":"c"}]', "a message is one JSON object"),
        ("", "not valid JSON: Expecting value"),
        ('{"channel":"a"} trailing', "not valid JSON: Extra data"),
        ('{"channel":NaN}', "not valid JSON: NaN is no JSON number"),
        ('{"channel":"\\ud800"}', "not valid JSON: a surrogate stands alone"),
        ('{"data":' + "[" * 64 + "]" * 64 + "}", "not valid JSON: nesting over 64"),
    ],
)
def test_decode_text_that_is_not_one_json_object(written: str, message: str) -> None:
    rejection = refused_envelope(written)

    assert (rejection.code, rejection.message) == (Code.MALFORMED_JSON, message)
    assert set(rejection.to_json()) == {"code", "message", "temporary", "line", "column"}


def test_decode_tells_line_and_column_of_malformed_json() -> None:
    rejection = refused_envelope('{\n "channel": "a",\n "topic" "b"}')

    assert rejection.details == {"line": 3, "column": 10}


@pytest.mark.parametrize("field", ["channel", "topic", "subtopic"])
def test_decode_address_with_a_part_missing(field: str) -> None:
    fields = {"channel": "a", "topic": "b", "subtopic": "c", "id": "m1"}
    del fields[field]

    rejection = refused_envelope(json.dumps(fields))

    assert rejection.code is Code.INVALID_ENVELOPE
    assert rejection.message == f"{field} is required"
    assert rejection.correlation_id == "m1"
    assert rejection.address is None
    assert [error.to_json() for error in rejection.errors] == [
        {
            "pointer": f"/{field}",
            "code": "missing",
            "message": f"{field} is required",
            "hint": "an address has channel, topic and subtopic, each a string",
        }
    ]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("channel", "", "wrong_format"),
        ("channel", "a" * 65, "wrong_format"),
        ("channel", "a/b", "wrong_format"),
        ("channel", "*", "wrong_format"),
        ("topic", " b", "wrong_format"),
        ("topic", "b ", "wrong_format"),
        ("topic", "b\n", "wrong_format"),
        ("topic", "ü", "wrong_format"),
        ("subtopic", 5, "wrong_type"),
        ("subtopic", None, "wrong_type"),
        ("subtopic", True, "wrong_type"),
        ("subtopic", ["c"], "wrong_type"),
        ("source", "", "wrong_format"),
        ("source", "a" * 129, "wrong_format"),
        ("source", "tab\t", "wrong_format"),
        ("source", "é", "wrong_format"),
        ("source", 5, "wrong_type"),
        ("id", "", "wrong_format"),
        ("id", "a" * 65, "wrong_format"),
        ("id", "line\n", "wrong_format"),
        ("id", "\x7f", "wrong_format"),
        ("id", "ü", "wrong_format"),
        ("id", 5, "wrong_type"),
        ("id", {}, "wrong_type"),
    ],
)
def test_decode_field_with_a_wrong_value(field: str, value: Any, code: str) -> None:
    rejection = refused_envelope(text(GADGET, **{field: value}))

    assert rejection.code is Code.INVALID_ENVELOPE
    assert [(error.pointer, error.code) for error in rejection.errors] in (
        [(f"/{field}", code)],
        [(f"/{field}", "too_long")],
    )
    assert rejection.correlation_id is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("channel", "a" * 64),
        ("topic", "Set BARGE CALL"),
        ("subtopic", "."),
        ("source", "a" * 128),
        ("source", " ~"),
        ("id", "a" * 64),
        ("id", " "),
    ],
)
def test_decode_field_at_the_edge_of_what_is_allowed(field: str, value: str) -> None:
    message = decode(text(GADGET, **{field: value}))

    assert value in (*message.address, message.source, message.id)


def test_decode_unknown_field_suggests_the_nearest() -> None:
    (error,) = refused_envelope(text(GADGET, chanel="x")).errors

    assert error.to_json() == {
        "pointer": "/chanel",
        "code": "unknown",
        "message": "chanel is no field of this message",
        "hint": "did you mean channel?",
    }


def test_decode_unknown_field_that_is_near_nothing_lists_what_there_is() -> None:
    (error,) = refused_envelope(text(GADGET, xyzzy=1)).errors

    assert error.hint == "known fields: channel, topic, subtopic, source, data, id"


def test_decode_tells_every_wrong_field_and_the_address_as_far_as_it_is_known() -> None:
    rejection = refused_envelope(text(GADGET, id=5, source=5, foo=1))

    assert sorted(pointers(rejection)) == ["/foo", "/id", "/source"]
    assert rejection.address == GADGET


def test_decode_thirty_thousand_unknown_keys_is_answered_quickly_and_briefly() -> None:
    written = text(GADGET, id="x", **{f"k{number}": 1 for number in range(30_000)})
    started = time.process_time()

    rejection = refused_envelope(written)

    assert time.process_time() - started < 0.5
    assert rejection.code is Code.INVALID_ENVELOPE
    assert rejection.correlation_id == "x"
    assert [error.to_json() for error in rejection.errors] == [
        {"pointer": "", "code": "too_many", "message": "more than 32 fields"}
    ]


def test_decode_thirty_unknown_keys_tells_sixteen() -> None:
    assert len(refused_envelope(json.dumps({f"k{number}": 1 for number in range(30)})).errors) == 16


def test_decode_thousands_of_doubled_keys_tells_sixteen() -> None:
    everywhere = ",".join(['{"a":0,"a":0}'] * 4000)
    started = time.process_time()

    rejection = refused(f'{{"channel":"a","topic":"b","subtopic":"c","data":[{everywhere}]}}')

    assert time.process_time() - started < 0.5
    assert rejection.code is Code.INVALID_DATA
    assert pointers(rejection) == [f"/data/{index}/a" for index in range(16)]


def test_decode_doubled_key_at_the_top_is_told_before_those_within() -> None:
    rejection = refused_envelope('{"data":{"a":0,"a":0},"channel":"a","channel":"b","topic":"b","subtopic":"c"}')

    assert pointers(rejection) == ["/channel"]


@pytest.mark.parametrize("field", ["time", "offset", "correlationId", "nonsense"])
def test_decode_doubled_key_within_another_field_than_data_is_an_error_of_the_envelope(field: str) -> None:
    rejection = refused_envelope(f'{{"channel":"a","topic":"b","subtopic":"c","{field}":{{"x":1,"x":2}}}}')

    assert rejection.code is Code.INVALID_ENVELOPE
    assert pointers(rejection) == [f"/{field}/x"]


@pytest.mark.parametrize("data", ['{"a":1,"a":2}', '[[{"b":{"a":1,"a":2}}]]'])
def test_doubled_key_within_the_data_of_a_free_channel_is_an_error_of_the_data(data: str) -> None:
    rejection = refused(f'{{"channel":"a","topic":"b","subtopic":"c","data ":{data}}}')

    assert rejection.code is Code.INVALID_DATA
    assert rejection.errors[0].pointer.startswith("/data/")


def test_documented_sample_lacks_to_address_and_that_is_what_is_told() -> None:
    rejection = refused(DOCUMENTED_SAMPLE)

    assert rejection.to_json() == {
        "code": "invalid_data",
        "message": "toAddress is required",
        "temporary": False,
        "errors": [
            {
                "pointer": "/data/toAddress",
                "code": "missing",
                "message": "toAddress is required",
                "hint": "the number or extension to call",
            }
        ],
    }


def test_documented_sample_with_to_address_is_taken_with_two_warnings() -> None:
    message, _ = checked(DOCUMENTED_SAMPLE.replace('"CallID"', '"toAddress": "5070", "CallID"'))

    assert warnings(message) == ["/data ", "/data/MediaAddress "]
    assert message.data == {"MediaAddress": "5069", "toAddress": "5070", "CallID": "16786021"}


def test_documented_sample_is_refused_whole_with_strict() -> None:
    assert pointers(refused(DOCUMENTED_SAMPLE, strict=True)) == ["/data"]


@pytest.mark.parametrize("value", [None, 5, "", "a" * 65, "ü", "a\n", "\x7f", ["a"]])
def test_valid_id_of_what_is_none(value: Any) -> None:
    assert valid_id(value) is None


@pytest.mark.parametrize("value", ["a", "a b", "~", "x" * 64])
def test_valid_id_of_one(value: str) -> None:
    assert valid_id(value) == value


@pytest.mark.parametrize(
    ("written", "found"),
    [('{"id":"x"}', "x"), ('{"id":5}', None), ("{}", None), ("[]", None), ('"id"', None), ("{", None), ("", None)],
)
def test_salvage_id(written: str, found: str | None) -> None:
    assert salvage_id(written) == found


def test_encode_control_has_neither_offset_nor_source() -> None:
    encoded = encode_control(Address("Bridge", "Session", "Heartbeat"), {"epoch": "e", "offset": 3})

    assert json.loads(encoded.payload) == {
        "channel": "Bridge",
        "topic": "Session",
        "subtopic": "Heartbeat",
        "data": {"epoch": "e", "offset": 3},
    }
    assert (encoded.offset, encoded.frame) == (None, None)


def test_encode_control_names_what_it_answers() -> None:
    assert json.loads(encode_control(Address("a", "b", "c"), None, "q1").payload)["correlationId"] == "q1"


def test_published_has_every_field_and_data_always() -> None:
    encoded = Published(Address("a", "b", "c"), "me", None, "i", "2026-01-02T03:04:05.678Z", 9, 1.5)

    assert json.loads(encoded.payload) == {
        "channel": "a",
        "topic": "b",
        "subtopic": "c",
        "source": "me",
        "data": None,
        "id": "i",
        "time": "2026-01-02T03:04:05.678Z",
        "offset": 9,
    }
    assert (encoded.offset, encoded.at, encoded.address) == (9, 1.5, Address("a", "b", "c"))


def test_published_names_what_caused_it() -> None:
    encoded = Published(Address("a", "b", "c"), "me", {}, "i", "t", 9, 1.5, "cause")

    assert json.loads(encoded.payload)["correlationId"] == "cause"


def test_answer_to_doubled_keys_is_not_far_larger_than_the_message() -> None:
    key = "k" * 20_000
    text = f'{{"channel":"a","topic":"b","subtopic":"c","{key}":1,"{key}":2,"d":1,"d":2}}'
    with pytest.raises(Rejection) as refused:
        decode(text)
    assert len(str(refused.value.to_json())) < 3 * len(text)
