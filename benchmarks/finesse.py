"""Hundreds of agents at Finesse's look-alike: what a sign-in costs, what a consult, and how long an event takes.

Part of ``make soak``. Agents sign in all at once, then do consults at a steady rate. Every command must have one
outcome, every widget's picture must be the switch's, and when all have left nothing may be. Times are told, and one of
them is judged, where the machine does nothing else: from a notification's arrival to the event at the widget.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import re
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.finesse_bridge import TIMES_FILE
from benchmarks.finesse_desk import FinesseDesk
from benchmarks.finesse_figures import Cost, Memory, Result
from benchmarks.finesse_times import Stretch, read
from benchmarks.load import TIMEOUT_SECONDS, run
from benchmarks.look_alike import LookAlike
from benchmarks.measure import percentile
from benchmarks.pinger import pinging
from benchmarks.processes import delay_of, memory_of
from benchmarks.report import progress
from benchmarks.server import Server, bridge_program
from benchmarks.soak import SETTINGS, check_log, left_behind
from benchmarks.soak_figures import Figures
from benchmarks.soak_ledger import OUTCOMES, BrokenPromiseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.finesse_times import Times

BRIDGE: Final = "benchmarks.finesse_bridge"

DELIVERY_SECONDS: Final = 0.01
"""From a notification's arrival to the event at the widget, for 99 of 100."""

UNMATCHED: Final = 0.05
"""So large a part of the agents may do without times, because a reading told something twice."""

QUIET_SECONDS: Final = 1.0

MEASURING_NICENESS: Final = -10

MIDDLE: Final = 10
"""One in so many agents is in the middle of a consult when the pictures are compared for the first time."""


@dataclass(frozen=True)
class Plan:
    """How many, how fast, how long; ``pause`` is the mean between two things that an agent does."""

    agents: int = 500
    rate: float = 20
    seconds: float = 60
    pause: float = 0.5
    seed: int = 0


