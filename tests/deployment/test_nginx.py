"""The example for nginx, in front of a real bridge."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from bridge.settings import Settings
from bridge.testing import running_bridge
from tests.deployment.nginx_proxy import CLIENT, EXAMPLE, nginx_before

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from websockets.asyncio.client import ClientConnection

    from tests.deployment.nginx_proxy import Nginx

API = "/api/v1/workspaces/demo"
MESSAGE = {"channel": "Gadget", "topic": "a", "subtopic": "b", "data": 1}
SUBSCRIBE = {
    "channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe", "id": "s", "data": {"patterns": ["Gadget"]}
}  # fmt: skip


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Nginx]:
    """Give nginx before a bridge that trusts it."""
    async with running_bridge(trusted_proxies=["127.0.0.1"]) as bridge, nginx_before(bridge.port, tmp_path) as nginx:
        yield nginx


def session(nginx: Nginx, **options: Any) -> connect:
    return connect(nginx.url, ssl=nginx.tls, local_addr=(CLIENT, 0), **options)


def http(nginx: Nginx, **options: Any) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(verify=nginx.tls, local_address=CLIENT)
    return httpx.AsyncClient(base_url=nginx.origin, transport=transport, **options)


async def message(connection: ClientConnection) -> Any:
    async with asyncio.timeout(5):
        return json.loads(await connection.recv())


async def event(lines: AsyncIterator[str]) -> Any:
    """Read the data of the next event."""
    async with asyncio.timeout(5):
        async for line in lines:
            if line.startswith("data: "):
                return json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream has ended")


async def test_session_stream_and_publish_pass_through(proxy: Nginx) -> None:
    async with session(proxy) as listening, http(proxy) as client:
        assert (await message(listening))["subtopic"] == "Opened"
        await listening.send(json.dumps(SUBSCRIBE))
        assert (await message(listening))["subtopic"] == "Subscribed"
        async with client.stream("GET", f"{API}/events?pattern=Gadget") as stream:
            lines = stream.aiter_lines()
            assert (await event(lines))["subtopic"] == "Subscribed"
            posted = await client.post(f"{API}/messages", json=MESSAGE)
            assert posted.status_code == 202
            assert (await event(lines))["data"] == 1
        assert (await message(listening))["data"] == 1


async def test_end_of_a_session_reaches_the_page_with_its_code(tmp_path: Path) -> None:
    async with (
        running_bridge(trusted_proxies=["127.0.0.1"]) as bridge,
        nginx_before(bridge.port, tmp_path) as nginx,
        session(nginx) as connection,
    ):
        await message(connection)
        await bridge.stop()
        await connection.wait_closed()
        assert connection.close_code == 1012


async def test_pages_are_served_and_metrics_are_not(proxy: Nginx) -> None:
    async with http(proxy) as client:
        assert (await client.get("/healthz")).text == "ok\n"
        assert (await client.get("/schemas/")).status_code == 200
        assert (await client.get("/metrics")).status_code == 404


async def test_message_that_is_too_large_is_refused_by_the_bridge_which_says_so(proxy: Nginx) -> None:
    async with http(proxy) as client:
        got = await client.post(f"{API}/messages", json={**MESSAGE, "data": "x" * 70_000})
    assert (got.status_code, "MESSAGE_BYTES" in got.text) == (413, True)


@pytest.mark.parametrize(("trusted", "address"), [(["127.0.0.1"], CLIENT), ([], "127.0.0.1")])
async def test_bridge_sees_the_clients_address_if_it_trusts_nginx(
    tmp_path: Path, trusted: list[str], address: str
) -> None:
    """What the client says of itself in the same headers never arrives."""
    lies = {"X-Forwarded-For": "198.51.100.1", "X-Forwarded-Proto": "http", "Forwarded": "for=198.51.100.1"}
    async with running_bridge(trusted_proxies=trusted) as bridge, nginx_before(bridge.port, tmp_path) as nginx:
        with capture_logs() as logs:
            async with http(nginx, headers=lies) as client, client.stream("GET", f"{API}/events?pattern=*") as stream:
                assert stream.status_code == 200
            async with session(nginx, additional_headers=lies) as connection:
                await message(connection)
    assert [line["from"] for line in logs if line["event"] == "session_opened"] == [address, address]


@pytest.mark.parametrize(("trusted", "status"), [(["127.0.0.1"], 202), ([], 403)])
async def test_pages_of_the_proxy_have_the_bridges_own_origin_if_it_trusts_nginx(
    tmp_path: Path, trusted: list[str], status: int
) -> None:
    async with (
        running_bridge(trusted_proxies=trusted) as bridge,
        nginx_before(bridge.port, tmp_path) as nginx,
        http(nginx) as client,
    ):
        for origin, expected in ((nginx.origin, status), ("https://evil.example", 403)):
            got = await client.post(f"{API}/messages", json=MESSAGE, headers={"Origin": origin})
            assert got.status_code == expected


async def test_session_of_a_page_of_the_proxy_has_the_bridges_own_origin(proxy: Nginx) -> None:
    async with session(proxy, origin=proxy.origin) as connection:
        assert (await message(connection))["subtopic"] == "Opened"
    with pytest.raises(InvalidStatus, match="403"):
        await session(proxy, origin="https://evil.example")


async def test_token_stands_in_no_log(proxy: Nginx) -> None:
    secret = "a.very.secret-token"
    offered = ["workspace-bridge.v1", f"bearer.{secret}"]
    async with session(proxy, subprotocols=offered) as connection:
        assert (await message(connection))["subtopic"] == "Opened"
    async with http(proxy, headers={"Authorization": f"Bearer {secret}"}) as client:
        assert (await client.get(f"/healthz?token={secret}")).status_code == 200
    async with asyncio.timeout(5):
        while proxy.logs.count("\n") < 2:  # noqa: ASYNC110 nginx writes when a request is over
            await asyncio.sleep(0)
    assert f"{CLIENT} [" in proxy.logs
    assert secret not in proxy.logs


def test_line_lives_longer_than_the_silence_between_pings_and_heartbeats() -> None:
    seconds = dict(re.findall(r"^\s*proxy_(read|send)_timeout (\d+)s;", EXAMPLE.read_text("utf-8"), re.MULTILINE))
    settings = Settings.model_fields
    silence = max(settings["ping_seconds"].default, settings["heartbeat_seconds"].default)
    assert int(seconds["read"]) >= 3 * silence
    assert int(seconds["send"]) >= 3 * silence


@pytest.mark.parametrize("directive", ["client_max_body_size", "client_body_buffer_size"])
def test_body_may_be_as_long_as_a_message_and_is_kept_in_memory(directive: str) -> None:
    found = re.search(rf"{directive} (\d+)k;", EXAMPLE.read_text("utf-8"))
    assert found is not None
    assert int(found[1]) * 1024 > Settings.model_fields["message_bytes"].default
