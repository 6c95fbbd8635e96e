"""What was measured, as a table and as JSON, with the budget beside it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import BRIDGE_SETTINGS, BUSY_SHARE, QUIET, ROOT

if TYPE_CHECKING:
    from benchmarks.measure import Figure
    from benchmarks.plan import Plan

WIDE_SPREAD = 1.0
"""Rounds that lie further apart than their median are told as a range."""

PACKAGES = ("websockets", "uvicorn", "uvloop", "httptools", "pydantic", "orjson")


@dataclass(frozen=True)
class Budget:
    """A bound on the figure itself, or on its ratio to the plain server's; and where it comes from.

    With ``every_round`` the worst round must keep to it: a median would hide a pause that comes now and then.
    """

    limit: float
    why: str
    ratio: bool = False
    at_least: bool = False
    every_round: bool = False

    def met(self, value: float) -> bool:
        """Say whether the value keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}{' of plain' if self.ratio else ''}"


SINGLE = Budget(
    0.72, "1.35 times the CPU of nchan, a module of nginx in C; that took 0.53 of the plain server's", ratio=True
)
BURST = Budget(
    0.068,
    "twice the deliveries per CPU second of nats-server, in Go; that took 0.136 of the plain server's",
    ratio=True,
)
INBOUND = Budget(
    0.99, "0.75 of the rate of nats-server on two cores; that had 1.32 of the plain server's", ratio=True, at_least=True
)
MEMORY = Budget(8.0, "50,000 idle sessions in 400 MB")
ACCEPTED = Budget(5.0, "an agent does not feel it; in every round", every_round=True)
CROWD = Budget(1.2, "ten thousand desktops cost each of them no more than ten do")


@dataclass(frozen=True)
class Row:
    """One line of the table. ``load`` is how much of its core the load used, for each peer."""

    what: str
    unit: str
    bridge: Figure
    plain: Figure | None = None
    budget: Budget | None = None
    load: tuple[float, ...] = ()

    @property
    def limited(self) -> bool:
        """Say whether the load may have been the limit: then a rate is a lower bound."""
        return any(share >= BUSY_SHARE for share in self.load)

    @property
    def ratio(self) -> float | None:
        """Give the bridge's part of the plain server's figure."""
        return self.bridge.median / self.plain.median if self.plain is not None and self.plain.median else None

    @property
    def met(self) -> bool | None:
        """Say whether the budget is met, ``None`` if there is none."""
        if self.budget is None:
            return None
        figure = max(self.bridge.rounds) if self.budget.every_round else self.bridge.median
        value = self.ratio if self.budget.ratio else figure
        return None if value is None else self.budget.met(value)

    def cells(self) -> tuple[str, ...]:
        """Give the row as text."""
        return (
            self.what,
            self.unit,
            _shown(self.bridge),
            _shown(self.plain) if self.plain is not None else "",
            f"{self.ratio:.3g}" if self.ratio is not None else "",
            " / ".join(f"{share:.0%}" for share in self.load) + (" LIMIT" if self.limited else ""),
            str(self.budget) if self.budget else "",
            {True: "met", False: "MISSED", None: ""}[self.met],
        )


HEADINGS = ("what", "unit", "bridge", "plain", "ratio", "load's core", "budget", "")


def _shown(figure: Figure) -> str:
    value = f"{figure.median:,.0f}" if figure.median >= 1000 else f"{figure.median:.3g}"
    if len(figure.rounds) == 1:
        return value
    if figure.spread > WIDE_SPREAD:
        return f"{value} ({min(figure.rounds):.3g} to {max(figure.rounds):.3g})"
    return f"{value} ±{figure.spread * 50:.0f}%"


def table(rows: list[Row]) -> str:
    """Lay the rows out."""
    cells = [HEADINGS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in cells]
    lines.insert(1, "  ".join("-" * width for width in widths).rstrip())
    notes = [f"  {row.what}: {row.budget} is {row.budget.why}." for row in rows if row.budget is not None]
    return "\n".join([*lines, "", "Where the budget comes from:", *notes])


def machine() -> dict[str, Any]:
    """Say where this was measured."""
    model = next(
        (line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("model name")), platform.processor()
    )
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def _cpuinfo() -> list[str]:
    return Path("/proc/cpuinfo").read_text().splitlines()


def _commit() -> str:
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty"],  # noqa: S607 whichever git there is
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def as_json(rows: list[Row], plan: Plan, load_average: float) -> str:
    """Give everything that is needed to compare with another run."""
    results = [
        {
            "what": row.what,
            "unit": row.unit,
            "bridge": row.bridge.rounds,
            "plain": row.plain.rounds if row.plain else None,
            "ratio": row.ratio,
            "budget": asdict(row.budget) if row.budget else None,
            "met": row.met,
            "load_share": row.load,
            "limited_by_load": row.limited,
        }
        for row in rows
    ]
    report = {
        "machine": machine(),
        "load_average_before": load_average,
        "plan": asdict(plan),
        "settings": BRIDGE_SETTINGS | QUIET,
        "results": results,
    }
    return json.dumps(report, indent=2) + "\n"


def progress(text: str) -> None:
    """Tell on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)
