"""Every shape of an error, synchronous and asynchronous, and answers that are none of Finesse's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.adapter import Failure
from bridge.calls.finesse.failures import CTI_ERRORS, MESSAGE_CHARACTERS, read_error_body, read_failure
from bridge.calls.finesse.xml import XmlError, element, parse
from tests.calls.finesse.shapes import fixture, fixture_bytes

DOCUMENTED = [
    (400, "Bad Request", "incomplete request", ""),
    (400, "Parameter Missing", "State Parameter missing", "state"),
    (400, "Invalid Input", "unknown action", "FLY"),
    (400, "Invalid Destination", "no such party", "5091"),
    (400, "Invalid State", "No Active call available on agent for TRANSFER", ""),
    (401, "Authorization Failure", "UNAUTHORIZED", "mlind"),
    (401, "Invalid Authorization User Specified", "another user", "mlind"),
    (401, "Invalid State", "the call is on hold", "33554503"),
    (404, "Not Found", "no such thing", ""),
    (404, "Dialog Not Found", "Invalid dialogId specified for dialog", "33554503"),
    (404, "User Not Found", "UNKNOWN_USER", "mlind"),
    (500, "Internal Server Error", "DB_RUNTIME_EXCEPTION", ""),
    (501, "Not Implemented", "not on this platform", ""),
    (503, "Service Unavailable", "SERVER_OUT_OF_SERVICE", ""),
]


@pytest.mark.parametrize(("status", "error_type", "message", "data"), DOCUMENTED)
def test_every_documented_error_is_read_in_both_cases(status: int, error_type: str, message: str, data: str) -> None:
    expected = Failure(error_type, f"{message} ({data})" if data else message)

    for capital in (str, lambda name: name[0].lower() + name[1:]):
        error = element(
            capital("ApiErrors"),
            element(
                capital("ApiError"),
                element(capital("ErrorData"), data),
                element(capital("ErrorType"), error_type),
                element(capital("ErrorMessage"), message),
            ),
        )
        assert read_failure(parse(error)) == expected
        assert read_error_body(status, error.encode()) == expected


def test_fixtures_of_synchronous_errors() -> None:
    assert read_failure(fixture("error-authorization")) == Failure("Authorization Failure", "UNAUTHORIZED (mlind)")
    assert read_failure(fixture("error-no-active-call")) == Failure(
        "Invalid State", "No Active call available on agent for TRANSFER"
    )


def test_first_of_several_errors_decides_and_the_message_has_all() -> None:
    assert read_failure(fixture("error-several")) == Failure(
        "Parameter Missing", "State Parameter missing (state); extension"
    )


def test_asynchronous_error_names_its_cti_error() -> None:
    assert read_failure(fixture("error-asynchronous")) == Failure(
        "Invalid State", "CF_INVALID_OBJECT_STATE (22)", "CF_INVALID_OBJECT_STATE"
    )


def test_asynchronous_error_without_a_cti_name() -> None:
    assert read_failure(fixture("error-wrong-time")) == Failure(
        "Generic Error", "INVALID_ACTION TRANSFER on extension 1001001 (4047)"
    )


def test_peripheral_error_is_told_too() -> None:
    assert read_failure(fixture("error-peripheral")) == Failure(
        "Invalid Device",
        "CF_INVALID_LOGON_DEVICE_SPECIFIED (260), "
        "peripheral: 10125 PERERR_EXAMPLE_DEVICE_OUT The phone is not in service.",
        "CF_INVALID_LOGON_DEVICE_SPECIFIED",
    )


def test_peripheral_error_is_the_cause_where_no_cti_error_is_named() -> None:
    errors = parse(
        "<apiErrors><apiError><errorType>Generic Error</errorType><errorData>20999</errorData>"
        "<peripheralErrorMsg>PERERR_EXAMPLE</peripheralErrorMsg></apiError></apiErrors>"
    )

    assert read_failure(errors) == Failure("Generic Error", "20999, peripheral: PERERR_EXAMPLE", "PERERR_EXAMPLE")


@pytest.mark.parametrize(("number", "name"), CTI_ERRORS.items())
def test_cti_error_that_is_told_by_its_number_alone_is_named(number: int, name: str) -> None:
    errors = parse(f"<apiErrors><apiError><errorData>{number}</errorData><errorMessage/></apiError></apiErrors>")

    assert read_failure(errors) == Failure("Generic Error", f"{name} ({number})", name)


def test_number_beside_a_message_of_its_own_is_no_cti_error() -> None:
    errors = parse(
        "<ApiErrors><ApiError><ErrorMessage>no such call</ErrorMessage><ErrorData>22</ErrorData></ApiError></ApiErrors>"
    )

    assert read_failure(errors).cause is None


def test_error_that_tells_nothing() -> None:
    assert read_failure(parse("<ApiErrors><ApiError/></ApiErrors>")) == Failure("Generic Error", "Generic Error")
    assert read_error_body(404, b"<ApiErrors><ApiError/></ApiErrors>") == Failure("Not Found", "Not Found")


@pytest.mark.parametrize("document", ["<ApiErrors/>", "<html/>", "<ApiError><ErrorType>x</ErrorType></ApiError>"])
def test_what_holds_no_error_is_not_read(document: str) -> None:
    with pytest.raises(XmlError):
        read_failure(parse(document))


def test_long_message_is_cut_and_set_in_one_line() -> None:
    errors = parse(f"<ApiErrors><ApiError><ErrorMessage>a\n\n b {'c' * 10_000}</ErrorMessage></ApiError></ApiErrors>")

    message = read_failure(errors).message

    assert len(message) == MESSAGE_CHARACTERS
    assert message.startswith("a b ccc")


@pytest.mark.parametrize(
    ("status", "error_type"),
    [
        (301, "Moved Permanently"),
        (400, "Bad Request"),
        (401, "Authorization Failure"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (500, "Internal Server Error"),
        (501, "Not Implemented"),
        (502, "Bad Gateway"),
        (503, "Service Unavailable"),
        (504, "Gateway Timeout"),
        (599, "Generic Error"),
    ],
)
@pytest.mark.parametrize("body", [b"", b"Unauthorized", b"\xff\0", b"<ApiErrors>", b"<ApiErrors/>", b"<a/>"])
def test_answer_without_an_error_of_finesse_is_known_by_its_status(status: int, error_type: str, body: bytes) -> None:
    assert read_error_body(status, body) == Failure(error_type, f"HTTP {status}")


def test_page_of_a_proxy_is_known_by_its_status() -> None:
    assert read_error_body(502, fixture_bytes("error-of-a-proxy.html")) == Failure("Bad Gateway", "HTTP 502")


@given(st.integers(100, 999), st.binary(max_size=100))
def test_any_answer_is_some_failure(status: int, body: bytes) -> None:
    failure = read_error_body(status, body)

    assert failure.error_type
    assert failure.message
