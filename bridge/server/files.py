"""How many files, and so connections, the process may have open."""

from __future__ import annotations

from typing import NamedTuple

try:
    import resource
except ImportError:  # Windows has no such limit
    resource = None  # type: ignore[assignment]

SPARE_FILES = 256
"""Beside the sessions: listeners, HTTP connections, call control, logs."""


class FileLimit(NamedTuple):
    """What is allowed now, and what all sessions together would need."""

    allowed: int
    wanted: int

    @property
    def short(self) -> bool:
        """Whether files may run out before ``MAX_SESSIONS`` is reached."""
        return self.allowed < self.wanted


def raise_limit(max_sessions: int) -> FileLimit | None:
    """Raise the soft limit as far as the hard one allows.

    Returns:
        What is allowed now; ``None`` where the platform has no limit, or the number of sessions has none.
    """
    if resource is None:
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if allowed == resource.RLIM_INFINITY or not max_sessions:
        return None
    return FileLimit(allowed, max_sessions + SPARE_FILES)
