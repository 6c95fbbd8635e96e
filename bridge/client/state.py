"""Where a client stands, and what it tells of that."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ClientState(Enum):
    """Where a client stands."""

    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class StateChange:
    """What ``on_state`` is told.

    Attributes:
        state: The new state; ``RECONNECTING`` comes anew before each attempt.
        reason: Why, in words; empty for ``CONNECTED``.
        delay: Seconds until the next attempt.
    """

    state: ClientState
    reason: str = ""
    delay: float | None = None
