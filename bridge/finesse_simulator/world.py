"""The contact centre that all nodes share: the switch, its agents, and time.

No I/O: time and those who carry notices are given. What is asked has passed Finesse's own checks; each request waits
its turn (see ``lanes``), the switch takes its reaction time for it, and every further step of dialling takes the same.
Whatever the switch refuses then is told as a notification with ``apiErrors``.

Where the guide is silent: the outside world (``offer``, ``party_answer``, ``party_drop``) acts at once; an agent who is
to be signed out by force in a call is signed out after it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bridge.calls.model import Action, AgentStatus, CallState, ParticipantState
from bridge.calls.simulator.desks import Event, Notification
from bridge.calls.simulator.errors import ErrorType, SwitchError
from bridge.calls.simulator.switch import Switch
from bridge.finesse_simulator import cti_errors
from bridge.finesse_simulator.agents import CALLS_REASON, FORCED_LOGOUT_REASON, Seat
from bridge.finesse_simulator.faults import Effect
from bridge.finesse_simulator.herald import Herald
from bridge.finesse_simulator.lanes import Lanes
from bridge.finesse_simulator.orders import LOGIN, PARTICIPANT_DROP, START_RECORDING, CallOrder, StateOrder
from bridge.finesse_simulator.records import CallRecords
from bridge.finesse_simulator.refusals import CtiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from bridge.calls.finesse.xml import Markup
    from bridge.calls.model import Call
    from bridge.finesse_simulator.accounts import Account
    from bridge.finesse_simulator.faults import Faults, Rule
    from bridge.finesse_simulator.journal import Entry
    from bridge.finesse_simulator.lanes import Later
    from bridge.finesse_simulator.notices import Notice, Publish
    from bridge.finesse_simulator.profile import Profile


class World:
    """All that the nodes are windows to. ``publish`` carries notices; ``reaction_seconds`` is the time of each step."""

    def __init__(
        self,
        *,
        accounts: Iterable[Account],
        profile: Profile,
        faults: Faults,
        publish: Publish,
        later: Later,
        now: Callable[[], str],
        reaction_seconds: float,
    ) -> None:
        self.profile = profile
        self._faults = faults
        self._publish = publish
        self._now = now
        self._reaction = reaction_seconds
        self._switch = Switch(now=now)
        self._later = later
        self._lanes = Lanes(later)
        self.seats = {account.username: Seat(account) for account in accounts}
        self._by_extension: dict[str, Seat] = {}
        self._records = CallRecords()
        self._herald = Herald(profile=profile, faults=faults, records=self._records)

    # What is

    def calls(self, username: str) -> tuple[Call, ...]:
        """Return an agent's calls, the oldest first."""
        return self._switch.calls_of(self.seats[username].extension)

    def call(self, dialog: str) -> Call | None:
        """Return a call that any agent is in."""
        return self._records.call(dialog)

    def has_active_call(self, username: str) -> bool:
        """Say whether the agent speaks in some call."""
        extension = self.seats[username].extension
        return any(
            call.state is CallState.ACTIVE and _state(call, extension) is ParticipantState.ACTIVE
            for call in self.calls(username)
        )

    def document(self, call: Call) -> Markup:
        """Write a call as it looks now."""
        return self._herald.dialog(call)

    def to_json(self) -> dict[str, Any]:
        """Give the truth about all agents, by extension of those who are signed in and by username of the others."""
        return {
            seat.extension or username: {
                "username": username,
                "state": seat.shown.value,
                "pending_state": seat.pending.value if seat.pending else "",
                "reason_code": seat.reason,
                "dialogs": [_call_json(call) for call in self.calls(username)],
            }
            for username, seat in self.seats.items()
        }

    # What is asked over REST

    def order(self, order: CallOrder | StateOrder, entry: Entry, rules: Sequence[Rule] = ()) -> None:
        """Do what is asked when its turn comes; ``entry`` tells by whom, and gets to know what became of it."""
        username, request_id = entry.user, entry.request_id
        effects = {rule.effect: rule for rule in rules}
        delay = effects[Effect.DELAY].seconds if Effect.DELAY in effects else 0.0

        def act() -> None:
            if Effect.IGNORE in effects:
                entry.outcome = "ignored"
                return
            try:
                if late := effects.get(Effect.REFUSE_LATE):
                    raise CtiError(late.error)
                self._act(username, order, request_id)
            except CtiError as refused:
                entry.outcome, entry.detail = "refused", refused.error.message
                self._publish([self._herald.of_refusal(username, order, refused.error, request_id)])
            else:
                entry.outcome = "done"

        lane = f"dialog {order.dialog}" if isinstance(order, CallOrder) and order.dialog else f"user {username}"
        self._lanes.add(lane, self._reaction + delay, act)

    def _act(self, username: str, order: CallOrder | StateOrder, request_id: str) -> None:
        seat = self.seats[username]
        if isinstance(order, StateOrder):
            self._change_state(seat, order)
            self._publish([self._herald.of_agent(seat, request_id)])
        else:
            self._act_on_call(seat, order, request_id)

    # Agents

    def _change_state(self, seat: Seat, order: StateOrder) -> None:
        if order.state == LOGIN:
            self._sign_in(seat, order.extension)
            return
        if not seat.signed_in:
            raise CtiError(cti_errors.NOT_NOW)
        status = AgentStatus(order.state)
        leaves = status is AgentStatus.LOGOUT
        if leaves and not self.profile.signs_out_when_ready and seat.shown is not AgentStatus.NOT_READY:
            raise CtiError(cti_errors.NOT_NOW)
        if leaves and not self._switch.calls_of(seat.extension):
            self._sign_out(seat, order.reason)
        elif leaves and not seat.in_call:
            raise CtiError(cti_errors.NOT_NOW)  # something rings
        else:
            seat.ask(status, order.reason, self._now())

    def _sign_in(self, seat: Seat, extension: str) -> None:
        if seat.signed_in:
            if seat.extension != extension:
                raise CtiError(cti_errors.SIGNED_ON_ELSEWHERE)
            return
        if extension in self._by_extension:
            raise CtiError(cti_errors.EXTENSION_IN_USE)
        try:
            self._switch.sign_in(extension)
        except SwitchError:
            raise CtiError(self.profile.refused_login) from None
        self._by_extension[extension] = seat
        seat.sign_in(extension, self._now())

    def _sign_out(self, seat: Seat, reason: str, *, forced: bool = False) -> None:
        self._switch.sign_out(seat.extension)
        del self._by_extension[seat.extension]
        seat.sign_out(reason, self._now(), forced=forced)

    def force_out(self, username: str) -> None:
        """Sign an agent out whose presence was gone for too long, after its calls."""
        seat = self.seats[username]
        if not seat.signed_in:
            return
        if self._switch.calls_of(seat.extension):
            seat.pending, seat.pending_reason, seat.system_reason = AgentStatus.LOGOUT, FORCED_LOGOUT_REASON, True
        else:
            self._sign_out(seat, FORCED_LOGOUT_REASON, forced=True)
        self._publish([self._herald.of_agent(seat)])

    # Calls

    def _act_on_call(self, seat: Seat, order: CallOrder, request_id: str) -> None:
        extension = seat.extension
        if order.action == START_RECORDING:
            return  # nobody sees it
        if order.action == PARTICIPANT_DROP:
            raise CtiError(cti_errors.NO_DROPPING)
        if order.action not in Action.__members__:  # of outbound previews, which there are none of
            raise cti_errors.wrong_time(order.action, extension)
        action = Action(order.action)
        call = next((call for call in self._switch.calls_of(extension) if call.id == order.dialog), None)
        self._check(seat, action, order, call)
        before = self._ready_to_call(seat, action)
        dialling = set(self._switch.dialling)
        told = self._on_switch(extension, action, order)
        if before:
            seat.ask(AgentStatus.NOT_READY, CALLS_REASON, self._now(), by_system=True)
            self._publish([self._herald.of_agent(seat, request_id)])
        if action is Action.CONFERENCE:
            self._records.controllers.setdefault(order.dialog, extension)
        self._tell(told, request_id)
        for dialog in self._switch.dialling - dialling:
            self._dial_on(dialog, request_id)

    def _check(self, seat: Seat, action: Action, order: CallOrder, call: Call | None) -> None:
        """Refuse what the switch would do and Finesse's would not."""
        if action is not Action.MAKE_CALL and call is None:
            raise CtiError(cti_errors.NO_SUCH_DIALOG)
        party = call.participant(seat.extension) if call else None
        if party is not None and action not in party.actions:
            raise cti_errors.wrong_time(action, seat.extension)
        controller = self._records.controllers.get(order.dialog, seat.extension)
        if action is Action.CONFERENCE and controller != seat.extension:
            raise CtiError(self.profile.not_controller)
        if action is Action.SEND_DTMF and not set(order.digits) <= set(self.profile.dtmf):
            raise CtiError(cti_errors.BAD_DIGIT)

    def _ready_to_call(self, seat: Seat, action: Action) -> bool:
        """Say whether the agent is READY and would cease to be by what it does."""
        if action is not Action.MAKE_CALL or seat.shown is not AgentStatus.READY:
            return False
        if not self.profile.calls_when_ready:
            raise CtiError(cti_errors.NOT_NOW)
        return True

    def _on_switch(self, extension: str, action: Action, order: CallOrder) -> tuple[Notification, ...]:
        if order.wrap_up is not None:
            self._records.wrap_ups[order.dialog] = order.wrap_up
            if not order.variables:
                return self._records.again(order.dialog)
        try:
            return self._switch.act(
                extension,
                action,
                order.dialog or None,
                to_address=order.to_address or None,
                digits=order.digits or None,
                variables=order.variables,
            )
        except SwitchError as error:
            raise cti_errors.cti_error(error) from None

    def _dial_on(self, dialog: str, request_id: str) -> None:
        def advance() -> None:
            self._tell(self._switch.advance(dialog), request_id, at_once=False)
            if dialog in self._switch.dialling:
                self._later(self._reaction, advance)

        self._later(self._reaction, advance)

    # The world outside

    def offer(self, extension: str, from_address: str, variables: Mapping[str, str] | None = None) -> str:
        """Let a customer's call ring at an agent; return its id.

        Raises:
            SwitchError: There is no such agent, or it cannot be called.
        """
        told = self._switch.offer(extension, from_address, variables)
        dialog = told[0].call.id
        self._records.routed.add(dialog)
        self._tell(told)
        return dialog

    def party_answer(self, address: str) -> None:
        """Let a party answer the call that has been ringing there longest.

        Raises:
            SwitchError: No call rings there.
        """
        dialog = self._records.ringing_longest(address)
        if dialog is None:
            raise SwitchError(ErrorType.INVALID_STATE, f"no call is ringing at {address}")
        self._tell(self._switch.party_answer(address, self._records.place(dialog)))

    def party_drop(self, address: str, dialog: str | None = None) -> None:
        """Let a party hang up all of its calls, or one.

        Raises:
            SwitchError: It is in no such call.
        """
        found = [known for known in self._records.with_party(address) if dialog in {None, known}]
        if not found:
            raise SwitchError(ErrorType.DIALOG_NOT_FOUND, f"{address} is in no such call")
        for each in found:
            self._tell(self._switch.party_drop(address, self._records.place(each), each))

    # Telling

    def everything(self) -> list[Notice]:
        """Give the state of all agents who are signed in, and of their calls, as after a failover."""
        notices: list[Notice] = []
        for extension, seat in self._by_extension.items():
            calls = [Notification(Event.POST, extension, call) for call in self._switch.calls_of(extension)]
            notices += [self._herald.of_agent(seat), *self._herald.of_calls(calls, self._by_extension)]
        return notices

    def _tell(self, told: Sequence[Notification], request_id: str = "", *, at_once: bool = True) -> None:
        """Tell what happened to calls, and what that does to their agents."""
        notices = self._herald.of_calls(told, self._by_extension, request_id, at_once=at_once)
        for each in told:
            self._records.keep(each)
        for extension in dict.fromkeys(each.extension for each in told):
            notices += self._follow(self._by_extension[extension])
        if notices:
            self._publish(notices)

    def _follow(self, seat: Seat) -> list[Notice]:
        """Let an agent's state follow its calls."""
        before = (seat.shown, seat.pending)
        calls = self._switch.calls_of(seat.extension)
        if not calls and seat.pending is AgentStatus.LOGOUT:
            self._sign_out(seat, seat.pending_reason, forced=seat.system_reason)
        else:
            seat.follow(calls, self.profile, self._records.routed, self._now())
        return [self._herald.of_agent(seat)] if (seat.shown, seat.pending) != before else []


def _state(call: Call, extension: str) -> ParticipantState | None:
    party = call.participant(extension)
    return party.state if party else None


def _call_json(call: Call) -> dict[str, Any]:
    return {
        "id": call.id,
        "state": call.state.value,
        "callType": str(call.call_type),
        "fromAddress": call.from_address,
        "toAddress": call.to_address,
        "secondaryId": call.secondary_id,
        "associated": call.associated,
        "variables": dict(call.variables),
        "participants": [{"address": party.address, "state": party.state.value} for party in call.participants],
    }
