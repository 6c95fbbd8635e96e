"""Small rules of the client's parts, and what is left behind when something breaks off."""

from __future__ import annotations

import asyncio
import socket
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from bridge.client import BridgeError, ClientState, ConnectError, Pace, RejectedError, connect
from bridge.client.errors import close_text
from bridge.client.link import _in_words, _proxy, session_url
from bridge.client.messages import read_accepted
from tests.client.scripted import (
    ScriptedBridge,
    event,
    hurried,
    opened_client,
    outcome,
    scripted_bridge,
    session,
    soon,
    subscription,
)

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_delays_are_anything_from_nothing_to_the_ceiling(chance: float) -> None:
    pace = Pace(chance=lambda: chance)
    assert [pace.delay(attempt, 1006) for attempt in (0, 3, 9, 5000)] == [chance * c for c in (1, 8, 30, 30)]
    assert pace.delay(0, 1012) == chance * 5
    assert pace.delay(0, 4429) == 5 + chance


@pytest.mark.parametrize(
    ("url", "direct"),
    [
        ("ws://127.0.0.1:1/ws", True),
        ("ws://[::1]/ws", True),
        ("ws://localhost/ws", True),
        ("wss://bridge.example/ws", False),
    ],
)
def test_this_machine_is_never_reached_through_a_proxy(url: str, *, direct: bool) -> None:
    assert _proxy(url) is (None if direct else True)


def test_session_url_replaces_what_was_there() -> None:
    url = session_url("wss://bridge.example?workspace=a&app=b&k=v", "c", "d e")
    assert url == "wss://bridge.example/ws?k=v&workspace=c&app=d+e"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "x"), "nobody listens there"),
        (socket.gaierror(-2, "x"), "there is no host of this name"),
        (ssl.SSLError("bad certificate"), "TLS failed: "),
        (OSError(113, "No route to host"), "No route to host"),
        (EOFError(), "EOFError"),
    ],
)
def test_connection_errors_in_words(error: Exception, words: str) -> None:
    assert words in _in_words(error)


@pytest.mark.parametrize(
    ("code", "reason", "text"),
    [(1012, "", "1012 restarting"), (4410, "full", "4410 slow consumer: full"), (4999, "x", "4999 closed: x")],
)
def test_close_codes_in_words(code: int, reason: str, text: str) -> None:
    assert close_text(code, reason) == text


def test_accepted_as_json_is_what_was_read() -> None:
    data = {
        "offset": 3,
        "duplicate": True,
        "warnings": [{"pointer": "/data/x ", "message": "m"}],
        "outcome": outcome("c1", 9),
    }
    assert read_accepted("c1", data).to_json() == data


async def test_an_http_error_of_a_proxy_is_waited_out(script: ScriptedBridge) -> None:
    answers = [HTTPStatus.BAD_GATEWAY, HTTPStatus.TOO_MANY_REQUESTS]
    delays: list[float] = []

    def troubled(connection: ServerConnection, request: Request) -> Response | None:
        del request
        if first and answers:
            return connection.respond(answers.pop(), "try later")
        first.append(True)
        return None

    first: list[bool] = []
    del script
    async with scripted_bridge(process_request=troubled) as behind, session(behind, pace=hurried(delays)) as (_, talk):
        talk.cut()
        await (await behind.conversation()).begin()
    assert len(delays) == 3


async def test_http_refusal_while_reconnecting_ends_the_session() -> None:
    seen: list[bool] = []

    def once(connection: ServerConnection, request: Request) -> Response | None:
        del request
        if seen:
            return connection.respond(HTTPStatus.FORBIDDEN, "no more")
        seen.append(True)
        return None

    async with scripted_bridge(process_request=once) as script, session(script) as (client, talk):
        stream = await subscription(client, talk, "Notes")
        talk.cut()
        with pytest.raises(BridgeError, match=r"HTTP 403.*no more"):
            await soon(anext(stream))


