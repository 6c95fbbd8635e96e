"""Counting without parsing is right whatever the pieces in which bytes arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from benchmarks import speech
from benchmarks.counting import Count, Ear, FrameEar, Probe, Tally
from benchmarks.load import BINARY, LoadError, client_frame
from benchmarks.peers.nats import PING, Nats, StreamCount

if TYPE_CHECKING:
    from collections.abc import Iterator

NATS_HEAD = b"MSG bench.r 1 %d\r\n" % speech.MESSAGE_BYTES


def server_frame(payload: bytes) -> bytes:
    """Frame as a server does: without a mask."""
    masked = client_frame(payload, BINARY)
    head = len(masked) - len(payload) - 4
    return bytes([masked[0], masked[1] & 0x7F]) + masked[2:head] + payload


def nats_message(number: int) -> bytes:
    return NATS_HEAD + speech.note(number) + b"\r\n"


def in_pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def framed() -> tuple[Ear, bytes, int]:
    """Three messages in frames of their own."""
    data = b"".join(server_frame(speech.note(number)) for number in (7, 8, 9))
    return FrameEar(speech.NAME_START), data, len(data)


def streamed() -> tuple[Ear, bytes, int]:
    """Three messages in two frames that do not care where messages end, with a ping between."""
    stream = b"".join(map(nats_message, (7, 8, 9)))
    data = server_frame(stream[:500]) + server_frame(stream[500:]) + server_frame(PING)
    return Nats().ear("r"), data, len(stream)


@pytest.mark.parametrize("heard", [framed, streamed])
@pytest.mark.parametrize("size", [1, 2, 3, 100, 331, 5000])
def test_ear_hears_every_message_once_whatever_the_pieces(heard: object, size: int) -> None:
    assert callable(heard)
    ear, data, counted = heard()

    numbers = [number for piece in in_pieces(data, size) for number in ear.hear(piece)]

    assert numbers == [7, 8, 9]
    assert ear.counted == counted


@pytest.mark.parametrize("size", [1, 3, 331, 5000])
def test_stream_count_counts_what_is_in_frames_and_no_pings(size: int) -> None:
    _, data, counted = streamed()
    count = StreamCount(Tally())

    for piece in in_pieces(data, size):
        count.data_received(piece)

    assert count.counted == counted


async def test_tally_waits_until_each_has_as_much_as_the_probe() -> None:
    _, data, _ = framed()
    tally = Tally()
    counts = [Count(tally) for _ in range(2)]
    probe = Probe(tally, FrameEar(speech.NAME_START))
    probe.missing = 3

    waiting = asyncio.create_task(tally.wait(lambda: counts[0].data_received(data)))
    await asyncio.sleep(0)
    probe.data_received(data)
    await asyncio.sleep(0)
    assert not waiting.done()
    counts[1].data_received(data)
    await waiting

    tally.check(probe.counted)


def test_tally_sees_when_one_got_less() -> None:
    tally = Tally()
    Count(tally).data_received(b"12")

    with pytest.raises(LoadError, match="a session got 2 bytes where the probe got 3"):
        tally.check(3)
