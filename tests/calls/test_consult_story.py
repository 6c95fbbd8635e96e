"""What the bridge is for: a widget consults on a call, and everyone sees the calls change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.protocol.address import Address
from bridge.protocol.catalogue import BY_ADDRESS, Kind
from tests.calls.world import World, is_outcome

if TYPE_CHECKING:
    from tests.calls.world import Message, Widget


@pytest.fixture
def desk() -> Widget:
    return World().widget()


def short(messages: list[Message]) -> list[tuple[str, str]]:
    """Call events as (id, event)."""
    return [(m["data"]["call"]["id"], m["data"]["call"]["event"]) for m in messages]


def consult(desk: Widget, call: str, to: str = "5070", topic: str = "InboundCall") -> tuple[str, str]:
    """Consult and let it ring; give the command's id and the new call."""
    command = desk.act("SetCONSULT", call, toAddress=to, topic=topic)
    done = desk.finish(command)
    return command, str(done["data"].get("consultCall"))


def test_consult_then_conference_and_drop(desk: Widget) -> None:
    call = desk.active_call()
    command, consult_call = consult(desk, call)
    caused = [m for m in desk.call_events() if m.get("correlationId") == command]
    assert short(caused) == [
        (call, "held"),
        (consult_call, "initiating"),
        (consult_call, "initiated"),
        (consult_call, "initiated"),
    ]
    assert caused[-1]["data"]["call"]["ResponseActual"]["dialog"]["state"] == "ALERTING"
    assert desk.calls()[consult_call]["CallType"] == "CONSULT"
    assert desk.calls()[consult_call]["associatedCall"] == call
    assert "SetCONFERENCE" not in desk.calls()[call]["ActionsAllowed"]

    desk.finish(desk.send("Simulator/Party/Answer", {"address": "5070"}))
    assert {"SetTRANSFER", "SetCONFERENCE"} <= set(desk.calls()[call]["ActionsAllowed"])

    done = desk.finish(desk.act("SetCONFERENCE", call))
    assert done["subtopic"] == "Completed"
    assert list(desk.calls()) == [call]
    assert desk.calls()[call]["secondaryId"] == consult_call
    assert desk.calls()[call]["event"] == "active"
    assert len(desk.calls()[call]["ResponseActual"]["dialog"]["participants"]) == 3

    desk.finish(desk.act("SetDROP", call))
    assert desk.calls() == {}


def test_consult_then_transfer_leaves_the_agent_with_nothing(desk: Widget) -> None:
    call = desk.active_call()
    _, consult_call = consult(desk, call)
    desk.finish(desk.send("Simulator/Party/Answer", {"address": "5070"}))
    transfer = desk.act("SetTRANSFER", call)
    done = desk.finish(transfer)
    assert done["subtopic"] == "Completed"
    ended = [m for m in desk.call_events() if m["data"]["call"]["ended"]]
    assert {m["data"]["call"]["id"] for m in ended} == {call, consult_call}
    assert all(m["correlationId"] == transfer for m in ended)
    assert max(m["offset"] for m in ended) < done["offset"]
    assert desk.calls() == {}


def test_consult_under_the_other_topic_works_with_a_warning(desk: Widget) -> None:
    call = desk.active_call()
    command, consult_call = consult(desk, call, topic="OutboundCall")
    assert [w["pointer"] for w in desk.reply(command)["data"]["warnings"]] == ["/topic"]
    topics = {m["topic"] for m in desk.call_events() if m["data"]["call"]["id"] in {call, consult_call}}
    assert topics == {"InboundCall"}


def test_consult_from_an_outgoing_call_goes_by_outbound(desk: Widget) -> None:
    made = desk.finish(desk.send("Cisco/OutboundCall/SetMakeCall", {"toAddress": "961084524"}))
    call = made["data"]["call"]
    desk.finish(desk.send("Simulator/Party/Answer", {"address": "961084524"}))
    command, consult_call = consult(desk, call, topic="OutboundCall")
    assert desk.reply(command)["data"]["warnings"] == []
    events = [m for m in desk.call_events() if m["data"]["call"]["id"] == consult_call]
    assert {(m["topic"], m["subtopic"]) for m in events} == {("OutboundCall", "OutBoundCallStateChange")}


