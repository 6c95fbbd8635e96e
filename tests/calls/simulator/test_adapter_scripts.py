"""What goes wrong on purpose."""

from __future__ import annotations

import pytest

from bridge.calls.adapter import (
    CallChanged,
    CallRequest,
    Failure,
)
from bridge.calls.model import Action, CallState
from bridge.calls.simulator.script import FAULTLESS, Script
from tests.calls.simulator.adapter_desk import REACTION, Desk, states
from tests.calls.simulator.switch_story import COLLEAGUE, me


def scripted(script: Script) -> Desk:
    """Give a desk where ``script`` is what becomes of every ``CallRequest``, with a call talking."""
    armed: list[bool] = []
    desk = Desk(lambda request: script if armed and isinstance(request, CallRequest) else FAULTLESS)
    desk.attach("demo")
    desk.talk()
    armed.append(True)
    return desk


HOLD = CallRequest("r9", "demo", Action.HOLD, "16786021")
CONSULT = CallRequest("r9", "demo", Action.CONSULT_CALL, "16786021", to_address=COLLEAGUE)
RESOURCE = Failure("Call Operation Failure", "CF_RESOURCE_BUSY")


def held(desk: Desk) -> bool:
    (call,) = desk.adapter._switch.calls_of("5069")
    return me(call, "5069").state.value == "HELD"


def test_script_that_loses_the_request() -> None:
    desk = scripted(Script(lose=True))

    assert desk.does(HOLD) == []
    assert not held(desk)


def test_script_that_takes_and_does_nothing() -> None:
    desk = scripted(Script(ignore=True))

    assert desk.does(HOLD) == [("taken", "r9")]
    assert not held(desk)


def test_script_that_refuses_what_is_legal() -> None:
    desk = scripted(Script(fail=RESOURCE))

    assert desk.does(HOLD) == [("refused", "r9", RESOURCE)]
    assert not held(desk)


def test_script_that_says_yes_and_then_no() -> None:
    desk = scripted(Script(refuse_late=RESOURCE))
    desk.adapter.submit(HOLD)

    desk.clock.pass_by(REACTION)
    assert desk.told.take() == [("taken", "r9")]

    desk.clock.pass_by(REACTION)
    assert desk.told.take() == [("refused", "r9", RESOURCE)]
    assert not held(desk)


def test_script_that_tells_everything_twice() -> None:
    desk = scripted(Script(duplicate=True))

    first, taken, *steps = desk.does(CONSULT)

    assert taken == ("taken", "r9")
    for batch in (first, *steps):
        assert isinstance(batch, list)
        assert batch[0::2] == batch[1::2]
        assert all(isinstance(change, CallChanged) for change in batch)


def test_script_that_takes_its_time() -> None:
    desk = scripted(Script(delay=5))
    desk.adapter.submit(HOLD)

    desk.clock.pass_by(5)
    assert desk.told.take() == []

    desk.clock.pass_by(REACTION)
    assert desk.told.take()[-1] == ("taken", "r9")
    assert held(desk)


def test_script_of_a_dial_that_stays_initiated_until_it_is_dropped() -> None:
    desk = scripted(Script(stall=True))
    batches = desk.does(CONSULT)
    desk.clock.pass_by(1000)
    consult = batches[-1][0].call  # type: ignore[index]
    assert consult.state is CallState.INITIATED
    assert desk.told.take() == []

    batch, _ = desk.does(CallRequest("r10", "demo", Action.DROP, consult.id))

    assert ("CallEnded", "demo", "DROPPED") in states(batch)
    assert not desk.adapter._switch.dialling


def test_script_that_contradicts_itself() -> None:
    with pytest.raises(ValueError, match="exclude one another"):
        Script(lose=True, fail=RESOURCE)
    with pytest.raises(ValueError, match="negative"):
        Script(delay=-1)