@dataclass(frozen=True)
class Places:
    """Where the bridge runs, and where look-alike, Prosody and load do; anywhere by default."""

    bridge: frozenset[int] | None = None
    others: frozenset[int] = field(default_factory=lambda: frozenset(os.sched_getaffinity(0)))

    @classmethod
    def apart(cls) -> Places:
        """Give the bridge a core of its own where there are two, and say so."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) == 1:
            progress("one core for everything: times mean nothing here")
            return cls(None, frozenset(cores))
        progress(f"the bridge has a core to itself; look-alike, Prosody and load share {len(cores) - 1}")
        return cls(frozenset(cores[-1:]), frozenset(cores[:-1]))


async def finesse(plan: Plan, places: Places | None = None) -> Result:
    """Run everything once.

    Raises:
        BrokenPromiseError: The bridge broke one; the text says which.
    """
    places = places or Places()
    async with AsyncExitStack() as stack:
        look_alike = await stack.enter_async_context(LookAlike(plan.agents, places.others))
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="finesse-benchmark-")))
        settings = SETTINGS | look_alike.settings | {TIMES_FILE: str(directory / "times")}
        async with Server(bridge_program(settings, BRIDGE), cores=places.bridge) as bridge:
            trial = Trial(plan, look_alike, bridge, Result(plan.agents, len(places.others)))
            await trial.go()
            check_log(bridge.log())
            check_lines(bridge.log(), plan.agents)
        # The bridge has written the last of it when it stopped.
        trial.result.times = read(directory / "times", trial.desks, trial.consulting)
    if trial.result.times.unmatched > plan.agents * UNMATCHED:
        raise BrokenPromiseError(f"changes and events differ at {trial.result.times.unmatched} agents")
    return trial.result


class Trial:
    """The course of things. ``consulting`` is when consults were done, from a quiet moment on."""

    def __init__(self, plan: Plan, look_alike: LookAlike, bridge: Server, result: Result) -> None:
        self.result = result
        self.consulting = Stretch(0, 0)
        self._plan = plan
        self._look_alike = look_alike
        self._bridge = bridge
        self._figures = Figures()
        self._chance = random.Random(plan.seed)
        self.desks = [
            FinesseDesk(bridge.port, account, look_alike, self._figures, self._chance, plan.pause)
            for account in look_alike.accounts
        ]

    async def go(self) -> None:
        """Do all of it."""
        measure_first()
        tasks = await self._bridge.tasks()
        for desk in self.desks:
            await desk.open()
        await self._sign_all_in()
        async with pinging(self._bridge.port, self._chance, self.result.waited):
            await self._consult()
        await self._compare_in_the_middle()
        await asyncio.gather(*(desk.sign_out() for desk in self.desks))
        await self._compare()
        await asyncio.gather(*(desk.close() for desk in self.desks))
        # That each command has one, the desks have seen.
        self.result.outcomes = Counter(dict.fromkeys(OUTCOMES, 0))
        self.result.outcomes.update(outcome for desk in self.desks for *_, outcome in desk.commands)
        await self._check_requests()
        await self._check_nothing_is_left(tasks)

    async def _sign_all_in(self) -> None:
        memory, cost = await self._memory(), self._cost()
        began = time.monotonic()

        async def sign_in(desk: FinesseDesk) -> float:
            await desk.sign_in()
            return time.monotonic() - began

        self.result.signed_in = await asyncio.gather(*(sign_in(desk) for desk in self.desks))
        self.result.signing_in = self._cost() - cost
        lines = sockets_to(self._bridge.pid, self._look_alike.xmpp_port)
        if lines != self._plan.agents:
            raise BrokenPromiseError(f"{self._plan.agents} agents have {lines} connections for notifications")
        await asyncio.sleep(QUIET_SECONDS)
        self.result.memory = await self._memory() - memory

    async def _consult(self) -> None:
        """Do consults at the rate that is asked for, each by the agent who has been free for longest."""
        cost = self._cost()
        begin = time.monotonic()
        self._figures.ended.clear()
        free = asyncio.Queue[FinesseDesk]()
        for desk in self.desks:
            free.put_nowait(desk)

        async def consult(desk: FinesseDesk, number: int) -> None:
            await desk.consult(number)
            free.put_nowait(desk)

        async with asyncio.TaskGroup() as consults:
            for number, due in enumerate(self._calls_come()):
                await asyncio.sleep(due - time.monotonic())
                self.result.late += free.empty()
                consults.create_task(consult(await free.get(), number))
                self.result.consults += 1
        self.consulting = Stretch(begin, time.monotonic())
        self.result.consulting = self._cost() - cost
        self.result.ended = list(self._figures.ended)

    def _calls_come(self) -> Iterator[float]:
        """Say when each customer calls: not in time with a clock."""
        due = time.monotonic()
        for _ in range(round(self._plan.rate * self._plan.seconds)):
            due += self._chance.expovariate(self._plan.rate)
            yield due

    # Comparing

    async def _compare_in_the_middle(self) -> None:
        """Compare while some are in the middle of a consult."""
        some = self.desks[::MIDDLE]
        calls = await asyncio.gather(*(desk.begin() for desk in some))
        await self._compare()
        await asyncio.gather(*(desk.take_back(*both) for desk, both in zip(some, calls, strict=True)))

    async def _compare(self) -> None:
        """Compare every picture with the truth, as soon as what is on its way has come."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            truth = await self._look_alike.truth()
            found = [line for desk in self.desks for line in desk.differences(truth)]
            if not found:
                return
            if time.monotonic() > deadline:
                raise BrokenPromiseError(f"{len(found)} pictures are not true, such as: {found[:3]}")
            await asyncio.sleep(0.1)

    # What is left

    async def _check_requests(self) -> None:
        requests = Counter(each["action"] for each in await self._look_alike.requests())
        for action in ("LOGIN", "LOGOUT"):
            if requests[action] != self._plan.agents:
                raise BrokenPromiseError(f"{self._plan.agents} agents, {requests[action]} requests to {action}")

    async def _check_nothing_is_left(self, tasks: int) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while left := await self._left(tasks):
            if time.monotonic() > deadline:
                raise BrokenPromiseError(f"still there after all have left: {left}")
            await asyncio.sleep(0.5)

    async def _left(self, tasks: int) -> dict[str, float]:
        left = await left_behind(self._bridge.port)
        left["connections for notifications"] = sockets_to(self._bridge.pid, self._look_alike.xmpp_port)
        left["tasks"] = await self._bridge.tasks() - tasks
        return {name: count for name, count in left.items() if count > 0}

    # Measuring

    def _cost(self) -> Cost:
        look_alike, prosody = self._look_alike.cpu()
        delays = delay_of(self._bridge.pid), self._look_alike.delay()
        return Cost(time.monotonic(), self._bridge.cpu(), look_alike, prosody, time.process_time(), *delays)

    async def _memory(self) -> Memory:
        resident, own = memory_of(self._bridge.pid, "Rss"), self._bridge.memory()
        return Memory(resident, own, await self._bridge.held())


