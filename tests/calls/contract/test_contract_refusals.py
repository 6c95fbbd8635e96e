"""What is not possible is refused, at once or after it was taken, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.adapter import AgentChanged
from bridge.calls.model import Action, AgentStatus, ParticipantState
from tests.calls.contract.desks import Floor, of

if TYPE_CHECKING:
    from tests.calls.contract.desks import Desk
    from tests.calls.contract.stage import Stage

ACTIVE, ALERTING, HELD = ParticipantState.ACTIVE, ParticipantState.ALERTING, ParticipantState.HELD
INITIATED, FAILED = ParticipantState.INITIATED, ParticipantState.FAILED

ON_A_CALL = [action for action in Action if action is not Action.MAKE_CALL]


async def call_in(desk: Desk, state: ParticipantState) -> str:
    """Bring a call into that state for the agent, with no other call ACTIVE."""
    stage = desk.floor.stage
    match state:
        case ParticipantState.ALERTING:
            call = await desk.rings()
        case ParticipantState.ACTIVE:
            call = await desk.talks()
        case ParticipantState.HELD:
            call = await desk.talks()
            await desk.did(desk.ask(Action.HOLD, call), lambda: desk.part(call) is HELD)
        case ParticipantState.INITIATED:
            call = await desk.dials(stage.number())
        case _:
            call = await desk.dials(stage.busy)
    assert desk.part(call) is state
    return call


def arguments(action: Action, stage: Stage) -> dict[str, Any]:
    """Give what an action needs beside its call."""
    match action:
        case Action.CONSULT_CALL | Action.TRANSFER_SST:
            return {"to_address": stage.number()}
        case Action.SEND_DTMF:
            return {"digits": "1"}
        case Action.UPDATE_CALL_DATA:
            return {"variables": {"callVariable1": "x"}}
        case _:
            return {}


@pytest.mark.parametrize("state", [ALERTING, ACTIVE, HELD, INITIATED, FAILED], ids=str)
async def test_what_a_call_does_not_allow_is_refused_and_changes_nothing(
    desk: Desk, stage: Stage, state: ParticipantState
) -> None:
    call = await call_in(desk, state)
    illegal = [action for action in ON_A_CALL if action not in desk.may(call)]
    assert illegal
    await desk.settled()
    before, truth = desk.now, await stage.truth(desk.seat)

    for action in illegal:
        await desk.refused(desk.ask(action, call, **arguments(action, stage)))

    assert desk.told(before) == []
    assert await stage.truth(desk.seat) == truth


@pytest.mark.parametrize("action", [Action.CONFERENCE, Action.TRANSFER])
async def test_no_join_while_the_consult_still_rings(desk: Desk, stage: Stage, action: Action) -> None:
    call = await desk.talks()
    await desk.consults(call, stage.number())
    before, truth = desk.now, await stage.truth(desk.seat)

    await desk.refused(desk.ask(action, call))

    assert desk.told(before) == []
    assert await stage.truth(desk.seat) == truth


async def test_single_step_transfer_to_a_bad_number_leaves_the_call_with_the_agent(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    before = desk.now

    await desk.refused(desk.ask(Action.TRANSFER_SST, call, to_address=stage.bad))

    await desk.settled()
    assert desk.told(before) == []
    assert desk.part(call) is ACTIVE


async def test_make_call_to_oneself_is_refused(desk: Desk) -> None:
    await desk.refused(desk.ask(Action.MAKE_CALL, to_address=desk.extension))

    assert desk.told() == []


async def test_touch_tones_that_are_none_are_refused(desk: Desk) -> None:
    call = await desk.talks()
    before = desk.now

    await desk.refused(desk.ask(Action.SEND_DTMF, call, digits="12x"))

    assert desk.told(before) == []


async def test_a_call_that_is_not_there_is_refused(desk: Desk) -> None:
    call = await desk.talks()
    await desk.did(desk.ask(Action.DROP, call), lambda: call not in desk.calls)
    before = desk.now

    await desk.refused(desk.ask(Action.HOLD, call))
    await desk.refused(desk.ask(Action.ANSWER, "999999999"))

    assert desk.told(before) == []


async def test_a_colleagues_call_is_refused_and_untouched(desk: Desk, colleague: Desk, stage: Stage) -> None:
    theirs = await colleague.talks()
    truth = await stage.truth(colleague.seat)

    await desk.refused(desk.ask(Action.DROP, theirs))

    assert desk.told() == []
    assert await stage.truth(colleague.seat) == truth


async def test_sign_out_in_a_call_does_not_touch_the_call(desk: Desk, stage: Stage) -> None:
    call = await desk.talks()
    truth = (await stage.truth(desk.seat)).calls

    logout = desk.ask_status(AgentStatus.LOGOUT)
    answers = desk.floor.recorder.answers[logout]
    await desk.until(lambda: answers, "an answer")

    # The fence: what comes for the same agent and call after it.
    await desk.did(desk.ask(Action.HOLD, call), lambda: desk.part(call) is HELD)
    assert desk.status is not AgentStatus.LOGOUT
    assert of(desk.told(), call)[-1].cause != logout
    assert set(truth) == {call}


async def test_whatever_is_asked_where_nobody_is_signed_in_is_refused(floor: Floor) -> None:
    desk = floor.desk()

    await desk.refused(desk.ask(Action.MAKE_CALL, to_address="6000"))
    await desk.refused(desk.ask(Action.HOLD, "16786021"))
    await desk.refused(desk.ask_status(AgentStatus.READY))
    await desk.refused(desk.ask_for_agent())

    assert [change for change in floor.recorder.changes if isinstance(change, AgentChanged)] == []
