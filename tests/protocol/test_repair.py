from __future__ import annotations

import json
from typing import Any

import pytest

from bridge.protocol.errors import Code, FieldError, Rejection
from bridge.protocol.repair import Warn, digits_for_strings, doubled_error, normalised, repair_keys
from tests.protocol.wire import CONSULT, checked, pointers, refused, text, warnings

HOLD = "Cisco/InboundCall/SetHOLD"


def hold(**data: Any) -> str:
    return text(HOLD, {"MediaAddress": "5069", "CallID": "1"} | data)


def test_warn_tells_what_was_sent_and_the_error_points_into_the_repaired_message() -> None:
    warn = Warn("/data/CallId ", "misspelt_key", "…", "/data/CallID")

    assert warn.to_json() == {"pointer": "/data/CallId ", "message": "…"}
    assert warn.to_error() == FieldError("/data/CallID", "misspelt_key", "…")


def test_warn_of_a_value_points_to_the_same_place_either_way() -> None:
    assert Warn("/data/CallID", "number_for_string", "…").to_error().pointer == "/data/CallID"


@pytest.mark.parametrize("key", ["CallID", " callid", "CALLID\t", "\u00a0CallId\n"])
def test_normalised_has_neither_case_nor_space_around(key: str) -> None:
    assert normalised(key) == "callid"


def test_normalised_keeps_space_within() -> None:
    assert normalised("Call ID") == "call id"


def test_repair_keys_keeps_order_and_unknown_keys() -> None:
    told: list[Warn] = []

    repaired = repair_keys(
        {"B ": 1, "what": 2, "a": 3}, {"a": "a", "b": "b"}, at=("data",), code=Code.INVALID_DATA, warnings=told
    )

    assert list(repaired.items()) == [("b", 1), ("what", 2), ("a", 3)]
    assert told == [Warn("/data/B ", "misspelt_key", "'B ' was taken as 'b'", "/data/b")]


def test_repair_keys_that_fall_together() -> None:
    with pytest.raises(Rejection) as caught:
        repair_keys({"a": 1, " A": 2}, {"a": "a"}, at=("data",), code=Code.INVALID_DATA, warnings=[])

    (error,) = caught.value.errors
    assert caught.value.code is Code.INVALID_DATA
    assert error == FieldError("/data/a", "doubled", "'a' and ' A' are the same field", "send each field once")


def test_digits_for_strings_looks_at_string_fields_only() -> None:
    fields: dict[str, Any] = {"text": 7, "number": 7}

    digits_for_strings(fields, frozenset({"text"}), at=("data",), warnings=[])

    assert fields == {"text": "7", "number": 7}


def test_doubled_error_points_and_hints() -> None:
    assert doubled_error("data", 0, "a/b").to_json() == {
        "pointer": "/data/0/a~1b",
        "code": "doubled",
        "message": "a key stands twice in one object",
        "hint": "send each field once",
    }


@pytest.mark.parametrize(
    "key", ["MediaAddress ", " MediaAddress", "mediaaddress", "MEDIAADDRESS", "\tmediaAddress\n", "MediaAddress\u3000"]
)
def test_data_key_is_repaired_and_told_as_it_was_sent(key: str) -> None:
    message, _ = checked(text(HOLD, {key: "5069", "CallID": "1"}))

    assert message.data == {"MediaAddress": "5069", "CallID": "1"}
    assert warnings(message) == [f"/data/{key}"]


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.swapcase])
def test_every_data_key_in_another_case_is_repaired(spelling: Any) -> None:
    message, _ = checked(text("Cisco/InboundCall/SetCONSULT", {spelling(key): value for key, value in CONSULT.items()}))

    assert message.data == CONSULT
    assert len(message.warnings) == 3


@pytest.mark.parametrize("key", ["channel ", "CHANNEL", " Channel\n"])
def test_envelope_key_is_repaired_and_told_as_it_was_sent(key: str) -> None:
    message, _ = checked(json.dumps({key: "Cisco", "topic": "Agent", "subtopic": "SetReadyState"}))

    assert str(message.address) == "Cisco/Agent/SetReadyState"
    assert warnings(message) == [f"/{key}"]


