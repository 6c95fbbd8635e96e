"""Agents' desks at an adapter, without a broker: requests without ceremony, and what was told about each."""

from __future__ import annotations

import asyncio
import sys
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

from bridge.calls.adapter import CallChanged, CallEnded, CallRequest, ChangeStatus, Failure, ReadAgent
from bridge.calls.model import Action, CallState, Connection, ParticipantState
from tests.calls.contract.recorder import PATIENCE_SECONDS, Recorder
from tests.calls.contract.stage import Shown, Truth

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bridge.calls.adapter import Request
    from bridge.calls.model import Agent, AgentStatus, Call
    from tests.calls.contract.stage import Seat, Stage

CUSTOMER = "+15550100"

_requests = count(1)


class Floor:
    """One adapter on a stage, and whoever sits there."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.adapter = stage.adapter()
        self.recorder = Recorder()
        self.desks: list[Desk] = []

    def desk(self, seat: Seat | None = None) -> Desk:
        """Attach a workspace whose agent has not signed in."""
        desk = Desk(self, seat or self.stage.seat())
        self.recorder.attached.add(desk.workspace)
        self.adapter.attach(desk.workspace)
        self.adapter.occupied(desk.workspace)
        return desk

    async def signed_in(self, seat: Seat | None = None) -> Desk:
        """Attach a workspace and sign its agent in."""
        desk = self.desk(seat)
        await desk.sign_in()
        return desk

    def submit(self, request: Request) -> str:
        recorder = self.recorder
        recorder.answers[request.id] = []
        recorder.submitting = True
        try:
            self.adapter.submit(request)
        finally:
            recorder.submitting = False
        return request.id

    async def stop(self) -> None:
        await self.adapter.stop()
        self.recorder.stopped = True

    async def settled(self) -> None:
        """Wait until every picture is the truth."""
        for desk in self.desks:
            await desk.settled()


@asynccontextmanager
async def opened(stage: Stage) -> AsyncIterator[Floor]:
    """Start an adapter, and stop it; no promise may have been broken meanwhile."""
    floor = Floor(stage)
    floor.adapter.start(floor.recorder)
    try:
        yield floor
    finally:
        if not floor.recorder.stopped:
            await floor.stop()
        sys.stdout.write("\n".join(["what the adapter told:", *floor.recorder.log, ""]))  # pytest shows it on failure
    assert floor.recorder.broken == []


class Desk:
    """One workspace."""

    def __init__(self, floor: Floor, seat: Seat) -> None:
        self.floor = floor
        self.seat = seat
        self._asked_at: dict[str, int] = {}

    @property
    def workspace(self) -> str:
        return self.seat.workspace

    @property
    def extension(self) -> str:
        return self.seat.extension

    @property
    def requests(self) -> set[str | None]:
        """The ids of what was asked here."""
        return set(self._asked_at)

    # What was told

    @property
    def calls(self) -> Mapping[str, Call]:
        return self.floor.recorder.picture(self.workspace).calls

    @property
    def agent(self) -> Agent | None:
        return self.floor.recorder.picture(self.workspace).agent

    @property
    def status(self) -> AgentStatus | None:
        return self.agent.status if self.agent is not None else None

    @property
    def connection(self) -> Connection | None:
        return self.floor.recorder.picture(self.workspace).connection

    def part(self, call: str) -> ParticipantState | None:
        """Give the agent's own state in a call, ``None`` when it is not there."""
        party = self.calls[call].participant(self.extension) if call in self.calls else None
        return party.state if party is not None else None

    def may(self, call: str) -> set[Action]:
        """Give what the agent may do there, as it was told."""
        party = self.calls[call].participant(self.extension)
        return set(party.actions) if party is not None else set()

    def told(self, since: int = 0) -> list[CallChanged | CallEnded]:
        """Give what was told about this desk's calls."""
        return [
            change
            for change in self.floor.recorder.changes[since:]
            if isinstance(change, CallChanged | CallEnded) and change.workspace == self.workspace
        ]

    @property
    def now(self) -> int:
        """This moment, for ``told``."""
        return len(self.floor.recorder.changes)

    async def until(self, condition: Callable[[], object], what: str = "it") -> None:
        await self.floor.recorder.until(condition, what)

    async def until_part(self, call: str, *states: ParticipantState | None) -> None:
        wanted = " or ".join(str(state) for state in states)
        await self.until(lambda: self.part(call) in states, f"{self.extension} being {wanted} in {call}")

    async def settled(self) -> None:
        """Wait until what was told is what the switch has."""
        truth: Truth | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.seen() != (truth := await self.floor.stage.truth(self.seat)):
                    await self.floor.recorder.more()
        except TimeoutError:
            assert self.seen() == truth, "\n".join(self.floor.recorder.log)

    def seen(self) -> Truth | None:
        """Give what was told, as the truth has it."""
        if self.status is None:
            return None
        return Truth(self.status, {call.id: Shown.of(call) for call in self.calls.values()})

    # What the agent asks

    def submit(self, request: Request) -> str:
        self._asked_at[request.id] = self.now
        return self.floor.submit(request)

    def ask(self, action: Action, call: str | None = None, **arguments: Any) -> str:
        """Ask for an action; give the request's id."""
        return self.submit(CallRequest(next_id(), self.workspace, action, call, **arguments))

    def ask_status(self, status: AgentStatus, reason: str | None = None) -> str:
        return self.submit(ChangeStatus(next_id(), self.workspace, status, reason))

    def ask_for_agent(self) -> str:
        return self.submit(ReadAgent(next_id(), self.workspace))

    def ask_to_sign_in(self, seat: Seat | None = None) -> str:
        return self.submit((seat or self.seat).sign_in(next_id()))

    async def taken(self, request: str) -> None:
        """Wait for the answer to a request; it may not be a refusal."""
        answers = self.floor.recorder.answers[request]
        await self.until(lambda: answers, f"the answer to {request}")
        assert answers == ["taken"]

    async def refused(self, request: str) -> Failure:
        """Wait until a request is refused, at once or after it was taken."""
        answers = self.floor.recorder.answers[request]
        await self.until(lambda: answers and isinstance(answers[-1], Failure), f"the refusal of {request}")
        failure = answers[-1]
        assert isinstance(failure, Failure)
        assert failure.error_type
        assert failure.message
        return failure

    async def did(self, request: str, condition: Callable[[], object]) -> list[CallChanged | CallEnded]:
        """Wait until a request was taken and shows; give what was told about calls since it was asked."""
        await self.taken(request)
        await self.until(condition, f"the result of {request}")
        await self.floor.settled()
        return self.told(self._asked_at[request])

    async def sign_in(self) -> str:
        """Sign in and wait until it shows; from here on the desk's picture can be compared with the truth."""
        request = self.ask_to_sign_in()
        await self.taken(request)
        await self.until(lambda: self.connection is Connection.CONNECTED and self.agent is not None)
        if self not in self.floor.desks:
            self.floor.desks.append(self)
        return request

    # Beginnings

    async def rings(self, **variables: str) -> str:
        """Let a customer's call ring here; give its id."""
        before = set(self.calls)
        await self.floor.stage.calls(self.seat, CUSTOMER, variables)
        await self.until(lambda: set(self.calls) - before, "the customer's call")
        (call,) = set(self.calls) - before
        return call

    async def talks(self) -> str:
        """Be in a customer's call; give its id."""
        call = await self.rings()
        await self.did(self.ask(Action.ANSWER, call), lambda: self.part(call) is ParticipantState.ACTIVE)
        return call

    async def consults(self, call: str, number: str) -> str:
        """Consult until it rings there, has failed, or was answered already; give the consult call's id."""
        return await self._dials(self.ask(Action.CONSULT_CALL, call, to_address=number))

    async def dials(self, number: str) -> str:
        """Make a call until it rings there or has failed; give its id."""
        return await self._dials(self.ask(Action.MAKE_CALL, to_address=number))

    async def _dials(self, request: str) -> str:
        before = set(self.calls)
        reached = {CallState.ALERTING, CallState.ACTIVE, CallState.FAILED}

        def new() -> set[str]:
            return set(self.calls) - before

        await self.did(request, lambda: any(self.calls[call].state in reached for call in new()))
        (call,) = new()
        return call

    async def until_joinable(self, call: str) -> None:
        """Wait until a held call may be joined to the active one."""
        await self.until(lambda: {Action.TRANSFER, Action.CONFERENCE} <= self.may(call), f"{call} may be joined")

    async def answered(self, call: str, number: str) -> None:
        """Let the party at ``number`` answer by telephone."""
        await self.floor.stage.answers(self.seat, number)
        await self.until_part(call, ParticipantState.ACTIVE)
        await self.floor.settled()

    async def consulting(self) -> tuple[str, str]:
        """Hold a customer's call and speak with somebody about it; give both ids."""
        call = await self.talks()
        number = self.floor.stage.number()
        consult = await self.consults(call, number)
        await self.answered(consult, number)
        await self.until_joinable(call)
        return call, consult


def next_id() -> str:
    """Give an id that no request has."""
    return f"r{next(_requests)}"


def causes(changes: list[CallChanged | CallEnded]) -> set[str | None]:
    """Give what changes were caused by."""
    return {change.cause for change in changes}


def of(changes: list[CallChanged | CallEnded], call: str) -> list[CallChanged | CallEnded]:
    """Give the changes of one call."""
    return [change for change in changes if change.call.id == call]
