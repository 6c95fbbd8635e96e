"""What one agent's notifications and readings mean for the bus: changes with their causes.

Pure: no I/O, no clock but the one that is given. ``picture`` knows the calls, ``correlation`` the open requests.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from bridge.calls.adapter import AgentChanged, CallChanged, CallEnded
from bridge.calls.finesse.correlation import Correlation
from bridge.calls.finesse.picture import Picture

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.calls.adapter import Change, Failure
    from bridge.calls.finesse.notifications import DialogNotice, ErrorNotice, UserNotice
    from bridge.calls.finesse.picture import Difference
    from bridge.calls.model import Agent, Call


class Mark(NamedTuple):
    """A moment, to compare what was read with what has been told since."""

    calls: int
    agent: int


class View:
    """One agent as Finesse tells of it."""

    def __init__(self, workspace: str, extension: str, clock: Callable[[], float]) -> None:
        self.agent: Agent | None = None
        self.picture = Picture()
        self.correlation = Correlation(extension, clock)
        self._workspace = workspace
        self._extension = extension
        # How often the agent's state was told.
        self._agent_told = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """The agent's calls, the oldest first."""
        return tuple(self.picture.calls.values())

    def dialogs(self, notice: DialogNotice) -> tuple[list[Change], bool]:
        """Take in a notification of calls: what it changes, and whether it leaves a doubt."""
        changes: list[Change] = []
        doubtful = False
        for call in notice.calls:
            seen = self.picture.notice(notice.event, call)
            doubtful = doubtful or seen.doubtful
            if seen.difference is not None:
                changes.append(self._call_change(notice.request_id, seen.difference))
        return changes, doubtful

    def user(self, notice: UserNotice) -> list[Change]:
        """Take in a notification of the agent's state."""
        self._agent_told += 1
        return self._agent_change(notice.request_id, notice.agent)

    def mark(self) -> Mark:
        """Remember this moment: call it when a reading is asked for."""
        return Mark(self.picture.mark(), self._agent_told)

    def agent_reading(self, mark: Mark, agent: Agent) -> list[Change]:
        """Take in the agent's state as it was read after ``mark``; what was told since then is newer."""
        return [] if self._agent_told > mark.agent else self._agent_change(None, agent)

    def reading(self, mark: Mark, agent: Agent, calls: Sequence[Call]) -> list[Change]:
        """Take in agent and calls as they were read after ``mark``; what was told since then is newer."""
        changes = self.agent_reading(mark, agent)
        changes += [self._call_change(None, difference) for difference in self.picture.reconcile(mark.calls, calls)]
        return changes

    def error(self, notice: ErrorNotice) -> tuple[str, Failure] | None:
        """Return which request an asynchronous error refuses, ``None`` where it is nobody's on the bus."""
        request = self.correlation.cause_of_error(notice.request_id, notice.dialog, notice.failure.message)
        return None if request is None else (request, notice.failure)

    def _agent_change(self, told: str | None, agent: Agent) -> list[Change]:
        # Finesse leaves the extension of an agent who is not signed in empty.
        agent = agent if agent.extension else replace(agent, extension=self._extension)
        if agent == self.agent:
            return []
        self.agent = agent
        return [AgentChanged(self._workspace, agent, self.correlation.cause_of_agent(told, agent))]

    def _call_change(self, told: str | None, difference: Difference) -> Change:
        call = difference.after
        cause = self.correlation.cause_of_call(told, difference)
        origin = self.correlation.origin_of(call.id)
        if origin is not None:
            call = self.picture.consulted(call, origin)
        change = CallEnded if difference.ended else CallChanged
        return change(self._workspace, call, cause)
