"""Desks at whole bridges, once for each switch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.acceptance.desks import FinessePlace, SimulatorPlace
from tests.calls.contract.look_alike_process import look_alike

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.acceptance.desks import Desk, Place
    from tests.calls.contract.look_alike_process import LookAlike

LEISURELY_MS = 300
"""Leaves time to act between two steps of dialling."""

SWITCHES = ["simulator", "finesse"]


@pytest.fixture(scope="session")
def finesse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LookAlike]:
    with look_alike(tmp_path_factory.mktemp("finesse") / "log", "--agents", "100") as finesse:
        yield finesse


@pytest.fixture(scope="session")
def leisurely_finesse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LookAlike]:
    log = tmp_path_factory.mktemp("leisurely-finesse") / "log"
    with look_alike(log, "--agents", "10", "--reaction-ms", str(LEISURELY_MS)) as finesse:
        yield finesse


@pytest.fixture(params=SWITCHES)
def place(request: pytest.FixtureRequest) -> Place:
    if request.param == "finesse":
        return FinessePlace(request.getfixturevalue("finesse"))
    return SimulatorPlace()


@pytest.fixture(params=SWITCHES)
def leisurely_place(request: pytest.FixtureRequest) -> Place:
    if request.param == "finesse":
        return FinessePlace(request.getfixturevalue("leisurely_finesse"))
    return SimulatorPlace(LEISURELY_MS)


@pytest_asyncio.fixture
async def desk(place: Place) -> AsyncIterator[Desk]:
    """An agent's desk at a bridge of its own."""
    async with place.bridge() as bridge, place.desk(bridge) as desk:
        yield desk


@pytest_asyncio.fixture
async def colleague(place: Place, desk: Desk) -> AsyncIterator[Desk]:
    """Another agent's desk at the same bridge."""
    async with place.desk(desk.bridge) as colleague:
        yield colleague


@pytest_asyncio.fixture
async def leisurely_desk(leisurely_place: Place) -> AsyncIterator[Desk]:
    async with leisurely_place.bridge() as bridge, leisurely_place.desk(bridge) as desk:
        yield desk
