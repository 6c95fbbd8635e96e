"""The broker's bounds. Every one is a setting; the reasons stand in ``bridge.settings``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds per session, workspace and process. 0 switches a rate or a session count off."""

    message_bytes: int = 65536
    messages_per_second: float = 50
    messages_burst: int = 100
    patterns_per_session: int = 128
    history_messages: int = 1000
    history_seconds: float = 600
    history_bytes: int = 4_194_304
    recovery_messages: int = 300
    recovery_bytes: int = 524_288
    max_workspaces: int = 100_000
    workspace_idle_seconds: float = 3600
    max_sessions: int = 100_000
    sessions_per_workspace: int = 64
    sessions_per_address: int = 0
    idempotency_seconds: float = 300
    idempotency_messages: int = 10_000
    heartbeat_seconds: int = 25
    strict: bool = False
    open_channels: bool = True
