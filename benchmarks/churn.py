"""Part of ``make soak``: thousands of sessions with tokens, a tenth of which lose their connections every second.

Nobody misses a message or gets one twice, a second round ends with the memory of the first, and when all have left
nothing is there any more: no session, no task, nothing that waits for a time, no workspace.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt

from benchmarks.load import HANDSHAKES_AT_ONCE, TIMEOUT_SECONDS, now, run
from benchmarks.measure import Cores, span
from benchmarks.processes import raise_file_limit
from benchmarks.report import progress
from benchmarks.server import Server, bridge_program
from benchmarks.soak import MEMORY_GROWTH, check_log, left_behind
from benchmarks.soak_figures import Figures
from benchmarks.soak_ledger import BrokenPromiseError, Ledger
from benchmarks.soak_session import SoakSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SECRET = "known to everybody, since it protects nothing but a measurement"  # noqa: S105
HOUR = 3600

SETTINGS = {
    "BRIDGE_JWT_SECRET": SECRET,
    "BRIDGE_WORKSPACE_IDLE_SECONDS": "2",
    "BRIDGE_LOG_LEVEL": "warning",
    "BRIDGE_SIMULATOR_REACTION_MS": "0",
}
"""With authentication and all that comes with it, but for a log line for each of hundreds of thousands of sessions."""

FILES_BESIDE = 300

AT_ONCE = 500
"""Sessions that are without a connection at the same time: if the machine cannot do more, fewer are lost a second."""


@dataclass(frozen=True)
class Churn:
    """How many, how fast, how long."""

    sessions: int = 5000
    workspaces: int = 1000
    reconnecting: float = 0.1
    messages: float = 200
    seconds: float = 300
    rounds: int = 2
    seed: int = 0


def token(**claims: Any) -> str:
    """Sign a token that is good for longer than all of this takes."""
    return jwt.encode({"sub": "load", "exp": int(time.time()) + 6 * HOUR, **claims}, SECRET, algorithm="HS256")


OPERATOR = token(roles=["operator"])


class Site:
    """All workspaces, their sessions, and what each has seen."""

    def __init__(self, port: int, plan: Churn, chance: random.Random) -> None:
        self.figures = Figures()
        self._plan = plan
        self._chance = chance
        self._sent: Counter[str] = Counter()
        names = [f"w{number}" for number in range(plan.workspaces)]
        ledgers = {name: Ledger(name, lambda _message: None) for name in names}
        tokens = {name: token(workspace=name, roles=["widget"]) for name in names}
        self._sessions = [
            SoakSession(port, f"s{number}", ledgers[name], self.figures, tokens[name])
            for number in range(plan.sessions)
            for name in [names[number % len(names)]]
        ]
        self._busy: set[SoakSession] = set()

    async def live(self) -> None:
        """Connect all, lose some and speak for a while, then see that everybody has everything, and leave."""
        await self._all(lambda session: session.connect())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lose_connections(tasks))
            tasks.create_task(self._speak())
        await self._all(lambda session: session.reconnect(politely=True))
        self._check()
        await self._all(lambda session: session.leave(politely=self._chance.random() < 0.5))

    async def _all(self, do: Callable[[SoakSession], Awaitable[None]]) -> None:
        gate = asyncio.Semaphore(HANDSHAKES_AT_ONCE)

        async def one(session: SoakSession) -> None:
            async with gate:
                await do(session)

        await asyncio.gather(*map(one, self._sessions))

    async def _lose_connections(self, tasks: asyncio.TaskGroup) -> None:
        """Let a tenth of the sessions lose their connections in the course of each second."""
        each_second = self._plan.sessions * self._plan.reconnecting
        async for _ in _regularly(each_second, self._plan.seconds):
            session = self._chance.choice(self._sessions)
            if session not in self._busy and len(self._busy) < AT_ONCE:
                self._busy.add(session)
                tasks.create_task(self._reconnect(session))

    async def _reconnect(self, session: SoakSession) -> None:
        await session.reconnect(politely=self._chance.random() < 0.5)
        self._busy.discard(session)
        if session.broken is not None:
            raise session.broken

    async def _speak(self) -> None:
        number = 0
        async for _ in _regularly(self._plan.messages, self._plan.seconds):
            session = self._chance.choice(self._sessions)
            if session not in self._busy:
                self._busy.add(session)
                number += 1
                answer = await session.publish("Notes/Text/Said", {"text": "churn " * 20}, f"n{number}")
                self._busy.discard(session)
                if answer is None or answer["subtopic"] != "Accepted":
                    raise BrokenPromiseError(f"a note was not accepted: {answer}")

    def _check(self) -> None:
        for session in self._sessions:
            if session.broken is not None:
                raise session.broken
        lasts: dict[str, set[int]] = {}
        for session in self._sessions:
            lasts.setdefault(session.workspace, set()).add(session.last)
        if uneven := {name: last for name, last in lasts.items() if len(last) > 1}:
            raise BrokenPromiseError(f"sessions of one workspace have different ends: {uneven}")


async def _regularly(rate: float, seconds: float) -> Any:
    """Give so many turns a second, for so long; those that are late are made up for."""
    begun = now()
    turn = 0
    while (late := now() - begun) < seconds:
        while turn < late * rate:
            turn += 1
            yield turn
        await asyncio.sleep(0.01)


async def churn(plan: Churn, cores: frozenset[int] | None = None) -> list[Figures]:
    """Run all rounds against one server.

    Raises:
        BrokenPromiseError: The bridge broke a promise; the text says which.
    """
    allowed = raise_file_limit()
    if allowed < plan.sessions + FILES_BESIDE:
        raise SystemExit(
            f"{plan.sessions} sessions need more than {allowed} open files: raise `ulimit -Hn`, or take fewer"
        )
    chance = random.Random(plan.seed)
    async with Server(bridge_program(SETTINGS), cores=cores) as server:
        tasks = await server.tasks()
        rounds = []
        for _ in range(plan.rounds):
            site = Site(server.port, plan, chance)
            with span(server) as measured:
                await site.live()
            site.figures.load_share, site.figures.server_share = measured.load_share, measured.server_share
            await _until_nothing_is_left(server, tasks)
            site.figures.memory, site.figures.held = server.memory(), await server.held()
            rounds.append(site.figures)
            for line in site.figures.lines():
                progress(line)
        check_log(server.log())
    first, *later = (figures.held for figures in rounds)
    if later and max(later) > first * MEMORY_GROWTH:
        raise BrokenPromiseError(f"memory grew from {first:,} to {max(later):,} bytes")
    return rounds


async def _until_nothing_is_left(server: Server, tasks: int) -> None:
    """Wait until no session, no task, nothing that waits for a time and no workspace is there."""
    deadline = now() + 2 * TIMEOUT_SECONDS
    while True:
        left = await left_behind(server.port, OPERATOR)
        if (more := await server.tasks() - tasks) > 0:
            left["tasks"] = more
        if not left:
            return
        if now() > deadline:
            raise BrokenPromiseError(f"still there after all have left: {left}")
        await asyncio.sleep(0.5)


def main() -> None:
    """Read the options, run, tell."""
    usual = Churn()
    options = argparse.ArgumentParser(prog="python -m benchmarks.churn", description=__doc__)
    options.add_argument("--minutes", type=float, default=usual.seconds / 60, help="of each round (%(default)s)")
    options.add_argument("--rounds", type=int, default=usual.rounds, help="with the same server (%(default)s)")
    options.add_argument("--sessions", type=int, default=usual.sessions, help="in all (%(default)s)")
    options.add_argument("--workspaces", type=int, default=usual.workspaces, help="in which they are (%(default)s)")
    options.add_argument("--messages", type=float, default=usual.messages, help="a second, in all (%(default)s)")
    options.add_argument("--seed", type=int, default=usual.seed, help="of the random choices (%(default)s)")
    chosen = options.parse_args()
    plan = Churn(
        chosen.sessions,
        chosen.workspaces,
        usual.reconnecting,
        chosen.messages,
        chosen.minutes * 60,
        chosen.rounds,
        chosen.seed,
    )
    cores = Cores()
    cores.pin_load()
    run(churn(plan, cores.server))
    progress("every promise was kept")


if __name__ == "__main__":
    main()
