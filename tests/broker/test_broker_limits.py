from __future__ import annotations

import pytest

from bridge.broker.guests import ABSENT
from bridge.broker.identity import Identity
from bridge.protocol.errors import CloseCode, Code, Rejection
from tests.broker.bus import Bus, Widget, written


def too_fast(widget: Widget) -> dict[str, object] | None:
    """Send a message; give the refusal if it was too fast."""
    widget.read()
    widget.say("Gadget/a/b")
    answers = widget.read()
    return answers[0]["data"] if answers else None


def test_message_over_the_rate_is_refused_and_told_when_to_come_again() -> None:
    bus = Bus(messages_per_second=10, messages_burst=2)
    widget = bus.join()
    widget.say("Gadget/a/b")
    widget.say("Gadget/a/b")

    rejected = widget.ask("Gadget/a/b", id="m1")

    assert rejected["correlationId"] == "m1"
    assert rejected["data"] == {
        "code": "rate_limited",
        "message": "more than 10 messages a second",
        "temporary": True,
        "retryAfterMs": 100,
    }
    bus.clock.now += 0.1
    assert widget.ask("Gadget/a/b", id="m1")["data"]["offset"] == 3


@pytest.mark.parametrize("text", ["{", "[]", '{"id":5}', ""])
def test_message_over_the_rate_is_refused_before_it_is_read(text: str) -> None:
    bus = Bus(messages_per_second=10, messages_burst=1)
    widget = bus.join()
    widget.say("Gadget/a/b")

    bus.broker.receive(widget.session, text)

    (rejected,) = widget.read()
    assert rejected["data"]["code"] == "rate_limited"
    assert "correlationId" not in rejected


def test_control_messages_count_too() -> None:
    widget = Bus(messages_per_second=10, messages_burst=1).join()
    widget.subscribe("*")

    assert widget.ask("Bridge/Command/Status", {"id": "x"})["data"]["code"] == "rate_limited"


def test_rate_is_each_sessions_own() -> None:
    bus = Bus(messages_per_second=10, messages_burst=1)
    one, other = bus.join(), bus.join()

    assert too_fast(one) is None
    assert too_fast(one) is not None
    assert too_fast(other) is None


def test_rate_of_zero_is_none() -> None:
    widget = Bus(messages_per_second=0).join()

    assert all(too_fast(widget) is None for _ in range(1000))


def test_session_that_is_refused_for_ten_seconds_on_end_is_closed() -> None:
    bus = Bus(messages_per_second=10, messages_burst=1)
    widget = bus.join()
    for _ in range(995):
        bus.clock.now += 0.01
        widget.say("Gadget/a/b")
    assert widget.closed == []

    for _ in range(30):
        bus.clock.now += 0.01
        widget.say("Gadget/a/b")

    assert widget.closed[0] == (CloseCode.TOO_MANY, "rate refused for 10 s on end")


def test_session_that_pauses_is_not_closed() -> None:
    bus = Bus(messages_per_second=10, messages_burst=1)
    widget = bus.join()
    for _ in range(3):
        for _ in range(900):
            bus.clock.now += 0.01
            widget.say("Gadget/a/b")
        bus.clock.now += 1.1

    assert widget.closed == []


def test_messages_without_a_session_share_the_workspaces_rate() -> None:
    bus = Bus(messages_per_second=10, messages_burst=2)
    guest = Identity(app="server")
    bus.broker.publish("demo", guest, written("Gadget/a/b"))
    bus.broker.publish("demo", guest, written("Gadget/a/b"))

    with pytest.raises(Rejection) as refused:
        bus.broker.publish("demo", guest, written("Gadget/a/b", id="m1"))

    assert refused.value.code is Code.RATE_LIMITED
    assert (refused.value.correlation_id, refused.value.details) == ("m1", {"retryAfterMs": 100})
    bus.broker.publish("other", guest, written("Gadget/a/b"))
    assert too_fast(bus.join()) is None


def test_refused_message_without_a_session_makes_no_workspace() -> None:
    bus = Bus()

    for number in range(50):
        with pytest.raises(Rejection):
            bus.broker.publish(f"room{number}", Identity(app="server"), "no message")

    assert len(bus.broker.workspaces) == 0


def test_refused_messages_to_a_workspace_that_is_not_there_have_its_rate_too() -> None:
    bus = Bus(messages_per_second=10, messages_burst=2)

    codes = []
    for _ in range(4):
        with pytest.raises(Rejection) as refused:
            bus.broker.publish("nobody", Identity(app="server"), "no message")
        codes.append(refused.value.code)

    assert codes == [Code.MALFORMED_JSON] * 2 + [Code.RATE_LIMITED] * 2


def test_workspaces_that_are_not_there_are_not_remembered_without_end() -> None:
    bus = Bus()

    for number in range(ABSENT + 10):
        with pytest.raises(Rejection):
            bus.broker.publish(f"room{number}", Identity(app="server"), "no message")

    assert len(bus.broker._guests._absent) == ABSENT


def test_absurdly_many_patterns_are_refused_by_their_number() -> None:
    widget = Bus().join()
    reply = widget.ask("Bridge/Subscription/Subscribe", {"patterns": ["a/b/c/d"] * 1000})
    assert (reply["data"]["code"], reply["data"]["limit"]) == ("limit_exceeded", 128)
