"""What a request asks for, read from its body and checked as far as that goes without looking at any call.

These are Finesse's own checks: what they find is answered at once with 400 or 501. Everything that depends on the state
of calls is for the switch to find, later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bridge.calls.finesse.xml import Limits, XmlError, parse
from bridge.calls.model import Action, AgentStatus
from bridge.calls.simulator.arguments import check_variables
from bridge.calls.simulator.errors import SwitchError
from bridge.finesse_simulator.profile import Platform
from bridge.finesse_simulator.refusals import (
    bad_request,
    invalid_destination,
    invalid_input,
    missing,
    not_implemented,
    unauthorized,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.calls.finesse.xml import Element
    from bridge.finesse_simulator.profile import Profile

START_RECORDING: Final = "START_RECORDING"
PARTICIPANT_DROP: Final = "PARTICIPANT_DROP"
MAKE_CALL: Final[str] = Action.MAKE_CALL
LOGIN: Final = "LOGIN"

_LIMITS: Final = Limits(bytes=65_536, depth=16, elements=1000)
_OF_DIALOG: Final = {
    *(action.value for action in Action if action is not Action.MAKE_CALL),
    START_RECORDING,
    PARTICIPANT_DROP,
}
_OF_PREVIEW: Final = {
    "ACCEPT",
    "CLOSE",
    "REJECT",
    "RECLASSIFY",
    "UPDATE_SCHEDULED_CALLBACK",
    "CANCEL_SCHEDULED_CALLBACK",
}
_OF_SUPERVISOR: Final = {"SILENT_MONITOR", "BARGE_CALL"}
_STATES: Final = {LOGIN, *(status.value for status in (AgentStatus.READY, AgentStatus.NOT_READY, AgentStatus.LOGOUT))}
_DIALS: Final = {Action.CONSULT_CALL.value, Action.TRANSFER_SST.value}
_NUMBER: Final = re.compile(r"[!-~](?:[ -~]{0,62}[!-~])?")


@dataclass(frozen=True, slots=True)
class CallOrder:
    """An action on a dialog, or ``MAKE_CALL`` with ``dialog`` empty. ``target`` is ``targetMediaAddress``."""

    action: str
    dialog: str = ""
    target: str = ""
    to_address: str = ""
    digits: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    wrap_up: str | None = None


@dataclass(frozen=True, slots=True)
class StateOrder:
    """A state for an agent; ``extension`` comes with ``LOGIN``."""

    state: str
    extension: str = ""
    reason: str = ""


def read_state_order(body: bytes) -> StateOrder:
    """Read the body of ``PUT /User/{id}``.

    Raises:
        RefusalError: It is no such body.
    """
    root = _root(body, "User")
    state = _required(root, "state")
    if state not in _STATES:
        raise invalid_input("state", f"{state} is not a valid state")
    extension = _required(root, "extension") if state == LOGIN else ""
    return StateOrder(state, extension, root.value("reasonCodeId"))


def read_new_call(body: bytes, profile: Profile, extension: str) -> CallOrder:
    """Read the body of ``POST /User/{id}/Dialogs``; ``extension`` is the agent's.

    Raises:
        RefusalError: It is no such body.
    """
    root = _root(body, "Dialog")
    action = _required(root, "requestedAction")
    if action in _OF_SUPERVISOR:  # the look-alike has agents only
        raise unauthorized("")
    if action != MAKE_CALL:
        raise invalid_input("requestedAction", f"{action} is not a valid action")
    caller = _required(root, "fromAddress")
    number = _required(root, "toAddress")
    if caller != extension:
        raise invalid_input("fromAddress", f"{caller} is not the extension of the user")
    _check_destination(number, extension)
    if root.child("mediaProperties") is not None and not profile.variables_with_call:
        raise invalid_input("mediaProperties", "call variables are not supported with MAKE_CALL")
    return CallOrder(action, to_address=number, variables=_variables(root))


def read_call_order(body: bytes, profile: Profile, dialog: str) -> CallOrder:
    """Read the body of ``PUT /Dialog/{id}``.

    Raises:
        RefusalError: It is no such body.
    """
    root = _root(body, "Dialog")
    action = _required(root, "requestedAction")
    if action not in _OF_DIALOG | _OF_PREVIEW:
        raise invalid_input("requestedAction", f"{action} is not a valid action")
    if (action == START_RECORDING and not profile.records) or (
        action == PARTICIPANT_DROP and not profile.drops_participants
    ):
        raise not_implemented(action)
    if action == Action.UPDATE_CALL_DATA:
        return _read_call_data(root, dialog)
    order = CallOrder(
        action,
        dialog,
        target=_required(root, "targetMediaAddress"),
        to_address=_required(root, "toAddress") if action in _DIALS else "",
        digits=_digits(root, profile) if action == Action.SEND_DTMF else "",
    )
    if action == Action.TRANSFER_SST:
        _check_destination(order.to_address, order.target)
    elif action == Action.CONSULT_CALL and not _NUMBER.fullmatch(order.to_address):
        raise invalid_input("toAddress", "toAddress is not a number")
    return order


def _read_call_data(root: Element, dialog: str) -> CallOrder:
    properties = root.child("mediaProperties")
    if properties is None:
        raise missing("mediaProperties")
    reason = properties.child("wrapUpReason")
    variables = _variables(root)
    if reason is None and not variables:
        raise missing("callvariables")
    wrap_up = None if reason is None else reason.text.strip()
    return CallOrder(Action.UPDATE_CALL_DATA, dialog, variables=variables, wrap_up=wrap_up)


def _root(body: bytes, name: str) -> Element:
    try:
        root = parse(body, _LIMITS)
    except XmlError as error:
        raise bad_request(str(error)) from None
    if root.name != name:
        raise bad_request(f"the root element is not {name}")
    return root


def _required(root: Element, name: str) -> str:
    value = root.value(name)
    if not value:
        raise missing(name)
    return value


def _check_destination(number: str, extension: str) -> None:
    if number == extension or not _NUMBER.fullmatch(number):
        raise invalid_destination("toAddress is not a valid destination", number)


def _digits(root: Element, profile: Profile) -> str:
    parameters = root.child("actionParams")
    found = (
        [each for each in parameters.named("ActionParam") if each.value("name") == "dtmfString"] if parameters else []
    )
    digits = found[0].value("value") if found else ""
    if not digits:
        raise missing("dtmfString")
    if profile.platform is Platform.CCE and not set(digits) <= set(profile.dtmf):  # CCX leaves it to the switch
        raise invalid_input("dtmfString", "dtmfString holds other characters than 0-9, *, # and A-D")
    return digits


def _variables(root: Element) -> dict[str, str]:
    """Read the call variables, empty where there are none. No name may stand twice."""
    properties = root.child("mediaProperties")
    listed = properties.child("callvariables") if properties else None
    variables: dict[str, str] = {}
    for each in listed.named("CallVariable") if listed else ():
        name, value = each.value("name"), each.child("value")
        if name in variables:
            raise invalid_input("callvariables", f"{name} stands twice")
        variables[name] = value.text if value else ""
    try:
        return check_variables(variables)
    except SwitchError as error:
        raise invalid_input("callvariables", error.message) from None
