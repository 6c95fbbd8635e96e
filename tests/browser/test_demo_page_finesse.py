"""The main job with the mouse against the Finesse adapter: calls go over Finesse's REST and XMPP, to the look-alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest_asyncio
from playwright.async_api import expect

from bridge.app import Bridge
from bridge.finesse_simulator.demo_adapter import DemoAdapter
from bridge.finesse_simulator.look_alike import FinesseLookAlike
from bridge.settings import Settings
from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage
from tests.browser.served import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import BrowserContext


@pytest_asyncio.fixture(loop_scope="session")
async def finesse() -> AsyncIterator[FinesseLookAlike]:
    async with FinesseLookAlike(agents=2) as finesse:
        yield finesse


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(finesse: FinesseLookAlike) -> AsyncIterator[Bridge]:
    """What ``finesse-demo`` serves."""
    bridge = Bridge(Settings(port=0), adapter=DemoAdapter(finesse))
    await bridge.start()
    yield bridge
    await bridge.stop()


async def sign_in(demo: DemoPage, finesse: FinesseLookAlike, number: int = 0, *, password: str | None = None) -> None:
    agent = finesse.agents[number]
    await demo.page.get_by_label("Name").fill(agent.username)
    await demo.page.get_by_label("Password").fill(agent.password if password is None else password)
    await demo.page.get_by_label("Extension").fill(agent.extension)
    await demo.page.get_by_role("button", name="Sign in").click()


async def signed_in(demo: DemoPage, finesse: FinesseLookAlike, number: int = 0) -> None:
    await sign_in(demo, finesse, number)
    await expect(demo.page.locator("#extension")).to_have_text(finesse.agents[number].extension)
    await demo.expect_last("completed", "Sign in")


def dialogs(finesse: FinesseLookAlike, number: int = 0) -> list[dict[str, object]]:
    """The agent's calls as they truly are."""
    found: list[dict[str, object]] = finesse.dialogs()[finesse.agents[number].extension]["dialogs"]
    return found


async def test_a_consult_becomes_a_conference_and_is_dropped(demo: DemoPage, finesse: FinesseLookAlike) -> None:
    await expect(demo.page.locator("#call-control")).to_have_text("nobody signed in")
    await signed_in(demo, finesse)
    original, consult = await demo.consult()
    await expect(consult).to_contain_text("Consult call")
    await demo.expect_buttons(original, "Retrieve", "Transfer", "Conference", "Drop")
    await expect(demo.page.locator("#agent .badge")).to_have_text("talking")

    await demo.press(original, "Conference")

    conference = demo.card(f"{CUSTOMER}, {COLLEAGUE}")
    await demo.expect_state(conference, "active")
    await expect(demo.cards).to_have_count(1)
    await expect(conference).to_contain_text("was merged into this one")
    await demo.expect_last("completed", "Conference")
    assert len(dialogs(finesse)) == 1
    await demo.press(conference, "Drop")
    await expect(demo.cards).to_have_count(0)
    await demo.expect_last("completed", "Drop")


async def test_a_consult_becomes_a_transfer(demo: DemoPage, finesse: FinesseLookAlike) -> None:
    await signed_in(demo, finesse)
    original, _ = await demo.consult()

    await demo.press(original, "Transfer")

    await expect(demo.cards).to_have_count(0)
    await demo.expect_last("completed", "Transfer")
    assert dialogs(finesse) == []


async def test_a_consult_to_a_busy_number_shows_why(demo: DemoPage, finesse: FinesseLookAlike) -> None:
    await signed_in(demo, finesse)
    original = await demo.talk_to_customer()

    await demo.dial(original, "Consult", "5090")

    failed = await demo.expect_last("failed", "Consult 5090")
    await expect(failed).to_contain_text("the number is busy (BUSY)")
    await demo.press(demo.card("5090"), "Drop")
    await expect(demo.cards).to_have_count(1)
    await demo.press(original, "Retrieve")
    await demo.expect_state(original, "active")


