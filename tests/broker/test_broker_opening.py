from __future__ import annotations

from typing import Any

import pytest

from bridge.broker.broker import RefusedError
from bridge.broker.identity import Identity
from bridge.protocol.errors import CloseCode
from tests.broker.bus import Bus, Recorder, name


def test_open_greets_with_who_one_is_and_what_one_may() -> None:
    bus, recorder = Bus(messages_per_second=50, heartbeat_seconds=25), Recorder()
    bus.gate.extensions["demo"] = "5069"

    session = bus.broker.open("demo", Identity(app="widget", subject="alice"), recorder)

    (opened,) = recorder.read()
    assert name(opened) == "Bridge/Session/Opened"
    assert set(opened) == {"channel", "topic", "subtopic", "data"}
    assert opened["data"] == {
        "protocol": "workspace-bridge.v1",
        "session": session.id,
        "workspace": "demo",
        "identity": {"subject": "alice", "app": "widget", "extension": "5069"},
        "heartbeatSeconds": 25,
        "limits": {"messageBytes": 65536, "messagesPerSecond": 50, "subscriptions": 128},
        "server": {"version": "0", "adapter": "none"},
    }


def test_open_sessions_are_counted_until_they_close() -> None:
    bus = Bus()
    one, other = bus.join(), bus.join("other")
    assert bus.broker.sessions == 2

    one.leave()
    one.leave()
    assert bus.broker.sessions == 1
    other.leave()

    assert bus.broker.sessions == 0


def test_close_ends_delivery_and_harms_nobody_else() -> None:
    bus = Bus()
    leaving, staying, sender = bus.join(), bus.join(), bus.join()
    leaving.subscribe("*")
    staying.subscribe("*")

    leaving.leave()
    sender.say("Gadget/a/b")

    assert leaving.read() == []
    assert len(staying.read()) == 1


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        ({"max_sessions": 2}, "MAX_SESSIONS"),
        ({"sessions_per_workspace": 2}, "SESSIONS_PER_WORKSPACE"),
        ({"sessions_per_address": 2}, "SESSIONS_PER_ADDRESS"),
    ],
)
def test_open_over_a_limit_is_refused_and_names_it_until_one_leaves(limits: dict[str, Any], named: str) -> None:
    bus = Bus(**limits)
    first = bus.join(address="10.0.0.1")
    bus.join(address="10.0.0.1")

    with pytest.raises(RefusedError, match=named + r" \(2\)") as refused:
        bus.join(address="10.0.0.1")
    assert refused.value.code is CloseCode.TOO_MANY
    first.leave()

    bus.join(address="10.0.0.1")


@pytest.mark.parametrize("limit", ["max_sessions", "sessions_per_workspace", "sessions_per_address"])
def test_session_limit_of_zero_is_none(limit: str) -> None:
    limits: dict[str, Any] = {limit: 0}
    bus = Bus(**limits)

    for _ in range(70):
        bus.join(address="10.0.0.1", workspace=f"w{bus.broker.sessions % 2}")

    assert bus.broker.sessions == 70


def test_limit_per_address_counts_each_address_by_itself() -> None:
    bus = Bus(sessions_per_address=1)
    bus.join(address="10.0.0.1")
    bus.join(address="10.0.0.2")
    bus.join(address=None)
    bus.join(address=None)

    with pytest.raises(RefusedError):
        bus.join(address="10.0.0.2")


def test_refused_session_leaves_no_workspace_behind() -> None:
    bus = Bus(max_sessions=1)
    bus.join("demo")

    with pytest.raises(RefusedError):
        bus.join("other")

    assert bus.gate.attached == ["demo"]


def test_addresses_are_forgotten_with_their_sessions() -> None:
    bus = Bus(sessions_per_address=5)
    widgets = [bus.join(address=f"10.0.0.{number % 3}") for number in range(9)]

    for widget in widgets:
        widget.leave()

    assert bus.broker._addresses == {}


def test_close_all_ends_every_session() -> None:
    bus = Bus()
    widgets = [bus.join("demo"), bus.join("demo"), bus.join("other")]

    bus.broker.close_all(CloseCode.RESTART, "restarting")

    assert [widget.closed for widget in widgets] == [[(CloseCode.RESTART, "restarting")]] * 3


def test_closed_session_is_not_listened_to() -> None:
    bus = Bus()
    widget, reader = bus.join(), bus.join()
    reader.subscribe("*")
    widget.leave()
    widget.say("Gadget/a/b")
    widget.say("Bridge/Subscription/Subscribe", {"patterns": ["*"]}, id="s")
    reader.say("Gadget/a/b")
    assert reader.read() == []
    assert widget.read() == []
