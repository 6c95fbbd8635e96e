"""What waits for one client: joined, in order, bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from bridge.protocol import control
from bridge.protocol.message import Burst, Encoded, encode_control
from bridge.server.framing import close_reason, text_frame
from bridge.server.observer import Silent
from bridge.server.outbox import Flusher, Outbox

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from bridge.protocol.errors import CloseCode


class Loop:
    """Collects what is to run at the end of the turn."""

    def __init__(self) -> None:
        self.soon: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def turn(self) -> None:
        soon, self.soon = self.soon, []
        for callback in soon:
            callback()


class Transport:
    """Takes everything, and writes as much as the test says."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.waiting = 0
        self.stuck = False
        self.closing = False
        self.broken = False

    def write(self, data: bytes) -> None:
        if self.broken:
            raise RuntimeError("a bug")
        self.writes.append(data)
        if self.stuck:
            self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing


class Owner:
    """Notes what an outbox tells its connection."""

    def __init__(self) -> None:
        self.overflows: list[int] = []
        self.ends: list[tuple[int, str]] = []

    def overflowed(self, size: int) -> None:
        self.overflows.append(size)

    def end(self, code: CloseCode, reason: str) -> None:
        self.ends.append((code, reason))


class Desk:
    """One outbox with everything around it."""

    def __init__(self, limit: int = 1000) -> None:
        self.loop, self.transport, self.owner = Loop(), Transport(), Owner()
        self.flusher = Flusher(cast("asyncio.AbstractEventLoop", self.loop), Silent())
        self.outbox = Outbox(self.owner, cast("asyncio.WriteTransport", self.transport), self.flusher, limit)

    def send(self, size: int, offset: int = 1) -> None:
        self.outbox.send(Encoded(b"x" * (size - 2 if size < 128 else size - 4), offset))


@pytest.fixture
def desk() -> Desk:
    """Give an outbox of 1,000 bytes."""
    return Desk()


def test_messages_of_a_turn_are_one_write(desk: Desk) -> None:
    for payload in (b"a", b"b", b"c"):
        desk.outbox.send(Encoded(payload, 1))
    assert desk.transport.writes == []
    desk.loop.turn()
    assert desk.transport.writes == [b"\x81\x01a\x81\x01b\x81\x01c"]


def test_outboxes_of_a_turn_share_one_flush(desk: Desk) -> None:
    other = Outbox(desk.owner, cast("asyncio.WriteTransport", desk.transport), desk.flusher, 1000)
    desk.outbox.send(Encoded(b"a", 1))
    other.send(Encoded(b"b", 1))
    assert len(desk.loop.soon) == 1


def test_fault_of_one_transport_keeps_nothing_from_the_others(desk: Desk) -> None:
    good = Transport()
    other = Outbox(desk.owner, cast("asyncio.WriteTransport", good), desk.flusher, 1000)
    desk.transport.broken = True
    desk.outbox.send(Encoded(b"a", 1))
    other.send(Encoded(b"b", 1))
    desk.loop.turn()
    assert (good.writes, good.closing) == ([b"\x81\x01b"], False)
    assert desk.transport.closing


def test_flush_is_asked_for_again_in_the_next_turn(desk: Desk) -> None:
    for _ in range(2):
        desk.send(10)
        desk.loop.turn()
    assert len(desk.transport.writes) == 2


def test_message_is_framed_once_for_all(desk: Desk) -> None:
    message = Encoded(b"hello", 1)
    desk.outbox.send(message)
    frame = message.frame
    desk.outbox.send(message)
    assert message.frame is frame == b"\x81\x05hello"


def test_burst_is_framed_and_joined_once_for_all(desk: Desk) -> None:
    burst = Burst([Encoded(b"a", 1), Encoded(b"b", 2)])
    desk.outbox.send_all(burst)
    frames = burst.frames
    desk.outbox.send_all(burst)
    desk.loop.turn()
    assert burst.frames is frames == b"\x81\x01a\x81\x01b"
    assert desk.transport.writes == [b"\x81\x01a\x81\x01b" * 2]


