from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.site import Honest, Site, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with running() as site:
        yield site


@pytest.fixture
async def honest(site: Site, record_property: Callable[[str, object], None]) -> AsyncIterator[Honest]:
    """Give two honest sessions; that they noticed nothing is checked in the end, and their p99 reported."""
    honest = await Honest.join(site)
    await honest.talk()
    yield honest
    await honest.talk()
    record_property("honest_p99_ms", round(honest.p99_ms, 2))
