"""How long an agent is followed at whom no widget looks."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Linger:
    """Runs out ``seconds`` after the last widget has left; ``run_out`` is then called, once."""

    def __init__(self, seconds: float, run_out: Callable[[], None]) -> None:
        self.is_over = False
        self._seconds = seconds
        self._run_out = run_out
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, *, watched: bool) -> None:
        """Note whether any widget is connected now."""
        self.cancel()
        self.is_over = False
        if not watched:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._end)

    def cancel(self) -> None:
        """Never run out any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        self.is_over = True
        self._run_out()
