"""When to connect again after a connection was lost, and when never (wire protocol section 9)."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.protocol.errors import TERMINAL_CLOSE_CODES, CloseCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

LOST = 1006
"""No close frame came (RFC 6455 section 7.1.5)."""

NO_RETURN = TERMINAL_CLOSE_CODES | {CloseCode.TOKEN_EXPIRED}
"""After these the same would happen again; with 4402 only where there is no other token to come with."""

RESTARTING = frozenset({CloseCode.GOING_AWAY, CloseCode.RESTART})


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a client tries again; also where it takes time and chance from, so that tests can give both.

    The delay before each attempt is random between 0 and a ceiling that doubles from attempt to attempt ("full
    jitter"): thousands of clients that lost their bridge at once come back spread out.

    Attributes:
        first: Ceiling of the first delay, in seconds.
        longest: No ceiling is above this.
        restart: Ceiling of the first delay when the bridge said that it restarts: all its clients leave at once.
        crowded: Least delay after 4429 (``too_many``).
        stable: A session that lasted this long makes the next loss a first one again.
        ask: Between two questions for the outcome of a command whose session is gone.
        settle: How long after a loss the bridge may still be reading what the lost connection had carried: only then
            does "unknown id" mean that the message never came.
    """

    first: float = 1.0
    longest: float = 30.0
    restart: float = 5.0
    crowded: float = 5.0
    stable: float = 10.0
    ask: float = 0.5
    settle: float = 1.0
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random

    def delay(self, attempt: int, code: int) -> float:
        """Give the seconds to wait before an attempt.

        Args:
            attempt: 0 for the first after a loss.
            code: The close code of the last connection.
        """
        first = self.restart if code in RESTARTING else self.first
        ceiling = min(self.longest, first * 2.0 ** min(attempt, 16))
        least = self.crowded if code == CloseCode.TOO_MANY else 0.0
        return least + self.chance() * ceiling
