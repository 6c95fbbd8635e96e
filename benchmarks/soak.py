"""``make soak``: desktops that talk, consult, lose their connections and come back, for minutes; what must hold then.

No session misses a message or gets one twice, whatever became of its connections. Every accepted command has exactly
one outcome. When all have left, nothing is kept, and a second round needs no more memory than the first. Latencies are
told, not judged: they depend on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.load import TIMEOUT_SECONDS, now, run
from benchmarks.measure import Cores, span
from benchmarks.report import progress
from benchmarks.server import Server, bridge_program
from benchmarks.soak_desk import SoakDesk
from benchmarks.soak_figures import Figures
from benchmarks.soak_ledger import BrokenPromiseError

if TYPE_CHECKING:
    from collections.abc import Sequence

FIRST_EXTENSION = 20_001
MEMORY_GROWTH = 1.05
"""What rounds leave behind must not add up. Compared is what is held: the allocator keeps free memory as it likes."""

SETTINGS = {"BRIDGE_WORKSPACE_IDLE_SECONDS": "2"}
"""Workspaces are forgotten soon after all have left, so that it can be seen."""

LEFT_BEHIND = (
    "bridge_sessions",
    "bridge_workspaces",
    "bridge_commands_outstanding",
    "bridge_expiring_sessions",
    "bridge_outbox_bytes",
)


@dataclass(frozen=True)
class Soak:
    """How long, and with how many."""

    seconds: float = 180
    rounds: int = 2
    desks: int = 30
    sessions: int = 5
    seed: int = 0


async def soak(plan: Soak, cores: frozenset[int] | None = None) -> list[Figures]:
    """Run all rounds against one server.

    Raises:
        BrokenPromiseError: The bridge broke one; the text says which.
    """
    chance = random.Random(plan.seed)
    async with Server(bridge_program(SETTINGS), cores=cores) as server:
        rounds = [await _round(server, plan, chance) for _ in range(plan.rounds)]
        check_log(server.log())
    check_memory(rounds)
    return rounds


async def _round(server: Server, plan: Soak, chance: random.Random) -> Figures:
    figures = Figures()
    until = now() + plan.seconds
    extensions = [str(FIRST_EXTENSION + number) for number in range(plan.desks)]
    desks = [SoakDesk(server.port, name, plan.sessions, figures, chance) for name in extensions]
    with span(server) as measured:
        async with asyncio.TaskGroup() as tasks:
            for desk in desks:
                tasks.create_task(desk.run(until))
    figures.load_share, figures.server_share = measured.load_share, measured.server_share
    await _until_forgotten(server)
    figures.memory = server.memory()
    figures.held = await server.held()
    for line in figures.lines():
        progress(line)
    return figures


async def _until_forgotten(server: Server) -> None:
    """Wait until the server keeps nothing of those who have left."""
    deadline = now() + TIMEOUT_SECONDS
    while left := await left_behind(server.port):
        if now() > deadline:
            raise BrokenPromiseError(f"still there after all have left: {left}")
        await asyncio.sleep(0.5)


async def left_behind(port: int, token: str | None = None) -> dict[str, float]:
    """Read from the metrics what is still there; with a token where that is asked for."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    bearer = "" if token is None else f"Authorization: Bearer {token}\r\n"
    writer.write(f"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{bearer}\r\n".encode())
    text = (await asyncio.wait_for(reader.read(), TIMEOUT_SECONDS)).decode()
    writer.close()
    await writer.wait_closed()
    found = {name: re.search(rf"^{name} (\S+)", text, re.MULTILINE) for name in LEFT_BEHIND}
    return {name: float(match[1]) if match else -1 for name, match in found.items() if not match or float(match[1])}


def check_log(log: str) -> None:
    """Look for faults of the bridge itself.

    Raises:
        BrokenPromiseError: There is one.
    """
    if "Traceback" in log or '"event":"fault"' in log:
        raise BrokenPromiseError(f"the server had a fault:\n{log[log.find('Traceback') :][:2000]}")


def check_memory(rounds: Sequence[Figures]) -> None:
    """Compare what each later round leaves behind with the first.

    Raises:
        BrokenPromiseError: It grew.
    """
    first, *later = (figures.held for figures in rounds)
    if later and max(later) > first * MEMORY_GROWTH:
        raise BrokenPromiseError(f"memory grew from {first:,} to {max(later):,} bytes")


def main() -> None:
    """Read the options, run, tell."""
    usual = Soak()
    options = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=usual.seconds / 60, help="of each round (%(default)s)")
    options.add_argument("--rounds", type=int, default=usual.rounds, help="with the same server (%(default)s)")
    options.add_argument("--desks", type=int, default=usual.desks, help="workspaces (%(default)s)")
    options.add_argument("--sessions", type=int, default=usual.sessions, help="in each (%(default)s)")
    options.add_argument("--seed", type=int, default=usual.seed, help="of the random choices (%(default)s)")
    chosen = options.parse_args()
    plan = Soak(chosen.minutes * 60, chosen.rounds, chosen.desks, chosen.sessions, chosen.seed)
    cores = Cores()
    cores.pin_load()
    run(soak(plan, cores.server))
    progress("every promise was kept")


if __name__ == "__main__":
    main()
