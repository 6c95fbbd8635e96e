"""The stages on which every test of this folder runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.calls.contract.desks import opened
from tests.calls.contract.finesse_stage import FinesseStage
from tests.calls.contract.look_alike_process import look_alike
from tests.calls.contract.simulator_stage import SimulatorStage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.calls.contract.desks import Desk, Floor
    from tests.calls.contract.look_alike_process import LookAlike
    from tests.calls.contract.stage import Stage

AGENTS = ("--agents", "250")
QUICK = ("--reaction-ms", "5")


@pytest.fixture(scope="session")
def enterprise(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LookAlike]:
    """Finesse at its best: Contact Center Enterprise, each request's id comes back."""
    with look_alike(tmp_path_factory.mktemp("enterprise") / "log", *AGENTS, *QUICK) as finesse:
        yield finesse


@pytest.fixture(scope="session")
def express(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LookAlike]:
    """Finesse as it may be: Contact Center Express, no request's id comes back, everything is told twice."""
    with look_alike(tmp_path_factory.mktemp("express") / "log", *AGENTS, *QUICK, "--profile", "ccx") as finesse:
        finesse.faults(request_ids="lost", duplicates=True, escapes=2, consult_call_type="OUT")
        yield finesse


STAGES: dict[str, type[Stage]] = {
    "simulator": SimulatorStage,
    "finesse": FinesseStage,
    "finesse-express": FinesseStage,
}
"""A third adapter's comes here, and into the fixture ``stage``."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test once on every stage, save those whose switch cannot show what the test's ``needs`` names."""
    if "stage" not in metafunc.fixturenames:
        return
    needs = [name for marker in metafunc.definition.iter_markers("needs") for name in marker.args]
    able = [name for name, stage in STAGES.items() if all(getattr(stage, need) for need in needs)]
    metafunc.parametrize("stage", able, indirect=True)


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    """Give the stage that a test runs on."""
    match request.param:
        case "simulator":
            return SimulatorStage()
        case "finesse":
            return FinesseStage(request.getfixturevalue("enterprise"))
        case "finesse-express":
            return FinesseStage(request.getfixturevalue("express"), transport="tcp")
        case _:
            raise LookupError(request.param)


@pytest_asyncio.fixture
async def floor(stage: Stage) -> AsyncIterator[Floor]:
    """An adapter that runs; at the end no promise may have been broken, and every picture must be true."""
    async with opened(stage) as floor:
        yield floor
        if not floor.recorder.stopped:
            await floor.settled()


@pytest_asyncio.fixture
async def desk(floor: Floor) -> Desk:
    """An agent who is signed in."""
    return await floor.signed_in()


@pytest_asyncio.fixture
async def colleague(floor: Floor) -> Desk:
    """Another agent, at a workspace of the own."""
    return await floor.signed_in()
