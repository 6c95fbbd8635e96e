from __future__ import annotations

import pytest

from bridge.protocol.errors import REFUSALS, TERMINAL_CLOSE_CODES, CloseCode, Code, FieldError, Rejection, pointer


def test_every_code_has_its_meaning_in_the_order_of_the_checks() -> None:
    assert list(REFUSALS) == list(Code)


def test_three_codes_are_temporary() -> None:
    temporary = {code for code, refusal in REFUSALS.items() if refusal.temporary}

    assert temporary == {Code.RATE_LIMITED, Code.UNAVAILABLE, Code.NOT_SIGNED_IN}


@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (400, {Code.MALFORMED_JSON, Code.INVALID_ENVELOPE}),
        (403, {Code.NOT_PERMITTED, Code.WRONG_EXTENSION, Code.RESERVED_CHANNEL}),
        (404, {Code.UNKNOWN_ADDRESS, Code.UNKNOWN_CALL}),
        (409, {Code.ILLEGAL_STATE, Code.ID_CONFLICT, Code.NOT_SIGNED_IN}),
        (422, {Code.INVALID_DATA, Code.LIMIT_EXCEEDED}),
        (429, {Code.RATE_LIMITED}),
        (503, {Code.UNAVAILABLE}),
    ],
)
def test_status_of_each_code(status: int, codes: set[Code]) -> None:
    assert {code for code, refusal in REFUSALS.items() if refusal.status == status} == codes


@pytest.mark.parametrize("code", Code)
def test_rejection_with_a_code_alone(code: Code) -> None:
    assert Rejection(code, "no").to_json() == {
        "code": code.value,
        "message": "no",
        "temporary": REFUSALS[code].temporary,
    }


def test_rejection_with_everything() -> None:
    rejection = Rejection(
        Code.ILLEGAL_STATE,
        "not now",
        address="a/b/c",
        correlation_id="m1",
        errors=(FieldError("/data", "missing", "gone"),),
        details={"state": "HELD", "allowed": ["SetRETRIEVE"]},
    )

    assert rejection.to_json() == {
        "code": "illegal_state",
        "message": "not now",
        "temporary": False,
        "address": "a/b/c",
        "errors": [{"pointer": "/data", "code": "missing", "message": "gone"}],
        "state": "HELD",
        "allowed": ["SetRETRIEVE"],
    }
    assert str(rejection) == "illegal_state: not now"


def test_rejection_can_be_kept_in_a_set_as_any_exception() -> None:
    one, other = Rejection(Code.ILLEGAL_STATE, "no"), Rejection(Code.ILLEGAL_STATE, "no")

    assert len({one, other, one}) == 2


def test_field_error_with_a_hint() -> None:
    assert FieldError("/a", "missing", "a is required", "send it").to_json()["hint"] == "send it"


@pytest.mark.parametrize(
    ("segments", "expected"),
    [((), ""), (("data",), "/data"), (("a", 0, "b"), "/a/0/b"), (("a/b", "c~d", "~1"), "/a~1b/c~0d/~01"), (("",), "/")],
)
def test_pointer_is_rfc_6901(segments: tuple[str | int, ...], expected: str) -> None:
    assert pointer(*segments) == expected


def test_terminal_close_codes_are_those_after_which_the_same_would_happen_again() -> None:
    assert frozenset({1000, 1002, 1003, 1007, 1008, 1009, 4401, 4403}) == TERMINAL_CLOSE_CODES
    assert all(code in TERMINAL_CLOSE_CODES or code in _reconnecting for code in CloseCode)


_reconnecting = {1001, 1011, 1012, 1013, 4402, 4408, 4410, 4429}
