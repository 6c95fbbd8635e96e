"""The view of the connection: as whom, with which token, how well, and a line that is cut on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage
from tests.browser.served import offer, publish, running, workspace
from tests.server.auth.tokens import SECRET, token

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Page

    from bridge.app import Bridge

PROTECTED = {"jwt_secret": SECRET, "open_seconds": 0.3}

KEPT_ANYWHERE_ELSE = """(token) => [
    location.href, document.documentElement.outerHTML, document.cookie, JSON.stringify({ ...localStorage }),
    ...performance.getEntriesByType("resource").map(({ name }) => name),
].filter((place) => place.includes(token))"""


async def connect_with(page: Page, text: str) -> None:
    await page.get_by_label("Token").fill(text)
    await page.get_by_role("button", name="Connect", exact=True).click()


@pytest.mark.parametrize("bridge", [PROTECTED], indirect=True)
async def test_a_bridge_that_asks_for_a_token_gets_the_one_that_was_pasted(
    bridge: Bridge, context: BrowserContext
) -> None:
    good = token(publish=["*"], subscribe=["*"], extension="5069")
    demo = DemoPage(await context.new_page())
    await demo.go(bridge.http_url)
    field = demo.page.get_by_label("Token")
    await expect(field).to_be_focused()

    await connect_with(demo.page, good)

    await expect(demo.line).to_have_text("connected")
    await expect(demo.page.locator("#current-workspace")).to_have_text("demo")
    await expect(demo.page.locator("#app")).to_have_text("widget")
    await demo.talk_to_customer()
    assert await demo.page.evaluate(KEPT_ANYWHERE_ELSE, good) == []
    await demo.page.reload()
    await expect(demo.line).to_have_text("connected")
    await demo.expect_state(demo.card(CUSTOMER), "active")
    assert demo.complaints == []


@pytest.mark.parametrize("bridge", [PROTECTED], indirect=True)
async def test_a_token_that_is_not_good_is_told_where_it_stands(bridge: Bridge, context: BrowserContext) -> None:
    demo = DemoPage(await context.new_page())
    await demo.go(bridge.http_url, "demo")
    field = demo.page.get_by_label("Token")
    await expect(field).to_be_focused()

    await connect_with(demo.page, "nonsense")

    await expect(demo.line).to_have_text("closed")
    await expect(demo.page.get_by_role("alert")).to_contain_text("not authenticated")
    await expect(field).to_be_focused()
    await expect(field).to_have_attribute("aria-invalid", "true")


async def test_the_page_connects_as_another_app_of_another_workspace(demo: DemoPage) -> None:
    await demo.view("Connection")
    await demo.page.get_by_label("Workspace", exact=True).fill("5071")
    await demo.page.get_by_label("App", exact=True).fill("my-gadget")
    await demo.page.get_by_role("button", name="Connect", exact=True).click()

    await expect(demo.page.locator("#extension")).to_have_text("5071")
    await expect(demo.page.locator("#app")).to_have_text("my-gadget")
    await expect(demo.page).to_have_title("5071 · Workspace Bridge demo")
    assert "token" not in demo.page.url


async def test_epoch_and_offset_are_those_of_the_stream(demo: DemoPage, bridge: Bridge) -> None:
    for number in range(3):
        publish(bridge, number)

    room = workspace(bridge)
    await expect(demo.page.locator("#position")).to_have_text(str(room.offset))
    await expect(demo.page.locator("#epoch")).to_have_text(room.epoch)


async def test_reconnecting_on_demand_changes_nothing_but_the_session(demo: DemoPage, bridge: Bridge) -> None:
    await demo.consult()
    await demo.view("Connection")
    session = demo.page.locator("#session")
    before = await session.inner_text()

    await demo.page.get_by_role("tabpanel").get_by_role("button", name="Reconnect now").click()

    await expect(session).not_to_have_text(before)
    await expect(demo.line).to_have_text("connected")
    await demo.expect_state(demo.card(COLLEAGUE), "active")
    await demo.view("Messages")
    await demo.expect_logged(workspace(bridge).offset)
    assert await demo.offsets() == list(range(1, workspace(bridge).offset + 1))


@pytest.mark.parametrize("bridge", [{"heartbeat_seconds": 1}], indirect=True)
async def test_a_line_that_is_cut_is_noticed_and_what_was_missed_is_recovered(demo: DemoPage, bridge: Bridge) -> None:
    await demo.talk_to_customer()
    await demo.expect_last("completed", "Answer")
    await demo.view("Connection")

    await demo.page.get_by_role("button", name="Cut the line").click()
    offer(bridge, "+15550199")
    await expect(demo.page.locator("#connection-reason")).to_contain_text("no sign of life")
    await expect(demo.cards).to_have_count(1)
    await demo.page.get_by_role("button", name="Cut the line").click()
    await demo.page.get_by_role("tabpanel").get_by_role("button", name="Reconnect now").click()

    await demo.expect_state(demo.card("+15550199"), "alerting")
    await demo.view("Messages")
    await expect(demo.dividers.last).to_contain_text("missed messages recovered")
    last = workspace(bridge).offset
    await demo.expect_logged(last)
    assert await demo.offsets() == list(range(1, last + 1))


async def test_a_line_that_is_whole_again_in_time_has_lost_nothing(demo: DemoPage, bridge: Bridge) -> None:
    """Two heartbeats are 50 seconds: the page never learns that it was cut off, and what was held back arrives."""
    await demo.view("Connection")
    cut = demo.page.get_by_role("button", name="Cut the line")
    await cut.click()
    for number in range(20):
        publish(bridge, number)
    await demo.offer()
    await demo.expect_last("sent", "Offer")

    await cut.click()

    await demo.expect_last("completed", "Offer")
    await demo.expect_state(demo.card(CUSTOMER), "alerting")
    await demo.view("Messages")
    assert await demo.offsets() == list(range(1, workspace(bridge).offset + 1))
    await expect(demo.dividers).to_have_count(0)


async def test_why_there_is_no_connection_is_told_with_its_likely_causes(context: BrowserContext) -> None:
    async with running() as bridge:
        demo = DemoPage(await context.new_page())
        await demo.page.route_web_socket("**/ws?*", lambda line: line.close(code=1011, reason="on purpose"))
        await demo.go(bridge.http_url)
        await demo.view("Connection")

        await expect(demo.line).to_have_text("not reachable")
        await expect(demo.page.locator("#connection-causes > li").first).to_be_visible()
        await expect(demo.page.locator("#connection-reason")).to_contain_text("attempt")
