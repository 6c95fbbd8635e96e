"""A real bridge and a real browser in one loop: what a test does to the bridge is there before it looks at the page.

The browser is Debian's; a machine without it fails these tests, as it could not tell whether the page works.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.browser.demo_page import DemoPage
from tests.browser.served import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser, BrowserContext

    from bridge.app import Bridge

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WAIT_MS = 15_000
"""Longest wait for what must come: a loaded machine is slow, a wrong page never gets there."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in the loop in which the browser was started."""
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(request: pytest.FixtureRequest) -> AsyncIterator[Bridge]:
    """A bridge of the test's own. An indirect parameter gives it other settings."""
    async with running(**getattr(request, "param", {})) as bridge:
        yield bridge


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(WAIT_MS)
    yield context
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def demo(bridge: Bridge, context: BrowserContext) -> AsyncIterator[DemoPage]:
    """The demo page, connected. At the end nothing may have gone wrong in it."""
    demo = await DemoPage.open(context, bridge.http_url)
    yield demo
    assert demo.complaints == []
