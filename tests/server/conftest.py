"""Servers under test."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from bridge.server.pulse import Timing
from bridge.settings import Settings
from tests.server.bus import Bus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.server.bus import Start


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run each test on both loops: their transports differ where it hurts, at the end of connections."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def chosen(settings: dict[str, Any]) -> Settings:
    """Give settings for a test, changed by its own."""
    defaults = {"port": 0, "ping_seconds": 20, "heartbeat_seconds": 3600, "max_sessions": 1000}
    return Settings(**{**defaults, **settings})


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start servers with given settings; ``tick`` and ``cut`` are seconds."""
    async with AsyncExitStack() as stack:

        async def start_one(*, tick: float = 0.02, cut: float = 0.3, **settings: Any) -> Bus:
            return await stack.enter_async_context(Bus(chosen(settings), Timing(tick=tick, cut=cut)).running())

        yield start_one


@pytest.fixture
async def bus(start: Start) -> Bus:
    """Give a server with the default settings."""
    bus: Bus = await start()
    return bus
