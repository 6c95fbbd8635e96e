"""A tab that slept: timers stood still and messages waited, and the desk is right when it wakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.protocol.errors import CloseCode
from tests.browser.demo_page import CUSTOMER, WALK
from tests.browser.raw_chromium import raw_chromium
from tests.browser.served import cut, offer, publish, running, workspace

if TYPE_CHECKING:
    from bridge.app import Bridge
    from tests.browser.raw_chromium import RawTab

HEARTBEAT = 1

WATCH = """
    window.ticks = 0;
    setInterval(() => { window.ticks += 1; }, 10);
    window.signs = [];
    for (const sign of ["freeze", "resume"]) document.addEventListener(sign, () => window.signs.push(sign));
    true"""

CONNECTED = "document.querySelector('#line')?.textContent === 'connected'"
CARDS = "[...document.querySelectorAll('#calls > .card h3')].map((title) => title.textContent).join(' ')"


async def fall_asleep(tab: RawTab) -> int:
    """Freeze a tab, and see that it is: told so, and its timers stand still. Gives how often its timer had fired."""
    await tab.freeze()
    await tab.until("window.signs.includes('freeze')")
    ticks: int = await tab.evaluate("window.ticks")
    return ticks


async def outlast(other: RawTab, seconds: float) -> None:
    """Wait as long as that passes in a tab that is awake."""
    await other.until(f"performance.now() > {await other.evaluate('performance.now()') + seconds * 1000}")


@pytest.mark.parametrize("line", ["kept", "cut"])
async def test_a_sleeping_tab_comes_back_right(line: str) -> None:
    async with running(heartbeat_seconds=HEARTBEAT) as bridge, raw_chromium() as browser:
        desk = await browser.open(bridge.http_url)
        await desk.until(CONNECTED)
        await desk.evaluate(WATCH)
        offer(bridge, CUSTOMER)
        await desk.until(f"{CARDS} === '{CUSTOMER}'")
        other = await browser.open("about:blank")

        ticks = await fall_asleep(desk)
        change_everything(bridge, line)
        await outlast(other, 3 * HEARTBEAT)
        assert await desk.evaluate("window.ticks") == ticks, "its timers have not stopped: it did not sleep"
        assert await desk.evaluate(CARDS) == CUSTOMER
        await desk.resume()

        await desk.until(CONNECTED)
        await desk.until(f"{CARDS} === '{CUSTOMER} +15550199'")
        publish(bridge, 20)
        last = workspace(bridge).offset
        await desk.until(f"document.querySelector('#rows > [data-offset=\"{last}\"]') !== null")
        assert [int(offset) for offset in await desk.evaluate(f"({WALK})()")] == list(range(1, last + 1))
        assert await desk.evaluate("window.signs") == ["freeze", "resume"]


def change_everything(bridge: Bridge, line: str) -> None:
    """While the tab sleeps, a second customer calls, and other apps speak; perhaps the line breaks in between."""
    for number in range(10):
        publish(bridge, number)
    if line == "cut":
        cut(bridge, CloseCode.INTERNAL_ERROR)
    offer(bridge, "+15550199")
    for number in range(10, 20):
        publish(bridge, number)
