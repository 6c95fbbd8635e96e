"""Listens to an adapter as call control does, keeps everything, and notes every broken promise.

What is noted here holds at any moment, whatever a test is about. A broken promise is noted instead of raised: an
adapter may call from a task of its own, where an exception would get lost.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bridge.calls.adapter import AgentChanged, CallChanged, CallEnded, ConnectionChanged
from bridge.calls.model import AgentStatus, Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.calls.adapter import Change, Failure
    from bridge.calls.model import Agent, Call

PATIENCE_SECONDS = 10.0
"""How long something that must come may take: a loaded machine is slow, a wrong adapter never gets there."""

SHOWN = 30
"""How many things that were told a failed wait lists."""


@dataclass(slots=True)
class Picture:
    """One workspace, by what was told."""

    connection: Connection | None = None
    agent: Agent | None = None
    calls: dict[str, Call] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reread:
    """One answer to ``read``."""

    workspace: str
    agent: Agent | None
    calls: tuple[Call, ...]


class Recorder:
    """Everything that one adapter tells."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.broken: list[str] = []
        self.changes: list[Change] = []
        self.rereads: list[Reread] = []
        self.answers: dict[str, list[str | Failure]] = {}
        """To each request: ``taken``, ``unanswered``, or why it was refused."""
        self.attached: set[str] = set()
        self.submitting = False
        self.stopped = False
        self._pictures: dict[str, Picture] = {}
        self._told = asyncio.Event()

    def picture(self, workspace: str) -> Picture:
        """Give what was told about a workspace."""
        return self._pictures.setdefault(workspace, Picture())

    async def until(self, condition: Callable[[], object], what: str = "it") -> None:
        """Wait until a condition holds; it is looked at whenever something was told."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not condition():
                    await self.more()
        except TimeoutError:
            told = "\n  ".join(["what was told:", *self.log[-SHOWN:]])
            raise AssertionError(f"{what} did not come about; {told}") from None

    async def more(self) -> None:
        """Wait until something is told."""
        self._told.clear()
        await self._told.wait()

    # AdapterEvents

    def taken(self, request: str) -> None:
        self._answer(request, "taken")

    def unanswered(self, request: str) -> None:
        self._answer(request, "unanswered")

    def refused(self, request: str, failure: Failure) -> None:
        self._answer(request, failure)

    def changed(self, changes: Sequence[Change]) -> None:
        self._happened(f"changed {[_line(change) for change in changes]}")
        self._promised(len(changes) > 0, "a batch holds something")
        for change in changes:
            self.changes.append(change)
            self._promised(change.workspace in self.attached, "only attached workspaces are told")
            self._promised(
                change.cause is None or change.cause in self.answers, "a cause is a request that was submitted"
            )
            self._take_in(change)

    def reread(self, workspace: str, agent: Agent | None, calls: Sequence[Call]) -> None:
        self._happened(f"reread {workspace} {agent and agent.status} {[call.id for call in calls]}")
        self.rereads.append(Reread(workspace, agent, tuple(calls)))
        picture = self.picture(workspace)
        picture.agent = agent
        picture.calls = {call.id: call for call in calls}

    # Promises

    def _happened(self, line: str) -> None:
        self.log.append(line)
        self._promised(not self.submitting, "submit never calls back before it has returned")
        self._promised(not self.stopped, "nothing is told after stop")
        self._told.set()

    def _promised(self, kept: bool, promise: str) -> None:  # noqa: FBT001 reads as a sentence
        if not kept:
            self.broken.append(f"not kept: {promise}; at: {self.log[-1]}")

    def _answer(self, request: str, answer: str | Failure) -> None:
        self._happened(f"{answer} {request}")
        known = request in self.answers
        self._promised(known, "only what was submitted is answered")
        before = self.answers.setdefault(request, [])
        kinds = ["taken" if isinstance(each, str) else "refused" for each in (*before, answer)]
        self._promised(
            kinds in (["taken"], ["refused"], ["taken", "refused"]),
            "a request is taken at most once and refused at most once, in this order",
        )
        before.append(answer)

    def _take_in(self, change: Change) -> None:
        picture = self.picture(change.workspace)
        match change:
            case ConnectionChanged():
                picture.connection = change.connection
            case AgentChanged():
                picture.agent = change.agent
            case CallChanged(call=call):
                self._take_in_call(picture, call)
                picture.calls[call.id] = call
            case CallEnded(call=call):
                self._promised(call.id in picture.calls, "a call that ends was told before, and ends once")
                self._take_in_call(picture, call)
                picture.calls.pop(call.id, None)

    def _take_in_call(self, picture: Picture, call: Call) -> None:
        agent = picture.agent
        signed_in = agent is not None and agent.status is not AgentStatus.LOGOUT
        self._promised(
            signed_in and picture.connection is Connection.CONNECTED, "calls are told of who is signed in and connected"
        )
        own = agent is not None and call.participant(agent.extension) is not None
        self._promised(own, "only the agent's own calls are told")
        known = picture.calls.get(call.id)
        for party in call.participants:
            before = known.participant(party.address) if known is not None else None
            in_order = before is None or party.state_change_time >= before.state_change_time
            self._promised(in_order, "the changes of a call come in the order in which they happened")


def _line(change: Change) -> str:
    cause = f" because of {change.cause}" if change.cause else ""
    match change:
        case ConnectionChanged():
            what = f"connection {change.connection.value}" + (f" ({change.reason})" if change.reason else "")
        case AgentChanged():
            what = f"agent {change.agent.login_id} {change.agent.status.value}"
        case CallChanged(call=call) | CallEnded(call=call):
            parties = ", ".join(f"{party.address} {party.state.value}" for party in call.participants)
            what = f"{type(change).__name__} {call.id} {call.state.value}: {parties}"
    return f"{change.workspace} {what}{cause}"
