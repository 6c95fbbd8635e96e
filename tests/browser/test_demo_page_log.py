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
    from pathlib import Path

    from playwright.async_api import BrowserContext

    from bridge.app import Bridge
    from bridge.protocol.message import Encoded
    from tests.browser.demo_page import DemoPage

UNLIMITED = pytest.mark.parametrize("bridge", [{"messages_per_second": 0}], indirect=True)

KEPT = 20_000
ROWS_IN_THE_PAGE = 150


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
    await expect(row.locator("pre")).to_be_in_viewport(ratio=0.9)
    message = json.loads(await row.locator("pre").inner_text())
    assert message["data"]["MediaAddress"] == "5069"

    await row.get_by_role("button", name="Only this thread").click()
    thread = demo.page.locator("#rows > li:visible")
    await expect(thread).to_have_count(4)
    assert await thread.evaluate_all("rows => rows.map(row => row.dataset.address)") == [
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
    publish(bridge, 1)  # comes after it
    await demo.expect_logged(workspace(bridge).offset)
    await expect(heartbeat).to_have_count(0)

    await demo.page.get_by_label("Heartbeats").check()

    await expect(heartbeat).to_be_visible()


async def test_the_log_says_so_when_the_browser_lets_nothing_be_copied(demo: DemoPage) -> None:
    await demo.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }")

    await demo.page.get_by_role("button", name="Copy").click()

    await expect(demo.page.get_by_role("button", name="Not allowed")).to_be_visible()
    await expect(demo.page.get_by_role("button", name="Copy")).to_be_visible()


async def flood(demo: DemoPage, bridge: Bridge, count: int) -> int:
    """Publish that many messages, no faster than the page takes them. Give the offset of the last."""
    for number in range(count):
        publish(bridge, number)
        if number % 1000 == 0:
            await demo.expect_logged(workspace(bridge).offset)
    last = workspace(bridge).offset
    await demo.expect_logged(last)
    return last


@pytest.mark.parametrize("bridge", [{"messages_per_second": 0, "heartbeat_seconds": 3600}], indirect=True)
async def test_of_a_flood_the_newest_lines_are_kept_and_few_are_elements_of_the_page(
    demo: DemoPage, bridge: Bridge, context: BrowserContext
) -> None:
    await context.grant_permissions(["clipboard-read", "clipboard-write"])
    last = await flood(demo, bridge, KEPT + 500)
    rows = demo.page.locator("#rows")

    await expect(demo.page.locator("#log-count")).to_contain_text(f"{KEPT} shown, the oldest 5")
    await expect(demo.rows.last).to_be_in_viewport()
    assert await demo.rows.count() <= ROWS_IN_THE_PAGE

    await rows.focus()
    await demo.page.keyboard.press("Home")
    oldest = demo.page.locator("#rows > li:has(:focus)")
    await expect(oldest).to_have_attribute("aria-posinset", "1")
    await expect(oldest).to_have_attribute("aria-setsize", str(KEPT))
    await expect(oldest).to_have_attribute("data-offset", str(last - KEPT + 1))
    assert await demo.rows.count() <= ROWS_IN_THE_PAGE

    await demo.page.get_by_role("button", name="Copy").click()
    await expect(demo.page.get_by_role("button", name=f"Copied {KEPT}")).to_be_visible()
    copied = (await demo.page.evaluate("navigator.clipboard.readText()")).splitlines()
    assert [json.loads(line)["offset"] for line in copied] == list(range(last - KEPT + 1, last + 1))

    await demo.page.get_by_role("button", name="Newest").click()
    await demo.talk_to_customer()
    await demo.expect_logged(workspace(bridge).offset)


@UNLIMITED
async def test_lines_that_come_do_not_move_those_that_somebody_reads(demo: DemoPage, bridge: Bridge) -> None:
    await flood(demo, bridge, 300)
    rows = demo.page.locator("#rows")
    await rows.hover()
    await demo.page.mouse.wheel(0, -6000)
    await expect(demo.page.get_by_role("button", name="Newest")).to_be_visible()
    read = demo.page.locator("#rows > li:has(summary:hover)")
    offset = await read.get_attribute("data-offset")

    count = demo.page.locator("#log-count")
    before = int((await count.inner_text()).partition(" ")[0])
    last = await flood_unseen(bridge, 300)
    await expect(count).to_have_text(f"{before + 300} shown")

    await expect(read).to_have_attribute("data-offset", str(offset))
    await demo.page.get_by_role("button", name="Newest").click()
    await demo.expect_logged(last)


async def flood_unseen(bridge: Bridge, count: int) -> int:
    for number in range(count):
        publish(bridge, number)
    return workspace(bridge).offset


