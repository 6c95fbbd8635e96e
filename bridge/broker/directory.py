"""Which workspaces there are, and when one may be forgotten."""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

from bridge.broker.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bridge.broker.clock import Clock
    from bridge.broker.gate import Gate
    from bridge.broker.limits import Limits
    from bridge.broker.rate import Bucket

SWEPT_AT_ONCE = 200
"""So many workspaces are looked at per second: every one in its turn, none of them holding up the loop."""


class Directory:
    """The workspaces by name. One without sessions, calls and signed-in agent is idle, and forgotten in time."""

    def __init__(self, *, clock: Clock, gate: Gate, limits: Limits, new_id: Callable[[], str]) -> None:
        self._clock = clock
        self._gate = gate
        self._limits = limits
        self._new_id = new_id
        self._rooms: dict[str, Workspace] = {}
        # Oldest first. They go at the front: a plain dict would walk over the places of all that went before.
        self._vacant: OrderedDict[Workspace, float] = OrderedDict()
        self._round: Iterator[str] = iter(())

    def __len__(self) -> int:
        return len(self._rooms)

    def __iter__(self) -> Iterator[Workspace]:
        return iter(tuple(self._rooms.values()))

    def find(self, name: str) -> Workspace | None:
        """Return the workspace, if there is one."""
        return self._rooms.get(name)

    def enter(self, name: str, guests: Bucket) -> Workspace | None:
        """Return the workspace, made where there is none yet; ``None`` if there are too many that are in use."""
        room = self._rooms.get(name)
        if room is not None:
            return room
        if len(self._rooms) >= self._limits.max_workspaces and not self._make_room():
            return None
        room = self._rooms[name] = Workspace(name, self._new_id(), self._limits, guests)
        self._vacant[room] = self._clock.monotonic()
        self._gate.attach(name)
        return room

    def occupied(self, room: Workspace) -> None:
        """Note that a workspace has a session."""
        if self._vacant.pop(room, None) is not None:
            self._gate.occupied(room.name)

    def vacated(self, room: Workspace) -> None:
        """Note that the last session has left a workspace."""
        self._vacant[room] = self._clock.monotonic()
        self._gate.vacated(room.name)

    def sweep(self) -> None:
        """Forget workspaces that have been idle too long, and let some others' histories expire."""
        now = self._clock.monotonic()
        for room, since in self._oldest_vacant():
            if now - since < self._limits.workspace_idle_seconds:
                break
            self._forget_or_postpone(room, now)
        for name in self._next_names():
            if (found := self._rooms.get(name)) is not None:
                found.history.expire(now)
                found.ids.expire(now)

    def _oldest_vacant(self) -> list[tuple[Workspace, float]]:
        return list(islice(self._vacant.items(), SWEPT_AT_ONCE))

    def _next_names(self) -> list[str]:
        names = list(islice(self._round, SWEPT_AT_ONCE))
        if len(names) < SWEPT_AT_ONCE:
            self._round = iter(tuple(self._rooms))
        return names

    def _make_room(self) -> bool:
        """Forget the workspace that has been idle longest."""
        now = self._clock.monotonic()
        return any(self._forget_or_postpone(room, now) for room, _ in self._oldest_vacant())

    def _forget_or_postpone(self, room: Workspace, now: float) -> bool:
        del self._vacant[room]
        if room.ids.pending or self._gate.busy(room.name):
            self._vacant[room] = now
            return False
        del self._rooms[room.name]
        self._gate.detach(room.name)
        return True
