"""What the telephone switch says when it will not (the ``CF_…`` codes of Cisco's CTI protocol)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.calls.simulator.errors import ErrorType
from bridge.finesse_simulator.refusals import ApiError, CtiError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.calls.simulator.errors import SwitchError

GENERIC: Final = ApiError("Generic Error", "CF_GENERIC_OPERATION", "1")
NO_SUCH_DIALOG: Final = ApiError("Generic Error", "CF_OBJECT_NOT_KNOWN", "4")
NOT_NOW: Final = ApiError("Invalid State", "CF_INVALID_OBJECT_STATE", "22")
BAD_DIGIT: Final = ApiError("Invalid Input", "CF_VALUE_OUT_OF_RANGE", "3")
NO_DROPPING: Final = ApiError("Generic Error", "CF_DROP_ANY_PARTY_NOT_ENABLED_CTI", "290")
EXTENSION_IN_USE: Final = ApiError("Device Busy", "CF_SPECIFIED_EXTENSION_ALREADY_IN_USE", "283")
SIGNED_ON_ELSEWHERE: Final = ApiError("Generic Error", "CF_SPECIFIED_AGENT_ALREADY_SIGNED_ON", "259")

_OF_THE_SWITCH: Final[Mapping[ErrorType, ApiError]] = {
    ErrorType.DIALOG_NOT_FOUND: NO_SUCH_DIALOG,
    ErrorType.AUTHORIZATION_FAILURE: ApiError("Generic Error", "CF_AGENT_NOT_PARTY_ON_CALL", "268"),
    ErrorType.INVALID_DESTINATION: ApiError("Call Operation Failure", "CF_INVALID_CALLED_DEVICE", "6"),
    ErrorType.INVALID_INPUT: ApiError("Generic Error", "CF_VALUE_OUT_OF_RANGE", "3"),
    ErrorType.INVALID_STATE: ApiError("Generic Error", "CF_GENERIC_STATE_INCOMPATIBILITY", "21"),
    ErrorType.CALL_OPERATION_FAILURE: ApiError("Call Operation Failure", "CF_RESOURCE_BUSY", "33"),
}


def cti_error(error: SwitchError) -> CtiError:
    """Word what our switch says in the way of a real one."""
    return CtiError(_OF_THE_SWITCH.get(error.error_type, GENERIC))


def wrong_time(action: str, extension: str) -> CtiError:
    """Word the refusal of an action that is not allowed in the present state."""
    return CtiError(ApiError("Generic Error", f"INVALID_ACTION {action} on extension {extension}", "4047"))
