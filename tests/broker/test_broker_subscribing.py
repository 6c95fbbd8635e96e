from __future__ import annotations

import time
from typing import Any

import pytest

from bridge.protocol.cisco import AGENT_STATE, CONNECTION_STATUS
from tests.broker.bus import HOLD, ON_CALL, OWN_GADGETS, Bus, Widget, name, names

SUBSCRIBE = "Bridge/Subscription/Subscribe"
UNSUBSCRIBE = "Bridge/Subscription/Unsubscribe"


def offsets(messages: list[dict[str, Any]]) -> list[int]:
    return [message["offset"] for message in messages]


def told(bus: Bus, count: int, address: str = "Gadget/a/b") -> Widget:
    sender = bus.join()
    for _ in range(count):
        sender.say(address)
    return sender


def test_subscribe_is_answered_by_what_was_asked_and_where_the_stream_is() -> None:
    widget = Bus().join()

    answer = widget.ask(SUBSCRIBE, {"patterns": ["Cisco/*", "*", "Cisco"]}, id="s1")

    assert (name(answer), answer["correlationId"]) == ("Bridge/Subscription/Subscribed", "s1")
    assert answer["data"] == {
        "patterns": ["Cisco", "*"],
        "epoch": widget.session.workspace.epoch,
        "offset": 0,
        "snapshot": [],
    }


def test_subscribe_without_an_id_is_answered_too() -> None:
    answer = Bus().join().ask(SUBSCRIBE, {"patterns": ["Cisco"]})

    assert name(answer) == "Bridge/Subscription/Subscribed"
    assert "correlationId" not in answer


def test_subscribe_tells_repairs() -> None:
    answer = Bus().join().ask("Bridge/subscription/Subscribe", {"Patterns": ["Cisco"]})

    assert [warning["pointer"] for warning in answer["data"]["warnings"]] == ["/topic", "/data/Patterns"]


def test_overlapping_patterns_deliver_once() -> None:
    bus = Bus()
    widget = bus.join()
    widget.subscribe("Gadget", "*", "*/a")
    widget.subscribe("Gadget/a/b")

    told(bus, 1)

    assert offsets(widget.read()) == [1]


def test_subscribe_adds_to_what_there_is() -> None:
    bus = Bus()
    widget = bus.join()
    widget.subscribe("Gadget/a")
    widget.subscribe("Gadget/b")
    sender = bus.join()

    for topic in "abc":
        sender.say(f"Gadget/{topic}/x")

    assert [message["topic"] for message in widget.read()] == ["a", "b"]


def test_subscribe_in_which_one_pattern_is_none_is_refused_whole() -> None:
    bus = Bus()
    widget = bus.join()

    rejected = widget.ask(SUBSCRIBE, {"patterns": ["Gadget", "a/b/c/d", "Cisco", ""], "echo": True}, id="s")["data"]

    assert rejected["code"] == "invalid_data"
    assert [error["pointer"] for error in rejected["errors"]] == ["/data/patterns/1", "/data/patterns/3"]
    told(bus, 1)
    assert widget.read() == []
    assert not widget.session.echo


def test_subscribe_to_sixty_patterns_that_are_none_tells_sixteen() -> None:
    rejected = Bus().join().ask(SUBSCRIBE, {"patterns": ["a/b/c/d"] * 60})["data"]

    assert len(rejected["errors"]) == 16


def test_subscribe_where_the_policy_does_not_allow_it_is_refused_whole() -> None:
    bus = Bus()
    widget = bus.join(grant=OWN_GADGETS)

    rejected = widget.ask(SUBSCRIBE, {"patterns": ["Gadget", "*"]}, id="s")["data"]

    assert (rejected["code"], rejected["rule"]) == ("not_permitted", "default")
    told(bus, 1)
    assert widget.read() == []


