"""Server-sent events: the bus for those who only read."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
import pytest

from tests.server.wire import publish, until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start
    from tests.server.wire import Wire

EVENTS = "/api/v1/workspaces/demo/events"


class Event(NamedTuple):
    """One event, or a comment."""

    id: str | None
    data: Any
    comment: str | None = None


class Stream:
    """An event stream, read by hand."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @classmethod
    async def open(cls, bus: Bus, query: str = "?pattern=Gadget", last: str | None = None, **options: Any) -> Stream:
        wire = await bus.wire(**options)
        again = f"Last-Event-ID: {last}\n" if last is not None else ""
        status, headers, _ = await wire.request(f"GET {EVENTS}{query} HTTP/1.1\nHost: localhost\n{again}\n")
        assert (status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        return cls(wire)

    async def next(self) -> Event:
        """Read one event; HTTP's chunks and events may be cut differently."""
        async with asyncio.timeout(5):
            lines: list[str] = []
            while (line := (await self._line())) or not lines:
                if line:
                    lines.append(line)
        if lines[0].startswith(":"):
            return Event(None, None, lines[0][1:].strip())
        fields = dict(line.split(": ", 1) for line in lines)
        return Event(fields.get("id"), json.loads(fields["data"]))

    async def _line(self) -> str:
        """Give one line of the body, without the lines that carry the sizes of chunks."""
        line = (await self.wire.reader.readuntil(b"\n")).decode().rstrip("\n")
        if line.endswith("\r"):
            return await self._line()
        return line


async def test_first_event_is_the_reply_to_the_subscribe(bus: Bus) -> None:
    stream = await Stream.open(bus, "?pattern=Gadget&pattern=Cisco/*/SetHOLD")
    first = await stream.next()
    assert first.data["subtopic"] == "Subscribed"
    assert first.data["data"]["patterns"] == ["Gadget", "Cisco/*/SetHOLD"]
    assert first.id == f"{first.data['data']['epoch']}:0"


async def test_messages_come_in_order_with_their_place(bus: Bus) -> None:
    stream = await Stream.open(bus)
    epoch = (await stream.next()).data["data"]["epoch"]
    writer = await bus.session()
    for number in range(1, 4):
        writer.send(publish(number), publish(number, "Other"))
    events = [await stream.next() for _ in range(3)]
    assert [event.data["data"] for event in events] == [1, 2, 3]
    assert [event.id for event in events] == [f"{epoch}:{offset}" for offset in (1, 3, 5)]


async def test_line_ends_in_data_do_not_break_the_stream(bus: Bus) -> None:
    stream = await Stream.open(bus)
    await stream.next()
    (await bus.session()).send(publish(0, data="a\nb\r\n\ndata: c\u2028"))
    assert (await stream.next()).data["data"] == "a\nb\r\n\ndata: c\u2028"


async def test_last_event_id_recovers(bus: Bus) -> None:
    stream = await Stream.open(bus)
    await stream.next()
    writer = await bus.session()
    writer.send(publish(1), publish(2), publish(3, id="x"))
    place = (await stream.next()).id
    await stream.wire.hang_up()
    await writer.message()
    again = await Stream.open(bus, last=place)
    reply = (await again.next()).data["data"]
    assert (reply["recovered"], [message["data"] for message in reply["messages"]]) == (True, [2, 3])
    writer.send(publish(4))
    assert (await again.next()).data["data"] == 4


@pytest.mark.parametrize("last", ["nonsense", "another:1", "a:b:c", ":", "x:-1", "x:" + "9" * 40])
async def test_foreign_last_event_id_recovers_nothing_and_says_so(bus: Bus, last: str) -> None:
    stream = await Stream.open(bus, last=last)
    assert (await stream.next()).data["data"]["recovered"] is False


async def test_empty_last_event_id_asks_for_nothing(bus: Bus) -> None:
    stream = await Stream.open(bus, last="")
    assert "recovered" not in (await stream.next()).data["data"]


async def test_heartbeat_is_a_comment(start: Start) -> None:
    bus = await start(heartbeat_seconds=1)
    stream = await Stream.open(bus)
    await stream.next()
    assert [await stream.next() for _ in range(2)] == [Event(None, None, "heartbeat")] * 2


@pytest.mark.parametrize("query", ["", "?pattern=a/b/c/d", "?pattern="])
async def test_patterns_that_are_none_are_422(bus: Bus, query: str) -> None:
    async with httpx.AsyncClient(base_url=bus.http) as client:
        got = await client.get(f"{EVENTS}{query}")
    assert (got.status_code, got.json()["code"]) == (422, "invalid_data")
    assert bus.broker.sessions == 0


async def test_too_many_patterns_are_422(bus: Bus) -> None:
    async with httpx.AsyncClient(base_url=bus.http) as client:
        got = await client.get(EVENTS + "?" + "&".join(f"pattern=C{number}" for number in range(129)))
    assert (got.status_code, got.json()["code"], got.json()["limit"]) == (422, "limit_exceeded", 128)


async def test_headers_alone_open_no_stream_and_hold_no_session(bus: Bus) -> None:
    wire = await bus.wire()
    status, headers, _ = await wire.request(
        f"HEAD {EVENTS}?pattern=Gadget HTTP/1.1\nHost: localhost\n\n", bodiless=True
    )
    assert (status, headers["allow"]) == (405, "get")
    assert bus.broker.sessions == 0


async def test_limit_of_sessions_is_429(start: Start) -> None:
    bus = await start(sessions_per_workspace=1)
    await Stream.open(bus)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        got = await client.get(f"{EVENTS}?pattern=*")
    assert (got.status_code, "SESSIONS_PER_WORKSPACE" in got.json()["detail"]) == (429, True)


async def test_foreign_origin_is_403(bus: Bus) -> None:
    async with httpx.AsyncClient(base_url=bus.http) as client:
        got = await client.get(f"{EVENTS}?pattern=*", headers={"Origin": "https://evil.example"})
    assert got.status_code == 403


async def test_client_that_leaves_is_forgotten(bus: Bus) -> None:
    stream = await Stream.open(bus)
    await stream.next()
    assert bus.broker.sessions == 1
    await stream.wire.hang_up()
    await until(lambda: bus.broker.sessions == 0)


async def test_overfull_queue_ends_the_stream_only(start: Start) -> None:
    bus = await start(outbox_bytes=20_000, cut=0.2, messages_per_second=0)
    witness = await Witness.join(bus)
    stuck = await Stream.open(bus, receive_buffer=4096)
    stuck.wire.deafen()
    writer = await bus.session()
    told = bus.observer.limits
    while not told:
        writer.send(publish(0, data="x" * 1000, id=f"n{bus.broker.workspaces.find('demo').offset}"))  # type: ignore[union-attr]
        await writer.message()
    assert (told[0][0], told[0][1]["workspace"]) == ("slow_consumer", "demo")
    await until(lambda: bus.broker.sessions == 3)
    await until(lambda: bus.connections == 3)
    await witness.testify()


async def test_reply_longer_than_the_queue_does_not_count_as_slow(start: Start) -> None:
    bus = await start(outbox_bytes=2000, messages_per_second=0)
    stream = await Stream.open(bus)
    epoch = (await stream.next()).data["data"]["epoch"]
    await stream.wire.hang_up()
    writer = await bus.session()
    for number in range(10):
        writer.send(publish(number, data="x" * 1000, id=f"n{number}"))
        await writer.message()
    again = await Stream.open(bus, last=f"{epoch}:0")
    assert len((await again.next()).data["data"]["messages"]) == 10
    assert bus.observer.limits == []
