"""Timers, injected: call control waits for nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """Something that will happen."""

    def cancel(self) -> None:
        """Let it not happen."""


class CallLater(Protocol):
    """How to have something done later; an event loop's ``call_later`` is one."""

    def __call__(self, delay: float, callback: Callable[[], None], /) -> Timer:
        """Call ``callback`` in ``delay`` seconds, never before this call has returned."""
