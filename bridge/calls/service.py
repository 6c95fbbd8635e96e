"""Call control: takes commands from the bus, gives requests to the switch, and ends every command in one outcome.

Nothing here waits or does I/O: the bus, the adapter and the timers call in, and each call is one step. The order of
things on the bus is: the command, the events that it causes, ``SetAPIError`` where it failed, its outcome.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Protocol

import structlog

from bridge.broker.broker import random_id
from bridge.calls import events
from bridge.calls.adapter import (
    AgentChanged,
    CallChanged,
    CallEnded,
    CallRequest,
    Change,
    ConnectionChanged,
    Failure,
    OfferCall,
    ReadAgent,
)
from bridge.calls.completion import Complete, Verdict, judge
from bridge.calls.desk import Desk, KnownCall, Pending, Stage
from bridge.calls.legality import dials_already, overtakes, refuse
from bridge.calls.model import Action, Connection
from bridge.calls.requests import DIALS, request_for
from bridge.protocol import cisco, control
from bridge.protocol.errors import Code, Rejection
from bridge.protocol.repair import Warn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from bridge.broker.clock import Clock
    from bridge.broker.gate import Command
    from bridge.calls.adapter import Adapter
    from bridge.calls.model import Agent, Call
    from bridge.calls.timers import CallLater
    from bridge.protocol.address import Address

QUEUE_LIMIT = 256
"""Commands of one agent that wait for their outcome: more than any desk gives within their time."""

READ_SECONDS = 2.0
"""How long the answer to a re-read is waited for before a command is TimedOut without it."""

REMEMBERED_TIMEOUTS = 1000
"""Timed-out commands whose late events still carry their id."""

SHOWN_BY_PICTURE = frozenset({Stage.TAKEN, Stage.UNANSWERED})
"""In these stages whatever the picture shows may be the command's result."""

NOT_SENT = Failure("Not Sent", "its time was over before its turn came; it was not given to the switch")
ADAPTER_FAULT = Failure("Internal Server Error", "the adapter failed; see the bridge's log")

log = structlog.get_logger("bridge.calls")


class Bus(Protocol):
    """The broker as call control sees it."""

    def emit(self, workspace: str, address: Address, data: Any, correlation_id: str | None = None) -> int | None:
        """Publish an event."""

    def settle(self, workspace: str, command_id: str, address: Address, data: Any) -> None:
        """Publish an outcome."""


class OutcomeObserver(Protocol):
    """What call control tells whoever keeps logs and metrics."""

    def settled(self, command: Command, outcome: str, seconds: float, failure: Failure | None) -> None:
        """A command ended, so many seconds after it was accepted."""


