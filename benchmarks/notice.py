"""A notice to the whole site: one request over HTTP, and every session of every workspace has it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.arrival import listen_all
from benchmarks.load import Group, LoadError, now
from benchmarks.measure import Span, span
from benchmarks.site import Arrivals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.counting import Ear
    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server

PATH = "/api/v1/workspaces/*/messages"
ACCEPTED = b"HTTP/1.1 202"


class Notice(Group):
    """Sessions that wait for it.

    Attributes:
        waited: Seconds from writing the request to each arrival.
    """

    def __init__(self, server: Server, listeners: list[Link], ears: list[Ear]) -> None:
        super().__init__(server, listeners)
        self._arrivals = Arrivals()
        self._sessions = len(listeners)
        self._started = 0.0
        self.waited: list[float] = []
        for link, ear in zip(listeners, ears, strict=True):
            link.transport.set_protocol(_Listener(self, ear))

    @classmethod
    async def open(cls, server: Server, peer: Peer, rooms: Sequence[str]) -> Notice:
        """Connect one session for each of these workspaces; the same may be there several times."""
        listeners = await listen_all(server.port, peer, rooms)
        return cls(server, listeners, [peer.ear(room) for room in rooms])

    async def round(self, notices: int) -> Span:
        """Send so many notices, each when everybody has the one before."""
        self.waited = []
        with span(self.server) as measured:
            for _ in range(notices):
                self._arrivals.expect(self._sessions)
                await self._publish()
                await self._arrivals.all()
                self.waited += self._arrivals.waited
        measured.count = len(self.waited)
        return measured

    async def _publish(self) -> None:
        fields = json.loads(speech.note())
        body = json.dumps({name: fields[name] for name in ("channel", "topic", "subtopic", "source", "data")}).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{self.server.port}\r\nContent-Type: application/json\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        self._started = now()
        writer.write(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        if not answer.startswith(ACCEPTED):
            raise LoadError(f"no notice: {answer.decode()}")

    def arrived(self) -> None:
        """Note that a session has it."""
        self._arrivals.note(now() - self._started)


class _Listener(asyncio.Protocol):
    __slots__ = ("_ear", "_notice")

    def __init__(self, notice: Notice, ear: Ear) -> None:
        self._notice = notice
        self._ear = ear

    def data_received(self, data: bytes) -> None:
        for _ in self._ear.hear(data):
            self._notice.arrived()
