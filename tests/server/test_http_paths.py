"""Pages, schemas, health, metrics, and publishing over HTTP."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bridge.protocol.errors import REFUSALS, Code, FieldError, Rejection
from bridge.server import assets, content_policy, pages
from tests.server.wire import publish
from tests.server.witness import Witness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.server.bus import Bus, Start

MESSAGES = "/api/v1/workspaces/demo/messages"


@pytest.fixture
async def client(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    """Give an HTTP client of the server under test."""
    async with httpx.AsyncClient(base_url=bus.http) as client:
        yield client


# For operators


async def test_health_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).text == "ok\n"


async def test_readiness_includes_call_control(bus: Bus, client: httpx.AsyncClient) -> None:
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "parts": {"serving": True, "call_control": True}})
    bus.app.parts["call_control"] = False
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()["ready"]) == (503, False)


async def test_metrics_are_prometheus_text(client: httpx.AsyncClient) -> None:
    got = await client.get("/metrics")
    assert (got.text, got.headers["content-type"]) == ("# nothing\n", "text/plain; version=0.0.4; charset=utf-8")


async def test_requests_are_counted_by_route(bus: Bus, client: httpx.AsyncClient) -> None:
    await client.get("/problems/illegal_state")
    await client.post("/api/v1/workspaces/made-up/messages")
    await client.get("/made/up/path")
    assert bus.observer.requests == [
        ("GET", "/problems/{code}", 200),
        ("POST", "/api/v1/workspaces/{workspace}/messages", 415),
        ("GET", "other", 404),
    ]


# Pages and files


async def test_demo_page_is_served_with_its_files(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    directory = assets.directory("demo_page")
    assert directory is not None
    assert page.text == (directory / "index.html").read_text(encoding="utf-8")
    for file in directory.glob("*.js"):
        assert (await client.get(f"/{file.name}")).status_code == 200


async def test_demo_page_and_gadgets_can_be_switched_off_and_the_sdk_stays(start: Start) -> None:
    bus = await start(demo_page=False)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        assert (await client.get("/")).status_code == 404
        assert (await client.get("/index.html")).status_code == 404
        assert (await client.get("/gadgets/one.html")).status_code == 404
        assert (await client.get("/sdk/workspace-bridge.js")).status_code == 200
        assert (await client.get("/healthz")).status_code == 200


async def test_schemas_are_served(client: httpx.AsyncClient) -> None:
    index = (await client.get("/schemas/")).json()
    for entry in index["messages"][:3]:
        schema = (await client.get(f"/schemas/{entry['file']}")).json()
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (await client.get("/asyncapi.json")).json()["asyncapi"].startswith("3.0")


@pytest.mark.parametrize(
    "path", ["/../pyproject.toml", "/%2e%2e/pyproject.toml", "/schemas/..%2f..%2fpyproject.toml", "//etc/passwd"]
)
async def test_nothing_outside_is_served(bus: Bus, path: str) -> None:
    status, _, body = await (await bus.wire()).request(f"GET {path} HTTP/1.1\nHost: localhost\n\n")
    assert (status, b"workspace-bridge" in body) == (404, False)


async def test_every_code_has_its_page(client: httpx.AsyncClient) -> None:
    index = (await client.get("/problems/")).text
    for code, refusal in REFUSALS.items():
        page = await client.get(f"/problems/{code}")
        assert f"<h1><code>{code}</code></h1>" in page.text
        assert "What to do" in page.text
        assert f"the status is {refusal.status}" in page.text
        assert ".md" not in page.text
        assert f'href="/problems/{code}"' in index
        assert escape(refusal.meaning) in index


async def test_page_of_a_code_without_the_documentation_still_says_what_it_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assets, "directory", lambda _: None)
    page = pages.of_code.__wrapped__(Code.UNKNOWN_CALL)
    assert escape(REFUSALS[Code.UNKNOWN_CALL].meaning) in page


async def test_unknown_code_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/problems/nonsense")).status_code == 404


@pytest.mark.parametrize("path", ["/", "/healthz", "/problems/", "/schemas/", "/nowhere"])
async def test_security_headers_are_everywhere(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert policy == content_policy.of_page("http", client.base_url.netloc.decode())
    assert "camera=()" in headers["permissions-policy"]


async def test_a_refused_host_is_not_in_the_policy(client: httpx.AsyncClient) -> None:
    refused = await client.get("/", headers={"Host": "evil.example"})
    assert refused.headers["content-security-policy"] == content_policy.FOR_ANYBODY


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/schemas/", MESSAGES])
async def test_foreign_host_is_refused_on_every_path(client: httpx.AsyncClient, path: str) -> None:
    got = await client.get(path, headers={"Host": "evil.example"})
    assert (got.status_code, got.headers["content-type"]) == (403, "application/problem+json")


async def test_gadget_host_reaches_gadgets_only(client: httpx.AsyncClient) -> None:
    headers = {"Host": "clock.localhost"}
    assert (await client.get("/", headers=headers)).status_code == 403
    assert (await client.get("/gadgets/clock/", headers=headers)).status_code == 404


# Publishing


async def test_message_is_published(bus: Bus, client: httpx.AsyncClient) -> None:
    reader = await bus.session()
    await reader.subscribe("Gadget")
    got = await client.post(f"{MESSAGES}?app=batch", json=publish(1, id="one"))
    assert got.status_code == 202
    assert got.json() == {"id": "one", "offset": 1, "duplicate": False, "warnings": []}
    heard = await reader.message()
    assert (heard["data"], heard["source"], heard["id"]) == (1, "batch", "one")


async def test_message_without_id_gets_one(bus: Bus, client: httpx.AsyncClient) -> None:
    reader = await bus.session()
    await reader.subscribe("Gadget")
    got = await client.post(MESSAGES, json=publish(1))
    assert got.json()["id"] == (await reader.message())["id"]


async def test_same_message_again_is_a_duplicate(client: httpx.AsyncClient) -> None:
    await client.post(MESSAGES, json=publish(1, id="one"))
    again = await client.post(MESSAGES, json=publish(1, id="one"))
    assert (again.status_code, again.json()["duplicate"], again.json()["offset"]) == (202, True, 1)


async def test_charset_of_the_media_type_does_no_harm(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    body = b'{"channel":"Gadget","topic":"a","subtopic":"b"}'
    assert (await client.post(MESSAGES, content=body, headers=headers)).status_code == 202


JSON = {"content-type": "application/json"}
HOLD = {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetHOLD", "id": "h"}

REFUSED: dict[str, tuple[Any, int, str]] = {
    "no JSON": (b"{", 400, "malformed_json"),
    "not UTF-8": (b'{"channel":"\xff"}', 400, "malformed_json"),
    "no object": (b"[]", 400, "malformed_json"),
    "an unknown field": (publish(1, extra=1), 400, "invalid_envelope"),
    "an event of the bridge": (publish(1, "Bridge"), 403, "reserved_channel"),
    "a control message": (
        {"channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe", "data": {"patterns": ["*"]}},
        403,
        "reserved_channel",
    ),
    "an unknown address": ({**HOLD, "subtopic": "SetHOLDING"}, 404, "unknown_address"),
    "a body that does not fit": ({**HOLD, "data": {}}, 422, "invalid_data"),
    "no call control": ({**HOLD, "data": {"MediaAddress": "1", "CallID": "2"}}, 503, "unavailable"),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED.values(), ids=REFUSED)
async def test_refusal_is_a_problem_document(client: httpx.AsyncClient, body: Any, status: int, code: str) -> None:
    sent = {"content": body} if isinstance(body, bytes) else {"json": body}
    got = await client.post(MESSAGES, headers=JSON, **sent)
    problem = got.json()
    assert (got.status_code, got.headers["content-type"]) == (status, "application/problem+json")
    assert (problem["type"], problem["status"], problem["code"]) == (f"/problems/{code}", status, code)
    assert problem["title"] == REFUSALS[Code(code)].meaning
    assert problem["detail"] == problem["message"]
    assert problem["temporary"] is (code == "unavailable")
    assert (await client.get(problem["type"])).status_code == 200


STATUS = {
    Code.RATE_LIMITED: 429, Code.MALFORMED_JSON: 400, Code.INVALID_ENVELOPE: 400, Code.RESERVED_CHANNEL: 403,
    Code.NOT_PERMITTED: 403, Code.UNKNOWN_ADDRESS: 404, Code.INVALID_DATA: 422, Code.LIMIT_EXCEEDED: 422,
    Code.ID_CONFLICT: 409, Code.NOT_SIGNED_IN: 409, Code.WRONG_EXTENSION: 403, Code.UNKNOWN_CALL: 404,
    Code.ILLEGAL_STATE: 409, Code.UNAVAILABLE: 503,
}  # fmt: skip


@pytest.mark.parametrize("code", Code)
async def test_each_code_has_its_status(
    bus: Bus, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, code: Code
) -> None:
    details = {"retryAfterMs": 1001} if code is Code.RATE_LIMITED else {"allowed": ["SetDROP"]}
    rejection = Rejection(code, "told", "A/b/c", "one", (FieldError("/data", "wrong", "no"),), details)

    def refuse(*_: object) -> None:
        raise rejection

    monkeypatch.setattr(bus.broker, "publish", refuse)
    got = await client.post(MESSAGES, json=publish(1))
    assert got.status_code == STATUS[code]
    assert got.headers.get("retry-after") == ("2" if code is Code.RATE_LIMITED else None)
    problem = got.json()
    assert {name: problem[name] for name in ("address", "correlationId", "errors", *details)} == {
        "address": "A/b/c",
        "correlationId": "one",
        "errors": [{"pointer": "/data", "code": "wrong", "message": "no"}],
        **details,
    }


async def test_conflict_is_409(client: httpx.AsyncClient) -> None:
    await client.post(MESSAGES, json=publish(1, id="one"))
    got = await client.post(MESSAGES, json=publish(2, id="one"))
    assert (got.status_code, got.json()["code"]) == (409, "id_conflict")


async def test_rate_is_429_with_retry_after(start: Start) -> None:
    bus = await start(messages_per_second=1, messages_burst=1)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        got = [await client.post(MESSAGES, json=publish(number)) for number in range(3)][-1]
    assert (got.status_code, got.headers["retry-after"], got.json()["code"]) == (429, "1", "rate_limited")


async def test_longer_than_a_message_may_be_is_413(start: Start) -> None:
    bus = await start(message_bytes=2048)
    witness = await Witness.join(bus)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        for size in (2049, 3_000_000):
            got = await client.post(MESSAGES, content=b"x" * size, headers=JSON)
            assert (got.status_code, got.json()["type"]) == (413, "about:blank")
        assert (await client.post(MESSAGES, content=b" " * 2048, headers=JSON)).status_code == 400
    await witness.testify()


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_another_media_type_is_415(client: httpx.AsyncClient, media_type: str) -> None:
    got = await client.post(MESSAGES, content=b"{}", headers={"Content-Type": media_type})
    assert (got.status_code, got.headers["content-type"]) == (415, "application/problem+json")


async def test_another_method_is_405(client: httpx.AsyncClient) -> None:
    got = await client.get(MESSAGES)
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("workspace", ["**", "a.b", "x" * 65, "gr%C3%BCn"])
async def test_workspace_that_cannot_be_is_400(client: httpx.AsyncClient, workspace: str) -> None:
    got = await client.post(f"/api/v1/workspaces/{workspace}/messages", json=publish(1))
    assert (got.status_code, "workspace" in got.json()["detail"]) == (400, True)


@pytest.mark.parametrize("query", ["app=", "app=a&app=b", "app=%0A"])
async def test_app_that_cannot_be_is_400(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.post(f"{MESSAGES}?{query}", json=publish(1))).status_code == 400


async def test_page_of_a_foreign_origin_may_not_publish(bus: Bus, client: httpx.AsyncClient) -> None:
    got = await client.post(MESSAGES, json=publish(1), headers={"Origin": "https://evil.example"})
    assert (got.status_code, "access-control-allow-origin" in got.headers) == (403, False)
    assert bus.broker.workspaces.find("demo") is None


async def test_second_origin_does_not_hide_behind_the_first(bus: Bus) -> None:
    own = f"http://localhost:{bus.port}"
    head = f"POST {MESSAGES} HTTP/1.1\nHost: localhost:{bus.port}\nOrigin: {own}\nOrigin: https://evil.example\n\n"
    assert (await (await bus.wire()).request(head))[0] == 403
    await (await bus.wire()).upgrade(path="/ws", status=400, headers={"Origin": f"{own}\r\nOrigin: {own}"})


async def test_fault_of_the_bridge_is_500_and_told(
    bus: Bus, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = await Witness.join(bus)

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(bus.broker, "publish", fail)
        got = await client.post(MESSAGES, json=publish(1))
    assert (got.status_code, got.headers["content-type"]) == (500, "application/problem+json")
    assert "bug" not in got.text
    assert [(where, str(error)) for where, error in bus.observer.failures] == [("request", "a bug")]
    assert bus.observer.requests == [("POST", "/api/v1/workspaces/{workspace}/messages", 500)]
    await witness.testify()


# Pages of other origins that are listed


@pytest.fixture
async def listed(start: Start) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that is a page of a listed origin."""
    bus = await start(allowed_origins=("https://desk.example.com",))
    async with httpx.AsyncClient(base_url=bus.http, headers={"Origin": "https://desk.example.com"}) as client:
        yield client


async def test_page_of_a_listed_origin_may_read_the_answer(listed: httpx.AsyncClient) -> None:
    for got in (await listed.post(MESSAGES, json=publish(1)), await listed.post(MESSAGES, content=b"")):
        assert got.headers["access-control-allow-origin"] == "https://desk.example.com"
        assert got.headers["vary"] == "Origin"


async def test_page_of_a_listed_origin_may_ask_beforehand(listed: httpx.AsyncClient) -> None:
    got = await listed.options(MESSAGES, headers={"Access-Control-Request-Method": "POST"})
    assert got.status_code == 204
    assert got.headers["access-control-allow-methods"] == "GET, POST"
    assert "content-type" in got.headers["access-control-allow-headers"]


async def test_page_of_another_origin_is_refused_beforehand(listed: httpx.AsyncClient) -> None:
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    got = await listed.options(MESSAGES, headers=headers)
    assert (got.status_code, "access-control-allow-origin" in got.headers) == (403, False)
