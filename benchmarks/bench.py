"""``make bench``: the bridge beside a plain `websockets` broadcast server, in one run on one machine.

CPU per message is the figure to trust: it depends little on what else the machine does. Rates and latencies want a
quiet machine with two cores, one for the server and one for the load.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from benchmarks import report
from benchmarks.load import run
from benchmarks.measure import Cores, raise_file_limit
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Row, progress
from benchmarks.suite import Suite

QUIET_LOAD = 0.5
"""Load average above which something else was running beforehand."""

RESULTS = Path(__file__).with_name("results.json")


async def measure(plan: Plan, only: list[str]) -> list[Row]:
    """Run the scenarios that are wanted, all by default."""
    cores = Cores()
    cores.pin_load()
    if cores.shared:
        progress("one core for server and load: rates and latencies mean nothing here, CPU per message does")
    scenarios = Suite(plan, cores.server).scenarios
    rows: list[Row] = []
    for name in only or scenarios:
        rows += await scenarios[name]()
    return rows


def main() -> None:
    """Read the options, measure, tell."""
    names = list(Suite(Plan(), None).scenarios)
    options = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    options.add_argument("scenario", nargs="*", choices=[*names, []], help=f"of {', '.join(names)}; default all")
    options.add_argument("--quick", action="store_true", help="seconds instead of minutes; shows that it runs")
    options.add_argument("--output", type=Path, default=RESULTS, help="where the JSON goes (default %(default)s)")
    chosen = options.parse_args()
    plan = QUICK if chosen.quick else Plan()
    load_average = os.getloadavg()[0]
    if raise_file_limit() < plan.many_workspaces + 512:
        options.error(f"{plan.many_workspaces + 512} open files are needed: ulimit -Hn")
    rows = run(measure(plan, chosen.scenario))
    chosen.output.write_text(report.as_json(rows, plan, load_average))
    print(report.table(rows))
    place = report.machine()
    versions = ", ".join(f"{name} {number}" for name, number in place["versions"].items())
    print(f"\n{place['cpu']}, {place['cores']} cores, Linux {place['kernel']}, load {load_average:.2f} before")
    if load_average > QUIET_LOAD:
        print(
            "The machine was not quiet: rates, latencies and missed budgets are worth little, ratios of CPU something."
        )
    print(f"Python {place['python']}, {versions}; commit {place['commit']}; written to {chosen.output}")


if __name__ == "__main__":
    main()
