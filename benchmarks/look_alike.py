"""Finesse's look-alike as processes of its own, and the hand of the world outside.

There are two: the look-alike itself, which is the REST API and the switch, and Prosody, which it has started.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from benchmarks.load import TIMEOUT_SECONDS, LoadError
from benchmarks.processes import cpu_of, delay_of, raise_file_limit
from benchmarks.server import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

PROGRAM = "from bridge.cli import main; main()"


@dataclass(frozen=True)
class Account:
    """An agent who may sign in."""

    username: str
    password: str
    extension: str
    token: str


class LookAlike:
    """One node with so many agents; ``cores`` is where it may run, with all that it starts."""

    def __init__(self, agents: int, cores: AbstractSet[int] | None = None) -> None:
        self._agents = agents
        self._cores = cores
        self._told: dict[str, Any] = {}

    async def __aenter__(self) -> Self:
        raise_file_limit()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 closed in __aexit__
        self._process = subprocess.Popen(  # noqa: ASYNC220 takes no time; its output is read in a thread
            [sys.executable, "-c", PROGRAM, "finesse-simulator", "--json", "--agents", str(self._agents)],
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        if self._cores is not None:
            os.sched_setaffinity(self._process.pid, self._cores)
        assert self._process.stdout is not None
        line = await asyncio.to_thread(self._process.stdout.readline)
        if not line.startswith(b"{"):
            self._process.kill()
            self._stopped()
            self._log.seek(0)
            tail = self._log.read().decode(errors="replace")[-2000:]
            self._log.close()
            raise LoadError(f"the look-alike did not start: {tail}")
        self._told = json.loads(line)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._process.terminate()
        await asyncio.to_thread(self._stopped)
        self._log.close()

    def _stopped(self) -> None:
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def accounts(self) -> list[Account]:
        """All agents."""
        return [Account(**each) for each in self._told["agents"]]

    @property
    def settings(self) -> dict[str, str]:
        """What a bridge must be told."""
        return {
            "BRIDGE_ADAPTER": "finesse",
            "BRIDGE_FINESSE_URLS": json.dumps(self._told["rest"]),
            "BRIDGE_FINESSE_XMPP_URLS": json.dumps(self._told["xmpp_nodes"]),
            "BRIDGE_FINESSE_CA_FILE": self._told["ca_file"],
        }

    @property
    def xmpp_port(self) -> int:
        """Where notifications come from."""
        return _port(self._told["xmpp"])

    def cpu(self) -> tuple[float, float]:
        """Give the CPU seconds of the look-alike and of Prosody so far."""
        return cpu_of(self._process.pid), cpu_of(self._prosody())

    def delay(self) -> float:
        """Give the seconds for which Prosody was ready to run and another ran on its core instead."""
        return delay_of(self._prosody())

    def _prosody(self) -> int:
        (child,) = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return int(child)

    # The hand of the world outside

    async def offer(self, extension: str, from_address: str) -> str:
        """Let a customer call; return the call's id."""
        return str((await self._ask("POST /offer", {"to": extension, "from": from_address}))["call"])

    async def answer(self, address: str) -> None:
        """Let a party answer."""
        await self._ask("POST /party/answer", {"address": address})

    async def truth(self) -> dict[str, Any]:
        """Give every agent and call, by extension."""
        found: dict[str, Any] = (await self._ask("GET /dialogs"))["agents"]
        return found

    async def requests(self) -> list[dict[str, Any]]:
        """Give every request that would have changed something."""
        found: list[dict[str, Any]] = (await self._ask("GET /log"))["entries"]
        return found

    async def _ask(self, what: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something over HTTP, by hand: an HTTP library's milliseconds would delay what is measured."""
        content = b"" if body is None else json.dumps(body).encode()
        async with asyncio.timeout(TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_connection("127.0.0.1", _port(self._told["control"]))
            head = f"{what} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + content)
            answer, _, found = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()
        if not answer.startswith(b"HTTP/1.1 200"):
            raise LoadError(f"the look-alike refused {what} {body}: {found.decode()}")
        told: dict[str, Any] = json.loads(found)
        return told


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
