"""The main job, with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

    from bridge.app import Bridge


async def test_a_consult_becomes_a_conference_and_is_dropped(demo: DemoPage) -> None:
    original, consult = await demo.consult()
    await expect(consult).to_contain_text("Consult call")
    await expect(consult.get_by_role("link", name="consulted from")).to_be_visible()

    await demo.press(original, "Conference")
    conference = demo.card(f"{CUSTOMER}, {COLLEAGUE}")
    await demo.expect_state(conference, "active")
    await expect(demo.cards).to_have_count(1)
    await expect(conference).to_contain_text("was merged into this one")
    await expect(conference.locator("[data-party]")).to_have_count(3)

    await demo.press(conference, "Drop")
    await expect(demo.cards).to_have_count(0)
    await demo.expect_last("completed", "Drop")


async def test_a_consult_becomes_a_transfer(demo: DemoPage) -> None:
    original, _ = await demo.consult()

    await demo.press(original, "Transfer")

    await expect(demo.cards).to_have_count(0)
    await demo.expect_last("completed", "Transfer")


async def test_a_call_offers_just_the_actions_that_it_allows(demo: DemoPage) -> None:
    more = ["Send tones", "Set"]
    await demo.offer()
    call = demo.card(CUSTOMER)
    await demo.expect_buttons(call, "Answer")

    await demo.press(call, "Answer")
    await call.get_by_text("Touch tones and call data").click()
    await demo.expect_buttons(call, "Hold", "Drop", "Consult", "Single-step transfer", *more)

    await demo.press(call, "Hold")
    await demo.expect_buttons(call, "Retrieve", "Drop", "Set")

    await demo.press(call, "Retrieve")
    await demo.dial(call, "Consult", COLLEAGUE)
    await expect(demo.card(COLLEAGUE)).to_be_visible()
    await demo.expect_buttons(call, "Retrieve", "Drop", "Set")

    await demo.party(COLLEAGUE, "answers")
    await demo.expect_buttons(call, "Retrieve", "Transfer", "Conference", "Drop", "Set")


async def test_a_consult_to_a_busy_number_shows_why_and_the_customer_can_be_taken_back(demo: DemoPage) -> None:
    original = await demo.talk_to_customer()

    await demo.dial(original, "Consult", "5090")
    failed = demo.card("5090")
    await demo.expect_state(failed, "failed")
    await expect(failed).to_contain_text("the number is busy (BUSY)")
    refused = await demo.expect_last("failed", "Consult 5090")
    await expect(refused).to_contain_text("the number is busy (BUSY)")

    await demo.press(failed, "Drop")
    await expect(failed).to_have_count(0)
    await demo.press(original, "Retrieve")
    await demo.expect_state(original, "active")


async def test_a_number_that_does_not_exist_is_named_as_the_cause(demo: DemoPage) -> None:
    original = await demo.talk_to_customer()

    await demo.dial(original, "Consult", "5091")

    await demo.expect_state(demo.card("5091"), "failed")
    failed = await demo.expect_last("failed", "Consult 5091")
    await expect(failed).to_contain_text("the number does not exist (BAD_DESTINATION)")


async def test_a_refusal_says_what_is_allowed_instead(demo: DemoPage) -> None:
    """The page's button is right when it is drawn; here the call changes between the drawing and the click."""
    call = await demo.talk_to_customer()
    hold = call.get_by_role("button", name="Hold", exact=True)
    await hold.evaluate("button => { button.click(); window.late = button; }")
    await demo.expect_state(call, "held")
    await demo.page.evaluate("window.late.click()")

    refused = await demo.expect_last("refused", "Hold")
    await expect(refused).to_contain_text("illegal_state")
    await expect(refused).to_contain_text("Allowed now: Retrieve, Call data, Drop")


async def test_a_customer_hangs_up(demo: DemoPage) -> None:
    await demo.talk_to_customer()

    await demo.party(CUSTOMER, "hangs up")

    await expect(demo.cards).to_have_count(0)
    await expect(demo.page.get_by_text("Nobody is on the line.")).to_be_visible()


async def test_a_single_step_transfer_leaves_an_empty_desk(demo: DemoPage) -> None:
    call = await demo.talk_to_customer()

    await demo.dial(call, "Single-step transfer", COLLEAGUE)

    await expect(demo.cards).to_have_count(0)
    await demo.expect_last("completed", "Single-step transfer 5070")


