"""What state an agent is in: what it set itself, and what its calls make of that.

While an agent speaks it is ``TALKING``; with all calls on hold it is ``HOLD`` on CCE and stays ``TALKING`` on CCX,
where only routed calls count. After the last call it is what it was before, or what it asked for meanwhile, which
stands in ``pendingState`` until then. (Finesse developer guide, "User APIs".)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bridge.calls.model import AgentStatus, ParticipantState

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bridge.calls.model import Call
    from bridge.finesse_simulator.accounts import Account
    from bridge.finesse_simulator.profile import Profile

FORCED_LOGOUT_REASON: Final = "255"
"""The agent's XMPP presence was gone for too long."""

CALLS_REASON: Final = "50006"
"""A READY agent makes a call."""


@dataclass(slots=True)
class Seat:
    """One agent's place. ``extension`` is empty while nobody is signed in; ``changed`` is RFC 3339, UTC."""

    account: Account
    extension: str = ""
    set_by_agent: AgentStatus = AgentStatus.LOGOUT
    shown: AgentStatus = AgentStatus.LOGOUT
    pending: AgentStatus | None = None
    reason: str = ""
    system_reason: bool = False
    changed: str = ""
    pending_reason: str = ""

    @property
    def signed_in(self) -> bool:
        """Whether the agent is at work."""
        return self.set_by_agent is not AgentStatus.LOGOUT

    @property
    def in_call(self) -> bool:
        """Whether calls decide about the state now."""
        return self.shown in {AgentStatus.TALKING, AgentStatus.HOLD}

    def sign_in(self, extension: str, now: str) -> None:
        """Begin to work there, NOT_READY."""
        self.extension = extension
        self._settle(AgentStatus.NOT_READY, "", now)

    def sign_out(self, reason: str, now: str, *, forced: bool = False) -> None:
        """Stop working."""
        self.extension = ""
        self._settle(AgentStatus.LOGOUT, reason, now, by_system=forced)

    def ask(self, status: AgentStatus, reason: str, now: str, *, by_system: bool = False) -> None:
        """Take over the state that was asked for: now, or after the calls."""
        if self.in_call:
            self.pending, self.pending_reason, self.system_reason = status, reason, by_system
        else:
            self._settle(status, reason, now, by_system=by_system)

    def follow(self, calls: Sequence[Call], profile: Profile, routed: Collection[str], now: str) -> None:
        """Look at the calls the agent has now; ``routed`` are the ids of those that came from a queue."""
        status = self._by_calls(calls, profile, routed)
        if status is not None:
            if status is not self.shown:
                self.shown, self.changed = status, now
        elif self.in_call:
            self._settle(self.pending or self.set_by_agent, self.pending_reason if self.pending else self.reason, now)

    def _by_calls(self, calls: Sequence[Call], profile: Profile, routed: Collection[str]) -> AgentStatus | None:
        states = {
            party.state
            for call in calls
            if (profile.follows_all_calls or call.id in routed) and (party := call.participant(self.extension))
        }
        if ParticipantState.ACTIVE in states:
            return AgentStatus.TALKING
        if ParticipantState.HELD in states:
            return AgentStatus.HOLD if profile.shows_hold else AgentStatus.TALKING
        return None

    def _settle(self, status: AgentStatus, reason: str, now: str, *, by_system: bool | None = None) -> None:
        self.set_by_agent = self.shown = status
        self.reason, self.changed = reason, now
        if by_system is not None:
            self.system_reason = by_system
        self.pending, self.pending_reason = None, ""
