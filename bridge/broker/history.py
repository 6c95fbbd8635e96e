"""What a workspace remembers of its stream: a ring of messages to recover from, and the retained state."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

from bridge.protocol.address import patterns_matching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.broker.limits import Limits
    from bridge.protocol.address import Pattern
    from bridge.protocol.catalogue import Retention
    from bridge.protocol.message import Published


class History:
    """The newest messages, bounded in number, age and bytes. Offsets are contiguous."""

    __slots__ = ("_bytes", "_dropped", "_limits", "_ring")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ring: deque[Published] = deque()
        self._bytes = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def bytes(self) -> int:
        """Size of all payloads kept."""
        return self._bytes

    def append(self, published: Published) -> None:
        """Keep a message, and let go of what the bounds no longer allow."""
        self._ring.append(published)
        self._bytes += len(published.payload)
        self.expire(published.at)

    def expire(self, now: float) -> None:
        """Let go of messages that are too many, too old or too large together."""
        limits, ring = self._limits, self._ring
        most, most_bytes, since = limits.history_messages, limits.history_bytes, now - limits.history_seconds
        while ring:
            oldest = ring[0]
            if oldest.at >= since and len(ring) <= most and self._bytes <= most_bytes:
                return
            ring.popleft()
            self._bytes -= len(oldest.payload)
            self._dropped = oldest.offset

    def since(self, offset: int, patterns: Iterable[Pattern], now: float) -> list[Published] | None:
        """Give every matching message after ``offset``, or ``None`` when that cannot be done completely."""
        self.expire(now)
        if offset < self._dropped:
            return None
        wanted = frozenset(patterns)
        found: list[Published] = []
        size = 0
        for published in self._after(offset):
            if not wanted.isdisjoint(patterns_matching(published.address)):
                found.append(published)
                size += len(published.payload)
                if len(found) > self._limits.recovery_messages or size > self._limits.recovery_bytes:
                    return None
        return found

    def _after(self, offset: int) -> Iterable[Published]:
        skip = max(0, offset + 1 - self._ring[0].offset) if self._ring else 0
        return islice(self._ring, skip, None)


class Retained:
    """The latest message per key, in the order of their offsets. Keys come from the bridge's own events only."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: dict[str, Published] = {}

    def __len__(self) -> int:
        return len(self._latest)

    @property
    def bytes(self) -> int:
        """Size of all payloads kept."""
        return sum(len(published.payload) for published in self._latest.values())

    def update(self, retention: Retention, published: Published) -> None:
        """Let the message replace the one with the same key; the last one of its key ends it."""
        self._latest.pop(retention.key, None)
        if retention.keep:
            self._latest[retention.key] = published

    def matching(self, patterns: Iterable[Pattern]) -> list[Published]:
        """Give the retained messages that match, by offset."""
        wanted = frozenset(patterns)
        return [
            published
            for published in self._latest.values()
            if not wanted.isdisjoint(patterns_matching(published.address))
        ]
