"""Half-open connections, without TLS."""

from __future__ import annotations

from tests.server.pending_connections import *  # noqa: F403 each of its tests
