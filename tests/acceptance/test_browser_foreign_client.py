"""The other client that is not ours: the browser's own WebSocket, in a page without a line of the project's code."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio
from playwright.async_api import async_playwright

from tests.acceptance.desks import COLLEAGUE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Page

    from tests.acceptance.desks import Desk

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
WAIT_MS = 15_000

WIDGET = """async (workspace) => {
    const socket = new WebSocket(
        `ws://${location.host}/ws?workspace=${workspace}&app=foreign`, ["workspace-bridge.v1"]);
    const messages = [];
    let wake = () => {};
    socket.onmessage = ({ data }) => { messages.push(JSON.parse(data)); wake(); };
    const first = async (wanted) => {
        for (;;) {
            const found = messages.find(wanted);
            if (found) return found;
            await new Promise((resolve) => { wake = resolve; });
        }
    };
    let ids = 0;
    const send = (address, data) => {
        const [channel, topic, subtopic] = address.split("/");
        const id = `page-${++ids}`;
        socket.send(JSON.stringify({ channel, topic, subtopic, id, data }));
        return id;
    };
    window.messages = messages;
    window.reply = (address, data) => {
        const id = send(address, data);
        return first((each) => each.correlationId === id && !("offset" in each));
    };
    window.command = (address, data) => {
        const id = send(address, data);
        const ends = ["Completed", "Failed", "TimedOut", "Rejected"];
        return first((each) => each.correlationId === id && ends.includes(each.subtopic));
    };
    window.allowed = (call, action) => first(({ subtopic, data }) =>
        subtopic === "InboundCallStateChange" && data.call.id === call && data.call.ActionsAllowed.includes(action));
    return (await first((each) => each.subtopic === "Opened")).data;
}"""


@pytest_asyncio.fixture
async def page(desk: Desk) -> AsyncIterator[Page]:
    """A page of the bridge's origin without any of its code."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            page = await browser.new_page()
            page.set_default_timeout(WAIT_MS)
            await page.goto(f"{desk.bridge.http_url}/problems/")
            yield page
        finally:
            await browser.close()


async def test_a_bare_page_consults_confers_and_drops(desk: Desk, page: Page) -> None:
    opened = await page.evaluate(WIDGET, desk.workspace)
    assert opened["identity"]["extension"] == desk.extension

    async def command(subtopic: str, **data: str) -> dict[str, str]:
        ended = await page.evaluate(
            "([address, data]) => command(address, data)", [f"Cisco/InboundCall/{subtopic}", data]
        )
        assert ended["subtopic"] == "Completed", ended
        result: dict[str, str] = ended["data"]
        return result

    patterns = {"patterns": ["Cisco/InboundCall", "Bridge/Command"]}
    await page.evaluate("(data) => reply('Bridge/Subscription/Subscribe', data)", patterns)
    call = await desk.offer()
    await command("SetANSWER", **desk.on(call))
    consult = (await command("SetCONSULT", **desk.on(call, toAddress=COLLEAGUE)))["consultCall"]
    await desk.answer(COLLEAGUE)
    await page.evaluate("([call, action]) => allowed(call, action)", [call, "SetCONFERENCE"])
    await command("SetCONFERENCE", **desk.on(call))
    await command("SetDROP", **desk.on(call))

    messages = await page.evaluate("messages")
    told = [message["data"]["call"] for message in messages if message["topic"] == "InboundCall"]
    assert [each["event"] for each in told if each["id"] == call][:3] == ["alerting", "active", "held"]
    first = next(each for each in told if each["id"] == consult)
    assert (first["CallType"], first["associatedCall"]) == ("CONSULT", call)
    assert sorted(each["id"] for each in told if each["ended"]) == sorted([call, consult])
    offsets = [message["offset"] for message in messages if "offset" in message]
    assert offsets == sorted(set(offsets))
