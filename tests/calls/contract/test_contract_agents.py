"""Who signs in, as whom, in which state, and out again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bridge.calls.adapter import AgentChanged, ConnectionChanged
from bridge.calls.model import Action, AgentStatus, Connection, ParticipantState
from tests.calls.contract.desks import Floor, causes, opened

if TYPE_CHECKING:
    from tests.calls.contract.desks import Desk
    from tests.calls.contract.stage import Seat, Stage


def agents(desk: Desk, since: int = 0) -> list[tuple[AgentStatus, str | None]]:
    """Give the states that were told of the desk's agent, each with its cause."""
    return [
        (change.agent.status, change.cause)
        for change in desk.floor.recorder.changes[since:]
        if isinstance(change, AgentChanged) and change.workspace == desk.workspace
    ]


def connections(desk: Desk, since: int = 0) -> list[tuple[Connection, str | None]]:
    return [
        (change.connection, change.cause)
        for change in desk.floor.recorder.changes[since:]
        if isinstance(change, ConnectionChanged) and change.workspace == desk.workspace
    ]


async def test_attach_tells_that_nobody_is_signed_in(floor: Floor) -> None:
    desk = floor.desk()

    await desk.until(lambda: desk.connection is Connection.SIGNED_OUT)

    assert (desk.agent, desk.calls) == (None, {})
    assert not floor.adapter.keeps(desk.workspace)
    assert not floor.adapter.elsewhere("another", desk.seat.username, desk.extension)


async def test_sign_in_connects_and_shows_the_agent(floor: Floor) -> None:
    desk = floor.desk()

    request = await desk.sign_in()

    agent = desk.agent
    assert agent is not None
    assert (agent.login_id, agent.extension) == (desk.seat.username, desk.extension)
    assert agent.status is AgentStatus.NOT_READY
    assert connections(desk)[-1] == (Connection.CONNECTED, request)
    assert set(agents(desk)) == {(AgentStatus.NOT_READY, request)}
    assert floor.adapter.ready()


async def test_a_signed_in_agent_is_kept_and_is_elsewhere_for_others(desk: Desk, colleague: Desk) -> None:
    adapter = desk.floor.adapter

    assert adapter.keeps(desk.workspace)
    assert adapter.elsewhere(colleague.workspace, desk.seat.username, "0000")
    assert adapter.elsewhere(colleague.workspace, "nobody", desk.extension)
    assert not adapter.elsewhere(desk.workspace, desk.seat.username, desk.extension)
    assert not adapter.elsewhere(colleague.workspace, "nobody", "0000")


async def test_ready_and_not_ready_with_a_reason(desk: Desk) -> None:
    before = desk.now

    ready = desk.ask_status(AgentStatus.READY)
    await desk.did(ready, lambda: desk.status is AgentStatus.READY)
    pause = desk.ask_status(AgentStatus.NOT_READY, "12")
    await desk.did(pause, lambda: desk.status is AgentStatus.NOT_READY)

    assert agents(desk, before) == [(AgentStatus.READY, ready), (AgentStatus.NOT_READY, pause)]
    assert desk.agent is not None
    assert desk.agent.reason_code == "12"


async def test_what_calls_make_of_the_agents_state_is_nobodys_request(desk: Desk) -> None:
    before = desk.now

    call = await desk.talks()
    await desk.did(desk.ask(Action.DROP, call), lambda: not desk.calls)

    assert {cause for _, cause in agents(desk, before)} <= {None}


async def test_the_agents_state_is_told_anew_when_it_is_asked_for(desk: Desk) -> None:
    before = desk.now

    request = desk.ask_for_agent()

    await desk.taken(request)
    await desk.until(lambda: agents(desk, before))
    assert agents(desk, before) == [(AgentStatus.NOT_READY, request)]


async def test_sign_in_again_keeps_state_and_calls(desk: Desk) -> None:
    await desk.did(desk.ask_status(AgentStatus.READY), lambda: desk.status is AgentStatus.READY)
    call = await desk.talks()
    status, before = desk.status, desk.now

    await desk.sign_in()
    await desk.settled()

    assert (desk.status, desk.connection) == (status, Connection.CONNECTED)
    assert desk.part(call) is ParticipantState.ACTIVE
    assert desk.told(before) == []
    assert {connection for connection, _ in connections(desk, before)} <= {Connection.CONNECTED}
    hold = desk.ask(Action.HOLD, call)
    assert causes(await desk.did(hold, lambda: desk.part(call) is ParticipantState.HELD)) == {hold}


async def test_logout_tells_logout_and_signed_out(desk: Desk) -> None:
    before = desk.now

    logout = desk.ask_status(AgentStatus.LOGOUT)

    await desk.did(logout, lambda: desk.connection is Connection.SIGNED_OUT)
    assert agents(desk, before) == [(AgentStatus.LOGOUT, logout)]
    assert connections(desk, before) == [(Connection.SIGNED_OUT, logout)]
    adapter = desk.floor.adapter
    assert not adapter.keeps(desk.workspace)
    assert not adapter.elsewhere("another", desk.seat.username, desk.extension)


