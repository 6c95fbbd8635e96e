"""When a command is complete: the rules of wire protocol section 6, one function per kind of command.

Each looks at the picture and says: complete, failed, or nothing yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bridge.calls.adapter import (
    CallRequest,
    ChangeStatus,
    Failure,
    OfferCall,
    PartyAnswer,
    PartyDrop,
    ReadAgent,
    SignIn,
)
from bridge.calls.desk import Stage
from bridge.calls.model import Action, AgentStatus, CallState, Cause, Connection, ParticipantState

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.desk import Desk, Pending

LEFT = frozenset({None, ParticipantState.DROPPED, ParticipantState.WRAP_UP})
"""The agent is out of a call: it is gone, or only the paperwork is left."""

READY_OR_BUSY = frozenset(
    {
        AgentStatus.READY,
        AgentStatus.RESERVED,
        AgentStatus.RESERVED_OUTBOUND,
        AgentStatus.RESERVED_OUTBOUND_PREVIEW,
        AgentStatus.TALKING,
    },
)
"""An agent who became ready may have got a call in the same moment."""


class Complete(NamedTuple):
    """The state shows the result; ``call`` and ``consult_call`` are what the outcome names."""

    call: str | None = None
    consult_call: str | None = None


Verdict = Complete | Failure | None

ENDED_FIRST = Failure("Invalid State", "the call ended first")
CANCELLED = Failure("Cancelled", "the call was dropped while it dialled")

_failure_of: dict[Cause | None, str] = {Cause.BUSY: "Device Busy", Cause.BAD_DESTINATION: "Invalid Destination"}


def judge(desk: Desk, pending: Pending) -> Verdict:
    """Say whether the picture shows the result of a command that the switch has taken."""
    request = pending.request
    if isinstance(request, CallRequest):
        # The calls of an agent who is not followed any more show nothing.
        return _RULES[request.action](desk, pending, request) if desk.signed_in == pending.agent else None
    if isinstance(request, SignIn):
        is_in = desk.connection is Connection.CONNECTED and desk.extension == request.extension
        # Who was signed in before gives new credentials: that the agent still is does not show whether they are good.
        return Complete() if is_in and (pending.taken or pending.stage is Stage.UNANSWERED) else None
    if isinstance(request, ChangeStatus):
        return Complete() if _status_shown(desk, request.status) else None
    if isinstance(request, OfferCall):
        return Complete(pending.new_call) if pending.new_call is not None else None
    if isinstance(request, PartyAnswer | PartyDrop | ReadAgent):
        return Complete() if pending.stage is Stage.TAKEN else None
    return None


def _status_shown(desk: Desk, status: AgentStatus) -> bool:
    if desk.agent is None or desk.agent.status is AgentStatus.LOGOUT:
        return status is AgentStatus.LOGOUT
    if status is AgentStatus.READY:
        return desk.agent.status in READY_OR_BUSY
    return desk.agent.status is status


def _reaches(state: ParticipantState) -> Callable[[Desk, Pending, CallRequest], Verdict]:
    def rule(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
        del pending
        current = desk.own_state(request.call or "")
        if current is state:
            return Complete(request.call)
        return ENDED_FIRST if current in LEFT else None

    return rule


def _has_left(desk: Desk, pending: Pending, call: str | None) -> bool:
    """Say whether the agent is out of a call: a switch that shows it ``DROPPED`` takes it away in the next moment.

    That moment is waited for, so that the outcome comes after the event that removes the call.
    """
    state = desk.own_state(call or "")
    if state is ParticipantState.DROPPED:
        return pending.stage is Stage.EXPIRING
    return state in LEFT


def _leaves(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
    """Hold for dropping and single-step transfer: the agent's leg has ended."""
    return Complete(request.call) if _has_left(desk, pending, request.call) else None


def _dials(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
    """Look at the new dialog: it rings or is answered, has failed, or is gone before either."""
    new_call = pending.new_call
    if new_call is None:
        return None
    known = desk.calls.get(new_call)
    if known is None:
        return CANCELLED
    if known.call.state in {CallState.ALERTING, CallState.ACTIVE}:
        if request.action is Action.MAKE_CALL:
            return Complete(new_call)
        return Complete(request.call, new_call)
    if known.call.state is CallState.FAILED:
        return _dial_failure(desk, new_call, request.to_address or "")
    return None


def _dial_failure(desk: Desk, new_call: str, to_address: str) -> Failure:
    part = desk.own_part(desk.calls[new_call].call)
    causes = [part.cause] if part is not None else []
    causes += [other.cause for other in desk.calls[new_call].call.participants]
    cause = next((cause for cause in causes if cause is not None), None)
    error_type = _failure_of.get(cause, "Call Operation Failure")
    message = f"{to_address} could not be called: {cause.value if cause else 'no cause given'}"
    return Failure(error_type, message, cause.value if cause else None)


def _transfers(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
    """Both legs leave the agent."""
    if _has_left(desk, pending, request.call) and _has_left(desk, pending, pending.partner):
        return Complete(request.call)
    return None


def _confers(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
    """Show the held call active and the other one merged into it."""
    current = desk.own_state(request.call or "")
    if current in LEFT:
        return ENDED_FIRST
    if current is ParticipantState.ACTIVE and _has_left(desk, pending, pending.partner):
        return Complete(request.call)
    return None


def _sends_tones(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
    """Never shows: the service completes it when no error has come in time."""
    del pending
    return ENDED_FIRST if desk.own_state(request.call or "") in LEFT else None


def _shows_data(desk: Desk, pending: Pending, request: CallRequest) -> Verdict:
    del pending
    known = desk.calls.get(request.call or "")
    if known is None:
        return ENDED_FIRST
    shown = all(known.call.variables.get(name) == value for name, value in request.variables.items())
    return Complete(request.call) if shown else None


_RULES: dict[Action, Callable[[Desk, Pending, CallRequest], Verdict]] = {
    Action.HOLD: _reaches(ParticipantState.HELD),
    Action.RETRIEVE: _reaches(ParticipantState.ACTIVE),
    Action.ANSWER: _reaches(ParticipantState.ACTIVE),
    Action.DROP: _leaves,
    Action.TRANSFER_SST: _leaves,
    Action.CONSULT_CALL: _dials,
    Action.MAKE_CALL: _dials,
    Action.TRANSFER: _transfers,
    Action.CONFERENCE: _confers,
    Action.SEND_DTMF: _sends_tones,
    Action.UPDATE_CALL_DATA: _shows_data,
}