class CallService:
    """The gate of the broker, and the listener of the adapter."""

    def __init__(
        self,
        *,
        adapter: Adapter,
        clock: Clock,
        call_later: CallLater,
        command_seconds: float = 10,
        dial_seconds: float = 30,
        observer: OutcomeObserver | None = None,
        new_id: Callable[[], str] = random_id,
    ) -> None:
        self._adapter = adapter
        self._clock = clock
        self._call_later = call_later
        self._command_seconds = command_seconds
        self._dial_seconds = dial_seconds
        self._observer = observer
        self._new_id = new_id
        self._bus: Bus | None = None
        self._desks: dict[str, Desk] = {}
        self._pending: dict[str, Pending] = {}
        self._timed_out: OrderedDict[str, Pending] = OrderedDict()
        self._when_idle: list[Callable[[], None]] = []

    def start(self, bus: Bus) -> None:
        """Begin to publish on ``bus``, and start the adapter."""
        self._bus = bus
        self._adapter.start(self)

    @property
    def outstanding(self) -> int:
        """How many commands have no outcome yet."""
        return len(self._pending)

    def when_idle(self, callback: Callable[[], None]) -> None:
        """Call back once no command is outstanding; at once if none is."""
        if self._pending:
            self._when_idle.append(callback)
        else:
            callback()

    def end_all(self) -> None:
        """End every outstanding command as ``TimedOut``: the process stops."""
        for desk in self._desks.values():
            desk.queue.clear()
        for pending in list(self._pending.values()):
            self._time_out(self._desks[pending.command.workspace], pending)

    # The gate

    def attach(self, workspace: str) -> None:
        """A workspace came to be: the adapter tells what is known of its agent."""
        self._desks[workspace] = Desk(workspace, self._clock.timestamp())
        self._adapter.attach(workspace)

    def detach(self, workspace: str) -> None:
        """A workspace was forgotten."""
        del self._desks[workspace]
        self._adapter.detach(workspace)

    def occupied(self, workspace: str) -> None:
        """A workspace that had no session has one."""
        self._adapter.occupied(workspace)

    def vacated(self, workspace: str) -> None:
        """The last session has left a workspace."""
        self._adapter.vacated(workspace)

    def busy(self, workspace: str) -> bool:
        """Say whether the workspace has a call, a command under way, or a sign-in that would be lost."""
        desk = self._desks[workspace]
        # Calls that nobody follows any more would keep it for ever.
        followed = desk.connection is not Connection.SIGNED_OUT and desk.calls
        return bool(followed or desk.outstanding) or self._adapter.keeps(workspace)

    def extension(self, workspace: str) -> str | None:
        """Return the extension of the agent who is signed in."""
        desk = self._desks.get(workspace)
        return desk.extension if desk is not None else None

    def admit(self, command: Command) -> None:
        """Let a command pass that is possible now, with a warning if it goes by the wrong topic.

        Raises:
            Rejection: It is not possible; see ``legality.refuse``.
        """
        desk = self._desks[command.workspace]
        request = request_for(command, "")
        refuse(desk, command, request, self._adapter)
        if len(desk.outstanding) >= QUEUE_LIMIT:
            raise Rejection(Code.UNAVAILABLE, f"{QUEUE_LIMIT} commands of this agent wait for their outcome")
        if isinstance(request, CallRequest):
            self._warn_of_topic(desk, command, request)

    def _warn_of_topic(self, desk: Desk, command: Command, request: CallRequest) -> None:
        known = desk.calls.get(request.call or "")
        if known is not None and known.topic != command.address.topic:
            message = f"the call goes by {known.topic}, and so do its events"
            command.warnings.append(Warn("/topic", "other_topic", message))

    def take(self, command: Command) -> None:
        """Take on a command that was published."""
        desk = self._desks[command.workspace]
        request = request_for(command, self._new_id())
        pending = Pending(command, request, self._clock.monotonic())
        desk.outstanding[request.id] = self._pending[request.id] = pending
        pending.timer = self._call_later(self._seconds_for(pending), lambda: self._expire(desk, pending))
        if overtakes(desk, request):
            self._submit(desk, pending)
        else:
            desk.queue.append(pending)
            self._hand_next(desk)

    def _seconds_for(self, pending: Pending) -> float:
        request = pending.request
        dials = isinstance(request, CallRequest) and request.action in DIALS
        return self._dial_seconds if dials else self._command_seconds

    # Handing over

    def _hand_next(self, desk: Desk) -> None:
        """Give the switch the next command, unless it has yet to take or refuse the one before."""
        while desk.handed is None and desk.queue:
            pending = desk.queue.popleft()
            if pending.stage is not Stage.QUEUED:
                continue
            problem = self._illegal_now(desk, pending)
            if problem is not None:
                self._fail(desk, pending, problem)
                continue
            desk.handed = pending
            self._submit(desk, pending)

    def _illegal_now(self, desk: Desk, pending: Pending) -> Failure | None:
        if dials_already(desk, pending):
            return Failure("Invalid State", "another command that dials from this call has no outcome yet")
        try:
            refuse(desk, pending.command, pending.request, self._adapter)
        except Rejection as rejection:
            kind = "Service Unavailable" if rejection.code is Code.UNAVAILABLE else "Invalid State"
            return Failure(kind, rejection.message)
        return None

    def _submit(self, desk: Desk, pending: Pending) -> None:
        pending.stage = Stage.HANDED
        pending.agent = desk.signed_in
        if isinstance(pending.request, CallRequest) and pending.request.action in {Action.TRANSFER, Action.CONFERENCE}:
            pending.partner = desk.active_call()
        try:
            self._adapter.submit(pending.request)
        except Exception:
            # The seam to foreign code: a fault there must not leave a command without an outcome.
            log.exception("adapter_failed", workspace=desk.workspace, address=str(pending.command.address))
            self._fail(desk, pending, ADAPTER_FAULT)

    def _release(self, desk: Desk, pending: Pending) -> None:
        """Let the next command go: this one was taken, refused or given up."""
        if desk.handed is pending:
            desk.handed = None
            self._hand_next(desk)

    # What the adapter tells

    def taken(self, request: str) -> None:
        """The switch has accepted a request."""
        pending = self._pending.get(request)
        if pending is None:
            return
        desk = self._desks[pending.command.workspace]
        pending.taken = True
        if pending.stage is Stage.HANDED:
            pending.stage = Stage.TAKEN
            self._conclude(desk, pending)
            self._await_tones(desk, pending)
        self._release(desk, pending)

    def _await_tones(self, desk: Desk, pending: Pending) -> None:
        """Complete touch tones when no error has come in time: the switch never confirms them."""
        request = pending.request
        if pending.stage is not Stage.TAKEN or not isinstance(request, CallRequest):
            return
        if request.action is not Action.SEND_DTMF:
            return
        if self._adapter.dtmf_settle_seconds <= 0:
            self._complete(desk, pending, Complete(request.call))
            return
        self._cancel_timer(pending)
        settle = self._adapter.dtmf_settle_seconds
        pending.timer = self._call_later(settle, lambda: self._complete(desk, pending, Complete(request.call)))

    def refused(self, request: str, failure: Failure) -> None:
        """The switch will not, or could not, do what was asked."""
        pending = self._pending.get(request)
        if pending is not None:
            desk = self._desks[pending.command.workspace]
            self._fail(desk, pending, failure)

    def unanswered(self, request: str) -> None:
        """The switch may act on a request or not; what it shows decides, and the next command need not wait."""
        pending = self._pending.get(request)
        if pending is None:
            return
        desk = self._desks[pending.command.workspace]
        if pending.stage is Stage.HANDED:
            pending.stage = Stage.UNANSWERED
            self._conclude(desk, pending)
        self._release(desk, pending)

    def changed(self, changes: Sequence[Change]) -> None:
        """Publish what one happening changed, then see which commands are complete by it."""
        touched: dict[str, Desk] = {}
        causes: set[str | None] = set()
        for change in changes:
            desk = self._desks.get(change.workspace)
            if desk is not None:
                touched[change.workspace] = desk
                causes.add(change.cause)
                self._apply(desk, change)
        for desk in touched.values():
            for pending in list(desk.outstanding.values()):
                if pending.stage in SHOWN_BY_PICTURE or pending.request.id in causes:
                    self._conclude(desk, pending)

    def reread(self, workspace: str, agent: Agent | None, calls: Sequence[Call]) -> None:
        """Publish where the picture differs from the truth, then end the commands that waited for it."""
        desk = self._desks.get(workspace)
        if desk is None:
            return
        expiring = [pending for pending in desk.outstanding.values() if pending.stage is Stage.EXPIRING]
        if agent is not None:
            self._apply(desk, AgentChanged(workspace, agent))
        present = {call.id for call in calls}
        for known in [known for call_id, known in desk.calls.items() if call_id not in present]:
            self._apply(desk, CallEnded(workspace, known.call, _likely_cause(expiring, known.call)))
        for call in calls:
            self._apply(desk, CallChanged(workspace, call, _likely_cause(expiring, call)))
        for pending in list(desk.outstanding.values()):
            if pending.stage in SHOWN_BY_PICTURE or pending.stage is Stage.EXPIRING:
                self._conclude(desk, pending, final=pending.stage is Stage.EXPIRING)

    # Changes become events

    def _apply(self, desk: Desk, change: Change) -> None:
        match change:
            case CallChanged(call=call):
                self._call_changed(desk, call, change.cause)
            case CallEnded(call=call):
                self._call_ended(desk, call, change.cause)
            case AgentChanged(agent=agent):
                self._agent_changed(desk, agent, change.cause)
            case ConnectionChanged():
                self._connection_changed(desk, change)

    def _call_changed(self, desk: Desk, call: Call, cause: str | None) -> None:
        known = desk.calls.get(call.id)
        if known is not None and known.call == call:
            return
        if known is None:
            self._note_new_call(desk, call, cause)
        topic = desk.topic_of(call)
        desk.calls[call.id] = KnownCall(call, topic)
        self._emit(desk, events.EVENT_ADDRESS[topic], events.call_event(desk, call, ended=False), cause)

    def _note_new_call(self, desk: Desk, call: Call, cause: str | None) -> None:
        pending = desk.outstanding.get(cause or "")
        if pending is None or pending.new_call is not None:
            return
        request = pending.request
        if isinstance(request, OfferCall) or (isinstance(request, CallRequest) and request.action in DIALS):
            pending.new_call = call.id

    def _call_ended(self, desk: Desk, call: Call, cause: str | None) -> None:
        known = desk.calls.get(call.id)
        if known is None:
            return
        event = events.call_event(desk, call, ended=True)
        del desk.calls[call.id]
        self._emit(desk, events.EVENT_ADDRESS[known.topic], event, cause)

    def _agent_changed(self, desk: Desk, agent: Agent, cause: str | None) -> None:
        pending = desk.outstanding.get(cause or "")
        asked = pending is not None and isinstance(pending.request, ReadAgent)
        if agent == desk.agent and not asked:
            return
        desk.agent = agent
        self._emit(desk, cisco.AGENT_STATE, events.agent_event(agent), cause)

    def _connection_changed(self, desk: Desk, change: ConnectionChanged) -> None:
        if change.connection is desk.connection:
            return
        desk.connection = change.connection
        desk.since = self._clock.timestamp()
        event = events.connection_event(desk.connection, desk.since, change.reason)
        self._emit(desk, cisco.CONNECTION_STATUS, event, change.cause)

    def _emit(self, desk: Desk, address: Address, data: Any, cause: str | None) -> None:
        if self._bus is not None:
            self._bus.emit(desk.workspace, address, data, self._correlation(desk, cause))

    def _correlation(self, desk: Desk, cause: str | None) -> str | None:
        """Give the id of the command behind a change, where it is this workspace's and has not ended before."""
        pending = self._pending.get(cause or "") or self._timed_out.get(cause or "")
        if pending is None or pending.command.workspace != desk.workspace:
            return None
        return pending.command.id

    # Outcomes

    def _conclude(self, desk: Desk, pending: Pending, *, final: bool = False) -> None:
        """End a command if the picture shows how; with ``final``, end it in any case."""
        if pending.stage is Stage.ENDED:
            return
        verdict: Verdict = judge(desk, pending)
        if isinstance(verdict, Complete):
            self._complete(desk, pending, verdict)
        elif isinstance(verdict, Failure):
            self._fail(desk, pending, verdict)
        elif final:
            self._time_out(desk, pending)

    def _complete(self, desk: Desk, pending: Pending, complete: Complete) -> None:
        body: dict[str, Any] = {"address": str(pending.command.address)}
        if complete.call is not None:
            body["call"] = complete.call
        if complete.consult_call is not None:
            body["consultCall"] = complete.consult_call
        self._settle(desk, pending, control.COMPLETED, body, None)

    def _fail(self, desk: Desk, pending: Pending, failure: Failure) -> None:
        body: dict[str, Any] = {"address": str(pending.command.address)}
        if pending.call is not None:
            body["call"] = pending.call
        body |= {"errorType": failure.error_type, "message": failure.message}
        if failure.cause is not None:
            body["cause"] = failure.cause
        self._settle(desk, pending, control.FAILED, body, failure)

    def _time_out(self, desk: Desk, pending: Pending) -> None:
        after = round((self._clock.monotonic() - pending.accepted_at) * 1000)
        body: dict[str, Any] = {"address": str(pending.command.address)}
        if pending.call is not None:
            body["call"] = pending.call
        self._timed_out[pending.request.id] = pending
        if len(self._timed_out) > REMEMBERED_TIMEOUTS:
            self._timed_out.popitem(last=False)
        self._settle(desk, pending, control.TIMED_OUT, body | {"afterMs": after}, None)

    def _settle(self, desk: Desk, pending: Pending, address: Address, body: Any, failure: Failure | None) -> None:
        """Publish the one outcome of a command, then go on with the next."""
        if pending.stage is Stage.ENDED or self._bus is None:
            return
        pending.stage = Stage.ENDED
        self._cancel_timer(pending)
        if failure is not None:
            self._bus.emit(desk.workspace, cisco.API_ERROR, events.api_error_event(failure), pending.command.id)
        self._bus.settle(desk.workspace, pending.command.id, address, body)
        del self._pending[pending.request.id], desk.outstanding[pending.request.id]
        if self._observer is not None:
            seconds = self._clock.monotonic() - pending.accepted_at
            self._observer.settled(pending.command, address.subtopic, seconds, failure)
        self._release(desk, pending)
        self._tell_idle()

    def _tell_idle(self) -> None:
        if not self._pending:
            waiting, self._when_idle = self._when_idle, []
            for callback in waiting:
                callback()

    # Time

    def _expire(self, desk: Desk, pending: Pending) -> None:
        """Its time is over: what was never given to the switch has failed, for the rest the state is read afresh."""
        if pending.stage is Stage.QUEUED:
            self._fail(desk, pending, NOT_SENT)
            return
        pending.stage = Stage.EXPIRING
        pending.timer = self._call_later(READ_SECONDS, lambda: self._conclude(desk, pending, final=True))
        try:
            self._adapter.read(desk.workspace)
        except Exception:
            # As in _submit: the outcome must come whatever the adapter does; the timer above sees to it.
            log.exception("adapter_failed", workspace=desk.workspace, address=str(pending.command.address))

    @staticmethod
    def _cancel_timer(pending: Pending) -> None:
        if pending.timer is not None:
            pending.timer.cancel()
            pending.timer = None


def _likely_cause(expiring: list[Pending], call: Call) -> str | None:
    """Guess which timed-out command is behind what a re-read shows: the one that named this call or its origin."""
    for pending in expiring:
        if pending.call is not None and pending.call in {call.id, call.associated}:
            return pending.request.id
    return None
