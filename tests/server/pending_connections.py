"""Stories of clients that do not get to anything, told on plain connections and on TLS."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING

from tests.server.test_event_stream import EVENTS, Stream
from tests.server.wire import publish, until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.server.pending import Pending
    from tests.server.bus import Bus, Start
    from tests.server.wire import Wire

FLOOD = 3000
GET = "GET /healthz HTTP/1.1\nHost: localhost\n\n"
HALF = b"GET /healthz HTTP/1.1\r\nHost: loc"
HALF_HELLO = bytes.fromhex("16030100c8010000c40303")


def pending(bus: Bus) -> Pending:
    assert bus.server._endpoint is not None
    return bus.server._endpoint.pending


def cut(bus: Bus) -> int:
    return Counter(limit for limit, _ in bus.observer.limits)["pending_connections"]


@asynccontextmanager
async def half_open(bus: Bus, number: int, sent: bytes) -> AsyncIterator[list[socket.socket]]:
    """Keep so many connections open that send the beginning of something, and then nothing."""
    loop = asyncio.get_running_loop()
    clients: list[socket.socket] = []
    try:
        for index in range(number):
            client = socket.socket()
            clients.append(client)
            client.setblocking(False)
            await loop.sock_connect(client, ("127.0.0.1", bus.port))
            if index % 2:
                await loop.sock_sendall(client, sent)
        yield clients
    finally:
        for client in clients:
            client.close()


async def seen_closed(client: socket.socket) -> None:
    """Wait for the end of a connection that was cut."""
    async with asyncio.timeout(5):
        with suppress(ConnectionResetError):
            assert await asyncio.get_running_loop().sock_recv(client, 1) == b""


async def test_thousands_of_half_open_connections_keep_nobody_out(start: Start) -> None:
    bus = await start(pending_connections=200, open_seconds=600, tick=1)
    witness = await Witness.join(bus)
    await witness.speak()
    sent = HALF_HELLO if bus.tls else HALF
    async with half_open(bus, FLOOD, sent) as clients:
        await until(lambda: cut(bus) == FLOOD - 200)
        await witness.speak()
        late = await bus.session("?app=late")
        late.send(publish(1, id="late"))
        assert (await late.message())["subtopic"] == "Accepted"
        assert (await (await bus.wire()).request(GET))[0] == 200
        for client in clients[: FLOOD - 202]:
            await seen_closed(client)
        assert len(pending(bus)) <= 200
        await until(lambda: bus.connections <= 200 + 3)
        await witness.testify()
    assert bus.observer.failures == []
    assert {who["address"] for _, who in bus.observer.limits} == {"127.0.0.1"}


async def test_sessions_streams_and_requests_that_are_served_do_not_wait(start: Start) -> None:
    bus = await start(pending_connections=2)
    session, stream = await bus.session(), await Stream.open(bus)
    await stream.next()
    assert len(pending(bus)) == 0
    others = [await bus.wire() for _ in range(5)]
    await until(lambda: cut(bus) == 3)
    for other in others[:3]:
        await other.eof()
    session.send(publish(1))
    assert (await stream.next()).data["data"] == 1
    for other in others[3:]:
        assert (await other.request(GET))[0] == 200


async def test_connection_that_was_answered_and_stays_open_waits_again(start: Start) -> None:
    bus = await start(pending_connections=2)
    first, second = await bus.wire(), await bus.wire()
    for wire in (second, first, second):
        assert (await wire.request(GET))[0] == 200
    await until(lambda: len(pending(bus)) == 2)
    await bus.wire()
    await first.eof()
    assert (await second.request(GET))[0] == 200


async def test_requests_in_one_segment_leave_and_join_in_order(start: Start) -> None:
    bus = await start()
    wire = await bus.wire()
    wire.send((GET * 3 + GET[:30]).replace("\n", "\r\n").encode())
    for _ in range(3):
        assert (await wire.response())[0] == 200
    await until(lambda: len(pending(bus)) == 1)
    assert (await wire.request(GET[30:]))[0] == 200


async def test_stream_behind_another_request_does_not_wait(start: Start) -> None:
    bus = await start(pending_connections=2)
    session, wire = await bus.session(), await bus.wire()
    stream = f"GET {EVENTS}?pattern=Gadget HTTP/1.1\nHost: localhost\n\n"
    wire.send((GET + stream).replace("\n", "\r\n").encode())
    assert [(await wire.response())[0] for _ in range(2)] == [200, 200]
    assert len(pending(bus)) == 0
    for _ in range(3):
        await bus.wire()
    await until(lambda: cut(bus) == 1)
    session.send(publish(1))
    await wire.reader.readuntil(b'"data":1')


async def test_stream_waits_while_its_client_does_not_read(start: Start) -> None:
    bus = await start(messages_per_second=0, outbox_bytes=50_000_000, pending_connections=2)
    writer, stream = await bus.session(), await Stream.open(bus, receive_buffer=4096)
    ids = count()

    async def fill() -> None:
        """Publish until the stream's client is waited for."""
        stream.wire.deafen()
        while not pending(bus):
            writer.send(publish(1, id=f"m{next(ids)}", data="x" * 60_000))
            assert (await writer.message())["subtopic"] == "Accepted"

    await fill()
    stream.wire.listen()
    async with asyncio.timeout(5):
        while pending(bus):
            assert await stream.wire.reader.read(65536)
    await fill()
    await bus.wire()
    await bus.wire()
    await until(lambda: bus.broker.sessions == 1)
    assert cut(bus) == 1


async def test_refused_upgrade_waits_until_it_is_gone(start: Start) -> None:
    bus = await start(pending_connections=2, cut=60)
    refused = [await bus.wire() for _ in range(2)]
    for wire in refused:
        await wire.upgrade(path="/elsewhere", status=404)
    if not bus.tls:  # where there is no half-close, the server does not wait for the client
        await until(lambda: len(pending(bus)) == 2)
        await bus.wire()
        await until(lambda: cut(bus) == 1)
    for wire in refused:
        await wire.hang_up()
    await until(lambda: len(pending(bus)) == (0 if bus.tls else 1))


async def test_session_waits_no_more_from_the_moment_it_opens(start: Start) -> None:
    bus = await start(pending_connections=1)
    sessions = [await bus.session() for _ in range(5)]
    assert (len(pending(bus)), cut(bus)) == (0, 0)
    for session in sessions:
        await session.subscribe("Gadget")


async def test_client_that_leaves_or_is_refused_waits_no_more(start: Start) -> None:
    bus = await start()
    wires: list[Wire] = [await bus.wire() for _ in range(6)]
    await until(lambda: len(pending(bus)) == 6)
    wires[0].send(HALF)
    wires[1].send(b"nonsense\r\n\r\n")
    await wires[2].upgrade(path="/elsewhere", status=404)
    await wires[3].upgrade()
    assert (await wires[4].request(GET.replace("\n\n", "\nConnection: close\n\n")))[0] == 200
    for wire in wires:
        await wire.hang_up()
    await until(lambda: len(pending(bus)) == 0)
    assert cut(bus) == 0
