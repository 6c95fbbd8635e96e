"""Sessions that do nothing: what connecting costs, and what each keeps in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.load import Group, connect_all
from benchmarks.measure import Span, span

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from benchmarks.load import Link
    from benchmarks.measure import Server

SETTLE_SECONDS = 0.5


class Idle(NamedTuple):
    """``bytes_each`` is the server's growth per session, ``connecting`` what the connecting cost."""

    bytes_each: float
    connecting: Span


async def idle_sessions(server: Server, paths: Sequence[str], enter: Callable[[Link], Awaitable[None]] | None) -> Idle:
    """Open sessions; see what they cost; cut them."""
    # The first connections load code and fill caches that all others share.
    Group(server, await connect_all(server.port, paths[:100], enter)).close()
    await asyncio.sleep(SETTLE_SECONDS)
    before = server.memory()
    with span(server) as connecting:
        links = await connect_all(server.port, paths, enter)
        connecting.count = len(links)
    await asyncio.sleep(SETTLE_SECONDS)
    grown = server.memory() - before
    Group(server, links).close()
    return Idle(grown / len(links), connecting)
