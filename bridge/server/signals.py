"""Waiting for the signals that end a service."""

from __future__ import annotations

import asyncio
import signal

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def wait_for_signal() -> None:
    """Return on the first SIGINT or SIGTERM. A second one, while the service stops, does what it does by default."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    try:
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, stop.set)
    except NotImplementedError:  # Windows: its handlers run outside the loop
        await _wait_outside(loop, stop)
        return
    try:
        await stop.wait()
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _wait_outside(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    previous = [(number, signal.getsignal(number)) for number in STOP_SIGNALS]
    for number in STOP_SIGNALS:
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    try:
        await stop.wait()
    finally:
        for number, handler in previous:
            signal.signal(number, handler)
