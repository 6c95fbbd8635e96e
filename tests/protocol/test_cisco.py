from __future__ import annotations

import time
from typing import Any

import pytest

from bridge.protocol.errors import Code
from tests.protocol.wire import CONSULT, checked, pointers, refused, text

CALL_DATA = "Cisco/InboundCall/SetUPDATE_CALL_DATA"
SIGN_IN = "Cisco/Agent/SetUserInfo"


@pytest.mark.parametrize("number", ["5070", "+49 (30) 1234", "sip:alice@example.com", "*97#", "x" * 64])
def test_address_to_dial(number: str) -> None:
    message, _ = checked(text("Cisco/InboundCall/SetCONSULT", {**CONSULT, "toAddress": number}))

    assert message.data["toAddress"] == number


@pytest.mark.parametrize("number", ["", "x" * 65, "507\n0", "\uff15070"])
def test_address_that_cannot_be_dialled(number: str) -> None:
    rejection = refused(text("Cisco/InboundCall/SetCONSULT", {**CONSULT, "toAddress": number}))

    assert pointers(rejection) == ["/data/toAddress"]
    assert rejection.errors[0].hint == "the number or extension to call"


@pytest.mark.parametrize("call", ["", "a b", "../1", "1/2", "x" * 65, "1\n"])
def test_call_id_that_cannot_be_one(call: str) -> None:
    rejection = refused(text("Cisco/InboundCall/SetCONSULT", {**CONSULT, "CallID": call}))

    assert pointers(rejection) == ["/data/CallID"]


@pytest.mark.parametrize("digits", ["0", "0123456789*#ABCD", "1" * 32])
def test_touch_tones(digits: str) -> None:
    data = {"MediaAddress": "5069", "CallID": "1", "digits": digits}

    assert checked(text("Cisco/InboundCall/SetSEND_DTMF", data))[0].data == data


@pytest.mark.parametrize("digits", ["", "E", "a", "1 2", "1" * 33])
def test_touch_tones_that_no_telephone_has(digits: str) -> None:
    rejection = refused(
        text("Cisco/InboundCall/SetSEND_DTMF", {"MediaAddress": "5069", "CallID": "1", "digits": digits})
    )

    assert pointers(rejection) == ["/data/digits"]
    assert rejection.errors[0].hint == "one or more of 0-9 * # A-D"


@pytest.mark.parametrize("variables", [{}, {"callVariable1": ""}, {"user.order": "x" * 2000}, {"a" * 64: "ä"}])
def test_call_variables(variables: dict[str, str]) -> None:
    assert checked(text(CALL_DATA, {"CallID": "1", "callVariables": variables}))[0].data["callVariables"] == variables


@pytest.mark.parametrize(
    ("variables", "pointer"),
    [
        ({"a": 5}, "/data/callVariables/a"),
        ({"a": None}, "/data/callVariables/a"),
        ({"a": {"b": "c"}}, "/data/callVariables/a"),
        ({"a": "x" * 2001}, "/data/callVariables/a"),
        ({"": "x"}, "/data/callVariables/"),
        ({"a" * 65: "x"}, "/data/callVariables/" + "a" * 65),
        ({f"v{number}": "" for number in range(257)}, "/data/callVariables"),
        ([], "/data/callVariables"),
        (None, "/data/callVariables"),
    ],
)
def test_call_variables_that_are_wrong(variables: Any, pointer: str) -> None:
    rejection = refused(text(CALL_DATA, {"CallID": "1", "callVariables": variables}))

    assert rejection.code is Code.INVALID_DATA
    assert pointers(rejection) == [pointer]


def test_thousands_of_wrong_call_variables_are_answered_briefly() -> None:
    started = time.process_time()

    rejection = refused(text(CALL_DATA, {"CallID": "1", "callVariables": {f"v{n}": n for n in range(6000)}}))

    assert time.process_time() - started < 0.3
    assert 1 <= len(rejection.errors) <= 16


@pytest.mark.parametrize("secret", [{"password": "geheim"}, {"token": "geheim"}])
def test_sign_in_with_either_secret(secret: dict[str, str]) -> None:
    _, body = checked(text(SIGN_IN, {"username": "alice", "extension": "5069", **secret}))

    assert "geheim" not in repr(body)


@pytest.mark.parametrize("secrets", [{}, {"password": "geheim", "token": "geheim"}])
def test_sign_in_with_both_secrets_or_none(secrets: dict[str, str]) -> None:
    rejection = refused(text(SIGN_IN, {"username": "alice", "extension": "5069", **secrets}))

    assert [error[:3] for error in rejection.errors] == [("/data", "wrong_format", "give either password or token")]


@pytest.mark.parametrize(
    "data",
    [
        {"password": ["geheim"]},
        {"password": {"geheim": 1}},
        {"password": "geheim" * 4000},
        {"password": "geheim", "token": "geheim"},
        {"username": "geheim" * 100, "password": "x"},
        {"password": "geheim", "extension": "geheim\n"},
        {"password": "geheim", "Password ": "geheim"},
        {"password": "geheim", "unknown": "geheim"},
    ],
)
def test_refused_sign_in_never_quotes_a_value(data: dict[str, Any]) -> None:
    rejection = refused(text(SIGN_IN, {"username": "alice", "extension": "5069"} | data))

    assert rejection.code is Code.INVALID_DATA
    assert "geheim" not in str(rejection.to_json())


@pytest.mark.parametrize("address", ["Cisco/Connection/Logout", "Cisco/Agent/SetNotReadyState"])
@pytest.mark.parametrize(("code", "right"), [("28", True), ("-1", True), ("", False), ("x", False), ("1" * 10, False)])
def test_reason_codes(address: str, code: str, *, right: bool) -> None:
    written = text(address, {"ReasonCodeId": code})

    if right:
        assert checked(written)[0].data == {"ReasonCodeId": code}
    else:
        assert pointers(refused(written)) == ["/data/ReasonCodeId"]
