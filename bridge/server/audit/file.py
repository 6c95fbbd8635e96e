"""The audit trail's file: whole lines only, readable by its owner alone, renamed when it is full."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, cast

from bridge.settings import SettingsError

if TYPE_CHECKING:
    from io import TextIOWrapper

BEGINNING = b'{"time":"'
"""Of every line: an end of file that begins so was to become one."""

LONGEST_LINE = 65536
"""Bytes; far more than the fields of a line can hold."""


def check_file(path: Path) -> None:
    """See whether the file could be written, without making it: whoever asks may be another user than the bridge.

    Raises:
        SettingsError: It could not; the text names the setting.
    """
    problem = None
    if path.is_dir():
        problem = errno.EISDIR
    elif not path.parent.exists():
        problem = errno.ENOENT
    elif not path.parent.is_dir():
        problem = errno.ENOTDIR
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        problem = errno.EACCES
    if problem is not None:
        raise _unusable(path, os.strerror(problem))


def open_file(path: Path, most_bytes: int, files: int) -> AuditFile:
    """Open the file, and make it where there is none.

    Raises:
        SettingsError: It cannot be written.
    """
    try:
        return AuditFile(path, maxBytes=most_bytes, backupCount=files, encoding="utf-8")
    except OSError as error:
        raise _unusable(path, error.strerror) from None


def _unusable(path: Path, why: str | None) -> SettingsError:
    return SettingsError(f"AUDIT_FILE: {path}: {why}")


class AuditFile(RotatingFileHandler):
    """The library's rotation, with errors that reach the caller.

    A write that failed may have left half a line, as may a process that was killed. It is cut off when the file is
    opened, and after a failure the next line opens it anew.
    """

    def put(self, text: str) -> None:
        """Write lines, into a new file where another program has moved the old one away.

        Raises:
            OSError: They were not written.
            ValueError: The same, when the file was found closed.
        """
        if self.stream is not None and not self._is_there(self.stream):
            self.abandon()
        try:
            self.emit(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))
            if self.stream is not None:
                self.stream.flush()
        except Exception:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Close the file, whatever it could not take; the next line opens it anew."""
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError, ValueError):
                stream.close()

    def flush(self) -> None:
        """Leave that to ``put``: the library asks when the process ends, and would wait for a stalled disk for ever."""

    def close(self) -> None:
        """Leave that to ``abandon``, for the same reason."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 the library's name
        """Let the error that is being handled go on."""
        del record
        raise  # noqa: PLE0704 called from an except clause

    def _open(self) -> TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        _cut_half_line(Path(self.baseFilename))
        opened = open(self.baseFilename, self.mode, encoding=self.encoding, opener=opener)  # noqa: SIM115
        return cast("TextIOWrapper", opened)

    def _is_there(self, stream: TextIOWrapper) -> bool:
        try:
            return os.path.samestat(Path(self.baseFilename).stat(), os.fstat(stream.fileno()))
        except FileNotFoundError:
            return False


def _cut_half_line(path: Path) -> None:
    """Let the file end with the end of a line; what is none of ours stays, and gets an end."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LONGEST_LINE))
        last = file.read().rpartition(b"\n")[2]
    if not last:
        return
    if last.startswith(BEGINNING) or BEGINNING.startswith(last):
        os.truncate(path, size - len(last))
    else:
        with path.open("ab") as file:
            file.write(b"\n")
