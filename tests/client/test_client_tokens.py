"""A client with a token: how it brings it, how it gets newer ones, and that it tells nobody."""

from __future__ import annotations

import asyncio
import logging
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from bridge.client import ClientState, ConnectError, Pace, RejectedError, SessionEnded, StateChange, connect
from bridge.client.door import Door
from bridge.client.renewal import due
from bridge.testing import running_bridge
from tests.client.scripted import (
    LIMIT,
    event,
    opened_client,
    scripted_bridge,
    session,
    soon,
    subscription,
    texts,
)
from tests.server.auth.tokens import SECONDS, SECRET
from tests.server.auth.tokens import token as signed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

    from bridge.client import Subscription
    from tests.client.scripted import Conversation, ScriptedBridge

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2VjcmV0"


class Sleeper:
    """Lets a client wait only when the test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[float, asyncio.Event]] = asyncio.Queue()
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        self.asked.put_nowait((seconds, awake))
        await awake.wait()
        self.now += seconds

    async def wake(self) -> float:
        """Let the next sleep end; give how long it was to be."""
        seconds, awake = await asyncio.wait_for(self.asked.get(), LIMIT)
        awake.set()
        return seconds

    def pace(self) -> Pace:
        return Pace(sleep=self.sleep, monotonic=lambda: self.now, chance=lambda: 0.0)


def offered(conversation: Conversation) -> list[str]:
    request = conversation.socket.request
    assert request is not None
    return request.headers["Sec-WebSocket-Protocol"].split(", ")


async def test_the_token_goes_beside_the_subprotocol(script: ScriptedBridge) -> None:
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(opened_client(script.url, token=TOKEN))
        conversation = await script.conversation()
        assert offered(conversation) == ["workspace-bridge.v1", f"bearer.{TOKEN}"]
        await conversation.begin()
    client = opening.result()
    assert TOKEN not in conversation.path
    await client.close()


async def test_a_function_is_asked_for_each_connection(script: ScriptedBridge) -> None:
    tokens = iter(["one", "two"])

    async def give() -> str:
        return next(tokens)

    sleeper = Sleeper()
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(opened_client(script.url, token=give, pace=sleeper.pace()))
        first = await script.conversation()
        assert offered(first)[1] == "bearer.one"
        await first.begin()
    client = opening.result()
    await first.close(4402)
    await sleeper.wake()
    second = await script.conversation()
    assert offered(second)[1] == "bearer.two"
    await second.begin()
    await client.close()


async def test_an_expired_token_that_is_the_only_one_ends_the_session(script: ScriptedBridge) -> None:
    async with session(script, token=TOKEN) as (client, conversation):
        stream = await subscription(client, conversation, "Notes")
        await conversation.close(4402, "the token has expired")
        with pytest.raises(SessionEnded, match="4402 token expired: the token has expired; connect with a new token"):
            await asyncio.wait_for(anext(aiter(stream)), LIMIT)


@pytest.mark.parametrize("code", [4401, 4403])
async def test_a_refused_token_is_not_tried_again(script: ScriptedBridge, code: int) -> None:
    async with asyncio.TaskGroup() as group:
        opening = group.create_task(refusal(opened_client(script.url, token=lambda: TOKEN)))
        conversation = await script.conversation()
        await conversation.close(code, "no")
    assert opening.result().refused
    assert TOKEN not in str(opening.result())


async def refusal(connecting: Any) -> ConnectError:
    with pytest.raises(ConnectError) as refused:
        await connecting
    return refused.value


async def test_a_function_that_fails_is_told_by_the_kind_of_its_failure() -> None:
    def give() -> str:
        raise LookupError("the secret is geheim")

    with pytest.raises(ConnectError, match="no token could be had: LookupError") as refused:
        await connect("ws://127.0.0.1:9/ws", token=give)
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("bad", ["", "a b", "a\nb", "ü", "a,b", 'a"b', "x" * 16385])
async def test_what_is_no_token_is_not_sent(bad: str) -> None:
    with pytest.raises(ValueError, match="that is no token") as refused:
        await connect("ws://127.0.0.1:9/ws", token=bad)
    assert not bad or bad not in str(refused.value)


async def test_a_function_that_gives_no_token_is_told() -> None:
    with pytest.raises(ConnectError, match="no token could be had: that is no token") as refused:
        await connect("ws://127.0.0.1:9/ws", token=lambda: "geheim geheim")
    assert "geheim" not in str(refused.value)


async def test_a_function_that_gives_no_token_for_a_while_is_asked_again(script: ScriptedBridge) -> None:
    tokens = iter(["one", "", "two"])
    async with session(script, token=lambda: next(tokens)) as (client, first):
        first.cut()
        second = await script.conversation()
        assert offered(second)[1] == "bearer.two"
        await second.begin()
        asking = asyncio.create_task(client.subscribe("Notes"))
        await second.subscribed()
        assert not (await soon(asking)).ended


async def test_a_function_that_never_answers_is_not_waited_for_longer_than_for_a_connection() -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return TOKEN

    with pytest.raises(ConnectError, match="no token could be had: TimeoutError"):
        await asyncio.wait_for(connect("ws://127.0.0.1:9/ws", token=never, open_timeout=0.01), LIMIT)


async def test_a_function_that_waited_for_what_was_cancelled_does_not_end_the_client(script: ScriptedBridge) -> None:
    asked = 0

    async def give() -> str:
        nonlocal asked
        asked += 1
        if asked == 2:
            issuer = asyncio.create_task(asyncio.Event().wait())
            issuer.cancel()
            await issuer
        return f"token{asked}"

    states: list[StateChange] = []
    async with session(script, token=give, on_state=states.append) as (_, first):
        first.cut()
        second = await script.conversation()
        await second.begin()
        assert offered(second)[1] == "bearer.token3"
    assert [change.reason for change in states if "token" in change.reason] == [
        "no token could be had: it was cancelled"
    ]


async def test_who_gives_up_while_a_token_is_awaited_is_not_held(script: ScriptedBridge) -> None:
    awaited = asyncio.Event()

    async def never() -> str:
        awaited.set()
        return await asyncio.Future()

    opening = asyncio.create_task(opened_client(script.url, token=never))
    await soon(awaited.wait())
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(opening)


async def test_certificates_for_a_connection_without_tls_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="nothing is encrypted"):
        await connect("ws://127.0.0.1:9/ws", tls=ssl.create_default_context())


# Servers that are none of ours


async def test_the_token_is_not_taken_along_to_where_a_server_points(script: ScriptedBridge) -> None:
    def point(connection: ServerConnection, _request: Request) -> Response:
        response = connection.respond(HTTPStatus.FOUND, "over there")
        response.headers["Location"] = script.url
        return response

    async with scripted_bridge(process_request=point) as elsewhere:
        with pytest.raises(ConnectError, match="HTTP 302 instead of a WebSocket: over there"):
            await asyncio.wait_for(connect(elsewhere.url, token=TOKEN), LIMIT)
    assert script.waiting == 0


async def test_a_server_that_repeats_the_token_does_not_bring_it_into_the_error() -> None:
    def repeat(connection: ServerConnection, request: Request) -> Response:
        said = "x" * 250 + request.headers["Sec-WebSocket-Protocol"]
        return connection.respond(HTTPStatus.BAD_REQUEST, said)

    async with scripted_bridge(process_request=repeat) as script:
        refused = await refusal(connect(script.url, token=TOKEN))
    assert "workspace-bridge.v1, bearer.(the token)" in str(refused)
    assert TOKEN[:5] not in str(refused)


async def test_a_server_that_selects_the_token_does_not_bring_it_into_the_error() -> None:
    def select(_connection: ServerConnection, request: Request, response: Response) -> Response:
        response.headers["Sec-WebSocket-Protocol"] = request.headers["Sec-WebSocket-Protocol"]
        return response

    async with scripted_bridge(process_response=select, subprotocols=None) as script:
        several = await refusal(connect(script.url, token=TOKEN))
    async with scripted_bridge(subprotocols=[f"bearer.{TOKEN}"]) as script:
        it = await refusal(connect(script.url, token=TOKEN))
    assert "multiple values" in str(several)
    assert "does not speak workspace-bridge.v1" in str(it)
    assert TOKEN not in f"{several} {it}"


def test_the_token_shows_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    door = Door("ws://127.0.0.1:9/ws", 1.0, TOKEN)
    assert TOKEN not in repr(door)


async def test_the_library_logs_no_token(script: ScriptedBridge, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with session(script, token=TOKEN):
        pass
    client_side = [record for record in caplog.records if "server" not in record.name]
    assert TOKEN not in "\n".join(record.getMessage() for record in client_side)


# Newer tokens


@pytest.mark.parametrize(("left", "after"), [(600, 480), (100, 70), (40, 20), (10, 5), (1, 1), (0, 1), (36000, 28800)])
def test_a_newer_token_is_brought_in_time(left: float, after: float) -> None:
    assert due(left) == after


class Renewing:
    """A client whose token is good for 600 seconds."""

    def __init__(self, script: ScriptedBridge) -> None:
        self.script = script
        self.sleeper = Sleeper()
        self.states: list[StateChange] = []

    async def begin(self, token: Any) -> Conversation:
        async with asyncio.TaskGroup() as group:
            opening = group.create_task(
                opened_client(self.script.url, token=token, pace=self.sleeper.pace(), on_state=self.states.append)
            )
            conversation = await self.script.conversation()
            await conversation.hello(expiresInSeconds=600)
            await conversation.subscribed(0)
        self.client = opening.result()
        return conversation


@pytest.fixture
async def renewing(script: ScriptedBridge) -> AsyncIterator[Renewing]:
    renewing = Renewing(script)
    yield renewing
    await renewing.client.close()


async def test_a_newer_token_is_brought_before_the_old_one_expires(renewing: Renewing) -> None:
    tokens = iter(["one", "two", "three"])
    conversation = await renewing.begin(lambda: next(tokens))
    for token in ("two", "three"):
        assert await renewing.sleeper.wake() == 480
        asked = await conversation.hear_about("Refresh")
        assert asked["data"] == {"token": token}
        await conversation.control("Session/Refreshed", {"expiresInSeconds": 600, "ended": []}, asked)


async def test_a_refresh_that_cannot_be_done_now_is_tried_again(renewing: Renewing) -> None:
    conversation = await renewing.begin(lambda: "token")
    assert await renewing.sleeper.wake() == 480
    asked = await conversation.hear_about("Refresh")
    refusal = {"code": "unavailable", "message": "the issuer is away", "temporary": True}
    await conversation.control("Message/Rejected", refusal, asked)
    assert await renewing.sleeper.wake() == 5
    assert await renewing.sleeper.wake() == pytest.approx(due(115))
    assert (await conversation.hear_about("Refresh"))["data"] == {"token": "token"}


async def test_a_function_that_fails_meanwhile_is_asked_again(renewing: Renewing) -> None:
    calls = 0

    def give() -> str:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise OSError("the issuer is away")
        return "token"

    conversation = await renewing.begin(give)
    await renewing.sleeper.wake()
    assert await renewing.sleeper.wake() == 5
    await renewing.sleeper.wake()
    assert (await conversation.hear_about("Refresh"))["data"] == {"token": "token"}


async def test_a_subscription_that_the_newer_token_does_not_allow_ends_with_the_reason(renewing: Renewing) -> None:
    conversation = await renewing.begin(lambda: "token")
    lost = await subscription(renewing.client, conversation, "Cisco")
    kept = await subscription(renewing.client, conversation, "Notes")
    await renewing.sleeper.wake()
    asked = await conversation.hear_about("Refresh")
    await conversation.control("Session/Refreshed", {"expiresInSeconds": 600, "ended": ["Cisco"]}, asked)
    await conversation.send(event(1))
    with pytest.raises(RejectedError, match="the newer token does not allow Cisco"):
        await asyncio.wait_for(anext(aiter(lost)), LIMIT)
    assert (await asyncio.wait_for(anext(aiter(kept)), LIMIT)).offset == 1


async def test_of_a_subscription_that_has_ended_so_nothing_more_is_wanted(renewing: Renewing) -> None:
    conversation = await renewing.begin(lambda: "token")
    await subscription(renewing.client, conversation, "Cisco", "Notes", "Both")
    await subscription(renewing.client, conversation, "Both")
    await renewing.sleeper.wake()
    asked = await conversation.hear_about("Refresh")
    await conversation.control("Session/Refreshed", {"expiresInSeconds": 600, "ended": ["Cisco"]}, asked)
    assert (await conversation.hear_about("Unsubscribe"))["data"] == {"patterns": ["Notes"]}


@pytest.mark.parametrize(
    "answer", [{}, {"ended": ["a/b/c/d"]}, {"ended": None}, {"ended": [], "expiresInSeconds": "soon"}, []]
)
async def test_an_answer_that_cannot_be_read_is_asked_for_again(renewing: Renewing, answer: Any) -> None:
    conversation = await renewing.begin(lambda: "token")
    await renewing.sleeper.wake()
    await conversation.control("Session/Refreshed", answer, await conversation.hear_about("Refresh"))
    assert await renewing.sleeper.wake() == 5
    assert await renewing.sleeper.wake() == pytest.approx(due(115))
    await conversation.hear_about("Refresh")


async def test_a_function_that_gives_the_same_token_to_its_end_is_asked_once_a_second_at_most(
    renewing: Renewing,
) -> None:
    conversation = await renewing.begin(lambda: "token")
    await renewing.sleeper.wake()
    for left in (0.4, 0.0, 0.0):
        asked = await conversation.hear_about("Refresh")
        await conversation.control("Session/Refreshed", {"expiresInSeconds": left, "ended": []}, asked)
        assert await renewing.sleeper.wake() == 1


async def test_with_a_lost_connection_its_renewal_ends(renewing: Renewing) -> None:
    tokens = iter(["one", "two", "three", "four"])
    first = await renewing.begin(lambda: next(tokens))
    _, renewal_of_the_first = await soon(renewing.sleeper.asked.get())
    first.cut()
    assert await renewing.sleeper.wake() == 0
    second = await renewing.script.conversation()
    await second.hello(expiresInSeconds=600)
    await second.subscribed()
    renewal_of_the_first.set()
    assert await renewing.sleeper.wake() == 480
    asked = await second.hear()
    assert (asked["subtopic"], asked["data"]) == ("Refresh", {"token": "three"})
    await second.control("Session/Refreshed", {"expiresInSeconds": 600, "ended": []}, asked)
    publishing = asyncio.create_task(renewing.client.publish("Notes/Note/Added"))
    said = await second.hear()
    assert said["subtopic"] == "Added"
    await second.accept(said)
    assert (await soon(publishing)).offset == 1


async def test_a_token_that_cannot_be_renewed_is_not(renewing: Renewing) -> None:
    await renewing.begin(TOKEN)
    assert renewing.sleeper.asked.empty()


# A newer token that allows less, on the next connection

REFUSED = {"code": "not_permitted", "message": "this session may not subscribe to Cisco", "temporary": False}


async def refused_again(script: ScriptedBridge, first: Conversation) -> Conversation:
    """Let the connection be lost, and refuse what the client wants to go on with."""
    first.cut()
    second = await script.conversation()
    await second.hello()
    await second.control("Message/Rejected", REFUSED, await second.hear_about("Subscribe"))
    return second


async def explain(conversation: Conversation, *, forbidden: str) -> str:
    asked = await conversation.hear()
    assert (asked["subtopic"], asked["data"]["action"]) == ("Explain", "subscribe")
    pattern: str = asked["data"]["address"]
    answer = {"allowed": pattern != forbidden, "rule": "granted", "tried": ["granted"]}
    await conversation.control("Policy/Explained", answer, asked)
    return pattern


async def test_what_the_next_token_allows_goes_on_where_it_stopped(script: ScriptedBridge) -> None:
    async with session(script, token=lambda: "token") as (client, first):
        lost = await subscription(client, first, "Both", "Cisco")
        kept = await subscription(client, first, "Notes", "Both")
        second = await refused_again(script, first)
        assert [await explain(second, forbidden="Cisco") for _ in range(3)] == ["Both", "Cisco", "Notes"]
        asked = await second.subscribed(1, recovered=True, messages=[event(1)])
        assert asked["data"] == {"patterns": ["Notes", "Both"], "recover": {"epoch": "epoch1", "offset": 0}}
        with pytest.raises(RejectedError, match="the newer token does not allow Cisco") as refused:
            await soon(anext(lost))
        assert refused.value.code == "not_permitted"
        assert await texts(kept, 1) == ["note 1"]


@pytest.mark.parametrize("known", [True, False])
async def test_a_refusal_that_is_not_explained_ends_all(script: ScriptedBridge, known: bool) -> None:  # noqa: FBT001
    async with session(script, token=lambda: "token") as (client, first):
        streams = [await subscription(client, first, pattern) for pattern in ("Cisco", "Notes")]
        second = await refused_again(script, first)
        if known:
            assert [await explain(second, forbidden="nothing") for _ in streams] == ["Cisco", "Notes"]
        else:
            unknown = {"code": "reserved_channel", "message": "no such control message", "temporary": False}
            await second.control("Message/Rejected", unknown, await second.hear_about("Explain"))
        for stream in streams:
            with pytest.raises(RejectedError, match="this session may not subscribe to Cisco"):
                await soon(anext(stream))
        publishing = asyncio.create_task(client.publish("Notes/Note/Added"))
        await second.accept(await second.hear())
        assert (await soon(publishing)).offset == 1


async def test_a_reader_that_leaves_meanwhile_is_no_fault(script: ScriptedBridge) -> None:
    async with session(script, token=lambda: "token") as (client, first):
        stream = await subscription(client, first, "Cisco")
        first.cut()
        second = await script.conversation()
        await second.hello()
        asked = await second.hear_about("Subscribe")
        await stream.close()
        await second.control("Message/Rejected", REFUSED, asked)
        await subscription(client, second, "Notes")
        assert stream.ended
        assert client.state is ClientState.CONNECTED


# With a real bridge


async def test_a_session_goes_on_with_a_newer_token_and_keeps_what_that_allows() -> None:
    tokens = iter([signed(subscribe=allowed, roles=None) for allowed in (["Notes", "Cisco"], ["Notes"])])
    sleeper = Sleeper()
    async with (
        running_bridge(jwt_secret=SECRET) as bridge,
        connect(bridge.url, token=lambda: next(tokens), pace=sleeper.pace()) as client,
    ):
        lost, kept = await client.subscribe("Cisco"), await client.subscribe("Notes")
        before = client.opened.session
        assert await sleeper.wake() == pytest.approx(due(SECONDS), abs=60)
        with pytest.raises(RejectedError, match="the newer token does not allow Cisco"):
            await soon(read_to_the_end(lost))
        assert (client.opened.session, kept.ended) == (before, False)
        seconds, _ = await soon(sleeper.asked.get())
        assert seconds == pytest.approx(due(SECONDS), abs=60)


async def test_a_connection_with_a_newer_token_goes_on_with_what_that_allows() -> None:
    tokens = iter([signed(subscribe=allowed, roles=None) for allowed in (["Notes", "Cisco"], ["Notes"])])
    writer = signed(sub="writer", app="writer", publish=["Notes"], roles=None)
    async with (
        running_bridge(jwt_secret=SECRET) as bridge,
        connect(bridge.url, token=lambda: next(tokens), pace=Pace(chance=lambda: 0.0)) as client,
        connect(bridge.url, token=writer) as other,
    ):
        lost, kept = await client.subscribe("Cisco"), await client.subscribe("Notes")
        link = client._session.link
        assert link is not None
        link.abort()
        await other.publish("Notes/Note/Added", "hello")
        with pytest.raises(RejectedError, match="the newer token does not allow Cisco"):
            await soon(read_to_the_end(lost))
        assert await texts(kept, 1) == ["hello"]


async def read_to_the_end(stream: Subscription) -> None:
    async for _ in stream:
        pass


# Explain


async def test_explain_asks_the_bridge(script: ScriptedBridge) -> None:
    async with session(script) as (client, conversation), asyncio.TaskGroup() as group:
        asking = group.create_task(client.explain("subscribe", "Cisco/*"))
        asked = await conversation.hear_about("Explain")
        assert asked["data"] == {"action": "subscribe", "address": "Cisco/*"}
        answer = {"allowed": False, "rule": "default", "tried": ["loopback", "default"]}
        await conversation.control("Policy/Explained", answer, asked)
        explained = await asking
        assert (explained.allowed, explained.rule, explained.tried) == (False, "default", ("loopback", "default"))
