"""Where the server listens, where it finds its files, and what it reads from a URL."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from bridge.server import assets, listener
from bridge.server.opening import Opening, read_opening

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.bus import Start


async def test_localhost_is_one_port_on_every_address() -> None:
    sockets = await listener.bind(asyncio.get_running_loop(), "localhost", 0)
    try:
        assert len({bound.getsockname()[1] for bound in sockets}) == 1
        assert {bound.getsockname()[0] for bound in sockets} <= {"127.0.0.1", "::1"}
    finally:
        for bound in sockets:
            bound.close()


async def test_ipv6_loopback_is_served(start: Start) -> None:
    bus = await start(host="::1")
    reader, writer = await asyncio.open_connection("::1", bus.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("settings", "exposed"),
    [
        ({"host": "0.0.0.0"}, ["0.0.0.0"]),
        ({"host": "0.0.0.0", "trusted_proxies": ["10.0.0.1"]}, []),
        ({"host": "127.0.0.1"}, []),
    ],
)
async def test_address_that_others_reach_without_encryption_is_told_once(
    start: Start, settings: dict[str, Any], exposed: list[str]
) -> None:
    assert (await start(**settings)).observer.exposed == exposed


async def test_host_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(socket.gaierror):
        await listener.bind(asyncio.get_running_loop(), "no-such-host.invalid", 0)


async def test_address_that_is_not_ours_is_an_error_that_names_it() -> None:
    with pytest.raises(OSError, match=r"cannot listen on 192\.0\.2\.1 port"):
        await listener.bind(asyncio.get_running_loop(), "192.0.2.1", 0)


@pytest.mark.parametrize("inside", [True, False])
def test_files_are_found_in_the_package_and_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, inside: bool
) -> None:
    package = tmp_path / "bridge"
    place = (package if inside else tmp_path) / "schemas"
    place.mkdir(parents=True)
    monkeypatch.setattr(assets, "_package", package)
    assert assets.directory("schemas") == place
    assert assets.directory("demo_page") is None


def test_files_in_the_package_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside an installed package may lie a folder of that name that belongs to somebody else."""
    for place in (tmp_path / "schemas", tmp_path / "bridge" / "schemas"):
        place.mkdir(parents=True)
    monkeypatch.setattr(assets, "_package", tmp_path / "bridge")
    assert assets.directory("schemas") == tmp_path / "bridge" / "schemas"


def test_query_names_workspace_and_app() -> None:
    assert read_opening("app=a+b&workspace=W-1&other=x") == Opening("W-1", "a b")
    assert read_opening("") == Opening(None, None)


@pytest.mark.parametrize(
    "query", ["workspace=", "workspace=a%20", "app=", "app=%7F", "app=a&app=a", "workspace=a&workspace=b"]
)
def test_query_that_cannot_be_is_an_error(query: str) -> None:
    with pytest.raises(ValueError, match=r"workspace|app"):
        read_opening(query)
