"""The composer: any message of the catalogue in a form and as JSON, and what the bridge says shown where it belongs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from playwright.async_api import expect

from tests.browser.axe import findings
from tests.browser.demo_page import COLLEAGUE, CUSTOMER, DemoPage
from tests.browser.served import publish, workspace

if TYPE_CHECKING:
    from playwright.async_api import Locator

    from bridge.app import Bridge

SCHEMAS = Path(__file__).parents[2] / "schemas"
SENDABLE = [
    entry for entry in json.loads((SCHEMAS / "index.json").read_text())["messages"] if entry["sender"] == "client"
]

FILL = """async (file) => {
    const [{ fieldOf, blank }, { controlOf }, { changed, at }] = await Promise.all([
        import("/composer/schema.js"), import("/composer/controls.js"), import("/composer/draft.js"),
    ]);
    const schema = await (await fetch(`/schemas/${file}`)).json();
    const [example] = schema.examples;
    const field = fieldOf(schema);
    let draft = blank(field, () => undefined);
    const form = controlOf(field, [], (path, value) => {
        draft = changed(draft, path, value);
        form.set(draft);
    });
    form.set(draft);
    const put = (input, value) => {
        input.value = String(value);
        input.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const unshown = [];
    for (const node of form.element.querySelectorAll("[data-field]")) {
        const value = node.dataset.field.split("/").reduce((part, name) => at(part, name), example);
        const entries = Array.isArray(value) ? value.map((each) => [each]) : Object.entries(value ?? {});
        if (value === undefined) {
            unshown.push(node.dataset.field);
        } else if (node.matches("fieldset")) {
            for (const texts of entries) {
                node.querySelector(":scope > button").click();
                texts.forEach((text, place) => put(node.querySelector(".field-row:last-child").children[place], text));
            }
        } else {
            put(node.querySelector("input, select"), value);
        }
    }
    const again = controlOf(field, [], () => undefined);
    again.set(example);
    const texts = (root) => [...root.querySelectorAll("input, select")].map((input) => input.value);
    return { draft, example, filled: texts(form.element), set: texts(again.element), unshown };
}"""
"""Makes the form of a schema, fills in the catalogued example by its fields, and gives what came of it."""


async def test_the_form_of_every_message_writes_its_example(demo: DemoPage) -> None:
    results = {entry["address"]: await demo.page.evaluate(FILL, entry["file"]) for entry in SENDABLE}

    assert {address: each["draft"] for address, each in results.items()} == {
        address: each["example"] for address, each in results.items()
    }
    for address, each in results.items():
        assert each["filled"] == each["set"], address
        assert all(field.split("/")[-1] not in each["example"].get("data", {}) for field in each["unshown"]), address
    assert len(results) == len(SENDABLE) > 30


class Composer:
    """The composer as a person uses it."""

    def __init__(self, demo: DemoPage) -> None:
        self.page = demo.page
        self.panel = demo.page.locator("#composer")
        self.address = self.panel.get_by_role("combobox", name="Address")
        self.json = self.panel.get_by_label("JSON, as it is sent")
        self.fault = self.panel.locator(".fault")
        self.remarks = self.panel.locator(".remarks > li")
        self.sent = self.panel.locator(".exchange")

    @classmethod
    async def open(cls, demo: DemoPage) -> Composer:
        composer = cls(demo)
        await demo.page.get_by_role("tab", name="Composer").click()
        await expect(composer.field("data/MediaAddress")).to_be_visible()
        return composer

    def field(self, path: str) -> Locator:
        return self.panel.locator(f'[data-field="{path}"]')

    async def fill(self, path: str, text: str) -> None:
        await self.field(path).locator("input").fill(text)

    async def choose(self, words: str) -> None:
        await self.address.click()
        await self.address.fill(words)
        chosen = await self.panel.locator("#picker-list [aria-selected=true]").get_attribute("data-address") or ""
        await self.page.keyboard.press("Enter")
        await expect(self.json).to_have_value(re.compile(f'"subtopic": "{chosen.rpartition("/")[2]}"'))

    async def press(self, name: str) -> None:
        await self.panel.get_by_role("button", name=name, exact=True).click()

    async def written(self) -> Any:
        return json.loads(await self.json.input_value())

    async def write(self, message: Any) -> None:
        await self.json.fill(message if isinstance(message, str) else json.dumps(message))

    async def expect_stage(self, stage: str) -> Locator:
        """The message that was sent last has come that far."""
        await expect(self.sent.first.locator(".stage")).to_have_text(stage)
        return self.sent.first


# Form and JSON


async def test_the_form_and_the_json_are_in_step_both_ways(demo: DemoPage) -> None:
    composer = await Composer.open(demo)

    await composer.fill("data/toAddress", COLLEAGUE)
    message = await composer.written()
    assert message["data"] == {"MediaAddress": "5069", "CallID": "", "toAddress": COLLEAGUE}

    message["data"]["CallID"] = "16786099"
    await composer.write(message)
    await expect(composer.field("data/CallID").locator("input")).to_have_value("16786099")


async def test_what_the_form_does_not_know_stays_in_the_json_as_it_was_spelt(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    message = {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetDROP", "data ": {"callid": "1", "more": [1]}}
    await composer.write(message)
    await expect(composer.panel.get_by_text("Only in the JSON: more")).to_be_visible()

    await composer.fill("data/CallID", "2")

    assert await composer.written() == {**message, "data ": {"callid": "2", "more": [1]}}


async def test_json_that_does_not_parse_is_told_with_its_place_and_not_sent(demo: DemoPage, bridge: Bridge) -> None:
    composer = await Composer.open(demo)
    before = workspace(bridge).offset
    await composer.write('{\n  "channel": "Cisco",\n  "topic" "InboundCall"\n}')
    await expect(composer.fault).to_contain_text("Line 3, column 11: a colon was expected after the key")
    await expect(composer.panel.locator(".form")).to_have_attribute("inert", "")

    await composer.press("Send")
    await expect(composer.json).to_be_focused()
    await expect(composer.sent).to_have_count(0)
    assert workspace(bridge).offset == before

    await composer.write('{"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetDROP", "data": {"CallID": "7"}}')
    await expect(composer.fault).to_be_empty()
    await expect(composer.field("data/CallID").locator("input")).to_have_value("7")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "Line 1, column 1: the JSON ends too early"),
        ("[1]", "Line 1, column 1: a message is one JSON object"),
        ('{"a": 1,}', "column 9: a key in double quotes"),
        ('{"a": 01}', "column 7: a value was expected"),
        ('{"a": "x\ny"}', "column 7: this string does not end"),
        ('{"a": [1 2]}', "column 10: a comma or ] was expected"),
        ('{"a": 1} x', "column 10: there is more after the end"),
        ('{"a": ' + "[" * 70, "nested more than 64 deep"),
        ('{"a": 1, "a": 2}', "a stands twice: only the last one is sent"),
    ],
)
async def test_faults_of_json_are_told_in_words(demo: DemoPage, text: str, fault: str) -> None:
    composer = await Composer.open(demo)

    await composer.write(text)

    await expect(composer.fault).to_contain_text(fault)


async def test_open_objects_are_rows_of_names_and_values(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.choose("inbound update data")
    await composer.press("Add to callVariables")
    await demo.page.keyboard.type("callVariable1")
    await demo.page.keyboard.press("Tab")
    await demo.page.keyboard.type("gold")
    assert (await composer.written())["data"]["callVariables"] == {"callVariable1": "gold"}

    await composer.press("Remove from callVariables")

    assert (await composer.written())["data"]["callVariables"] == {}


async def test_a_value_that_will_be_refused_is_doubted_before_it_is_sent(demo: DemoPage) -> None:
    composer = await Composer.open(demo)

    await composer.fill("data/CallID", "no call")

    await expect(composer.field("data/CallID")).to_contain_text("The bridge will refuse this: it must fit")


async def test_addresses_are_found_by_what_they_do_and_chosen_by_keyboard(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.address.click()
    await expect(composer.panel.locator("#picker-list [role=option]")).to_have_count(len(SENDABLE) + 1)

    await composer.address.fill("touch tones")
    await expect(composer.panel.locator("#picker-list [role=option]")).to_have_count(3)
    await demo.page.keyboard.press("ArrowDown")
    await demo.page.keyboard.press("Enter")

    await expect(composer.address).to_have_value("Cisco/OutboundCall/SetSEND_DTMF")
    await expect(composer.json).to_have_value(re.compile("digits"))
    assert (await composer.written())["topic"] == "OutboundCall"
    await composer.address.fill("nothing like it")
    await demo.page.keyboard.press("Escape")
    await expect(composer.address).to_have_value("Cisco/OutboundCall/SetSEND_DTMF")


async def test_the_example_of_the_catalogue_is_one_click_away(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.choose("inbound update data")

    await composer.press("Example")

    await expect(composer.field("data/callVariables").get_by_label("callVariables: value").first).to_have_value("gold")
    assert (await composer.written())["data"]["callVariables"]["user.orderNumber"] == "4711"


# Sending


async def test_the_documented_sample_is_refused_at_the_field_that_it_lacks(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.press("Documented sample")

    await composer.press("Send")

    sent = await composer.expect_stage("refused")
    await expect(sent.locator(".came > li")).to_have_attribute("data-address", "Bridge/Message/Rejected")
    problem = composer.field("data/toAddress").locator(".field-problem")
    await expect(problem).to_contain_text("toAddress is required (missing)")
    await expect(composer.field("data/toAddress").locator("input")).to_have_attribute("aria-invalid", "true")
    await expect(composer.remarks).to_have_text("invalid_data: toAddress is required")
    assert '"MediaAddress "' in await composer.json.input_value()

    await composer.fill("data/toAddress", COLLEAGUE)
    await expect(problem).to_be_hidden()


async def test_the_completed_sample_consults_on_the_present_call_and_its_quirks_are_warned_of(demo: DemoPage) -> None:
    call = await demo.talk_to_customer()
    composer = await Composer.open(demo)
    await composer.press("Sample, completed")

    await composer.press("Send")

    sent = await composer.expect_stage("done")
    await demo.expect_state(call, "held")
    await demo.expect_state(demo.card(COLLEAGUE), "initiated")
    await expect(composer.field("data/MediaAddress").locator(".field-problem")).to_contain_text("was taken as")
    came = await sent.locator(".came > li").evaluate_all("rows => rows.map(row => row.dataset.address)")
    assert came[0] == "Bridge/Message/Accepted"
    assert came[1] == "Cisco/InboundCall/InboundCallStateChange"
    assert came[-1] == "Bridge/Command/Completed"


async def test_a_refusal_that_no_field_is_to_blame_for_is_shown_above_the_form(demo: DemoPage) -> None:
    await demo.talk_to_customer()
    composer = await Composer.open(demo)
    await composer.choose("inbound retrieve")

    await composer.press("Send")

    await composer.expect_stage("refused")
    await expect(composer.remarks).to_contain_text("illegal_state")
    await expect(composer.remarks).to_contain_text("Allowed now: SetHOLD")


async def test_a_pointer_to_no_field_is_shown_above_the_form(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.write({"channel": "Notes", "topic": "Test", "subtopic": "Written", "data": 1, "colour": "red"})

    await composer.press("Send")

    await composer.expect_stage("refused")
    await expect(composer.remarks.first).to_contain_text("invalid_envelope")
    await expect(composer.remarks.last.locator("code")).to_have_text("/colour")


async def test_a_message_whose_id_is_none_is_refused_all_the_same(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.write({"channel": "Notes", "topic": "Test", "subtopic": "Written", "data": 1, "id": 7})

    await composer.press("Send")

    await composer.expect_stage("refused")
    await expect(composer.field("id").locator(".field-problem")).to_be_visible()


async def test_a_command_that_fails_says_why(demo: DemoPage) -> None:
    await demo.talk_to_customer()
    composer = await Composer.open(demo)
    await composer.choose("inbound consult call a colleague")
    await composer.fill("data/toAddress", "5091")

    await composer.press("Send")

    sent = await composer.expect_stage("failed")
    await expect(sent.locator('[data-address="Cisco/Error/SetAPIError"]')).to_be_visible()
    await expect(sent.locator(".came > li").last).to_have_attribute("data-address", "Bridge/Command/Failed")


async def test_a_message_of_a_free_channel_is_published(demo: DemoPage, bridge: Bridge) -> None:
    composer = await Composer.open(demo)
    before = workspace(bridge).offset
    await composer.choose("free address")
    for part, text in (("channel", "Notes"), ("topic", "Test"), ("subtopic", "Written")):
        await composer.fill(part, text)

    await composer.press("Send")

    await composer.expect_stage("accepted")
    assert workspace(bridge).offset == before + 1


async def test_a_control_message_shows_its_reply(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    await composer.choose("explain")
    await composer.fill("data/address", "Cisco/InboundCall/SetDROP")

    await composer.press("Send")

    sent = await composer.expect_stage("answered")
    await expect(sent.locator(".came > li")).to_have_attribute("data-address", "Bridge/Policy/Explained")


async def test_a_message_is_sent_again_with_a_new_id(demo: DemoPage, bridge: Bridge) -> None:
    composer = await Composer.open(demo)
    before = workspace(bridge).offset
    await composer.write({"channel": "Notes", "topic": "Test", "subtopic": "Written", "data": 1, "id": "first"})
    await composer.press("Send")
    await composer.expect_stage("accepted")

    await composer.sent.first.get_by_role("button", name="Send again").click()

    await expect(composer.sent).to_have_count(2)
    await composer.expect_stage("accepted")
    assert workspace(bridge).offset == before + 2
    ids = [json.loads(await each.locator("pre").first.text_content() or "")["id"] for each in await composer.sent.all()]
    assert ids[1] == "first"
    assert ids[0] != "first"

    await composer.press("Documented sample")
    await composer.sent.last.get_by_role("button", name="Edit").click()
    assert (await composer.written())["id"] == "first"


async def test_of_what_was_sent_the_last_are_kept(demo: DemoPage) -> None:
    composer = await Composer.open(demo)
    for number in range(22):
        await composer.write({"channel": "Notes", "topic": "Test", "subtopic": "Written", "data": number})
        await composer.press("Send")
        await composer.expect_stage("accepted")

    await expect(composer.sent).to_have_count(20)
    assert '"data": 21' in (await composer.sent.first.locator("pre").first.text_content() or "")


async def test_the_call_that_allows_the_action_is_filled_in(demo: DemoPage, bridge: Bridge) -> None:
    await demo.consult()
    publish(bridge, 1)
    await demo.expect_logged(workspace(bridge).offset)
    composer = await Composer.open(demo)

    await composer.choose("inbound transfer connect a held call")

    held = await demo.card(CUSTOMER).get_attribute("id") or ""
    assert (await composer.written())["data"] == {"MediaAddress": "5069", "CallID": held.removeprefix("call-")}


# For everyone


@pytest.mark.parametrize("width", [400, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_a_composer_that_is_full(
    demo: DemoPage, scheme: Literal["light", "dark"], width: int
) -> None:
    await demo.page.emulate_media(color_scheme=scheme)
    await demo.page.set_viewport_size({"width": width, "height": 900})
    composer = await Composer.open(demo)
    await composer.press("Documented sample")
    await composer.press("Send")
    sent = await composer.expect_stage("refused")
    await sent.locator("summary").last.click()
    await composer.panel.locator(".envelope summary").click()
    assert await findings(demo.page) == []

    await composer.choose("inbound update data")
    await composer.press("Example")
    await composer.write('{"channel": ')
    await composer.address.click()

    assert await findings(demo.page) == []
    assert await demo.page.evaluate("document.documentElement.scrollWidth") <= width
