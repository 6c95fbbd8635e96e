"""What the adapter tells whoever keeps metrics."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Called as things happen; must be quick and must not fail."""

    def notified(self, workspace: str, arrived: float) -> None:
        """All that a notification changed has been told to the bus, and queued for its sessions.

        ``arrived`` is when its last bytes came out of the socket, in seconds of ``time.monotonic``.
        """


class Silent:
    """Listens to nothing."""

    def notified(self, workspace: str, arrived: float) -> None:
        """Ignore."""
