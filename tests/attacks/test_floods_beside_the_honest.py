"""Floods of frames, connections and half-said things: honest sessions beside them keep every message, in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.attacks.site import Honest, running
from tests.server.auth.tokens import token
from tests.server.wire import CONT, PING, TEXT, Wire, frame, publish

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.attacks.site import Site

HEAD = "GET /ws HTTP/1.1\r\nHost: localhost\r\n"


async def fragments(site: Site) -> Any:
    """Begin a message and never end it: hundreds of thousands of empty fragments."""
    wire = await site.session(workspace="5071")
    wire.send(frame(TEXT, b"{", fin=False), *[frame(CONT, b"", fin=False)] * 5000)
    for _ in range(40):
        wire.send(*[frame(CONT, b"", fin=False)] * 5000)
        await asyncio.sleep(0)
    return (await wire.closed())[0]


async def growing_fragments(site: Site) -> Any:
    """A message that grows beyond what a message may have."""
    wire = await site.session(workspace="5071")
    wire.send(frame(TEXT, b"x" * 1000, fin=False), *[frame(CONT, b"x" * 1000, fin=False)] * 100)
    return (await wire.closed())[0]


async def pings(site: Site) -> Any:
    """Thousands of pings."""
    wire = await site.session(workspace="5071")
    wire.send(*[frame(PING, b"x" * 100)] * 5000)
    return (await wire.closed())[0]


async def pings_without_a_token(site: Site) -> Any:
    """The same before a token has come."""
    wire = await site.wire()
    await wire.upgrade()
    wire.send(*[frame(PING, b"x" * 100)] * 5000)
    return (await wire.closed())[0]


async def compressed(site: Site) -> Any:
    """A frame that says it is compressed, which was not agreed to."""
    wire = await site.wire()
    headers, _ = await wire.upgrade(
        headers={
            "Sec-WebSocket-Protocol": f"workspace-bridge.v1, bearer.{token(workspace='5071')}",
            "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
        }
    )
    assert "sec-websocket-extensions" not in headers
    await wire.message()
    wire.send(frame(TEXT, b"\x00" * 100, reserved=4))
    return (await wire.closed())[0]


async def a_frame_letter_by_letter(site: Site) -> Any:
    """A frame that takes longer than it may."""
    wire = await site.session(workspace="5071")
    for byte in frame(TEXT, b"x" * 60_000)[:50]:
        wire.send(bytes([byte]))
        await asyncio.sleep(0)
    return (await wire.closed())[0]


async def a_stranger_who_says_nothing(site: Site) -> Any:
    """A hundred connections that show no token."""
    wires = []
    for _ in range(100):
        wires.append(await site.wire())
        await wires[-1].upgrade()  # at once: it may take no longer than a token may
    return {(await wire.closed())[0] for wire in wires}


async def bad_tokens(site: Site) -> Any:
    """Five hundred tokens that are none."""
    return {(await (await site.enter(f"x{number}")).closed())[0] for number in range(500)}


async def all_the_sessions(site: Site) -> Any:
    """More sessions than a desk may have, over WebSocket and as event streams; another desk's are not touched."""
    most = site.bridge.settings.sessions_per_workspace
    for _ in range(most):
        await site.session(workspace="5071")
    told = {(await (await site.enter(token(workspace="5071"))).closed())[0] for _ in range(20)}
    head = f"GET /api/v1/workspaces/5071/events?pattern=* HTTP/1.1\nHost: localhost\n{bearer('5071')}\n"
    told |= {(await (await site.wire()).request(head))[0] for _ in range(20)}
    await site.session(workspace="5070")
    return told


async def requests_without_end(site: Site) -> Any:
    """Thousands of requests in one go, none of whose answers is waited for."""
    wire = await site.wire()
    closing = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    wire.writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000 + closing)
    async with asyncio.timeout(20):
        return (await wire.reader.read(-1)).count(b"HTTP/1.1 200 OK")


async def compressed_in_every_way(site: Site) -> Any:
    """Every way to ask for compression; none is agreed to."""
    agreed = set()
    for offer in (
        "permessage-deflate",
        "permessage-deflate; server_no_context_takeover; client_max_window_bits=8",
        "x-webkit-deflate-frame",
        "permessage-bzip2, permessage-deflate",
        "permessage-deflate, " * 200 + "permessage-deflate",
    ):
        wire = await site.wire()
        headers, _ = await wire.upgrade(headers={"Sec-WebSocket-Extensions": offer})
        agreed |= {name for name in headers if name == "sec-websocket-extensions"}
    return agreed


