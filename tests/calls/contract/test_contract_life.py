"""The adapter itself: it reads afresh, lets workspaces come and go, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from bridge.calls.adapter import Adapter
from bridge.calls.model import Action, AgentStatus, Connection, ParticipantState
from tests.calls.contract.desks import Floor, next_id, opened
from tests.calls.contract.recorder import PATIENCE_SECONDS
from tests.calls.contract.stage import Shown

if TYPE_CHECKING:
    from tests.calls.contract.desks import Desk
    from tests.calls.contract.stage import Stage


class Held(NamedTuple):
    """What of the machine is held by this process."""

    tasks: int
    timers: int
    sockets: int

    @classmethod
    def now(cls) -> Held:
        loop = asyncio.get_running_loop()
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        return cls(len(asyncio.all_tasks()), len(timers), _sockets())


def _sockets() -> int:
    found = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the listing's own
            found += str(entry.readlink()).startswith("socket:")
    return found


async def released(before: Held) -> None:
    """Compare with what is held now, once what was closed has taken its leave.

    A connection with TLS has a timer until the other side has said goodbye too. Looking up a name is a thread of the
    system's library, with sockets of its own: it cannot be stopped.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while (now := Held.now())[:2] != before[:2] and loop.time() < deadline:  # noqa: ASYNC110 a timer ends tacitly
        await asyncio.sleep(0)
    assert (now.tasks, now.timers) == (before.tasks, before.timers), asyncio.all_tasks()
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while _sockets() > before.sockets:  # noqa: ASYNC110 a thread that ends tells nobody
                await asyncio.sleep(0)
    assert _sockets() == before.sockets


async def test_a_new_adapter_is_one_and_has_a_name(floor: Floor) -> None:
    adapter = floor.adapter

    assert isinstance(adapter, Adapter)
    assert adapter.name
    assert adapter.dtmf_settle_seconds >= 0
    assert isinstance(adapter.offers_simulator, bool)


async def test_read_is_answered_by_the_whole_truth(desk: Desk, stage: Stage) -> None:
    held, active = await desk.consulting()
    recorder = desk.floor.recorder
    before = len(recorder.rereads)

    desk.floor.adapter.read(desk.workspace)

    await desk.until(lambda: len(recorder.rereads) > before, "the reread")
    (reread,) = recorder.rereads[before:]
    assert reread.workspace == desk.workspace
    assert reread.agent is not None
    assert (reread.agent.login_id, reread.agent.extension) == (desk.seat.username, desk.extension)
    truth = await stage.truth(desk.seat)
    assert {call.id: Shown.of(call) for call in reread.calls} == truth.calls
    assert [call.id for call in reread.calls] == [held, active]
    assert {call.id: call.participant(desk.extension) for call in reread.calls} == {
        call.id: call.participant(desk.extension) for call in desk.calls.values()
    }


async def test_read_without_calls_is_answered_too(desk: Desk) -> None:
    recorder = desk.floor.recorder
    before = len(recorder.rereads)

    desk.floor.adapter.read(desk.workspace)

    await desk.until(lambda: len(recorder.rereads) > before, "the reread")
    assert recorder.rereads[-1].calls == ()


async def test_who_looks_and_who_does_not_changes_nothing(desk: Desk) -> None:
    call = await desk.talks()
    adapter, before = desk.floor.adapter, desk.now

    adapter.vacated(desk.workspace)
    adapter.occupied(desk.workspace)

    hold = desk.ask(Action.HOLD, call)
    await desk.did(hold, lambda: desk.part(call) is ParticipantState.HELD)
    assert {change.cause for change in desk.told(before)} == {hold}
    assert desk.connection is Connection.CONNECTED


async def test_a_forgotten_workspace_is_told_nothing_and_may_come_back(desk: Desk) -> None:
    floor = desk.floor
    await desk.did(desk.ask_status(AgentStatus.LOGOUT), lambda: desk.connection is Connection.SIGNED_OUT)
    floor.adapter.vacated(desk.workspace)
    floor.adapter.detach(desk.workspace)
    floor.recorder.attached.discard(desk.workspace)
    floor.desks.remove(desk)
    before = desk.now

    colleague = await floor.signed_in()
    await colleague.talks()
    assert [change for change in floor.recorder.changes[before:] if change.workspace == desk.workspace] == []

    back = await floor.signed_in(desk.seat)
    call = await back.talks()
    assert set(back.calls) == {call}


# The end


async def test_stop_releases_everything_that_two_agents_with_calls_held(stage: Stage) -> None:
    before = Held.now()
    async with opened(stage) as floor:
        desk, colleague = await floor.signed_in(), await floor.signed_in()
        call = await desk.talks()
        await desk.consults(call, colleague.extension)

        await floor.stop()

        await released(before)


async def test_stop_leaves_outstanding_requests_unanswered_and_releases_them(stage: Stage) -> None:
    before = Held.now()
    async with opened(stage) as floor:
        desk = await floor.signed_in()
        call = await desk.talks()
        desk.ask(Action.HOLD, call)
        desk.ask(Action.DROP, call)
        desk.ask_for_agent()
        floor.adapter.read(desk.workspace)

        await floor.stop()

        await released(before)


async def test_stop_right_after_a_logout_releases_everything(stage: Stage) -> None:
    before = Held.now()
    async with opened(stage) as floor:
        desk = await floor.signed_in()
        desk.ask_status(AgentStatus.LOGOUT)
        await desk.until(lambda: desk.connection is Connection.SIGNED_OUT)

        await floor.stop()

        await released(before)


@pytest.mark.parametrize("turns", [0, 1, 3, 10, 30, 100])
async def test_stop_in_the_middle_of_a_sign_in_releases_everything(stage: Stage, turns: int) -> None:
    before = Held.now()
    async with opened(stage) as floor:
        desk = floor.desk()
        desk.ask_to_sign_in()
        for _ in range(turns):
            await asyncio.sleep(0)

        await floor.stop()

        await released(before)


async def test_stop_right_after_start_releases_everything(stage: Stage) -> None:
    before = Held.now()
    async with opened(stage) as floor:
        await floor.stop()

        await released(before)


async def test_a_sign_in_that_was_given_before_stop_does_not_come_to_life_after_it(stage: Stage) -> None:
    before = Held.now()
    async with opened(stage) as floor:
        seat = stage.seat()
        desk = floor.desk(seat)
        desk.submit(seat.sign_in(next_id()))

        await floor.stop()

        await released(before)
        assert not any(isinstance(answer, str) for answers in floor.recorder.answers.values() for answer in answers)
