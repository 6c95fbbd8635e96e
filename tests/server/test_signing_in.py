"""Sessions and requests with a token: how it may come, and what its absence or badness leads to."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bridge.broker.identity import Grant
from bridge.broker.tokens import RefusedToken
from bridge.protocol.errors import CloseCode
from bridge.server.auth import make_authentication
from bridge.server.pulse import Timing
from tests.server.auth.tokens import SECONDS, settings, token
from tests.server.bus import Bus
from tests.server.wire import PING, PONG, TEXT, frame, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.broker.tokens import Tokens
    from tests.server.wire import Wire

V1 = "workspace-bridge.v1"


@asynccontextmanager
async def guarded(tokens: Tokens | None = None, **changed: Any) -> AsyncIterator[Bus]:
    """Run a server that asks for tokens."""
    chosen = settings(**changed)
    issuer = tokens or make_authentication(chosen)
    async with Bus(chosen, Timing(tick=0.02, cut=0.3), tokens=issuer).running() as bus:
        yield bus


async def enter(bus: Bus, text: str, query: str = "", **headers: str) -> Wire:
    wire = await bus.wire()
    await wire.upgrade(query, headers={"Sec-WebSocket-Protocol": f"{V1}, bearer.{text}", **headers})
    return wire


def opening(text: str, **fields: Any) -> dict[str, Any]:
    return {"channel": "Bridge", "topic": "Session", "subtopic": "Open", "data": {"token": text}, **fields}


class SlowIssuer:
    """Checks a token when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Callable[[Grant | RefusedToken], None]]] = []

    def check(self, token: str, answer: Callable[[Grant | RefusedToken], None]) -> None:
        self.asked.append((token, answer))


# How a token comes


async def test_a_token_beside_the_subprotocol_opens_the_session_and_is_not_selected() -> None:
    async with guarded() as bus:
        wire = await bus.wire()
        headers, _ = await wire.upgrade(headers={"Sec-WebSocket-Protocol": f"bearer.{token()}, {V1}"})
        assert headers["sec-websocket-protocol"] == V1
        opened = (await wire.message())["data"]
        assert (opened["workspace"], opened["identity"]["subject"]) == ("demo", "alice")
        assert opened["identity"]["app"] == "widget"
        assert SECONDS - 60 < opened["expiresInSeconds"] <= SECONDS
        assert bus.observer.sign_ins == [("demo", "alice")]


async def test_a_token_in_the_first_message_opens_the_session() -> None:
    async with guarded() as bus:
        wire = await bus.wire()
        await wire.upgrade()
        wire.send(opening(token()))
        assert (await wire.message())["subtopic"] == "Opened"
        wire.send(opening(token(), id="again"))
        assert (await wire.message())["data"]["code"] == "reserved_channel"


async def test_a_token_in_the_url_is_not_read() -> None:
    async with guarded(open_seconds=0.5) as bus:
        wire = await bus.wire()
        await wire.upgrade(f"?token={token()}&access_token={token()}")
        assert (await wire.closed())[0] == CloseCode.OPEN_TIMEOUT


