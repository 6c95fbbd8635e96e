"""The pytest fixtures. Nothing of the bridge is imported before a test asks for one."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

try:
    from pytest_asyncio import fixture as async_fixture
except ModuleNotFoundError:  # then asking for one of the asynchronous fixtures says so, in pytest's own words
    async_fixture = pytest.fixture  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from bridge.client import BridgeClient
    from bridge.testing.desk import Desk
    from bridge.testing.running import BackgroundBridge


@pytest.fixture
def bridge_settings() -> dict[str, Any]:
    """Settings of the ``bridge`` fixture; define your own fixture of this name to change them."""
    return {}


@pytest.fixture
def bridge(bridge_settings: dict[str, Any]) -> Iterator[BackgroundBridge]:
    """Run a bridge on a free port, in a thread, with the simulated switch."""
    from bridge.testing.running import BackgroundBridge  # noqa: PLC0415 see the module's text

    with BackgroundBridge(**bridge_settings) as running:
        yield running


@async_fixture
async def bridge_client(bridge: BackgroundBridge) -> AsyncIterator[Callable[..., Awaitable[BridgeClient]]]:
    """Make clients of the ``bridge``, with ``connect``'s options; they are closed after the test."""
    from bridge.client import connect  # noqa: PLC0415 see the module's text

    async with AsyncExitStack() as clients:

        async def connected(*, workspace: str = "demo", app: str = "test", **options: Any) -> BridgeClient:
            return await clients.enter_async_context(connect(bridge.url, workspace=workspace, app=app, **options))

        yield connected


@async_fixture
async def desk(bridge: BackgroundBridge) -> AsyncIterator[Desk]:
    """Sit at the desk of workspace ``demo``, extension 5069."""
    from bridge.testing.desk import open_desk  # noqa: PLC0415 see the module's text

    async with open_desk(bridge.url) as opened:
        yield opened
