from __future__ import annotations

import pytest

from bridge.calls.model import Action, ParticipantState
from bridge.calls.states import HAPPENINGS, TABLE, allowed_actions, leads_to, mermaid

S, A = ParticipantState, Action


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (S.INITIATING, {A.DROP, A.UPDATE_CALL_DATA}),
        (S.INITIATED, {A.DROP, A.UPDATE_CALL_DATA}),
        (S.ALERTING, {A.ANSWER}),
        (S.ACTIVE, {A.HOLD, A.CONSULT_CALL, A.TRANSFER_SST, A.SEND_DTMF, A.UPDATE_CALL_DATA, A.DROP}),
        (S.HELD, {A.RETRIEVE, A.DROP, A.UPDATE_CALL_DATA}),
        (S.FAILED, {A.DROP}),
        (S.DROPPED, set()),
        (S.WRAP_UP, {A.UPDATE_CALL_DATA}),
    ],
)
def test_allowed_actions_without_another_active_call(state: ParticipantState, expected: set[Action]) -> None:
    assert set(allowed_actions(state, other_call_active=False)) == expected


@pytest.mark.parametrize("state", ParticipantState)
def test_allowed_actions_beside_an_active_call_adds_joining_to_a_held_call_only(state: ParticipantState) -> None:
    added = set(allowed_actions(state, other_call_active=True)) - set(allowed_actions(state, other_call_active=False))

    assert added == ({A.TRANSFER, A.CONFERENCE} if state is S.HELD else set())


def test_table_knows_every_state() -> None:
    assert set(TABLE) == set(ParticipantState)


def test_make_call_belongs_to_no_call() -> None:
    assert all(rule.action is not A.MAKE_CALL for rules in TABLE.values() for rule in rules)


def test_leads_to_of_a_listed_action() -> None:
    assert leads_to(S.ACTIVE, A.CONSULT_CALL) is S.HELD
    assert leads_to(S.HELD, A.CONFERENCE) is S.ACTIVE
    assert leads_to(S.HELD, A.TRANSFER) is S.DROPPED


def test_leads_to_of_an_action_that_is_not_listed() -> None:
    with pytest.raises(ValueError, match="HOLD is no action of a participant that is HELD"):
        leads_to(S.HELD, A.HOLD)


def test_mermaid_draws_every_action_and_every_happening() -> None:
    lines = mermaid().splitlines()

    assert lines[0] == "stateDiagram-v2"
    assert "    ALERTING --> ACTIVE: ANSWER" in lines
    assert "    DROPPED --> [*]" in lines
    for state, rules in TABLE.items():
        for rule in rules:
            assert any(line.startswith(f"    {state} --> {rule.leads_to}: ") and rule.action in line for line in lines)
    for begin, end, label in HAPPENINGS:
        assert any(line.startswith(f"    {begin or '[*]'} --> {end or '[*]'}") and label in line for line in lines)


def test_mermaid_draws_one_arrow_for_a_pair_of_states() -> None:
    arrows = [line.split(":")[0] for line in mermaid().splitlines()[1:]]

    assert len(arrows) == len(set(arrows))
