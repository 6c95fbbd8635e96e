"""How calls begin, ring, connect, join and end: the switch without its rules.

Nothing is checked here; ``switch`` has made sure that what it asks for may be. Each method leaves behind, on the desks,
what the agents are told.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from bridge.calls.model import Cause, ParticipantState
from bridge.calls.simulator.desks import Desks
from bridge.calls.simulator.dialog import CallType, Dialog, Party

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST_ID: Final = 16786021
"""Id of the first call; Finesse's voice dialogs have ids of digits only."""

CALLS_PER_AGENT: Final = 32
"""More than an agent's telephone has lines; it bounds what one agent can make the switch remember."""

_State = ParticipantState


class Exchange:
    """The calls of a switch. ``failing`` names the numbers at which nobody ever rings."""

    def __init__(self, now: Callable[[], str], failing: Mapping[str, Cause]) -> None:
        self._now = now
        self._failing = failing
        # Both only grow: an id is never given twice, a later ring has a greater number.
        self._ids = count(FIRST_ID)
        self._rings = count(1)
        # The calls, by agent; and those among them whose dialling is not at its end.
        self.desks = Desks()
        self.dialling: dict[str, Dialog] = {}

    # Begin and ring

    def offer(self, from_address: str, extension: str, variables: dict[str, str]) -> None:
        """Let a stranger's call ring at an agent."""
        caller = self._party(from_address, _State.INITIATED, is_agent=False)
        dialog = self._open(from_address, extension, CallType.PREROUTE_ACD_IN, caller, variables)
        self.ring(dialog, extension)
        self.desks.tell(dialog)

    def dial(self, extension: str, number: str, variables: dict[str, str], origin: Dialog | None = None) -> None:
        """Start an agent's new call, consulted from ``origin`` if given; ``toAddress`` is empty until it is dialled."""
        caller = self._party(extension, _State.INITIATING, is_agent=True)
        if origin is not None:
            dialog = self._open(extension, "", CallType.CONSULT, caller, variables)
            dialog.associated = origin.id
        else:
            call_type = CallType.AGENT_INSIDE if number in self.desks else CallType.OUT
            dialog = self._open(extension, "", call_type, caller, variables)
        dialog.dialling = number
        self.dialling[dialog.id] = dialog
        self.desks.place(dialog)
        self.desks.tell(dialog)

    def advance(self, dialog: Dialog) -> None:
        """Take a call that is being dialled one step further."""
        caller = dialog.parties[0]
        if caller.state is _State.INITIATING:
            dialog.to_address = dialog.dialling
            caller.enter(_State.INITIATED, self._now())
        else:
            self._reach(dialog, caller)
        self.desks.tell(dialog)

    def _reach(self, dialog: Dialog, caller: Party) -> None:
        """End the dialling: the number rings, or the call has failed."""
        del self.dialling[dialog.id]
        cause = self.obstacle(dialog.dialling)
        if cause is None:
            self.ring(dialog, dialog.dialling)
        else:
            caller.enter(_State.FAILED, self._now(), cause)

    def obstacle(self, number: str) -> Cause | None:
        """Return why that number would not ring now, ``None`` if it would."""
        if number in self.desks and not self.has_line(number):
            return Cause.BUSY
        return self._failing.get(number)

    def has_line(self, extension: str) -> bool:
        """Say whether the agent there can have one more call."""
        return len(self.desks.dialogs(extension)) < CALLS_PER_AGENT

    def ring(self, dialog: Dialog, number: str) -> None:
        """Bring a number into a call: the agent who is signed in there, else a stranger. It is not told yet."""
        party = self._party(number, _State.ALERTING, is_agent=number in self.desks)
        party.ringing_since = next(self._rings)
        dialog.parties.append(party)
        self.desks.place(dialog)

    def _party(self, address: str, state: ParticipantState, *, is_agent: bool) -> Party:
        now = self._now()
        return Party(address, is_agent, state, now, now)

    def _open(
        self, from_address: str, to_address: str, call_type: CallType, caller: Party, variables: dict[str, str]
    ) -> Dialog:
        return Dialog(str(next(self._ids)), from_address, to_address, call_type, [caller], variables=variables)

    # Connect and hold

    def answer(self, dialog: Dialog, party: Party) -> None:
        """Connect the party that is being rung, and the caller where it is still waiting."""
        now = self._now()
        speaking = [party, *(other for other in dialog.parties if other.state is _State.INITIATED)]
        held = [call for each in speaking if (call := self._put_aside(each, now)) is not None]
        for each in speaking:
            each.enter(_State.ACTIVE, now)
        for call in (*held, dialog):
            self.desks.tell(call)

    def _put_aside(self, party: Party, now: str) -> Dialog | None:
        """Put the call that an agent is ACTIVE in on hold, without telling it yet."""
        active = self.desks.active(party.address) if party.is_agent else None
        if active is not None:
            active.agent(party.address).enter(_State.HELD, now)
        return active

    def hold(self, dialog: Dialog, agent: Party) -> None:
        """Put a call on hold for one agent."""
        agent.enter(_State.HELD, self._now())
        self.desks.tell(dialog)

    def retrieve(self, dialog: Dialog, agent: Party) -> None:
        """Take a call off hold for one agent."""
        agent.enter(_State.ACTIVE, self._now())
        self.desks.tell(dialog)

    # Join

    def transfer(self, held: Dialog, active: Dialog, agent: Party, parties: list[Party]) -> None:
        """Make ``parties`` of both calls one call, the held one; the agent leaves."""
        self._join(held, active, CallType.TRANSFER, parties)
        leaving = held.agent(agent.address)
        leaving.enter(_State.DROPPED, self._now())
        self.desks.remove(held, leaving.address)
        self._clear(active)
        self._leave(held, leaving)

    def conference(self, held: Dialog, active: Dialog, parties: list[Party]) -> None:
        """Make ``parties`` of both calls one call, the held one."""
        self._join(held, active, CallType.CONFERENCE, parties)
        self._clear(active)
        self.desks.tell(held)

    def _join(self, held: Dialog, active: Dialog, call_type: CallType, parties: list[Party]) -> None:
        held.parties, held.call_type, held.secondary_id = parties, call_type, active.id
        self.desks.place(held)
        active.drop_all(self._now())

    def transfer_at_once(self, dialog: Dialog, agent: Party, number: str) -> None:
        """Let another number ring in the agent's place."""
        dialog.call_type = CallType.TRANSFER
        agent.enter(_State.DROPPED, self._now())
        self.ring(dialog, number)
        self.desks.remove(dialog, agent.address)
        self._leave(dialog, agent)

    # End

    def hang_up(self, dialog: Dialog, party: Party) -> None:
        """Take one party out. All see it go before they see what that does to the call."""
        party.enter(_State.DROPPED, self._now())
        self.desks.tell(dialog)
        if dialog.is_over():
            self._end(dialog)
            return
        if party.is_agent:
            self.desks.remove(dialog, party.address)
        self._leave(dialog, party)

    def _leave(self, dialog: Dialog, party: Party) -> None:
        """Strike a party that has hung up off the call, which may thereby be over."""
        dialog.parties.remove(party)
        if dialog.is_over():
            self._end(dialog)
        else:
            self.desks.tell(dialog)

    def _end(self, dialog: Dialog) -> None:
        dialog.drop_all(self._now())
        self.desks.tell(dialog)
        self._clear(dialog)

    def _clear(self, dialog: Dialog) -> None:
        """Take a call that is over from every desk."""
        self.dialling.pop(dialog.id, None)
        for extension in dialog.agents():
            self.desks.remove(dialog, extension)
