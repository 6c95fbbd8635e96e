"""The same servers as in the folder above, with TLS; ``bus`` and ``start`` mean them here."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from bridge.server.pulse import Timing
from tests.server.bus import Bus
from tests.server.conftest import chosen
from tests.server.encrypted.authority import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.server.bus import Start


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Make an authority; clients that ask the environment whom to trust trust it too."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root))
    return authority


@pytest.fixture
async def start(authority: Authority) -> AsyncIterator[Start]:
    """Start servers with given settings; they look at their certificate at every tick."""
    async with AsyncExitStack() as stack:

        async def start_one(*, tick: float = 0.02, cut: float = 0.3, **settings: Any) -> Bus:
            timing = Timing(tick=tick, cut=cut, look=0)
            bus = Bus(chosen({**authority.settings, **settings}), timing, authority.client)
            return await stack.enter_async_context(bus.running())

        yield start_one
