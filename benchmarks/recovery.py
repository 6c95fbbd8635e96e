"""Sessions of one workspace that lost their connections come back at the same moment, and get what they missed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.arrival import enter_all
from benchmarks.load import Group, LoadError, connect, now, some_at_once
from benchmarks.measure import Span, span

if TYPE_CHECKING:
    from benchmarks.load import Link
    from benchmarks.peers import Peer
    from benchmarks.server import Server

MISSED = 100
"""Messages that each has missed: within ``RECOVERY_MESSAGES``."""

ROOM = "bench"


class Recovery(Group):
    """A workspace whose history holds what was missed.

    Attributes:
        waited: Seconds from asking for a connection to having the missed messages, for each session.
    """

    def __init__(self, server: Server, peer: Peer, witness: Link, position: dict[str, object]) -> None:
        super().__init__(server, [witness])
        self._peer = peer
        self._subscribe = speech.subscribe(["Bench"], "recover", recover=position)
        self.waited: list[float] = []

    @classmethod
    async def open(cls, server: Server, peer: Peer) -> Recovery:
        """Note a position, and publish behind it."""
        (witness,) = await enter_all(server.port, peer, [ROOM])
        witness.send(speech.subscribe(["Bench"], "listen", echo=True))
        data = json.loads(await witness.receive())["data"]
        for _ in range(MISSED):
            witness.send(speech.note())
            await witness.receive()
        return cls(server, peer, witness, {name: data[name] for name in ("epoch", "offset")})

    async def round(self, sessions: int) -> Span:
        """Let so many come back."""
        self.waited = []
        started = now()

        async def one(room: str) -> Link:
            link = await connect(self.server.port, self._peer.sender_path(room))
            await self._peer.enter(link)
            link.send(self._subscribe)
            self._check(await link.receive())
            self.waited.append(now() - started)
            return link

        with span(self.server) as measured:
            links = await some_at_once(one, [ROOM] * sessions, sessions)
            measured.count = sessions
        Group(self.server, links).close()
        return measured

    @staticmethod
    def _check(answer: bytes) -> None:
        if b'"recovered":true' not in answer or answer.count(speech.NOTE_START) != MISSED:
            raise LoadError(f"not recovered: {answer[:300].decode()}")
