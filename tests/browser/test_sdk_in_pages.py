"""The SDK in real pages: of another origin, and two tabs that share one socket."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from tests.browser.served import running, workspace
from tests.docs.test_readme_gadget import Site, Visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.async_api import BrowserContext, Page

    from bridge.app import Bridge

CONNECT = """async ({ base, shared }) => {
    const { connect } = await import(`${base}/sdk/workspace-bridge.js`);
    window.seen = [];
    window.bridge = await connect({ workspace: "demo", app: "page", shared });
    const subscribed = (pattern, list, options) => new Promise((resolve) => bridge.subscribe(pattern,
        ({ data }) => list.push(data.number), { ...options, onJoined: resolve }));
    await subscribed("Notes", seen, {});
    window.echoed = [];
    await subscribed("Notes", echoed, { echo: true });
    return bridge.opened.session;
}"""

PUBLISH = """(number) => bridge.publish({ channel: "Notes", topic: "Test", subtopic: "Written", data: { number } })"""
UNTIL = "(number) => echoed.includes(number)"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site(("127.0.0.1", 0), Visit) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        server.page = "<!doctype html><title>elsewhere</title>"
        yield server
        server.shutdown()
        thread.join()


async def test_page_of_another_origin_commands_and_hears(site: Site, context: BrowserContext) -> None:
    async with running(allowed_origins=[site.origin]) as bridge:
        page = await context.new_page()
        await page.goto(site.origin)
        assert await page.evaluate(CONNECT, {"base": bridge.http_url, "shared": False})
        await page.evaluate(PUBLISH, 1)
        await page.wait_for_function(UNTIL, arg=1)
        assert await page.evaluate("seen") == []


async def test_page_whose_origin_is_not_listed_learns_the_likely_causes(site: Site, context: BrowserContext) -> None:
    async with running() as bridge:
        page = await context.new_page()
        await page.goto(site.origin)
        causes = await page.evaluate(
            """async (base) => {
                const { connect } = await import(`${base}/sdk/workspace-bridge.js`);
                return new Promise((resolve) => connect({ onState: ({ causes }) => causes && resolve(causes) }));
            }""",
            bridge.http_url,
        )
        assert any(site.origin in cause for cause in causes)


async def shared_page(context: BrowserContext, bridge: Bridge) -> tuple[Page, str]:
    page = await context.new_page()
    await page.goto(f"{bridge.http_url}/problems/")
    session = await page.evaluate(CONNECT, {"base": bridge.http_url, "shared": True})
    return page, session


async def test_two_tabs_share_one_socket_and_each_hears_what_it_should(bridge: Bridge, context: BrowserContext) -> None:
    one, first = await shared_page(context, bridge)
    two, second = await shared_page(context, bridge)
    assert first == second
    assert len(workspace(bridge).sessions) == 1

    await one.evaluate(PUBLISH, 1)
    await two.evaluate(PUBLISH, 2)
    for page in (one, two):
        await page.wait_for_function(UNTIL, arg=2)
        assert await page.evaluate("echoed") == [1, 2]
    assert await one.evaluate("seen") == [2]
    assert await two.evaluate("seen") == [1]

    command = """() => bridge.command({ channel: "Simulator", topic: "Call", subtopic: "Offer",
        data: { fromAddress: "+15550100" } })"""
    assert (await one.evaluate(command))["call"]

    await one.close()
    await two.evaluate(PUBLISH, 3)
    await two.wait_for_function(UNTIL, arg=3)
    await two.close()
    async with asyncio.timeout(15):
        while workspace(bridge).sessions:  # noqa: ASYNC110 the broker tells nobody that a session has gone
            await asyncio.sleep(0.01)
