"""What was measured, where and how: everything that is needed to compare with another run."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.measure import BUSY_SHARE, Figure
from benchmarks.server import ROOT

PACKAGES = ("websockets", "uvicorn", "uvloop", "httptools", "pydantic", "orjson")


@dataclass(frozen=True)
class Result:
    """One line of a table.

    Attributes:
        key: Scenario, part and metric.
        figures: By subject: a peer, or a variant of the bridge.
        load: How much of its core the load used, by subject.
    """

    key: str
    title: str
    unit: str
    figures: dict[str, Figure]
    load: dict[str, float]

    @property
    def scenario(self) -> str:
        """The scenario's key."""
        return self.key.partition("/")[0]

    def limited(self, subject: str) -> bool:
        """Say whether the load may have been the limit: then a rate is a lower bound."""
        return self.unit.endswith("/s") and self.load.get(subject, 0.0) >= BUSY_SHARE


@dataclass(frozen=True)
class Report:
    """A whole run.

    Attributes:
        command: How to do it again.
        peers: Versions, by the peers' names, in the order of tables.
        absent: Peers that were wanted and are not installed, and how to install them.
        failures: What could not be measured and why, by scenario and peer.
        pinned: Which cores servers, load and each exception had.
        quick: Whether it was only a look.
    """

    command: str
    machine: dict[str, Any]
    commit: str
    packages: dict[str, str]
    peers: dict[str, str]
    absent: dict[str, str]
    failures: dict[str, str]
    pinned: dict[str, list[int]]
    load_average_before: float
    quick: bool
    plan: dict[str, Any]
    settings: dict[str, str]
    results: list[Result] = field(default_factory=list)

    def as_json(self) -> str:
        """Write it down."""
        fields = asdict(self)
        for result in fields["results"]:
            result["figures"] = {name: figure["rounds"] for name, figure in result["figures"].items()}
        return json.dumps(fields, indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Report:
        """Read it again."""
        fields = json.loads(text)
        for result in fields["results"]:
            result["figures"] = {name: Figure.of(rounds) for name, rounds in result["figures"].items()}
        fields["results"] = [Result(**result) for result in fields["results"]]
        return cls(**fields)


def machine() -> dict[str, Any]:
    """Say where this is measured."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {
        "cpu": next(models, platform.processor()),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def packages() -> dict[str, str]:
    """Say which versions of what it is made of the bridge runs with."""
    return {name: version(name) for name in PACKAGES}


def commit() -> str:
    """Say which state of the project this is."""
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


def progress(text: str) -> None:
    """Tell on standard error what is going on."""
    print(text, file=sys.stderr, flush=True)
