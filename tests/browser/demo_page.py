"""The demo page as a person uses it: what there is to click, and what there is to see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from playwright.async_api import expect

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, Response

CUSTOMER = "+15550100"
COLLEAGUE = "5070"

WALK = """async () => {
    const list = document.querySelector("#rows");
    const frame = () => new Promise(requestAnimationFrame);
    const seen = new Map();
    let top = 0;
    do {
        list.scrollTop = top;
        await frame();
        for (const row of list.children) {
            seen.set(Number(row.ariaPosInSet), row.dataset.offset);
        }
        top += list.clientHeight || Infinity;
    } while (top < list.scrollHeight);
    list.scrollTop = list.scrollHeight;
    return [...seen].sort(([one], [other]) => one - other).map(([, offset]) => offset).filter(Boolean);
}"""
"""Reads the log from its top to its end: of its rows, only those in sight and some around them are in the page."""


class DemoPage:
    """One open demo page.

    ``rows`` and ``dividers`` are lines of the log: all of them while it is short, later those in sight and around it.
    ``complaints`` is everything that a developer would see in the browser's console, and every file that was not found.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.line = page.locator("#line")
        self.cards = page.locator("#calls > .card")
        self.commands = page.locator("#activity > li")
        self.rows = page.locator("#rows > li:not(.divider)")
        self.dividers = page.locator("#rows > li.divider")
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("response", self._response)

    @classmethod
    async def open(cls, context: BrowserContext, url: str, workspace: str | None = None) -> Self:
        """Open the page in a new tab and wait until it is connected."""
        demo = cls(await context.new_page())
        await demo.go(url, workspace)
        await expect(demo.line).to_have_text("connected")
        return demo

    async def go(self, url: str, workspace: str | None = None) -> None:
        await self.page.goto(f"{url}/" if workspace is None else f"{url}/?workspace={workspace}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _response(self, response: Response) -> None:
        if response.status >= 400:
            self.complaints.append(f"{response.status} {response.url}")

    # What there is to click

    async def offer(self, number: str = CUSTOMER) -> None:
        await self.page.get_by_label("From", exact=True).fill(number)
        await self.page.get_by_role("button", name="Offer call").click()

    async def press(self, call: Locator, action: str) -> None:
        await call.get_by_role("button", name=action, exact=True).click()

    async def dial(self, call: Locator, action: str, number: str) -> None:
        await call.get_by_label("Number").fill(number)
        await self.press(call, action)

    async def party(self, address: str, does: str) -> None:
        await self.page.locator(f'#parties [data-party="{address}"]').get_by_role("button", name=does).click()

    async def view(self, name: str) -> None:
        """Open one of the views beside the desk: Messages, Story, Composer, Gadgets, Connection."""
        await self.page.get_by_role("tab", name=name).click()

    # What there is to see

    def card(self, title: str) -> Locator:
        """The card of the call with that partner, or those partners."""
        return self.cards.filter(has=self.page.get_by_role("heading", name=title, exact=True))

    async def expect_state(self, call: Locator, state: str) -> None:
        await expect(call.locator("header .badge")).to_have_text(state)

    async def expect_buttons(self, call: Locator, *labels: str) -> None:
        """The call offers these and no other, in this order."""
        buttons = call.locator("[data-action]:visible")
        await expect(buttons).to_have_text(list(labels))

    async def expect_last(self, phase: str, label: str) -> Locator:
        """The latest command is that one, and has come that far."""
        latest = self.commands.first
        await expect(latest).to_have_attribute("data-phase", phase)
        await expect(latest).to_contain_text(label)
        return latest

    async def offsets(self) -> list[int]:
        """The offsets of all messages in the log, from its top to its end."""
        return [int(offset) for offset in await self.page.evaluate(WALK)]

    async def expect_logged(self, offset: int) -> None:
        await expect(self.page.locator(f'#rows > li[data-offset="{offset}"]')).to_have_count(1)

    # Stories

    async def talk_to_customer(self) -> Locator:
        """Offer a call and answer it."""
        await self.offer()
        call = self.card(CUSTOMER)
        await self.expect_state(call, "alerting")
        await self.press(call, "Answer")
        await self.expect_state(call, "active")
        return call

    async def consult(self) -> tuple[Locator, Locator]:
        """From a customer's call to two calls: the held one, and the active one with the colleague."""
        original = await self.talk_to_customer()
        await self.dial(original, "Consult", COLLEAGUE)
        consult = self.card(COLLEAGUE)
        await self.expect_state(original, "held")
        await self.party(COLLEAGUE, "answers")
        await self.expect_state(consult, "active")
        return original, consult
