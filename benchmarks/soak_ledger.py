"""What must be true of one workspace, whoever looks: one total order, and one outcome for each accepted command."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

OUTCOMES = frozenset({"Completed", "Failed", "TimedOut"})
REMEMBERED = 4000
"""Messages whose content is kept for comparison: more than any session can be behind."""


class BrokenPromiseError(AssertionError):
    """The bridge did what it must never do."""


@dataclass
class Ledger:
    """What all sessions of a workspace have seen together.

    Attributes:
        outcomes: How many outcomes each command has had in the stream.
        accepted: Commands that were accepted.
        on_message: Gets each message once, when the first session sees it.
    """

    workspace: str
    on_message: Callable[[dict[str, Any]], None]
    epoch: str = ""
    highest: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    _content: dict[int, bytes] = field(default_factory=dict)

    def enter(self, epoch: str) -> None:
        """Compare the stream's identity: it must not change while anybody is there."""
        self.epoch = self.epoch or epoch
        if epoch != self.epoch:
            raise BrokenPromiseError(f"{self.workspace}: the epoch changed from {self.epoch} to {epoch}")

    def saw(self, message: dict[str, Any]) -> None:
        """Take a message as one session got it; all must get the same at the same offset."""
        offset = message["offset"]
        content = hashlib.blake2b(json.dumps(message, sort_keys=True).encode(), digest_size=8).digest()
        if offset > self.highest:
            self.highest = offset
            self._content[offset] = content
            self._content.pop(offset - REMEMBERED, None)
            self._note(message)
        elif self._content.get(offset, content) != content:
            raise BrokenPromiseError(f"{self.workspace}: two messages have offset {offset}")

    def _note(self, message: dict[str, Any]) -> None:
        if message["channel"] == "Bridge" and message["subtopic"] in OUTCOMES:
            command = message["correlationId"]
            self.outcomes[command] += 1
            if self.outcomes[command] > 1:
                raise BrokenPromiseError(f"{self.workspace}: {command} has a second outcome")
        self.on_message(message)

    def close(self) -> None:
        """Compare commands with outcomes, when all are over."""
        missing = self.accepted - self.outcomes.keys()
        if missing:
            raise BrokenPromiseError(f"{self.workspace}: no outcome for {sorted(missing)[:5]}")
        surplus = self.outcomes.keys() - self.accepted
        if surplus:
            raise BrokenPromiseError(f"{self.workspace}: outcomes of commands never accepted: {sorted(surplus)[:5]}")
