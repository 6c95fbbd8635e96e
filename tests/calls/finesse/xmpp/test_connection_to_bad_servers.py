"""Servers that are silent, slow, hostile or no XMPP servers at all; and a client that is cancelled in the middle."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from bridge.calls.finesse.xmpp import Endpoint, Timing, XmppError, XmppLost, XmppUnreachable
from tests.calls.finesse.xmpp.played import (
    CLIENT,
    LIMIT,
    STEPS,
    WIRES,
    Client,
    Played,
    Wire,
    end_of,
    first_message,
    message,
    nothing_left,
    played_server,
    server_tls,
    stream_error,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from websockets.http11 import Request, Response

    from bridge.calls.finesse.xmpp import XmppConnection
    from bridge.finesse_simulator.certificates import Certificates

on_both_wires = pytest.mark.parametrize("wire", WIRES)
PATIENCE = 25.0
"""Longer than any step takes, and shorter than what asyncio allows a TLS handshake."""


@pytest.fixture
def agent(certificates: Certificates) -> Client:
    return Client(certificates)


@pytest.fixture(autouse=True)
async def _clean() -> AsyncIterator[None]:
    async with nothing_left():
        yield


def skip(seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so much time be over, at once: a loaded machine must not decide how far a connect came."""
    loop = asyncio.get_running_loop()
    now = loop.time
    monkeypatch.setattr(loop, "time", lambda: now() + seconds)


