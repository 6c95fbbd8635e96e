"""How the simulated switch says no."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.calls.model import Cause


class ErrorType(StrEnum):
    """Finesse's error types that the switch uses (Finesse developer guide, "API errors")."""

    AUTHORIZATION_FAILURE = "Authorization Failure"
    CALL_OPERATION_FAILURE = "Call Operation Failure"
    DIALOG_NOT_FOUND = "Dialog Not Found"
    INVALID_DESTINATION = "Invalid Destination"
    INVALID_DEVICE = "Invalid Device"
    INVALID_INPUT = "Invalid Input"
    INVALID_STATE = "Invalid State"
    PARAMETER_MISSING = "Parameter Missing"


class SwitchError(Exception):
    """The switch refuses; nothing has changed. ``cause`` is set where a destination is the reason."""

    def __init__(self, error_type: ErrorType, message: str, cause: Cause | None = None) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.cause = cause