def test_129th_pattern_is_refused_and_the_others_stay() -> None:
    bus = Bus()
    widget = bus.join()
    widget.subscribe(*(f"Gadget/t{number}" for number in range(127)))

    rejected = widget.ask(SUBSCRIBE, {"patterns": ["Gadget/a", "Gadget/z"]}, id="s")["data"]
    assert (rejected["code"], rejected["limit"]) == ("limit_exceeded", 128)
    told(bus, 1)
    assert widget.read() == []

    widget.subscribe("Gadget/a", "Gadget/a/*", "Gadget/t5")
    told(bus, 1)
    assert offsets(widget.read()) == [2]


def test_unsubscribe_makes_place_and_ends_delivery() -> None:
    bus = Bus(patterns_per_session=1)
    widget = bus.join()
    widget.subscribe("Gadget")

    answer = widget.ask(UNSUBSCRIBE, {"patterns": ["Gadget/*", "Unknown"]}, id="u")

    assert (name(answer), answer["correlationId"]) == ("Bridge/Subscription/Unsubscribed", "u")
    assert answer["data"] == {"patterns": ["Gadget", "Unknown"]}
    told(bus, 1)
    assert widget.read() == []
    widget.subscribe("Other")


def test_unsubscribe_leaves_what_another_pattern_brings() -> None:
    bus = Bus()
    widget = bus.join()
    widget.subscribe("Gadget", "*")

    widget.ask(UNSUBSCRIBE, {"patterns": ["*"]})
    told(bus, 1)

    assert offsets(widget.read()) == [1]


def test_unsubscribe_of_what_is_no_pattern_is_refused() -> None:
    assert Bus().join().ask(UNSUBSCRIBE, {"patterns": ["a/b/c/d"]})["data"]["code"] == "invalid_data"


def test_recover_gives_every_message_that_was_missed_and_matches_these_patterns() -> None:
    bus = Bus()
    widget = bus.join()
    start = widget.subscribe("Other")
    told(bus, 2)
    told(bus, 1, "Other/a/b")
    told(bus, 1)
    widget.read()

    reply = widget.subscribe("Gadget", recover={"epoch": start["epoch"], "offset": 1})

    assert (reply["recovered"], reply["offset"], reply["snapshot"]) == (True, 4, [])
    assert offsets(reply["messages"]) == [2, 4]


def test_recovered_message_is_the_one_that_was_delivered() -> None:
    bus = Bus()
    live, late = bus.join(), bus.join()
    live.subscribe("*")
    told(bus, 1)

    reply = late.subscribe("*", recover={"epoch": late.session.workspace.epoch, "offset": 0})

    assert reply["messages"] == live.read()


def test_recovered_message_may_be_ones_own() -> None:
    widget = told(Bus(), 1)

    reply = widget.subscribe("*", recover={"epoch": widget.session.workspace.epoch, "offset": 0})

    assert offsets(reply["messages"]) == [1]


def test_no_message_falls_between_the_reply_and_the_first_live_one() -> None:
    bus = Bus()
    widget = bus.join()
    sender = told(bus, 3)

    reply = widget.subscribe("*", recover={"epoch": widget.session.workspace.epoch, "offset": 1})
    sender.say("Gadget/a/b")

    assert offsets(reply["messages"]) + offsets(widget.read()) == [2, 3, 4]


@pytest.mark.parametrize("recover", [{"offset": 3}, {"offset": 10**30}, {"offset": 0, "epoch": "elsewhere"}])
def test_recover_from_the_future_or_another_epoch_gives_a_snapshot(recover: dict[str, Any]) -> None:
    bus = Bus()
    widget = bus.join()
    bus.call("1")
    bus.call("2")

    reply = widget.subscribe("*", recover={"epoch": widget.session.workspace.epoch} | recover)

    assert (reply["recovered"], reply["messages"]) == (False, [])
    assert offsets(reply["snapshot"]) == [1, 2]


def test_current_offset_is_always_recovered() -> None:
    bus = Bus(history_messages=0, recovery_messages=0)
    widget = told(bus, 5)

    reply = widget.subscribe("*", recover={"epoch": widget.session.workspace.epoch, "offset": 5})

    assert (reply["recovered"], reply["messages"], reply["snapshot"]) == (True, [], [])


