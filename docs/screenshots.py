"""Takes the pictures of the demo page that the README shows, from a real run: ``make screenshots``."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from playwright.async_api import async_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM
from tests.browser.demo_page import COLLEAGUE, DemoPage
from tests.browser.served import running

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from bridge.app import Bridge

DOCS = Path(__file__).parent
LARGEST_BYTES = 200_000

SETTLE = """async () => {
    document.activeElement.blur();
    scrollTo(0, 0);
    document.querySelector(".work").scrollTop = 0;
    await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
}"""


@dataclass(frozen=True)
class Picture:
    """One picture: of which view, how wide, in which colours, and what is pressed in the view before."""

    name: str
    view: str
    width: int
    height: int
    scheme: Literal["light", "dark"]
    pressed: tuple[str, ...] = ()


PICTURES = (
    Picture("demo-page", "Story", 1280, 800, "light"),
    Picture("demo-page-dark", "Composer", 1280, 800, "dark", ("Documented sample", "Send")),
    Picture("demo-page-narrow", "Messages", 400, 860, "light"),
)


async def prepare(demo: DemoPage) -> None:
    """Bring the desk to where it is shown: a customer on hold, a colleague on the line."""
    await demo.page.get_by_role("button", name="Ready", exact=True).click()
    original = await demo.talk_to_customer()
    await demo.dial(original, "Consult", COLLEAGUE)
    await demo.party(COLLEAGUE, "answers")
    await demo.expect_state(demo.card(COLLEAGUE), "active")
    await demo.expect_last("completed", "answers")


async def take(browser: Browser, bridge: Bridge, picture: Picture) -> None:
    """Open the page at a desk of its own, and take its picture."""
    context = await browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        color_scheme=picture.scheme,
        reduced_motion="reduce",
    )
    demo = await DemoPage.open(context, bridge.http_url)
    await prepare(demo)
    await demo.view(picture.view)
    panel = demo.page.get_by_role("tabpanel", name=picture.view)
    for button in picture.pressed:
        await panel.get_by_role("button", name=button, exact=True).click()
    await demo.page.evaluate(
        "document.activeElement.blur(); scrollTo(0, 0); document.querySelector('.work').scrollTop = 0"
    )
    await demo.page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    file = DOCS / f"{picture.name}.png"
    await demo.page.screenshot(path=file)
    await context.close()
    assert file.stat().st_size < LARGEST_BYTES, f"{file.name} is too large for a README"
    assert demo.complaints == []


async def main() -> None:
    """Take all pictures, each at a bridge of its own."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for picture in PICTURES:
            async with running() as bridge:
                await take(browser, bridge, picture)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
