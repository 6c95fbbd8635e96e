"""One agent's calls as the notifications tell them, and what each notification changes.

Notifications may come twice, late, and out of order between calls (Finesse promises nothing about it). Four rules make
a picture of them that ends up true:

1. A notification holds the whole call, so equal ones change nothing.
2. Every participant carries the time of its last change. A notification in which the participants that both know are
   older than they are known to be is late, and changes nothing.
3. A call that was deleted stays deleted, whatever else still comes for it. An agent may get a call back, by a transfer:
   that is a new ``POST`` with newer times.
4. Where that leaves a doubt, the picture says so, and the calls are read afresh.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from bridge.calls.finesse.notifications import DialogEvent
from bridge.calls.model import CallState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.calls.model import Call

REMEMBERED = 256
"""Deleted calls that are remembered, so that late notifications do not bring them back."""


PAST = 8
"""How a call looked before, so many times back: a notification that repeats it may be a late copy."""


class Difference(NamedTuple):
    """A call before and after; ``before`` is ``None`` for a new one, ``ended`` tells that it left the agent."""

    before: Call | None
    after: Call
    ended: bool


class Seen(NamedTuple):
    """What a notification changed, if anything; and whether the calls should be read afresh."""

    difference: Difference | None
    doubtful: bool = False


NOTHING = Seen(None)


class Picture:
    """The calls of one agent, by id, the oldest first."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self._gone: OrderedDict[str, Call] = OrderedDict()
        self._past: dict[str, deque[Call]] = {}
        self._origins: dict[str, str] = {}
        # How many notifications had an effect, and at which of them each call was touched last.
        self._count = 0
        self._touched: dict[str, int] = {}

    def consulted(self, call: Call, origin: str) -> Call:
        """Note that a call was consulted from another, and return it so: not every Finesse says so itself."""
        shown = _as_consult(call, origin)
        if call.id in self.calls:
            self._origins[call.id] = origin
            self.calls[call.id] = shown
        return shown

    def notice(self, event: DialogEvent, call: Call) -> Seen:
        """Take in one call of one notification."""
        call = self._as_consult(call)
        known = self.calls.get(call.id)
        if known is not None and _is_older(call, known):
            return Seen(None, doubtful=True)
        if event is DialogEvent.DELETE:
            self._forget(call)
            return Seen(Difference(known, call, ended=True) if known is not None else None)
        if known is None and call.id in self._gone and (seen := self._after_the_end(event, call)) is not None:
            return seen
        if known == call:
            return NOTHING
        # A call may come to look as it did before, but so does a repeated notification: take it, and make sure.
        repeats = call in self._past.get(call.id, ())
        self._keep(call)
        return Seen(Difference(known, call, ended=False), doubtful=repeats)

    def _after_the_end(self, event: DialogEvent, call: Call) -> Seen | None:
        """Judge what comes for a call that was deleted; ``None`` if the agent has it back."""
        if not _is_newer(call, self._gone[call.id]):
            timed = any(party.state_change_time for party in call.participants)
            return Seen(None, doubtful=not timed)
        return None if event is DialogEvent.POST else Seen(None, doubtful=True)

    # Reading afresh

    def mark(self) -> int:
        """Remember this moment: call it when a reading of all calls is asked for."""
        return self._count

    def reconcile(self, mark: int, calls: Sequence[Call]) -> list[Difference]:
        """Take in all calls as they were read after ``mark``; what a notification has told since then is newer."""
        differences: list[Difference] = []
        read = {call.id: self._as_consult(call) for call in calls}
        for known in [known for call_id, known in self.calls.items() if call_id not in read]:
            if self._touched[known.id] <= mark:
                over = replace(known, state=CallState.DROPPED)
                self._forget(over)
                differences.append(Difference(known, over, ended=True))
        for call in read.values():
            before = self.calls.get(call.id)
            if self._touched.get(call.id, 0) <= mark and before != call:
                self._keep(call)
                differences.append(Difference(before, call, ended=False))
        return differences

    # What is kept

    def _keep(self, call: Call) -> None:
        self._gone.pop(call.id, None)
        if (known := self.calls.get(call.id)) is not None:
            self._past.setdefault(call.id, deque(maxlen=PAST)).append(known)
        self.calls[call.id] = call
        self._touch(call)

    def _forget(self, call: Call) -> None:
        self.calls.pop(call.id, None)
        self._past.pop(call.id, None)
        self._origins.pop(call.id, None)
        self._gone[call.id] = replace(call, variables={}, media={})  # its parties' times are all that is asked for
        self._gone.move_to_end(call.id)
        self._touch(call)
        if len(self._gone) > REMEMBERED:
            forgotten, _ = self._gone.popitem(last=False)
            del self._touched[forgotten]

    def _touch(self, call: Call) -> None:
        self._count += 1
        self._touched[call.id] = self._count

    def _as_consult(self, call: Call) -> Call:
        origin = self._origins.get(call.id)
        return call if origin is None else _as_consult(call, origin)


def _as_consult(call: Call, origin: str) -> Call:
    """Show a consult call as one, where Finesse shows it as a plain outgoing call."""
    if call.associated is not None or call.secondary_id is not None:
        return call
    return replace(call, associated=origin, call_type="CONSULT")


def _is_older(call: Call, known: Call) -> bool:
    """Say whether what both show of their participants is nowhere newer and somewhere older in ``call``."""
    pairs = _times(call, known)
    return any(ours < theirs for ours, theirs in pairs) and not any(ours > theirs for ours, theirs in pairs)


def _is_newer(call: Call, last: Call) -> bool:
    return any(ours > theirs for ours, theirs in _times(call, last))


def _times(call: Call, other: Call) -> list[tuple[str, str]]:
    """Pair the times of the parties that are in both; they are RFC 3339 in UTC and compare as text."""
    theirs = {party.address: party.state_change_time for party in other.participants}
    pairs = [(party.state_change_time, theirs.get(party.address, "")) for party in call.participants]
    return [(ours, known) for ours, known in pairs if ours and known]
