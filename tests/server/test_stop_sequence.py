"""An orderly stop: nobody loses what was accepted, and everybody is told."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.protocol.address import Address
from bridge.server.signals import stop_requested
from tests.server.wire import PONG, frame, publish, until

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start

MESSAGES = "/api/v1/workspaces/demo/messages"

SET_AGENT_STATE = Address("Cisco", "Agent", "SetAgentState")


async def _begin_to_stop(bus: Bus) -> asyncio.Future[None]:
    """Stop, and hold the stop open while commands are in flight."""
    bus.app.drained.clear()
    stopping = asyncio.ensure_future(bus.server.stop())
    await bus.app.draining.wait()
    return stopping


async def test_idle_server_stops_at_once(start: Start) -> None:
    bus = await start(cut=60)
    async with asyncio.timeout(1):
        await bus.server.stop()
    with pytest.raises(ConnectionRefusedError):
        await bus.wire()


async def test_stop_is_harmless_when_repeated(bus: Bus) -> None:
    await bus.server.stop()
    await bus.server.stop()


async def test_readyz_says_503_while_commands_are_in_flight(bus: Bus) -> None:
    stopping = await _begin_to_stop(bus)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["parts"]["serving"]) == (503, False)
        assert (await client.get("/healthz")).status_code == 200
    bus.app.drained.set()
    await stopping


async def test_new_publishes_are_refused_while_commands_are_in_flight(bus: Bus) -> None:
    session = await bus.session()
    session.send(publish(1, id="before"))
    assert (await session.message())["subtopic"] == "Accepted"
    stopping = await _begin_to_stop(bus)
    session.send(publish(2, id="after"), publish(1, id="before"))
    refused, repeated = await session.message(), await session.message()
    assert (refused["data"]["code"], refused["data"]["temporary"]) == ("unavailable", True)
    assert repeated["data"]["duplicate"] is True
    async with httpx.AsyncClient(base_url=bus.http) as client:
        got = await client.post(MESSAGES, json=publish(3))
        assert (got.status_code, got.json()["code"]) == (503, "unavailable")
    bus.app.drained.set()
    assert (await session.closed())[0] == 1012
    await stopping


async def test_new_session_is_upgraded_and_closed_with_1012(bus: Bus) -> None:
    stopping = await _begin_to_stop(bus)
    late = await bus.wire()
    await late.upgrade()
    assert (await late.frame()).close == (1012, "the bridge is stopping")
    async with httpx.AsyncClient(base_url=bus.http) as client:
        assert (await client.get("/api/v1/workspaces/demo/events?pattern=*")).status_code == 503
    bus.app.drained.set()
    await stopping


async def test_what_the_drain_brings_is_delivered_before_1012(bus: Bus) -> None:
    reader = await bus.session()
    await reader.subscribe("Cisco")
    stopping = await _begin_to_stop(bus)
    bus.broker.emit("demo", SET_AGENT_STATE, {"state": "READY"})
    bus.app.drained.set()
    assert (await reader.message())["data"] == {"state": "READY"}
    assert (await reader.closed())[0] == 1012
    await stopping


async def test_what_was_queued_is_flushed_before_1012(start: Start) -> None:
    bus = await start(messages_per_second=0)
    reader, writer = await bus.session(), await bus.session()
    await reader.subscribe("Gadget")
    for number in range(500):
        writer.send(publish(number, id=f"m{number}"))
    for _ in range(500):
        await writer.message()
    stopping = asyncio.ensure_future(bus.server.stop())
    assert [(await reader.message())["data"] for _ in range(500)] == list(range(500))
    assert await reader.closed() == (1012, "the bridge is restarting")
    assert await writer.closed() == (1012, "the bridge is restarting")
    await stopping
    assert bus.broker.sessions == 0


async def test_fault_in_the_drain_does_not_keep_sessions_from_being_told(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await bus.session()

    async def fail(seconds: float) -> None:
        raise RuntimeError(f"a bug after {seconds}")

    monkeypatch.setattr(bus.app, "drain", fail)
    stopping = asyncio.ensure_future(bus.server.stop())
    assert (await session.closed())[0] == 1012
    await stopping
    assert [where for where, _ in bus.observer.failures] == ["drain"]


async def test_event_streams_end_first(bus: Bus) -> None:
    wire = await bus.wire()
    wire.send(b"GET /api/v1/workspaces/demo/events?pattern=* HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await wire.reader.readuntil(b"\n\n")
    stopping = await _begin_to_stop(bus)
    assert (await wire.reader.read()).endswith(b"0\r\n\r\n")
    assert bus.broker.sessions == 0
    bus.app.drained.set()
    await stopping


async def test_client_that_does_not_answer_the_close_is_cut(start: Start) -> None:
    bus = await start(cut=0.2)
    deaf = await bus.session()
    deaf.deafen()
    async with asyncio.timeout(3):
        await bus.server.stop()
    assert bus.connections == 0


async def test_half_sent_request_does_not_hold_up_the_stop(start: Start) -> None:
    bus = await start(cut=0.2)
    wire = await bus.wire()
    wire.send(b"POST /api/v1/workspaces/demo/messages HTTP/1.1\r\nHost: localhost\r\n")
    wire.send(b"Content-Type: application/json\r\nContent-Length: 5\r\n\r\n{")
    await until(lambda: bus.connections == 1)
    async with asyncio.timeout(3):
        await bus.server.stop()


async def test_pings_are_answered_while_commands_are_in_flight(bus: Bus) -> None:
    session = await bus.session()
    stopping = await _begin_to_stop(bus)
    session.send(frame(9, b"there?"))
    assert await session.frame() == (PONG, b"there?")
    bus.app.drained.set()
    assert (await session.closed())[0] == 1012
    await stopping


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_first_signal_asks_to_stop_and_a_second_does_what_it_does_by_default(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_requested() as stop:
        assert signal.getsignal(number) is not before
        signal.raise_signal(number)
        async with asyncio.timeout(3):
            await stop.wait()
        assert signal.getsignal(number) in {signal.SIG_DFL, signal.default_int_handler}


async def test_two_servers_know_nothing_of_each_other(start: Start) -> None:
    one, two = await start(message_bytes=1024), await start()
    reader, writer = await two.session(), await one.session()
    await reader.subscribe("*")
    writer.send(publish(1, data="x" * 1100))
    assert (await writer.closed())[0] == 1009
    await one.server.stop()
    other = await two.session()
    other.send(publish(2, data="x" * 1100))
    assert len((await reader.message())["data"]) == 1100


async def test_port_that_is_taken_is_an_error_that_names_it(bus: Bus, start: Start) -> None:
    with pytest.raises(OSError, match=rf"cannot listen on 127\.0\.0\.1 port {bus.port}: Address already in use"):
        await start(port=bus.port)
