"""``workspace-bridge listen``: every message as a line of JSON."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from bridge.client import ClientState, Gap, StateChange
from bridge.command_line.exits import Exit, put, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bridge.command_line.access import Access


async def listen(access: Access, patterns: Sequence[str]) -> Exit:
    """Write messages until nobody reads them or the person has seen enough."""
    with suppress(asyncio.CancelledError), _ended_with_the_reader():
        async with access.connect(on_state=_tell) as client:
            stream = await client.subscribe(*(patterns or ("*",)), on_gap=_tell_gap)
            async for message in stream:
                put(message.to_json())
    return Exit.OK


def _tell(change: StateChange) -> None:
    if change.state is ClientState.RECONNECTING:
        say(f"{change.reason}; connecting again in {change.delay:.1f} s")
    elif change.state is ClientState.CONNECTED:
        say("connected again")


def _tell_gap(gap: Gap) -> None:
    stream = "the bridge has begun a new stream" if gap.epoch_changed else "too much was missed"
    say(f"messages after offset {gap.last_offset} could not be recovered ({stream}); what is current follows")


@contextmanager
def _ended_with_the_reader() -> Iterator[None]:
    """Cancel the present task when the pipe behind standard output is closed, without waiting for the next message."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    watched = None
    with suppress(OSError, ValueError, NotImplementedError):
        output = sys.stdout.fileno()
        if task is not None and stat.S_ISFIFO(os.fstat(output).st_mode):
            loop.add_reader(output, task.cancel)
            watched = output
    try:
        yield
    finally:
        if watched is not None:
            loop.remove_reader(watched)
