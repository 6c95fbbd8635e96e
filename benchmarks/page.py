"""Part of ``make soak``: the demo page in Chromium while an agent's call changes 20 times a second.

Every change is shown, the last one on the desk, and what the page keeps for it (its log aside, which is emptied before
the heap is measured) does not grow. How long frames take is told: what is tolerable depends on the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from playwright.async_api import async_playwright

from benchmarks.report import progress
from bridge.app import Bridge
from bridge.client import connect
from bridge.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from playwright.async_api import CDPSession, Page

    from bridge.client import BridgeClient

    Look = Callable[[], Awaitable[None]]

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu"]

PER_SECOND = 20
WARM_UP = 200
"""Changes before the heap is measured first: by then every panel that keeps the latest of something has it full."""

HEAP_GROWTH = 1.25
BUSY_SHARE = 0.7
"""Of the page's main thread, in CPU time."""

CUSTOMER = "+15550100"

WATCH_FRAMES = """() => {
    window.frames_ = [];
    let before = performance.now();
    const watch = (now) => {
        window.frames_.push(now - before);
        before = now;
        window.watching = requestAnimationFrame(watch);
    };
    window.watching = requestAnimationFrame(watch);
}"""

FRAMES = "() => { cancelAnimationFrame(window.watching); return window.frames_.slice(1); }"


@dataclass(frozen=True)
class PageFigures:
    """What was seen in the page."""

    changes: int
    frames: int
    frame_p95_ms: float
    busy_share: float
    heap_before: int
    heap_after: int

    @property
    def heap_growth(self) -> float:
        """How many times as large the heap was at the end."""
        return self.heap_after / self.heap_before

    def __str__(self) -> str:
        mib = 1024 * 1024
        return (
            f"{self.changes} changes of a call, {self.frames} frames, 95 % of them within {self.frame_p95_ms:.1f} ms; "
            f"main thread busy {self.busy_share:.0%}; "
            f"heap {self.heap_before / mib:.1f} MiB before, {self.heap_after / mib:.1f} MiB after"
        )


class Watched:
    """An open demo page, and a widget beside it that changes the call."""

    def __init__(self, page: Page, inside: CDPSession, widget: BridgeClient, call: str) -> None:
        self._page = page
        self._inside = inside
        self._widget = widget
        self._call = call
        self._changes = 0

    async def change(self, count: int) -> None:
        """Change the call's data so often, at the fixed rate, and see that the page shows the last of it."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for number in range(count):
                self._changes += 1
                tasks.create_task(self._set(str(self._changes)))
                await asyncio.sleep(begun + (number + 1) / PER_SECOND - loop.time())
        shown = self._page.locator("#calls .variables dd", has_text=str(self._changes))
        await shown.wait_for()

    async def _set(self, value: str) -> None:
        data = {"CallID": self._call, "callVariables": {"callVariable1": value}}
        await self._widget.command("Cisco/InboundCall/SetUPDATE_CALL_DATA", data)

    async def heap(self) -> int:
        """Give the bytes in use, with an empty log and without garbage."""
        await self._page.evaluate("document.querySelector('#log-clear').click()")
        await self._inside.send("HeapProfiler.collectGarbage")
        usage = await self._inside.send("Runtime.getHeapUsage")
        return int(usage["usedSize"])

    async def busy_seconds(self) -> float:
        """Give the CPU time of the page's main thread so far."""
        metrics: list[dict[str, Any]] = (await self._inside.send("Performance.getMetrics"))["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


async def measure(page: Page, bridge: Bridge, seconds: float, look: Look | None = None) -> PageFigures:
    """Measure a demo page that is open at a workspace ``demo`` without calls.

    Args:
        page: The page.
        bridge: Where it comes from.
        seconds: How long.
        look: Is called when all has happened and the log still stands.
    """
    inside = await page.context.new_cdp_session(page)
    await inside.send("Performance.enable", {"timeDomain": "threadTicks"})
    async with connect(bridge.url, workspace="demo", app="changes") as widget:
        offered = await widget.command("Simulator/Call/Offer", {"fromAddress": CUSTOMER})
        assert offered.call is not None
        watched = Watched(page, inside, widget, offered.call)
        await widget.command("Cisco/InboundCall/SetANSWER", {"MediaAddress": widget.extension, "CallID": offered.call})
        await watched.change(WARM_UP)
        heap_before, busy_before = await watched.heap(), await watched.busy_seconds()
        await page.evaluate(WATCH_FRAMES)
        changes = round(seconds * PER_SECOND)
        await watched.change(changes)
        frames: list[float] = await page.evaluate(FRAMES)
        busy = await watched.busy_seconds() - busy_before
        if look is not None:
            await look()
        p95 = statistics.quantiles(frames, n=20)[-1]
        return PageFigures(changes, len(frames), p95, busy / seconds, heap_before, await watched.heap())


def check(figures: PageFigures) -> None:
    """See that the page can go on like this for a working day."""
    assert figures.heap_growth < HEAP_GROWTH, f"the heap grows: {figures}"
    assert figures.busy_share < BUSY_SHARE, f"the main thread has no time left: {figures}"


async def main(seconds: float) -> None:
    """Start a bridge and a browser, measure, tell and check."""
    bridge = Bridge(Settings(port=0, log_level="warning", simulator_reaction_ms=0))
    await bridge.start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            page = await browser.new_page(viewport={"width": 1280, "height": 900})
            await page.goto(bridge.http_url)
            await page.get_by_text("connected", exact=True).first.wait_for()
            progress(f"{PER_SECOND} changes a second, for {seconds:g} s")
            figures = await measure(page, bridge, seconds)
            await browser.close()
    finally:
        await bridge.stop()
    print(figures)
    check(figures)


if __name__ == "__main__":
    options = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    options.add_argument("--seconds", type=float, default=60, help="how long (%(default)s)")
    asyncio.run(main(options.parse_args().seconds))