async def test_giving_up_while_connecting_leaves_no_connection(script: ScriptedBridge) -> None:
    opening = asyncio.create_task(opened_client(script.url))
    talk = await script.conversation()
    await talk.hello()
    await talk.hear_about("Subscribe")
    opening.cancel()
    await talk.until_left()
    with pytest.raises(asyncio.CancelledError):
        await opening


async def test_connect_with_an_unreadable_first_answer(script: ScriptedBridge) -> None:
    opening = asyncio.create_task(opened_client(script.url))
    talk = await script.conversation()
    await talk.hello()
    asked = await talk.hear_about("Subscribe")
    await talk.control("Subscription/Subscribed", {"patterns": []}, asked)
    with pytest.raises(ConnectError, match="no message of this protocol"):
        await soon(opening)


async def test_losing_the_new_connection_before_it_is_ready_tries_again(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "Notes", offset=4)
        talk.cut()
        half = await script.conversation()
        await half.hello()
        await half.hear_about("Subscribe")
        half.cut()
        whole = await script.conversation()
        await whole.hello()
        asked = await whole.subscribed(5, recovered=True, messages=[event(5)])
        assert asked["data"]["recover"]["offset"] == 4
        assert (await soon(anext(stream))).offset == 5


async def test_unknown_messages_and_late_answers_are_ignored(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        await talk.control("Session/News", {"x": 1})
        await talk.control("Message/Accepted", {"offset": 1, "duplicate": False}, {"id": "nobody"})
        await talk.control("Message/Rejected", {"code": "malformed_json", "message": "m"}, {"id": "nobody"})
        await talk.control("Message/Rejected", {"code": "malformed_json", "message": "m"})
        asking = asyncio.create_task(client.status("x"))
        await talk.control("Command/Status", {"known": False}, await talk.hear_about("Status"))
        assert not (await soon(asking)).known


async def test_a_fault_of_the_client_itself_leaves_nobody_waiting(
    script: ScriptedBridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "Notes")

        def broken(_: Any) -> bool:
            raise ZeroDivisionError

        monkeypatch.setattr(stream, "deliver", broken)
        await talk.send(event(1))
        with pytest.raises(BridgeError, match="ZeroDivisionError"):
            await soon(anext(stream))
        assert client.state is ClientState.CLOSED


async def test_a_callback_that_fails_harms_nobody_else(script: ScriptedBridge) -> None:
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))
    async with session(script) as (client, talk):

        def broken(_: Any) -> None:
            raise ZeroDivisionError

        running = asyncio.create_task(client.command("Cisco/Agent/SetReadyState", {}, id="c1", on_accepted=broken))
        await talk.accept(await talk.hear_about("SetReadyState"))
        await talk.send(outcome("c1", 9))
        assert (await soon(running)).id == "c1"
    assert [type(fault) for fault in faults] == [ZeroDivisionError]


async def test_questions_for_outcomes_wait_out_a_rate_limit(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = asyncio.create_task(client.command("Cisco/Agent/SetReadyState", {}, id="c1"))
        await talk.accept(await talk.hear_about("SetReadyState"), 3, duplicate=True)
        busy = {"code": "rate_limited", "message": "slowly", "temporary": True}
        await talk.control("Message/Rejected", busy, await talk.hear_about("Status"))
        status = {"known": True, "offset": 3, "outcome": outcome("c1", 9)}
        await talk.control("Command/Status", status, await talk.hear_about("Status"))
        assert (await soon(running)).outcome.offset == 9


async def test_one_url_two_ways_to_connect(script: ScriptedBridge) -> None:
    connecting = connect(script.url)
    opening = asyncio.create_task(_entered(connecting))
    talk = await script.conversation()
    await talk.begin()
    assert await soon(opening) is ClientState.CONNECTED
    assert await talk.until_left() == 1000
    assert issubclass(RejectedError, BridgeError)


async def _entered(connecting: Any) -> ClientState:
    async with connecting as client, client:
        state: ClientState = client.state
        return state