async def test_tones_and_call_data_go_with_the_call(demo: DemoPage) -> None:
    call = await demo.talk_to_customer()
    await call.get_by_text("Touch tones and call data").click()

    await call.get_by_label("Tones").fill("42#")
    await demo.press(call, "Send tones")
    await demo.expect_last("completed", "Touch tones 42#")

    await call.get_by_label("Data", exact=True).fill("callVariable1")
    await call.get_by_label("Value").fill("gold")
    await demo.press(call, "Set")
    await expect(call.locator(".variables")).to_have_text("callVariable1gold")


async def test_a_call_is_made_from_the_dial_field(demo: DemoPage) -> None:
    await demo.page.get_by_label("Call a number").fill(COLLEAGUE)
    await demo.page.get_by_role("button", name="Call", exact=True).click()

    call = demo.card(COLLEAGUE)
    await demo.expect_state(call, "initiated")
    await demo.party(COLLEAGUE, "answers")
    await demo.expect_state(call, "active")


async def test_the_agent_becomes_ready_and_not_ready(demo: DemoPage) -> None:
    state = demo.page.locator("#agent .badge")
    await expect(state).to_have_text("not ready")

    await demo.page.get_by_role("button", name="Ready", exact=True).click()
    await expect(state).to_have_text("ready")

    await demo.page.get_by_role("button", name="Not ready").click()
    await expect(state).to_have_text("not ready")


async def test_typing_goes_on_while_the_call_changes(demo: DemoPage) -> None:
    call = await demo.talk_to_customer()
    number = call.get_by_label("Number")
    await number.fill("50")

    await demo.offer("+15550199")
    await expect(demo.cards).to_have_count(2)
    await number.focus()
    await demo.page.evaluate("document.querySelector('#offer-number').form.requestSubmit()")
    await expect(demo.cards).to_have_count(3)

    await demo.page.keyboard.type("70")
    await expect(number).to_have_value("5070")


async def test_two_agents_call_each_other(demo: DemoPage, context: BrowserContext) -> None:
    async with context.expect_page() as opening:
        await demo.page.get_by_role("link", name="second agent").click()
    second = DemoPage(await opening.value)
    await expect(second.line).to_have_text("connected")
    await expect(second.page.locator("#extension")).to_have_text("5070")

    original = await demo.talk_to_customer()
    await demo.dial(original, "Consult", COLLEAGUE)
    ringing = second.card("5069")
    await demo.expect_state(ringing, "alerting")
    await second.press(ringing, "Answer")
    await demo.expect_state(demo.card(COLLEAGUE), "active")

    await demo.press(original, "Transfer")
    await expect(demo.cards).to_have_count(0)
    taken = second.card(CUSTOMER)
    await second.expect_state(taken, "active")
    await second.press(taken, "Drop")
    await expect(second.cards).to_have_count(0)


async def test_an_agent_signs_in_at_a_workspace_of_any_name(bridge: Bridge, context: BrowserContext) -> None:
    demo = await DemoPage.open(context, bridge.http_url, "sales")
    await demo.page.get_by_label("Name").fill("anna")
    await demo.page.get_by_label("Password").fill("a-secret-word")
    await demo.page.get_by_label("Extension").fill("6001")
    await demo.page.get_by_role("button", name="Sign in").click()

    await expect(demo.page.locator("#extension")).to_have_text("6001")
    await expect(demo.page.get_by_role("button", name="Sign in")).to_have_count(0)
    await demo.talk_to_customer()
    assert "a-secret-word" not in await demo.page.content()
    assert demo.complaints == []


@pytest.mark.parametrize(
    ("button", "phase", "told"),
    [
        ("Busy colleague", "failed", "the number is busy (BUSY)"),
        ("No such number", "failed", "the number does not exist (BAD_DESTINATION)"),
        ("Call that is over", "refused", "unknown_call"),
        ("Missing field", "refused", "/data/toAddress"),
        ("Wrong telephone", "refused", "wrong_extension"),
    ],
)
async def test_a_failure_is_one_click_away(demo: DemoPage, button: str, phase: str, told: str) -> None:
    await demo.page.get_by_role("group", name="Failures on purpose").get_by_role("button", name=button).click()

    command = demo.commands.first
    await expect(command).to_have_attribute("data-phase", phase)
    await expect(command).to_contain_text(told)


async def test_a_busy_colleague_is_consulted_from_the_call_that_there_is(demo: DemoPage) -> None:
    call = await demo.talk_to_customer()

    await demo.page.get_by_role("button", name="Busy colleague").click()

    await demo.expect_last("failed", "Consult a busy colleague")
    await demo.expect_state(call, "held")
    await demo.expect_state(demo.card("5090"), "failed")
