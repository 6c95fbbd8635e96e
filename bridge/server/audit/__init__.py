"""The audit trail: who had what done to whose calls, and who was refused; a line of JSON each.

``trail`` says what stands in a line, ``writer`` sees that it gets to its place without holding anybody up, ``file`` is
that place on a disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.server.audit.file import open_file
from bridge.server.audit.trail import Trail
from bridge.server.audit.writer import FileWriter, LogWriter

if TYPE_CHECKING:
    from bridge.broker.clock import Clock
    from bridge.server.audit.writer import Writer
    from bridge.settings import Settings


def make_trail(settings: Settings, clock: Clock) -> Trail | None:
    """Make what the settings ask for; ``None`` without authentication, unless there is an ``AUDIT_FILE``.

    Raises:
        SettingsError: The file cannot be written.
    """
    if settings.audit_file is not None:
        file = open_file(settings.audit_file, settings.audit_bytes, settings.audit_files)
        writer: Writer = FileWriter(file, clock)
    elif settings.authentication:
        writer = LogWriter(clock)
    else:
        return None
    return Trail(writer, clock)