@pytest.mark.parametrize(
    ("number", "cause", "error_type"),
    [("5090", "BUSY", "Device Busy"), ("5091", "BAD_DESTINATION", "Invalid Destination")],
)
def test_consult_that_fails_leaves_the_original_held(desk: Widget, number: str, cause: str, error_type: str) -> None:
    call = desk.active_call()
    command = desk.act("SetCONSULT", call, toAddress=number)
    failed = desk.finish(command)
    assert failed["subtopic"] == "Failed"
    assert (failed["data"]["cause"], failed["data"]["errorType"]) == (cause, error_type)
    assert failed["data"]["call"] == call
    before = desk.messages[desk.messages.index(failed) - 1]
    assert (before["subtopic"], before["correlationId"]) == ("SetAPIError", command)
    assert before["data"]["data"]["errorType"] == error_type

    (failed_call,) = [c for c in desk.calls().values() if c["event"] == "failed"]
    assert failed_call["ActionsAllowed"] == ["SetDROP"]
    assert desk.calls()[call]["event"] == "held"
    assert desk.finish(desk.act("SetDROP", failed_call["id"]))["subtopic"] == "Completed"
    assert desk.finish(desk.act("SetRETRIEVE", call))["subtopic"] == "Completed"
    assert desk.calls()[call]["event"] == "active"


def test_dropping_a_dialling_consult_cancels_it() -> None:
    world = World(reaction_seconds=1.0)
    desk = world.widget()
    call = desk.offer()
    world.time.advance(2)
    desk.finish(desk.act("SetANSWER", call), 2)
    command = desk.act("SetCONSULT", call, toAddress="5070")
    world.time.advance(1.5)
    (dialling,) = [c["id"] for c in desk.calls().values() if c["event"] == "initiating"]
    drop = desk.act("SetDROP", dialling)
    cancelled = desk.finish(command, 3)
    assert (cancelled["subtopic"], cancelled["data"]["errorType"]) == ("Failed", "Cancelled")
    assert desk.outcome(drop)["subtopic"] == "Completed"
    assert desk.calls()[call]["event"] == "held"
    gone = [m for m in desk.call_events() if m["data"]["call"]["ended"]]
    assert [m["correlationId"] for m in gone] == [drop]


def test_a_held_call_joins_an_active_one_that_it_was_not_consulted_from(desk: Widget) -> None:
    first = desk.active_call()
    desk.finish(desk.act("SetHOLD", first))
    second = desk.active_call()
    done = desk.finish(desk.act("SetCONFERENCE", first))
    assert done["subtopic"] == "Completed"
    assert desk.calls()[first]["secondaryId"] == second


def test_dropping_the_consult_leaves_the_original_held_and_retrievable(desk: Widget) -> None:
    call = desk.active_call()
    _, consult_call = consult(desk, call)
    desk.finish(desk.act("SetDROP", consult_call))
    assert desk.calls()[call]["event"] == "held"
    desk.finish(desk.act("SetRETRIEVE", call))
    assert desk.calls()[call]["event"] == "active"


def test_conference_while_the_consult_still_rings_is_refused(desk: Widget) -> None:
    call = desk.active_call()
    consult(desk, call)
    refused = desk.reply(desk.act("SetCONFERENCE", call))["data"]
    assert (refused["code"], refused["state"]) == ("illegal_state", "held")
    assert refused["allowed"] == ["SetRETRIEVE", "SetUPDATE_CALL_DATA", "SetDROP"]


