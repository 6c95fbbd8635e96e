"""Requests that a trusted proxy passes on, and others that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start
    from tests.server.wire import Wire

MESSAGES = "/api/v1/workspaces/demo/messages"
EVENTS = "/api/v1/workspaces/demo/events"


def request(path: str, *lines: str, method: str = "GET") -> str:
    return "\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *lines, "", ""])


async def post(bus: Bus, *lines: str) -> int:
    body = b'{"channel":"Gadget","topic":"a","subtopic":"b"}'
    head = request(MESSAGES, f"Content-Length: {len(body)}", "Content-Type: application/json", *lines, method="POST")
    return (await (await bus.wire()).request(head, body))[0]


@pytest.mark.parametrize(
    ("trusted", "said", "status"),
    [
        (["127.0.0.1"], "https", 202),
        (["127.0.0.0/8"], "https", 202),
        (["127.0.0.1"], "http", 403),
        (["192.0.2.1"], "https", 403),
        ([], "https", 403),
    ],
)
async def test_own_origin_is_https_if_a_trusted_proxy_says_so(
    start: Start, trusted: list[str], said: str, status: int
) -> None:
    bus = await start(trusted_proxies=trusted)
    assert await post(bus, "Origin: https://localhost", f"X-Forwarded-Proto: {said}") == status


@pytest.mark.parametrize(("trusted", "statuses"), [(["127.0.0.1"], [200, 200, 429]), ([], [200, 429, 429])])
async def test_limit_per_address_is_that_of_the_client_behind_a_trusted_proxy(
    start: Start, trusted: list[str], statuses: list[int]
) -> None:
    bus = await start(trusted_proxies=trusted, sessions_per_address=1)
    got = []
    for address in ("192.0.2.7", "192.0.2.8", "192.0.2.7"):
        head = request(f"{EVENTS}?pattern=Gadget", f"X-Forwarded-For: 203.0.113.1, {address}")
        got.append((await (await bus.wire()).request(head))[0])
    assert got == statuses


@pytest.mark.parametrize(
    ("trusted", "said", "status"),
    [(["127.0.0.1"], "https", 101), (["127.0.0.1"], "http", 403), ([], "https", 403)],
)
async def test_own_origin_of_a_session_is_https_if_a_trusted_proxy_says_so(
    start: Start, trusted: list[str], said: str, status: int
) -> None:
    bus = await start(trusted_proxies=trusted)
    sent: dict[str, str | None] = {"Host": "localhost", "Origin": "https://localhost", "X-Forwarded-Proto": said}
    await (await bus.wire()).upgrade(headers=sent, status=status)


@pytest.mark.parametrize(("trusted", "address"), [(["127.0.0.1"], "192.0.2.7"), ([], "127.0.0.1")])
async def test_log_line_of_a_refused_session_names_the_client(start: Start, trusted: list[str], address: str) -> None:
    bus = await start(trusted_proxies=trusted)
    wire = await bus.wire()
    await wire.upgrade(path="/elsewhere", headers={"X-Forwarded-For": "192.0.2.7"}, status=404)
    assert [who["address"] for _, who in bus.observer.limits] == [address]


async def refused_address(bus: Bus, wire: Wire) -> str:
    await wire.response()
    ((what, who),) = bus.observer.limits
    assert what == "refused"
    address: str = who["address"]
    return address


@pytest.mark.parametrize(("trusted", "address"), [(["127.0.0.1"], "192.0.2.7"), ([], "127.0.0.1")])
async def test_log_line_of_a_refused_request_names_the_client(start: Start, trusted: list[str], address: str) -> None:
    bus = await start(trusted_proxies=trusted)
    wire = await bus.wire()
    wire.send(b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.7\r\nX-A: " + b"x" * 33_000 + b"\r\n\r\n")
    assert await refused_address(bus, wire) == address


@pytest.mark.parametrize("garbage", [b"garbage\r\n\r\n", b"\0", b"\r\n\xff", b"GET / HTTP/9.9\r\n\r\n"])
async def test_garbage_behind_a_request_is_not_laid_to_the_client_of_that(start: Start, garbage: bytes) -> None:
    """A proxy sends the requests of many clients over one connection."""
    bus = await start(trusted_proxies=["127.0.0.1"])
    wire = await bus.wire()
    assert (await wire.request(request("/healthz", "X-Forwarded-For: 192.0.2.7")))[0] == 200
    wire.send(garbage)
    assert await refused_address(bus, wire) == "127.0.0.1"
