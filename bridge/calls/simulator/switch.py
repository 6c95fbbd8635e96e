"""The simulated telephone switch: what happens to calls when agents, callers and time act.

It behaves as Cisco Finesse's dialogs do (developer guide, "Dialog APIs" and the event sequences of "Dialogs
notification"). It is pure: no I/O, no tasks, no clock of its own, no chance. Every operation either returns what the
agents are told, in order, or raises ``SwitchError`` and has changed nothing.

Where the guide is silent, the switch does this:

* An agent speaks in one call at a time. Whatever makes another call ACTIVE by an *answer* puts the former on hold, as a
  telephone does; ``RETRIEVE`` and ``MAKE_CALL`` are refused with ``Invalid State`` while another call is ACTIVE.
* A number is an agent's when the agent is signed in at the moment when it starts to ring; whoever joined as a stranger
  stays one in that call. Strangers are never busy and never put a call on hold.
* A call is over when fewer than two parties are left, or only parties that are being rung. A call that no agent is in
  any more goes on without the switch, which forgets it.
* An address that is in both calls of a transfer or a conference is one party afterwards.
* A consult call starts with the data of the call that it is placed from, as Contact Center Enterprise does.
* ``TRANSFER_SST`` to a number that is busy, bad or in the call already is refused, and the agent keeps the call.
* Whoever is in a conference may bring in more parties, not only who began it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.calls.model import Action, Cause, ParticipantState
from bridge.calls.simulator.arguments import (
    FAILING,
    check_caller,
    check_destination,
    check_digits,
    check_extension,
    check_variables,
)
from bridge.calls.simulator.errors import ErrorType, SwitchError
from bridge.calls.simulator.exchange import CALLS_PER_AGENT, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from collections.abc import Set as AbstractSet

    from bridge.calls.model import Call
    from bridge.calls.simulator.desks import Notification
    from bridge.calls.simulator.dialog import Dialog, Party

PARTIES_PER_CALL: Final = 16
"""Ample for a conference; it bounds what each notification of it holds."""


class Switch:
    """A telephone switch with agents, strangers and the calls between them.

    ``now`` gives the time as RFC 3339, UTC, milliseconds. ``failing`` names the numbers at which nobody ever rings.
    """

    def __init__(self, *, now: Callable[[], str], failing: Mapping[str, Cause] = FAILING) -> None:
        self._failing = failing
        self._exchange = Exchange(now, failing)
        self._desks = self._exchange.desks
        # The actions that have no arguments, by what does them.
        self._plain: dict[Action, Callable[[Dialog, Party], None]] = {
            Action.ANSWER: self._exchange.answer,
            Action.HOLD: self._exchange.hold,
            Action.RETRIEVE: self._retrieve,
            Action.DROP: self._exchange.hang_up,
            Action.TRANSFER: self._transfer,
            Action.CONFERENCE: self._conference,
        }

    # Agents

    def sign_in(self, extension: str) -> None:
        """Sign an agent in at an extension.

        Raises:
            SwitchError: ``Invalid Device``: not an extension, a failing number, or in use.
        """
        if check_extension(extension) in self._desks or extension in self._failing:
            raise SwitchError(ErrorType.INVALID_DEVICE, f"extension {extension} is in use or reserved")
        self._desks.open(extension)

    def sign_out(self, extension: str) -> None:
        """Sign an agent out.

        Raises:
            SwitchError: ``Invalid State`` while the agent has calls, ``Authorization Failure`` if not signed in.
        """
        self._require_agent(extension)
        if self._desks.dialogs(extension):
            raise SwitchError(ErrorType.INVALID_STATE, f"the agent at {extension} still has calls")
        self._desks.close(extension)

    def calls_of(self, extension: str) -> tuple[Call, ...]:
        """Return an agent's calls as they are now, the oldest first; none for who is not signed in."""
        if extension not in self._desks:
            return ()
        return tuple(self._desks.snapshot(dialog) for dialog in self._desks.dialogs(extension))

    def act(
        self,
        extension: str,
        action: Action,
        call_id: str | None = None,
        *,
        to_address: str | None = None,
        digits: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> tuple[Notification, ...]:
        """Do what an agent asks: ``action`` on the call ``call_id`` (none for ``MAKE_CALL``).

        ``to_address`` goes with the actions that dial, ``digits`` with ``SEND_DTMF``, ``variables`` with
        ``UPDATE_CALL_DATA`` and ``MAKE_CALL``. A new call is INITIATING: ``advance`` takes it further.

        Raises:
            SwitchError: ``Authorization Failure``, ``Dialog Not Found`` or ``Invalid State``; ``Parameter Missing``,
                ``Invalid Input`` or ``Invalid Destination`` for the arguments; ``Call Operation Failure`` at a limit.
        """
        self._require_agent(extension)
        if action is Action.MAKE_CALL:
            self._make_call(extension, to_address, variables or {})
            return self._desks.take()
        dialog, agent = self._require_allowed(extension, action, call_id)
        match action:
            case Action.CONSULT_CALL:
                self._consult(dialog, agent, to_address)
            case Action.TRANSFER_SST:
                self._transfer_at_once(dialog, agent, to_address)
            case Action.SEND_DTMF:
                check_digits(digits)
            case Action.UPDATE_CALL_DATA:
                self._update(dialog, variables)
            case _:
                self._plain[action](dialog, agent)
        return self._desks.take()

    # Time

    @property
    def dialling(self) -> AbstractSet[str]:
        """Ids of the calls that ``advance`` would take further."""
        return self._exchange.dialling.keys()

    def advance(self, call_id: str) -> tuple[Notification, ...]:
        """Take a dialled call one step further: INITIATING → INITIATED → ALERTING or FAILED; no other call is moved."""
        dialog = self._exchange.dialling.get(call_id)
        if dialog is not None:
            self._exchange.advance(dialog)
        return self._desks.take()

    # The world outside

    def offer(
        self, extension: str, from_address: str, variables: Mapping[str, str] | None = None
    ) -> tuple[Notification, ...]:
        """Let a customer's call ring at an agent, whatever the agent is doing.

        Raises:
            SwitchError: ``Invalid Destination`` if the agent would call itself, ``Call Operation Failure`` if it has
                too many calls, ``Invalid Input`` for the number or the data, ``Authorization Failure``.
        """
        self._require_agent(extension)
        check_destination(extension, check_caller(from_address))
        data = check_variables(variables or {})
        self._require_line(extension)
        self._exchange.offer(from_address, extension, data)
        return self._desks.take()

    def party_answer(self, address: str, extension: str) -> tuple[Notification, ...]:
        """Let a party answer by telephone: among the calls of the agent ``extension``, the one ringing there longest.

        Raises:
            SwitchError: ``Dialog Not Found`` if that party is in no call of the agent, ``Invalid State`` if none rings.
        """
        ringing = [leg for leg in self._legs(address, extension) if leg[1].state is ParticipantState.ALERTING]
        if not ringing:
            raise SwitchError(ErrorType.INVALID_STATE, f"no call is ringing at {address}")
        self._exchange.answer(*min(ringing, key=lambda leg: leg[1].ringing_since))
        return self._desks.take()

    def party_drop(self, address: str, extension: str, call_id: str | None = None) -> tuple[Notification, ...]:
        """Let a party hang up: the call ``call_id`` of the agent ``extension``, or every call of the agent it is in.

        Raises:
            SwitchError: ``Dialog Not Found`` if that party is not in the call, or in none of the agent's.
        """
        for dialog, party in self._legs(address, extension, call_id):
            self._exchange.hang_up(dialog, party)
        return self._desks.take()

    def _legs(self, address: str, extension: str, call_id: str | None = None) -> list[tuple[Dialog, Party]]:
        self._require_agent(extension)
        legs = [
            (dialog, party)
            for dialog in self._desks.dialogs(extension)
            if call_id in {None, dialog.id} and (party := dialog.party(address)) is not None
        ]
        if not legs:
            raise SwitchError(ErrorType.DIALOG_NOT_FOUND, f"{address} is in no such call of {extension}")
        return legs

    # What must hold before anything is done

    def _require_agent(self, extension: str) -> None:
        if extension not in self._desks:
            raise SwitchError(ErrorType.AUTHORIZATION_FAILURE, f"nobody is signed in at {extension}")

    def _require_line(self, extension: str) -> None:
        if not self._exchange.has_line(extension):
            raise SwitchError(ErrorType.CALL_OPERATION_FAILURE, f"{extension} has {CALLS_PER_AGENT} calls already")

    def _require_silence(self, extension: str) -> None:
        active = self._desks.active(extension)
        if active is not None:
            raise SwitchError(ErrorType.INVALID_STATE, f"{extension} is ACTIVE in call {active.id}")

    def _require_allowed(self, extension: str, action: Action, call_id: str | None) -> tuple[Dialog, Party]:
        dialog = self._desks.dialog(extension, call_id)
        if dialog is None:
            raise SwitchError(ErrorType.DIALOG_NOT_FOUND, f"{extension} is in no call {call_id}")
        agent = dialog.agent(extension)
        if action not in self._desks.actions(dialog, agent):
            raise SwitchError(ErrorType.INVALID_STATE, f"{action} is not allowed: {extension} is {agent.state} there")
        return dialog, agent

    # What agents do

    def _make_call(self, extension: str, to_address: str | None, variables: Mapping[str, str]) -> None:
        number = check_destination(to_address, extension)
        data = check_variables(variables)
        self._require_silence(extension)
        self._require_line(extension)
        self._exchange.dial(extension, number, data)

    def _consult(self, dialog: Dialog, agent: Party, to_address: str | None) -> None:
        number = check_destination(to_address, agent.address)
        self._require_line(agent.address)
        self._exchange.hold(dialog, agent)
        self._exchange.dial(agent.address, number, dialog.variables, origin=dialog)

    def _retrieve(self, dialog: Dialog, agent: Party) -> None:
        self._require_silence(agent.address)
        self._exchange.retrieve(dialog, agent)

    def _transfer(self, held: Dialog, agent: Party) -> None:
        active, parties = self._joined(held, agent)
        _require_room(len(parties) - 1)
        self._exchange.transfer(held, active, agent, parties)

    def _conference(self, held: Dialog, agent: Party) -> None:
        active, parties = self._joined(held, agent)
        _require_room(len(parties))
        self._exchange.conference(held, active, parties)

    def _joined(self, held: Dialog, agent: Party) -> tuple[Dialog, list[Party]]:
        """Return the agent's active call and the parties that it and the held one would have as one call."""
        active = self._desks.active(agent.address)
        if active is None:  # the table allows a join only beside an active call
            raise LookupError(agent.address)
        return active, held.joined_with(active)

    def _transfer_at_once(self, dialog: Dialog, agent: Party, to_address: str | None) -> None:
        number = check_destination(to_address, agent.address)
        cause = self._exchange.obstacle(number)
        if dialog.party(number) is not None or cause is Cause.BAD_DESTINATION:
            raise SwitchError(ErrorType.INVALID_DESTINATION, f"the call cannot be transferred to {number}", cause)
        if cause is not None:
            raise SwitchError(ErrorType.CALL_OPERATION_FAILURE, f"{number} is busy", cause)
        self._exchange.transfer_at_once(dialog, agent, number)

    def _update(self, dialog: Dialog, variables: Mapping[str, str] | None) -> None:
        if not variables:
            raise SwitchError(ErrorType.PARAMETER_MISSING, "callvariables are missing")
        dialog.variables = check_variables({**dialog.variables, **variables})
        self._desks.tell(dialog)


def _require_room(parties: int) -> None:
    if parties > PARTIES_PER_CALL:
        raise SwitchError(ErrorType.CALL_OPERATION_FAILURE, f"a call has at most {PARTIES_PER_CALL} parties")
