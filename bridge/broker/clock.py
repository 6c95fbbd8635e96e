"""Time, injected: the broker and call control never look at the wall by themselves."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Where time comes from."""

    def monotonic(self) -> float:
        """Give seconds that only grow, for durations."""

    def timestamp(self) -> str:
        """Give the time of day: RFC 3339, UTC, milliseconds."""

    def unix(self) -> float:
        """Give the time of day: seconds since 1970."""


class SystemClock:
    """The machine's clock. The part of a timestamp down to the second is formatted once a second."""

    def __init__(self) -> None:
        # One value, so that a second thread never sees the second without its text.
        self._formatted = (-1, "")

    def monotonic(self) -> float:
        """Give seconds since an arbitrary start."""
        return time.monotonic()

    def unix(self) -> float:
        """Give the time of day: seconds since 1970."""
        return time.time()

    def timestamp(self) -> str:
        """Give the time of day: RFC 3339, UTC, milliseconds."""
        seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
        second, prefix = self._formatted
        if seconds != second:
            prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
            self._formatted = (seconds, prefix)
        return f"{prefix}.{milliseconds:03d}Z"
