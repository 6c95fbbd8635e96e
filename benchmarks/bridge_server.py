"""The bridge as a process to measure: settings from the environment, its port on standard output, logs as shipped.

On SIGUSR1 it collects garbage, gives free memory back to the system, and prints how many tasks it has: what memory is
then in use is held.
The C library keeps freed memory that lies between what is in use; without this a leak looks like the allocator's habit.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
from typing import TYPE_CHECKING

from benchmarks.load import run
from bridge.app import Bridge
from bridge.command_line.collector import spare_the_collector
from bridge.settings import load
from bridge.telemetry import configure_logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.settings import Settings


def give_back() -> None:
    """Free what is not in use, as far as the system's C library can."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
    print(len(asyncio.all_tasks()), flush=True)


async def main(make: Callable[[Settings], Bridge] = Bridge) -> None:
    """Serve on a free port, which is printed, until SIGTERM."""
    settings = load()
    configure_logging(settings.log_level, settings.log_format)
    spare_the_collector()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, give_back)
    await make(settings).serve(started=lambda bridge: print(bridge.port, flush=True))


if __name__ == "__main__":
    run(main())
