"""Time, moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class ByHand:
    """An entry in the list of what is to happen."""

    def __init__(self, due: float, callback: Callable[[], None]) -> None:
        self.due = due
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Time:
    """Calls back when it is moved on."""

    def __init__(self) -> None:
        self.now = 0.0
        self._waiting: list[ByHand] = []

    def call_later(self, delay: float, callback: Callable[[], None]) -> ByHand:
        timer = ByHand(self.now + delay, callback)
        self._waiting.append(timer)
        return timer

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self._waiting if not timer.cancelled and timer.due <= end]:
            first = min(due, key=lambda timer: timer.due)
            self._waiting.remove(first)
            self.now = first.due
            first.callback()
        self.now = end
