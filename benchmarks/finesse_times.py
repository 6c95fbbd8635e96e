"""How long what took: the bridge's own times, put together with those at the widgets.

Within one workspace everything keeps its order, and every change becomes one event. So the n-th change is the n-th
event, and the n-th request that the adapter got is the n-th command.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.finesse_desk import FinesseDesk


@dataclass
class Times:
    """Seconds, one for each time it happened.

    Attributes:
        bridge: From a notification's arrival at the bridge to its event, queued for the widgets.
        delivered: From the same arrival to the event at the widget.
        first_event: From the 202 at the bridge to the command's first event at the widget.
        outcome: From the 202 to the outcome at the widget.
        early: First events that came before the 202 did, which the above count as 0.
        unmatched: Workspaces in which changes and events do not go together, so that they are left out.
    """

    bridge: list[float] = field(default_factory=list)
    delivered: list[float] = field(default_factory=list)
    first_event: list[float] = field(default_factory=list)
    outcome: list[float] = field(default_factory=list)
    early: int = 0
    unmatched: int = 0


@dataclass
class _Change:
    told: float
    causes: list[str]
    arrived: float | None = None


@dataclass
class _Inside:
    """What happened in the bridge for one workspace: each change as often as it has events."""

    submitted: list[str] = field(default_factory=list)
    taken: dict[str, float] = field(default_factory=dict)
    changes: list[_Change] = field(default_factory=list)
    open: list[_Change] = field(default_factory=list)

    def note(self, what: str, when: float, more: list[Any]) -> None:
        if what == "submitted":
            self.submitted.append(more[0])
        elif what == "taken":
            self.taken[more[0]] = when
        elif what == "changed":
            count, causes = more
            change = _Change(when, causes)
            self.changes += [change] * count
            self.open.append(change)
        else:  # all changes since the arrival are the notification's; any before come from a reading
            (arrived,) = more
            for change in self.open:
                change.arrived = arrived if change.told >= arrived else None
            self.open.clear()


class Stretch(NamedTuple):
    """A stretch of time from a quiet moment on, in monotonic seconds."""

    begin: float
    end: float


def read(path: Path, desks: Iterable[FinesseDesk], stretch: Stretch) -> Times:
    """Put together what happened meanwhile."""
    inside: dict[str, _Inside] = defaultdict(_Inside)
    with path.open("rb") as lines:
        for line in lines:
            what, when, workspace, *more = orjson.loads(line)
            inside[workspace].note(what, when, more)
    times = Times()
    for desk in desks:
        _join(inside[desk.extension], desk, stretch, times)
    return times


def _join(inside: _Inside, desk: FinesseDesk, stretch: Stretch, times: Times) -> None:
    changes = [change for change in inside.changes if change.told > stretch.begin]
    events = [came for came in desk.events if came > stretch.begin]
    if len(changes) != len(events) or len(inside.submitted) != len(desk.commands):
        times.unmatched += 1
        return
    first: dict[str, float] = {}
    for change, came in zip(changes, events, strict=True):
        if change.arrived is not None and change.arrived < stretch.end:
            times.bridge.append(change.told - change.arrived)
            times.delivered.append(came - change.arrived)
        for cause in change.causes:
            first.setdefault(cause, came)
    for request, (_, sent, ended, _) in zip(inside.submitted, desk.commands, strict=True):
        taken = inside.taken.get(request)
        if taken is None or not stretch.begin < sent < stretch.end:
            continue
        times.outcome.append(ended - taken)
        if request in first:
            times.early += first[request] < taken
            times.first_event.append(max(0.0, first[request] - taken))
