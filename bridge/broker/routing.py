"""Patterns to sessions, within one workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.protocol.address import patterns_matching

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.broker.session import Session
    from bridge.protocol.address import Address, Pattern

CACHED_ADDRESSES = 256
"""A desktop uses some dozens of addresses; a gadget that makes up new ones must not fill the memory."""


class Routes:
    """Which sessions get a message. Costs eight look-ups, however many patterns and sessions there are."""

    __slots__ = ("_by_pattern", "_cache")

    def __init__(self) -> None:
        self._by_pattern: dict[Pattern, dict[Session, None]] = {}
        self._cache: dict[Address, dict[Session, None]] = {}

    def __len__(self) -> int:
        return len(self._by_pattern)

    def add(self, session: Session, patterns: Iterable[Pattern]) -> None:
        """Deliver what matches these patterns to the session."""
        for pattern in patterns:
            self._by_pattern.setdefault(pattern, {})[session] = None
        self._cache.clear()

    def discard(self, session: Session, patterns: Iterable[Pattern]) -> None:
        """Cease to deliver; unknown patterns are ignored."""
        for pattern in patterns:
            sessions = self._by_pattern.get(pattern)
            if sessions is not None:
                sessions.pop(session, None)
                if not sessions:
                    del self._by_pattern[pattern]
        self._cache.clear()

    def match(self, address: Address) -> Mapping[Session, None]:
        """Give each session with a matching pattern once, as keys; the same object as long as nothing changes."""
        matched = self._cache.get(address)
        if matched is None:
            matched = self._match(address)
            if len(self._cache) >= CACHED_ADDRESSES:
                self._cache.clear()
            self._cache[address] = matched
        return matched

    def _match(self, address: Address) -> dict[Session, None]:
        matched: dict[Session, None] = {}
        for pattern in patterns_matching(address):
            matched.update(self._by_pattern.get(pattern, ()))
        return matched
