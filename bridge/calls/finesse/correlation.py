"""Which request caused what a notification tells.

Finesse gives a request's ``requestId`` back in the notifications that it causes, as a best effort: often it is empty
(Finesse REST developer guide, "Requests and responses"). Where it is there, it decides. Where it is not, an open
request of the same agent is the cause of a change that is what its action does to its call; among several, the oldest
whose result has not shown yet. What fits no open request was done by telephone, and has no cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.calls.adapter import CallRequest, ChangeStatus, SignIn
from bridge.calls.model import Action, AgentStatus, CallState, ParticipantState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.calls.finesse.picture import Difference
    from bridge.calls.model import Agent, Call

OPEN_SECONDS = 60.0
"""How long a request may be a cause: longer than any command waits for its outcome, with its late events."""

TONES_SECONDS = 2.0
"""The same for touch tones, whose result never shows: an error for them comes at once or not at all."""

COPY_SECONDS = 1.0
"""Notifications may come twice: an error that looks like the last one, and comes so soon, may be a copy of it."""

OPEN_REQUESTS = 64
"""More than an agent can give in that time; the oldest make room."""

_ACTIONS = frozenset(action.value for action in Action)
_GONE = frozenset({None, ParticipantState.DROPPED, ParticipantState.WRAP_UP})
_REACHED = frozenset({CallState.ALERTING, CallState.ACTIVE, CallState.FAILED, CallState.DROPPED})
_DIALS = frozenset({Action.CONSULT_CALL, Action.MAKE_CALL})


@dataclass(slots=True)
class _Open:
    """A request whose effects may still come."""

    request: CallRequest | SignIn | ChangeStatus
    since: float
    shown: bool = False
    """Its result has been seen; what comes later is most likely another's."""
    dialled: str | None = None
    """The call that it made."""
    held: bool = False
    """The call that it was consulted from has been put on hold."""
    dialling: bool = True
    """That call has neither rung nor failed yet."""


