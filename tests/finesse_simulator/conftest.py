from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.finesse_simulator.look_alike import FinesseLookAlike
from tests.finesse_simulator.desks import AgentDesk, signed_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REACTION = 0.005


@pytest.fixture
async def finesse() -> AsyncIterator[FinesseLookAlike]:
    async with FinesseLookAlike(agents=3, reaction_seconds=REACTION) as finesse:
        yield finesse


@pytest.fixture
async def express() -> AsyncIterator[FinesseLookAlike]:
    """The look-alike as Contact Center Express."""
    async with FinesseLookAlike(agents=3, profile="ccx", reaction_seconds=REACTION) as finesse:
        yield finesse


@pytest.fixture
async def pair() -> AsyncIterator[FinesseLookAlike]:
    async with FinesseLookAlike(agents=2, pair=True, reaction_seconds=REACTION) as finesse:
        yield finesse


@pytest.fixture
async def alice(finesse: FinesseLookAlike) -> AsyncIterator[AgentDesk]:
    """1001001, signed in."""
    async with signed_in(finesse) as desk:
        yield desk


@pytest.fixture
async def bob(finesse: FinesseLookAlike) -> AsyncIterator[AgentDesk]:
    """1001002, signed in."""
    async with signed_in(finesse, 1) as desk:
        yield desk
