from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.finesse_simulator.certificates import Certificates, make_certificates
from bridge.finesse_simulator.prosody import Prosody
from tests.calls.finesse.xmpp.played import PASSWORD, Client, nothing_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

AGENTS = [str(1001001 + i) for i in range(500)]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def agents() -> list[str]:
    return AGENTS[:3]


@pytest.fixture
async def prosody(tmp_path: Path, certificates: Certificates, agents: list[str]) -> AsyncIterator[Prosody]:
    """A server of the test's own: it starts in a tenth of a second."""
    accounts = dict.fromkeys(agents, PASSWORD)
    async with nothing_left(), Prosody(directory=tmp_path, certificates=certificates, accounts=accounts) as running:
        yield running
        await running.kill()  # it would wait a second for clients that have just gone


@pytest.fixture
def client(certificates: Certificates, prosody: Prosody) -> Client:
    return Client(certificates, prosody)