@pytest.mark.parametrize(
    "first",
    [
        {"channel": "Notes", "topic": "a", "subtopic": "b"},
        {"channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe", "data": {"patterns": ["*"]}},
        {"channel": "Bridge", "topic": "Session", "subtopic": "Open"},
        {"channel": "Bridge", "topic": "Session", "subtopic": "Open", "data": {"token": 7}},
        {"channel": "Bridge", "topic": "Session", "subtopic": "Open", "data": "token"},
        {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetHOLD", "data": {}},
    ],
)
async def test_any_other_first_message_closes_with_4401(first: dict[str, Any]) -> None:
    async with guarded() as bus:
        wire = await bus.wire()
        await wire.upgrade()
        wire.send(first)
        assert (await wire.closed())[0] == CloseCode.UNAUTHENTICATED
        assert bus.broker.sessions == 0


async def test_a_first_message_that_is_no_json_closes_with_4401() -> None:
    async with guarded() as bus:
        wire = await bus.wire()
        await wire.upgrade()
        wire.send(frame(TEXT, b"{"))
        assert (await wire.closed())[0] == CloseCode.UNAUTHENTICATED


async def test_who_says_nothing_is_closed_with_4408() -> None:
    async with guarded(open_seconds=0.5) as bus:
        wire = await bus.wire()
        await wire.upgrade()
        assert (await wire.closed())[0] == CloseCode.OPEN_TIMEOUT
        assert bus.observer.sign_ins == [(None, CloseCode.OPEN_TIMEOUT, "no token came within OPEN_SECONDS")]


async def test_two_tokens_are_one_too_many() -> None:
    async with guarded() as bus:
        wire = await bus.wire()
        await wire.upgrade(headers={"Sec-WebSocket-Protocol": f"{V1}, bearer.{token()}, bearer.{token()}"})
        assert (await wire.closed())[0] == CloseCode.UNAUTHENTICATED


async def test_who_offers_only_a_token_offers_no_protocol() -> None:
    async with guarded() as bus:
        _, body = await (await bus.wire()).upgrade(headers={"Sec-WebSocket-Protocol": f"bearer.{token()}"}, status=400)
        assert token().encode() not in body


async def test_without_authentication_a_token_is_not_looked_at() -> None:
    async with Bus(settings(jwt_secret=None), Timing(tick=0.02, cut=0.3)).running() as bus:
        wire = await enter(bus, "nonsense")
        opened = await wire.message()
        assert opened["data"]["identity"]["subject"] is None
        assert "expiresInSeconds" not in opened["data"]


# What a token opens


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (lambda: "nonsense", CloseCode.UNAUTHENTICATED),
        (lambda: token(exp=1), CloseCode.TOKEN_EXPIRED),
        (lambda: token(workspace="other"), CloseCode.FORBIDDEN),
        (lambda: token(workspace=None), CloseCode.FORBIDDEN),
        (lambda: token(origins=["https://desk.example.com"]), CloseCode.FORBIDDEN),
    ],
    ids=["nonsense", "expired", "another workspace", "no workspace", "other pages"],
)
async def test_a_token_that_opens_nothing_is_told_by_its_close_code(bad: Callable[[], str], code: CloseCode) -> None:
    async with guarded() as bus:
        wire = await enter(bus, bad(), "?workspace=demo")
        assert (await wire.closed())[0] == code
        assert bus.broker.sessions == 0
        assert bus.broker.workspaces.find("demo") is None


async def test_the_url_chooses_among_the_workspaces_of_the_token_and_says_nothing_of_the_app() -> None:
    async with guarded() as bus:
        both = token(workspace=["5069", "5070"], app=None)
        first = await (await enter(bus, both)).message()
        second = await (await enter(bus, both, "?workspace=5070&app=softphone")).message()
        assert (first["data"]["workspace"], second["data"]["workspace"]) == ("5069", "5070")
        assert second["data"]["identity"]["app"] == "anonymous"


async def test_a_token_for_certain_pages_is_for_these_alone() -> None:
    origin = "https://desk.example.com"
    async with guarded(allowed_origins=[origin, "https://other.example.com"]) as bus:
        bound = token(origins=[origin])
        assert (await (await enter(bus, bound, Origin=origin)).message())["subtopic"] == "Opened"
        wire = await enter(bus, bound, Origin="https://other.example.com")
        assert await wire.closed() == (CloseCode.FORBIDDEN, "the token is for pages of other origins")


async def test_with_authentication_the_host_may_be_any() -> None:
    async with guarded() as bus:
        wire = await enter(bus, token(), Host="bridge.example.com")
        assert (await wire.message())["subtopic"] == "Opened"
        await (await bus.wire()).upgrade(Host=None, status=400)


async def test_a_foreign_page_gets_403_whatever_token_it_has() -> None:
    async with guarded() as bus:
        wire = await bus.wire()
        await wire.upgrade(
            headers={"Sec-WebSocket-Protocol": f"{V1}, bearer.{token()}", "Origin": "https://evil.example"}, status=403
        )


async def test_a_session_is_closed_when_its_token_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.broker.renewal.LEEWAY_SECONDS", 0.1 - SECONDS)
    async with guarded() as bus:
        wire = await enter(bus, token())
        assert (await wire.message())["subtopic"] == "Opened"
        assert (await wire.closed())[0] == CloseCode.TOKEN_EXPIRED


