"""For everyone: contrast, names, keyboard, narrow screens, and nothing that the content policy forbids."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from playwright.async_api import expect

from tests.browser.demo_page import CUSTOMER, DemoPage

if TYPE_CHECKING:
    from playwright.async_api import Page

AA = 4.5
"""Contrast of text and ground (WCAG 2.2, 1.4.3)."""

FAINT_TEXTS = """(least) => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color) => {
        const [r, g, b] = color.slice(0, 3).map((part) => part / 255)
            .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const color = rgba(getComputedStyle(at).backgroundColor);
            if (color[3] === 255) return color;
        }
        return [255, 255, 255, 255];
    };
    const faint = [];
    let texts = 0;
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) {
        const node = walk.currentNode.parentElement;
        if (!walk.currentNode.data.trim() || !node.checkVisibility()) continue;
        texts += 1;
        const pair = [luminance(rgba(getComputedStyle(node).color)), luminance(ground(node))].sort((a, b) => b - a);
        const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
        if (contrast < least) faint.push(`${node.tagName}.${node.className} ${walk.currentNode.data} ${contrast}`);
    }
    return { texts, faint };
}"""

UNNAMED = """() => [...document.querySelectorAll("button, input, a, summary")]
    .filter((node) => node.checkVisibility())
    .filter((node) => !(node.textContent.trim() || node.getAttribute("aria-label") || node.labels?.length))
    .map((node) => node.outerHTML)"""


async def every_kind_of_thing(demo: DemoPage) -> None:
    """A held call, a failed one, a ringing one; a command that failed; an open line of the log."""
    original = await demo.talk_to_customer()
    await demo.dial(original, "Consult", "5090")
    await demo.expect_state(demo.card("5090"), "failed")
    await demo.offer("+15550101")
    await demo.expect_state(demo.card("+15550101"), "alerting")
    await demo.page.locator('#rows [data-address="Bridge/Command/Failed"] summary').click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_can_be_read(demo: DemoPage, scheme: Literal["light", "dark"]) -> None:
    await every_kind_of_thing(demo)
    await demo.page.emulate_media(color_scheme=scheme)

    found = await demo.page.evaluate(FAINT_TEXTS, AA)

    assert found["faint"] == []
    assert found["texts"] > 100


async def test_every_control_has_a_name(demo: DemoPage) -> None:
    await every_kind_of_thing(demo)

    assert await demo.page.evaluate(UNNAMED) == []


@pytest.mark.parametrize("width", [400, 1280])
async def test_the_page_does_not_scroll_sideways(demo: DemoPage, width: int) -> None:
    await demo.page.set_viewport_size({"width": width, "height": 800})
    await every_kind_of_thing(demo)

    assert await demo.page.evaluate("document.documentElement.scrollWidth") <= width
    await demo.press(demo.card("5090"), "Drop")
    await expect(demo.card("5090")).to_have_count(0)


async def tab_to(page: Page, name: str) -> None:
    for _ in range(80):
        await page.keyboard.press("Tab")
        if await page.evaluate("document.activeElement.textContent.trim()") == name:
            return
    pytest.fail(f"{name} is not reached with the Tab key")


async def test_a_call_is_offered_answered_and_dropped_with_the_keyboard(demo: DemoPage) -> None:
    page = demo.page
    await tab_to(page, "Offer call")
    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    await page.keyboard.press("Enter")
    call = demo.card(CUSTOMER)
    await demo.expect_state(call, "alerting")

    await page.locator("body").press("Shift+Home")
    await page.locator("#desk").focus()
    await tab_to(page, "Answer")
    await page.keyboard.press("Space")
    await demo.expect_state(call, "active")
    await expect(call.get_by_role("heading")).to_be_focused()

    await tab_to(page, "Drop")
    await page.keyboard.press("Enter")
    await expect(demo.cards).to_have_count(0)
    await expect(page.locator("#desk")).to_be_focused()


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
    styled = await demo.page.locator("[style], [onclick], script:not([src]), style").count()
    assert styled == 0
