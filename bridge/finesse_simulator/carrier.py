"""Carries notices from the world to the nodes, losing, doubling, delaying and reordering them as the faults say.

Every node gets all of them, each for the agents who are connected there. What is about one dialog, or about the agent,
stays in order, as Finesse keeps it; between dialogs nothing is promised, and a fault swaps them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.finesse_simulator import documents
from bridge.finesse_simulator.faults import RequestIds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.finesse_simulator.faults import Faults
    from bridge.finesse_simulator.lanes import Later
    from bridge.finesse_simulator.notices import Notice


class Carrier:
    """Between the world and the nodes. ``deliver(user, node path, payload)`` sends one notification."""

    def __init__(self, *, faults: Faults, later: Later, deliver: Callable[[str, str, str], None]) -> None:
        self._faults = faults
        self._later = later
        self._deliver = deliver
        self._held: list[Notice] = []

    def carry(self, notices: Sequence[Notice]) -> None:
        """Take over what one happening has to tell."""
        if self._faults.reorder_seconds:
            if not self._held:
                self._later(self._faults.reorder_seconds, self._release)
            self._held += notices
            return
        self._after_delay(notices)

    def _release(self) -> None:
        held, self._held = self._held, []
        self._after_delay(_last_first(held))

    def _after_delay(self, notices: Sequence[Notice]) -> None:
        if self._faults.delay_seconds:
            self._later(self._faults.delay_seconds, lambda: self._send(notices))
        else:
            self._send(notices)

    def _send(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            payload = self._payload(notice)
            for _ in range(2 if self._faults.duplicates else 1):
                self._deliver(notice.user, notice.node, payload)

    def _payload(self, notice: Notice) -> str:
        """Write the text that a notification carries; it is escaped once when it is put there."""
        wanted = self._faults.request_ids
        tells = wanted is RequestIds.ALL or (wanted is RequestIds.FIRST and notice.at_once)
        update = documents.update(notice.event, notice.source, notice.data, notice.request_id if tells else "")
        return documents.escaped(update) if self._faults.escapes > 1 else str(update)


def _last_first(notices: Sequence[Notice]) -> list[Notice]:
    """Order them by subject, the one that was told of last before the others; each subject's own stay in order."""
    subjects = {(notice.user, notice.subject): place for place, notice in enumerate(notices)}
    return sorted(notices, key=lambda notice: -subjects[notice.user, notice.subject])
