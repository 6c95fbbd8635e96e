"""What a publish costs inside of the process, without sockets: steady enough for a test on a busy machine.

CPU times of the same work differ because something disturbs it, and a disturbance only ever adds. So the smallest of
many short stretches is the work itself; and stretches that take turns meet the same processor. The ratios repeat within
a few per cent, so instruction counts are not needed: callgrind would take ten seconds a run, and virtual machines
seldom have the counters that `perf stat` reads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.server import ServerProtocol

from benchmarks import speech
from benchmarks.load import client_frame
from bridge.broker.broker import Broker
from bridge.broker.clock import SystemClock
from bridge.broker.gate import NoCallControl
from bridge.broker.identity import Identity
from bridge.broker.limits import Limits
from bridge.server.framing import text_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.protocol.errors import CloseCode
    from bridge.protocol.message import Burst, Encoded

STRETCHES = 60
MESSAGES = 50
GREETING_AND_ANSWER = 2

Publish = Callable[[], object]
"""Publishes one message."""


class _Listener:
    """Frames what it gets, as a connection does."""

    def __init__(self) -> None:
        self.got = 0

    def send(self, message: Encoded) -> None:
        self.got += 1
        text_frame(message.payload)

    def send_all(self, burst: Burst) -> None:
        for message in burst.messages:
            self.send(message)

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError(f"closed with {code}: {reason}")


def bridge_publish(workspaces: int) -> Publish:
    """Give what publishes in one of so many workspaces, where one other session listens."""
    broker = Broker(
        clock=SystemClock(),
        gate=NoCallControl(),
        limits=Limits(messages_per_second=0, max_sessions=0),
    )
    subscribe = speech.subscribe(["Bench"], "listen").decode()
    for number in range(workspaces):
        listener = _Listener()
        session = broker.open(f"w{number}", Identity("listener"), listener)
        broker.receive(session, subscribe)
        if listener.got != GREETING_AND_ANSWER:
            raise AssertionError("the listener does not listen")
    sender = broker.open("w0", Identity("sender"), _Listener())
    return partial(broker.receive, sender, speech.note().decode())


def plain_publish() -> Publish:
    """Give what does the same with `websockets` alone: a frame comes, and is framed again for one listener."""
    came = client_frame(speech.note())
    sender, listener = ServerProtocol(state=OPEN), ServerProtocol(state=OPEN)

    def publish() -> None:
        sender.receive_data(came)
        for frame in sender.events_received():
            assert isinstance(frame, Frame)
            listener.send_text(frame.data)
        listener.data_to_send()

    return publish


def costs(ways: Mapping[str, Publish]) -> dict[str, float]:
    """Give the microseconds that one message takes, each way: the least of stretches that take turns."""
    found = dict.fromkeys(ways, float("inf"))
    for _ in range(STRETCHES):
        for name, publish in ways.items():
            started = time.thread_time()
            for _ in range(MESSAGES):
                publish()
            found[name] = min(found[name], (time.thread_time() - started) / MESSAGES * 1e6)
    return found


def main() -> None:
    """Print what it costs."""
    ways = {"plain": plain_publish(), "10": bridge_publish(10), "10,000": bridge_publish(10_000)}
    for name, cost in costs(ways).items():
        print(f"{name:>8} {cost:6.2f} µs")


if __name__ == "__main__":
    main()
