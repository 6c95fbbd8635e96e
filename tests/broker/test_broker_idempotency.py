from __future__ import annotations

from typing import Any

import pytest

from bridge.broker.identity import Identity
from bridge.protocol.errors import Code, Rejection
from tests.broker.bus import CREDENTIALS, HOLD, ON_CALL, SIGN_IN, Bus, name, names, written


def test_same_id_again_has_no_second_effect() -> None:
    bus = Bus()
    sender, reader = bus.join(), bus.join()
    reader.subscribe("*")
    first = sender.ask(HOLD, ON_CALL, id="c1")["data"]
    sender.say("Gadget/a/b")

    again = sender.ask(HOLD, ON_CALL, id="c1")

    assert (name(again), again["correlationId"]) == ("Bridge/Message/Accepted", "c1")
    assert again["data"] == {"offset": first["offset"], "duplicate": True, "warnings": []}
    assert names(reader.read()) == ["SetHOLD", "b"]
    assert len(bus.gate.commands) == 1


def test_same_id_from_another_session_of_the_workspace_is_the_same_message() -> None:
    bus = Bus()

    assert bus.join(app="one").ask(HOLD, ON_CALL, id="c1")["data"]["duplicate"] is False
    assert bus.join(app="two").ask(HOLD, ON_CALL, id="c1")["data"]["duplicate"] is True
    assert bus.broker.publish("demo", Identity(app="three"), written(HOLD, ON_CALL, id="c1"))[1]["duplicate"] is True
    assert len(bus.gate.commands) == 1


def test_same_id_in_another_workspace_is_another_message() -> None:
    bus = Bus()

    assert bus.join("one").ask(HOLD, ON_CALL, id="c1")["data"]["duplicate"] is False
    assert bus.join("two").ask(HOLD, ON_CALL, id="c1")["data"]["duplicate"] is False


@pytest.mark.parametrize(
    ("address", "data", "fields"),
    [
        (HOLD, {"CallID": "1", "MediaAddress": "5069"}, {}),
        (HOLD, {"CallID": 1, "mediaaddress ": "5069"}, {}),
        ("Cisco/inboundcall/SETHOLD", ON_CALL, {}),
        (HOLD, ON_CALL, {"source": "somebody else"}),
        (HOLD, ON_CALL, {"offset": 99, "time": "now"}),
    ],
)
def test_content_is_compared_after_repair_and_without_the_source(
    address: str, data: dict[str, Any], fields: dict[str, Any]
) -> None:
    widget = Bus().join()
    widget.say(HOLD, ON_CALL, id="c1")

    assert widget.ask(address, data, id="c1", **fields)["data"]["duplicate"] is True


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("Cisco/OutboundCall/SetHOLD", ON_CALL),
        ("Cisco/InboundCall/SetRETRIEVE", ON_CALL),
        (HOLD, {**ON_CALL, "CallID": "2"}),
        ("Gadget/a/b", None),
    ],
)
def test_id_with_other_content_is_a_conflict(address: str, data: Any) -> None:
    bus = Bus()
    sender, reader = bus.join(), bus.join()
    sender.say(HOLD, ON_CALL, id="c1")
    reader.subscribe("*")

    rejected = sender.ask(address, data, id="c1")

    assert (rejected["correlationId"], rejected["data"]["code"]) == ("c1", "id_conflict")
    assert rejected["data"]["temporary"] is False
    assert reader.read() == []


def test_conflict_is_told_before_the_gate_is_asked() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say(HOLD, ON_CALL, id="c1")
    bus.gate.refusal = Rejection(Code.ILLEGAL_STATE, "not now")

    assert widget.ask(HOLD, {**ON_CALL, "CallID": "2"}, id="c1")["data"]["code"] == "id_conflict"
    assert widget.ask(HOLD, ON_CALL, id="c1")["data"]["duplicate"] is True


def test_id_is_remembered_for_five_minutes() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say("Gadget/a/b", id="m1")

    bus.clock.now += 299
    assert widget.ask("Gadget/a/b", id="m1")["data"]["duplicate"] is True
    bus.clock.now += 1

    assert widget.ask("Gadget/a/b", id="m1")["data"] == {"offset": 2, "duplicate": False, "warnings": []}


def test_refused_message_is_not_remembered() -> None:
    bus = Bus()
    widget = bus.join()
    bus.gate.refusal = Rejection(Code.NOT_SIGNED_IN, "nobody is signed in")
    assert widget.ask(HOLD, ON_CALL, id="c1")["data"]["temporary"] is True
    bus.gate.refusal = None

    assert widget.ask(HOLD, {**ON_CALL, "CallID": "2"}, id="c1")["data"]["duplicate"] is False


def test_control_message_is_not_remembered() -> None:
    widget = Bus().join()
    for _ in range(2):
        widget.subscribe("Gadget")

    assert widget.ask("Gadget/a/b", id="s")["data"]["duplicate"] is False


def test_repeated_command_that_has_ended_brings_its_outcome() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say(HOLD, ON_CALL, id="c1")
    assert "outcome" not in widget.ask(HOLD, ON_CALL, id="c1")["data"]
    widget.read()

    bus.complete("c1")

    (outcome,) = widget.read()
    assert widget.ask(HOLD, ON_CALL, id="c1")["data"]["outcome"] == outcome


def test_sign_in_is_not_compared_by_its_secrets() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say(SIGN_IN, CREDENTIALS, id="c1")

    again = widget.ask(SIGN_IN, {**CREDENTIALS, "password": "other"}, id="c1")

    assert again["data"]["duplicate"] is True
    assert len(bus.gate.commands) == 1


def test_id_that_the_bridge_gave_a_command_cannot_be_used_for_another() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say(HOLD, ON_CALL)

    assert widget.ask(HOLD, ON_CALL, id=bus.gate.commands[0].id)["data"]["code"] == "id_conflict"


def test_ids_are_forgotten_oldest_first_beyond_their_number() -> None:
    widget = Bus(idempotency_messages=2).join()
    for message_id in "abc":
        widget.say("Gadget/a/b", id=message_id)

    assert [widget.ask("Gadget/a/b", id=message_id)["data"]["duplicate"] for message_id in "cba"] == [True, True, False]


def test_who_asks_again_is_owed_the_outcome_when_who_asked_first_has_gone() -> None:
    bus = Bus()
    first, second, third = bus.join(), bus.join(), bus.join()
    first.ask(HOLD, ON_CALL, id="c1")
    first.leave()
    second.ask(HOLD, ON_CALL, id="c1")
    third.ask(HOLD, ON_CALL, id="c1")

    bus.complete("c1")

    assert names(second.read()) == ["Completed"]
    assert third.read() == []