def test_slash_and_tilde_in_a_key_are_escaped_in_the_pointer() -> None:
    assert pointers(refused(hold(**{"a/b~c": 1}))) == ["/data/a~1b~0c"]


@pytest.mark.parametrize("number", [0, 7, 5069, 999_999_999_999_999])
def test_integer_of_up_to_15_digits_is_taken_as_its_digits(number: int) -> None:
    message, body = checked(hold(CallID=number))

    assert message.data["CallID"] == str(number)
    assert body is not None
    assert body.model_dump()["CallID"] == str(number)
    assert [warning.to_json() for warning in message.warnings] == [
        {"pointer": "/data/CallID", "message": "a number was taken as a string"}
    ]


@pytest.mark.parametrize("value", [10**15, 2**63, 10**400, -1, 5069.0, 1e3, True, False, None, ["5069"], {}])
def test_no_other_value_is_taken_as_a_string(value: Any) -> None:
    rejection = refused(hold(CallID=value))

    (error,) = rejection.errors
    assert rejection.code is Code.INVALID_DATA
    assert error[:3] == ("/data/CallID", "wrong_type", "CallID must be a string")
    assert error.hint == "call.id of the call's latest event"


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("Cisco/Connection/Logout", {"ReasonCodeId": 28}),
        ("Cisco/Agent/SetNotReadyState", {"ReasonCodeId": 28}),
        ("Simulator/Party/Drop", {"address": 5070, "CallID": 1}),
        ("Bridge/Command/Status", {"id": 7}),
        ("Cisco/Agent/SetUserInfo", {"username": 1, "password": 2, "extension": 3}),
        ("Cisco/Agent/SetUserInfo", {"username": "a", "token": 2, "extension": "3"}),
    ],
)
def test_optional_and_secret_strings_are_repaired_too(address: str, data: dict[str, Any]) -> None:
    message, _ = checked(text(address, data))

    assert message.data == {key: str(value) for key, value in data.items()}


def test_field_that_is_no_string_is_not_made_one() -> None:
    assert pointers(refused(text("Bridge/Subscription/Subscribe", {"patterns": 5}), strict=True)) == ["/data/patterns"]


@pytest.mark.parametrize("address", ["Cisco/inboundcall/sethold", "Cisco/INBOUNDCALL/SETHOLD"])
def test_topic_and_subtopic_of_a_catalogued_channel_match_without_case(address: str) -> None:
    message, _ = checked(text(address, {"MediaAddress": "5069", "CallID": "1"}))

    assert str(message.address) == HOLD
    assert warnings(message) == ["/topic", "/subtopic"]
    assert message.warnings[0].message == f"{address.split('/')[1]!r} was taken as 'InboundCall'"


def test_control_message_in_another_case_is_repaired() -> None:
    message, _ = checked(text("Bridge/subscription/Subscribe", {"Patterns": ["Cisco"]}))

    assert str(message.address) == "Bridge/Subscription/Subscribe"
    assert warnings(message) == ["/topic", "/data/Patterns"]


@pytest.mark.parametrize("topic", ["InboundCall", "OutboundCall"])
def test_alias_is_delivered_under_its_name_without_a_warning(topic: str) -> None:
    message, _ = checked(text(f"Cisco/{topic}/SetCONSULT_CALL", CONSULT), strict=True)

    assert str(message.address) == f"Cisco/{topic}/SetCONSULT"
    assert message.warnings == []


def test_alias_in_another_case_is_warned_of() -> None:
    message, _ = checked(text("Cisco/InboundCall/setconsult_call", CONSULT))

    assert str(message.address) == "Cisco/InboundCall/SetCONSULT"
    assert warnings(message) == ["/subtopic"]


@pytest.mark.parametrize("data", [{"A ": 1, "a": 2, "CallID ": 5}, [{"x ": 1}], 5, "text", None, {"data ": {"id ": 1}}])
def test_data_of_a_free_channel_is_never_touched(data: Any) -> None:
    message, _ = checked(text("My Gadget/notes/Changed", data))

    assert message.data == data
    assert message.warnings == []