@pytest.mark.parametrize(
    "limits",
    [{"history_messages": 2}, {"recovery_messages": 2}, {"recovery_bytes": 300}, {"history_bytes": 300}],
)
def test_recover_that_cannot_be_complete_gives_nothing_of_it(limits: dict[str, Any]) -> None:
    widget = told(Bus(**limits), 3)

    reply = widget.subscribe("*", recover={"epoch": widget.session.workspace.epoch, "offset": 0})

    assert (reply["recovered"], reply["messages"]) == (False, [])


def test_recover_of_what_is_too_old_gives_nothing_of_it() -> None:
    bus = Bus(history_seconds=10)
    widget = told(bus, 1)
    bus.clock.now += 11
    widget.say("Gadget/a/b")

    reply = widget.subscribe("*", recover={"epoch": widget.session.workspace.epoch, "offset": 0})

    assert (reply["recovered"], reply["messages"]) == (False, [])


def test_recover_by_many_patterns_costs_about_what_one_costs() -> None:
    bus = Bus(recovery_messages=0)
    widget = told(bus, 1000)
    recover = {"epoch": widget.session.workspace.epoch, "offset": 0}
    started = time.process_time()

    for _ in range(10):
        assert widget.subscribe(*(f"Other/t{number}" for number in range(128)), recover=recover)["recovered"]

    assert time.process_time() - started < 0.7


def test_snapshot_is_the_latest_of_each_call_and_state_by_offset_unchanged() -> None:
    bus = Bus()
    live = bus.join()
    live.subscribe("Cisco")
    bus.call("1")
    bus.broker.emit("demo", AGENT_STATE, {"state": "READY"})
    bus.call("2")
    bus.broker.emit("demo", CONNECTION_STATUS, {"status": "connected"})
    bus.call("1", "held")

    snapshot = bus.join().subscribe("*")["snapshot"]

    assert offsets(snapshot) == [2, 3, 4, 5]
    assert snapshot == live.read()[1:]


def test_snapshot_lacks_calls_that_ended() -> None:
    bus = Bus()
    widget = bus.join()
    bus.call("1")
    bus.call("2")

    bus.call("1", "dropped", ended=True)

    assert offsets(widget.subscribe("*")["snapshot"]) == [2]


def test_snapshot_has_what_matches_this_subscribe_only_and_comes_anew_each_time() -> None:
    bus = Bus()
    widget = bus.join()
    bus.call("1")
    bus.broker.emit("demo", AGENT_STATE, {"state": "READY"})

    assert offsets(widget.subscribe("Cisco/Agent")["snapshot"]) == [2]
    assert offsets(widget.subscribe("Cisco/InboundCall")["snapshot"]) == [1]
    assert offsets(widget.subscribe("Cisco/Agent")["snapshot"]) == [2]
    assert widget.subscribe("Gadget")["snapshot"] == []


def test_snapshot_outlives_the_history() -> None:
    bus = Bus(history_seconds=10)
    widget = bus.join()
    bus.call("1")
    bus.wait(1000)

    assert offsets(widget.subscribe("*")["snapshot"]) == [1]


def test_command_is_never_retained() -> None:
    widget = Bus().join()
    widget.say(HOLD, ON_CALL)

    assert widget.subscribe("*")["snapshot"] == []


def test_events_of_the_bridge_name_what_caused_them() -> None:
    bus = Bus()
    widget = bus.join()
    widget.subscribe("Cisco")

    bus.broker.emit("demo", AGENT_STATE, {"state": "READY"}, "c1")
    bus.broker.emit("demo", AGENT_STATE, {"state": "NOT_READY"})

    caused, own = widget.read()
    assert (caused["correlationId"], caused["source"]) == ("c1", "workspace-bridge")
    assert "correlationId" not in own
    assert names([caused, own]) == ["SetAgentState", "SetAgentState"]
