from __future__ import annotations

from bridge.broker.identity import Identity
from tests.broker.bus import COMPLETED, CREDENTIALS, HOLD, ON_CALL, SIGN_IN, Bus, name, names, written

STATUS = "Bridge/Command/Status"


def test_outcome_reaches_the_sender_though_it_did_not_subscribe() -> None:
    bus = Bus()
    sender, stranger = bus.join(), bus.join()
    sender.say(HOLD, ON_CALL, id="c1")
    sender.read()

    bus.complete("c1")

    (outcome,) = sender.read()
    assert name(outcome) == "Bridge/Command/Completed"
    assert (outcome["correlationId"], outcome["offset"], outcome["source"]) == ("c1", 2, "workspace-bridge")
    assert outcome["data"] == {"address": HOLD, "call": "1"}
    assert stranger.read() == []


def test_outcome_reaches_a_sender_that_subscribed_once() -> None:
    bus = Bus()
    sender = bus.join()
    sender.subscribe("Bridge/Command", "*")
    sender.say(HOLD, ON_CALL, id="c1")
    sender.read()

    bus.complete("c1")

    assert names(sender.read()) == ["Completed"]


def test_outcome_reaches_others_that_subscribed_to_it_as_the_same_message() -> None:
    bus = Bus()
    sender, other = bus.join(), bus.join()
    other.subscribe("Bridge/Command")
    sender.say(HOLD, ON_CALL, id="c1")
    sender.read()

    bus.complete("c1")

    assert other.read() == sender.read()


def test_outcome_comes_after_the_events_that_show_it() -> None:
    bus = Bus()
    sender = bus.join()
    sender.subscribe("Cisco")
    sender.say(HOLD, ON_CALL, id="c1")

    bus.call("1", "held")
    bus.complete("c1")

    assert names(sender.read()) == ["Accepted", "InboundCallStateChange", "Completed"]


def test_second_outcome_is_not_published() -> None:
    bus = Bus()
    sender = bus.join()
    sender.say(HOLD, ON_CALL, id="c1")
    sender.read()

    bus.complete("c1")
    bus.complete("c1")

    assert len(sender.read()) == 1
    assert sender.subscribe("*")["offset"] == 2


def test_outcome_of_what_was_no_command_is_not_published() -> None:
    bus = Bus()
    widget = bus.join()
    widget.say("Gadget/a/b", id="m1")
    widget.read()

    bus.complete("m1")
    bus.complete("unknown")
    bus.broker.settle("no such workspace", "m1", COMPLETED, {})

    assert widget.read() == []


def test_outcome_of_a_command_whose_sender_left_goes_to_those_who_subscribed() -> None:
    bus = Bus()
    sender, other = bus.join(), bus.join()
    other.subscribe("Bridge/Command")
    sender.say(HOLD, ON_CALL, id="c1")
    sender.read()
    sender.leave()

    bus.complete("c1")

    assert sender.read() == []
    assert names(other.read()) == ["Completed"]


def test_outcome_of_a_command_without_an_id_names_the_one_it_was_given() -> None:
    bus = Bus()
    sender = bus.join()
    sender.say(HOLD, ON_CALL)

    bus.complete(bus.gate.commands[0].id)

    (outcome,) = sender.read()
    assert outcome["correlationId"] == bus.gate.commands[0].id


def test_outcome_of_a_sign_in_is_told_like_any() -> None:
    bus = Bus()
    sender = bus.join()
    sender.say(SIGN_IN, CREDENTIALS, id="c1")
    sender.read()

    bus.complete("c1")

    assert names(sender.read()) == ["Completed"]


def test_outcome_of_a_command_without_a_session_goes_to_those_who_subscribed() -> None:
    bus = Bus()
    reader = bus.join()
    reader.subscribe("Bridge/Command")
    bus.broker.publish("demo", Identity(app="server"), written(HOLD, ON_CALL, id="c1"))

    bus.complete("c1")

    assert names(reader.read()) == ["Completed"]


def test_outcome_is_recovered_by_who_missed_it() -> None:
    bus = Bus()
    sender = bus.join()
    sender.say(HOLD, ON_CALL, id="c1")
    sender.leave()
    bus.complete("c1")

    reply = bus.join().subscribe("Bridge/Command", recover={"epoch": sender.session.workspace.epoch, "offset": 1})

    assert names(reply["messages"]) == ["Completed"]


def test_call_control_may_settle_as_soon_as_it_takes_a_command() -> None:
    bus = Bus()
    sender = bus.join()
    sender.subscribe("Cisco", echo=True)
    bus.gate.take = lambda command: bus.complete(command.id)  # type: ignore[method-assign]

    sender.say(HOLD, ON_CALL, id="c1")

    assert names(sender.read()) == ["Accepted", "SetHOLD", "Completed"]


def test_status_of_an_unknown_id() -> None:
    answer = Bus().join().ask(STATUS, {"id": "c1"}, id="q1")

    assert (name(answer), answer["correlationId"], answer["data"]) == (STATUS, "q1", {"known": False})


def test_status_of_a_command_before_and_after_its_outcome() -> None:
    bus = Bus()
    sender, asking = bus.join(), bus.join()
    sender.say(HOLD, ON_CALL, id="c1")
    sender.read()
    assert asking.ask(STATUS, {"id": "c1"})["data"] == {"known": True, "offset": 1}

    bus.complete("c1")

    (outcome,) = sender.read()
    assert asking.ask(STATUS, {"id": "c1"})["data"] == {"known": True, "offset": 1, "outcome": outcome}
    assert len(bus.gate.commands) == 1


def test_status_of_a_command_that_was_forgotten() -> None:
    bus = Bus()
    sender = bus.join()
    sender.say(HOLD, ON_CALL, id="c1")
    bus.clock.now += 1000
    assert sender.ask(STATUS, {"id": "c1"})["data"]["known"] is True
    bus.complete("c1")
    sender.read()

    bus.clock.now += 300

    assert sender.ask(STATUS, {"id": "c1"})["data"] == {"known": False}
