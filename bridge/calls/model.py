"""What call control talks about: calls, participants, agents.

A call is what Cisco Finesse names a *dialog* (Finesse developer guide, "Dialog APIs"): one object that all agents in it
see alike. Names and values of the enumerations are Finesse's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class CallState(StrEnum):
    """State of a whole dialog. A held call's dialog stays ``ACTIVE``: hold shows on the participant only."""

    INITIATING = "INITIATING"
    INITIATED = "INITIATED"
    ALERTING = "ALERTING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    DROPPED = "DROPPED"


class ParticipantState(StrEnum):
    """State of one party in a dialog."""

    INITIATING = "INITIATING"
    INITIATED = "INITIATED"
    ALERTING = "ALERTING"
    ACTIVE = "ACTIVE"
    HELD = "HELD"
    FAILED = "FAILED"
    DROPPED = "DROPPED"
    WRAP_UP = "WRAP_UP"


class Action(StrEnum):
    """What an agent may ask of the switch."""

    MAKE_CALL = "MAKE_CALL"
    ANSWER = "ANSWER"
    HOLD = "HOLD"
    RETRIEVE = "RETRIEVE"
    DROP = "DROP"
    CONSULT_CALL = "CONSULT_CALL"
    TRANSFER = "TRANSFER"
    CONFERENCE = "CONFERENCE"
    TRANSFER_SST = "TRANSFER_SST"
    SEND_DTMF = "SEND_DTMF"
    UPDATE_CALL_DATA = "UPDATE_CALL_DATA"


class Cause(StrEnum):
    """Why a call failed (Finesse's ``stateCause``)."""

    BUSY = "BUSY"
    BAD_DESTINATION = "BAD_DESTINATION"
    OTHER = "OTHER"
    DEVICE_RESOURCE_NOT_AVAILABLE = "DEVICE_RESOURCE_NOT_AVAILABLE"


@dataclass(frozen=True, slots=True)
class Participant:
    """One party of a call. Times are RFC 3339, UTC, milliseconds."""

    address: str
    state: ParticipantState
    actions: tuple[Action, ...] = ()
    is_agent: bool = False
    cause: Cause | None = None
    start_time: str = ""
    state_change_time: str = ""

    def to_json(self) -> dict[str, Any]:
        """Give the participant in Finesse's JSON form."""
        return {
            "actions": {"action": [action.value for action in self.actions]},
            "mediaAddress": self.address,
            "mediaAddressType": "AGENT_DEVICE" if self.is_agent else "",
            "startTime": self.start_time,
            "state": self.state.value,
            "stateCause": self.cause.value if self.cause else "",
            "stateChangeTime": self.state_change_time,
        }


@dataclass(frozen=True, slots=True)
class Call:
    """One call, immutable: a change makes a new ``Call``.

    ``associated`` is the id of the call that this one was consulted from; ``secondary_id`` is the id of the call that
    was merged into this one by a transfer or a conference. ``from_address`` is ``None`` for a hidden caller. ``media``
    holds what else the switch tells in ``mediaProperties``, such as ``queueName``, under its own names.
    """

    id: str
    state: CallState
    from_address: str | None
    to_address: str
    call_type: str
    participants: tuple[Participant, ...]
    associated: str | None = None
    secondary_id: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    media: Mapping[str, str] = field(default_factory=dict)

    def participant(self, address: str) -> Participant | None:
        """Return the party with that address, or ``None``."""
        for participant in self.participants:
            if participant.address == address:
                return participant
        return None

    def to_json(self) -> dict[str, Any]:
        """Give the whole dialog in Finesse's JSON form."""
        return {
            "associatedDialogUri": f"/finesse/api/Dialog/{self.associated}" if self.associated else "",
            "fromAddress": self.from_address,
            "id": self.id,
            "secondaryId": self.secondary_id,
            "mediaType": "Voice",
            "mediaProperties": {
                "callType": self.call_type,
                "dialedNumber": self.to_address,
                "DNIS": self.to_address,
                **self.media,
                "callvariables": dict(self.variables),
            },
            "participants": [participant.to_json() for participant in self.participants],
            "state": self.state.value,
            "toAddress": self.to_address,
            "uri": f"/finesse/api/Dialog/{self.id}",
        }


class AgentStatus(StrEnum):
    """State of an agent (Finesse's ``User`` object)."""

    LOGOUT = "LOGOUT"
    NOT_READY = "NOT_READY"
    READY = "READY"
    RESERVED = "RESERVED"
    RESERVED_OUTBOUND = "RESERVED_OUTBOUND"
    RESERVED_OUTBOUND_PREVIEW = "RESERVED_OUTBOUND_PREVIEW"
    TALKING = "TALKING"
    HOLD = "HOLD"
    WORK = "WORK"
    WORK_READY = "WORK_READY"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Agent:
    """Who sits at the desk and in which state."""

    login_id: str
    login_name: str
    extension: str
    status: AgentStatus
    reason_code: str | None = None
    first_name: str = ""
    last_name: str = ""
    team_name: str = ""
    roles: tuple[str, ...] = ("Agent",)
    changed: str = ""


class Connection(StrEnum):
    """Whether call control sees the agent's calls (``SetConnectionStatus``)."""

    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    SIGNED_OUT = "signed_out"
