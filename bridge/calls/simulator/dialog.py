"""One call inside the switch, mutable: its parties, and what its state is by theirs.

The state of a dialog is never stored: it follows from its parties', so that no operation can leave the two at odds.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.calls.model import Call, CallState, Participant, ParticipantState

if TYPE_CHECKING:
    from bridge.calls.model import Action, Cause


class CallType(StrEnum):
    """Finesse's ``callType`` values that the switch gives."""

    PREROUTE_ACD_IN = "PREROUTE_ACD_IN"
    OUT = "OUT"
    AGENT_INSIDE = "AGENT_INSIDE"
    CONSULT = "CONSULT"
    TRANSFER = "TRANSFER"
    CONFERENCE = "CONFERENCE"


_CONNECTED = frozenset({ParticipantState.ACTIVE, ParticipantState.HELD})

# Whose state counts when one address was in both of two joined calls: the further on, the better.
_PRECEDENCE = (ParticipantState.ALERTING, ParticipantState.HELD, ParticipantState.ACTIVE)


@dataclass(slots=True, eq=False)
class Party:
    """One party of a dialog. Whether it is an agent is settled when it joins."""

    address: str
    is_agent: bool
    state: ParticipantState
    start_time: str
    state_change_time: str
    cause: Cause | None = None
    ringing_since: int = 0
    """Place in the order of all that ever rang at the switch; times of a clock may be equal, this is not."""

    def enter(self, state: ParticipantState, now: str, cause: Cause | None = None) -> None:
        """Change the state; the time of a state that stays is kept."""
        if state is not self.state:
            self.state, self.state_change_time, self.cause = state, now, cause

    def snapshot(self, actions: tuple[Action, ...]) -> Participant:
        """Give the party as it looks now, with the actions found for it."""
        return Participant(
            self.address, self.state, actions, self.is_agent, self.cause, self.start_time, self.state_change_time
        )


@dataclass(slots=True, eq=False)
class Dialog:
    """One call of the switch. ``variables`` is replaced, never altered: snapshots share it."""

    id: str
    from_address: str
    to_address: str
    call_type: CallType
    parties: list[Party] = field(default_factory=list)
    associated: str | None = None
    secondary_id: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    dialling: str = ""
    """The number that is being dialled, until it rings or fails."""
    told: dict[str, Call] = field(default_factory=dict)
    """What each of its agents saw of it last, by extension."""

    @property
    def state(self) -> CallState:
        """State of the whole: ACTIVE while two are connected, on hold or not, else what the calling side sees."""
        states = [party.state for party in self.living()]
        if not states:
            return CallState.DROPPED
        connected = sum(state in _CONNECTED for state in states)
        if connected > 1:
            return CallState.ACTIVE
        if ParticipantState.ALERTING in states:
            return CallState.ALERTING
        return CallState.ACTIVE if connected else CallState(states[0].value)

    def party(self, address: str) -> Party | None:
        """Return the party with that address, ``None`` if there is none."""
        return next((party for party in self.parties if party.address == address), None)

    def agent(self, extension: str) -> Party:
        """Return the agent's party of that extension.

        Raises:
            LookupError: No such agent is in the call.
        """
        for party in self.parties:
            if party.is_agent and party.address == extension:
                return party
        raise LookupError(extension)

    def agents(self) -> list[str]:
        """Return the extensions of all agents in the call."""
        return [party.address for party in self.parties if party.is_agent]

    def living(self) -> list[Party]:
        """Return the parties that have not hung up."""
        return [party for party in self.parties if party.state is not ParticipantState.DROPPED]

    def is_over(self) -> bool:
        """Say whether fewer than two parties are left, or only such that are being rung."""
        living = self.living()
        return len(living) < 2 or all(party.state is ParticipantState.ALERTING for party in living)  # noqa: PLR2004

    def joined_with(self, other: Dialog) -> list[Party]:
        """Return copies of the parties that both calls would have as one; an address in both becomes one party."""
        parties = {party.address: replace(party) for party in self.parties}
        for theirs in other.parties:
            ours = parties.get(theirs.address)
            parties[theirs.address] = replace(theirs if ours is None else _further(ours, theirs))
        return list(parties.values())

    def drop_all(self, now: str) -> None:
        """Let every party hang up."""
        for party in self.parties:
            party.enter(ParticipantState.DROPPED, now)

    def snapshot(self, participants: tuple[Participant, ...]) -> Call:
        """Give the call as it looks now, with the participants found for it."""
        return Call(
            id=self.id,
            state=self.state,
            from_address=self.from_address,
            to_address=self.to_address,
            call_type=self.call_type,
            participants=participants,
            associated=self.associated,
            secondary_id=self.secondary_id,
            variables=self.variables,
        )


def _further(ours: Party, theirs: Party) -> Party:
    """Choose between two parties of one address; an agent's comes before a stranger's with the same number."""
    if ours.is_agent is not theirs.is_agent:
        return ours if ours.is_agent else theirs
    return max(ours, theirs, key=lambda party: _PRECEDENCE.index(party.state))