@asynccontextmanager
async def deaf_server(wire: Wire, certificates: Certificates | None) -> AsyncIterator[tuple[Endpoint, asyncio.Event]]:
    """Accept TCP (and, with ``certificates``, TLS) and say nothing. The event: the client has said something."""
    heard = asyncio.Event()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65_536):
            heard.set()
        writer.transport.abort()

    tls = None if certificates is None else server_tls(certificates)
    async with await asyncio.start_server(listen, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        yield Endpoint(f"xmpps://localhost:{port}" if wire == "tcp" else f"wss://localhost:{port}/ws/"), heard


@asynccontextmanager
async def stuck_at(step: str, wire: Wire, certificates: Certificates) -> AsyncIterator[tuple[Endpoint, asyncio.Event]]:
    """Run a server that says nothing more from some step on; the event: that step has come."""
    if step in {"TLS", "first answer"}:
        async with deaf_server(wire, certificates if step == "first answer" else None) as deaf:
            yield deaf
    else:
        played = Played(wire, silent_from=step)
        async with played_server(wire, certificates, played) as endpoint:
            yield endpoint, played.stopped


@on_both_wires
@pytest.mark.parametrize("step", ["TLS", "first answer", *STEPS])
async def test_a_server_that_never_answers_is_given_up_in_time(
    certificates: Certificates, agent: Client, wire: Wire, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stuck_at(step, wire, certificates) as (endpoint, come):
        connecting = asyncio.create_task(agent(endpoint, timing=Timing(connect=PATIENCE, close=LIMIT)))
        await asyncio.wait_for(come.wait(), LIMIT)
        skip(PATIENCE, monkeypatch)
        unreached = step == "TLS" or (step == "first answer" and wire == "websocket")
        with pytest.raises(XmppUnreachable if unreached else XmppLost, match=rf"within {PATIENCE:g} s"):
            await asyncio.wait_for(connecting, LIMIT)


@on_both_wires
@pytest.mark.parametrize("step", ["TLS", "first answer", *STEPS])
async def test_a_connect_that_is_cancelled_at_any_step_leaves_nothing(
    certificates: Certificates, agent: Client, wire: Wire, step: str
) -> None:
    async with stuck_at(step, wire, certificates) as (endpoint, come), nothing_left():
        connecting = asyncio.create_task(agent(endpoint))
        await asyncio.wait_for(come.wait(), LIMIT)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


@on_both_wires
@pytest.mark.parametrize("half_milliseconds", range(0, 40, 3))
async def test_a_connect_that_is_cancelled_at_any_moment_leaves_nothing(
    certificates: Certificates, agent: Client, wire: Wire, half_milliseconds: int
) -> None:
    async with played_server(wire, certificates, Played(wire)) as endpoint, nothing_left():
        connecting = asyncio.create_task(agent(endpoint))
        await asyncio.sleep(half_milliseconds / 2000)
        connecting.cancel()
        (ended,) = await asyncio.gather(connecting, return_exceptions=True)
        if not isinstance(ended, asyncio.CancelledError):
            assert not isinstance(ended, BaseException)
            await ended.close()
        assert connecting.done()


@on_both_wires
async def test_answers_that_come_a_byte_at_a_time_are_understood(
    certificates: Certificates, agent: Client, wire: Wire
) -> None:
    async def greet(say: Callable[[str], Awaitable[None]]) -> None:
        await say(message("slow"))

    async with played_server(wire, certificates, Played(wire), then=greet, one_byte=True) as endpoint:
        connection = await agent(endpoint)
        assert (await first_message(connection)).value("body") == "slow"
        await connection.close()


@on_both_wires
async def test_a_server_that_falls_silent_is_lost_after_a_ping_and_its_time(
    certificates: Certificates, agent: Client, wire: Wire
) -> None:
    played = Played(wire)
    async with played_server(wire, certificates, played) as endpoint:
        connection = await agent(endpoint, timing=Timing(connect=LIMIT, ping=0.05, pong=0.1, close=LIMIT))
        lost = await end_of(connection)
        assert isinstance(lost, XmppLost)
        assert str(lost) == "the server did not answer a ping within 0.1 s"
        assert sum("urn:xmpp:ping" in text for text in played.heard) == 1
        assert await end_of(connection) is lost
        await connection.close()


@on_both_wires
async def test_a_server_that_talks_but_answers_no_ping_is_lost_too(
    certificates: Certificates, agent: Client, wire: Wire
) -> None:
    async def talk(say: Callable[[str], Awaitable[None]]) -> None:
        while True:
            await say(message())
            await asyncio.sleep(0.005)

    async with played_server(wire, certificates, Played(wire), then=talk) as endpoint:
        connection = await agent(endpoint, timing=Timing(connect=LIMIT, ping=0.05, pong=0.1, close=LIMIT))
        assert "ping" in str(await end_of(connection))
        await connection.close()


@on_both_wires
async def test_what_came_while_nobody_was_reading_counts_before_the_clock(
    certificates: Certificates, agent: Client, wire: Wire
) -> None:
    said = asyncio.Event()

    async def greet(say: Callable[[str], Awaitable[None]]) -> None:
        await say(message("early"))
        said.set()

    async with played_server(wire, certificates, Played(wire), then=greet) as endpoint:
        connection = await agent(endpoint, timing=Timing(connect=LIMIT, ping=0.02, pong=0.02, close=LIMIT))
        await said.wait()
        await asyncio.sleep(0.1)  # away for longer than a ping and its answer may take
        assert (await first_message(connection)).value("body") == "early"
        await connection.close()


@on_both_wires
async def test_a_step_that_is_cancelled_loses_nothing(certificates: Certificates, agent: Client, wire: Wire) -> None:
    go = asyncio.Event()

    async def greet(say: Callable[[str], Awaitable[None]]) -> None:
        await go.wait()
        for number in range(3):
            await say(message(str(number)))

    async with played_server(wire, certificates, Played(wire), then=greet) as endpoint:
        connection = await agent(endpoint)
        for _ in range(5):
            waiting = asyncio.create_task(first_message(connection))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        go.set()
        assert [(await first_message(connection)).value("body") for _ in range(3)] == ["0", "1", "2"]
        await connection.close()


@on_both_wires
async def test_only_one_task_may_read(certificates: Certificates, agent: Client, wire: Wire) -> None:
    async with played_server(wire, certificates, Played(wire)) as endpoint:
        connection = await agent(endpoint)
        reading = asyncio.create_task(end_of(connection))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another task"):
            await anext(connection)
        await connection.close()
        assert isinstance(await reading, StopAsyncIteration)


@on_both_wires
@pytest.mark.parametrize("read", [False, True])
async def test_closing_takes_no_longer_than_it_may_when_the_server_is_deaf(
    certificates: Certificates, agent: Client, wire: Wire, *, read: bool
) -> None:
    async def hang(_say: Callable[[str], Awaitable[None]]) -> None:
        await asyncio.sleep(0.5)

    async with played_server(wire, certificates, Played(wire), then=hang) as endpoint:
        connection = await agent(endpoint, timing=Timing(connect=LIMIT, close=0.05))
        reading = asyncio.create_task(end_of(connection)) if read else None
        await asyncio.sleep(0)
        async with asyncio.timeout(0.45):
            await connection.close()
        if reading is not None:
            assert isinstance(await reading, StopAsyncIteration)


@on_both_wires
async def test_a_close_that_is_cancelled_leaves_nothing(certificates: Certificates, agent: Client, wire: Wire) -> None:
    go = asyncio.Event()

    async def hang(_say: Callable[[str], Awaitable[None]]) -> None:
        await go.wait()

    async with played_server(wire, certificates, Played(wire), then=hang) as endpoint:
        connection = await agent(endpoint)
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        go.set()
        assert isinstance(await end_of(connection), StopAsyncIteration)


FLOOD = f"<iq {CLIENT} type='get' id='{'x' * 1000}'><query xmlns='urn:x'/></iq>" * 50


async def test_a_server_that_asks_and_never_reads_is_lost(certificates: Certificates, agent: Client) -> None:
    """Answers that nobody takes are not heaped up."""

    async def ask(say: Callable[[str], Awaitable[None]]) -> None:
        while True:
            await say(FLOOD)

    async with played_server("tcp", certificates, Played("tcp"), then=ask) as endpoint:
        connection = await agent(endpoint, timing=Timing(connect=LIMIT, ping=LIMIT, pong=0.2, close=LIMIT))
        assert str(await end_of(connection)) == "the server took nothing for 0.2 s"
        await connection.close()


@on_both_wires
@pytest.mark.parametrize(
    "text",
    [stream_error("policy-violation"), "<a></b>", "<!DOCTYPE a>", message("x" * 1_200_000), "<a>" * 100 + "</a>" * 100],
    ids=["error", "malformed", "doctype", "huge", "deep"],
)
async def test_a_hostile_server_is_lost_and_the_connection_dropped(
    certificates: Certificates, agent: Client, wire: Wire, text: str
) -> None:
    seen = asyncio.Event()

    async def attack(say: Callable[[str], Awaitable[None]]) -> None:
        await say(message("first"))
        await seen.wait()
        await say(text)

    async with played_server(wire, certificates, Played(wire), then=attack) as endpoint, nothing_left():
        connection = await agent(endpoint)
        assert (await first_message(connection)).value("body") == "first"
        seen.set()
        assert isinstance(await end_of(connection), XmppLost)
        # Nothing is left although nobody closes.


@on_both_wires
@pytest.mark.parametrize("step", STEPS)
async def test_a_server_that_breaks_off_at_any_step_is_lost(
    certificates: Certificates, agent: Client, wire: Wire, step: str
) -> None:
    class BreaksOff(Played):
        def answers(self, text: str) -> list[str]:
            answers = super().answers(text)
            if self.stopped.is_set():
                raise ConnectionResetError
            return answers

    async with played_server(wire, certificates, BreaksOff(wire, silent_from=step)) as endpoint:
        with pytest.raises(XmppLost):
            await agent(endpoint)


def websocket_server(
    certificates: Certificates,
    talk: Callable[[ServerConnection], Awaitable[None]],
    *,
    subprotocols: list[Subprotocol] | None = None,
    answer: Callable[[ServerConnection, Request], Response | None] | None = None,
) -> AbstractAsyncContextManager[Endpoint]:
    @asynccontextmanager
    async def serving() -> AsyncIterator[Endpoint]:
        async with serve(
            talk,
            "127.0.0.1",
            0,
            ssl=server_tls(certificates),
            subprotocols=subprotocols,
            process_request=answer,
            close_timeout=0.1,
        ) as server:
            yield Endpoint(f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/ws/")

    return serving()


async def test_a_websocket_server_without_the_subprotocol_gets_no_password(
    certificates: Certificates, agent: Client
) -> None:
    heard: list[str | bytes] = []

    async def talk(socket: ServerConnection) -> None:
        heard.extend([each async for each in socket])

    async with websocket_server(certificates, talk) as endpoint:
        with pytest.raises(XmppUnreachable, match=r"opens no WebSocket \(NegotiationError\)"):
            await agent(endpoint)
    assert heard == []


@pytest.mark.parametrize("status", [302, 307, 401, 404, 503])
async def test_an_http_answer_is_told_by_its_status_and_a_redirect_is_not_followed(
    certificates: Certificates, agent: Client, status: int
) -> None:
    asked: list[str] = []

    def answer(socket: ServerConnection, request: Request) -> Response:
        asked.append(request.path)
        response = socket.respond(status, "go elsewhere\n")
        response.headers["Location"] = "/elsewhere/"
        return response

    async def talk(_socket: ServerConnection) -> None:
        raise AssertionError("it was opened")

    async with websocket_server(certificates, talk, answer=answer) as endpoint:
        with pytest.raises(XmppUnreachable, match=rf"localhost:\d+ answers HTTP {status} and opens no WebSocket"):
            await agent(endpoint)
    assert asked == ["/ws/"]


@pytest.mark.parametrize(
    ("send", "told"),
    [
        (lambda socket: socket.send(b"binary"), "a binary message"),
        (lambda socket: socket.send(b"\xff\xfe", text=True), "broke WebSocket's rules"),
        (lambda socket: socket.close(1011, "secret reason"), "the server closed the WebSocket with code 1011"),
        (lambda socket: socket.close(), "the server closed the WebSocket with code 1000"),
        (lambda socket: socket.send("<open>" + "x" * 2_000_000), "broke WebSocket's rules"),
    ],
    ids=["binary", "no UTF-8", "closed", "closed well", "huge"],
)
async def test_websocket_messages_that_cannot_be_are_told(
    certificates: Certificates, agent: Client, send: Callable[[ServerConnection], Awaitable[None]], told: str
) -> None:
    async def talk(socket: ServerConnection) -> None:
        await socket.recv()
        await send(socket)
        await socket.wait_closed()

    async with websocket_server(certificates, talk, subprotocols=[Subprotocol("xmpp")]) as endpoint:
        with pytest.raises(XmppLost) as lost:
            await agent(endpoint)
    assert told in str(lost.value)
    assert "secret reason" not in str(lost.value)


@on_both_wires
async def test_a_port_without_tls_is_unreachable(agent: Client, wire: Wire) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        endpoint = Endpoint(f"xmpps://localhost:{port}" if wire == "tcp" else f"wss://localhost:{port}/ws/")
        with pytest.raises(XmppUnreachable, match=r"no TLS with localhost:\d+"):
            await agent(endpoint)


@on_both_wires
async def test_an_address_where_nobody_listens_and_a_host_that_is_none_are_unreachable(
    agent: Client, wire: Wire
) -> None:
    scheme, path = ("xmpps", "") if wire == "tcp" else ("wss", "/ws/")
    for place in ("localhost:1", "nobody.invalid:8445"):
        with pytest.raises(XmppUnreachable, match=f"no connection to {place}"):
            await agent(Endpoint(f"{scheme}://{place}{path}"))


def test_every_error_is_told_by_one_name() -> None:
    assert issubclass(XmppLost, XmppError)
    assert issubclass(XmppUnreachable, XmppError)


async def test_a_connection_tells_its_address_and_no_more(certificates: Certificates, agent: Client) -> None:
    async with played_server("tcp", certificates, Played("tcp")) as endpoint:
        connection: XmppConnection = await agent(endpoint)
        assert repr(connection) == "<XmppConnection 1001001@localhost/bridge>"
        await connection.close()
