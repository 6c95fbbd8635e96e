"""What call control knows of one workspace: its agent, the agent's calls, the commands under way."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from bridge.calls.model import Agent, AgentStatus, Call, CallState, Connection, Participant, ParticipantState
from bridge.protocol import cisco

if TYPE_CHECKING:
    from bridge.broker.gate import Command
    from bridge.calls.adapter import Request
    from bridge.calls.timers import Timer

DIALLING = frozenset({ParticipantState.INITIATING, ParticipantState.INITIATED})
"""A party in one of these has called and hears nothing yet."""


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call of the agent, and the topic that its events go by."""

    call: Call
    topic: str


class Stage(Enum):
    """How far a command has come."""

    QUEUED = "queued"
    HANDED = "handed"
    TAKEN = "taken"
    UNANSWERED = "unanswered"
    """The switch may have got it or not."""
    EXPIRING = "expiring"
    """Its time is over, the state is being read afresh."""
    ENDED = "ended"


class Pending:
    """One accepted command on its way to its outcome."""

    __slots__ = ("accepted_at", "agent", "command", "new_call", "partner", "request", "stage", "taken", "timer")

    def __init__(self, command: Command, request: Request, accepted_at: float) -> None:
        self.command = command
        self.request = request
        self.accepted_at = accepted_at
        self.stage = Stage.QUEUED
        self.taken = False
        self.timer: Timer | None = None

        # Learnt on the way: whose it is, the call that it made, and the active call that it joins or leaves with.
        self.agent: str | None = None
        self.new_call: str | None = None
        self.partner: str | None = None

    @property
    def call(self) -> str | None:
        """The call that the command names, or has made."""
        return getattr(self.request, "call", None) or self.new_call


class Desk:
    """Call control's picture of one workspace."""

    __slots__ = ("agent", "calls", "connection", "handed", "outstanding", "queue", "since", "workspace")

    def __init__(self, workspace: str, since: str) -> None:
        self.workspace = workspace

        # What the switch has told.
        self.connection: Connection | None = None
        self.since = since
        self.agent: Agent | None = None
        self.calls: dict[str, KnownCall] = {}

        # Commands: in line, given to the switch and not yet taken, and all without an outcome.
        self.queue: deque[Pending] = deque()
        self.handed: Pending | None = None
        self.outstanding: dict[str, Pending] = {}

    @property
    def extension(self) -> str | None:
        """The extension of the signed-in agent, ``None`` when nobody is signed in."""
        if self.agent is None or self.agent.status is AgentStatus.LOGOUT or self.connection is Connection.SIGNED_OUT:
            return None
        return self.agent.extension

    @property
    def signed_in(self) -> str | None:
        """The login id of the agent, ``None`` when nobody is signed in."""
        return None if self.agent is None or self.extension is None else self.agent.login_id

    def own_part(self, call: Call) -> Participant | None:
        """Return the agent's own part in a call."""
        extension = self.extension
        return call.participant(extension) if extension is not None else None

    def own_state(self, call_id: str) -> ParticipantState | None:
        """Return the agent's state in one of its calls, ``None`` where there is no such call."""
        known = self.calls.get(call_id)
        part = self.own_part(known.call) if known is not None else None
        return part.state if part is not None else None

    def active_call(self) -> str | None:
        """Return the id of the call that the agent talks in."""
        for call_id in self.calls:
            if self.own_state(call_id) is ParticipantState.ACTIVE:
                return call_id
        return None

    def topic_of(self, call: Call) -> str:
        """Give the topic for a call's events: fixed at its first event.

        A consult goes by the call that it was placed from; else by who started the call.
        """
        known = self.calls.get(call.id)
        if known is not None:
            return known.topic
        origin = self.calls.get(call.associated) if call.associated is not None else None
        if origin is not None:
            return origin.topic
        return cisco.OUTBOUND if call.from_address == self.extension else cisco.INBOUND

    def call_state(self, call_id: str) -> CallState | None:
        """Return the state of one of the agent's calls, ``None`` where there is no such call."""
        known = self.calls.get(call_id)
        return known.call.state if known is not None else None
