"""What a request may carry: addresses, digits, call data.

Each function returns its argument once it is found good and raises ``SwitchError`` otherwise. Limits are those of the
Finesse developer guide ("Send DTMF Signal", "Update Call Variable Data") unless a comment says otherwise.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bridge.calls.model import Cause
from bridge.calls.simulator.errors import ErrorType, SwitchError

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILING: Final[Mapping[str, Cause]] = {"5090": Cause.BUSY, "5091": Cause.BAD_DESTINATION}
"""The numbers at which nobody ever rings, and why."""

CALL_VARIABLE_BYTES: Final = 40
"""One of ``callVariable1`` … ``callVariable10``, in UTF-8."""

ECC_BYTES: Final = 2000
"""Names and values of all ``user.…`` variables of one call, in UTF-8."""

# Finesse does not normalise numbers and neither does the switch; the length is ours, so that memory stays bounded.
_ADDRESS = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")
# As long as a workspace's name, since a workspace may be named by its extension.
_EXTENSION = re.compile(r"[0-9]{1,64}")
_DIGITS = re.compile(r"[0-9*#A-D]+")
_CALL_VARIABLE = re.compile(r"callVariable(?:[1-9]|10)")
_ECC = re.compile(r"user\.[A-Za-z0-9_.]+(?:\[[0-9]+\])?")


def check_extension(extension: str) -> str:
    """Refuse with ``Invalid Device`` what cannot be an agent's extension: anything but 1 to 64 digits."""
    if not _EXTENSION.fullmatch(extension):
        raise SwitchError(ErrorType.INVALID_DEVICE, f"{extension!r} is not an extension: digits only")
    return extension


def check_caller(address: str) -> str:
    """Refuse with ``Invalid Input`` what cannot be a caller's number: anything but 1 to 64 printable characters."""
    if not _ADDRESS.fullmatch(address):
        raise SwitchError(ErrorType.INVALID_INPUT, "the caller's number must be 1 to 64 printable characters")
    return address


def check_destination(address: str | None, extension: str) -> str:
    """Refuse a destination that is missing, unreadable, or the extension that dials.

    Raises:
        SwitchError: ``Parameter Missing`` or ``Invalid Destination``.
    """
    if not address:
        raise SwitchError(ErrorType.PARAMETER_MISSING, "toAddress is missing")
    if not _ADDRESS.fullmatch(address):
        raise SwitchError(ErrorType.INVALID_DESTINATION, "toAddress must be 1 to 64 printable characters")
    if address == extension:
        raise SwitchError(ErrorType.INVALID_DESTINATION, f"{extension} cannot call itself")
    return address


def check_digits(digits: str | None) -> str:
    """Refuse DTMF other than ``0-9``, ``*``, ``#`` and ``A-D``, with ``Parameter Missing`` or ``Invalid Input``."""
    if not digits:
        raise SwitchError(ErrorType.PARAMETER_MISSING, "dtmfString is missing")
    if not _DIGITS.fullmatch(digits):
        raise SwitchError(ErrorType.INVALID_INPUT, "dtmfString may hold 0-9, *, # and A-D only")
    return digits


def check_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Copy a call's whole data, refusing with ``Invalid Input`` unknown names and what is too long."""
    for name, value in variables.items():
        _check_variable(name, value)
    used = sum(_bytes(name) + _bytes(value) for name, value in variables.items() if _ECC.fullmatch(name))
    if used > ECC_BYTES:
        raise SwitchError(ErrorType.INVALID_INPUT, f"user variables take {used} bytes of at most {ECC_BYTES}")
    return dict(variables)


def _check_variable(name: str, value: str) -> None:
    if _CALL_VARIABLE.fullmatch(name):
        if _bytes(value) > CALL_VARIABLE_BYTES:
            raise SwitchError(ErrorType.INVALID_INPUT, f"{name} is longer than {CALL_VARIABLE_BYTES} bytes")
    elif not _ECC.fullmatch(name):
        raise SwitchError(ErrorType.INVALID_INPUT, f"{name!r} is neither callVariable1 to callVariable10 nor user.…")


def _bytes(text: str) -> int:
    return len(text.encode())