class Correlation:
    """The open requests of one agent. ``clock`` gives monotonic seconds."""

    def __init__(self, extension: str, clock: Callable[[], float]) -> None:
        self._extension = extension
        self._clock = clock
        self._open: dict[str, _Open] = {}
        # The last asynchronous error without a requestId, and when it came.
        self._last_error: tuple[str | None, str] | None = None
        self._last_error_at = 0.0

    def expect(self, request: CallRequest | SignIn | ChangeStatus) -> None:
        """Note a request that is being sent."""
        now = self._clock()
        for key in [key for key, entry in self._open.items() if now - entry.since > OPEN_SECONDS]:
            del self._open[key]
        if len(self._open) >= OPEN_REQUESTS:
            del self._open[next(iter(self._open))]
        self._open[request.id] = _Open(request, now)

    def forget(self, request_id: str) -> None:
        """Note that a request was refused: it causes nothing."""
        self._open.pop(request_id, None)

    def cause_of_call(self, told: str | None, difference: Difference) -> str | None:
        """Return the id of the request behind a change of a call; ``told`` is the notification's ``requestId``."""
        change = _Change(difference, self._extension)
        entry = self._open.get(told) if told else self._explaining(change)
        if entry is None:
            return None
        self._learn(entry, change)
        return entry.request.id

    def origin_of(self, call_id: str) -> str | None:
        """Return the call from which an open request consulted this one."""
        for entry in self._open.values():
            if entry.dialled == call_id and isinstance(entry.request, CallRequest):
                return entry.request.call
        return None

    def cause_of_agent(self, told: str | None, agent: Agent) -> str | None:
        """Return the id of the request behind a change of the agent's state."""
        if told:
            entry = self._open.get(told)
        else:
            entry = self._first(lambda entry: not entry.shown and _explains_status(entry, agent.status))
        if entry is None:
            return None
        entry.shown = True
        return entry.request.id

    def cause_of_error(self, told: str | None, dialog: str | None, text: str) -> str | None:
        """Return the id of the request that an asynchronous error refuses.

        ``dialog`` is the call that the error names, ``None`` where it names the agent. ``text`` is the error's message:
        where it names an action, the error is for a request of that action only. A request whose call is there already
        was accepted: that call would fail by itself. An error that repeats the last one may be its copy, and refuses
        nobody: what the state then shows decides.
        """
        if told:
            return told if told in self._open else None
        error, now = (dialog, text), self._clock()
        is_copy = error == self._last_error and now - self._last_error_at < COPY_SECONDS
        self._last_error, self._last_error_at = error, now
        if is_copy:
            return None
        waiting = [entry for entry in self._live() if not entry.shown and entry.dialled is None]
        entries = [entry for entry in waiting if _goes_to(entry.request, dialog)]
        if not _ACTIONS.isdisjoint(text.split()):
            entries = [entry for entry in entries if _is_named(entry.request, text)]
        return entries[0].request.id if entries else None

    def _explaining(self, change: _Change) -> _Open | None:
        entry = self._dialling(change) or self._first(lambda entry: _explains(entry, change))
        if entry is None or entry.dialled != change.call.id:
            return entry
        # Who drops a call that dials is the nearer cause of its end than who dialled it.
        return self._first(lambda other: _drops(other, change)) or entry

    def _dialling(self, change: _Change) -> _Open | None:
        """Return the request that made a new call.

        A plain one is of who asked to make one, rather than of a consult whose call has not shown. Of several requests
        it is the newest: call control lets nobody dial from a call before the last who did has an outcome, so the older
        ones were refused, and that was lost.
        """
        fitting = [entry for entry in self._live() if entry.dialled is None and _explains_new_call(entry, change)]
        makers = [entry for entry in fitting if _makes_call(entry)]
        return next(reversed(makers or fitting), None)

    def _live(self) -> list[_Open]:
        now = self._clock()
        return [entry for entry in self._open.values() if now - entry.since <= _seconds_open(entry.request)]

    def _first(self, fits: Callable[[_Open], bool]) -> _Open | None:
        """Return the oldest fitting request whose result has not shown, else the newest one whose has."""
        fitting = [entry for entry in self._live() if fits(entry)]
        waiting = [entry for entry in fitting if not entry.shown]
        if waiting:
            return waiting[0]
        return fitting[-1] if fitting else None

    def _learn(self, entry: _Open, change: _Change) -> None:
        request = entry.request
        if not isinstance(request, CallRequest):
            return
        if request.action in _DIALS and entry.dialled is None and change.is_own_new_call:
            entry.dialled = change.call.id
        if change.call.id == request.call and change.after is ParticipantState.HELD:
            entry.held = True
        if entry.dialled == change.call.id and (change.ended or change.call.state in _REACHED):
            entry.dialling = False
        entry.shown = entry.shown or _shows_result(entry, request, change)


class _Change:
    """A difference as the agent of one extension sees it."""

    __slots__ = ("after", "before", "call", "call_before", "ended", "is_own_new_call")

    def __init__(self, difference: Difference, extension: str) -> None:
        self.call = difference.after
        self.call_before = difference.before
        self.ended = difference.ended
        self.before = _state_in(difference.before, extension)
        self.after = None if difference.ended else _state_in(difference.after, extension)
        self.is_own_new_call = difference.before is None and self.call.from_address == extension


def _state_in(call: Call | None, extension: str) -> ParticipantState | None:
    part = call.participant(extension) if call is not None else None
    return part.state if part is not None else None


def _makes_call(entry: _Open) -> bool:
    return isinstance(entry.request, CallRequest) and entry.request.action is Action.MAKE_CALL


def _explains(entry: _Open, change: _Change) -> bool:
    """Say whether a change is what the request does to its call, or to the agent's other calls."""
    request = entry.request
    if not isinstance(request, CallRequest):
        return False
    if request.action in _DIALS and _explains_dialling(entry, request, change):
        return True
    if change.call.id == request.call:
        return not (request.action is Action.CONSULT_CALL and entry.held) and _EXPLAINS_OWN[request.action](
            request, change
        )
    return _explains_other(request, change)


def _drops(entry: _Open, change: _Change) -> bool:
    request = entry.request
    if not isinstance(request, CallRequest) or (request.action, request.call) != (Action.DROP, change.call.id):
        return False
    return _leaves(request, change)


