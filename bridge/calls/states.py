"""What an agent may do with a call, and where that leads: one table, two rules.

1. An action is allowed when ``TABLE`` lists it under the state of the agent's own participant. Nothing else about the
   call counts, save what the entry itself asks: ``TRANSFER`` and ``CONFERENCE`` join a held call to another one, so
   they need another call of the same agent that is ACTIVE. A call that still rings is not, hence no blind conference.
2. An entry's second column is the state in which the action leaves the agent's participant in *that* call. What comes
   over a call without its agent's doing stands in ``HAPPENINGS``. It allows nothing and serves the diagram only.

``MAKE_CALL`` goes to no call and therefore is not in the table.

Source: Finesse developer guide, "Dialog APIs", allowable actions by participant state; the actions of ACTIVE beyond
that list (``TRANSFER_SST``, ``SEND_DTMF``) are what Finesse is seen to send.
"""

from __future__ import annotations

from typing import NamedTuple

from bridge.calls.model import Action, ParticipantState


class Rule(NamedTuple):
    """One allowed action: where it leads, and whether it needs another ACTIVE call of the agent."""

    action: Action
    leads_to: ParticipantState
    needs_other_active: bool = False


_S = ParticipantState
_A = Action

TABLE: dict[ParticipantState, tuple[Rule, ...]] = {
    _S.INITIATING: (
        Rule(_A.UPDATE_CALL_DATA, _S.INITIATING),
        Rule(_A.DROP, _S.DROPPED),
    ),
    _S.INITIATED: (
        Rule(_A.UPDATE_CALL_DATA, _S.INITIATED),
        Rule(_A.DROP, _S.DROPPED),
    ),
    _S.ALERTING: (Rule(_A.ANSWER, _S.ACTIVE),),
    _S.ACTIVE: (
        Rule(_A.HOLD, _S.HELD),
        Rule(_A.CONSULT_CALL, _S.HELD),
        Rule(_A.TRANSFER_SST, _S.DROPPED),
        Rule(_A.SEND_DTMF, _S.ACTIVE),
        Rule(_A.UPDATE_CALL_DATA, _S.ACTIVE),
        Rule(_A.DROP, _S.DROPPED),
    ),
    _S.HELD: (
        Rule(_A.RETRIEVE, _S.ACTIVE),
        Rule(_A.TRANSFER, _S.DROPPED, needs_other_active=True),
        Rule(_A.CONFERENCE, _S.ACTIVE, needs_other_active=True),
        Rule(_A.UPDATE_CALL_DATA, _S.HELD),
        Rule(_A.DROP, _S.DROPPED),
    ),
    _S.FAILED: (Rule(_A.DROP, _S.DROPPED),),
    _S.DROPPED: (),
    _S.WRAP_UP: (Rule(_A.UPDATE_CALL_DATA, _S.WRAP_UP),),
}

HAPPENINGS: tuple[tuple[ParticipantState | None, ParticipantState | None, str], ...] = (
    (None, _S.INITIATING, "MAKE_CALL, or the new call of CONSULT_CALL"),
    (None, _S.ALERTING, "a call is offered"),
    (None, _S.ACTIVE, "joined by transfer or conference"),
    (_S.INITIATING, _S.INITIATED, "number dialled"),
    (_S.INITIATED, _S.ACTIVE, "answered"),
    (_S.INITIATED, _S.FAILED, "busy or bad number"),
    (_S.INITIATED, _S.DROPPED, "the other side hangs up"),
    (_S.ALERTING, _S.DROPPED, "the caller hangs up"),
    (_S.ACTIVE, _S.HELD, "another call is answered"),
    (_S.ACTIVE, _S.DROPPED, "the other side hangs up"),
    (_S.ACTIVE, _S.WRAP_UP, "the other side hangs up, with wrap-up"),
    (_S.HELD, _S.DROPPED, "the other side hangs up"),
    (_S.WRAP_UP, _S.DROPPED, "wrap-up is over"),
    (_S.DROPPED, None, ""),
)


def allowed_actions(state: ParticipantState, *, other_call_active: bool) -> tuple[Action, ...]:
    """Return what an agent whose participant is in ``state`` may do, always in the table's order.

    ``other_call_active`` says whether the agent also is ACTIVE in another call that is ACTIVE.
    """
    return tuple(rule.action for rule in TABLE[state] if other_call_active or not rule.needs_other_active)


def leads_to(state: ParticipantState, action: Action) -> ParticipantState:
    """Return the state in which a successful ``action`` leaves the agent's participant.

    Raises:
        ValueError: The table does not list the action under that state.
    """
    for rule in TABLE[state]:
        if rule.action is action:
            return rule.leads_to
    raise ValueError(f"{action} is no action of a participant that is {state}")


def mermaid() -> str:
    """Draw both tables as a Mermaid ``stateDiagram-v2``, one arrow for each pair of states."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, rules in TABLE.items():
        for rule in rules:
            arrows.setdefault((state, rule.leads_to), []).append(_label(rule))
    for begin, end, label in HAPPENINGS:
        arrows.setdefault((begin or "[*]", end or "[*]"), []).append(label)
    lines = [f"    {begin} --> {end}{_caption(labels)}" for (begin, end), labels in arrows.items()]
    return "\n".join(["stateDiagram-v2", *lines, ""])


def _label(rule: Rule) -> str:
    return f"{rule.action} (another call ACTIVE)" if rule.needs_other_active else rule.action


def _caption(labels: list[str]) -> str:
    text = ", ".join(filter(None, labels))
    return f": {text}" if text else ""
