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
    """The machine's clock. A timestamp is formatted once a millisecond, its part down to the second once a second."""

    def __init__(self) -> None:
        # The millisecond and its text, the second and its text: one value, so that a second thread sees what belongs
        # together.
        self._formatted = (-1, "", -1, "")

    # As they are: each message asks, and a function around them takes as long as they do.
    monotonic = staticmethod(time.monotonic)
    unix = staticmethod(time.time)

    def timestamp(self) -> str:
        """Give the time of day: RFC 3339, UTC, milliseconds."""
        now = time.time_ns() // 1_000_000
        last, text, last_second, prefix = self._formatted
        if now != last:
            second, milliseconds = divmod(now, 1000)
            if second != last_second:
                prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            text = f"{prefix}.{milliseconds:03d}Z"
            self._formatted = (now, text, second, prefix)
        return text
