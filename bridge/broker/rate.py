"""How fast a session may send."""

from __future__ import annotations

PATIENCE_SECONDS = 10.0
"""A session that is refused for so long on end is closed (4429)."""

PAUSE_SECONDS = 1.0
"""Refusals further apart than this are not on end: the client did wait."""


class Bucket:
    """A token bucket: ``rate`` messages a second, ``burst`` at once. A rate of 0 lets everything through."""

    __slots__ = ("_burst", "_last_refused", "_rate", "_refused_since", "_tokens", "_updated")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(max(burst, 1))
        self._tokens = self._burst
        self._updated = now
        self._refused_since = now
        self._last_refused = float("-inf")

    def take(self, now: float) -> float:
        """Take one token. Return 0, or the seconds after which there will be one."""
        if self._rate <= 0:
            return 0.0
        tokens = min(self._burst, self._tokens + (now - self._updated) * self._rate)
        self._updated = now
        if tokens >= 1.0:
            self._tokens = tokens - 1.0
            return 0.0
        self._tokens = tokens
        if now - self._last_refused > PAUSE_SECONDS:
            self._refused_since = now
        self._last_refused = now
        return (1.0 - tokens) / self._rate

    def exhausted(self, now: float) -> bool:
        """Say whether the session has been refused for so long on end that it does not mean to stop."""
        return now - self._refused_since >= PATIENCE_SECONDS and self._last_refused == now
