"""The simulator's adapter on a clock of its own: nothing here waits."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from bridge.calls.adapter import (
    CallRequest,
    Change,
    Failure,
    OfferCall,
    Request,
)
from bridge.calls.model import Action, Agent, Call
from bridge.calls.simulator.adapter import SimulatorAdapter
from bridge.calls.simulator.script import FAULTLESS, Script
from tests.calls.simulator.switch_story import CUSTOMER, ticking_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

REACTION = 0.02


@dataclass
class Timer:
    callback: Callable[[], None]
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class Clock:
    """A scheduler that runs what is due when told how much time goes by."""

    def __init__(self) -> None:
        self.time = 0.0
        self._due: list[tuple[float, int, Timer]] = []
        self._order = count()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(callback)
        heappush(self._due, (self.time + seconds, next(self._order), timer))
        return timer

    def pass_by(self, seconds: float) -> None:
        end = self.time + seconds + 1e-9
        while self._due and self._due[0][0] <= end:
            self.time, _, timer = heappop(self._due)
            if not timer.cancelled:
                timer.callback()
        self.time = end


@dataclass
class Told:
    """Everything that the adapter told, in order."""

    all: list[object] = field(default_factory=list)

    def taken(self, request: str) -> None:
        self.all.append(("taken", request))

    def refused(self, request: str, failure: Failure) -> None:
        self.all.append(("refused", request, failure))

    def unanswered(self, request: str) -> None:
        self.all.append(("unanswered", request))

    def changed(self, changes: Sequence[Change]) -> None:
        self.all.append(list(changes))

    def reread(self, workspace: str, agent: Agent | None, calls: Sequence[Call]) -> None:
        self.all.append(("reread", workspace, agent, list(calls)))

    def take(self) -> list[object]:
        told, self.all = self.all, []
        return told


class Desk:
    """The adapter, its clock, what it told, and requests without ceremony."""

    def __init__(self, script: Callable[[Request], Script] = lambda _: FAULTLESS, reaction: float = REACTION) -> None:
        self.clock, self.told = Clock(), Told()
        self.adapter = SimulatorAdapter(
            call_later=self.clock.call_later, now=ticking_clock(), reaction_seconds=reaction, script=script
        )
        self.adapter.start(self.told)
        self._ids = count(1)

    def attach(self, *workspaces: str) -> None:
        for workspace in workspaces:
            self.adapter.attach(workspace)
        self.told.take()

    def does(self, request: Request) -> list[object]:
        """Submit, let enough time go by, and return what was told."""
        self.adapter.submit(request)
        self.clock.pass_by(10 * REACTION)
        return self.told.take()

    def offer(self, workspace: str = "demo") -> str:
        batch = self.does(OfferCall(self.next(), workspace, CUSTOMER))[0]
        assert isinstance(batch, list)
        call: Call = batch[0].call
        return call.id

    def talk(self, workspace: str = "demo") -> str:
        call = self.offer(workspace)
        self.does(CallRequest(self.next(), workspace, Action.ANSWER, call))
        return call

    def next(self) -> str:
        return f"r{next(self._ids)}"


def states(batch: object) -> list[tuple[str, str, str]]:
    """Of a batch of call changes: kind, workspace, state of the whole call."""
    assert isinstance(batch, list)
    return [(type(change).__name__, change.workspace, change.call.state.value) for change in batch]


def failure(told: list[object]) -> Failure:
    (refusal,) = told
    assert isinstance(refusal, tuple)
    kind, _, found = refusal
    assert kind == "refused"
    assert isinstance(found, Failure)
    return found
