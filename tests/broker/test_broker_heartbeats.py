from __future__ import annotations

from tests.broker.bus import Bus, Widget


def beats(widget: Widget) -> list[dict[str, object]]:
    return [message["data"] for message in widget.read() if message["subtopic"] == "Heartbeat"]


def test_heartbeat_comes_every_interval_with_the_streams_position() -> None:
    bus = Bus(heartbeat_seconds=25)
    widget = bus.join()

    for _ in range(24):
        bus.wait(1)
    assert beats(widget) == []
    bus.call("1")
    bus.wait(1)
    assert beats(widget) == [{"epoch": widget.session.workspace.epoch, "offset": 1}]
    for _ in range(50):
        bus.wait(1)

    assert len(beats(widget)) == 2


def test_heartbeat_comes_under_traffic_too() -> None:
    bus = Bus(heartbeat_seconds=25)
    widget = bus.join()
    widget.subscribe("*", echo=True)

    for _ in range(25):
        widget.say("Gadget/a/b")
        bus.wait(1)

    assert len(beats(widget)) == 1


def test_heartbeat_is_a_control_message() -> None:
    bus = Bus(heartbeat_seconds=1)
    widget = bus.join()

    bus.wait(1)

    (beat,) = widget.read()
    assert set(beat) == {"channel", "topic", "subtopic", "data"}


def test_heartbeats_of_many_are_spread_over_the_interval() -> None:
    bus = Bus(heartbeat_seconds=5)
    widgets: list[Widget] = []
    for _ in range(5):
        widgets.append(bus.join())
        bus.wait(1)
    for widget in widgets:
        widget.read()

    heard = []
    for _ in range(5):
        bus.wait(1)
        heard.append(sum(len(beats(widget)) for widget in widgets))

    assert heard == [1, 1, 1, 1, 1]


def test_heartbeat_ends_with_the_session() -> None:
    bus = Bus(heartbeat_seconds=1)
    widget = bus.join()

    widget.leave()
    bus.wait(1)

    assert widget.read() == []
