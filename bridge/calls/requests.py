"""From a command on the bus to a request to the switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never, cast

from bridge.calls.adapter import (
    CallRequest,
    ChangeStatus,
    OfferCall,
    PartyAnswer,
    PartyDrop,
    ReadAgent,
    Request,
    SignIn,
)
from bridge.calls.model import Action, AgentStatus
from bridge.protocol import cisco, simulator

if TYPE_CHECKING:
    from bridge.broker.gate import Command

SUBTOPIC_OF: dict[Action, str] = {
    Action.CONSULT_CALL: "SetCONSULT",
    Action.CONFERENCE: "SetCONFERENCE",
    Action.TRANSFER: "SetTRANSFER",
    Action.TRANSFER_SST: "SetTRANSFER_SST",
    Action.ANSWER: "SetANSWER",
    Action.HOLD: "SetHOLD",
    Action.RETRIEVE: "SetRETRIEVE",
    Action.DROP: "SetDROP",
    Action.SEND_DTMF: "SetSEND_DTMF",
    Action.MAKE_CALL: "SetMakeCall",
    Action.UPDATE_CALL_DATA: "SetUPDATE_CALL_DATA",
}
"""The command that asks for each action."""

ACTION_OF = {subtopic: action for action, subtopic in SUBTOPIC_OF.items()}

DIALS = frozenset({Action.CONSULT_CALL, Action.MAKE_CALL, Action.TRANSFER_SST})
"""Actions that call somebody: they get more time, and none of them twice at once from one call."""


def request_for(command: Command, request_id: str) -> Request:
    """Translate a command that the catalogue has checked."""
    action = ACTION_OF.get(command.address.subtopic)
    if action is not None:
        return _call_request(command, request_id, action)
    if command.address.channel == simulator.CHANNEL:
        return _outside_request(command, request_id)
    return _agent_request(command, request_id)


def _call_request(command: Command, request_id: str, action: Action) -> CallRequest:
    body: Any = command.body
    return CallRequest(
        id=request_id,
        workspace=command.workspace,
        action=action,
        call=getattr(body, "CallID", None),
        to_address=getattr(body, "toAddress", None),
        digits=getattr(body, "digits", None),
        variables=getattr(body, "callVariables", {}),
    )


def _outside_request(command: Command, request_id: str) -> Request:
    body = cast("simulator.Offer | simulator.PartyAnswer | simulator.PartyDrop", command.body)
    match body:
        case simulator.Offer():
            return OfferCall(request_id, command.workspace, body.fromAddress, body.variables or {})
        case simulator.PartyAnswer():
            return PartyAnswer(request_id, command.workspace, body.address)
        case simulator.PartyDrop():
            return PartyDrop(request_id, command.workspace, body.address, body.CallID)
        case _:
            assert_never(body)


_AgentBody = cisco.SetUserInfo | cisco.SetReadyState | cisco.SetNotReadyState | cisco.GetAgentState | cisco.Logout


def _agent_request(command: Command, request_id: str) -> Request:
    body = cast("_AgentBody", command.body)
    match body:
        case cisco.SetUserInfo():
            return _sign_in(command.workspace, request_id, body)
        case cisco.SetReadyState():
            return ChangeStatus(request_id, command.workspace, AgentStatus.READY)
        case cisco.SetNotReadyState():
            return ChangeStatus(request_id, command.workspace, AgentStatus.NOT_READY, body.ReasonCodeId)
        case cisco.Logout():
            return ChangeStatus(request_id, command.workspace, AgentStatus.LOGOUT, body.ReasonCodeId)
        case cisco.GetAgentState():
            return ReadAgent(request_id, command.workspace)
        case _:
            assert_never(body)


def _sign_in(workspace: str, request_id: str, body: cisco.SetUserInfo) -> SignIn:
    return SignIn(
        id=request_id,
        workspace=workspace,
        username=body.username,
        extension=body.extension,
        password=body.password,
        token=body.token,
    )
