"""Sentences of the audit trail's tests: the lines of a file, and waiting for a thread without sleeping."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


def until(true: Callable[[], bool]) -> None:
    """Wait until something is true, ten seconds at most."""
    for _ in range(10_000):
        if true():
            return
        threading.Event().wait(0.001)
    raise AssertionError("it has not come true")
