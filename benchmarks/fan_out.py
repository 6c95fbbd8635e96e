"""One message to a thousand sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.arrival import enter_all, listen_all
from benchmarks.counting import Probe, Tally
from benchmarks.load import Group, now
from benchmarks.measure import Span, span

if TYPE_CHECKING:
    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server

BURST = 16
ROOM = "bench"


class FanOut(Group):
    """A sender, and listeners that count; one of them is the probe."""

    def __init__(self, server: Server, peer: Peer, sender: Link, listeners: list[Link]) -> None:
        super().__init__(server, [sender, *listeners])
        self._sender = sender
        self._sessions = len(listeners)
        self._frame = peer.frame(speech.note(), ROOM)
        self._tally = Tally()
        self._probe = Probe(self._tally, peer.ear(ROOM))
        listeners[0].transport.set_protocol(self._probe)
        for link in listeners[1:]:
            link.transport.set_protocol(peer.count(self._tally))

    @classmethod
    async def open(cls, server: Server, peer: Peer, sessions: int) -> FanOut:
        """Connect everybody."""
        listeners = await listen_all(server.port, peer, [ROOM] * sessions)
        (sender,) = await enter_all(server.port, peer, [ROOM])
        return cls(server, peer, sender, listeners)

    async def round(self, burst: int, seconds: float) -> Span:
        """Send bursts, each when all have the one before, for so many seconds."""
        with span(self.server) as measured:
            end = now() + seconds
            while now() < end:
                await self._tally.wait(lambda: self._start(burst))
                measured.count += burst * self._sessions
        self._tally.check(self._probe.counted)
        return measured

    def _start(self, burst: int) -> None:
        self._probe.missing = burst
        self._sender.transport.write(self._frame * burst)
