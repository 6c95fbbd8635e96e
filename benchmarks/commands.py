"""Commands to call control at a fixed rate, through the simulated switch: how soon they are accepted, and ended."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.load import TIMEOUT_SECONDS, Group, LoadError, client_frame, connect_all, now
from benchmarks.measure import span
from benchmarks.pace import paced

if TYPE_CHECKING:
    from benchmarks.load import Link
    from benchmarks.measure import Span
    from benchmarks.server import Server

FIRST_EXTENSION = 200_000
"""Workspaces named by digits have an agent. Far from those that the simulator keeps for itself."""

_STATES = ("Cisco/Agent/SetReadyState", "Cisco/Agent/SetNotReadyState")


class Commands(Group):
    """Agents that become ready and not ready in turn.

    Attributes:
        accepted: Seconds from sending a command to its ``Accepted``.
        ended: Seconds from sending a command to its ``Completed``.
        late: Seconds by which commands were sent later than the rate wanted: the load's own fault.
    """

    def __init__(self, server: Server, agents: list[Link]) -> None:
        super().__init__(server, agents)
        self._agents = agents
        self._ids = count()
        self._sent: dict[str, float] = {}
        self._idle = asyncio.Event()
        self.accepted: list[float] = []
        self.ended: list[float] = []
        self.late: list[float] = []
        for link in agents:
            link.on_message = self._received

    @classmethod
    async def open(cls, server: Server, agents: int) -> Commands:
        """Connect one session for each agent."""
        extensions = range(FIRST_EXTENSION, FIRST_EXTENSION + agents)
        paths = [speech.bridge_path(str(extension)) for extension in extensions]
        return cls(server, await connect_all(server.port, paths, speech.greeted))

    async def round(self, rate: float, seconds: float) -> Span:
        """Send ``rate`` commands a second, and wait for all outcomes."""
        self.accepted, self.ended = [], []
        with span(self.server) as measured:
            self.late = await paced(rate, round(rate * seconds), self._send)
            await asyncio.wait_for(self._idle.wait(), TIMEOUT_SECONDS)
        measured.count = len(self.ended)
        return measured

    def _send(self) -> None:
        number = next(self._ids)
        turn, agent = divmod(number, len(self._agents))
        command_id = f"c{number}"
        frame = client_frame(speech.message(_STATES[turn % 2], {}, command_id))
        self._idle.clear()
        self._sent[command_id] = now()
        self._agents[agent].transport.write(frame)

    def _received(self, payload: bytes) -> None:
        arrived = now()
        if payload.startswith(speech.ACCEPTED):
            self.accepted.append(arrived - self._sent[speech.correlation(payload)])
        elif payload.startswith(speech.COMPLETED):
            self.ended.append(arrived - self._sent.pop(speech.correlation(payload)))
            if not self._sent:
                self._idle.set()
        else:
            raise LoadError(f"neither accepted nor completed: {payload.decode()}")