def test_case_of_a_free_channel_is_never_touched() -> None:
    assert str(checked(text("gadget/INBOUNDCALL/sethold"))[0].address) == "gadget/INBOUNDCALL/sethold"


@pytest.mark.parametrize("variables", [{"user.Order ": "1", "USER.ORDER": "2"}, {" CallID": "x", "callid": "y"}])
def test_object_that_the_catalogue_leaves_open_is_never_touched(variables: dict[str, str]) -> None:
    message, _ = checked(text("Cisco/InboundCall/SetUPDATE_CALL_DATA", {"CallID": "1", "callVariables": variables}))

    assert message.data["callVariables"] == variables
    assert message.warnings == []


def test_number_in_an_open_object_is_not_made_a_string() -> None:
    rejection = refused(
        text("Cisco/InboundCall/SetUPDATE_CALL_DATA", {"CallID": "1", "callVariables": {"callVariable1": 67}})
    )

    assert pointers(rejection) == ["/data/callVariables/callVariable1"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("channel", " Cisco"), ("topic", "InboundCall "), ("source", "caf\u00e9"), ("source", 5), ("id", 5), ("topic", 5)],
)
def test_values_of_the_envelope_are_never_touched(field: str, value: Any) -> None:
    rejection = refused(text(HOLD, CONSULT, **{field: value}))

    assert rejection.code is Code.INVALID_ENVELOPE
    assert pointers(rejection) == [f"/{field}"]


def test_values_of_the_data_are_never_touched() -> None:
    assert checked(hold(MediaAddress=" 5069 "))[0].data["MediaAddress"] == " 5069 "


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ('"data":1,"data ":2', "/data"),
        ('"data ":1,"data":2', "/data"),
        ('"data":1,"DATA":2', "/data"),
        ('"data":1,"data":1', "/data"),
        ('"source":"a","Source":"b"', "/source"),
        ('"id":"a"," id":"b"', "/id"),
        ('"time":1,"time ":2', "/time"),
        ('"offset":1,"offset":2', "/offset"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_envelope_keys_that_fall_together_are_refused(sent: str, field: str, *, strict: bool) -> None:
    rejection = refused(f'{{"channel":"Gadget","topic":"a","subtopic":"b",{sent}}}', strict=strict)

    (error,) = rejection.errors
    assert rejection.code is Code.INVALID_ENVELOPE
    assert (error.pointer, error.code, error.hint) == (field, "doubled", "send each field once")


@pytest.mark.parametrize(
    "sent", ['"CallID":"1","CallID ":"1"', '"callid":"1","CallID":"2"', '"CallID":"1","CallID":"1"']
)
@pytest.mark.parametrize("strict", [False, True])
def test_data_keys_that_fall_together_are_refused(sent: str, *, strict: bool) -> None:
    rejection = refused(
        f'{{"channel":"Cisco","topic":"InboundCall","subtopic":"SetHOLD","data":{{"MediaAddress":"5069",{sent}}}}}',
        strict=strict,
    )

    assert rejection.code is Code.INVALID_DATA
    assert pointers(rejection) == ["/data/CallID"]
    assert rejection.errors[0].code == "doubled"


def test_strict_refuses_a_repaired_envelope_key_and_points_to_the_field() -> None:
    rejection = refused('{"Channel ":"Cisco","topic":"Agent","subtopic":"SetReadyState","id":"x"}', strict=True)

    assert rejection.code is Code.INVALID_ENVELOPE
    assert rejection.correlation_id == "x"
    assert [error.to_json() for error in rejection.errors] == [
        {"pointer": "/channel", "code": "misspelt_key", "message": "'Channel ' was taken as 'channel'"}
    ]


def test_strict_refuses_every_repair_of_the_data_and_points_to_the_fields() -> None:
    rejection = refused(text(HOLD, {"mediaAddress ": "5069", "CallID": 1}), strict=True)

    assert rejection.code is Code.INVALID_DATA
    assert [(error.pointer, error.code) for error in rejection.errors] == [
        ("/data/MediaAddress", "misspelt_key"),
        ("/data/CallID", "number_for_string"),
    ]


def test_strict_takes_what_needs_no_repair() -> None:
    assert checked(hold(), strict=True)[0].warnings == []
