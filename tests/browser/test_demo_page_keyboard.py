"""Everything by keyboard: the focus is always somewhere, and stays where the person is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from bridge.protocol.errors import CloseCode
from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage
from tests.browser.served import cut, running

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Locator

FOCUSED = """() => {
    const at = document.activeElement;
    return at.labels?.[0]?.textContent ?? at.getAttribute("aria-label") ?? at.textContent.trim();
}"""


class Keys:
    """A person without a mouse."""

    def __init__(self, demo: DemoPage) -> None:
        self.page = demo.page
        self.demo = demo

    async def tab_to(self, name: str, within: Locator | None = None) -> None:
        """Press Tab until the focus is on the control of that name."""
        within = within or self.page.locator("body")
        inside = within.locator("*:focus")
        for _ in range(120):
            await self.page.keyboard.press("Tab")
            if await self.page.evaluate(FOCUSED) == name and await inside.count():
                return
        pytest.fail(f"{name} is not reached with the Tab key")

    async def press(self, name: str, within: Locator | None = None, key: str = "Enter") -> None:
        await self.tab_to(name, within)
        outline = await self.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", f"nobody sees that {name} has the focus"
        await self.page.keyboard.press(key)

    async def is_somewhere(self) -> None:
        """The focus is on something that can be seen, not lost to the page as a whole."""
        assert await self.page.evaluate("document.activeElement !== document.body")


@pytest.fixture
def keys(demo: DemoPage) -> Keys:
    return Keys(demo)


async def test_a_consult_becomes_a_conference_and_is_dropped_with_the_keyboard(demo: DemoPage, keys: Keys) -> None:
    await keys.press("Offer call")
    original = demo.card(CUSTOMER)
    await demo.expect_state(original, "alerting")
    await expect(demo.page.get_by_role("button", name="Offer call")).to_be_focused()

    await keys.press("Answer", original, "Space")
    await demo.expect_state(original, "active")
    await expect(original.get_by_role("heading")).to_be_focused()

    await keys.tab_to("Number", original)
    await demo.page.keyboard.type(COLLEAGUE)
    await keys.press("Consult", original)
    consult = demo.card(COLLEAGUE)
    await demo.expect_state(original, "held")
    await expect(original.get_by_role("heading")).to_be_focused()

    party = demo.page.locator(f'#parties [data-party="{COLLEAGUE}"]')
    await keys.press(f"{COLLEAGUE} answers", party)
    await demo.expect_state(consult, "active")
    await expect(party.locator(".who")).to_be_focused()

    await keys.press("Conference", original)
    conference = demo.card(f"{CUSTOMER}, {COLLEAGUE}")
    await expect(demo.cards).to_have_count(1)
    await demo.expect_state(conference, "active")
    await expect(conference.get_by_role("heading")).to_be_focused()

    await keys.press("Drop", conference)
    await expect(demo.cards).to_have_count(0)
    await expect(demo.page.locator("#desk")).to_be_focused()


async def test_a_party_that_hangs_up_leaves_the_focus_in_the_outside_world(demo: DemoPage, keys: Keys) -> None:
    await demo.talk_to_customer()

    await keys.press(f"{CUSTOMER} hangs up call 16786021")

    await expect(demo.cards).to_have_count(0)
    await expect(demo.page.locator("#outside")).to_be_focused()


async def test_the_views_are_tabs_that_the_arrow_keys_move_between(demo: DemoPage) -> None:
    keyboard = demo.page.keyboard
    await demo.page.get_by_role("tab", name="Messages").focus()
    for key, name in (
        ("ArrowRight", "Story"),
        ("End", "Connection"),
        ("ArrowRight", "Messages"),
        ("ArrowLeft", "Connection"),
        ("Home", "Messages"),
    ):
        await keyboard.press(key)
        tab = demo.page.get_by_role("tab", name=name)
        await expect(tab).to_be_focused()
        await expect(tab).to_have_attribute("aria-selected", "true")
        await expect(demo.page.get_by_role("tabpanel", name=name)).to_be_visible()
        await expect(demo.page.get_by_role("tabpanel")).to_have_count(1)


async def test_a_view_is_there_again_after_a_reload_and_by_a_link(demo: DemoPage, context: BrowserContext) -> None:
    await demo.view("Connection")
    await demo.page.reload()
    await expect(demo.page.get_by_role("tabpanel", name="Connection")).to_be_visible()

    linked = DemoPage(await context.new_page())
    await linked.page.goto(demo.page.url.replace("#connection", "#story"))
    await expect(linked.page.get_by_role("tabpanel", name="Story")).to_be_visible()


async def test_the_focus_comes_back_with_the_line(context: BrowserContext) -> None:
    async with running() as bridge:
        demo = await DemoPage.open(context, bridge.http_url)
        call = await demo.talk_to_customer()
        hold = call.get_by_role("button", name="Hold", exact=True)
        await hold.focus()
        await demo.page.evaluate(
            "new MutationObserver(() => { window.wasInert ||= document.querySelector('#desk').inert; })"
            ".observe(document.querySelector('#desk'), { attributes: true })"
        )

        cut(bridge, CloseCode.INTERNAL_ERROR)

        await expect(demo.dividers.last).to_contain_text("Connected again")
        assert await demo.page.evaluate("window.wasInert")
        await expect(hold).to_be_focused()


async def test_signing_in_leaves_the_focus_at_the_desk(context: BrowserContext) -> None:
    async with running() as bridge:
        demo = await DemoPage.open(context, bridge.http_url, "sales")
        keys = Keys(demo)
        for label, text in (("Name", "anna"), ("Password", "a-secret-word"), ("Extension", "6001")):
            await keys.tab_to(label)
            await demo.page.keyboard.type(text)

        await demo.page.keyboard.press("Enter")

        await expect(demo.page.locator("#extension")).to_have_text("6001")
        await expect(demo.page.locator("#desk")).to_be_focused()
        await keys.is_somewhere()
