"""Who does not read is closed, and costs the others nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bridge.protocol.errors import CloseCode
from tests.server.wire import CLOSE, PONG, frame, publish, subscribe, text, until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start
    from tests.server.wire import Wire

OUTBOX = 64_000


@pytest.fixture
async def narrow(start: Start) -> Bus:
    """Give a server with small outboxes and no rate."""
    return await start(outbox_bytes=OUTBOX, messages_per_second=0, cut=0.3)


async def _fill(bus: Bus, writer: Wire) -> None:
    """Publish until a session has been cut as slow."""
    number = 0
    while not bus.observer.limits:
        number += 1
        writer.send(publish(0, "Flood", data="x" * 8000, id=f"f{number}"))
        assert (await writer.message())["subtopic"] == "Accepted"
        assert number < 2000


async def test_slow_session_is_closed_with_4410(narrow: Bus) -> None:
    witness = await Witness.join(narrow)
    slow = await narrow.session(receive_buffer=4096)
    await slow.subscribe("Flood")
    slow.deafen()
    await _fill(narrow, await narrow.session())
    limit, who = narrow.observer.limits[0]
    assert (limit, who["workspace"]) == ("slow_consumer", "demo")
    assert who["queued"] > OUTBOX
    await until(lambda: narrow.broker.sessions == 3)
    slow.listen()
    code, reason = await slow.closed()
    assert (code, "OUTBOX_BYTES" in reason) == (4410, True)
    await witness.testify()


async def test_slow_session_that_never_reads_is_cut(narrow: Bus) -> None:
    slow = await narrow.session(receive_buffer=4096)
    await slow.subscribe("Flood")
    slow.deafen()
    await _fill(narrow, await narrow.session())
    await until(lambda: narrow.connections == 1)


async def test_slow_session_got_an_unbroken_beginning(narrow: Bus) -> None:
    slow = await narrow.session(receive_buffer=4096)
    await slow.subscribe("Flood")
    slow.deafen()
    await _fill(narrow, await narrow.session())
    slow.listen()
    offsets = []
    while (received := await slow.frame()).opcode != CLOSE:
        offsets.append(slow.parsed(received)["offset"])
    assert offsets == list(range(1, len(offsets) + 1))
    assert received.close[0] == 4410


async def test_memory_for_a_slow_session_is_bounded(narrow: Bus) -> None:
    slow = await narrow.session(receive_buffer=4096)
    await slow.subscribe("Flood")
    slow.deafen()
    writer = await narrow.session()
    number, most = 0, 0
    while not narrow.observer.limits:
        number += 1
        writer.send(publish(0, "Flood", data="x" * 8000, id=f"f{number}"))
        await writer.message()
        most = max(most, narrow.server.outbox_bytes)
    assert most <= OUTBOX + 9000
    assert narrow.observer.limits[0][1]["queued"] <= OUTBOX + 9000


async def test_large_reply_to_a_subscribe_is_not_slow(narrow: Bus) -> None:
    first = await narrow.session()
    place = await first.subscribe("Flood")
    for number in range(50):
        first.send(publish(0, "Flood", data="x" * 8000, id=f"f{number}"))
        await first.message()
    second = await narrow.session(receive_buffer=4096)
    second.deafen()
    second.send(subscribe("Flood", recover={"epoch": place["epoch"], "offset": 0}))
    await until(lambda: narrow.server.outbox_bytes > 4 * OUTBOX or narrow.observer.limits != [])
    first.send(publish(51, "Flood"))
    second.listen()
    assert len((await second.message())["data"]["messages"]) == 50
    assert (await second.message())["data"] == 51
    assert narrow.observer.limits == []


ECHOES = 1500
"""So many messages of 8 KB are more than the kernel keeps for a client that does not read."""


async def _echoing(bus: Bus) -> Wire:
    """Give a session that gets back what it sends, and does not read it."""
    flood = await bus.session(receive_buffer=4096)
    await flood.subscribe("Flood", echo=True)
    flood.deafen()
    for number in range(ECHOES):
        flood.send(publish(number, "Flood", data=f"{number} " + "x" * 8000))
    return flood


async def _echoes(flood: Wire) -> list[int]:
    return [int((await flood.message())["data"].split()[0]) for _ in range(ECHOES)]


async def test_flood_whose_answers_are_not_read_is_held_back(narrow: Bus) -> None:
    """Otherwise the answers would fill the memory, or end a session that is only fast."""
    witness = await Witness.join(narrow)
    flood = await _echoing(narrow)
    await until(lambda: narrow.server.outbox_bytes > OUTBOX // 2)
    await witness.speak()
    assert narrow.server.outbox_bytes < OUTBOX
    flood.listen()
    assert await _echoes(flood) == list(range(ECHOES))
    assert narrow.observer.limits == []
    await witness.testify()


async def test_burst_that_is_read_is_answered_whatever_its_size(narrow: Bus) -> None:
    flood = await narrow.session()
    flood.send(*[text("{}")] * 3000, publish(1, id="last"))  # eight bytes each, answered with hundreds
    for _ in range(3000):
        assert (await flood.message())["subtopic"] == "Rejected"
    assert (await flood.message())["correlationId"] == "last"
    assert narrow.observer.limits == []


async def test_one_segment_of_many_messages_lets_others_in_between(start: Start) -> None:
    bus = await start(messages_per_second=0)
    flood, other = await bus.session(), await bus.session()
    many = b"".join(text(publish(number)) for number in range(2000)) + text(publish(0, id="last"))
    flood.send(many)
    await until(lambda: bus.broker.workspaces.find("demo").offset > 0)  # type: ignore[union-attr]  # there are sessions
    other.send(publish(1, id="other"))
    accepted = (await other.message())["data"]["offset"]
    assert (await flood.message())["data"]["offset"] == 2002
    assert accepted < 2002


async def test_half_read_flood_is_answered_to_the_end(narrow: Bus) -> None:
    flood = await narrow.session()
    flood.send(b"".join(text(publish(number)) for number in range(3000)), publish(1, id="last"), frame(9, b"ping"))
    assert (await flood.message())["correlationId"] == "last"
    assert await flood.frame() == (PONG, b"ping")


async def test_pause_because_of_the_bridge_is_no_unfinished_message(start: Start) -> None:
    bus = await start(outbox_bytes=OUTBOX, messages_per_second=0, open_seconds=0.1)
    flood = await _echoing(bus)
    await until(lambda: bus.server.outbox_bytes > OUTBOX // 2)
    with pytest.raises(TimeoutError):  # three times OPEN_SECONDS, in which the client waits for nothing but the bridge
        async with asyncio.timeout(0.3):
            await flood.frame()
    flood.listen()
    assert await _echoes(flood) == list(range(ECHOES))


async def test_session_closes_while_it_is_held_back(narrow: Bus) -> None:
    flood = await _echoing(narrow)
    await until(lambda: narrow.server.outbox_bytes > OUTBOX // 2)
    narrow.broker.close_all(CloseCode.RESTART, "over")
    await until(lambda: narrow.broker.sessions == 0)
    flood.listen()
    while (received := await flood.frame()).opcode != CLOSE:
        pass
    assert received.close == (1012, "over")
    flood.send(frame(CLOSE, received.payload))
    await flood.eof()
