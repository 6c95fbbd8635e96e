"""Where the lines of the audit trail go, and what becomes of those that cannot be written.

A file is written by a thread: a disk that stalls holds up no call. The lines that wait for it are bounded; what does
not fit, or cannot be written, is counted, told in the log, and marked in the file by a line of its own.
"""

from __future__ import annotations

import json
import logging
import queue
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import structlog

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.clock import Clock

log = structlog.get_logger("bridge.server.audit")

WAITING_LINES = 10_000
"""Lines that wait for the disk: 6 megabytes as a rule, 40 at worst, and more than a site causes in ten seconds."""

CLOSE_SECONDS = 5.0
"""For what waits when the bridge stops."""

TOLD_SECONDS = 60.0
"""Between log lines about lines that were lost."""


class Writer(Protocol):
    """Takes lines. Writing neither waits nor fails; closing waits some seconds at most."""

    @property
    def lost(self) -> int:
        """How many lines could not be written."""

    def write(self, line: dict[str, Any]) -> None:
        """Write a line, some time soon."""

    def close(self) -> None:
        """Write what waits, and end."""


class File(Protocol):
    """What a line is written to."""

    def put(self, text: str) -> None:
        """Write lines, all or none.

        Raises:
            Exception: They were not written.
        """

    def abandon(self) -> None:
        """Close the file; it does not fail."""


class Waiting(NamedTuple):
    """A line that waits, behind so many that found no room; ``None`` for the end of all."""

    missing: int
    line: dict[str, Any] | None


encoded = json.JSONEncoder(separators=(",", ":")).encode
"""Writes a line in ASCII: whatever a reader takes for the end of a line, there is none inside."""


def gap(clock: Clock, lost: int) -> dict[str, Any]:
    """Make the line that stands where others are missing."""
    return {"time": clock.timestamp(), "kind": "gap", "lost": lost}


def _taken(log: Callable[..., Any], event: str, **fields: Any) -> bool:
    """Log something; say whether the log has taken it. One that an embedding program has made may raise anything."""
    with suppress(Exception):
        return log(event, **fields) is not False
    return False


class LogWriter:
    """Puts the lines into the process's log, whatever ``LOG_LEVEL`` hides of the rest."""

    def __init__(self, clock: Clock) -> None:
        self.lost = 0
        self._missing = 0
        self._clock = clock
        self._log = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))

    def write(self, line: dict[str, Any]) -> None:
        """Log it; the log has a time and an event of its own."""
        if self._missing and self._put(gap(self._clock, self._missing)):
            self._missing = 0
        if self._missing or not self._put(line):
            self._missing += 1
            self.lost += 1

    def close(self) -> None:
        """Mark what is missing at the end."""
        if self._missing:
            self._put(gap(self._clock, self._missing))

    def _put(self, line: dict[str, Any]) -> bool:
        """Log a line; say whether the log has taken it."""
        return _taken(self._log.info, "audit", **line)


class FileWriter:
    """Writes to a file, by a thread of its own."""

    def __init__(self, file: File, clock: Clock, *, waiting: int = WAITING_LINES, close: float = CLOSE_SECONDS) -> None:
        self._file = file
        self._clock = clock
        self._close_seconds = close
        self._lines: queue.Queue[Waiting] = queue.Queue(waiting)

        # The caller's: lines that were handed over, and those that found no room since the last of them.
        self._handed = 0
        self._turned_away = 0

        # The thread's: lines that it is done with.
        self._done = 0

        # Both lose lines, and tell of it.
        self._lock = threading.Lock()
        self._lost = 0
        self._why = ""
        self._told = 0
        self._told_at = float("-inf")

        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    @property
    def lost(self) -> int:
        """How many lines could not be written."""
        return self._lost

    def write(self, line: dict[str, Any]) -> None:
        """Hand the line to the thread."""
        try:
            self._lines.put_nowait(Waiting(self._turned_away, line))
        except queue.Full:
            self._turned_away += 1
            self._lose(1, "the disk is too slow")
        else:
            self._handed += 1
            self._turned_away = 0
            self._tell()

    def close(self) -> None:
        """Write what waits, and end. What is not written within some seconds is lost, and told."""
        until = time.monotonic() + self._close_seconds
        try:
            self._lines.put(Waiting(self._turned_away, None), timeout=self._close_seconds)
        except queue.Full:
            pass
        else:
            self._thread.join(max(0.0, until - time.monotonic()))
        if self._thread.is_alive():
            self._lose(self._handed - self._done, "the disk does not answer")
        self._tell(at_once=True)

    def _run(self) -> None:
        missing = 0
        line: dict[str, Any] | None = {}
        while line is not None:
            turned_away, line = self._lines.get()
            missing += turned_away
            missing = 0 if self._put(missing, line) else missing + (line is not None)
            self._done += 1
        self._file.abandon()

    def _put(self, missing: int, line: dict[str, Any] | None) -> bool:
        """Write a line, and before it that others are missing there."""
        try:
            before = gap(self._clock, missing) if missing else None
            lines = [encoded(each) for each in (before, line) if each is not None]
            if lines:
                self._file.put("\n".join(lines))
        except Exception as error:  # noqa: BLE001 whatever it is, the thread must live, or all that follows is lost
            if line is not None:
                self._lose(1, getattr(error, "strerror", None) or str(error) or type(error).__name__)
            return False
        return True

    def _lose(self, count: int, why: str) -> None:
        with self._lock:
            self._lost += count
            self._why = why
        self._tell()

    def _tell(self, *, at_once: bool = False) -> None:
        """Say in the log how many are lost, now and then."""
        if self._lost == self._told:
            return
        with self._lock:
            now = self._clock.monotonic()
            if self._lost == self._told or (now - self._told_at < TOLD_SECONDS and not at_once):
                return
            before, self._told, self._told_at = self._told, self._lost, now
            lost, why = self._lost, self._why
        if not _taken(log.error, "audit_lost", lost=lost, why=why):
            self._told = before  # the log is on the same full disk, maybe: in a minute again
