"""Reading an agent and all its calls afresh: when, and one at a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bridge.calls.adapter import Change
    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.finesse.nodes import Node
    from bridge.calls.finesse.view import View


class Reading:
    """The wishes for a reading, which one reading fulfils together, and the reading itself."""

    def __init__(self, view: View, settle_seconds: float) -> None:
        self.wanted = asyncio.Event()
        self.answer_owed = False
        """Somebody waits for the answer to a reading that has not begun."""
        self._view = view
        self._settle_seconds = settle_seconds
        self._settling: asyncio.TimerHandle | None = None

    def ask(self) -> None:
        """Want a reading now, and an answer to it."""
        self.answer_owed = True
        self.wanted.set()

    def settle_soon(self) -> None:
        """Want a reading in a moment, once for all doubts of that moment: what is on its way may settle them."""
        if self._settling is None:
            self._settling = asyncio.get_running_loop().call_later(self._settle_seconds, self._settle)

    def _settle(self) -> None:
        self._settling = None
        self.wanted.set()

    def cancel(self) -> None:
        """Want nothing any more."""
        if self._settling is not None:
            self._settling.cancel()
            self._settling = None

    async def read(self, node: Node, credentials: Credentials) -> tuple[list[Change], bool]:
        """Read everything into the view. Returns what that changes, and whether somebody waits for the answer.

        Raises:
            Refused: Finesse refuses; ``Unreachable``, ``Unanswered`` where it does not answer.
        """
        self.wanted.clear()
        owed, self.answer_owed = self.answer_owed, False
        mark = self._view.mark()
        agent = await node.rest.user(credentials)
        calls = await node.rest.dialogs(credentials)
        return self._view.reading(mark, agent, calls), owed
