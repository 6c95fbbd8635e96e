"""Workspaces and calls behind the adapter."""

from __future__ import annotations

import pytest

from bridge.calls.adapter import (
    Adapter,
    AgentChanged,
    CallEnded,
    CallRequest,
    ChangeStatus,
    ConnectionChanged,
    Failure,
    OfferCall,
    PartyAnswer,
    PartyDrop,
    SignIn,
)
from bridge.calls.model import Action, AgentStatus, Connection
from tests.calls.simulator.adapter_desk import REACTION, Desk, states
from tests.calls.simulator.switch_story import COLLEAGUE, CUSTOMER, me


def test_adapter_keeps_the_contract(desk: Desk) -> None:
    adapter: Adapter = desk.adapter

    assert isinstance(adapter, Adapter)
    assert (adapter.name, adapter.offers_simulator, adapter.dtmf_settle_seconds) == ("simulator", True, 0.0)
    assert adapter.ready()


# Workspaces


@pytest.mark.parametrize(("workspace", "login", "extension"), [("demo", "demo", "5069"), ("5070", "5070", "5070")])
def test_attach_of_a_workspace_that_has_an_agent_by_its_name(workspace: str, login: str, extension: str) -> None:
    desk = Desk()

    desk.adapter.attach(workspace)

    (batch,) = desk.told.take()
    assert isinstance(batch, list)
    connection, changed = batch
    assert connection == ConnectionChanged(workspace, Connection.CONNECTED)
    assert isinstance(changed, AgentChanged)
    assert (changed.agent.login_id, changed.agent.extension) == (login, extension)
    assert changed.agent.status is AgentStatus.NOT_READY
    assert desk.adapter.extension(workspace) == extension


@pytest.mark.parametrize("workspace", ["5069", "5090", "5091", "alice", "\u0665\u0660", "50-70"])
def test_attach_of_a_workspace_that_has_none(workspace: str) -> None:
    desk = Desk()

    desk.adapter.attach(workspace)

    assert desk.told.take() == [[ConnectionChanged(workspace, Connection.SIGNED_OUT)]]
    assert desk.adapter.extension(workspace) is None


def test_attach_tells_the_calls_that_are_there_already() -> None:
    desk = Desk()
    desk.attach("5070")
    desk.does(CallRequest("r1", "5070", Action.MAKE_CALL, to_address="5069"))

    desk.adapter.attach("demo")

    batch = desk.told.take()[0]
    assert isinstance(batch, list)
    assert states(batch[2:]) == [("CallChanged", "demo", "ALERTING")]


def test_attach_where_the_extension_is_in_use_leaves_it_signed_out(desk: Desk) -> None:
    desk.attach("alice")
    desk.does(SignIn("r1", "alice", "alice", "5070"))

    desk.adapter.attach("5070")

    assert desk.told.take() == [[ConnectionChanged("5070", Connection.SIGNED_OUT)]]


def test_detach_forgets_a_workspace(desk: Desk) -> None:
    desk.attach("5070")

    desk.adapter.detach("5070")

    assert desk.adapter.extension("5070") is None
    call = desk.does(CallRequest("r1", "demo", Action.MAKE_CALL, to_address="5070"))[-1]
    assert isinstance(call, list)
    assert me(call[0].call, "5070").is_agent is False


def test_detach_of_demo_starts_it_afresh(desk: Desk) -> None:
    desk.does(ChangeStatus("r1", "demo", AgentStatus.LOGOUT))
    assert desk.adapter.extension("demo") is None

    desk.adapter.detach("demo")

    assert desk.adapter.extension("demo") == "5069"


def test_detach_with_calls_ends_them_for_the_others(desk: Desk) -> None:
    desk.attach("5070")
    desk.does(CallRequest("r1", "demo", Action.MAKE_CALL, to_address="5070"))

    desk.adapter.detach("5070")

    batch = desk.told.take()[-1]
    assert isinstance(batch, list)
    assert states(batch)[-1] == ("CallEnded", "demo", "DROPPED")
    assert {change.workspace for change in batch} == {"demo"}
    assert {change.cause for change in batch} == {None}


def test_detach_of_many_leaves_nothing_behind(desk: Desk) -> None:
    for number in range(6000, 6100):
        desk.attach(str(number), f"w{number}")
        desk.adapter.detach(str(number))
        desk.adapter.detach(f"w{number}")

    adapter = desk.adapter
    assert adapter._attached == {"demo"}
    assert list(adapter._roster._agents) == list(adapter._roster._by_login) == ["demo"]
    assert list(adapter._roster._by_extension) == list(adapter._switch._desks._desks) == ["5069"]


def test_elsewhere_knows_agent_and_extension(desk: Desk) -> None:
    desk.attach("alice")
    desk.does(SignIn("r1", "alice", "ann", "7001"))

    assert desk.adapter.elsewhere("bob", "ann", "7002")
    assert desk.adapter.elsewhere("bob", "bob", "7001")
    assert not desk.adapter.elsewhere("bob", "bob", "7002")
    assert not desk.adapter.elsewhere("alice", "ann", "7001")


