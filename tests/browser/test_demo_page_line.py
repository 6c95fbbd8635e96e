"""Reloads, lost lines, dead lines: the page comes back to the same desk, and no command is sent twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from bridge.protocol.errors import CloseCode
from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage
from tests.browser.served import cut, offer, publish, running, send, workspace

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, WebSocketRoute

    from bridge.app import Bridge


async def test_a_reload_in_the_middle_of_a_consult_shows_the_same_desk(demo: DemoPage) -> None:
    await demo.consult()
    titles = demo.cards.locator("header h3, header .badge")
    before = await titles.all_text_contents()

    await demo.page.reload()

    await expect(titles).to_have_text(before)
    assert len(before) == 4
    await demo.press(demo.card(CUSTOMER), "Transfer")
    await expect(demo.cards).to_have_count(0)


@pytest.mark.parametrize("code", [CloseCode.RESTART, CloseCode.INTERNAL_ERROR, CloseCode.SLOW_CONSUMER])
async def test_a_cut_line_comes_back_with_nothing_missing_and_nothing_twice(
    demo: DemoPage, bridge: Bridge, code: CloseCode
) -> None:
    await demo.consult()
    await demo.expect_last("completed", f"{COLLEAGUE} answers")

    cut(bridge, code)
    for number in range(20):
        publish(bridge, number)

    await expect(demo.dividers).to_have_count(2)
    await expect(demo.dividers.last).to_contain_text("20 missed messages recovered")
    publish(bridge, 20)
    last = workspace(bridge).offset
    await demo.expect_logged(last)
    assert await demo.offsets() == list(range(1, last + 1))
    await expect(demo.line).to_have_text("connected")
    await demo.expect_state(demo.card(CUSTOMER), "held")
    await demo.expect_state(demo.card(COLLEAGUE), "active")


@pytest.mark.parametrize("bridge", [{"recovery_messages": 5}], indirect=True)
async def test_a_line_that_missed_too_much_gets_the_desk_as_it_stands(demo: DemoPage, bridge: Bridge) -> None:
    await demo.talk_to_customer()
    await demo.expect_last("completed", "Answer")

    cut(bridge, CloseCode.INTERNAL_ERROR)
    for number in range(6):
        publish(bridge, number)

    told = "too much was missed: 6 messages are not in the log"
    await expect(demo.dividers.last).to_contain_text(told)
    notice = demo.page.locator("#notice")
    await expect(notice).to_contain_text(told)
    await notice.get_by_role("button", name="Dismiss").click()
    await expect(notice).to_be_hidden()
    await demo.expect_state(demo.card(CUSTOMER), "active")
    publish(bridge, 6)
    last = workspace(bridge).offset
    await demo.expect_logged(last)
    assert await demo.offsets() == [*range(1, last - 6), last]


async def test_a_restarted_bridge_is_found_again_with_its_empty_desk(context: BrowserContext) -> None:
    async with running() as first:
        port = first.port
        demo = await DemoPage.open(context, first.http_url)
        await demo.talk_to_customer()
        epoch = await demo.page.locator("#epoch").inner_text()
    await expect(demo.page.get_by_role("alert")).to_contain_text("Not connected")
    await expect(demo.page.locator("#desk")).to_have_attribute("inert", "")

    async with running(port=port):
        await expect(demo.line).to_have_text("connected")
        await expect(demo.cards).to_have_count(0)
        await expect(demo.page.locator("#epoch")).not_to_have_text(epoch)
        told = "the bridge was restarted: its calls, and what was sent meanwhile, cannot be recovered"
        await expect(demo.dividers.last).to_contain_text(told)
        await expect(demo.page.locator("#notice")).to_contain_text(told)
        await demo.talk_to_customer()
        await demo.page.close()
    assert [text for text in demo.complaints if "ERR_CONNECTION_REFUSED" not in text] == []


@pytest.mark.parametrize("bridge", [{"heartbeat_seconds": 1}], indirect=True)
async def test_a_network_that_is_away_while_calls_change_costs_nothing(
    demo: DemoPage, bridge: Bridge, context: BrowserContext
) -> None:
    """The browser silences the socket without closing it, as a laptop does that leaves its network."""
    await demo.consult()
    await demo.expect_last("completed", f"{COLLEAGUE} answers")

    await context.set_offline(True)
    for number in range(10):
        publish(bridge, number)
    send(bridge, "Simulator/Party/Drop", {"address": COLLEAGUE})
    offer(bridge, "+15550199")
    await expect(demo.dividers.last).to_contain_text("no sign of life")
    await expect(demo.cards.get_by_role("heading")).to_have_text([CUSTOMER, COLLEAGUE])
    await context.set_offline(False)

    await expect(demo.dividers.last).to_contain_text("missed messages recovered")
    await expect(demo.cards.get_by_role("heading")).to_have_text([CUSTOMER, "+15550199"])
    last = workspace(bridge).offset
    await demo.expect_logged(last)
    assert await demo.offsets() == list(range(1, last + 1))
    demo.complaints = [text for text in demo.complaints if "ERR_INTERNET_DISCONNECTED" not in text]


async def test_two_tabs_of_one_agent_agree(demo: DemoPage, bridge: Bridge, context: BrowserContext) -> None:
    other = await DemoPage.open(context, bridge.http_url)
    original, _ = await demo.consult()
    consulted = [CUSTOMER, COLLEAGUE]
    await expect(other.cards.get_by_role("heading")).to_have_text(consulted)
    await other.expect_buttons(other.card(CUSTOMER), "Retrieve", "Transfer", "Conference", "Drop")

    await other.press(other.card(CUSTOMER), "Conference")
    both = f"{CUSTOMER}, {COLLEAGUE}"
    await demo.expect_state(demo.card(both), "active")
    await demo.press(demo.card(both), "Hold")
    await other.expect_state(other.card(both), "held")

    last = workspace(bridge).offset
    for page in (demo, other):
        await page.expect_logged(last)
        assert await page.offsets() == list(range(1, last + 1))
        await expect(page.cards.locator("header")).to_have_text(await demo.cards.locator("header").all_text_contents())
    await expect(original).to_have_count(0)
    assert other.complaints == []


@pytest.mark.parametrize("bridge", [{"heartbeat_seconds": 1}], indirect=True)
async def test_a_silent_line_is_given_up_after_two_heartbeats(bridge: Bridge, context: BrowserContext) -> None:
    lines: list[WebSocketRoute] = []

    def first_one_falls_silent(line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        if not lines:
            server.on_message(lambda text: None if "Heartbeat" in str(text) else line.send(text))
        lines.append(line)

    await context.route_web_socket("**/ws?*", first_one_falls_silent)
    demo = await DemoPage.open(context, bridge.http_url)

    await expect(demo.dividers.first).to_contain_text("no sign of life")
    await expect(demo.dividers.last).to_contain_text("Connected again")
    await expect(demo.line).to_have_text("connected")
    assert len(lines) == 2


class LossyLine:
    """Between one page and the bridge: notes what the page sends, and loses what it is told to lose."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.losing_commands = False
        self.losing_answers = False

    def route(self, line: WebSocketRoute) -> None:
        server = line.connect_to_server()

        def up(text: str | bytes) -> None:
            message = json.loads(text)
            self.sent.append(message["subtopic"])
            if not (self.losing_commands and message["channel"] == "Cisco"):
                server.send(text)

        line.on_message(up)
        server.on_message(lambda text: None if self.losing_answers else line.send(text))


