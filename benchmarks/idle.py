"""Sessions that do nothing: what connecting costs, and what each keeps in memory."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.arrival import enter_all
from benchmarks.load import Group, LoadError, connect, now, some_at_once
from benchmarks.measure import Span, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server

SETTLE_SECONDS = 0.5
AGAIN_SECONDS = (0.1, 0.5)
WARM_UP = 100
"""The first connections load code and fill caches that all others share."""


class Idle(NamedTuple):
    """``bytes_each`` is the server's growth per session, ``connecting`` what the connecting cost."""

    bytes_each: float
    connecting: Span


class Storm(NamedTuple):
    """``waited`` is how many seconds each session took from the first attempt to being let in."""

    waited: list[float]
    refused: int
    connecting: Span


class Newcomers(Group):
    """Sessions of these rooms, that are still to come."""

    def __init__(self, server: Server, peer: Peer, rooms: Sequence[str]) -> None:
        super().__init__(server, [])
        self._peer = peer
        self._rooms = rooms

    @classmethod
    async def open(cls, server: Server, peer: Peer, rooms: Sequence[str]) -> Newcomers:
        """Let a few come and go."""
        Group(server, await enter_all(server.port, peer, rooms[:WARM_UP])).close()
        await asyncio.sleep(SETTLE_SECONDS)
        return cls(server, peer, rooms)

    async def settle(self) -> Idle:
        """Let them come, some at a time, and see what they cost."""
        before = self.server.memory()
        with span(self.server) as connecting:
            links = await enter_all(self.server.port, self._peer, self._rooms)
            connecting.count = len(links)
        await asyncio.sleep(SETTLE_SECONDS)
        grown = self.server.memory() - before
        Group(self.server, links).close()
        return Idle(grown / len(links), connecting)

    async def storm(self) -> Storm:
        """Let them come all at once, as after a restart; who is refused comes again after a moment."""
        chance = random.Random(0)
        waited: list[float] = []
        refused = 0
        started = now()

        async def one(room: str) -> Link:
            nonlocal refused
            while (link := await self._attempt(room)) is None:
                refused += 1
                await asyncio.sleep(chance.uniform(*AGAIN_SECONDS))
            waited.append(now() - started)
            return link

        with span(self.server) as connecting:
            links = await some_at_once(one, self._rooms, len(self._rooms))
            connecting.count = len(links)
        Group(self.server, links).close()
        return Storm(waited, refused, connecting)

    async def _attempt(self, room: str) -> Link | None:
        """Connect, if the server lets one in."""
        try:
            link = await connect(self.server.port, self._peer.sender_path(room))
            await self._peer.enter(link)
        except (LoadError, OSError):
            return None
        return link
