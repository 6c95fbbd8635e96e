"""The limit of open files: raised at the start, told where it is too low, and harmless when it is reached."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bridge
from bridge.server import files

if TYPE_CHECKING:
    from tests.server.bus import Start


class Limits:
    """The process's limit, as the module sees it."""

    RLIMIT_NOFILE = resource.RLIMIT_NOFILE
    RLIM_INFINITY = resource.RLIM_INFINITY

    def __init__(self, soft: int, hard: int) -> None:
        self.limits = (soft, hard)

    def getrlimit(self, _: int) -> tuple[int, int]:
        return self.limits

    def setrlimit(self, _: int, limits: tuple[int, int]) -> None:
        self.limits = limits


@pytest.mark.parametrize(
    ("soft", "hard", "allowed", "short"),
    [(1024, 4096, 4096, False), (1024, 1024, 1024, True), (1256, 1256, 1256, False), (1255, 1255, 1255, True)],
)
def test_soft_limit_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, allowed: int, *, short: bool
) -> None:
    limits = Limits(soft, hard)
    monkeypatch.setattr(files, "resource", limits)
    got = files.raise_limit(1000)
    assert limits.limits == (hard, hard)
    assert got == files.FileLimit(allowed, 1256)
    assert got.short is short


def test_no_limit_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "resource", Limits(Limits.RLIM_INFINITY, Limits.RLIM_INFINITY))
    assert files.raise_limit(1000) is None


def test_any_number_of_sessions_needs_no_comparison(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(10, 20)
    monkeypatch.setattr(files, "resource", limits)
    assert files.raise_limit(0) is None
    assert limits.limits == (20, 20)


def test_platform_without_limit_is_no_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "resource", None)
    assert files.raise_limit(1000) is None


async def test_warning_names_both_numbers(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "resource", Limits(500, 500))
    bus = await start(max_sessions=1000)
    assert bus.observer.limits == [("files", {"allowed": 500, "wanted": 1256})]


SCRIPT = """
import asyncio, os, resource, socket, sys

from bridge.server.pulse import Timing
from bridge.settings import Settings
from tests.server.bus import Bus
from tests.server.wire import until
from tests.server.witness import Witness


def open_files():
    return len(os.listdir("/proc/self/fd"))


async def main():
    bus = Bus(Settings(port=0, max_sessions=0), Timing(tick=0.05, cut=0.3))
    async with bus.running():
        witness = await Witness.join(bus)
        await witness.speak()
        rush = [socket.socket() for _ in range(40)]
        limit = open_files() + 10
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        for client in rush:
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", bus.port))
        await until(lambda: any(limit == "accept" for limit, _ in bus.observer.limits))
        served = bus.connections
        await witness.speak()
        assert served < 20, served
        for client in rush[:30]:
            client.close()
        late = rush[30:]
        loop = asyncio.get_running_loop()
        for client in late:  # they waited in the kernel's queue, and are served now
            await loop.sock_sendall(client, b"GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n")
            async with asyncio.timeout(10):
                assert (await loop.sock_recv(client, 12)) == b"HTTP/1.1 200", client
        await witness.testify()
        for client in late:
            client.close()
        print([limit for limit, _ in bus.observer.limits].count("accept") <= 5)


if sys.argv[1] == "uvloop":
    import uvloop

    uvloop.run(main())
else:
    asyncio.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_accepting_pauses_and_sessions_are_unharmed(tmp_path: Path, loop: str) -> None:
    """In a process of its own, as the limit is the process's."""
    script = tmp_path / "exhausted.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 our own script
        [sys.executable, str(script), loop],
        cwd=Path(bridge.__file__).parent.parent,
        env={"PYTHONPATH": "."},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr.decode()) == (b"True\n", "")
