"""A rate that is kept whatever the server does: a late answer delays no later message, and so hides none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.load import now

if TYPE_CHECKING:
    from collections.abc import Callable


TICK_SECONDS = 0.001
"""Timers are not finer; what is due within one is written together. To poll for shorter times would fill the core."""


async def paced(rate: float, total: int, send: Callable[[], None]) -> list[float]:
    """Send so many, so many a second. Give the seconds by which each was late: the load's own fault."""
    started, sent = now(), 0
    late: list[float] = []
    while sent < total:
        due = min(total, int((now() - started) * rate) + 1)
        for number in range(sent, due):
            late.append(now() - started - number / rate)
            send()
        sent = due
        await asyncio.sleep(max(TICK_SECONDS, started + sent / rate - now()))
    return late
