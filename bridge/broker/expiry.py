"""When whose token expires: one look a second, however many sessions there are."""

from __future__ import annotations

import math
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.broker.session import Session

LEEWAY_SECONDS = 5.0
"""Clocks of issuer and bridge may differ by so much (wire protocol, "Tokens")."""


class Expiries:
    """Sessions by the second in which their time is over. A second is known until it has passed, even if all left."""

    def __init__(self) -> None:
        self._seconds: list[int] = []
        self._sessions: dict[int, dict[Session, None]] = {}
        self._second_of: dict[Session, int] = {}

    def __len__(self) -> int:
        return len(self._second_of)

    def join(self, session: Session, at: float) -> None:
        """Let a session's time be over at ``at``, in monotonic seconds; what was said before does not count."""
        self.leave(session)
        second = math.ceil(at)
        if second not in self._sessions:
            heappush(self._seconds, second)
            self._sessions[second] = {}
        self._sessions[second][session] = None
        self._second_of[session] = second

    def leave(self, session: Session) -> None:
        """Expect nothing of a session any more; harmless where nothing was."""
        second = self._second_of.pop(session, None)
        if second is not None:
            del self._sessions[second][session]

    def due(self, now: float) -> list[Session]:
        """Give the sessions whose time is over, each once."""
        over: list[Session] = []
        while self._seconds and self._seconds[0] <= now:
            over += self._sessions.pop(heappop(self._seconds))
        for session in over:
            del self._second_of[session]
        return over