# While a token is being checked


async def test_messages_wait_until_the_token_is_checked() -> None:
    issuer = SlowIssuer()
    async with guarded(issuer) as bus:
        wire = await enter(bus, "slow")
        wire.send({"channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe", "data": {"patterns": ["*"]}})
        wire.send(frame(PING, b"are you there?"))
        (asked, answer), *_ = issuer.asked
        assert asked == "slow"
        answer(Grant(subject="alice", expires_at=4e9, workspaces=("demo",), subscribe=()))
        assert (await wire.message())["subtopic"] == "Opened"
        assert (await wire.message())["data"]["code"] == "not_permitted"
        assert await wire.frame() == (PONG, b"are you there?")


async def test_a_client_that_leaves_meanwhile_gets_no_session() -> None:
    issuer = SlowIssuer()
    async with guarded(issuer) as bus:
        wire = await enter(bus, "slow")
        await wire.hang_up()
        await until(lambda: bus.connections == 0)
        issuer.asked[0][1](Grant(subject="alice", expires_at=4e9, workspaces=("demo",)))
        assert bus.broker.sessions == 0


async def test_a_token_that_cannot_be_checked_in_time_is_the_bridges_fault_and_the_client_may_come_back() -> None:
    issuer = SlowIssuer()
    async with guarded(issuer, open_seconds=0.5) as bus:
        wire = await enter(bus, "slow")
        assert (await wire.closed())[0] == CloseCode.OPEN_TIMEOUT
        issuer.asked[0][1](Grant(subject="alice", expires_at=4e9, workspaces=("demo",)))
        assert bus.broker.sessions == 0


async def test_where_no_key_can_be_had_the_client_may_come_back() -> None:
    issuer = SlowIssuer()
    async with guarded(issuer) as bus:
        wire = await enter(bus, "slow")
        issuer.asked[0][1](RefusedToken(CloseCode.TRY_AGAIN_LATER, "the issuer is away"))
        assert await wire.closed() == (CloseCode.TRY_AGAIN_LATER, "the issuer is away")


# HTTP

MESSAGES = "/api/v1/workspaces/demo/messages"
NOTE = {"channel": "Notes", "topic": "a", "subtopic": "b", "id": "n1"}


def client(bus: Bus, text: str | None, **headers: str) -> httpx.AsyncClient:
    authorization = {} if text is None else {"Authorization": f"Bearer {text}"}
    return httpx.AsyncClient(base_url=bus.http, headers={**authorization, **headers})


async def test_a_request_with_a_good_token_is_served() -> None:
    async with guarded() as bus, client(bus, token()) as http:
        assert (await http.post(MESSAGES, json=NOTE)).status_code == 202


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ([], 'Bearer realm="workspace-bridge"'),
        ([("Authorization", "Basic YTpi")], 'Bearer realm="workspace-bridge", error="invalid_token"'),
        ([("Authorization", "Bearer")], 'Bearer realm="workspace-bridge", error="invalid_token"'),
        ([("Authorization", "Bearer nonsense")], 'Bearer realm="workspace-bridge", error="invalid_token"'),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], None),
    ],
)
@pytest.mark.parametrize("path", [MESSAGES, "/api/v1/workspaces/demo/events", "/api/none", "/metrics"])
async def test_a_request_without_a_good_token_gets_401(
    path: str, headers: list[tuple[str, str]], challenge: str | None
) -> None:
    async with guarded() as bus, httpx.AsyncClient(base_url=bus.http) as http:
        got = await http.get(f"{path}?access_token={token()}", headers=headers)
        assert got.status_code == 401
        assert got.headers["www-authenticate"].startswith(challenge or "Bearer")
        assert got.headers["content-type"] == "application/problem+json"


async def test_the_token_is_looked_at_before_the_origin() -> None:
    async with guarded() as bus:
        async with client(bus, None, Origin="https://evil.example") as http:
            assert (await http.post(MESSAGES, json=NOTE)).status_code == 401
        async with client(bus, token(), Origin="https://evil.example") as http:
            assert (await http.post(MESSAGES, json=NOTE)).status_code == 403


