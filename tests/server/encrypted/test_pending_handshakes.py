"""Half-open TLS handshakes, and what follows a whole one."""

from __future__ import annotations

from tests.server.pending_connections import *  # noqa: F403 each of its tests
