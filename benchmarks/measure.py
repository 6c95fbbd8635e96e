"""What a stretch of load cost the server, and what several rounds of it say."""

from __future__ import annotations

import os
import statistics
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from benchmarks.server import Server

BUSY_SHARE = 0.9
"""From this share of its core on, the load may have been what limited a rate."""

QUIET = {"BRIDGE_PING_SECONDS": "3600", "BRIDGE_HEARTBEAT_SECONDS": "3600"}
"""Nothing comes by itself while bytes are counted."""


class Cores:
    """Which core the servers run on and which the load: different ones where there are two."""

    def __init__(self) -> None:
        cores = sorted(os.sched_getaffinity(0))
        self.server = frozenset(cores[-1:])
        self.load = frozenset(cores[:1])
        self.all = frozenset(cores)

    @property
    def shared(self) -> bool:
        """Whether load and server must share one core, which makes rates worthless (CPU per message still holds)."""
        return self.server == self.load

    def pin_load(self) -> None:
        """Keep this process off the servers' core."""
        os.sched_setaffinity(0, self.load)


@dataclass
class Span:
    """What one stretch of load cost. ``count`` is set by who made the load."""

    count: int = 0
    seconds: float = 0.0
    server_cpu: float = 0.0
    load_cpu: float = 0.0

    @property
    def rate(self) -> float:
        """Give messages a second."""
        return self.count / self.seconds

    @property
    def cpu_us(self) -> float:
        """Give microseconds of the server's CPU per message."""
        return self.server_cpu / self.count * 1e6

    @property
    def server_share(self) -> float:
        """Give how much of a core the server used."""
        return self.server_cpu / self.seconds

    @property
    def load_share(self) -> float:
        """Give how much of its core the load used."""
        return self.load_cpu / self.seconds


@contextmanager
def span(server: Server) -> Iterator[Span]:
    """Measure what happens inside."""
    measured = Span()
    cpu, own, started = server.cpu(), time.process_time(), time.perf_counter()
    yield measured
    measured.seconds = time.perf_counter() - started
    measured.load_cpu = time.process_time() - own
    measured.server_cpu = server.cpu() - cpu


@dataclass(frozen=True)
class Figure:
    """Several rounds of one figure."""

    rounds: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Take the rounds."""
        return cls(tuple(values))

    @property
    def median(self) -> float:
        """Give the middle."""
        return statistics.median(self.rounds)

    def over(self, other: Figure) -> Figure:
        """Give the ratio of each round to the other's round beside it in time."""
        return Figure(tuple(one / two for one, two in zip(self.rounds, other.rounds, strict=True)))

    @property
    def spread(self) -> float:
        """Give how far the rounds lie apart, as a share of the median."""
        return (max(self.rounds) - min(self.rounds)) / self.median if self.median else 0.0


def percentile(values: list[float], share: float) -> float:
    """Give the value that this share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
