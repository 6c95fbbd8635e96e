"""What was asked over REST, in order: the proof that nothing was lost and nothing was done twice.

Every request that could be read and came from whom it said is here, refused or not.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from bridge.finesse_simulator.orders import CallOrder, StateOrder

REMEMBERED = 100_000


@dataclass(slots=True)
class Entry:
    """One request that would change something.

    ``status`` is the HTTP status that was answered, 0 where the connection was cut before an answer. ``outcome`` is
    ``waiting`` until its turn, then ``done``, ``refused`` (with what was said) or ``ignored``; of a request that was
    refused at once it is ``refused``.
    """

    number: int
    node: int
    user: str
    action: str
    request_id: str
    dialog: str = ""
    to_address: str = ""
    status: int = 0
    outcome: str = "waiting"
    detail: str = ""


class Journal:
    """All entries, the oldest first; of very many the last."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=REMEMBERED)
        self._count = 0

    def begin(self, node: int, user: str, order: CallOrder | StateOrder, request_id: str) -> Entry:
        """Write down that something is asked."""
        self._count += 1
        entry = Entry(self._count, node, user, action="", request_id=request_id)
        match order:
            case CallOrder():
                entry.action, entry.dialog, entry.to_address = order.action, order.dialog, order.to_address
            case StateOrder():
                entry.action = order.state
        self._entries.append(entry)
        return entry

    def to_json(self) -> list[dict[str, Any]]:
        """Give all entries."""
        return [asdict(entry) for entry in self._entries]
