"""Opening a session, losing it, and coming back or not, by the close codes."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.client import (
    BridgeClient,
    ClientClosed,
    ClientState,
    ConnectError,
    NotConnected,
    Pace,
    SessionEnded,
    StateChange,
    connect,
)
from tests.client.scripted import (
    Conversation,
    ScriptedBridge,
    event,
    hurried,
    opened_client,
    scripted_bridge,
    session,
    soon,
    subscription,
    texts,
)

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response


async def test_connect_names_workspace_and_app_in_the_url(script: ScriptedBridge) -> None:
    opening = asyncio.create_task(opened_client(script.url + "?x=1", workspace="5070", app="my app&co"))
    talk = await script.conversation()
    await talk.begin()
    async with await soon(opening) as client:
        assert client.state is ClientState.CONNECTED
        assert client.extension == "5069"
    assert parse_qs(urlsplit(talk.path).query) == {"x": ["1"], "workspace": ["5070"], "app": ["my app&co"]}


async def test_connect_as_context_says_goodbye(script: ScriptedBridge) -> None:
    async def visit() -> None:
        async with connect(script.url):
            pass

    visiting = asyncio.create_task(visit())
    talk = await script.conversation()
    await talk.begin()
    assert await talk.until_left() == 1000
    await soon(visiting)


async def test_connect_where_nobody_listens() -> None:
    async with scripted_bridge() as script:
        url = script.url
    with pytest.raises(ConnectError, match=r"cannot connect to ws://127\.0\.0\.1") as caught:
        await soon(connect(url))
    assert not caught.value.refused
    assert caught.value.reason == "nobody listens there"


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/ws", "127.0.0.1:8765", "ws://"])
async def test_connect_to_what_is_no_websocket_url(url: str) -> None:
    with pytest.raises(ValueError, match="no WebSocket URL"):
        await connect(url)


@pytest.mark.parametrize("code", [4401, 4402, 4403, 4429, 1012, 1013])
async def test_connect_refused_with_a_close_code(script: ScriptedBridge, code: int) -> None:
    opening = asyncio.create_task(opened_client(script.url))
    await (await script.conversation()).close(code, "not you")
    with pytest.raises(ConnectError, match=f"{code} .*: not you") as caught:
        await soon(opening)
    assert caught.value.refused


async def test_connect_refused_by_http_repeats_what_the_server_says() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        del request
        return connection.respond(HTTPStatus.FORBIDDEN, "Host must be localhost")

    async with scripted_bridge(process_request=refuse) as script:
        with pytest.raises(ConnectError, match=r"HTTP 403.*Host must be localhost"):
            await soon(connect(script.url))


async def test_connect_to_a_websocket_server_that_is_no_bridge() -> None:
    async with scripted_bridge(subprotocols=None) as script:
        with pytest.raises(ConnectError, match=r"does not speak workspace-bridge\.v1"):
            await soon(connect(script.url))


@pytest.mark.parametrize("greeting", ["hello", '{"channel":"X","topic":"Y","subtopic":"Z","data":1}', "[]", b"\x00"])
async def test_connect_with_an_unreadable_greeting(script: ScriptedBridge, greeting: str | bytes) -> None:
    opening = asyncio.create_task(opened_client(script.url))
    talk = await script.conversation()
    await talk.send(greeting)
    with pytest.raises(ConnectError, match="no message of this protocol"):
        await soon(opening)
    assert await talk.until_left() == 1002


async def test_connect_without_a_greeting_in_time(script: ScriptedBridge) -> None:
    with pytest.raises(ConnectError, match=r"no answer within 0\.05 s"):
        await soon(connect(script.url, open_timeout=0.05))


@pytest.mark.parametrize("code", [1000, 1002, 1003, 1007, 1008, 1009, 4401, 4402, 4403])
async def test_terminal_codes_end_the_session(script: ScriptedBridge, code: int) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "Notes")
        await talk.send(event(1, "last words"))
        await talk.close(code, "because")
        assert await texts(stream, 1) == ["last words"]
        with pytest.raises(SessionEnded, match=f"{code} .*because") as caught:
            await soon(anext(stream))
        assert caught.value.code == code
        assert client.state is ClientState.CLOSED
        for call in (client.publish("Notes/Note/Added"), client.status("x")):
            with pytest.raises(SessionEnded):
                await soon(call)
        with pytest.raises(SessionEnded):
            await soon(client.subscribe("Notes"))
    assert script.waiting == 0


@pytest.mark.parametrize(
    ("code", "delay"),
    [(1001, 5.0), (1012, 5.0), (1011, 1.0), (1013, 1.0), (4408, 1.0), (4410, 1.0), (4429, 6.0), (3999, 1.0)],
)
async def test_other_codes_lead_to_a_new_connection(script: ScriptedBridge, code: int, delay: float) -> None:
    delays: list[float] = []
    async with session(script, pace=hurried(delays)) as (_, talk):
        await talk.close(code)
        await (await script.conversation()).begin()
        assert delays[0] == delay


async def test_a_cut_connection_is_made_anew_and_told(script: ScriptedBridge) -> None:
    changes: asyncio.Queue[StateChange] = asyncio.Queue()
    async with session(script, on_state=changes.put_nowait) as (client, talk):
        talk.cut()
        change = await soon(changes.get())
        assert change == StateChange(ClientState.RECONNECTING, "the connection was lost", 1.0)
        with pytest.raises(NotConnected):
            await client.publish("Notes/Note/Added")
        with pytest.raises(NotConnected):
            await client.command("Cisco/Agent/SetReadyState")
        again = await script.conversation()
        await again.hello(session="s2", identity={"app": "test", "extension": "5070"})
        await again.subscribed()
        assert (await soon(changes.get())).state is ClientState.CONNECTED
        assert client.opened.session == "s2"
        assert client.extension == "5070"
    assert (await soon(changes.get())).state is ClientState.CLOSED


async def test_the_delay_grows_while_sessions_are_short_and_has_a_ceiling(script: ScriptedBridge) -> None:
    delays: list[float] = []
    async with session(script, pace=hurried(delays)) as (_, talk):
        for _ in range(7):
            talk.cut()
            talk = await script.conversation()  # noqa: PLW2901 the next one
            await talk.begin()
    assert delays == [1, 2, 4, 8, 16, 30, 30]


async def test_the_delay_starts_anew_after_a_stable_session(script: ScriptedBridge) -> None:
    delays: list[float] = []
    now = [0.0]
    changes: asyncio.Queue[StateChange] = asyncio.Queue()
    pace = hurried(delays, monotonic=lambda: now[0])
    async with session(script, pace=pace, on_state=changes.put_nowait) as (client, talk):
        for pause in (0.0, 0.0, 11.0):
            now[0] += pause
            talk.cut()
            talk = await script.conversation()  # noqa: PLW2901 the next one
            await talk.begin()
            while (await soon(changes.get())).state is not ClientState.CONNECTED:
                pass
            await _round_trip(client, talk)
    assert delays == [1, 2, 1]


async def _round_trip(client: BridgeClient, talk: Conversation) -> None:
    asking = asyncio.create_task(client.status("x"))
    await talk.control("Command/Status", {"known": False}, await talk.hear_about("Status"))
    await soon(asking)


async def test_a_silent_connection_is_given_up_after_two_heartbeats(script: ScriptedBridge) -> None:
    opening = asyncio.create_task(opened_client(script.url, pace=hurried()))
    talk = await script.conversation()
    await talk.hello(heartbeatSeconds=0.02)
    await talk.subscribed()
    async with await soon(opening):
        assert await talk.until_left() == 1006
        await (await script.conversation()).begin()


async def test_heartbeats_keep_a_connection(script: ScriptedBridge) -> None:
    opening = asyncio.create_task(opened_client(script.url, pace=hurried()))
    talk = await script.conversation()
    await talk.hello(heartbeatSeconds=0.25)
    await talk.subscribed()
    async with await soon(opening) as client:
        beating = asyncio.create_task(_beat(talk))
        asking = asyncio.create_task(client.status("a"))
        question = await talk.hear_about("Status")
        await soon(beating)
        await talk.control("Command/Status", {"known": False}, question)
        assert not (await soon(asking)).known
    assert script.waiting == 0


async def _beat(talk: Conversation) -> None:
    """Beat over twice the patience of the client, each well within it."""
    loop = asyncio.get_running_loop()
    for _ in range(10):
        await talk.control("Session/Heartbeat", {"epoch": "epoch1", "offset": 0})
        due = loop.create_future()
        loop.call_later(0.1, due.set_result, None)
        await due


@pytest.mark.parametrize(
    "nonsense",
    ["{", '"text"', b"\x01", '{"channel":"Notes","topic":"T","subtopic":"S","offset":3}', '{"offset":1}'],
)
async def test_what_is_no_message_ends_the_session(script: ScriptedBridge, nonsense: str | bytes) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "*")
        await talk.send(nonsense)
        with pytest.raises(SessionEnded, match="no message of this protocol"):
            await soon(anext(stream))
        assert await talk.until_left() == 1002


async def test_close_ends_everything_quietly(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "*")
        pending = asyncio.create_task(client.subscribe("Notes"))
        await talk.hear_about("Subscribe")
        await client.close()
        await client.close()
        assert [message async for message in stream] == []
        with pytest.raises(ClientClosed):
            await soon(pending)
        with pytest.raises(ClientClosed):
            await client.publish("Notes/Note/Added")
        assert await talk.until_left() == 1000
    assert script.waiting == 0


async def test_close_while_reconnecting(script: ScriptedBridge) -> None:
    asleep = asyncio.Event()
    for_ever = asyncio.Event()

    async def sleep(_: float) -> None:
        asleep.set()
        await for_ever.wait()

    pace = Pace(sleep=sleep)
    async with session(script, pace=pace) as (client, talk):
        talk.cut()
        await soon(asleep.wait())
        assert client.state.value == "reconnecting"
        await soon(client.close())
        assert client.state.value == "closed"
