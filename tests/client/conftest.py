from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.client.scripted import ScriptedBridge, scripted_bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def script() -> AsyncIterator[ScriptedBridge]:
    async with scripted_bridge() as bridge:
        yield bridge
