"""A whole bridge on a real port."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest_asyncio

from bridge.app import Bridge
from bridge.settings import load

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def running(**overrides: object) -> AsyncIterator[Bridge]:
    bridge = Bridge(load(environment={}, overrides={"port": 0, **overrides}))
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


@pytest_asyncio.fixture
async def whole_bridge() -> AsyncIterator[Bridge]:
    async with running() as bridge:
        yield bridge


@pytest_asyncio.fixture
async def leisurely_bridge() -> AsyncIterator[Bridge]:
    """Give a bridge whose switch leaves time to act between two steps of dialling."""
    async with running(simulator_reaction_ms=300) as bridge:
        yield bridge
