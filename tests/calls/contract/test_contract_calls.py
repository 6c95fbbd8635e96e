"""One call: it rings, is answered, held, retrieved, made and dropped, by request and by telephone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.calls.adapter import CallEnded
from bridge.calls.model import Action, CallState, Cause, ParticipantState
from tests.calls.contract.desks import CUSTOMER, causes, of

if TYPE_CHECKING:
    from tests.calls.contract.desks import Desk
    from tests.calls.contract.stage import Stage

ACTIVE, ALERTING, HELD = ParticipantState.ACTIVE, ParticipantState.ALERTING, ParticipantState.HELD


async def test_a_customers_call_rings_and_nobody_asked_for_it(desk: Desk) -> None:
    call = await desk.rings(callVariable1="gold")

    shown = desk.calls[call]
    assert (shown.state, desk.part(call)) == (CallState.ALERTING, ALERTING)
    assert (shown.from_address, shown.to_address) == (CUSTOMER, desk.extension)
    assert shown.variables["callVariable1"] == "gold"
    assert desk.may(call) == {Action.ANSWER}
    assert call.isdigit()
    assert causes(desk.told()) == {None}


async def test_answer(desk: Desk) -> None:
    call = await desk.rings()

    answer = desk.ask(Action.ANSWER, call)

    told = await desk.did(answer, lambda: desk.part(call) is ACTIVE)
    assert causes(told) == {answer}
    assert desk.calls[call].state is CallState.ACTIVE
    assert {Action.HOLD, Action.CONSULT_CALL, Action.DROP} <= desk.may(call)


async def test_hold_and_retrieve(desk: Desk) -> None:
    call = await desk.talks()

    hold = desk.ask(Action.HOLD, call)
    assert causes(await desk.did(hold, lambda: desk.part(call) is HELD)) == {hold}
    assert desk.calls[call].state is CallState.ACTIVE

    retrieve = desk.ask(Action.RETRIEVE, call)
    assert causes(await desk.did(retrieve, lambda: desk.part(call) is ACTIVE)) == {retrieve}


async def test_drop(desk: Desk) -> None:
    call = await desk.talks()

    drop = desk.ask(Action.DROP, call)

    told = await desk.did(drop, lambda: call not in desk.calls)
    assert causes(told) == {drop}
    assert isinstance(told[-1], CallEnded)
    assert told[-1].call.state is CallState.DROPPED


async def test_an_agent_who_uses_the_telephone_is_nobodys_request(desk: Desk, stage: Stage) -> None:
    call = await desk.rings()

    await stage.answers(desk.seat, desk.extension)
    await desk.until_part(call, ACTIVE)
    await stage.hangs_up(desk.seat, desk.extension)
    await desk.until_part(call, None)

    assert causes(desk.told()) == {None}


@pytest.mark.parametrize("last", [Action.ANSWER, Action.HOLD, Action.RETRIEVE, Action.UPDATE_CALL_DATA])
async def test_a_customer_who_hangs_up_is_nobodys_request(desk: Desk, stage: Stage, last: Action) -> None:
    call = await desk.rings()
    for action, state in ((Action.ANSWER, ACTIVE), (Action.HOLD, HELD), (Action.RETRIEVE, ACTIVE)):
        await desk.did(desk.ask(action, call), lambda state=state: desk.part(call) is state)  # type: ignore[misc]
        if action is last:
            break
    if last is Action.UPDATE_CALL_DATA:
        await desk.did(
            desk.ask(last, call, variables={"callVariable1": "a"}),
            lambda: desk.calls[call].variables.get("callVariable1") == "a",
        )
    before = desk.now

    await stage.hangs_up(desk.seat, CUSTOMER)

    await desk.until_part(call, None)
    assert causes(desk.told(before)) == {None}
    assert isinstance(desk.told()[-1], CallEnded)


async def test_a_call_that_ends_is_told_to_have_ended_once(desk: Desk, stage: Stage) -> None:
    first = await desk.talks()
    await desk.did(desk.ask(Action.DROP, first), lambda: first not in desk.calls)
    second = await desk.talks()
    await stage.hangs_up(desk.seat, CUSTOMER)
    await desk.until_part(second, None)

    assert first != second
    assert [change.call.id for change in desk.told() if isinstance(change, CallEnded)] == [first, second]


async def test_make_call_rings_and_is_answered_by_telephone(desk: Desk, stage: Stage) -> None:
    number = stage.number()

    made = desk.ask(Action.MAKE_CALL, to_address=number)

    told = await desk.did(made, lambda: any(call.state is CallState.ALERTING for call in desk.calls.values()))
    (call,) = desk.calls.values()
    assert causes(told) == {made}
    assert (call.from_address, call.to_address) == (desk.extension, number)
    assert desk.part(call.id) is ParticipantState.INITIATED
    before = desk.now

    await desk.answered(call.id, number)

    assert desk.calls[call.id].state is CallState.ACTIVE
    assert causes(desk.told(before)) == {None}


async def test_make_call_to_a_colleague_is_told_to_both(desk: Desk, colleague: Desk) -> None:
    call = await desk.dials(colleague.extension)
    await colleague.until_part(call, ALERTING)

    answer = colleague.ask(Action.ANSWER, call)

    assert causes(await colleague.did(answer, lambda: colleague.part(call) is ACTIVE)) == {answer}
    await desk.until_part(call, ACTIVE)


@pytest.mark.parametrize("which", [Cause.BUSY, Cause.BAD_DESTINATION])
async def test_make_call_that_cannot_succeed_fails_and_is_dropped(desk: Desk, stage: Stage, which: Cause) -> None:
    made = desk.ask(Action.MAKE_CALL, to_address=stage.busy if which is Cause.BUSY else stage.bad)

    told = await desk.did(made, lambda: any(call.state is CallState.FAILED for call in desk.calls.values()))
    (call,) = desk.calls.values()
    assert causes(told) == {made}
    party = call.participant(desk.extension)
    assert party is not None
    assert (party.state, party.cause) == (ParticipantState.FAILED, which)
    assert desk.may(call.id) == {Action.DROP}

    drop = desk.ask(Action.DROP, call.id)
    assert causes(await desk.did(drop, lambda: not desk.calls)) == {drop}


async def test_a_second_call_that_is_answered_puts_the_first_on_hold(desk: Desk) -> None:
    first = await desk.talks()
    second = await desk.rings()

    answer = desk.ask(Action.ANSWER, second)

    told = await desk.did(answer, lambda: desk.part(first) is HELD and desk.part(second) is ACTIVE)
    assert causes(of(told, first)) == {answer}
    assert causes(of(told, second)) == {answer}


async def test_touch_tones_are_taken_and_nothing_is_told(desk: Desk) -> None:
    call = await desk.talks()
    before = desk.now

    await desk.taken(desk.ask(Action.SEND_DTMF, call, digits="0123456789*#"))

    # Whatever comes for this request comes before the answer to the next one on the same call.
    hold = desk.ask(Action.HOLD, call)
    assert causes(await desk.did(hold, lambda: desk.part(call) is HELD)) == {hold}
    assert causes(desk.told(before)) == {hold}


async def test_call_data_is_added_to_what_is_there(desk: Desk) -> None:
    call = await desk.rings(callVariable1="a", callVariable2="b")
    await desk.did(desk.ask(Action.ANSWER, call), lambda: desk.part(call) is ACTIVE)
    data = {"callVariable2": "grün & <gut>", "user.note": "x" * 100}

    update = desk.ask(Action.UPDATE_CALL_DATA, call, variables=data)

    told = await desk.did(update, lambda: data.items() <= desk.calls[call].variables.items())
    assert causes(told) == {update}
    assert desk.calls[call].variables["callVariable1"] == "a"


async def test_single_step_transfer_takes_the_agent_out(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()

    transfer = desk.ask(Action.TRANSFER_SST, call, to_address=stage.number())

    told = await desk.did(transfer, lambda: call not in desk.calls)
    assert causes(told) == {transfer}
    assert isinstance(told[-1], CallEnded)


async def test_single_step_transfer_to_a_colleague_rings_there(desk: Desk, colleague: Desk) -> None:
    call = await desk.talks()

    transfer = desk.ask(Action.TRANSFER_SST, call, to_address=colleague.extension)

    await desk.did(transfer, lambda: call not in desk.calls)
    await colleague.until_part(call, ALERTING)
    assert causes(colleague.told()) <= {None, transfer}
    await colleague.did(colleague.ask(Action.ANSWER, call), lambda: colleague.part(call) is ACTIVE)


@pytest.mark.needs("loses_answers")
async def test_an_answer_that_is_lost_leaves_the_result_to_tell(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    await stage.loses_the_answer(desk.seat, Action.HOLD)

    hold = desk.ask(Action.HOLD, call)

    answers = desk.floor.recorder.answers[hold]
    await desk.until(lambda: answers and desk.part(call) is HELD)
    assert answers == ["unanswered"]
    assert causes(of(desk.told(), call)[-1:]) == {hold}
    retrieve = desk.ask(Action.RETRIEVE, call)
    assert causes(await desk.did(retrieve, lambda: desk.part(call) is ACTIVE)) == {retrieve}


async def test_two_agents_are_told_of_their_own_calls_only(desk: Desk, colleague: Desk) -> None:
    ours, theirs = await desk.talks(), await colleague.talks()

    hold = colleague.ask(Action.HOLD, theirs)
    await colleague.did(hold, lambda: colleague.part(theirs) is HELD)

    assert set(desk.calls) == {ours}
    assert set(colleague.calls) == {theirs}
    assert desk.part(ours) is ACTIVE
    assert hold not in causes(desk.told())
