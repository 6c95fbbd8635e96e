"""Who of the agents is there, and how long the others have been gone.

An agent whose XMPP presence goes on every node is signed out by force when it has not come back in time (Finesse
developer guide, "Notifications": 60 seconds). One that never was there is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.timers import CallLater, Timer


class Presences:
    """All agents' presences on all nodes. ``force_out(user)`` is called when somebody has been gone for ``seconds``."""

    def __init__(self, *, call_later: CallLater, seconds: float, force_out: Callable[[str], None]) -> None:
        self._call_later = call_later
        self._seconds = seconds
        self._force_out = force_out
        self._present: dict[str, set[tuple[int, str]]] = {}
        self._timers: dict[str, Timer] = {}

    def changed(self, node: int, user: str, resource: str, available: bool) -> None:  # noqa: FBT001 there or not
        """Note that an agent's session on a node came or went."""
        sessions = self._present.setdefault(user, set())
        if available:
            sessions.add((node, resource))
            if timer := self._timers.pop(user, None):
                timer.cancel()
            return
        sessions.discard((node, resource))
        if not sessions and user not in self._timers:
            self._timers[user] = self._call_later(self._seconds, lambda: self._overdue(user))

    def stop(self) -> None:
        """Wait for nobody any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _overdue(self, user: str) -> None:
        del self._timers[user]
        self._force_out(user)
