"""``make bench``: the bridge beside a plain `websockets` broadcast server, in one run on one machine.

``make bench-peers`` takes nats-server, nchan and Socket.IO as well. CPU per message is the figure to trust: it depends
little on what else the machine does. Rates and latencies want a quiet machine with two cores, one for the servers and
one for the load.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.load import run
from benchmarks.measure import QUIET
from benchmarks.peers import AT_HOME, PEERS, Peer
from benchmarks.plan import QUICK, SESSIONS_PER_DESK, Plan
from benchmarks.processes import raise_file_limit
from benchmarks.report import Report, progress
from benchmarks.runner import Runner
from benchmarks.scenarios import SCENARIOS
from benchmarks.server import BRIDGE_SETTINGS, Server
from benchmarks.tables import notes, tables

if TYPE_CHECKING:
    from collections.abc import Iterable

QUIET_LOAD = 0.5
"""Load average above which something else was running beforehand."""

FILES_BESIDE = 512
RESULTS = Path(__file__).with_name("results.json")
"""Those of ``make bench-peers``, which the documentation shows."""

A_LOOK = Path("build") / "bench.json"
"""Where others go, so that they do not take the place of these."""


def options() -> argparse.ArgumentParser:
    """Say what can be chosen."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], help=f"{', '.join(SCENARIOS)}; default all")
    at_home = [peer.name for peer in AT_HOME]
    parser.add_argument("--peers", nargs="+", choices=[*PEERS, "all"], default=at_home, help="default %(default)s")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes; shows that it runs")
    parser.add_argument("--rounds", type=int, help=f"of each measurement; default {Plan().rounds}")
    parser.add_argument(
        "--all-cores", nargs="+", choices=PEERS, default=[], help="peers that may use the load's core, too"
    )
    parser.add_argument("--output", type=Path, default=A_LOOK, help="where the JSON goes; default %(default)s")
    return parser


def the_plan(chosen: argparse.Namespace) -> Plan:
    """Say how much is measured."""
    plan = QUICK if chosen.quick else Plan()
    return plan if chosen.rounds is None else replace(plan, rounds=chosen.rounds)


def files_needed(plan: Plan) -> int:
    """Say how many connections are open at the same time."""
    return max(plan.desks * (SESSIONS_PER_DESK + 1), sum(plan.crowds), plan.listeners * len(PEERS)) + FILES_BESIDE


async def versions(peers: Iterable[Peer]) -> dict[str, str]:
    """Start each once and ask."""
    found = {}
    for peer in peers:
        async with Server(peer.program(QUIET)) as server:
            found[peer.name] = await peer.version(server.port)
    return found


async def measure(chosen: argparse.Namespace, peers: list[Peer]) -> Report:
    """Run the scenarios that are wanted."""
    load_average = os.getloadavg()[0]
    wanted = [peer for peer in peers if peer.installed()]
    runner = Runner(the_plan(chosen), wanted, on_all_cores=frozenset(chosen.all_cores))
    found = await versions(wanted)
    runner.cores.pin_load()
    if runner.cores.shared:
        progress("one core for servers and load: rates and latencies mean nothing here, CPU per message does")
    results = [result for key in chosen.scenario or SCENARIOS for result in await runner.run(SCENARIOS[key])]
    pinned = {"servers": runner.cores.server, "load": runner.cores.load}
    return Report(
        command=f"python -m benchmarks.bench {shlex.join(sys.argv[1:])}".strip(),
        machine=report.machine(),
        commit=report.commit(),
        packages=report.packages(),
        peers=found,
        absent={peer.title: peer.install for peer in peers if peer not in wanted},
        failures=runner.failures,
        pinned={name: sorted(cores) for name, cores in pinned.items()}
        | {name: sorted(runner.cores.all) for name in chosen.all_cores},
        load_average_before=load_average,
        quick=chosen.quick,
        plan=asdict(runner.plan),
        settings=BRIDGE_SETTINGS | QUIET,
        results=results,
    )


def tell(told: Report) -> None:
    """Print it."""
    print("\n\n".join(table.as_text() for table in tables(told)))
    print("", *notes(told), sep="\n")
    machine = told.machine
    peers = ", ".join(f"{name} {number}" for name, number in told.peers.items())
    print(f"\n{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, Python {machine['python']}")
    print(f"{peers}; commit {told.commit}; load {told.load_average_before:.2f} before")
    if told.load_average_before > QUIET_LOAD:
        print("The machine was not quiet: rates, latencies and missed budgets are worth little, ratios of CPU more.")


def main() -> None:
    """Read the options, measure, tell."""
    parser = options()
    chosen = parser.parse_args()
    needed = files_needed(the_plan(chosen))
    if raise_file_limit() < needed:
        parser.error(f"{needed} open files are needed: ulimit -Hn")
    peers = [peer for peer in PEERS.values() if peer.name in chosen.peers or "all" in chosen.peers]
    told: Report = run(measure(chosen, peers))
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(told.as_json())
    tell(told)
    print(f"written to {chosen.output}")


if __name__ == "__main__":
    main()