async def test_a_browser_may_ask_whether_it_may_ask_without_a_token() -> None:
    ask = {"Origin": "https://desk.example.com", "Access-Control-Request-Method": "POST"}
    async with guarded(allowed_origins=["https://desk.example.com"]) as bus, client(bus, None) as http:
        asked = await http.options(MESSAGES, headers=ask)
        assert asked.status_code == 204
        assert "authorization" in asked.headers["access-control-allow-headers"]
        foreign = await http.options(MESSAGES, headers=ask | {"Origin": "https://evil.example"})
        assert foreign.status_code == 403


async def test_what_is_refused_to_a_session_is_refused_to_a_request_with_its_rule() -> None:
    async with guarded() as bus, client(bus, token(workspace="other")) as http:
        for got in (
            await http.post(MESSAGES, json=NOTE),
            await http.get("/api/v1/workspaces/demo/events?pattern=Notes"),
        ):
            assert (got.status_code, got.json()["code"], got.json()["rule"]) == (403, "not_permitted", "workspace")
        assert bus.broker.workspaces.find("demo") is None


async def test_where_no_key_can_be_had_a_request_gets_503() -> None:
    class Away:
        def check(self, token: str, answer: Callable[[Grant | RefusedToken], None]) -> None:
            del token
            answer(RefusedToken(CloseCode.TRY_AGAIN_LATER, "the issuer is away"))

    async with guarded(Away()) as bus, client(bus, "any") as http:
        got = await http.post(MESSAGES, json=NOTE)
        assert (got.status_code, got.headers["retry-after"], got.json()["detail"]) == (503, "10", "the issuer is away")


async def test_metrics_and_the_parts_of_readiness_are_for_operators() -> None:
    async with guarded() as bus:
        async with client(bus, None) as http:
            assert (await http.get("/healthz")).status_code == 200
            assert (await http.get("/readyz")).json() == {"ready": True}
        async with client(bus, token()) as http:
            refused = await http.get("/metrics")
            assert (refused.status_code, refused.json()["rule"]) == (403, "operator")
            assert (await http.get("/readyz")).json() == {"ready": True}
        async with client(bus, token(roles=["operator"])) as http:
            assert (await http.get("/metrics")).status_code == 200
            assert (await http.get("/readyz")).json() == {
                "ready": True,
                "parts": {"serving": True, "call_control": True},
            }


async def test_pages_and_schemas_are_for_everyone() -> None:
    async with guarded() as bus, client(bus, None) as http:
        for path in ("/", "/schemas/", "/asyncapi.json", "/problems/"):
            assert (await http.get(path)).status_code == 200, path


# Site-wide notices

EVERYWHERE = "/api/v1/workspaces/*/messages"


async def test_a_server_tells_every_workspace_something() -> None:
    async with guarded() as bus, client(bus, token(workspace=None, roles=["server"])) as http:
        wires = []
        for number in range(3):
            wire = await enter(bus, token(workspace=f"w{number}"))
            await wire.message()
            subscribe = {"channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe"}
            wire.send({**subscribe, "data": {"patterns": ["Notes"]}})
            await wire.message()
            wires.append(wire)
        got = await http.post(EVERYWHERE, json=NOTE)
        assert (got.status_code, got.json()) == (202, {"id": "n1", "workspaces": 3})
        for wire in wires:
            assert (await wire.message())["id"] == "n1"


@pytest.mark.parametrize(
    ("roles", "channel", "rule"),
    [(["widget"], "Notes", "workspace"), (["server"], "Cisco", "notice-free-channel")],
)
async def test_a_notice_that_may_not_be_names_its_rule(roles: list[str], channel: str, rule: str) -> None:
    async with guarded() as bus, client(bus, token(roles=roles)) as http:
        got = await http.post(EVERYWHERE, json={**NOTE, "channel": channel})
        assert (got.status_code, got.json()["rule"]) == (403, rule)


async def test_there_is_no_stream_of_every_workspace() -> None:
    async with guarded() as bus, client(bus, token(roles=["server"])) as http:
        assert (await http.get("/api/v1/workspaces/*/events?pattern=Notes")).status_code == 400
