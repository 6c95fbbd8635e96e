"""Connections that have not got to anything yet: bounded, so that half-open ones cannot exhaust files or memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.server.observer import ServerObserver


class Waiting(Protocol):
    """A connection that waits: for a TLS handshake, a request, a token."""

    def cut(self) -> None:
        """End the connection without further ado."""


class Pending:
    """Who waits, the longest first.

    A connection joins when it is accepted, and leaves when it has a session or its whole request is being served. It
    joins anew when it was answered and stays open, when it does not read what it is served, or when it becomes a
    WebSocket connection that has no session yet.
    When one more joins than may wait, the one that has waited longest is cut: an honest client needs a moment, and so
    gets in unless thousands join in that moment.
    """

    def __init__(self, limit: int, observer: ServerObserver) -> None:
        self._limit = limit
        self._observer = observer
        self._waiting: OrderedDict[Waiting, str | None] = OrderedDict()  # the first of a dict is not found at once

    def __len__(self) -> int:
        return len(self._waiting)

    def join(self, connection: Waiting, address: str | None) -> None:
        """Begin to wait; harmless for who does already. ``address`` is told when the connection is cut."""
        self._waiting.setdefault(connection, address)
        if len(self._waiting) > self._limit:
            longest, its_address = self._waiting.popitem(last=False)
            self._observer.limited("pending_connections", address=its_address)
            longest.cut()

    def leave(self, connection: Waiting) -> None:
        """Wait no more; harmless for who does not."""
        self._waiting.pop(connection, None)
