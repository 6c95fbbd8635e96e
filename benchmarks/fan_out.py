"""One message to a thousand sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.load import Count, Group, Probe, Tally, client_frame, connect, connect_all, now
from benchmarks.measure import Span, span

if TYPE_CHECKING:
    from benchmarks.load import Link
    from benchmarks.measure import Server
    from benchmarks.peers import Peer

BURST = 16


class FanOut(Group):
    """A sender, and listeners that count; one of them is the probe."""

    def __init__(self, server: Server, sender: Link, listeners: list[Link]) -> None:
        super().__init__(server, [sender, *listeners])
        self._sender = sender
        self._sessions = len(listeners)
        self._frame = client_frame(speech.note())
        self._tally = Tally()
        self._probe = Probe(self._tally)
        listeners[0].transport.set_protocol(self._probe)
        for link in listeners[1:]:
            link.transport.set_protocol(Count(self._tally))

    @classmethod
    async def open(cls, server: Server, peer: Peer, sessions: int) -> FanOut:
        """Connect everybody."""
        listeners = await connect_all(server.port, [peer.listener_path] * sessions, peer.listen)
        sender = await connect(server.port, peer.sender_path)
        if peer.enter is not None:
            await peer.enter(sender)
        return cls(server, sender, listeners)

    async def round(self, burst: int, seconds: float) -> Span:
        """Send bursts, each when all have the one before, for so many seconds."""
        with span(self.server) as measured:
            end = now() + seconds
            while now() < end:
                await self._tally.wait(lambda: self._start(burst))
                measured.count += burst * self._sessions
        self._tally.check(self._probe.bytes)
        return measured

    def _start(self, burst: int) -> None:
        self._probe.missing = burst
        self._sender.transport.write(self._frame * burst)