def test_keeps_a_workspace_whose_agent_signed_in(desk: Desk) -> None:
    desk.attach("alice", "5070")
    assert not any(map(desk.adapter.keeps, ("demo", "alice", "5070")))

    desk.does(SignIn("r1", "alice", "ann", "7001"))
    desk.does(SignIn("r2", "5070", "ben", "7002"))

    assert desk.adapter.keeps("alice")
    assert desk.adapter.keeps("5070")


# Calls


def test_submit_does_nothing_before_the_reaction_time(desk: Desk) -> None:
    desk.adapter.submit(OfferCall("r1", "demo", CUSTOMER))
    assert desk.told.take() == []

    desk.clock.pass_by(REACTION / 2)
    assert desk.told.take() == []

    desk.clock.pass_by(REACTION / 2)
    changed, taken = desk.told.take()
    assert states(changed) == [("CallChanged", "demo", "ALERTING")]
    assert taken == ("taken", "r1")


def test_submit_without_reaction_time_still_answers_later() -> None:
    desk = Desk(reaction=0)
    desk.attach("demo")

    desk.adapter.submit(OfferCall("r1", "demo", CUSTOMER))

    assert desk.told.take() == []
    desk.clock.pass_by(0)
    assert desk.told.take()[-1] == ("taken", "r1")


def test_dialling_goes_on_step_by_step_with_the_cause_of_the_request(desk: Desk) -> None:
    call = desk.talk()
    desk.adapter.submit(CallRequest("r9", "demo", Action.CONSULT_CALL, call, to_address=COLLEAGUE))

    desk.clock.pass_by(REACTION)
    changed, taken = desk.told.take()
    assert states(changed) == [("CallChanged", "demo", "ACTIVE"), ("CallChanged", "demo", "INITIATING")]
    assert taken == ("taken", "r9")

    steps = []
    for _ in range(4):
        desk.clock.pass_by(REACTION)
        steps += desk.told.take()
    assert [states(step) for step in steps] == [
        [("CallChanged", "demo", "INITIATED")],
        [("CallChanged", "demo", "ALERTING")],
    ]
    assert all(change.cause == "r9" for step in steps for change in step)  # type: ignore[attr-defined]


def test_changes_go_to_every_attached_workspace_concerned(desk: Desk) -> None:
    desk.attach("5070")
    batches = desk.does(CallRequest("r1", "demo", Action.MAKE_CALL, to_address="5070"))
    assert states(batches[-1]) == [("CallChanged", "demo", "ALERTING"), ("CallChanged", "5070", "ALERTING")]

    batch, taken = desk.does(PartyAnswer("r2", "demo", "5070"))

    assert states(batch) == [("CallChanged", "demo", "ACTIVE"), ("CallChanged", "5070", "ACTIVE")]
    assert taken == ("taken", "r2")


def test_refusal_carries_type_message_and_cause(desk: Desk) -> None:
    call = desk.talk()

    told = desk.does(CallRequest("r9", "demo", Action.TRANSFER_SST, call, to_address="5091"))

    assert told == [
        ("refused", "r9", Failure("Invalid Destination", "the call cannot be transferred to 5091", "BAD_DESTINATION"))
    ]


def test_request_that_changes_nothing_is_taken(desk: Desk) -> None:
    call = desk.talk()

    assert desk.does(CallRequest("r9", "demo", Action.SEND_DTMF, call, digits="1")) == [("taken", "r9")]


def test_party_drop_ends_the_call(desk: Desk) -> None:
    call = desk.talk()

    batch, taken = desk.does(PartyDrop("r9", "demo", CUSTOMER, call))

    assert isinstance(batch, list)
    assert isinstance(batch[-1], CallEnded)
    assert {change.cause for change in batch} == {"r9"}
    assert taken == ("taken", "r9")


def test_read_gives_the_whole_truth(desk: Desk) -> None:
    call = desk.talk()
    desk.adapter.read("demo")
    desk.adapter.read("nobody")

    desk.clock.pass_by(REACTION)

    demo, nobody = desk.told.take()
    assert isinstance(demo, tuple)
    kind, workspace, agent, calls = demo
    assert (kind, workspace, agent.login_id, [found.id for found in calls]) == ("reread", "demo", "demo", [call])
    assert nobody == ("reread", "nobody", None, [])


async def test_stop_cancels_what_is_to_come(desk: Desk) -> None:
    desk.adapter.submit(OfferCall("r1", "demo", CUSTOMER))
    desk.adapter.read("demo")

    await desk.adapter.stop()

    desk.clock.pass_by(1)
    assert desk.told.take() == []


def test_timers_that_ran_are_forgotten(desk: Desk) -> None:
    desk.talk()
    desk.does(CallRequest("r9", "demo", Action.CONSULT_CALL, "16786021", to_address=COLLEAGUE))

    assert desk.adapter._timers == {}
