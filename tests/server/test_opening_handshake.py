"""Who gets a session, and what the others get."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.server.wire import CLOSE, frame, publish, subscribe, until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start


async def test_upgrade_is_answered_as_the_rfc_says(bus: Bus) -> None:
    wire = await bus.wire()
    answer, _ = await wire.upgrade(Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==")
    assert answer["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".lower()  # RFC 6455 section 1.3
    assert "sec-websocket-protocol" not in answer
    assert "server" not in answer


async def test_greeting_names_workspace_and_app(bus: Bus) -> None:
    wire = await bus.wire()
    await wire.upgrade("?workspace=Desk_1-a&app=my%20gadget")
    opened = (await wire.message())["data"]
    assert (opened["workspace"], opened["identity"]["app"]) == ("Desk_1-a", "my gadget")


async def test_defaults_are_demo_and_anonymous(bus: Bus) -> None:
    wire = await bus.wire()
    await wire.upgrade()
    opened = (await wire.message())["data"]
    assert (opened["workspace"], opened["identity"]["app"]) == ("demo", "anonymous")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?workspace=", "workspace"),
        ("?workspace=a/b", "workspace"),
        ("?workspace=" + "x" * 65, "workspace"),
        ("?workspace=gr%C3%BCn", "workspace"),
        ("?workspace=%FF", "workspace"),
        ("?workspace=a&workspace=a", "twice"),
        ("?app=", "app"),
        ("?app=" + "x" * 129, "app"),
        ("?app=%C3%BC", "app"),
        ("?app=a%0Ab", "app"),
        ("?app=a&app=b", "twice"),
    ],
)
async def test_query_that_cannot_be_gets_400_that_says_so(bus: Bus, query: str, told: str) -> None:
    witness = await Witness.join(bus)
    _, body = await (await bus.wire()).upgrade(query, status=400)
    assert told in body.decode()
    await witness.testify()


async def test_token_in_the_url_is_never_read(bus: Bus) -> None:
    wire = await bus.wire()
    await wire.upgrade("?token=secret&token=twice")
    assert "secret" not in str(await wire.message())


@pytest.mark.parametrize("path", ["/", "/ws/", "/wss", "/api/v1/workspaces/demo/events", "/%77s"])
async def test_session_elsewhere_gets_404(bus: Bus, path: str) -> None:
    await (await bus.wire()).upgrade(path=path, status=404)


@pytest.mark.parametrize(
    "offered", ["workspace-bridge.v1", "workspace-bridge.v1, bearer.abc", "x, workspace-bridge.v1"]
)
async def test_our_subprotocol_is_selected(bus: Bus, offered: str) -> None:
    answer, _ = await (await bus.wire()).upgrade(Sec_WebSocket_Protocol=offered)
    assert answer["sec-websocket-protocol"] == "workspace-bridge.v1"


@pytest.mark.parametrize("offered", ["bearer.s3cret", "workspace-bridge.v2", "chat, bearer.s3cret"])
async def test_other_subprotocols_alone_get_400(bus: Bus, offered: str) -> None:
    _, body = await (await bus.wire()).upgrade(Sec_WebSocket_Protocol=offered, status=400)
    assert b"offer the subprotocol workspace-bridge.v1" in body


@pytest.mark.parametrize("offered", ["workspace-bridge.v1, bearer.s3cret==", "bearer.s3cret/+", "bearer.s3cret,,;"])
async def test_token_is_neither_echoed_nor_told(bus: Bus, offered: str) -> None:
    answer, body = await (await bus.wire()).upgrade(Sec_WebSocket_Protocol=offered, status=400)
    assert "s3cret" not in f"{answer} {body!r} {bus.observer.limits}"


async def test_compression_is_not_agreed_to(bus: Bus) -> None:
    wire = await bus.wire()
    answer, _ = await wire.upgrade(Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits")
    assert "sec-websocket-extensions" not in answer


@pytest.mark.parametrize(
    "header",
    [
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": "short"},
        {"Sec_WebSocket_Key": base64.b64encode(hashlib.sha256(b"long").digest()).decode()},
        {"Sec_WebSocket_Version": None},
        {"Sec_WebSocket_Version": "8"},
    ],
)
async def test_handshake_that_is_none_gets_400(bus: Bus, header: dict[str, str | None]) -> None:
    witness = await Witness.join(bus)
    _, body = await (await bus.wire()).upgrade(status=400, headers=header)
    assert b"not a WebSocket handshake: Sec-WebSocket-" in body
    await witness.testify()


async def test_plain_get_of_the_endpoint_is_no_page(bus: Bus) -> None:
    status, headers, _ = await (await bus.wire()).request("GET /ws HTTP/1.1\nHost: localhost\n\n")
    assert (status, headers["upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"])
async def test_foreign_host_gets_403(bus: Bus, host: str) -> None:
    await (await bus.wire()).upgrade(Host=host, status=403)


async def test_a_request_without_host_gets_400(bus: Bus) -> None:
    await (await bus.wire()).upgrade(Host=None, status=400)


@pytest.mark.parametrize("host", ["localhost", "localhost:8765", "[::1]:8765"])
async def test_loopback_host_is_served(bus: Bus, host: str) -> None:
    await (await bus.wire()).upgrade(Host=host)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1"])
async def test_foreign_origin_gets_403_instead_of_the_upgrade(bus: Bus, origin: str) -> None:
    witness = await Witness.join(bus)
    _, body = await (await bus.wire()).upgrade(Origin=origin, status=403)
    assert b"ALLOWED_ORIGINS" in body
    await witness.testify()


async def test_own_origin_is_served(bus: Bus) -> None:
    host = f"127.0.0.1:{bus.port}"
    await (await bus.wire()).upgrade(Host=host, Origin=f"http://{host}")


async def test_listed_origin_is_served(start: Start) -> None:
    bus = await start(allowed_origins=("https://*.example.com", "null"))
    for origin in ("https://desk.example.com", "null"):
        await (await bus.wire()).upgrade(Origin=origin)
    await (await bus.wire()).upgrade(Origin="https://a.b.example.com", status=403)


async def test_refused_client_is_let_go(bus: Bus) -> None:
    wire = await bus.wire()
    await wire.upgrade(path="/nowhere", status=404)
    wire.send(b"and something more")
    await wire.eof()
    assert bus.observer.limits[-1] == (
        "refused",
        {"address": "127.0.0.1", "status": 404, "reason": "sessions are opened at /ws"},
    )


async def test_header_that_websockets_finds_too_long_is_refused(start: Start) -> None:
    bus = await start(cut=0.1)
    wire = await bus.wire()
    await wire.upgrade(headers={"X-Long": "x" * 9000}, status=431)
    wire.deafen()
    await until(lambda: bus.connections == 0)


async def test_refused_session_is_upgraded_first_and_gets_nothing(start: Start) -> None:
    bus = await start(sessions_per_workspace=2)
    witness = await Witness.join(bus)
    third = await bus.wire()
    await third.upgrade()
    third.send(subscribe("*"))
    received = await third.frame()
    assert received.opcode == CLOSE
    assert received.close == (4429, "SESSIONS_PER_WORKSPACE (2) is reached")
    third.send(frame(CLOSE, received.payload))
    await third.eof()
    await witness.testify()


async def test_fault_of_the_bridge_closes_with_1011(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    witness = await Witness.join(bus)

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr(bus.broker, "open", fail)
        wire = await bus.wire()
        await wire.upgrade()
        assert await wire.closed() == (1011, "internal error")
    assert [(where, str(error)) for where, error in bus.observer.failures] == [("open", "a bug")]
    await witness.testify()


async def test_frames_sent_with_the_request_are_read(bus: Bus) -> None:
    """A client should wait for the answer; what an impatient one sends must not be read as something else."""
    wire = await bus.wire()
    head = (
        "GET /ws HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
    )
    wire.send(head.replace("\n", "\r\n").encode(), publish(1, id="early"))
    assert (await wire.response())[0] == 101
    assert (await wire.message())["subtopic"] == "Opened"
    assert (await wire.message())["correlationId"] == "early"


async def test_upgrade_behind_an_unanswered_request_is_refused(start: Start) -> None:
    bus = await start()
    wire = await bus.wire()
    first = "GET /api/v1/workspaces/demo/events?pattern=* HTTP/1.1\nHost: localhost\n\n"
    second = (
        "GET /ws HTTP/1.1\nHost: localhost\nUpgrade: websocket\nConnection: Upgrade\n"
        "Sec-WebSocket-Version: 13\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n\n"
    )
    wire.send((first + second).replace("\n", "\r\n").encode())
    assert (await wire.response())[0] == 400
    await wire.eof()
    await until(lambda: bus.broker.sessions == 0)
