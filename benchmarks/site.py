"""A whole site: thousands of workspaces with some sessions each, and events at a fixed rate, each in one of them."""

from __future__ import annotations

import asyncio
import random
from itertools import cycle
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.arrival import enter_all, listen_all
from benchmarks.load import TIMEOUT_SECONDS, Group, now
from benchmarks.measure import Span, span
from benchmarks.pace import paced
from benchmarks.plan import SESSIONS_PER_DESK

if TYPE_CHECKING:
    from benchmarks.counting import Ear
    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server


class Site(Group):
    """Desks, each with a sender that stands for the telephone switch, and listeners.

    Attributes:
        waited: Seconds from writing an event to its arrival, for each listener.
        late: Seconds by which events were written later than the rate wanted.
    """

    def __init__(self, server: Server, desks: list[Desk], links: list[Link]) -> None:
        super().__init__(server, links)
        random.Random(0).shuffle(desks)
        self._turns = cycle(desks)
        self._arrivals = Arrivals()
        for desk in desks:
            desk.arrivals = self._arrivals
        self.waited: list[float] = []
        self.late: list[float] = []

    @classmethod
    async def open(cls, server: Server, peer: Peer, desks: int) -> Site:
        """Connect everybody."""
        rooms = [f"w{number}" for number in range(desks)]
        senders = await enter_all(server.port, peer, rooms)
        opened = [Desk(sender, peer.frame(speech.note(), room)) for sender, room in zip(senders, rooms, strict=True)]
        links = list(senders)
        for _ in range(SESSIONS_PER_DESK):
            listeners = await listen_all(server.port, peer, rooms)
            links += listeners
            for desk, room, link in zip(opened, rooms, listeners, strict=True):
                link.transport.set_protocol(Listener(desk, peer.ear(room)))
        return cls(server, opened, links)

    async def round(self, rate: float, seconds: float) -> Span:
        """Let ``rate`` events happen a second, and wait until everybody has heard of theirs."""
        total = round(rate * seconds)
        self._arrivals.expect(total * SESSIONS_PER_DESK)
        with span(self.server) as measured:
            self.late = await paced(rate, total, lambda: next(self._turns).send())
            await self._arrivals.all()
        self.waited = self._arrivals.waited
        measured.count = len(self.waited)
        return measured


class Arrivals:
    """How long each delivery took.

    Attributes:
        waited: In seconds.
    """

    def __init__(self) -> None:
        self.waited: list[float] = []
        self._expected = 0
        self._all = asyncio.Event()

    def expect(self, count: int) -> None:
        """Begin anew."""
        self.waited = []
        self._expected = count
        self._all.clear()

    def note(self, seconds: float) -> None:
        """Take one."""
        self.waited.append(seconds)
        if len(self.waited) == self._expected:
            self._all.set()

    async def all(self) -> None:
        """Wait for the last.

        Raises:
            TimeoutError: It does not come.
        """
        await asyncio.wait_for(self._all.wait(), TIMEOUT_SECONDS)


class Desk:
    """One workspace.

    Attributes:
        written: When each of its events was.
        arrivals: Where its listeners note theirs.
    """

    def __init__(self, sender: Link, frame: bytes) -> None:
        sender.on_message = _ignore
        self._transport = sender.transport
        self._frame = frame
        self.written: list[float] = []
        self.arrivals: Arrivals

    def send(self) -> None:
        """Let an event happen."""
        self.written.append(now())
        self._transport.write(self._frame)


class Listener(asyncio.Protocol):
    """Takes over a connection and times what it brings: events of a workspace arrive in order."""

    __slots__ = ("_desk", "_ear", "_heard")

    def __init__(self, desk: Desk, ear: Ear) -> None:
        self._desk = desk
        self._ear = ear
        self._heard = 0

    def data_received(self, data: bytes) -> None:
        """Time."""
        arrived = now()
        for _ in self._ear.hear(data):
            self._desk.arrivals.note(arrived - self._desk.written[self._heard])
            self._heard += 1


def _ignore(payload: bytes) -> None:
    """Let a sender's answers be: some servers confirm each message."""
