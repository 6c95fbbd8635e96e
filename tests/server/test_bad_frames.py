"""What a client gets for breaking the rules of WebSocket, and that nobody else notices."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from bridge.protocol.address import Address
from bridge.protocol.errors import CloseCode
from tests.server.wire import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, publish, text, until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start
    from tests.server.wire import Wire

LIMIT = 2048
AGENT_STATE = Address("Cisco", "Agent", "SetAgentState")


def _sized(size: int) -> bytes:
    """Make a valid message of exactly so many bytes."""
    empty = json.dumps(publish(0, data="")).encode()
    return json.dumps(publish(0, data="x" * (size - len(empty)))).encode()


BROKEN = {
    "unmasked frame": (frame(TEXT, b"{}", masked=False), 1002),
    "reserved opcode": (frame(3, b"{}"), 1002),
    "reserved control opcode": (frame(11, b""), 1002),
    "reserved bit": (frame(TEXT, b"{}", reserved=4), 1002),
    "fragmented ping": (frame(PING, b"", fin=False), 1002),
    "long ping": (frame(PING, b"x" * 126), 1002),
    "continuation of nothing": (frame(CONT, b"{}"), 1002),
    "message within a message": (frame(TEXT, b"{", fin=False) + frame(TEXT, b"}"), 1002),
    "close frame of one byte": (frame(CLOSE, b"\x03"), 1002),
    "close frame with a code that may not be sent": (frame(CLOSE, b"\x03\xed"), 1002),
    "close frame within a message": (frame(TEXT, b"{", fin=False) + frame(CLOSE, b"\x03\xe8"), 1002),
    "binary message": (frame(BINARY, b"{}"), 1003),
    "begun binary message": (frame(BINARY, b"{", fin=False), 1003),
    "not UTF-8": (frame(TEXT, b'"\xff"'), 1007),
    "half a character": (frame(TEXT, b'"\xc3'), 1007),
    "a surrogate in UTF-8": (frame(TEXT, b'"\xed\xa0\x80"'), 1007),
    "not UTF-8 across fragments": (frame(TEXT, b'"\xc3', fin=False) + frame(CONT, b'"'), 1007),
    "close reason that is not UTF-8": (frame(CLOSE, b"\x03\xe8\xff"), 1007),
    "one byte too long": (frame(TEXT, _sized(LIMIT + 1)), 1009),
    "too long together": (frame(TEXT, b"x" * LIMIT, fin=False) + frame(CONT, b"x"), 1009),
    "length of an exabyte": (b"\x81\xff" + b"\x7f" + b"\xff" * 7 + b"\0\0\0\0", 1009),
    "51 pings": (frame(PING) * 51, 1008),
    "51 pongs that nobody asked for": (frame(PONG) * 51, 1008),
}


@pytest.fixture
async def small(start: Start) -> Bus:
    """Give a server that takes messages of 2 KB."""
    return await start(message_bytes=LIMIT)


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
async def test_broken_frame_closes_its_own_session_only(small: Bus, sent: bytes, code: int) -> None:
    witness = await Witness.join(small)
    await witness.speak()
    bad = await small.session()
    bad.send(sent)
    assert (await bad.closed())[0] == code
    await witness.testify()
    assert small.observer.failures == []


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
async def test_broken_frame_loses_no_message_before_it(small: Bus, sent: bytes, code: int) -> None:
    reader, bad = await small.session(), await small.session()
    await reader.subscribe("Gadget")
    bad.send(publish(1, id="a"), publish(2, id="b"), sent)
    assert [(await bad.message())["correlationId"] for _ in range(2)] == ["a", "b"]
    assert (await bad.closed())[0] == code
    assert [(await reader.message())["data"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
async def test_who_breaks_a_rule_hears_itself_first(small: Bus, sent: bytes, code: int) -> None:
    bad = await small.session()
    await bad.subscribe("Gadget", echo=True)
    bad.send(publish(1), publish(2), sent)
    assert [(await bad.message())["data"] for _ in range(2)] == [1, 2]
    assert (await bad.closed())[0] == code


# What follows a begun binary message breaks a second rule, and that may be the one that is told.
CLEAR = {name: case for name, case in BROKEN.items() if name != "begun binary message"}


@pytest.mark.parametrize(("sent", "code"), CLEAR.values(), ids=CLEAR)
async def test_broken_frame_takes_no_message_behind_it(small: Bus, sent: bytes, code: int) -> None:
    bad = await small.session()
    bad.send(sent, publish(1, id="late"))
    assert (await bad.closed())[0] == code
    status = await small.session()
    status.send({"channel": "Bridge", "topic": "Command", "subtopic": "Status", "data": {"id": "late"}})
    assert (await status.message())["data"]["known"] is False


async def test_message_of_exactly_the_limit_is_taken(small: Bus) -> None:
    wire = await small.session()
    wire.send(frame(TEXT, _sized(LIMIT - 20)[:-1] + b',"id":"0123456789ab"}'))
    assert (await wire.message())["subtopic"] == "Accepted"


async def test_fragments_with_a_ping_between_are_one_message(small: Bus) -> None:
    wire = await small.session()
    whole = json.dumps(publish(7, id="whole", data="grüße"), ensure_ascii=False).encode()
    cut = whole.index("ü".encode()) + 1
    wire.send(frame(TEXT, whole[:cut], fin=False), frame(PING, b"?"), frame(CONT, b"", fin=False))
    assert await wire.frame() == (PONG, b"?")
    wire.send(frame(CONT, whole[cut:]))
    assert (await wire.message())["correlationId"] == "whole"


async def test_frames_in_single_bytes_are_read(small: Bus) -> None:
    wire = await small.session()
    for byte in text(publish(1, id="slow")):
        wire.send(bytes([byte]))
        await asyncio.sleep(0)
    assert (await wire.message())["correlationId"] == "slow"


async def test_fifty_control_frames_are_allowed(small: Bus) -> None:
    wire = await small.session()
    wire.send(frame(PING, b"x") * 50, publish(1, id="fine"))
    assert sorted([(await wire.frame()).opcode for _ in range(51)]) == [TEXT] + [PONG] * 50


UNFINISHED = {
    "one byte": b"\x81",
    "head without body": text(publish(1))[:6],
    "half a body": text(publish(1))[:-1],
    "first fragment": frame(TEXT, b"{", fin=False),
    "fragment after fragment": frame(TEXT, b"{", fin=False) + frame(CONT, b"", fin=False),
    "whole message and half of the next": text(publish(1)) + text(publish(2))[:9],
    "half a close frame": frame(CLOSE, b"\x03\xe8")[:3],
}


@pytest.mark.parametrize("sent", UNFINISHED.values(), ids=UNFINISHED)
async def test_message_unfinished_too_long_closes_its_session_only(start: Start, sent: bytes) -> None:
    bus = await start(open_seconds=0.5)
    witness = await Witness.join(bus)
    bad = await bus.session()
    bad.send(sent)
    code, reason = await bad.closed()
    assert (code, "OPEN_SECONDS" in reason) == (1008, True)
    await witness.testify()


async def _trickle(wire: Wire, ended: asyncio.Task[tuple[int, str]]) -> None:
    while not (await asyncio.wait({ended}, timeout=0.01))[0]:
        wire.send(frame(CONT, b"x", fin=False))


async def test_message_that_only_grows_is_not_finished_either(start: Start) -> None:
    bus = await start(open_seconds=0.5)
    bad = await bus.session()
    bad.send(frame(TEXT, b"{", fin=False))
    ended = asyncio.ensure_future(bad.closed())
    await _trickle(bad, ended)
    assert (await ended)[0] == 1008


async def test_each_message_has_its_own_time(start: Start) -> None:
    """The segments of a busy client may end in the middle of messages for as long as it likes."""
    bus = await start(open_seconds=0.6, messages_per_second=0)
    wire = await bus.session()
    frames = [text(publish(number, id=f"m{number}")) for number in range(10)]
    wire.send(frames[0][:9])
    for before, after in pairwise(frames):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):  # together three times OPEN_SECONDS
                await wire.frame()
        wire.send(before[9:], after[:9])
        assert (await wire.message())["subtopic"] == "Accepted"


async def test_idle_session_is_not_unfinished(start: Start) -> None:
    bus = await start(open_seconds=0.05, ping_seconds=0.1, tick=0.01)
    wire = await bus.session()
    for _ in range(3):  # each ping is later than the deadline would have been
        assert (await wire.frame()).opcode == PING
        wire.send(frame(PONG))
    wire.send(publish(1, id="still here"))
    assert (await wire.message())["correlationId"] == "still here"


async def test_half_open_connection_is_cut(start: Start) -> None:
    bus = await start(ping_seconds=0.05, pong_seconds=0.1)
    dead, alive = await bus.session(), await bus.session()
    assert (await dead.frame()).opcode == PING

    async def answer() -> None:
        while True:
            assert (await alive.frame()).opcode == PING
            alive.send(frame(PONG))

    answering = asyncio.ensure_future(answer())
    await dead.eof()
    assert bus.broker.sessions == 1
    assert not answering.done()
    answering.cancel()


async def test_fault_of_the_bridge_closes_with_1011_and_nobody_else(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = await Witness.join(bus)
    bad = await bus.session("?app=unlucky")
    receive = bus.broker.receive

    def fail_once(session: object, text_: str) -> None:
        if "poison" in text_:
            raise RuntimeError("a bug")
        receive(session, text_)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(bus.broker, "receive", fail_once)
    bad.send(publish(1, id="before"), publish(2, id="poison"), publish(3, id="behind"))
    assert (await bad.message())["correlationId"] == "before"
    assert await bad.closed() == (1011, "internal error")
    await witness.testify()
    assert [(where, str(error)) for where, error in bus.observer.failures] == [("message", "a bug")]


async def test_client_that_vanishes_is_forgotten(bus: Bus) -> None:
    witness = await Witness.join(bus)
    bad = await bus.session()
    bad.send(text(publish(1))[:5])
    await bad.hang_up()
    await witness.testify()
    await until(lambda: bus.broker.sessions == 2)


async def test_close_is_answered_and_ends_the_connection(bus: Bus) -> None:
    wire = await bus.session()
    wire.send(publish(1, id="last"), frame(CLOSE, b"\x03\xe8bye"))
    assert (await wire.message())["correlationId"] == "last"
    assert (await wire.frame()).close == (1000, "bye")
    await wire.eof()
    assert bus.broker.sessions == 0


async def test_close_without_code_is_answered(bus: Bus) -> None:
    wire = await bus.session()
    wire.send(frame(CLOSE))
    assert await wire.frame() == (CLOSE, b"")
    await wire.eof()


async def test_closed_connection_that_is_kept_open_is_cut(bus: Bus) -> None:
    wire = await bus.session()
    wire.send(frame(CLOSE))
    assert (await wire.frame()).opcode == CLOSE
    wire.deafen()  # so that our own end of the stream is not noticed, and not answered
    await until(lambda: bus.connections == 0)


async def test_client_that_still_sends_gets_to_know_why_it_was_closed(small: Bus) -> None:
    """Closing at once would reset the connection, and the client would see that instead of the close frame."""
    wire = await small.session()
    wire.send(frame(TEXT, b"x" * 8_000_000))
    assert (await wire.frame()).close[0] == 1009
    assert await wire.reader.read() == b""  # an end of the stream, and no reset


async def test_nothing_follows_the_close_frame(bus: Bus) -> None:
    reader = await bus.session()
    await reader.subscribe("Cisco")
    bus.broker.emit("demo", AGENT_STATE, 1)
    bus.broker.close_all(CloseCode.RESTART, "over")
    bus.broker.emit("demo", AGENT_STATE, 2)
    assert (await reader.message())["data"] == 1
    assert (await reader.frame()).close == (1012, "over")
    reader.send(frame(CLOSE))
    assert await reader.reader.read() == b""


async def test_closing_session_is_pinged_no_more(start: Start) -> None:
    bus = await start(ping_seconds=0.04, cut=0.3)
    wire = await bus.session()
    wire.send(frame(BINARY))
    while (received := await wire.frame()).opcode == PING:
        pass
    assert received.close[0] == 1003
    assert await wire.reader.read() == b""
    await until(lambda: bus.connections == 0)
    assert bus.observer.failures == []
