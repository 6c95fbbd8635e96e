"""Many workspaces, many patterns: what a publish costs must not depend on how many others there are."""

from __future__ import annotations

import asyncio
from itertools import cycle, islice
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.load import TIMEOUT_SECONDS, Group, LoadError, client_frame, connect_all, frame_end
from benchmarks.measure import span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.load import Link
    from benchmarks.measure import Span
    from benchmarks.server import Server

ACTIVE = 10
"""So many messages are on their way at any time."""

ENDLESS = 1 << 62

PATTERNS_PER_SESSION = 128
"""No session may have more."""


class Crowd(Group):
    """Sessions that hear their own messages, and others that do nothing but to be there."""

    def __init__(self, server: Server, active: list[Link], silent: list[Link]) -> None:
        super().__init__(server, [*active, *silent])
        self._members = [_Member(self, link) for link in active]
        self._idle = asyncio.Event()

        # Set anew when they begin to publish.
        self._next = cycle(self._members)
        self._to_send = self._in_flight = self._count = 0

    @classmethod
    async def of_workspaces(cls, server: Server, workspaces: int, active: int) -> Crowd:
        """Connect one session for each workspace; all have had a message, and the first so many publish."""
        paths = [speech.bridge_path(f"w{number}") for number in range(workspaces)]
        links = await connect_all(server.port, paths, _listen_to_itself)
        warm_up = cls(server, links, [])
        await warm_up.once()
        return cls(server, links[:active], links[active:])

    @classmethod
    async def of_patterns(cls, server: Server, patterns: int) -> Crowd:
        """Connect one session that publishes, and in the same workspace as many as it takes for other patterns."""
        path = speech.bridge_path("w0")
        active = await connect_all(server.port, [path], _listen_to_itself)
        others = iter([f"Other/Topic{number // 100}/Note{number}" for number in range(1, patterns)])
        chunks: Iterator[list[str]] = iter(lambda: list(islice(others, PATTERNS_PER_SESSION)), [])

        async def then(link: Link) -> None:
            await link.receive()
            link.send(speech.subscribe(next(chunks), "listen"))
            if b'"Subscribed"' not in (answer := await link.receive()):
                raise LoadError(f"not subscribed: {answer[:300].decode()}")

        sessions = -(-(patterns - 1) // PATTERNS_PER_SESSION)
        return cls(server, active, await connect_all(server.port, [path] * sessions, then))

    async def once(self) -> None:
        """Let everybody publish once."""
        await self._run(len(self._members))

    async def round(self, seconds: float) -> Span:
        """Let those who publish do so in turn, for so many seconds."""
        with span(self.server) as measured:
            asyncio.get_running_loop().call_later(seconds, self._stop)
            measured.count = await self._run(ENDLESS)
        return measured

    async def _run(self, limit: int) -> int:
        self._next = cycle(self._members)
        self._to_send, self._in_flight, self._count = limit, 0, 0
        self._idle.clear()
        for _ in range(min(ACTIVE, limit)):
            self._send()
        await asyncio.wait_for(self._idle.wait(), TIMEOUT_SECONDS)
        return self._count

    def _stop(self) -> None:
        self._to_send = 0

    def _send(self) -> None:
        self._to_send -= 1
        self._in_flight += 1
        next(self._next).send()

    def arrived(self) -> None:
        """Note that a message has come back; the next session sends one."""
        self._count += 1
        self._in_flight -= 1
        if self._to_send:
            self._send()
        elif not self._in_flight:
            self._idle.set()


class _Member(asyncio.Protocol):
    """A session that publishes."""

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
