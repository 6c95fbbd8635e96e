"""TLS on real sockets: which version, which certificate, and clients that speak something else."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
import weakref
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bridge.server.http_protocol import RequestProtocol
from bridge.settings import SettingsError
from bridge.testing import running_bridge
from tests.server.wire import publish, until
from tests.server.witness import Witness

if TYPE_CHECKING:
    from tests.server.bus import Bus, Start
    from tests.server.encrypted.authority import Authority
    from tests.server.wire import Wire

CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303")
"""The beginning of one; 200 bytes are announced."""


def shown(wire: Wire) -> bytes:
    """Give the certificate that the server has shown."""
    certificate: bytes = wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return certificate


async def raw(bus: Bus) -> Wire:
    """Open a connection without TLS."""
    return await bus.wire(tls=None)


async def test_http_and_websocket_are_served_on_one_port(bus: Bus) -> None:
    async with httpx.AsyncClient(base_url=bus.http) as client:
        assert (await client.get("/healthz")).text == "ok\n"
        session = await bus.session()
        await session.subscribe("Gadget")
        posted = await client.post("/api/v1/workspaces/demo/messages", json=publish(1))
        assert posted.status_code == 202
    assert (await session.message())["data"] == 1


async def test_address_that_others_reach_by_tls_alone_needs_no_warning(start: Start) -> None:
    assert (await start(host="0.0.0.0")).observer.exposed == []


async def test_started_bridge_names_its_encrypted_addresses(authority: Authority) -> None:
    async with running_bridge(**authority.settings) as bridge:
        assert bridge.http_url == f"https://127.0.0.1:{bridge.port}"
        assert bridge.url == f"wss://127.0.0.1:{bridge.port}/ws"
        async with httpx.AsyncClient(base_url=bridge.http_url) as client:
            assert (await client.get("/readyz")).status_code == 200


async def test_unusable_certificate_is_an_error_of_the_start(start: Start, authority: Authority) -> None:
    authority.key.write_text("nonsense")
    with pytest.raises(SettingsError, match=r"^TLS_KEY_FILE: "):
        await start()


async def test_own_origin_is_https(bus: Bus) -> None:
    port = bus.port
    ours, plain = f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port}"
    await (await bus.wire()).upgrade(Host=f"127.0.0.1:{port}", Origin=ours)
    await (await bus.wire()).upgrade(Host=f"127.0.0.1:{port}", Origin=plain, status=403)
    async with httpx.AsyncClient(base_url=bus.http) as client:
        for origin, status in ((ours, 202), (plain, 403)):
            got = await client.post("/api/v1/workspaces/demo/messages", json=publish(1), headers={"Origin": origin})
            assert got.status_code == status


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_1_2_and_1_3_are_spoken(bus: Bus, authority: Authority, version: ssl.TLSVersion) -> None:
    context = authority.client
    context.minimum_version = context.maximum_version = version
    session = await bus.session(tls=context)
    assert session.writer.get_extra_info("ssl_object").version() == version.name.replace("_", ".")


async def test_tls_1_1_is_not_spoken(bus: Bus, authority: Authority) -> None:
    context = authority.client
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await bus.wire(tls=context)
    assert (bus.observer.failures, bus.connections) == ([], 0)


NO_TLS = {
    "plain HTTP": b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "garbage": b"\0" * 400,
    "a record that is too long": b"\x16\x03\x01\xff\xff" + b"x" * 400,
    "a wrong hello": CLIENT_HELLO + b"\xff" * 400,
}


@pytest.mark.parametrize("sent", NO_TLS.values(), ids=NO_TLS)
async def test_client_that_speaks_something_else_disturbs_nobody(bus: Bus, sent: bytes) -> None:
    witness = await Witness.join(bus)
    wire = await raw(bus)
    wire.send(sent)
    await wire.eof()
    await witness.testify()
    assert (bus.observer.failures, bus.observer.limits) == ([], [])
    assert len(endpoint(bus).pending) == 0


async def test_client_that_leaves_in_the_handshake_disturbs_nobody(bus: Bus) -> None:
    witness = await Witness.join(bus)
    wire = await raw(bus)
    wire.send(CLIENT_HELLO)
    await until(lambda: len(endpoint(bus).pending) == 1)
    with_reset = wire.writer.get_extra_info("socket")
    with_reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await wire.hang_up()
    await until(lambda: len(endpoint(bus).pending) == 0)
    await witness.testify()
    assert bus.observer.failures == []


async def test_handshake_has_open_seconds(start: Start) -> None:
    bus = await start(open_seconds=0.5)
    witness = await Witness.join(bus)
    silent, slow = await raw(bus), await raw(bus)
    slow.send(CLIENT_HELLO)
    await silent.eof()
    await slow.eof()
    await witness.testify()
    assert bus.observer.failures == []


async def test_request_has_its_own_time_after_the_handshake(start: Start) -> None:
    bus = await start(open_seconds=0.2)
    wire = await bus.wire()
    assert await wire.reader.read() == b""


async def test_client_that_does_not_answer_the_end_of_tls_is_cut(start: Start) -> None:
    bus = await start(open_seconds=0.1, cut=0.2)
    wire = await bus.wire()
    await until(lambda: bus.connections == 1)
    wire.deafen()
    await until(lambda: bus.connections == 0)


async def test_half_open_handshakes_do_not_hold_up_the_stop(start: Start) -> None:
    bus = await start(open_seconds=60)
    wires = [await raw(bus) for _ in range(20)]
    for wire in wires[10:]:
        wire.send(CLIENT_HELLO)
    await until(lambda: len(endpoint(bus).pending) == 20)
    async with asyncio.timeout(3):
        await bus.server.stop()
    for wire in wires:
        await wire.eof()


async def test_failed_handshake_leaves_nothing_for_the_collector(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[RequestProtocol]] = []
    never_made = RequestProtocol.never_made

    def note(protocol: RequestProtocol) -> None:
        made.append(weakref.ref(protocol))
        never_made(protocol)

    monkeypatch.setattr(RequestProtocol, "never_made", note)
    gc.collect()
    gc.disable()
    try:
        wire = await raw(bus)
        wire.send(b"x" * 400)
        await wire.eof()
        await until(lambda: bool(made) and made[0]() is None)
    finally:
        gc.enable()


async def test_renewed_certificate_is_for_new_connections_and_old_ones_live_on(bus: Bus, authority: Authority) -> None:
    witness = await Witness.join(bus)
    before = await bus.session()
    authority.issue()
    await until(lambda: bus.observer.certificates == [None])
    after = await bus.session()
    assert shown(after) != shown(before)
    await before.subscribe("Gadget")
    after.send(publish(1))
    assert (await before.message())["data"] == 1
    await witness.testify()


async def test_unusable_certificate_keeps_the_old_one(bus: Bus, authority: Authority) -> None:
    before = await bus.session()
    authority.certificate.write_text("half a certif")
    await until(lambda: bool(bus.observer.certificates))
    after = await bus.session()
    assert shown(after) == shown(before)
    (problem,) = bus.observer.certificates
    assert problem is not None
    assert problem.startswith("TLS_CERT_FILE: ")


def endpoint(bus: Bus) -> Any:
    assert bus.server._endpoint is not None
    return bus.server._endpoint
