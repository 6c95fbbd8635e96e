"""For everyone: contrast, names, keyboard, narrow screens, and nothing that the content policy forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from playwright.async_api import expect

from bridge.protocol.errors import CloseCode
from tests.browser.axe import FRAMED, findings
from tests.browser.demo_page import CUSTOMER, DemoPage
from tests.browser.served import cut

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from bridge.app import Bridge

VIEWS = ["Messages", "Story", "Composer", "Gadgets", "Connection"]


async def every_kind_of_thing(demo: DemoPage) -> None:
    """A held call, a failed one, a ringing one; a command that failed; an open line of the log."""
    original = await demo.talk_to_customer()
    await demo.dial(original, "Consult", "5090")
    await demo.expect_state(demo.card("5090"), "failed")
    await demo.offer("+15550101")
    await demo.expect_state(demo.card("+15550101"), "alerting")
    await demo.page.locator('#rows [data-address="Bridge/Command/Failed"] summary').click()


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_any_view(demo: DemoPage, scheme: Literal["light", "dark"], width: int) -> None:
    await demo.page.emulate_media(color_scheme=scheme)
    await demo.page.set_viewport_size({"width": width, "height": 900})
    await every_kind_of_thing(demo)

    for view in VIEWS:
        await demo.view(view)
        assert await findings(demo.page) == [], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_while_the_page_is_cut_off(
    demo: DemoPage, bridge: Bridge, scheme: Literal["light", "dark"]
) -> None:
    await demo.page.emulate_media(color_scheme=scheme)
    await demo.talk_to_customer()
    cut(bridge, CloseCode.POLICY)
    await expect(demo.page.get_by_role("alert")).to_be_visible()

    for view in VIEWS:
        await demo.view(view)
        assert await findings(demo.page) == [], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("gadget", ["one", "two", "stranger"])
async def test_axe_finds_nothing_in_the_sample_gadgets(
    bridge: Bridge, context: BrowserContext, gadget: str, scheme: Literal["light", "dark"]
) -> None:
    page = await context.new_page()
    await page.emulate_media(color_scheme=scheme)
    await page.set_viewport_size({"width": 290, "height": 400})
    await page.goto(f"http://{gadget}.localhost:{bridge.port}/gadgets/{gadget}.html")

    assert await findings(page, FRAMED) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 290


async def test_axe_would_find_a_text_that_is_hard_to_read(demo: DemoPage) -> None:
    await demo.page.evaluate("document.querySelector('#desk h2').style.color = 'var(--ground)'")

    assert [text.partition(":")[0] for text in await findings(demo.page)] == ["color-contrast"]


@pytest.mark.parametrize("width", [400, 1280])
async def test_the_page_does_not_scroll_sideways(demo: DemoPage, width: int) -> None:
    await demo.page.set_viewport_size({"width": width, "height": 800})
    await every_kind_of_thing(demo)

    for view in VIEWS:
        await demo.view(view)
        assert await demo.page.evaluate("document.documentElement.scrollWidth") <= width, view
    await demo.press(demo.card("5090"), "Drop")
    await expect(demo.card("5090")).to_have_count(0)


async def test_changes_of_calls_are_told_to_who_does_not_see_them(demo: DemoPage) -> None:
    announcer = demo.page.locator("#announcer")
    await demo.offer()
    await expect(announcer).to_have_text(f"Call with {CUSTOMER}: alerting")

    await demo.party(CUSTOMER, "hangs up")

    await expect(announcer).to_have_text(f"Call with {CUSTOMER} has ended")


async def test_the_page_keeps_to_a_strict_content_policy(demo: DemoPage) -> None:
    response = await demo.page.request.get(demo.page.url)
    policy = response.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    await every_kind_of_thing(demo)
    inline = "[style]:not(#rows), [onclick], script:not([src]), style"  # the log sets its heights by the CSSOM
    styled = await demo.page.locator(inline).count()
    assert styled == 0
