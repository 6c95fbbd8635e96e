"""How fast a session may send."""

from __future__ import annotations

PATIENCE_SECONDS = 10.0
"""A session that ignores ``retryAfterMs`` for so long on end is closed (4429)."""

PAUSE_SECONDS = 1.0
"""Refusals further apart than this are not on end."""


class Bucket:
    """A token bucket: ``rate`` messages a second, ``burst`` at once. A rate of 0 lets everything through.

    A refusal counts against a session only if it had been told to wait and did not: one that waits each time may be
    refused for ever.
    """

    __slots__ = ("_burst", "_ignored_at", "_ignored_since", "_rate", "_retry_at", "_tokens", "_updated")

    def __init__(self, rate: float, burst: int, now: float) -> None:
        self._rate = rate
        self._burst = float(max(burst, 1))
        self._tokens = self._burst
        self._updated = now

        # When it may try again after a refusal, and since when, and when last, it did not heed that.
        self._retry_at = float("-inf")
        self._ignored_since = now
        self._ignored_at = float("-inf")

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
        if now < self._retry_at:
            self._note_impatience(now)
        wait = (1.0 - tokens) / self._rate
        self._retry_at = now + wait
        return wait

    def _note_impatience(self, now: float) -> None:
        if now - self._ignored_at > PAUSE_SECONDS:
            self._ignored_since = now
        self._ignored_at = now

    def exhausted(self, now: float) -> bool:
        """Say whether the session has ignored its refusals for so long on end that it does not mean to stop."""
        return self._ignored_at == now and now - self._ignored_since >= PATIENCE_SECONDS
