"""Writes the results into ``docs/benchmarks.md``, as tables and charts: ``python -m benchmarks.document``.

What stands outside of the two marks in the document is written by hand and stays.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench import QUIET_LOAD, RESULTS
from benchmarks.budget import verdicts
from benchmarks.chart import Bar, bar_chart
from benchmarks.peers import PEERS
from benchmarks.report import Report
from benchmarks.server import ROOT
from benchmarks.tables import Table, notes, number, tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.report import Result

DOCUMENT = ROOT / "docs" / "benchmarks.md"
CHARTS = ROOT / "docs" / "benchmarks"
BEGIN, END = "<!-- results: written by benchmarks.document -->", "<!-- end of results -->"

SHOWN = (
    "fan-out/single/cpu",
    "fan-out/burst/cpu",
    "inbound/one/rate",
    "inbound/several/rate",
    "site/500/p99",
    "site/5000/p99",
    "idle/memory/memory",
    "storm/storm/last",
    "workspaces/publish/cpu",
    "patterns/publish/cpu",
)
"""The results that have a chart."""


def charts(report: Report) -> dict[str, str]:
    """Draw; give each chart by its file's name."""
    by_key = {result.key: result for result in report.results}
    return {_file(key): _chart(by_key[key]) for key in SHOWN if key in by_key}


def _file(key: str) -> str:
    return key.replace("/", "-") + ".svg"


def _chart(result: Result) -> str:
    bars = [
        Bar(PEERS[name].title if name in PEERS else name, figure, mine=name == "bridge" or name not in PEERS)
        for name, figure in result.figures.items()
    ]
    return bar_chart(result.title, result.unit, bars)


def results(report: Report) -> str:
    """Write everything that is measured as Markdown."""
    by_key = {result.key: result for result in report.results}
    drawn = [by_key[key] for key in SHOWN if key in by_key]
    pictures = [f"![{result.title}, {result.unit}](benchmarks/{_file(result.key)})" for result in drawn]
    told = [table.as_markdown() for table in tables(report)]
    remarks = [f"* {note}" for note in notes(report)]
    parts = ["### Where and how", _place(report), "### Budget", _budget(report), "### Charts", *pictures]
    return "\n\n".join([*parts, "### All figures", *told, "\n".join(remarks)])


def _place(report: Report) -> str:
    machine = report.machine
    lines = [
        f"`{report.command}`, commit `{report.commit}`",
        f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, Python {machine['python']}",
        f"Load average before: {report.load_average_before:.2f}",
        "Versions: " + _pairs(report.peers) + "; in the bridge " + _pairs(report.packages),
        "Cores: " + "; ".join(f"{who} {', '.join(map(str, cores))}" for who, cores in report.pinned.items()),
        "The bridge's settings: " + ", ".join(f"`{name}={value}`" for name, value in report.settings.items()),
    ]
    if report.load_average_before > QUIET_LOAD:
        lines.append("**The machine was not quiet**: rates and latencies are worth little here, ratios of CPU more.")
    if report.quick:
        lines.append("**Only a look**: rounds too short and clients too few for figures.")
    return "\n".join(f"* {line}" for line in lines)


def _pairs(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _budget(report: Report) -> str:
    by_key = {result.key: result for result in report.results}
    lines: list[tuple[str, ...]] = [("what", "unit", "budget", "reached", "")]
    for key, verdict in verdicts(report.results).items():
        result = by_key[key]
        reached = "met" if verdict.met else "**missed**"
        lines.append((result.title, result.unit, str(verdict.bound), number(verdict.value), reached))
    return Table(lines).as_markdown()


def with_results(document: str, text: str) -> str:
    """Put the results where the document wants them.

    Raises:
        ValueError: It does not say where.
    """
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} and {END} in the document")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def main() -> None:
    """Write, or see whether what is written is what would be."""
    options = argparse.ArgumentParser(prog="python -m benchmarks.document", description=__doc__)
    options.add_argument("--results", type=Path, default=RESULTS, help="default %(default)s")
    options.add_argument("--check", action="store_true", help="write nothing; fail if something is out of date")
    chosen = options.parse_args()
    report = Report.from_json(chosen.results.read_text())
    files = {CHARTS / name: chart for name, chart in charts(report).items()}
    files[DOCUMENT] = with_results(DOCUMENT.read_text(), results(report))
    if chosen.check:
        late = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
        sys.exit("".join(f"out of date: {path}\n" for path in late) or None)
    CHARTS.mkdir(exist_ok=True)
    for path, text in files.items():
        path.write_text(text)


if __name__ == "__main__":
    main()
