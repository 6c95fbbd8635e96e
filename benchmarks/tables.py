"""Results as tables: one of all peers, and one for each comparison of the bridge with itself."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.budget import verdicts
from benchmarks.peers import PEERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.budget import Verdict
    from benchmarks.measure import Figure
    from benchmarks.report import Report, Result

WIDE_SPREAD = 1.0
"""Rounds that lie further apart than their median are told as a range."""

LIMITED = "*"
"""Stands behind a rate that may have been the load's limit."""


class Table(NamedTuple):
    """Lines of text; the first has the headings."""

    lines: list[tuple[str, ...]]

    def as_text(self) -> str:
        """Lay it out for a terminal."""
        widths = [max(map(len, column)) for column in zip(*self.lines, strict=True)]
        laid = ["  ".join(map(str.ljust, line, widths)).rstrip() for line in self.lines]
        laid.insert(1, "  ".join("-" * width for width in widths))
        return "\n".join(laid)

    def as_markdown(self) -> str:
        """Lay it out for a document."""
        rule = ("---", "---", *["---:"] * (len(self.lines[0]) - 2))
        return "\n".join(f"| {' | '.join(line)} |" for line in [self.lines[0], rule, *self.lines[1:]])


def shown(figure: Figure) -> str:
    """Give a figure as text: the median, and how far the rounds lie apart."""
    value = number(figure.median)
    if len(figure.rounds) == 1:
        return value
    if figure.spread > WIDE_SPREAD:
        return f"{value} ({number(min(figure.rounds))} to {number(max(figure.rounds))})"
    return f"{value} ±{figure.spread * 50:.0f}%"


def number(value: float) -> str:
    """Give three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def tables(report: Report) -> list[Table]:
    """Lay all results out."""
    judged = verdicts(report.results)
    return [
        _table(list(results), list(columns), judged)
        for columns, results in groupby(report.results, lambda result: _columns(report, result))
    ]


def _columns(report: Report, result: Result) -> tuple[str, ...]:
    """Give all peers of the run to a result of peers; to another its own subjects."""
    return tuple(report.peers) if set(result.figures) <= set(PEERS) else tuple(result.figures)


def _table(results: list[Result], columns: list[str], judged: dict[str, Verdict]) -> Table:
    headings = ("what", "unit", *columns, "budget", "reached")
    return Table([headings, *(_line(result, columns, judged.get(result.key)) for result in results)])


def _line(result: Result, columns: Iterable[str], verdict: Verdict | None) -> tuple[str, ...]:
    cells = [_cell(result, name) for name in columns]
    if verdict is None:
        return (result.title, result.unit, *cells, "", "")
    reached = f"{number(verdict.value)}, {'met' if verdict.met else 'MISSED'}"
    return (result.title, result.unit, *cells, str(verdict.bound), reached)


def _cell(result: Result, name: str) -> str:
    if name not in result.figures:
        return ""
    return shown(result.figures[name]) + (LIMITED if result.limited(name) else "")


def _load(result: Result) -> str:
    shares = ", ".join(f"{name} {share:.0%}" for name, share in result.load.items())
    return f"The load used of its core, {result.title}: {shares}."


def notes(report: Report) -> list[str]:
    """Say what must be known beside the figures."""
    found = [f"{verdict.bound} ({key}): {verdict.budget.why}." for key, verdict in verdicts(report.results).items()]
    if any(result.limited(name) for result in report.results for name in result.figures):
        found.append(f"{LIMITED} The load used nearly all of its core: the rate is a lower bound.")
    found += [_load(result) for result in report.results if result.unit.endswith("/s")]
    found += [f"Left out, {where}: {why}." for where, why in report.failures.items()]
    found += [f"Not installed: {name}. {how} installs it." for name, how in report.absent.items()]
    return found
