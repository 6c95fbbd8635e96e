"""Deadlines of many from one tick."""

from __future__ import annotations

from bridge.server.pulse import Deadlines, Pulse, Timing
from bridge.settings import Settings


def test_deadline_ends_once_its_seconds_are_over() -> None:
    deadlines: Deadlines[str] = Deadlines(2)
    deadlines.start("a", 10)
    deadlines.start("b", 11)
    assert deadlines.expired(11.9) == []
    assert deadlines.expired(12) == ["a"]
    assert deadlines.expired(20) == ["b"]
    assert len(deadlines) == 0


def test_start_does_not_prolong_and_restart_does() -> None:
    deadlines: Deadlines[str] = Deadlines(2)
    deadlines.start("a", 10)
    deadlines.start("b", 10.5)
    deadlines.start("a", 11)
    assert deadlines.expired(12) == ["a"]
    deadlines.restart("b", 12)
    assert deadlines.expired(13.9) == []
    assert deadlines.expired(14) == ["b"]


def test_stopped_deadline_never_ends() -> None:
    deadlines: Deadlines[str] = Deadlines(2)
    deadlines.start("a", 10)
    deadlines.stop("a")
    deadlines.stop("never there")
    assert deadlines.expired(100) == []


class Client:
    """Notes what the pulse asks of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ping_due(self) -> None:
        self.asked.append("ping")

    def pong_missed(self) -> None:
        self.asked.append("pong missed")

    def opening_overdue(self) -> None:
        self.asked.append("opening overdue")

    def message_overdue(self) -> None:
        self.asked.append("overdue")

    def cut(self) -> None:
        self.asked.append("cut")


def _pulse() -> Pulse:
    return Pulse(Settings(ping_seconds=3, pong_seconds=2), Timing(tick=1, cut=5), now=0)


def test_client_is_pinged_each_interval_and_cut_if_it_does_not_answer() -> None:
    pulse, client = _pulse(), Client()
    pulse.pings.join(client)
    for second in range(1, 4):
        assert client.asked == []
        pulse.tick(second)
    assert client.asked == ["ping"]
    pulse.tick(4)
    pulse.tick(5)
    assert client.asked == ["ping", "pong missed"]


def test_client_that_answers_is_pinged_again() -> None:
    pulse, client = _pulse(), Client()
    pulse.pings.join(client)
    for second in range(1, 10):
        pulse.tick(second)
        pulse.awaiting.stop(client)
    assert client.asked == ["ping"] * 3


def test_forgotten_client_is_only_cut() -> None:
    pulse, client = _pulse(), Client()
    pulse.pings.join(client)
    pulse.opening.start(client, 0)
    pulse.unfinished.start(client, 0)
    pulse.awaiting.start(client, 0)
    pulse.closing.start(client, 0)
    pulse.forget(client)
    for second in range(1, 30):
        pulse.tick(second)
    assert client.asked == ["cut"]
