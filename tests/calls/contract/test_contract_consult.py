"""A second call beside the first: consult, and the ways on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.calls.adapter import CallEnded
from bridge.calls.model import Action, CallState, Cause, ParticipantState
from tests.calls.contract.desks import CUSTOMER, causes, of

if TYPE_CHECKING:
    from bridge.calls.model import Call
    from tests.calls.contract.desks import Desk
    from tests.calls.contract.stage import Stage

ACTIVE, ALERTING, HELD = ParticipantState.ACTIVE, ParticipantState.ALERTING, ParticipantState.HELD
FAILED = ParticipantState.FAILED


def _own_state(desk: Desk, call: Call) -> ParticipantState | None:
    party = call.participant(desk.extension)
    return party.state if party is not None else None


async def test_consult_holds_the_call_and_tells_the_new_one_from_the_start(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    number = stage.number()

    request = desk.ask(Action.CONSULT_CALL, call, to_address=number)

    told = await desk.did(request, lambda: any(new.state is CallState.ALERTING for new in desk.calls.values()))
    (consult,) = set(desk.calls) - {call}
    assert causes(told) == {request}
    assert desk.part(call) is HELD
    assert [change.call.state for change in of(told, consult)] == [
        CallState.INITIATING,
        CallState.INITIATED,
        CallState.ALERTING,
    ]
    assert {(change.call.associated, change.call.call_type) for change in of(told, consult)} == {(call, "CONSULT")}
    assert (desk.calls[consult].from_address, desk.calls[consult].to_address) == (desk.extension, number)


async def test_a_consulted_party_that_answers_makes_transfer_and_conference_possible(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    number = stage.number()
    consult = await desk.consults(call, number)
    assert not {Action.TRANSFER, Action.CONFERENCE} & desk.may(call)
    before = desk.now

    await desk.answered(consult, number)

    await desk.until_joinable(call)
    assert causes(desk.told(before)) == {None}


async def test_conference_joins_both_calls_in_the_held_one(desk: Desk) -> None:
    call, consult = await desk.consulting()

    request = desk.ask(Action.CONFERENCE, call)

    told = await desk.did(request, lambda: consult not in desk.calls and desk.part(call) is ACTIVE)
    assert causes(told) == {request}
    assert [change.call.id for change in told if isinstance(change, CallEnded)] == [consult]
    assert desk.calls[call].secondary_id == consult
    assert len(desk.calls[call].participants) == 3


async def test_who_leaves_a_conference_by_telephone_is_nobodys_request(desk: Desk, stage: Stage) -> None:
    call, consult = await desk.consulting()
    conference = desk.ask(Action.CONFERENCE, call)
    await desk.did(conference, lambda: consult not in desk.calls and desk.part(call) is ACTIVE)
    before = desk.now

    await stage.hangs_up(desk.seat, CUSTOMER)
    await desk.until(lambda: len(desk.calls[call].participants) == 2, "the customer's leaving")

    assert causes(desk.told(before)) == {None}
    assert desk.part(call) is ACTIVE

    drop = desk.ask(Action.DROP, call)
    assert causes(await desk.did(drop, lambda: not desk.calls)) == {drop}


async def test_hold_and_retrieve_of_a_conference_have_causes_of_their_own(desk: Desk) -> None:
    call, consult = await desk.consulting()
    conference = desk.ask(Action.CONFERENCE, call)
    await desk.did(conference, lambda: consult not in desk.calls and desk.part(call) is ACTIVE)

    hold = desk.ask(Action.HOLD, call)
    assert causes(await desk.did(hold, lambda: desk.part(call) is HELD)) == {hold}

    retrieve = desk.ask(Action.RETRIEVE, call)
    assert causes(await desk.did(retrieve, lambda: desk.part(call) is ACTIVE)) == {retrieve}


async def test_transfer_takes_both_calls_from_the_agent(desk: Desk) -> None:
    call, consult = await desk.consulting()

    request = desk.ask(Action.TRANSFER, call)

    told = await desk.did(request, lambda: not desk.calls)
    assert causes(told) == {request}
    assert {change.call.id for change in told if isinstance(change, CallEnded)} == {call, consult}


async def test_a_colleague_who_is_consulted_gets_the_customer_by_transfer(desk: Desk, colleague: Desk) -> None:
    call = await desk.talks()
    consult = await desk.consults(call, colleague.extension)
    await colleague.until_part(consult, ALERTING)
    assert set(colleague.calls) == {consult}
    answer = colleague.ask(Action.ANSWER, consult)
    assert causes(await colleague.did(answer, lambda: colleague.part(consult) is ACTIVE)) == {answer}
    await desk.until_joinable(call)

    transfer = desk.ask(Action.TRANSFER, call)

    assert causes(await desk.did(transfer, lambda: not desk.calls)) == {transfer}
    await colleague.until(lambda: set(colleague.calls) == {call}, "the customer's call in the consult's place")
    assert colleague.calls[call].secondary_id == consult
    assert colleague.part(call) is ACTIVE
    assert causes(colleague.told()) & colleague.requests == {answer}

    drop = colleague.ask(Action.DROP, call)
    assert causes(await colleague.did(drop, lambda: not colleague.calls)) == {drop}


async def test_a_colleague_who_answers_is_not_the_one_who_asked_for_the_consult(desk: Desk, colleague: Desk) -> None:
    call = await desk.talks()
    request = desk.ask(Action.CONSULT_CALL, call, to_address=colleague.extension)
    await desk.did(request, lambda: any(new.state is CallState.ALERTING for new in desk.calls.values()))
    (consult,) = set(desk.calls) - {call}
    before = desk.now

    answer = colleague.ask(Action.ANSWER, consult)
    await colleague.did(answer, lambda: colleague.part(consult) is ACTIVE)
    await desk.until_part(consult, ACTIVE)

    assert causes(desk.told(before)) <= {None, answer}
    assert request not in causes(colleague.told(before))


@pytest.mark.parametrize("which", [Cause.BUSY, Cause.BAD_DESTINATION])
async def test_consult_that_cannot_succeed_leaves_the_original_held(desk: Desk, stage: Stage, which: Cause) -> None:
    call = await desk.talks()

    request = desk.ask(Action.CONSULT_CALL, call, to_address=stage.busy if which is Cause.BUSY else stage.bad)

    told = await desk.did(request, lambda: any(new.state is CallState.FAILED for new in desk.calls.values()))
    (dead,) = set(desk.calls) - {call}
    assert causes(told) == {request}
    party = desk.calls[dead].participant(desk.extension)
    assert party is not None
    assert (party.state, party.cause, desk.part(call)) == (FAILED, which, HELD)

    drop = desk.ask(Action.DROP, dead)
    assert causes(await desk.did(drop, lambda: dead not in desk.calls)) == {drop}
    retrieve = desk.ask(Action.RETRIEVE, call)
    assert causes(await desk.did(retrieve, lambda: desk.part(call) is ACTIVE)) == {retrieve}


async def test_consult_that_is_dropped_while_it_dials(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    request = desk.ask(Action.CONSULT_CALL, call, to_address=stage.number())
    await desk.until(lambda: len(desk.calls) == 2, "the consult call")
    (consult,) = set(desk.calls) - {call}

    drop = desk.ask(Action.DROP, consult)

    await desk.did(drop, lambda: consult not in desk.calls)
    told = of(desk.told(), consult)
    dialled = [change for change in told if _own_state(desk, change.call) is not ParticipantState.DROPPED]
    assert causes(dialled) == {request}
    assert causes(told[len(dialled) :]) == {drop}
    assert isinstance(told[-1], CallEnded)
    assert desk.part(call) is HELD


async def test_consult_that_rings_and_is_dropped_leaves_the_original_held(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    consult = await desk.consults(call, stage.number())

    drop = desk.ask(Action.DROP, consult)

    assert causes(await desk.did(drop, lambda: consult not in desk.calls)) == {drop}
    assert desk.part(call) is HELD


async def test_a_consulted_party_that_hangs_up_is_nobodys_request(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    number = stage.number()
    consult = await desk.consults(call, number)
    await desk.answered(consult, number)
    before = desk.now

    await stage.hangs_up(desk.seat, number)

    await desk.until_part(consult, None)
    assert causes(desk.told(before)) == {None}
    assert desk.part(call) is HELD


async def test_a_customer_who_hangs_up_meanwhile_leaves_the_consult(desk: Desk, stage: Stage) -> None:
    call, consult = await desk.consulting()
    before = desk.now

    await stage.hangs_up(desk.seat, CUSTOMER)

    await desk.until_part(call, None)
    assert causes(desk.told(before)) == {None}
    assert desk.part(consult) is ACTIVE


@pytest.mark.parametrize("action", [Action.CONFERENCE, Action.TRANSFER])
async def test_a_held_call_joins_an_active_one_that_it_was_not_consulted_from(desk: Desk, action: Action) -> None:
    first = await desk.talks()
    await desk.did(desk.ask(Action.HOLD, first), lambda: desk.part(first) is HELD)
    second = await desk.rings()
    await desk.did(desk.ask(Action.ANSWER, second), lambda: desk.part(second) is ACTIVE)
    await desk.until_joinable(first)

    request = desk.ask(action, first)

    told = await desk.did(request, lambda: second not in desk.calls)
    assert causes(told) == {request}
    if action is Action.CONFERENCE:
        assert desk.calls[first].secondary_id == second
        assert desk.part(first) is ACTIVE
    else:
        assert not desk.calls


async def test_a_second_consult_after_the_first_was_given_up(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    given_up = await desk.consults(call, stage.number())
    await desk.did(desk.ask(Action.DROP, given_up), lambda: given_up not in desk.calls)
    await desk.did(desk.ask(Action.RETRIEVE, call), lambda: desk.part(call) is ACTIVE)

    request = desk.ask(Action.CONSULT_CALL, call, to_address=stage.number())

    told = await desk.did(request, lambda: any(new.state is CallState.ALERTING for new in desk.calls.values()))
    assert causes(told) == {request}
    assert given_up not in desk.calls
