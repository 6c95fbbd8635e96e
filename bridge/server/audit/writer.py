"""Where the lines of the audit trail go, and what becomes of those that cannot be written.

A file is written by a thread: a disk that stalls holds up no call. The lines that wait for it are bounded; what does
not fit, or cannot be written, is counted, told in the log, and marked in the file by a line of its own.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING, Any, Protocol, cast

import structlog

from bridge.settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import TextIOWrapper
    from pathlib import Path

log = structlog.get_logger("bridge.server.audit")

WAITING_LINES = 10_000
"""Lines that wait for the disk: some megabytes, and more than a site causes in ten seconds."""

CLOSE_SECONDS = 5.0
"""For what waits when the bridge stops."""

TOLD_SECONDS = 60.0
"""Between log lines about lines that were lost."""

_STOP = None


class Writer(Protocol):
    """Takes lines; neither call waits or fails."""

    lost: int

    def write(self, line: dict[str, Any]) -> None:
        """Write a line, some time soon."""

    def close(self) -> None:
        """Write what waits, within some seconds, and end."""


def encoded(line: dict[str, Any]) -> str:
    """Write a line in ASCII: whatever a reader takes for the end of a line, there is none inside."""
    return json.dumps(line, separators=(",", ":"))


class LogWriter:
    """Puts the lines into the process's log."""

    lost = 0

    def write(self, line: dict[str, Any]) -> None:
        """Log it; the log has a time and an event of its own."""
        log.info("audit", **line)

    def close(self) -> None:
        """Need nothing."""


class _File(RotatingFileHandler):
    """A file that only its owner reads, and whose errors are its caller's business."""

    _torn = False

    def _open(self) -> TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        opened = open(self.baseFilename, self.mode, encoding=self.encoding, opener=opener)  # noqa: SIM115
        return cast("TextIOWrapper", opened)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 the library's name
        """Let the error that is being handled go on."""
        del record
        raise  # noqa: PLE0704 called from an except clause

    def put(self, text: str) -> None:
        """Write one line, into a new file where another program has moved the old one away.

        Raises:
            OSError: It was not written.
        """
        if self.stream is not None and not self._is_there(self.stream):
            self.abandon()
        try:
            self.emit(logging.LogRecord("audit", logging.INFO, "", 0, "\n" * self._torn + text, None, None))
        except (OSError, ValueError):  # ValueError: rotation failed and left the file closed
            self.abandon()
            self._torn = True  # half of the line may be there
            raise
        self._torn = False

    def abandon(self) -> None:
        """Close the file, whatever it could not take; the next line opens it anew."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()

    def _is_there(self, stream: TextIOWrapper) -> bool:
        try:
            return os.path.samestat(os.stat(self.baseFilename), os.fstat(stream.fileno()))  # noqa: PTH116
        except FileNotFoundError:
            return False


class FileWriter:
    """Writes to a file that is renamed when it is full; so many full ones are kept.

    Raises:
        SettingsError: The file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        most_bytes: int,
        files: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        waiting: int = WAITING_LINES,
    ) -> None:
        self.lost = 0
        self._monotonic = monotonic
        self._told_at = float("-inf")
        self._unmarked = 0
        self._lines: queue.Queue[dict[str, Any] | None] = queue.Queue(waiting)
        try:
            self._file = _File(path, maxBytes=most_bytes, backupCount=files, encoding="utf-8")
        except OSError as error:
            raise SettingsError(f"AUDIT_FILE: {path}: {error.strerror}") from None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def write(self, line: dict[str, Any]) -> None:
        """Hand the line to the thread."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._lose("the disk is too slow")

    def close(self) -> None:
        """Write what waits, and end; after some seconds without it."""
        try:
            self._lines.put(_STOP, timeout=CLOSE_SECONDS)
        except queue.Full:
            self._lose("the disk does not answer")
            return
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (line := self._lines.get()) is not _STOP:
            self._mark()
            self._put(line)
        self._mark()
        self._file.abandon()
        self._file.close()

    def _mark(self) -> None:
        """Say in the file that lines are missing here."""
        with self._lock:
            missing, self._unmarked = self._unmarked, 0
        if missing:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            if not self._put({"time": now, "kind": "gap", "lost": missing}, count=False):
                with self._lock:
                    self._unmarked += missing

    def _put(self, line: dict[str, Any], *, count: bool = True) -> bool:
        try:
            self._file.put(encoded(line))
        except (OSError, ValueError) as error:
            if count:
                self._lose(getattr(error, "strerror", None) or str(error))
            return False
        return True

    def _lose(self, why: str) -> None:
        """Count a line that will not be in the file, and tell of it now and then."""
        with self._lock:
            self.lost += 1
            self._unmarked += 1
            now = self._monotonic()
            told = now - self._told_at < TOLD_SECONDS
            if not told:
                self._told_at = now
        if not told:
            log.error("audit_lost", lost=self.lost, why=why)
