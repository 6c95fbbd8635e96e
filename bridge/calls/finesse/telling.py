"""What the bus is told of one agent, and when.

While the session is live every change is told at once. While it is blind changes of calls are kept, and told in their
order when it is live again: before what the reading adds, and after the agent, since calls are shown as the agent's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bridge.calls.adapter import AgentChanged, ConnectionChanged
from bridge.calls.model import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.calls.adapter import AdapterEvents, Change
    from bridge.calls.finesse.endings import Over
    from bridge.calls.model import Agent


class Telling:
    """The voice of one session, from its first word to its last."""

    def __init__(self, workspace: str, events: AdapterEvents) -> None:
        self.live = False
        self._workspace = workspace
        self._events = events
        self._was_live = False
        self._untold: list[Change] = []

    def tell(self, changes: Sequence[Change]) -> None:
        """Tell changes now, or when the session is live again."""
        if self.live and changes:
            self._events.changed(changes)
        elif changes:
            # How the agent's state came about meanwhile is past: it is told as it is then.
            self._untold += [change for change in changes if not isinstance(change, AgentChanged)]

    def come_up(self, agent: Agent, changes: Sequence[Change], cause: str | None) -> None:
        """Tell that all calls are seen, and how they are; ``cause`` is the sign-in that asked for it, if one did."""
        untold, self._untold = self._untold, []
        self.live = self._was_live = True
        self._events.changed(
            [
                ConnectionChanged(self._workspace, Connection.CONNECTED, cause),
                AgentChanged(self._workspace, agent, cause),
                *untold,
                *changes,
            ]
        )

    def go_blind(self, reason: str) -> None:
        """Tell that the calls are not seen for a while."""
        self.live = False
        self._events.changed([ConnectionChanged(self._workspace, Connection.RECONNECTING, reason=reason)])

    def end(self, agent: Agent | None, over: Over) -> None:
        """Tell that nobody is signed in any more."""
        self.live = False
        changes: list[Change] = []
        if agent is not None and self._was_live:
            changes.append(AgentChanged(self._workspace, replace(agent, status=over.status), over.cause))
        changes.append(ConnectionChanged(self._workspace, Connection.SIGNED_OUT, over.cause, over.reason))
        self._events.changed(changes)
