"""A hundred sessions publish, one reads: what it costs to take a message in, check it and route it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.arrival import enter_all, listen_all
from benchmarks.counting import Count, Tally
from benchmarks.load import TIMEOUT_SECONDS, Group, client_frame, frame_end
from benchmarks.measure import Span, span

if TYPE_CHECKING:
    from benchmarks.counting import Ear
    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server

ROOM = "bench"


async def _everybody(server: Server, peer: Peer, senders: int) -> tuple[list[Link], Link]:
    """Connect the senders and their one reader."""
    (reader,) = await listen_all(server.port, peer, [ROOM])
    return await enter_all(server.port, peer, [ROOM] * senders), reader


class Inbound(Group):
    """Senders that each keep so many messages in flight. A message is in flight until the one reader has it."""

    def __init__(self, server: Server, peer: Peer, senders: list[Link], reader: Link) -> None:
        super().__init__(server, [reader, *senders])
        self._senders = [link.transport for link in senders]
        self._frames = [peer.frame(speech.note(number), ROOM) for number in range(len(senders))]
        self._reader = _Reader(self, peer.ear(ROOM))
        reader.transport.set_protocol(self._reader)
        self._running = False
        self._idle = asyncio.Event()
        self._in_flight = 0
        self._count = 0

    @classmethod
    async def open(cls, server: Server, peer: Peer, senders: int) -> Inbound:
        """Connect everybody."""
        return cls(server, peer, *await _everybody(server, peer, senders))

    async def round(self, in_flight: int, seconds: float) -> Span:
        """Send for so many seconds, then wait until nothing is in flight."""
        self._running, self._count = True, 0
        self._idle.clear()
        with span(self.server) as measured:
            for number in range(len(self._senders)):
                self._send(number, in_flight)
            await asyncio.sleep(seconds)
            self._running = False
            await asyncio.wait_for(self._idle.wait(), TIMEOUT_SECONDS)
            measured.count = self._count
        return measured

    def _send(self, number: int, count: int) -> None:
        self._in_flight += count
        self._senders[number].write(self._frames[number] * count)

    def arrived(self, numbers: list[int]) -> None:
        """Note that a message of each of these senders has come; each may send as many more."""
        self._count += len(numbers)
        self._in_flight -= len(numbers)
        if self._running:
            for number, count in Counter(numbers).items():
                self._send(number, count)
        if not self._in_flight:
            self._idle.set()


class _Reader(asyncio.Protocol):
    """Reads of each message whose it is, and no more."""

    def __init__(self, inbound: Inbound, ear: Ear) -> None:
        self._inbound = inbound
        self._ear = ear

    def data_received(self, data: bytes) -> None:
        self._inbound.arrived(self._ear.hear(data))


class Acknowledged(Group):
    """The same with an ``id`` in each message: in flight until its sender has ``Accepted``. The bridge only."""

    def __init__(self, server: Server, senders: list[Link], reader: Link) -> None:
        super().__init__(server, [reader, *senders])
        reader.transport.set_protocol(Count(Tally()))
        self._idle = asyncio.Event()
        self._waiting = 0
        self.running = False
        self.count = 0
        self._senders = [_Sender(self, number, link) for number, link in enumerate(senders)]

    @classmethod
    async def open(cls, server: Server, peer: Peer, senders: int) -> Acknowledged:
        """Connect everybody."""
        return cls(server, *await _everybody(server, peer, senders))

    async def round(self, in_flight: int, seconds: float) -> Span:
        """Send for so many seconds, then wait until nothing is in flight."""
        self.running, self.count = True, 0
        self._waiting = len(self._senders)
        self._idle.clear()
        with span(self.server) as measured:
            for sender in self._senders:
                sender.send(in_flight)
            await asyncio.sleep(seconds)
            self.running = False
            await asyncio.wait_for(self._idle.wait(), TIMEOUT_SECONDS)
            measured.count = self.count
        return measured

    def done(self) -> None:
        """Note that a sender has nothing in flight any more."""
        self._waiting -= 1
        if not self._waiting:
            self._idle.set()


class _Sender(asyncio.Protocol):
    """Sends a message with a new id for each answer; looks at no answer but for where it ends."""

    def __init__(self, group: Acknowledged, number: int, link: Link) -> None:
        self._group = group
        self._transport = link.transport
        self._transport.set_protocol(self)
        digits = b"0" * 9
        self._head, self._tail = client_frame(speech.note(number, b"%04d-" % number + digits)).split(b"-" + digits)
        self._next = 0
        self._in_flight = 0
        self._rest = b""

    def send(self, count: int) -> None:
        """Send so many messages in one write."""
        first, self._next = self._next, self._next + count
        self._in_flight += count
        head, tail = self._head, self._tail
        self._transport.write(b"".join([b"%b-%09d%b" % (head, number, tail) for number in range(first, self._next)]))

    def data_received(self, data: bytes) -> None:
        """Count answers, and send as much again."""
        data = self._rest + data
        at = answers = 0
        while True:
            start, end = frame_end(data, at)
            if not start or end > len(data):
                break
            at = end
            answers += 1
        self._rest = data[at:]
        self._in_flight -= answers
        self._group.count += answers
        if self._group.running:
            if answers:
                self.send(answers)
        elif not self._in_flight and answers:
            self._group.done()