def _explains_new_call(entry: _Open, change: _Change) -> bool:
    request = entry.request
    return isinstance(request, CallRequest) and request.action in _DIALS and _explains_dialling(entry, request, change)


def _explains_dialling(entry: _Open, request: CallRequest, change: _Change) -> bool:
    call = change.call
    if entry.dialled is not None:
        return call.id == entry.dialled and entry.dialling
    if not change.is_own_new_call or change.ended:
        return False
    if call.associated is not None:
        return call.associated == request.call
    # The number may be unknown yet; if it is known it must be the one that was asked for.
    return call.to_address in {"", request.to_address}


def _explains_other(request: CallRequest, change: _Change) -> bool:
    """Explain what happens to the call beside: it is put on hold by an answer, or joined to the request's call."""
    if request.action is Action.ANSWER:
        return (change.before, change.after) == (ParticipantState.ACTIVE, ParticipantState.HELD)
    if request.action in {Action.TRANSFER, Action.CONFERENCE}:
        return change.after in _GONE and change.before in {ParticipantState.ACTIVE, ParticipantState.DROPPED}
    return False


def _becomes(*states: ParticipantState | None) -> Callable[[CallRequest, _Change], bool]:
    def rule(_request: CallRequest, change: _Change) -> bool:
        return change.after in states and change.before not in states

    return rule


def _leaves(_request: CallRequest, change: _Change) -> bool:
    return change.ended or change.after in _GONE


def _joins(request: CallRequest, change: _Change) -> bool:
    if change.call_before is None or _becomes(ParticipantState.ACTIVE)(request, change):
        return True
    merged = change.call.secondary_id not in {None, change.call_before.secondary_id}
    return merged or len(change.call.participants) > len(change.call_before.participants)


def _carries(request: CallRequest, change: _Change) -> bool:
    return _has(change.call, request.variables) and not _has(change.call_before, request.variables)


def _has(call: Call | None, variables: Mapping[str, str]) -> bool:
    return call is not None and all(call.variables.get(name) == value for name, value in variables.items())


def _never(_request: CallRequest, _change: _Change) -> bool:
    return False


_EXPLAINS_OWN: dict[Action, Callable[[CallRequest, _Change], bool]] = {
    Action.ANSWER: _becomes(ParticipantState.ACTIVE),
    Action.RETRIEVE: _becomes(ParticipantState.ACTIVE),
    Action.HOLD: _becomes(ParticipantState.HELD),
    Action.CONSULT_CALL: _becomes(ParticipantState.HELD),
    Action.DROP: _leaves,
    Action.TRANSFER: _leaves,
    Action.TRANSFER_SST: _leaves,
    Action.CONFERENCE: _joins,
    Action.UPDATE_CALL_DATA: _carries,
    Action.SEND_DTMF: _never,
    Action.MAKE_CALL: _never,
}


def _shows_result(entry: _Open, request: CallRequest, change: _Change) -> bool:
    """Say whether nothing more is to come of a request after this change."""
    if request.action in _DIALS:
        return entry.dialled == change.call.id and not entry.dialling
    if change.call.id != request.call:
        return False
    if request.action in {Action.DROP, Action.TRANSFER, Action.TRANSFER_SST}:
        return change.ended
    return _EXPLAINS_OWN[request.action](request, change)


def _explains_status(entry: _Open, status: AgentStatus) -> bool:
    request = entry.request
    if isinstance(request, SignIn):
        return status is not AgentStatus.LOGOUT
    return isinstance(request, ChangeStatus) and request.status is status


def _goes_to(request: CallRequest | SignIn | ChangeStatus, dialog: str | None) -> bool:
    if isinstance(request, CallRequest):
        return request.call == dialog
    return dialog is None


def _seconds_open(request: CallRequest | SignIn | ChangeStatus) -> float:
    tones = isinstance(request, CallRequest) and request.action is Action.SEND_DTMF
    return TONES_SECONDS if tones else OPEN_SECONDS


def _is_named(request: CallRequest | SignIn | ChangeStatus, text: str) -> bool:
    return isinstance(request, CallRequest) and request.action.value in text.split()
