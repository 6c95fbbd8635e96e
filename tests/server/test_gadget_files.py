"""Sample gadgets are served under names of their own, to frames of the demo page, and reach nobody but it."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING

import httpx
import pytest

from bridge.server import assets, content_policy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.server.bus import Bus, Start


@pytest.fixture
async def client(bus: Bus) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=bus.http) as client:
        yield client


def sources(policy: str) -> dict[str, list[str]]:
    parts = [directive.split() for directive in policy.split("; ")]
    return {name: values for name, *values in parts}


@pytest.mark.parametrize("host", ["one.localhost:8765", "localhost:8765", "stranger.localhost"])
async def test_every_file_of_the_gadgets_is_served(client: httpx.AsyncClient, host: str) -> None:
    directory = assets.directory("demo_page")
    assert directory is not None
    files = sorted((directory / "gadgets").iterdir())
    assert len(files) >= 4
    for file in files:
        answer = await client.get(f"/gadgets/{file.name}", headers={"Host": host})
        assert (answer.status_code, answer.text) == (200, file.read_text(encoding="utf-8"))
        assert len(answer.headers.get_list("content-security-policy")) == 1
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_script_within_a_gadget_runs_because_its_digest_is_named(client: httpx.AsyncClient) -> None:
    answer = await client.get("/gadgets/one.html", headers={"Host": "one.localhost"})
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = sources(answer.headers["content-security-policy"])
    assert policy["script-src"] == ["'self'", f"'sha256-{digest}'"]
    assert policy["default-src"] == ["'none'"], "it opens no connection of its own"
    other = await client.get("/gadgets/two.html", headers={"Host": "two.localhost"})
    assert sources(other.headers["content-security-policy"])["script-src"] == ["'self'"]


@pytest.mark.parametrize(
    ("scheme", "host", "ancestors"),
    [
        ("http", "one.localhost:8765", ["http://localhost:8765", "http://127.0.0.1:8765"]),
        ("https", "Two.LOCALHOST", ["https://localhost", "https://127.0.0.1"]),
        ("http", "localhost:8765", ["'self'"]),
        ("https", "bridge.example.com", ["'self'"]),
        ("http", "[::1]:8765", ["'self'"]),
    ],
)
def test_only_the_demo_page_frames_a_gadget(scheme: str, host: str, ancestors: list[str]) -> None:
    assert sources(content_policy.of_gadget(scheme, host, "'self'"))["frame-ancestors"] == ancestors


@pytest.mark.parametrize("name", ["", "missing.html", "..%2findex.html", "%2e%2e/index.html", "one.html/x"])
async def test_nothing_else_is_served_there(bus: Bus, name: str) -> None:
    wire = await bus.wire()
    status, _, _ = await wire.request(f"GET /gadgets/{name} HTTP/1.1\nHost: one.localhost\n\n")
    assert status == 404


async def test_names_under_localhost_serve_nothing_but_gadgets(client: httpx.AsyncClient) -> None:
    for path in ("/", "/app.js", "/sdk/gateway.js", "/schemas/", "/ws"):
        assert (await client.get(path, headers={"Host": "one.localhost"})).status_code == 403


async def test_without_the_demo_page_there_are_no_gadgets(start: Start) -> None:
    bus = await start(demo_page=False)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        assert (await client.get("/gadgets/one.html", headers={"Host": "one.localhost"})).status_code == 404