def test_burst_beyond_the_limit_closes_the_session(desk: Desk) -> None:
    desk.outbox.send_all(Burst([Encoded(b"x" * 400, offset) for offset in range(3)]))
    desk.loop.turn()
    assert (len(desk.owner.overflows), desk.transport.writes) == (1, [])


def test_burst_that_comes_too_late_is_dropped(desk: Desk) -> None:
    desk.outbox.shut()
    desk.outbox.send_all(Burst([Encoded(b"a", 1)]))
    assert desk.outbox.queued == 0


def test_control_frames_keep_their_place(desk: Desk) -> None:
    desk.outbox.send(Encoded(b"a", 1))
    desk.outbox.put(b"PING")
    desk.outbox.send(Encoded(b"b", 2))
    desk.loop.turn()
    assert desk.transport.writes == [b"\x81\x01aPING\x81\x01b"]


def test_exactly_the_limit_fits(desk: Desk) -> None:
    desk.send(500)
    desk.send(500)
    assert (desk.outbox.size, desk.owner.overflows) == (1000, [])


def test_one_byte_more_overflows_and_discards(desk: Desk) -> None:
    desk.send(500)
    desk.send(501)
    assert desk.owner.overflows == [1001]
    desk.send(10)
    desk.loop.turn()
    assert desk.transport.writes == []


def test_bytes_in_the_transport_count(desk: Desk) -> None:
    desk.transport.stuck = True
    desk.send(600)
    desk.loop.turn()
    assert desk.outbox.size == 600
    desk.send(401)
    assert desk.owner.overflows == [1001]


def test_bytes_that_the_transport_has_written_meanwhile_do_not_count(desk: Desk) -> None:
    desk.transport.stuck = True
    desk.send(600)
    desk.loop.turn()
    desk.transport.waiting = 0
    desk.send(900)
    assert desk.owner.overflows == []


def _reply(size: int) -> Encoded:
    return encode_control(control.SUBSCRIBED, {"snapshot": ["x" * size]}, "s1")


def test_reply_to_a_subscribe_never_counts_as_slow(desk: Desk) -> None:
    desk.transport.stuck = True
    desk.outbox.send(_reply(50_000))
    desk.send(900)
    assert desk.owner.overflows == []
    desk.loop.turn()
    desk.send(100)
    assert desk.owner.overflows == []
    desk.send(100)
    assert len(desk.owner.overflows) == 1


def test_reply_that_has_been_read_excuses_nothing_more(desk: Desk) -> None:
    desk.outbox.send(_reply(50_000))
    desk.loop.turn()
    desk.send(1001)
    assert desk.owner.overflows == [1001]


def test_another_control_message_does_count(desk: Desk) -> None:
    desk.outbox.send(encode_control(control.ACCEPTED, {"warnings": ["x" * 1000]}, "a"))
    assert len(desk.owner.overflows) == 1


def test_shut_outbox_takes_no_message_but_the_close_frame(desk: Desk) -> None:
    desk.outbox.send(Encoded(b"a", 1))
    desk.outbox.shut()
    desk.outbox.send(Encoded(b"b", 2))
    desk.outbox.put(b"CLOSE")
    desk.loop.turn()
    assert desk.transport.writes == [b"\x81\x01aCLOSE"]


def test_nothing_is_written_to_a_closing_transport(desk: Desk) -> None:
    desk.send(10)
    desk.transport.closing = True
    desk.loop.turn()
    assert desk.transport.writes == []


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_frame_has_the_shortest_length(size: int, head: bytes) -> None:
    assert text_frame(b"x" * size) == head + b"x" * size


def test_close_reason_is_cut_between_characters() -> None:
    assert close_reason("short") == "short"
    assert close_reason("x" * 122 + "ü") == "x" * 122