async def test_two_agents_at_two_desks_transfer_a_customer(
    demo: DemoPage, finesse: FinesseLookAlike, context: BrowserContext
) -> None:
    await signed_in(demo, finesse)
    async with context.expect_page() as opening:
        await demo.page.get_by_role("link", name="second desk").click()
    second = DemoPage(await opening.value)
    await signed_in(second, finesse, 1)
    colleague = finesse.agents[1].extension

    original = await demo.talk_to_customer()
    await demo.dial(original, "Consult", colleague)
    ringing = second.card(finesse.agents[0].extension)
    await demo.expect_state(ringing, "alerting")
    await second.press(ringing, "Answer")
    await demo.expect_state(demo.card(colleague), "active")
    await demo.press(original, "Transfer")

    await expect(demo.cards).to_have_count(0)
    await second.expect_state(second.card(CUSTOMER), "active")
    assert second.complaints == []


async def test_a_wrong_password_is_told_and_the_right_one_still_works(
    demo: DemoPage, finesse: FinesseLookAlike
) -> None:
    await sign_in(demo, finesse, password="wrong")
    failed = await demo.expect_last("failed", "Sign in")
    await expect(failed).to_contain_text("Authorization Failure")
    await expect(demo.page.get_by_label("Name")).to_have_value(finesse.agents[0].username)
    await expect(demo.page.get_by_label("Password")).to_have_value("")

    await signed_in(demo, finesse)


async def test_the_page_says_why_call_control_is_blind_and_shows_the_call_again(
    demo: DemoPage, finesse: FinesseLookAlike
) -> None:
    await signed_in(demo, finesse)
    call = await demo.talk_to_customer()

    await finesse.set_faults(out_of_service=[0])

    await expect(demo.page.locator("#call-control")).to_have_text("lost, reconnecting")
    banner = demo.page.get_by_role("alert")
    await expect(banner).to_contain_text(re.compile("Call control does not see the calls now: .*out of service"))
    await finesse.set_faults(reset=True)
    await expect(demo.page.locator("#call-control")).to_have_text("sees the calls")
    await expect(banner).to_be_hidden()
    await demo.press(call, "Drop")
    await expect(demo.cards).to_have_count(0)


async def test_a_forced_logout_brings_the_form_back_with_its_reason(demo: DemoPage, finesse: FinesseLookAlike) -> None:
    await signed_in(demo, finesse)

    await finesse.set_faults(force_logout=[finesse.agents[0].username])

    form = demo.page.locator("form.sign-in")
    await expect(form).to_contain_text("Signed out: the agent was logged out of Finesse.")
    await signed_in(demo, finesse)
    await expect(form).to_have_count(0)


async def test_an_agent_signs_out(demo: DemoPage, finesse: FinesseLookAlike) -> None:
    await signed_in(demo, finesse)

    await demo.page.get_by_role("button", name="Sign out").click()

    await demo.expect_last("completed", "Sign out")
    await expect(demo.page.locator("form.sign-in")).to_contain_text("No agent is signed in for this workspace.")
    await expect(demo.page.get_by_role("button", name="Sign out")).to_be_disabled()


async def test_at_a_real_finesse_the_page_offers_no_outside_world(
    finesse: FinesseLookAlike, context: BrowserContext
) -> None:
    """Without the demo's adapter a look-alike is as good as the real thing: customers call by themselves."""
    settings = {
        "adapter": "finesse",
        "finesse_urls": tuple(finesse.rest_urls),
        "finesse_xmpp_urls": tuple(finesse.xmpp_urls),
        "finesse_ca_file": finesse.ca_file,
    }
    async with running(**settings) as bridge:
        demo = await DemoPage.open(context, bridge.http_url)
        await expect(demo.page.locator("#server")).to_contain_text("finesse")
        await expect(demo.page.locator("form.sign-in")).to_contain_text("of Cisco Finesse")
        await signed_in(demo, finesse)
        await expect(demo.page.locator("#outside")).to_be_hidden()
        await expect(demo.page.get_by_text("No calls. Call a number, or be called.")).to_be_visible()

        finesse.offer(finesse.agents[0].extension, CUSTOMER)

        call = demo.card(CUSTOMER)
        await demo.press(call, "Answer")
        await demo.expect_state(call, "active")
        assert demo.complaints == []
