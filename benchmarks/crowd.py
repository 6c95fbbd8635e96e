"""Many workspaces: what a publish costs must not depend on how many others there are."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.load import TIMEOUT_SECONDS, Group, client_frame, connect_all, frame_end
from benchmarks.measure import span

if TYPE_CHECKING:
    from benchmarks.load import Link
    from benchmarks.measure import Server, Span

ACTIVE = 10
"""So many messages are on their way at any time, each in another workspace."""


class Crowd(Group):
    """Workspaces with one session each, which hears its own messages."""

    def __init__(self, server: Server, links: list[Link]) -> None:
        super().__init__(server, links)
        self._members = [_Member(self, link) for link in links]
        self._next = cycle(self._members)
        self._running = False
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._count = 0

    @classmethod
    async def open(cls, server: Server, workspaces: int) -> Crowd:
        """Connect one session for each workspace."""
        paths = [speech.bridge_path(f"w{number}") for number in range(workspaces)]
        return cls(server, await connect_all(server.port, paths, _listen_to_itself))

    async def round(self, publishing: int, seconds: float) -> Span:
        """Let the first so many workspaces publish in turn, for so many seconds."""
        self._next = cycle(self._members[:publishing])
        self._running, self._count, self._in_flight = True, 0, ACTIVE
        self._idle.clear()
        with span(self.server) as measured:
            for _ in range(ACTIVE):
                next(self._next).send()
            await asyncio.sleep(seconds)
            self._running = False
            await asyncio.wait_for(self._idle.wait(), TIMEOUT_SECONDS)
            measured.count = self._count
        return measured

    def arrived(self) -> None:
        """Note that a message has come back; the next workspace sends one."""
        self._count += 1
        if self._running:
            next(self._next).send()
            return
        self._in_flight -= 1
        if not self._in_flight:
            self._idle.set()


class _Member(asyncio.Protocol):
    """The session of one workspace."""

    __slots__ = ("_crowd", "_rest", "_transport")

    frame = client_frame(speech.note())

    def __init__(self, crowd: Crowd, link: Link) -> None:
        self._crowd = crowd
        self._transport = link.transport
        self._transport.set_protocol(self)
        self._rest = b""

    def send(self) -> None:
        """Publish one message."""
        self._transport.write(self.frame)

    def data_received(self, data: bytes) -> None:
        """See whether the message is whole."""
        data = self._rest + data
        start, end = frame_end(data, 0)
        while start and end <= len(data):
            data = data[end:]
            self._crowd.arrived()
            start, end = frame_end(data, 0)
        self._rest = data


async def _listen_to_itself(link: Link) -> None:
    await link.receive()
    link.send(speech.subscribe(["Bench"], "listen", echo=True))
    await link.receive()
