"""What a workspace remembers of its stream: a ring of messages to recover from, and the retained state."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from bridge.protocol.address import patterns_matching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.broker.limits import Limits
    from bridge.protocol.address import Address, Pattern
    from bridge.protocol.catalogue import Retention
    from bridge.protocol.message import Encoded


class Stored(NamedTuple):
    """One message of the stream. ``at`` is monotonic seconds."""

    offset: int
    at: float
    address: Address
    encoded: Encoded


class History:
    """The newest messages, bounded in number, age and bytes. Offsets are contiguous."""

    __slots__ = ("_bytes", "_dropped", "_limits", "_ring")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._ring: deque[Stored] = deque()
        self._bytes = 0
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._ring)

    @property
    def bytes(self) -> int:
        """Size of all payloads kept."""
        return self._bytes

    def append(self, stored: Stored) -> None:
        """Keep a message, and let go of what the bounds no longer allow."""
        self._ring.append(stored)
        self._bytes += len(stored.encoded.payload)
        self.expire(stored.at)

    def expire(self, now: float) -> None:
        """Let go of messages that are too many, too old or too large together."""
        limits, ring = self._limits, self._ring
        oldest = now - limits.history_seconds
        while ring and (
            len(ring) > limits.history_messages or self._bytes > limits.history_bytes or ring[0].at < oldest
        ):
            dropped = ring.popleft()
            self._bytes -= len(dropped.encoded.payload)
            self._dropped = dropped.offset

    def since(self, offset: int, patterns: Iterable[Pattern], now: float) -> list[Stored] | None:
        """Give every matching message after ``offset``, or ``None`` when that cannot be done completely."""
        self.expire(now)
        if offset < self._dropped:
            return None
        wanted = frozenset(patterns)
        found: list[Stored] = []
        size = 0
        for stored in self._after(offset):
            if not wanted.isdisjoint(patterns_matching(stored.address)):
                found.append(stored)
                size += len(stored.encoded.payload)
                if len(found) > self._limits.recovery_messages or size > self._limits.recovery_bytes:
                    return None
        return found

    def _after(self, offset: int) -> Iterable[Stored]:
        skip = max(0, offset + 1 - self._ring[0].offset) if self._ring else 0
        return islice(self._ring, skip, None)


class Retained:
    """The latest message per key, in the order of their offsets. Keys come from the bridge's own events only."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: dict[str, Stored] = {}

    def __len__(self) -> int:
        return len(self._latest)

    @property
    def bytes(self) -> int:
        """Size of all payloads kept."""
        return sum(len(stored.encoded.payload) for stored in self._latest.values())

    def update(self, retention: Retention, stored: Stored) -> None:
        """Let the message replace the one with the same key; the last one of its key ends it."""
        self._latest.pop(retention.key, None)
        if retention.keep:
            self._latest[retention.key] = stored

    def matching(self, patterns: Iterable[Pattern]) -> list[Stored]:
        """Give the retained messages that match, by offset."""
        wanted = frozenset(patterns)
        return [stored for stored in self._latest.values() if not wanted.isdisjoint(patterns_matching(stored.address))]
