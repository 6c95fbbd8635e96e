"""Bursts change how many calls are made, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.protocol.errors import CloseCode
from tests.broker.bus import HOLD, ON_CALL, Bus, Recorder, names

if TYPE_CHECKING:
    from bridge.protocol.message import Burst, Encoded

NOTE = "Gadget/notes/Changed"
SEATS = 3


def test_burst_is_one_call_for_each_session() -> None:
    bus = Bus()
    readers, writer = [bus.join() for _ in range(3)], bus.join()
    for reader in readers:
        reader.subscribe("Gadget")

    bus.broker.delivery.hold()
    for number in range(16):
        writer.say(NOTE, number)
    assert [reader.recorder.sent for reader in readers] == [[], [], []]
    bus.broker.delivery.release()

    for reader in readers:
        assert reader.recorder.bursts == [16]
        assert [message["data"] for message in reader.read()] == list(range(16))


def test_reply_stands_behind_what_went_to_the_session_before() -> None:
    bus = Bus()
    widget, writer = bus.join(), bus.join()
    widget.subscribe("Gadget")

    bus.broker.delivery.hold()
    writer.say(NOTE, 1)
    widget.say("Bridge/Command/Status", {"id": "unknown"})
    writer.say(NOTE, 2)
    bus.broker.delivery.release()

    assert names(widget.read()) == ["Changed", "Status", "Changed"]


def test_close_stands_behind_what_went_to_the_session_before() -> None:
    bus = Bus()
    widget, writer = bus.join(), bus.join()
    widget.subscribe("Gadget")

    bus.broker.delivery.hold()
    writer.say(NOTE, 1)
    bus.broker.close_all(CloseCode.RESTART, "")

    assert names(widget.read()) == ["Changed"]
    assert widget.closed == [(CloseCode.RESTART, "")]


def test_session_that_comes_into_a_burst_gets_what_follows_its_subscription() -> None:
    bus = Bus()
    early, late, writer = bus.join(), bus.join(), bus.join()
    early.subscribe("Gadget")

    bus.broker.delivery.hold()
    writer.say(NOTE, 1)
    offset = late.subscribe("Gadget")["offset"]
    writer.say(NOTE, 2)
    bus.broker.delivery.release()

    assert offset == 1
    assert [message["offset"] for message in early.read()] == [1, 2]
    assert [message["offset"] for message in late.read()] == [2]


class Framing(Recorder):
    """A subscriber that frames what it gets, as a transport does."""

    def send(self, message: Encoded) -> None:
        super().send(message)
        message.frame = b"frame"


def test_frame_of_a_message_is_not_kept_with_it() -> None:
    bus = Bus()
    reader, writer = bus.join(recorder=Framing()), bus.join()
    reader.subscribe("Gadget")

    writer.say(NOTE, 1)

    (delivered,) = reader.recorder.sent
    assert delivered.offset == 1
    assert delivered.frame is None


class Overfull(Recorder):
    """A subscriber that a burst overfills, so that its connection ends."""

    end: Callable[[], None]

    def send_all(self, burst: Burst) -> None:
        super().send_all(burst)
        self.end()


def test_subscriber_that_is_overfilled_loses_and_doubles_nothing_for_others() -> None:
    bus = Bus()
    slow, reader, writer = bus.join(recorder=Overfull()), bus.join(), bus.join()
    slow.recorder.end = bus.broker.delivery.complete  # type: ignore[attr-defined]
    for widget in (slow, reader):
        widget.subscribe("Gadget")

    bus.broker.delivery.hold()
    for number in range(3):
        writer.say(NOTE, number)
    bus.broker.delivery.release()

    assert [message["data"] for message in slow.read()] == [0, 1, 2]
    assert [message["data"] for message in reader.read()] == [0, 1, 2]


Step = tuple[int, Callable[[Any], None], bool]

steps = st.tuples(
    st.integers(0, SEATS - 1),
    st.sampled_from(
        [
            lambda widget: widget.say(NOTE, "first"),
            lambda widget: widget.say(NOTE, "second", id="again"),
            lambda widget: widget.say("Other/a/b"),
            lambda widget: widget.say("Gadget/ a/b", "no address"),
            lambda widget: widget.say(HOLD, ON_CALL, id="h"),
            lambda widget: widget.bus.complete("h"),
            lambda widget: widget.bus.call("7"),
            lambda widget: widget.bus.wait(30),
            lambda widget: widget.leave(),
            lambda widget: widget.say("Bridge/Subscription/Subscribe", {"patterns": ["Gadget"], "echo": True}),
            lambda widget: widget.say("Bridge/Subscription/Subscribe", {"patterns": ["*"], "echo": False}),
            lambda widget: widget.say("Bridge/Subscription/Unsubscribe", {"patterns": ["Gadget", "*"]}),
        ]
    ),
    st.integers(0, 4).map(bool),
)


def told(script: list[Step], *, bursts: bool) -> list[list[str]]:
    """Play a script; with bursts, hold delivery where it says so. Give all that each seat got."""
    bus = Bus()
    seats = [bus.join(app=f"app{number}") for number in range(SEATS)]
    for seat in seats:
        seat.say("Bridge/Subscription/Subscribe", {"patterns": ["*"]})
    for number, step, held in script:
        if held and bursts:
            bus.broker.delivery.hold()
        else:
            bus.broker.delivery.release()
        step(seats[number])
    bus.broker.delivery.release()
    return [[message.payload.decode() for message in seat.recorder.sent] for seat in seats]


@given(st.lists(steps, max_size=40))
def test_everybody_gets_the_same_in_the_same_order_with_bursts_as_without(script: list[Step]) -> None:
    assert told(script, bursts=True) == told(script, bursts=False)
