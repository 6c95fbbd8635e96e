"""The story: who says what to whom, a command and all that it caused as one thread, in pictures and in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pytest
from playwright.async_api import expect

from bridge.protocol.errors import CloseCode
from tests.browser.axe import findings
from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage
from tests.browser.served import cut, publish, workspace

if TYPE_CHECKING:
    from bridge.app import Bridge

KEPT = 200

TELL = """async (messages) => {
    const { Storyteller } = await import("/story/teller.js");
    const teller = new Storyteller();
    teller.open({ identity: { app: "desk", extension: "5069" } });
    return messages.flatMap(([message, via]) => teller.take(message, via))
        .map(({ note, from, to, label, thread }) => note ?? `${thread} ${from} > ${to}: ${label}`);
}"""
"""Tells the story of messages, without a picture."""


class Story:
    """The story as a person reads it."""

    def __init__(self, demo: DemoPage) -> None:
        self.page = demo.page
        self.panel = demo.page.locator("#story")
        self.steps = self.panel.locator(".step")
        self.arrows = self.panel.locator(".arrow")
        self.notes = self.panel.locator(".story-note")
        self.lanes = self.panel.locator(".lane b")
        self.detail = self.panel.locator(".story-detail")

    @classmethod
    async def open(cls, demo: DemoPage) -> Story:
        """Open it, and begin anew after what stands there from the beginning."""
        story = cls(demo)
        await demo.page.get_by_role("tab", name="Story").click()
        await expect(story.notes).to_have_text("Connected: this is how things stand")
        await expect(story.arrows).not_to_have_count(0)
        await demo.page.locator("#story").get_by_role("button", name="Clear").click()
        return story

    async def words(self) -> list[str]:
        return await self.arrows.locator(".hidden").all_text_contents()

    async def expect_last(self, words: str) -> None:
        await expect(self.arrows.last).to_have_accessible_name(words)


# In words


def message(address: str, data: Any, **more: Any) -> dict[str, Any]:
    channel, topic, subtopic = address.split("/")
    return {"channel": channel, "topic": topic, "subtopic": subtopic, "data": data, **more}


def accepted(of: str, offset: int, **data: Any) -> dict[str, Any]:
    return message("Bridge/Message/Accepted", {"offset": offset, "duplicate": False, **data}, correlationId=of)


DROP = message("Cisco/InboundCall/SetDROP", {"CallID": "1"}, source="desk", id="a", offset=7)
DONE = message("Bridge/Command/Completed", {"call": "1"}, source="workspace-bridge", correlationId="a", offset=8)
NOTE = message("Notes/Test/Written", 1, source="notes", id="n", offset=9)
REFUSED = message(
    "Bridge/Message/Rejected",
    {"code": "illegal_state", "address": "Cisco/InboundCall/SetHOLD", "message": "…"},
    correlationId="r",
)


@pytest.mark.parametrize(
    ("messages", "story"),
    [
        pytest.param(
            [(accepted("a", 7), "control"), (DROP, "live"), (DONE, "live")],
            [
                "1 widget:desk > bridge: leave the call",
                "1 bridge > widget:desk: accepted",
                "1 bridge > control: leave the call",
                "1 bridge > widget:desk: done",
            ],
            id="a command comes before its reply, though the reply was heard first",
        ),
        pytest.param(
            [(accepted("a", 7), "control"), ({**DROP, "source": "gadget"}, "live"), (DONE, "live")],
            [
                "1 widget:gadget > bridge: leave the call",
                "1 bridge > widget:gadget: accepted",
                "1 bridge > control: leave the call",
                "1 bridge > widget:gadget: done",
            ],
            id="a gadget for which the page speaks gets its reply",
        ),
        pytest.param(
            [({**DROP, "source": "other"}, "live"), (DONE, "live")],
            [
                "1 widget:other > bridge: leave the call",
                "1 bridge > control: leave the call",
                "1 bridge > widget:other: done",
            ],
            id="an outcome goes to who asked",
        ),
        pytest.param(
            [(accepted("secret", 7), "control"), (NOTE, "live")],
            ["1 bridge > widget:desk: accepted", "0 widget:notes > bridge: Notes: Written"],
            id="the reply to what nobody may see is told all the same",
        ),
        pytest.param(
            [(accepted("a", 7, duplicate=True), "control")],
            ["1 bridge > widget:desk: known already"],
            id="a duplicate",
        ),
        pytest.param(
            [(REFUSED, "control")],
            ["1 widget:desk > bridge: SetHOLD", "1 bridge > widget:desk: refused: illegal_state"],
            id="a refusal",
        ),
        pytest.param(
            [(NOTE, "live"), (NOTE, "snapshot"), (NOTE, "live")],
            ["0 widget:notes > bridge: Notes: Written"],
            id="nothing is told twice",
        ),
        pytest.param(
            [({**DONE, "correlationId": "long ago"}, "live")],
            ["1 bridge > widget:desk: done"],
            id="an outcome of a command that was not heard",
        ),
    ],
)
async def test_messages_in_words(demo: DemoPage, messages: list[Any], story: list[str]) -> None:
    assert await demo.page.evaluate(TELL, messages) == story


# In the page


async def test_a_consult_is_told_from_the_click_to_the_colleague(demo: DemoPage) -> None:
    await demo.talk_to_customer()
    await demo.expect_last("completed", "Answer")
    story = await Story.open(demo)

    await demo.dial(demo.card(CUSTOMER), "Consult", COLLEAGUE)
    await demo.expect_last("completed", "Consult")
    await demo.party(COLLEAGUE, "answers")
    await demo.expect_last("completed", "answers")

    await story.expect_last("the bridge to demo-page: done. Thread 4")
    assert await story.words() == [
        f"demo-page to the bridge: consult {COLLEAGUE}. Thread 3",
        "the bridge to demo-page: accepted. Thread 3",
        f"the bridge to call control: consult {COLLEAGUE}. Thread 3",
        f"call control to every widget: {CUSTOMER} is on hold. Thread 3",
        "call control to every widget: a call begins. Thread 3",
        f"call control to every widget: {COLLEAGUE} is being called. Thread 3",
        f"{COLLEAGUE} rings. Thread 3",
        f"call control to every widget: it rings at {COLLEAGUE}. Thread 3",
        "the bridge to demo-page: done. Thread 3",
        f"demo-page to the bridge: let {COLLEAGUE} answer. Thread 4",
        "the bridge to demo-page: accepted. Thread 4",
        f"the bridge to call control: let {COLLEAGUE} answer. Thread 4",
        f"{COLLEAGUE} answers. Thread 4",
        f"call control to every widget: the agent talks with {COLLEAGUE}. Thread 4",
        "call control to every widget: other actions are possible now. Thread 4",
        "the bridge to demo-page: done. Thread 4",
    ]
    assert await story.panel.locator(".step:not(.thread-3):not(.thread-4)").count() == 0
    await expect(story.lanes).to_have_text(["demo-page", "Bridge", "Call control", COLLEAGUE])


async def test_a_party_that_hangs_up_and_a_busy_one(demo: DemoPage) -> None:
    await demo.talk_to_customer()
    story = await Story.open(demo)
    await demo.dial(demo.card(CUSTOMER), "Consult", "5090")
    await demo.expect_last("failed", "Consult")
    await demo.party(CUSTOMER, "hangs up")
    await demo.expect_last("completed", "hangs up")

    words = await story.words()
    assert "5090 is busy. Thread 3" in words
    assert "the bridge to demo-page: failed: the number is busy (BUSY). Thread 3" in words
    assert f"{CUSTOMER} hangs up. Thread 4" in words
    await expect(story.panel.locator('.step[data-tone="bad"]')).to_have_count(1)


async def test_what_nobody_asked_for_is_in_no_thread(demo: DemoPage, bridge: Bridge) -> None:
    story = await Story.open(demo)

    publish(bridge, 1)

    await story.expect_last("elsewhere to every widget: Notes: Written")
    await expect(story.steps.last).to_have_attribute("data-thread", "0")
    await expect(story.steps.last.locator(".badge-box")).to_have_count(0)
    await expect(story.lanes.nth(1)).to_have_text("elsewhere")


async def test_a_thread_stands_out_while_one_of_its_arrows_is_pointed_at_or_has_the_focus(demo: DemoPage) -> None:
    story = await Story.open(demo)
    await demo.talk_to_customer()
    await demo.expect_last("completed", "Answer")
    await story.expect_last("the bridge to demo-page: done. Thread 2")
    await expect(story.panel.locator(".lit")).to_have_count(0)

    await story.arrows.last.hover()
    threads = story.panel.locator(".lit").evaluate_all("rows => [...new Set(rows.map(row => row.dataset.thread))]")
    assert await threads == ["2"]
    await demo.page.locator("h1").hover()
    await expect(story.panel.locator(".lit")).to_have_count(0)

    await story.arrows.last.focus()
    await demo.page.keyboard.press("Home")
    await expect(story.arrows.first).to_be_focused()
    threads = story.panel.locator(".lit").evaluate_all("rows => [...new Set(rows.map(row => row.dataset.thread))]")
    assert await threads == ["1"]


async def test_an_arrow_shows_its_message_and_escape_puts_it_away(demo: DemoPage) -> None:
    story = await Story.open(demo)
    await demo.offer()
    await demo.expect_last("completed", "Offer")
    await story.expect_last("the bridge to demo-page: done. Thread 1")

    await story.arrows.first.focus()
    await demo.page.keyboard.press("Enter")

    await expect(story.detail).to_contain_text(f"demo-page to the bridge: let {CUSTOMER} call")
    await expect(story.arrows.first).to_have_attribute("aria-current", "true")
    await expect(story.arrows.first).to_be_in_viewport()
    shown = json.loads(await story.detail.locator("pre").inner_text())
    assert shown["data"] == {"fromAddress": CUSTOMER}
    await demo.page.keyboard.press("Escape")
    await expect(story.detail).to_be_hidden()
    await expect(story.panel.locator("[aria-current]")).to_have_count(0)
    await expect(story.arrows.first).to_be_focused()


async def test_after_a_reload_the_story_begins_with_how_things_stand(demo: DemoPage) -> None:
    await demo.consult()
    await demo.expect_last("completed", "answers")
    await demo.page.reload()
    story = Story(demo)
    await demo.page.get_by_role("tab", name="Story").click()

    await expect(story.notes).to_have_text("Connected: this is how things stand")
    await expect(story.arrows).to_have_count(4)
    assert sorted(await story.words()) == [
        f"call control to every widget: {CUSTOMER} is on hold",
        "call control to every widget: call control sees the calls",
        "call control to every widget: the agent is not ready",
        f"call control to every widget: the agent talks with {COLLEAGUE}",
    ]

    await demo.party(COLLEAGUE, "hangs up")
    await demo.expect_last("completed", "hangs up")
    await expect(story.arrows.filter(has_text="hangs up")).to_have_count(1)


async def test_a_lost_connection_and_what_was_missed_are_part_of_it(demo: DemoPage, bridge: Bridge) -> None:
    story = await Story.open(demo)

    cut(bridge, CloseCode.RESTART)
    for number in range(3):
        publish(bridge, number)

    await expect(story.notes.last).to_have_text("Connected again: 3 missed messages follow")
    await expect(story.notes.first).to_contain_text("The line ended")
    await expect(story.arrows.filter(has_text="Notes: Written")).to_have_count(3)


@pytest.mark.parametrize("bridge", [{"messages_per_second": 0}], indirect=True)
async def test_of_a_long_story_the_end_is_kept_and_in_sight(demo: DemoPage, bridge: Bridge) -> None:
    story = await Story.open(demo)
    for number in range(KEPT + 50):
        publish(bridge, number)

    await expect(story.arrows).to_have_count(KEPT)
    await expect(story.arrows.last).to_be_in_viewport()
    last = workspace(bridge).offset
    await story.arrows.last.click()
    assert json.loads(await story.detail.locator("pre").inner_text())["offset"] == last

    await story.panel.locator(".story-scroll").evaluate("scroll => { scroll.scrollTop = 0; }")
    newest = story.panel.get_by_role("button", name="Newest")
    await expect(newest).to_be_visible()
    publish(bridge, 0)
    await expect(newest).to_be_visible()
    await newest.click()
    await expect(story.arrows.last).to_be_in_viewport()


async def test_a_paused_story_waits(demo: DemoPage, bridge: Bridge) -> None:
    story = await Story.open(demo)
    await story.panel.get_by_role("button", name="Pause").click()
    publish(bridge, 1)
    await expect(story.panel.get_by_role("status")).to_have_text("1 waiting")
    await expect(story.arrows).to_have_count(0)

    await story.panel.get_by_role("button", name="Resume").click()

    await expect(story.arrows).to_have_count(1)
    await expect(story.panel.get_by_role("status")).to_have_count(0)


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_story_with_a_message_shown(
    demo: DemoPage, scheme: Literal["light", "dark"], width: int
) -> None:
    await demo.page.emulate_media(color_scheme=scheme)
    await demo.page.set_viewport_size({"width": width, "height": 900})
    await demo.consult()
    await demo.expect_last("completed", "answers")
    story = Story(demo)
    await demo.page.get_by_role("tab", name="Story").click()
    await story.expect_last("the bridge to demo-page: done. Thread 4")
    await story.arrows.last.click()
    await demo.page.locator("h1").hover()

    assert await findings(demo.page) == []
    assert await demo.page.evaluate("document.documentElement.scrollWidth") <= width