async def test_an_agent_signs_in_again_after_logout(desk: Desk) -> None:
    await desk.did(desk.ask_status(AgentStatus.LOGOUT), lambda: desk.connection is Connection.SIGNED_OUT)
    before = desk.now

    request = await desk.sign_in()

    assert set(agents(desk, before)) == {(AgentStatus.NOT_READY, request)}
    call = await desk.talks()
    await desk.did(desk.ask(Action.DROP, call), lambda: not desk.calls)


async def test_an_agent_who_logged_out_may_sign_in_at_another_workspace(desk: Desk) -> None:
    await desk.did(desk.ask_status(AgentStatus.LOGOUT), lambda: desk.connection is Connection.SIGNED_OUT)
    floor = desk.floor
    floor.desks.remove(desk)

    moved = await floor.signed_in(replace(desk.seat, workspace="another-desk"))

    assert floor.adapter.elsewhere(desk.workspace, desk.seat.username, desk.extension)
    call = await moved.talks()
    assert set(moved.calls) == {call}
    assert desk.told() == []


@pytest.mark.parametrize("same", ["agent", "extension"])
async def test_who_is_signed_in_elsewhere_is_refused(desk: Desk, same: str) -> None:
    other = desk.floor.desk()
    names = {"username": desk.seat.username, "password": desk.seat.password} if same == "agent" else {}
    seat = replace(other.seat, **names) if same == "agent" else replace(other.seat, extension=desk.extension)

    await other.refused(other.ask_to_sign_in(seat))

    assert agents(other) == []
    assert not desk.floor.adapter.keeps(other.workspace)
    call = await desk.talks()
    assert set(desk.calls) == {call}


async def test_what_is_no_extension_is_refused(floor: Floor, stage: Stage) -> None:
    desk = floor.desk()

    await desk.refused(desk.ask_to_sign_in(replace(desk.seat, extension=stage.no_extension)))

    assert (desk.connection, agents(desk)) == (Connection.SIGNED_OUT, [])
    await desk.until(lambda: not floor.adapter.keeps(desk.workspace))
    await desk.sign_in()


@pytest.mark.needs("checks_passwords")
async def test_a_wrong_password_is_refused_and_the_right_one_is_taken_afterwards(floor: Floor) -> None:
    desk = floor.desk()

    failure = await desk.refused(desk.ask_to_sign_in(replace(desk.seat, password="wrong")))

    assert failure.error_type == "Authorization Failure"
    assert (desk.connection, agents(desk)) == (Connection.SIGNED_OUT, [])
    assert not floor.adapter.keeps(desk.workspace)
    await desk.sign_in()


@pytest.mark.needs("checks_passwords")
async def test_a_wrong_password_in_a_second_sign_in_changes_nothing(desk: Desk) -> None:
    call = await desk.talks()
    before = desk.now

    await desk.refused(desk.ask_to_sign_in(replace(desk.seat, password="wrong")))

    hold = desk.ask(Action.HOLD, call)
    assert causes(await desk.did(hold, lambda: desk.part(call) is ParticipantState.HELD)) == {hold}
    assert connections(desk, before) == []


async def test_another_agent_takes_the_place(desk: Desk, stage: Stage) -> None:
    newcomer: Seat = replace(stage.seat(), workspace=desk.workspace)
    floor = desk.floor
    floor.desks.remove(desk)

    successor = await floor.signed_in(newcomer)
    await successor.until(lambda: successor.agent is not None and successor.agent.login_id == newcomer.username)

    assert successor.connection is Connection.CONNECTED
    assert not floor.adapter.elsewhere("another", desk.seat.username, desk.extension)
    assert floor.adapter.elsewhere("another", newcomer.username, newcomer.extension)
    call = await successor.talks()
    assert set(successor.calls) == {call}


@pytest.mark.needs("outlives_adapter")
async def test_the_next_adapter_finds_agent_and_call_as_they_were(stage: Stage) -> None:
    async with opened(stage) as floor:
        desk = await floor.signed_in()
        await desk.did(desk.ask_status(AgentStatus.READY), lambda: desk.status is AgentStatus.READY)
        call = await desk.talks()
        left = await stage.truth(desk.seat)

    async with opened(stage) as floor:
        again = floor.desk(desk.seat)
        assert again.connection is Connection.SIGNED_OUT
        await again.sign_in()
        await again.settled()
        assert again.seen() == left
        hold = again.ask(Action.HOLD, call)
        assert causes(await again.did(hold, lambda: again.part(call) is ParticipantState.HELD)) == {hold}