def measure_first() -> None:
    """Let this process run before Prosody and the look-alike, which share its core, where that is allowed.

    It notes when events arrive. Were it kept waiting for its core, it would measure that, and not the bridge.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, MEASURING_NICENESS)
    except PermissionError:
        progress("this process may have to wait for its core: events then seem to come later than they do")
    else:
        progress("this process runs before look-alike and Prosody, so that it does not measure its own waiting")


def sockets_to(pid: int, port: int) -> int:
    """Count a process's sockets that are connected to a local port."""
    ours = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        try:
            ours.add(str(each.readlink()))
        except FileNotFoundError:
            continue  # closed meanwhile
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    return sum(int(row[2].rpartition(":")[2], 16) == port and f"socket:[{row[9]}]" in ours for row in rows)


def check_lines(log: str, agents: int) -> None:
    """Look whether every agent was connected once, and for good.

    Raises:
        BrokenPromiseError: One had to connect again.
    """
    told = Counter(re.findall(r'"event":"(finesse_\w+)"', log))
    if told["finesse_connected"] != agents or told["finesse_reconnecting"]:
        raise BrokenPromiseError(f"{agents} agents, and the log tells: {dict(told)}")


def check_delivery(times: Times) -> None:
    """Compare with the time that is promised.

    Raises:
        BrokenPromiseError: It takes longer.
    """
    if (seconds := percentile(times.delivered, 0.99)) > DELIVERY_SECONDS:
        raise BrokenPromiseError(f"1 of 100 events comes {seconds * 1000:.1f} ms or more after its notification")


def main() -> None:
    """Read the options, run, tell."""
    usual = Plan()
    options = argparse.ArgumentParser(prog="python -m benchmarks.finesse", description=__doc__)
    options.add_argument("--agents", type=int, default=usual.agents, help="signed in at once (%(default)s)")
    options.add_argument("--rate", type=float, default=usual.rate, help="consults a second (%(default)s)")
    options.add_argument("--seconds", type=float, default=usual.seconds, help="of consults (%(default)s)")
    options.add_argument("--seed", type=int, default=usual.seed, help="of the random choices (%(default)s)")
    chosen = options.parse_args()
    load_average = os.getloadavg()[0]
    places = Places.apart()
    os.sched_setaffinity(0, places.others)
    plan = Plan(chosen.agents, chosen.rate, chosen.seconds, seed=chosen.seed)
    result: Result = run(finesse(plan, places))
    for line in result.lines():
        print(line)
    print(f"load average {load_average:.2f} before")
    if result.consulting.disturbed:
        progress(f"the machine was busy otherwise: {DELIVERY_SECONDS * 1000:g} ms for 99 of 100 events is not judged")
    else:
        check_delivery(result.times)
    progress("every promise was kept")


if __name__ == "__main__":
    main()
