"""The installed command as a person runs it: real processes, read line by line."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

LIMIT = 20.0
COMMAND = (sys.executable, "-c", "from bridge.cli import main; main()")


class Finished(NamedTuple):
    code: int | None
    out: str
    err: str

    @property
    def replies(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


def environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    return {**kept, "BRIDGE_LOG_FORMAT": "json", "BRIDGE_SIMULATOR_REACTION_MS": "0", **changes}


class Program:
    """One process of the command."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def line(self) -> str:
        """Read a line of its output."""
        assert self.process.stdout is not None
        return (await asyncio.wait_for(self.process.stdout.readline(), LIMIT)).decode().rstrip("\n")

    async def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await self.line())
        return message

    async def complaint(self, pattern: str) -> re.Match[str]:
        """Read what it tells people until a line matches."""
        assert self.process.stderr is not None
        while line := (await asyncio.wait_for(self.process.stderr.readline(), LIMIT)).decode():
            if found := re.search(pattern, line):
                return found
        raise AssertionError(f"{pattern} was not said")

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)

    async def finished(self) -> Finished:
        out, err = await asyncio.wait_for(self.process.communicate(), LIMIT)
        return Finished(self.process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def program(*arguments: str, **environment_changes: str) -> AsyncIterator[Program]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**environment_changes)
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run(*arguments: str, given: str = "", **environment_changes: str) -> Finished:
    """Run the command to its end."""
    async with program(*arguments, **environment_changes) as running:
        out, err = await asyncio.wait_for(running.process.communicate(given.encode()), LIMIT)
        return Finished(running.process.returncode, out.decode(), err.decode())


async def run_on_a_terminal(*arguments: str, **environment_changes: str) -> Finished:
    """Run the command to its end with a terminal for its output."""
    reading, writing = os.openpty()
    try:
        process = await asyncio.create_subprocess_exec(
            *COMMAND, *arguments, stdout=writing, stderr=asyncio.subprocess.PIPE, env=environment(**environment_changes)
        )
        try:
            _, err = await asyncio.wait_for(process.communicate(), LIMIT)
        finally:
            if process.returncode is None:
                process.kill()
                await process.communicate()
        return Finished(process.returncode, os.read(reading, 65536).decode(), err.decode())
    finally:
        os.close(reading)
        os.close(writing)


@asynccontextmanager
async def serving(
    *arguments: str, port: int = 0, settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Program, str]]:
    """Run ``serve``; give it and the URL of its WebSocket endpoint."""
    chosen = {"BRIDGE_MAX_SESSIONS": "100", **(settings or {})}
    async with program("serve", "--port", str(port), *arguments, **chosen) as running:
        found = await running.complaint(r'"url":"(wss?://[^"]+)"')
        yield running, found[1]