def test_consult_on_a_held_and_on_an_alerting_call_is_refused(desk: Widget) -> None:
    call = desk.offer()
    refused = desk.reply(desk.act("SetCONSULT", call, toAddress="5070"))["data"]
    assert (refused["code"], refused["state"], refused["allowed"]) == ("illegal_state", "alerting", ["SetANSWER"])
    desk.finish(desk.act("SetANSWER", call))
    desk.finish(desk.act("SetHOLD", call))
    refused = desk.reply(desk.act("SetCONSULT", call, toAddress="5070"))["data"]
    assert (refused["code"], refused["state"]) == ("illegal_state", "held")


def test_the_same_consult_twice_acts_once() -> None:
    world = World()
    one, other = world.widget(), world.widget()
    call = one.active_call()
    data = {"MediaAddress": "5069", "CallID": call, "toAddress": "5070"}
    for widget in (one, other, one):
        widget.send("Cisco/InboundCall/SetCONSULT", data, id="same")
    world.time.advance(1)
    other.send("Cisco/InboundCall/SetCONSULT", data, id="same")
    assert one.reply("same")["data"]["duplicate"] is True
    repeated = other.reply("same")["data"]
    assert repeated["duplicate"] is True
    assert repeated["outcome"]["subtopic"] == "Completed"
    assert len(one.outcomes("same")) == 1
    assert len([c for c in one.calls().values() if c["CallType"] == "CONSULT"]) == 1


def test_two_consults_at_once_make_one_call() -> None:
    world = World()
    one, other = world.widget(), world.widget()
    call = one.active_call()
    first = one.act("SetCONSULT", call, toAddress="5070")
    data = {"MediaAddress": "5069", "CallID": call, "toAddress": "5071"}
    other.send("Cisco/InboundCall/SetCONSULT", data, id="second")
    world.time.advance(1)
    assert one.outcome(first)["subtopic"] == "Completed"
    failed = other.outcome("second")
    assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Invalid State")
    assert len(one.calls()) == 2


def test_an_agent_who_is_consulted_sees_only_the_own_leg() -> None:
    world = World()
    desk, colleague = world.widget("demo"), world.widget("5070")
    call = desk.active_call()
    command, consult_call = consult(desk, call)
    assert list(colleague.calls()) == [consult_call]
    assert colleague.calls()[consult_call]["associatedCall"] is None
    assert all(m.get("correlationId") != command for m in colleague.messages)
    colleague.finish(colleague.act("SetANSWER", consult_call))
    desk.finish(desk.act("SetTRANSFER", call))
    assert list(colleague.calls()) == [call]
    assert colleague.calls()[call]["secondaryId"] == consult_call


def test_the_sender_gets_the_outcome_once_without_a_subscription() -> None:
    world = World()
    desk, silent, other = world.widget(), world.widget("demo", "Gadget"), world.widget("demo", "Cisco")
    call = desk.offer()
    answer = silent.act("SetANSWER", call)
    silent.finish(answer)
    assert silent.outcome(answer)["data"]["call"] == call
    assert [m for m in other.messages if is_outcome(m)] == []


def test_what_a_party_did_by_telephone_carries_no_correlation() -> None:
    world = World()
    desk, colleague = world.widget("demo"), world.widget("5070")
    call = desk.active_call()
    _, consult_call = consult(desk, call)
    seen = len(desk.messages)
    colleague.finish(colleague.act("SetANSWER", consult_call))
    answered = [m for m in desk.messages[seen:] if m["subtopic"] == "InboundCallStateChange"]
    assert short(answered) == [(consult_call, "active"), (call, "held")]
    assert all("correlationId" not in m for m in answered)


def test_every_event_and_outcome_fits_its_model() -> None:
    world = World()
    desk = world.widget()
    call = desk.active_call()
    consult(desk, call, "5090")
    desk.send("Cisco/Agent/GetAgentState", {})
    world.time.advance(1)
    checked = 0
    for message in desk.messages:
        entry = BY_ADDRESS.get(Address(message["channel"], message["topic"], message["subtopic"]))
        if entry is not None and entry.kind in {Kind.EVENT, Kind.REPLY}:
            body = entry.body.model_validate(message["data"])
            assert not body.model_extra
            checked += 1
    assert checked > 10
