"""From Finesse's two error forms to a failure (Finesse REST developer guide, "API errors" and "Notifications").

An HTTP answer has ``ApiErrors/ApiError/ErrorType``; a notification has ``apiErrors/apiError/errorType``, where
``errorData`` is the number of a CTI error. An answer may also hold no XML at all, from a proxy or from the servlet
container below Finesse: its status then says what there is to say.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from bridge.calls.adapter import Failure
from bridge.calls.finesse.xml import XmlError, parse

if TYPE_CHECKING:
    from bridge.calls.finesse.xml import Element

GENERIC_ERROR = "Generic Error"
AUTHORIZATION_FAILURE = "Authorization Failure"

MESSAGE_CHARACTERS = 500
"""A message is for people; more than this is cut off."""

_TYPE_OF_STATUS: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "Bad Request",
    HTTPStatus.UNAUTHORIZED: AUTHORIZATION_FAILURE,
    HTTPStatus.NOT_FOUND: "Not Found",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Internal Server Error",
    HTTPStatus.NOT_IMPLEMENTED: "Not Implemented",
    HTTPStatus.SERVICE_UNAVAILABLE: "Service Unavailable",
}

CTI_ERRORS = {
    0: "CF_GENERIC_UNSPECIFIED",
    1: "CF_GENERIC_OPERATION",
    2: "CF_REQUEST_INCOMPATIBLE_WITH_OBJECT",
    3: "CF_VALUE_OUT_OF_RANGE",
    4: "CF_OBJECT_NOT_KNOWN",
    5: "CF_INVALID_CALLING_DEVICE",
    6: "CF_INVALID_CALLED_DEVICE",
    8: "CF_PRIVILEGE_VIOLATION_SPECIFIED_DEVICE",
    9: "CF_PRIVILEGE_VIOLATION_CALLED_DEVICE",
    10: "CF_PRIVILEGE_VIOLATION_CALLING_DEVICE",
    14: "CF_INVALID_DESTINATION",
    15: "CF_INVALID_FEATURE",
    21: "CF_GENERIC_STATE_INCOMPATIBILITY",
    22: "CF_INVALID_OBJECT_STATE",
    23: "CF_INVALID_CONNECTION_ID_FOR_ACTIVE_CALL",
    24: "CF_NO_ACTIVE_CALL",
    25: "CF_NO_HELD_CALL",
    26: "CF_NO_CALL_TO_CLEAR",
    28: "CF_NO_CALL_TO_ANSWER",
    29: "CF_NO_CALL_TO_COMPLETE",
    31: "CF_GENERIC_SYSTEM_RESOURCE_AVAILABILITY",
    32: "CF_SERVICE_BUSY",
    33: "CF_RESOURCE_BUSY",
    34: "CF_RESOURCE_OUT_OF_SERVICE",
    35: "CF_NETWORK_BUSY",
    36: "CF_NETWORK_OUT_OF_SERVICE",
    38: "CF_CONFERENCE_MEMBER_LIMIT_EXCEEDED",
    44: "CF_OUTSTANDING_REQUEST_LIMIT_EXCEEDED",
    72: "CF_DUPLICATE_INVOCATION_REJECTION",
    78: "CF_REQUEST_TIMEOUT_REJECTION",
    257: "CF_INVALID_PASSWORD_SPECIFIED",
    259: "CF_SPECIFIED_AGENT_ALREADY_SIGNED_ON",
    260: "CF_INVALID_LOGON_DEVICE_SPECIFIED",
    268: "CF_AGENT_NOT_PARTY_ON_CALL",
    273: "CF_INVALID_CONSULT_TYPE",
    283: "CF_SPECIFIED_EXTENSION_ALREADY_IN_USE",
    284: "CF_ARBITRARY_CONF_OR_XFER_NOT_SUPPORTED",
    290: "CF_DROP_ANY_PARTY_NOT_ENABLED_CTI",
    1010: "CF_INVALID_PARAMETER",
}
"""Names of CTI errors, for notifications that tell the number alone."""

_CTI_NAMES = {str(number): name for number, name in CTI_ERRORS.items()}
_CTI_NAME = re.compile(r"\bCF_[A-Z0-9_]+\b")
_PERIPHERAL_NAME = re.compile(r"\b[A-Z][A-Z0-9]*_[A-Z0-9_]+\b")


def read_failure(errors: Element) -> Failure:
    """Read errors of either form: the first one decides, the message has all of them.

    Raises:
        XmlError: There is no error in it.
    """
    return _read(errors, GENERIC_ERROR)


def read_error_body(status: int, body: bytes) -> Failure:
    """Read the body of an HTTP answer that is an error; where it tells none, tell the status."""
    error_type = _type_of_status(status)
    try:
        return _read(parse(body), error_type)
    except XmlError:
        return Failure(error_type, f"HTTP {status}")


def _type_of_status(status: int) -> str:
    known = _TYPE_OF_STATUS.get(status)
    if known is not None:
        return known
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return GENERIC_ERROR


def _read(errors: Element, default_type: str) -> Failure:
    if errors.name.lower() != "apierrors" or not (each := errors.any_case("ApiError")):
        raise XmlError("not an <ApiErrors> with an error in it")
    first = each[0]
    message = "; ".join(filter(None, map(_message, each)))
    error_type = _text(first, "ErrorType") or default_type
    return Failure(error_type, (message or error_type)[:MESSAGE_CHARACTERS], _cause(first))


def _text(error: Element, name: str) -> str:
    return next((" ".join(child.text.split()) for child in error.any_case(name)), "")


def _message(error: Element) -> str:
    """Put together what an error tells, such as ``CF_INVALID_OBJECT_STATE (22)``."""
    message, data = _text(error, "ErrorMessage"), _text(error, "ErrorData")
    if not message:
        message = _cti_name(error)
    told = f"{message} ({data})" if message and data else message or data
    peripheral = " ".join(
        filter(None, (_text(error, f"peripheralError{part}") for part in ("Code", "Msg", "Text"))),
    )
    return ", peripheral: ".join(filter(None, (told, peripheral)))


def _cti_name(error: Element) -> str:
    """Name the CTI error; empty where it is none, or one that we know no name for."""
    named = _CTI_NAME.search(_text(error, "ErrorMessage"))
    if named is not None:
        return named[0]
    data = _text(error, "ErrorData")
    # A number beside a message of its own may be anything: Finesse's own errors have a dialog or an agent there.
    return _CTI_NAMES.get(data, "") if not _text(error, "ErrorMessage") else ""


def _cause(error: Element) -> str | None:
    peripheral = _PERIPHERAL_NAME.search(_text(error, "peripheralErrorMsg"))
    return _cti_name(error) or (peripheral[0] if peripheral is not None else None)
