"""Requests that never end, and requests that are too large."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.wire import until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start

POST = "POST /api/v1/workspaces/demo/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"

BEGUN = {
    "half a request line": b"GET /hea",
    "headers without end": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: y",
    "no body": POST.encode() + b"Content-Length: 10\r\n\r\n",
    "half a body": POST.encode() + b"Content-Length: 10\r\n\r\n{",
    "chunks without end": POST.encode() + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    "half an upgrade": b"GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n",
}


@pytest.mark.parametrize("sent", BEGUN.values(), ids=BEGUN)
async def test_request_that_is_not_whole_in_time_gets_408(start: Start, sent: bytes) -> None:
    bus = await start(open_seconds=0.5)
    witness = await Witness.join(bus)
    wire = await bus.wire()
    wire.send(sent)
    status, headers, body = await wire.response()
    assert (status, headers["connection"]) == (408, "close")
    assert b"OPEN_SECONDS" in body
    await wire.eof()
    await witness.testify()
    assert bus.observer.failures == []


async def test_connection_that_asks_nothing_is_closed(start: Start) -> None:
    bus = await start(open_seconds=0.5)
    wire = await bus.wire()
    assert await wire.reader.read() == b""


async def test_second_request_has_its_own_time(start: Start) -> None:
    bus = await start(open_seconds=0.5)
    wire = await bus.wire()
    assert (await wire.request("GET /healthz HTTP/1.1\nHost: localhost\n\n"))[0] == 200
    assert (await wire.request("GET /healthz HTTP/1.1\nHost: localhost\n"))[0] == 408


async def test_empty_lines_are_no_request(start: Start) -> None:
    bus = await start(open_seconds=0.5)
    wire = await bus.wire()
    assert (await wire.request("GET /healthz HTTP/1.1\nHost: localhost\n\n"))[0] == 200
    wire.send(b"\r\n")
    assert await wire.reader.read() == b""


async def test_upgrade_to_something_else_is_answered_without_it(bus: Bus) -> None:
    wire = await bus.wire()
    head = "GET /healthz HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: h2c\n\n"
    status, headers, body = await wire.request(head)
    assert (status, headers["connection"], body) == (200, "close", b"ok\n")
    await wire.eof()


async def test_event_stream_is_not_overdue(start: Start) -> None:
    bus = await start(open_seconds=0.05, tick=0.02, heartbeat_seconds=2)
    wire = await bus.wire()
    wire.send(b"GET /api/v1/workspaces/demo/events?pattern=* HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for _ in range(4):
        await wire.reader.readuntil(b": heartbeat\n\n")


async def test_half_a_request_behind_an_event_stream_does_not_end_it(start: Start) -> None:
    bus = await start(open_seconds=0.05, tick=0.02, heartbeat_seconds=2)
    wire = await bus.wire()
    wire.send(b"GET /api/v1/workspaces/demo/events?pattern=* HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea")
    for _ in range(6):
        await wire.reader.readuntil(b": heartbeat\n\n")


TOO_LARGE = {
    "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: 0123456789\r\n" * 2500 + b"\r\n",
    "one header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"x" * 33_000 + b"\r\n\r\n",
    "a header without end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"x" * 33_000,
    "a path": b"GET /" + b"x" * 33_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a path without end": b"GET /" + b"x" * 33_000,
    "an upgrade": b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    + b"X-A: 0123456789\r\n" * 2500
    + b"\r\n",
}


@pytest.mark.parametrize("sent", TOO_LARGE.values(), ids=TOO_LARGE)
async def test_more_than_32_kb_of_headers_gets_431(bus: Bus, sent: bytes) -> None:
    witness = await Witness.join(bus)
    wire = await bus.wire()
    wire.send(sent)
    assert (await wire.response())[0] == 431
    await wire.eof()
    await witness.testify()
    assert bus.observer.failures == []


async def test_30_kb_of_headers_are_taken(bus: Bus) -> None:
    head = "GET /healthz HTTP/1.1\nHost: localhost\n" + "X-A: 0123456789\n" * 1500 + "\n"
    assert (await (await bus.wire()).request(head))[0] == 200


async def test_large_body_is_no_large_header(bus: Bus) -> None:
    wire = await bus.wire()
    body = b'{"channel":"A","topic":"b","subtopic":"c","data":"%s"}' % (b"x" * 60_000)
    head = POST.replace("\r\n", "\n") + f"Content-Length: {len(body)}\n\n"
    assert (await wire.request(head, body))[0] == 202
    assert (await wire.request(head, body))[0] == 202


async def test_two_requests_in_one_segment_are_both_answered(bus: Bus) -> None:
    wire = await bus.wire()
    body = b'{"channel":"A","topic":"b","subtopic":"c","data":"%s"}' % (b"x" * 40_000)
    whole = POST.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body
    wire.send(whole + b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
    assert (await wire.response())[0] == 202
    wire.send(b"\r\n")
    assert (await wire.response())[0] == 200


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 99]
)
async def test_what_is_no_http_gets_400(bus: Bus, sent: bytes) -> None:
    witness = await Witness.join(bus)
    wire = await bus.wire()
    wire.send(sent)
    assert (await wire.response())[0] == 400
    await wire.eof()
    await witness.testify()
    assert bus.observer.failures == []


async def test_refused_client_that_goes_on_is_cut(start: Start) -> None:
    bus = await start(cut=0.1)
    wire = await bus.wire()
    wire.send(b"nonsense\r\n\r\n")
    assert (await wire.response())[0] == 400
    wire.send(b"more")
    await wire.eof()
    await until(lambda: bus.connections == 0)


async def test_client_that_leaves_in_the_middle_of_its_body_is_no_fault(bus: Bus) -> None:
    wire = await bus.wire()
    wire.send(BEGUN["half a body"])
    await until(lambda: bus.connections == 1)
    await wire.hang_up()
    await until(lambda: len(bus.observer.requests) == 1)
    assert bus.observer.failures == []
