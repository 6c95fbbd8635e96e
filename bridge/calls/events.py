"""From call control's picture to the events on the bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.calls.model import ParticipantState
from bridge.calls.requests import SUBTOPIC_OF
from bridge.protocol import cisco

if TYPE_CHECKING:
    from bridge.calls.adapter import Failure
    from bridge.calls.desk import Desk
    from bridge.calls.model import Action, Agent, Call, Connection
    from bridge.protocol.address import Address

EVENT_ADDRESS: dict[str, Address] = {cisco.INBOUND: cisco.INBOUND_EVENT, cisco.OUTBOUND: cisco.OUTBOUND_EVENT}


def subtopics(actions: tuple[Action, ...]) -> list[str]:
    """Name the commands for these actions, as ``ActionsAllowed`` and ``allowed`` list them."""
    return [SUBTOPIC_OF[action] for action in actions]


def state_name(state: ParticipantState) -> str:
    """Give a participant's state as events spell it: lower case, ``wrap-up``."""
    return state.value.lower().replace("_", "-")


def call_event(desk: Desk, call: Call, *, ended: bool) -> dict[str, Any]:
    """Give the body of ``InboundCallStateChange`` and ``OutBoundCallStateChange``."""
    part = desk.own_part(call)
    gone = ended or part is None
    return {
        "source": "event",
        "call": {
            "id": call.id,
            "event": state_name(ParticipantState.DROPPED if part is None or ended else part.state),
            "CallType": call.call_type,
            "ResponseType": 0,
            "ResponseText": "Success",
            "ActionsAllowed": [] if gone or part is None else subtopics(part.actions),
            "associatedCall": call.associated if call.associated in desk.calls else None,
            "secondaryId": call.secondary_id,
            "ended": ended,
            "ResponseActual": {"dialog": call.to_json()},
        },
    }


def agent_event(agent: Agent) -> dict[str, Any]:
    """Give the body of ``SetAgentState``."""
    return {
        "loginId": agent.login_id,
        "loginName": agent.login_name,
        "extension": agent.extension,
        "firstName": agent.first_name,
        "lastName": agent.last_name,
        "teamName": agent.team_name,
        "roles": list(agent.roles),
        "state": agent.status.value,
        "reasonCodeId": agent.reason_code,
        "stateChangeTime": agent.changed,
    }


def connection_event(connection: Connection, since: str, reason: str | None) -> dict[str, Any]:
    """Give the body of ``SetConnectionStatus``."""
    body = {"status": connection.value, "since": since}
    return body if reason is None else body | {"reason": reason}


def api_error_event(failure: Failure) -> dict[str, Any]:
    """Give the body of ``SetAPIError``: a failure as the documented message family has it."""
    return {
        "packet": "apierror",
        "data": {"errorType": failure.error_type, "errorMessage": failure.message, "msg": failure.message},
    }