def bearer(workspace: str) -> str:
    """Give the header line with a good token."""
    return f"Authorization: Bearer {token(workspace=workspace)}\n"


ATTACKS: dict[str, tuple[Callable[[Site], Awaitable[Any]], Any]] = {
    "fragments without end": (fragments, 1008),
    "fragments that grow": (growing_fragments, 1009),
    "pings": (pings, 1008),
    "pings without a token": (pings_without_a_token, 1008),
    "compression": (compressed, 1002),
    "a frame letter by letter": (a_frame_letter_by_letter, 1008),
    "no token": (a_stranger_who_says_nothing, {4408}),
    "bad tokens": (bad_tokens, {4401}),
    "all the sessions": (all_the_sessions, {4429, 429}),
    "requests without end": (requests_without_end, 2001),
    "compression in every way": (compressed_in_every_way, set()),
}


@pytest.mark.parametrize("name", ATTACKS)
async def test_the_attacker_is_told_and_the_honest_notice_nothing(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    attack, told = ATTACKS[name]
    async with running(open_seconds=1) as site:
        honest = await Honest.join(site)
        begun = asyncio.ensure_future(attack(site))
        await honest.beside(begun)
        record_property("honest_p99_ms", round(honest.p99_ms, 2))

        assert begun.result() == told


@pytest.mark.parametrize("head", [HEAD, f"{HEAD}X-Slow: ", "POST /api/v1/workspaces/5071/messages HTTP/1.1\r\n"])
async def test_a_request_letter_by_letter_is_given_up(head: str) -> None:
    async with running(open_seconds=1) as site:
        honest = await Honest.join(site)

        async def attack() -> int:
            wire = await site.wire()
            for letter in head:
                wire.writer.write(letter.encode())
                await asyncio.sleep(0)
            return (await wire.response())[0]

        begun = asyncio.ensure_future(attack())
        await honest.beside(begun)
        assert begun.result() == 408


async def half_open(site: Site, count: int, honest: Honest) -> None:
    """Open so many connections that say half of a request, while honest people talk and another comes."""
    opened: list[Wire] = []

    async def open_some() -> None:
        for _ in range(count):
            wire = await site.wire()
            wire.writer.write(HEAD.encode())
            opened.append(wire)

    await honest.beside(asyncio.ensure_future(open_some()))
    late = await site.session(workspace="5070")
    late.send(publish(1, "Late", id="late"))
    assert (await late.message())["subtopic"] == "Accepted"
    await honest.talk()
    assert site.bridge.server.pending <= site.bridge.settings.pending_connections


async def test_thousands_of_half_open_handshakes(record_property: Callable[[str, object], None]) -> None:
    async with running(pending_connections=500) as site:
        honest = await Honest.join(site)
        await half_open(site, 2000, honest)
        record_property("honest_p99_ms", round(honest.p99_ms, 2))


@pytest.mark.soak
async def test_ten_thousand_half_open_handshakes() -> None:
    async with running() as site:
        honest = await Honest.join(site)
        await half_open(site, 10_000, honest)
        print(f"10,000 half-open handshakes: p99 of the honest {honest.p99_ms:.2f} ms")  # noqa: T201 the figure


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_form_on_another_page_publishes_nothing(kind: str, site: Site, honest: Honest) -> None:
    body = b'{"channel":"Notes","topic":"a","subtopic":"b"}'
    head = "POST /api/v1/workspaces/5070/messages HTTP/1.1\nHost: localhost\n"

    for origin, bearer, expected in (
        ("https://evil.example", "", 401),
        ("https://evil.example", f"Authorization: Bearer {token(workspace='5070')}\n", 403),
        ("http://localhost", f"Authorization: Bearer {token(workspace='5070')}\n", 415),
    ):
        wire = await site.wire()
        lines = f"Origin: {origin}\nContent-Type: {kind}\nContent-Length: {len(body)}\n{bearer}\n"
        status, headers, _ = await wire.request(head + lines, body)
        assert status == expected
        if origin != "http://localhost":
            assert "access-control-allow-origin" not in headers
    await honest.talk()
