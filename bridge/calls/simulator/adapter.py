"""The simulated switch as an adapter: time, workspaces and scripted faults around the pure switch.

Every request is acted on one reaction time after it was submitted, every further step of dialling one reaction time
after the one before. What a request changes is told before the request is; a step of dialling is told as caused by the
request that dialled. One operation may change calls of several workspaces; only attached ones are told.

An agent's status does not follow its calls (on a real switch a talking agent is ``TALKING``): in the simulator it is
what the agent set last.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Final

from bridge.calls.adapter import (
    AgentChanged,
    CallChanged,
    CallEnded,
    CallRequest,
    ChangeStatus,
    ConnectionChanged,
    Failure,
    OfferCall,
    PartyAnswer,
    PartyDrop,
    ReadAgent,
    SignIn,
)
from bridge.calls.model import Agent, AgentStatus, Connection
from bridge.calls.simulator.desks import Event
from bridge.calls.simulator.errors import ErrorType, SwitchError
from bridge.calls.simulator.roster import DEMO_WORKSPACE, Roster, extension_of
from bridge.calls.simulator.script import faultless
from bridge.calls.simulator.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bridge.calls.adapter import AdapterEvents, Change, Request
    from bridge.calls.simulator.desks import Notification
    from bridge.calls.simulator.script import Script
    from bridge.calls.timers import CallLater, Timer

_EXTENSION = re.compile(r"[0-9]{1,20}")
_SETTABLE: Final = frozenset({AgentStatus.READY, AgentStatus.NOT_READY, AgentStatus.LOGOUT})


class SimulatorAdapter:
    """A telephone switch in memory, behind the contract of ``bridge.calls.adapter.Adapter``.

    ``call_later(seconds, callback)`` calls back later, never at once; an event loop's does. ``now`` gives the time as
    RFC 3339, UTC, milliseconds. ``reaction_seconds`` is how long the switch takes for each step. ``script`` decides for
    each request what goes wrong with it.
    """

    name = "simulator"
    offers_simulator = True
    dtmf_settle_seconds = 0.0

    def __init__(
        self,
        *,
        call_later: CallLater,
        now: Callable[[], str],
        reaction_seconds: float = 0.02,
        script: Callable[[Request], Script] = faultless,
    ) -> None:
        self._call_later = call_later
        self._now = now
        self._reaction = reaction_seconds
        self._script = script
        self._switch = Switch(now=now)
        # Set by start().
        self._events: AdapterEvents
        # Workspaces that are told what changes; who sits at which workspace, attached or not.
        self._attached: set[str] = set()
        self._roster = Roster()
        # Timers that have not run, each under a number of its own.
        self._timers: dict[int, Timer] = {}
        self._timer_ids = count()
        self._seat_by_name(DEMO_WORKSPACE)

    def start(self, events: AdapterEvents) -> None:
        """Begin; ``events`` is where everything is told from now on."""
        self._events = events

    async def stop(self) -> None:
        """Cancel all that is still to happen; outstanding requests stay unanswered."""
        timers, self._timers = self._timers, {}
        for timer in timers.values():
            timer.cancel()

    def ready(self) -> bool:
        """Say that the switch can be reached: it always can."""
        return True

    def extension(self, workspace: str) -> str | None:
        """Return the extension of the agent signed in at that workspace, ``None`` if nobody is."""
        agent = self._roster.agent(workspace)
        return agent.extension if agent else None

    def keeps(self, workspace: str) -> bool:
        """Say whether somebody signed in there: who sits there by the workspace's name comes back by itself."""
        agent = self._roster.agent(workspace)
        return agent is not None and (agent.login_id, agent.extension) != (workspace, extension_of(workspace))

    def elsewhere(self, workspace: str, username: str, extension: str) -> bool:
        """Say whether that agent or extension is signed in at another workspace."""
        return self._roster.elsewhere(workspace, username, extension)

    def attach(self, workspace: str) -> None:
        """Sign in the agent that a workspace has by its name, and tell at once who is there with which calls."""
        self._attached.add(workspace)
        self._seat_by_name(workspace)
        agent = self._roster.agent(workspace)
        if agent is None:
            self._events.changed([ConnectionChanged(workspace, Connection.SIGNED_OUT)])
            return
        calls = self._switch.calls_of(agent.extension)
        self._events.changed(
            [
                ConnectionChanged(workspace, Connection.CONNECTED),
                AgentChanged(workspace, agent),
                *(CallChanged(workspace, call) for call in calls),
            ]
        )

    def detach(self, workspace: str) -> None:
        """Forget a workspace and sign its agent out; calls that came meanwhile end. ``demo`` starts afresh."""
        self._attached.discard(workspace)
        agent = self._roster.agent(workspace)
        if agent is not None:
            if self._switch.calls_of(agent.extension):
                self._tell(self._changes(self._switch.party_drop(agent.extension, agent.extension), None))
            self._switch.sign_out(agent.extension)
            self._roster.leave(workspace)
        if workspace == DEMO_WORKSPACE:
            self._seat_by_name(workspace)

    def occupied(self, workspace: str) -> None:
        """Need nothing: an agent sits there whether somebody looks or not."""

    def vacated(self, workspace: str) -> None:
        """Need nothing."""

    def submit(self, request: Request) -> None:
        """Act on a request after the reaction time, as its script says."""
        script = self._script(request)
        if not script.lose:
            self._later(self._reaction + script.delay, lambda: self._act(request, script))

    def read(self, workspace: str) -> None:
        """Answer with ``reread`` after the reaction time."""
        self._later(self._reaction, lambda: self._reread(workspace))

    # Time

    def _later(self, seconds: float, callback: Callable[[], None]) -> None:
        number = next(self._timer_ids)

        def run() -> None:
            del self._timers[number]
            callback()

        self._timers[number] = self._call_later(seconds, run)

    def _act(self, request: Request, script: Script) -> None:
        if script.fail:
            self._events.refused(request.id, script.fail)
        elif script.ignore:
            self._events.taken(request.id)
        elif script.refuse_late:
            self._events.taken(request.id)
            failure = script.refuse_late
            self._later(self._reaction, lambda: self._events.refused(request.id, failure))
        else:
            self._perform(request, script)

    def _perform(self, request: Request, script: Script) -> None:
        dialling_before = set(self._switch.dialling)
        try:
            changes = self._do(request)
        except SwitchError as error:
            self._events.refused(request.id, Failure(error.error_type, error.message, error.cause))
            return
        self._tell(changes, script)
        answer = self._events.unanswered if script.mute else self._events.taken
        answer(request.id)
        for call_id in self._switch.dialling - dialling_before:
            self._dial_on(call_id, request.id, script)

    def _dial_on(self, call_id: str, request_id: str, script: Script) -> None:
        def advance() -> None:
            self._tell(self._changes(self._switch.advance(call_id), request_id), script)
            if call_id in self._switch.dialling and not script.stall:
                self._later(self._reaction, advance)

        self._later(self._reaction, advance)

    def _reread(self, workspace: str) -> None:
        agent = self._roster.agent(workspace)
        calls = self._switch.calls_of(agent.extension) if agent else ()
        self._events.reread(workspace, agent, calls)

    # Requests

    def _do(self, request: Request) -> list[Change]:
        """Do what is asked and return what it changed. Raises ``SwitchError``."""
        match request:
            case SignIn():
                return self._sign_in(request)
            case ChangeStatus():
                return self._change_status(request)
            case ReadAgent():
                return [AgentChanged(request.workspace, self._seated(request.workspace), request.id)]
            case _:
                extension = self._seated(request.workspace).extension
                return self._changes(self._do_on_switch(request, extension), request.id)

    def _do_on_switch(
        self, request: CallRequest | OfferCall | PartyAnswer | PartyDrop, extension: str
    ) -> tuple[Notification, ...]:
        match request:
            case CallRequest():
                return self._switch.act(
                    extension,
                    request.action,
                    request.call,
                    to_address=request.to_address,
                    digits=request.digits,
                    variables=request.variables,
                )
            case OfferCall():
                return self._switch.offer(extension, request.from_address, request.variables)
            case PartyAnswer():
                return self._switch.party_answer(request.address, extension)
            case PartyDrop():
                return self._switch.party_drop(request.address, extension, request.call)

    def _sign_in(self, request: SignIn) -> list[Change]:
        """Sign in an agent, in the place of who sat there; one who sits there already keeps the state."""
        workspace, extension = request.workspace, request.extension
        seated = self._roster.agent(workspace)
        if not _EXTENSION.fullmatch(extension):
            raise SwitchError(ErrorType.INVALID_DEVICE, "an extension has 1 to 20 digits")
        if self._roster.elsewhere(workspace, request.username, extension):
            raise SwitchError(ErrorType.INVALID_DEVICE, f"extension {extension} or its agent is signed in elsewhere")
        if seated is None or (seated.login_id, seated.extension) != (request.username, extension):
            self._seat(workspace, request.username, extension)
        return [
            ConnectionChanged(workspace, Connection.CONNECTED, request.id),
            AgentChanged(workspace, self._seated(workspace), request.id),
        ]

    def _change_status(self, request: ChangeStatus) -> list[Change]:
        if request.status not in _SETTABLE:
            raise SwitchError(ErrorType.INVALID_INPUT, f"an agent cannot set {request.status}")
        workspace = request.workspace
        agent = replace(
            self._seated(workspace), status=request.status, reason_code=request.reason_code, changed=self._now()
        )
        if request.status is not AgentStatus.LOGOUT:
            self._roster.seat(workspace, agent)
            return [AgentChanged(workspace, agent, request.id)]
        self._switch.sign_out(agent.extension)
        self._roster.leave(workspace)
        return [
            AgentChanged(workspace, agent, request.id),
            ConnectionChanged(workspace, Connection.SIGNED_OUT, request.id),
        ]

    # Agents

    def _seated(self, workspace: str) -> Agent:
        agent = self._roster.agent(workspace)
        if agent is None:
            raise SwitchError(ErrorType.AUTHORIZATION_FAILURE, f"nobody is signed in at workspace {workspace}")
        return agent

    def _seat_by_name(self, workspace: str) -> None:
        """Sign in the agent that a workspace has by its name, unless somebody sits there or has its extension."""
        extension = extension_of(workspace)
        seated = self._roster.agent(workspace) is not None
        if extension is not None and not seated and not self._roster.elsewhere(workspace, workspace, extension):
            self._seat(workspace, workspace, extension)

    def _seat(self, workspace: str, login: str, extension: str) -> None:
        """Sign an agent in at the switch and at the workspace, NOT_READY. Raises ``SwitchError``, changing nothing."""
        seated = self._roster.agent(workspace)
        if seated is None:
            self._switch.sign_in(extension)
        elif seated.extension != extension:
            self._move(seated.extension, extension)
        self._roster.seat(workspace, Agent(login, login, extension, AgentStatus.NOT_READY, changed=self._now()))

    def _move(self, old: str, new: str) -> None:
        self._switch.sign_out(old)
        try:
            self._switch.sign_in(new)
        except SwitchError:
            self._switch.sign_in(old)
            raise

    # Telling

    def _changes(self, notifications: Iterable[Notification], cause: str | None) -> list[Change]:
        """Translate what agents are told into changes of their workspaces."""
        changes: list[Change] = []
        for notification in notifications:
            workspace = self._roster.workspace(notification.extension)
            if workspace is not None:
                change = CallEnded if notification.event is Event.DELETE else CallChanged
                changes.append(change(workspace, notification.call, cause))
        return changes

    def _tell(self, changes: Iterable[Change], script: Script | None = None) -> None:
        """Tell the changes of attached workspaces as one batch, each twice where the script wants it."""
        times = 2 if script and script.duplicate else 1
        batch = [change for change in changes if change.workspace in self._attached for _ in range(times)]
        if batch:
            self._events.changed(batch)
