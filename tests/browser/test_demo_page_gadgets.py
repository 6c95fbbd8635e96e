"""The demo page's view of gadgets: the files that the bridge serves, each under a name of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, FrameLocator, Locator

    from bridge.app import Bridge
    from tests.browser.demo_page import DemoPage


def gadget(demo: DemoPage, title: str) -> FrameLocator:
    return demo.page.frame_locator(f'iframe[title="Gadget: {title}"]')


def counts(demo: DemoPage, name: str) -> Locator:
    return demo.page.locator(f'[data-gadget="{name}"]')


async def test_a_gadget_consults_and_the_page_sees_it(demo: DemoPage) -> None:
    original = await demo.talk_to_customer()
    await demo.view("Gadgets")
    consult = gadget(demo, "Consult")
    await expect(consult.get_by_role("heading")).to_have_text("+15550100: active")

    await consult.get_by_label("Colleague").fill("5090")
    await consult.get_by_role("button", name="Consult").click()
    await expect(consult.get_by_role("status")).to_contain_text("BUSY")
    await expect(counts(demo, "one")).to_contain_text("1 accepted")
    await demo.press(demo.card("5090"), "Drop")
    await demo.press(original, "Retrieve")
    await expect(consult.get_by_role("heading")).to_have_text("+15550100: active")

    await consult.get_by_label("Colleague").fill("5070")
    await consult.get_by_role("button", name="Consult").click()
    await expect(consult.get_by_role("status")).to_have_text("Completed")
    await demo.expect_state(original, "held")
    await expect(counts(demo, "one")).to_contain_text("none refused")


async def test_a_caller_card_writes_notes_through_its_port(demo: DemoPage) -> None:
    await demo.view("Gadgets")
    card = gadget(demo, "Caller card")
    await expect(card.get_by_role("button", name="Save")).to_be_disabled()
    await demo.talk_to_customer()
    await expect(card.locator("#caller")).to_have_text("+15550100")

    await card.get_by_role("textbox").fill("asked for an invoice")
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_role("listitem")).to_have_text(["asked for an invoice"])
    await expect(counts(demo, "two")).to_contain_text("1 accepted")


async def test_a_stranger_asks_and_hears_nothing(demo: DemoPage) -> None:
    await demo.view("Gadgets")
    stranger = gadget(demo, "Stranger")
    await expect(counts(demo, "stranger")).to_have_text("3 messages ignored")
    await stranger.get_by_role("button", name="Try again").click()
    await expect(counts(demo, "stranger")).to_have_text("6 messages ignored")
    await demo.talk_to_customer()
    await expect(gadget(demo, "Consult").get_by_role("heading")).to_have_text("+15550100: active")
    await expect(stranger.locator("#heard")).to_have_text("nothing")
    await expect(demo.cards).to_have_count(1)


async def test_no_other_page_frames_a_gadget(bridge: Bridge, context: BrowserContext) -> None:
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    await page.goto(f"http://two.localhost:{bridge.port}/gadgets/two.html")
    await page.evaluate(
        """url => new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.addEventListener("load", done);
          frame.src = url;
          document.body.append(frame);
        })""",
        f"http://one.localhost:{bridge.port}/gadgets/one.html",
    )
    assert any("Content Security Policy" in text for text in complaints)
    await page.close()
