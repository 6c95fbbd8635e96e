"""The live log: every message, once, in order; and the tools to read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from bridge.protocol import control
from bridge.protocol.message import encode_control
from tests.browser.served import publish, workspace

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from bridge.app import Bridge
    from bridge.protocol.message import Encoded
    from tests.browser.demo_page import DemoPage

KEPT = 2000


def heartbeat_of(bridge: Bridge) -> Encoded:
    room = workspace(bridge)
    return encode_control(control.HEARTBEAT, {"epoch": room.epoch, "offset": room.offset})


async def test_every_message_of_a_consult_is_in_the_log(demo: DemoPage, bridge: Bridge) -> None:
    await demo.consult()
    await demo.expect_last("completed", "answers")

    last = workspace(bridge).offset
    await demo.expect_logged(last)
    assert await demo.offsets() == list(range(1, last + 1))
    addresses = await demo.rows.evaluate_all("rows => rows.map(row => row.dataset.address)")
    for address in (
        "Bridge/Session/Opened",
        "Bridge/Subscription/Subscribed",
        "Simulator/Call/Offer",
        "Bridge/Message/Accepted",
        "Cisco/InboundCall/SetCONSULT",
        "Cisco/InboundCall/InboundCallStateChange",
        "Bridge/Command/Completed",
    ):
        assert address in addresses


async def test_a_command_its_replies_and_its_events_have_one_colour(demo: DemoPage) -> None:
    await demo.offer()
    await demo.expect_last("completed", "Offer")
    offered = demo.page.locator('#rows [data-address="Simulator/Call/Offer"]')

    colour = await offered.evaluate("row => [...row.classList].find(name => name.startsWith('thread-'))")

    same = demo.page.locator(f"#rows > .{colour}:not(.control)")
    await expect(same).to_have_count(3)
    await expect(same.last).to_have_attribute("data-address", "Bridge/Command/Completed")


async def test_a_refused_command_is_told_with_its_code_and_the_place_of_the_error(demo: DemoPage) -> None:
    await demo.page.get_by_label("Call a number").fill("číslo")

    await demo.page.get_by_role("button", name="Call", exact=True).click()

    refused = await demo.expect_last("refused", "Call číslo")
    await expect(refused).to_contain_text("invalid_data")
    await expect(refused).to_contain_text("/data/toAddress")
    await expect(demo.page.locator('#rows [data-address="Bridge/Message/Rejected"]')).to_contain_text("invalid_data")


async def test_a_line_opens_to_the_whole_message_and_to_its_thread(demo: DemoPage) -> None:
    await demo.talk_to_customer()
    await demo.expect_last("completed", "Answer")
    row = demo.page.locator('#rows [data-address="Cisco/InboundCall/SetANSWER"]')

    await row.locator("summary").click()
    message = json.loads(await row.locator("pre").inner_text())
    assert message["data"]["MediaAddress"] == "5069"

    await row.get_by_role("button", name="Only this thread").click()
    shown = await demo.page.locator("#rows > li:visible").evaluate_all("rows => rows.map(row => row.dataset.address)")
    assert shown == [
        "Bridge/Message/Accepted",
        "Cisco/InboundCall/SetANSWER",
        "Cisco/InboundCall/InboundCallStateChange",
        "Bridge/Command/Completed",
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [("Notes", 3), ("Notes/*/Written", 3), ("*/Test", 3), ("notes/test", 0), ('NUMBER":1', 1), ("Notes/Test/Read", 0)],
)
async def test_the_filter_takes_a_pattern_or_a_text(demo: DemoPage, bridge: Bridge, text: str, count: int) -> None:
    for number in range(3):
        publish(bridge, number)
    await demo.expect_logged(workspace(bridge).offset)

    await demo.page.get_by_label("Filter").fill(text)

    await expect(demo.page.locator("#rows > li:visible")).to_have_count(count)


async def test_a_pause_holds_messages_back_and_loses_none(demo: DemoPage, bridge: Bridge) -> None:
    await demo.page.get_by_role("button", name="Pause").click()
    for number in range(3):
        publish(bridge, number)
    await expect(demo.page.locator("#log-count")).to_contain_text("3 waiting")
    before = await demo.offsets()

    await demo.page.get_by_role("button", name="Resume").click()

    last = workspace(bridge).offset
    await demo.expect_logged(last)
    assert await demo.offsets() == [*before, last - 2, last - 1, last]


async def test_a_cleared_log_goes_on_with_what_comes(demo: DemoPage, bridge: Bridge) -> None:
    await demo.page.get_by_role("button", name="Clear", exact=True).click()
    await expect(demo.rows).to_have_count(0)

    publish(bridge, 1)

    await expect(demo.rows).to_have_count(1)


async def test_the_log_is_copied_as_one_json_object_a_line(
    demo: DemoPage, bridge: Bridge, context: BrowserContext
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    for number in range(3):
        publish(bridge, number)
    await demo.expect_logged(workspace(bridge).offset)
    await demo.page.get_by_label("Filter").fill("Notes")

    await demo.page.get_by_role("button", name="Copy").click()

    await expect(demo.page.get_by_role("button", name="Copied 3")).to_be_visible()
    copied = await demo.page.evaluate("navigator.clipboard.readText()")
    assert [json.loads(line)["data"]["number"] for line in copied.splitlines()] == [0, 1, 2]


async def test_heartbeats_are_shown_on_demand(bridge: Bridge, demo: DemoPage) -> None:
    for session in workspace(bridge).sessions.values():
        session.subscriber.send(heartbeat_of(bridge))
    heartbeat = demo.page.locator('#rows [data-address="Bridge/Session/Heartbeat"]')
    await expect(heartbeat).to_have_count(1)
    await expect(heartbeat).to_be_hidden()

    await demo.page.get_by_label("Heartbeats").check()

    await expect(heartbeat).to_be_visible()


@pytest.mark.parametrize("bridge", [{"messages_per_second": 0}], indirect=True)
async def test_the_log_keeps_the_newest_lines_under_a_flood_and_stays_at_its_end(
    demo: DemoPage, bridge: Bridge
) -> None:
    for number in range(KEPT + 500):
        publish(bridge, number)

    last = workspace(bridge).offset
    await demo.expect_logged(last)
    await expect(demo.rows).to_have_count(KEPT)
    offsets = await demo.offsets()
    assert offsets == list(range(last - len(offsets) + 1, last + 1))
    await expect(demo.rows.last).to_be_in_viewport()
    await demo.talk_to_customer()