async def test_the_log_is_bounded_in_size_too(demo: DemoPage) -> None:
    counts = await demo.page.evaluate(
        """async () => {
            const [{ LogStore }, { Row }] = await Promise.all([import("/log/store.js"), import("/log/row.js")]);
            const store = new LogStore();
            for (let offset = 1; offset <= 40; offset += 1) {
                const message = { channel: "Notes", topic: "Test", subtopic: "Written", data: "x".repeat(1e6), offset };
                store.add([new Row(message, { way: "live", own: false, thread: 0 })]);
            }
            return store.counts;
        }"""
    )
    assert counts == {"kept": 31, "shown": 31, "dropped": 9}


@UNLIMITED
async def test_the_log_is_read_by_keyboard(demo: DemoPage, bridge: Bridge) -> None:
    last = await flood(demo, bridge, 300)
    await demo.page.locator("#rows").focus()
    here = demo.page.locator("#rows > li:has(:focus)")

    for key, offset in [("End", last), ("ArrowUp", last - 1), ("ArrowUp", last - 2), ("ArrowDown", last - 1)]:
        await demo.page.keyboard.press(key)
        await expect(here).to_have_attribute("data-offset", str(offset))
        await expect(here).to_be_in_viewport()
    await demo.page.keyboard.press("Enter")
    assert json.loads(await here.locator("pre").inner_text())["offset"] == last - 1

    for _ in range(8):
        await demo.page.keyboard.press("PageUp")
    await expect(here).to_be_in_viewport()
    assert int(await here.get_attribute("data-offset") or 0) < last - 60
    await demo.page.keyboard.press("End")
    await expect(here).to_have_attribute("data-offset", str(last))
    await expect(demo.page.locator(f'#rows > li[data-offset="{last - 1}"] pre')).to_be_visible()


@UNLIMITED
async def test_an_open_line_that_was_left_is_still_open(demo: DemoPage, bridge: Bridge) -> None:
    await flood(demo, bridge, 300)
    row = demo.page.locator('#rows > li[data-offset="290"]')
    await row.locator("summary").click()
    await expect(row.locator("pre")).to_be_visible()

    await demo.page.locator("#rows").evaluate("list => { list.scrollTop = 0; }")
    await expect(row).to_have_count(0)
    await demo.page.locator("#rows").evaluate("list => { list.scrollTop = list.scrollHeight; }")

    await expect(row.locator("pre")).to_be_visible()


async def test_the_log_is_saved_and_opened_again(demo: DemoPage, bridge: Bridge, tmp_path: Path) -> None:
    for number in range(3):
        publish(bridge, number)
    await demo.expect_logged(workspace(bridge).offset)
    await demo.page.get_by_label("Filter").fill("Notes")
    async with demo.page.expect_download() as download:
        await demo.page.get_by_role("button", name="Save").click()
    saved = tmp_path / (await download.value).suggested_filename
    await (await download.value).save_as(saved)
    lines = saved.read_text().splitlines()
    assert [json.loads(line)["data"]["number"] for line in lines] == [0, 1, 2]
    assert saved.suffix == ".jsonl"

    saved.write_text("\n".join([*lines, "", '{"no": "message"}', "{", lines[0].replace("Written", "Read")]))
    await demo.page.get_by_label("Filter").fill("")
    async with demo.page.expect_file_chooser() as chooser:
        await demo.page.get_by_role("button", name="Open", exact=True).last.click()
    await (await chooser.value).set_files(saved)

    bar = demo.page.locator(".file-bar")
    await expect(bar).to_contain_text(f"{saved.name}: 4 messages; lines 5, 6 are none")
    await expect(demo.rows).to_have_count(4)
    await expect(demo.rows.last).to_have_attribute("data-address", "Notes/Test/Read")
    publish(bridge, 3)
    await demo.page.get_by_label("Filter").fill("*/*/Read")
    await expect(demo.rows).to_have_count(1)
    await demo.page.get_by_label("Filter").fill("")

    await bar.get_by_role("button", name="Back to live").click()

    await demo.expect_logged(workspace(bridge).offset)
    await expect(bar).to_be_hidden()


async def test_a_file_is_opened_by_dropping_it(demo: DemoPage) -> None:
    dropped = await demo.page.evaluate_handle(
        """() => {
            const line = JSON.stringify({ channel: "Notes", topic: "Test", subtopic: "Dropped", data: 1, offset: 7 });
            const files = new DataTransfer();
            files.items.add(new File([`${line}\n`], "evening.jsonl"));
            return files;
        }"""
    )

    await demo.page.locator("#rows").dispatch_event("drop", {"dataTransfer": dropped})

    await expect(demo.page.locator(".file-bar")).to_contain_text("evening.jsonl: 1 message")
    await expect(demo.rows).to_have_attribute("data-address", "Notes/Test/Dropped")
