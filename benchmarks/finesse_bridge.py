"""The bridge with its Finesse adapter as a process to measure, and a file of when what happened inside of it.

A line of the file is JSON: what, when (monotonic seconds, the same clock in every process of a machine), workspace, and

* ``submitted``, ``taken``: the request's id; ``taken`` is the 202.
* ``changed``: how many changes were told at once, each of which is one event; and the ids of the requests behind them.
* ``notified``: when the notification came out of its socket that has just told its changes.
"""

from __future__ import annotations

import atexit
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import orjson

from benchmarks import bridge_server
from benchmarks.load import run
from bridge.app import Bridge, make_adapter
from bridge.broker.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.calls.adapter import Adapter, AdapterEvents, Change, Failure, Request
    from bridge.calls.model import Agent, Call
    from bridge.settings import Settings

TIMES_FILE: Final = "FINESSE_TIMES_FILE"
"""The environment's name for where the file is."""


class Times:
    """The file. Hears of notifications as the adapter's observer."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=1 << 20)
        atexit.register(self._file.close)

    def note(self, what: str, workspace: str, *more: Any) -> None:
        """Write a line, for now."""
        self._file.write(orjson.dumps([what, time.monotonic(), workspace, *more]) + b"\n")

    def notified(self, workspace: str, arrived: float) -> None:
        """A notification has been told."""
        self.note("notified", workspace, arrived)


class TimedAdapter:
    """An adapter that is watched at its contract."""

    def __init__(self, adapter: Adapter, times: Times) -> None:
        self._adapter = adapter
        self._times = times
        self._workspaces: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def start(self, events: AdapterEvents) -> None:
        """Begin, and hear what is told before the service does."""
        self._adapter.start(TimedEvents(events, self._times, self._workspaces))

    def submit(self, request: Request) -> None:
        """Pass a request on."""
        self._workspaces[request.id] = request.workspace
        self._times.note("submitted", request.workspace, request.id)
        self._adapter.submit(request)


class TimedEvents:
    """What the adapter calls."""

    def __init__(self, events: AdapterEvents, times: Times, workspaces: dict[str, str]) -> None:
        self._events = events
        self._times = times
        self._workspaces = workspaces

    def taken(self, request: str) -> None:
        """The 202 has come."""
        self._times.note("taken", self._workspaces[request], request)
        self._events.taken(request)

    def refused(self, request: str, failure: Failure) -> None:
        """Pass it on."""
        self._events.refused(request, failure)

    def unanswered(self, request: str) -> None:
        """Pass it on."""
        self._events.unanswered(request)

    def changed(self, changes: Sequence[Change]) -> None:
        """Events go out: they are queued when this returns."""
        self._events.changed(changes)
        causes = [change.cause for change in changes if change.cause is not None]
        self._times.note("changed", changes[0].workspace, len(changes), causes)

    def reread(self, workspace: str, agent: Agent | None, calls: Sequence[Call]) -> None:
        """Pass it on."""
        self._events.reread(workspace, agent, calls)


def make(settings: Settings) -> Bridge:
    """Make a bridge whose adapter is watched."""
    times = Times(Path(os.environ[TIMES_FILE]))
    adapter = TimedAdapter(make_adapter(settings, SystemClock(), times), times)
    return Bridge(settings, adapter=cast("Adapter", adapter))


if __name__ == "__main__":
    run(bridge_server.main(make))
