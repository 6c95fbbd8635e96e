from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.attacks.site import Honest, Site, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell how long the messages of the honest took beside the worst attack. It is a figure, and no limit."""
    found = [
        (properties["honest_p99_ms"], report.nodeid)
        for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports(""))  # "": of fixtures
        if "honest_p99_ms" in (properties := dict(report.user_properties))
    ]
    if found:
        slowest, where = max(found)
        terminalreporter.write_line(f"attacks: p99 of the honest at most {slowest:.2f} ms, in {where}")


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
