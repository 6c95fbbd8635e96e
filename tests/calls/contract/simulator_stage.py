"""The simulated switch on the stage. It is inside the adapter, so the outside world acts on it there."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

from bridge.calls.adapter import CallRequest
from bridge.calls.model import AgentStatus
from bridge.calls.simulator.adapter import SimulatorAdapter
from bridge.calls.simulator.script import FAULTLESS, Script
from tests.calls.contract.stage import Seat, Shown, Stage, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.calls.adapter import Adapter, Request
    from bridge.calls.model import Action
    from bridge.calls.simulator.desks import Notification
    from bridge.calls.timers import Timer

REACTION_SECONDS = 0.005


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _call_later(seconds: float, callback: Callable[[], None], /) -> Timer:
    return asyncio.get_running_loop().call_later(seconds, callback)


class SimulatorStage(Stage):
    """The switch of the latest adapter that was made."""

    checks_passwords = False
    outlives_adapter = False

    def __init__(self) -> None:
        self._adapter: SimulatorAdapter
        self._mute: set[tuple[str, Action]] = set()
        self._numbers = count(6001)
        self._seats = count(1)

    def adapter(self) -> Adapter:
        self._adapter = SimulatorAdapter(
            call_later=_call_later, now=_now, reaction_seconds=REACTION_SECONDS, script=self._script
        )
        return self._adapter

    def _script(self, request: Request) -> Script:
        if isinstance(request, CallRequest) and (request.workspace, request.action) in self._mute:
            self._mute.remove((request.workspace, request.action))
            return Script(mute=True)
        return FAULTLESS

    def seat(self) -> Seat:
        number = next(self._seats)
        return Seat(f"desk-{number}", f"agent{number}", str(7000 + number), "secret")

    def number(self) -> str:
        return str(next(self._numbers))

    async def calls(self, seat: Seat, number: str, variables: Mapping[str, str]) -> None:
        self._happens(self._adapter._switch.offer(seat.extension, number, variables))

    async def answers(self, seat: Seat, address: str) -> None:
        self._happens(self._adapter._switch.party_answer(address, seat.extension))

    async def hangs_up(self, seat: Seat, address: str) -> None:
        self._happens(self._adapter._switch.party_drop(address, seat.extension))

    async def loses_the_answer(self, seat: Seat, action: Action) -> None:
        self._mute.add((seat.workspace, action))

    async def truth(self, seat: Seat) -> Truth:
        agent = self._adapter._roster.agent(seat.workspace)
        calls = self._adapter._switch.calls_of(seat.extension)
        status = agent.status if agent is not None else AgentStatus.LOGOUT
        return Truth(status, {call.id: Shown.of(call) for call in calls})

    def _happens(self, notifications: Iterable[Notification]) -> None:
        """Tell what nobody asked for over the bridge: ``PartyAnswer`` and its like are requests, with causes."""
        self._adapter._tell(self._adapter._changes(notifications, None))
