"""Finesse's queues: for one object, the next request is begun when the switch is done with the one before."""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.timers import CallLater, Timer


class Later:
    """Timers that can be cancelled all at once."""

    def __init__(self, call_later: CallLater) -> None:
        self._call_later = call_later
        self._numbers = count()
        self._timers: dict[int, Timer] = {}

    def __call__(self, seconds: float, callback: Callable[[], None]) -> None:
        """Do something later."""
        number = next(self._numbers)

        def run() -> None:
            del self._timers[number]
            callback()

        self._timers[number] = self._call_later(seconds, run)

    def cancel(self) -> None:
        """Do nothing of it any more."""
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            timer.cancel()


class Lanes:
    """A queue for each object, there while it is needed."""

    def __init__(self, later: Later) -> None:
        self._later = later
        self._lanes: dict[str, deque[tuple[float, Callable[[], None]]]] = {}

    def add(self, lane: str, seconds: float, job: Callable[[], None]) -> None:
        """Do ``job`` when it is first in its lane and so many seconds have gone by since."""
        waiting = self._lanes.setdefault(lane, deque())
        waiting.append((seconds, job))
        if len(waiting) == 1:
            self._begin(lane)

    def _begin(self, lane: str) -> None:
        seconds, job = self._lanes[lane][0]

        def run() -> None:
            try:
                job()
            finally:
                waiting = self._lanes[lane]
                waiting.popleft()
                if waiting:
                    self._begin(lane)
                else:
                    del self._lanes[lane]

        self._later(seconds, run)
