"""A busy desk: 20 changes a second for some seconds. ``make soak`` does it for a minute and tells the times."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.page import check, measure
from tests.browser.served import workspace

if TYPE_CHECKING:
    from bridge.app import Bridge
    from tests.browser.demo_page import DemoPage


@pytest.mark.parametrize("bridge", [{"simulator_reaction_ms": 0}], indirect=True)
async def test_twenty_changes_a_second_are_all_shown_and_leave_nothing_behind(demo: DemoPage, bridge: Bridge) -> None:
    async def all_are_logged() -> None:
        last = workspace(bridge).offset
        await demo.expect_logged(last)
        offsets = await demo.offsets()
        assert offsets == list(range(offsets[0], last + 1))
        assert len(offsets) >= 3 * 60  # a command, an event and an outcome each

    figures = await measure(demo.page, bridge, 3, all_are_logged)

    check(figures)