async def behind(line: LossyLine, bridge: Bridge, context: BrowserContext) -> DemoPage:
    demo = DemoPage(await context.new_page())
    await demo.page.route_web_socket("**/ws?*", line.route)
    await demo.go(bridge.http_url)
    await expect(demo.line).to_have_text("connected")
    return demo


async def test_a_command_that_was_lost_with_the_line_is_not_sent_again(bridge: Bridge, context: BrowserContext) -> None:
    line = LossyLine()
    demo = await behind(line, bridge, context)
    await demo.offer()
    call = demo.card(CUSTOMER)
    await demo.expect_last("completed", "Offer")
    line.losing_commands = True
    await demo.press(call, "Answer")
    await demo.expect_last("sent", "Answer")

    line.losing_commands = False
    cut(bridge, CloseCode.INTERNAL_ERROR)

    await demo.expect_last("unknown", "Answer")
    await demo.expect_state(call, "alerting")
    assert line.sent.count("SetANSWER") == 1
    await demo.press(call, "Answer")
    await demo.expect_state(call, "active")


async def test_an_outcome_that_was_lost_with_the_line_comes_with_the_next(
    bridge: Bridge, context: BrowserContext
) -> None:
    line = LossyLine()
    demo = await behind(line, bridge, context)
    witness = await DemoPage.open(context, bridge.http_url)
    await demo.offer()
    call = demo.card(CUSTOMER)
    await demo.expect_state(call, "alerting")
    line.losing_answers = True
    await demo.press(call, "Answer")
    await expect(witness.rows.last).to_have_attribute("data-address", "Bridge/Command/Completed")
    await demo.expect_last("sent", "Answer")

    line.losing_answers = False
    cut(bridge, CloseCode.INTERNAL_ERROR)

    await demo.expect_last("completed", "Answer")
    await demo.expect_state(call, "active")
    assert line.sent.count("SetANSWER") == 1


async def test_a_final_close_stops_the_page_until_it_is_told_to_connect(demo: DemoPage, bridge: Bridge) -> None:
    cut(bridge, CloseCode.POLICY)

    await expect(demo.line).to_have_text("closed")
    await expect(demo.page.get_by_role("alert")).to_contain_text("against the policy: cut by the test (1008)")
    await demo.page.get_by_role("button", name="Reconnect now").click()
    await expect(demo.line).to_have_text("connected")
    await demo.talk_to_customer()
