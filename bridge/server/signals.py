"""The signals that end a service."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_requested() -> Iterator[asyncio.Event]:
    """Give an event that the first SIGINT or SIGTERM sets.

    Entered before the service starts, so that no signal finds it half ready. A second signal, while the service stops,
    does what it does by default.
    """
    stop = asyncio.Event()
    unwatch = _watch(stop)
    try:
        yield stop
    finally:
        unwatch()


def _watch(stop: asyncio.Event) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def unwatch() -> None:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)

    def on_signal() -> None:
        stop.set()
        unwatch()

    try:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, on_signal)
    except NotImplementedError:  # Windows: its handlers run outside the loop
        return _watch_outside(loop, stop)
    return unwatch


def _watch_outside(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> Callable[[], None]:
    previous = [(number, signal.getsignal(number)) for number in STOP_SIGNALS]

    def unwatch() -> None:
        for number, handler in previous:
            signal.signal(number, handler)

    def on_signal(*_: object) -> None:
        loop.call_soon_threadsafe(stop.set)
        unwatch()

    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    return unwatch
