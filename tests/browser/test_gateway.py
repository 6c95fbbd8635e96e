"""Four origins in a real browser: the host page, two gadgets that it lists, and a stranger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.gateway_page import HostPage, serving
from tests.browser.served import publish, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import BrowserContext

    from bridge.app import Bridge

CALLS = "Cisco/InboundCall/InboundCallStateChange"
RIGHTS: dict[str, dict[str, Any]] = {
    "one": {"publish": ["Cisco/InboundCall/SetCONSULT", "Notes/One"], "subscribe": [CALLS, "Cisco/Agent"]},
    "two": {"publish": ["Notes/Two"], "subscribe": ["Notes", CALLS]},
}
PROBES = ("one/probe.html", "two/probe.html", "stranger/probe.html")
SUBSCRIBE = "Bridge/Subscription/Subscribe"


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    with serving() as port:
        yield port


@pytest_asyncio.fixture(loop_scope="session")
async def bridge(site: int) -> AsyncIterator[Bridge]:
    async with running(allowed_origins=(f"http://localhost:{site}",)) as bridge:
        yield bridge


@pytest_asyncio.fixture(loop_scope="session")
async def host(bridge: Bridge, context: BrowserContext, site: int) -> HostPage:
    return await HostPage.open(context, site, bridge.url.replace("127.0.0.1", "localhost"))


async def test_a_stranger_gets_nothing_learns_nothing_and_cannot_make_a_call(host: HostPage, bridge: Bridge) -> None:
    await host.start(RIGHTS, PROBES)
    await host.say("one", SUBSCRIBE, {"patterns": [CALLS]})
    await host.heard("one")

    await host.say("stranger", "Bridge/Gateway/Hello")
    await host.say("stranger", SUBSCRIBE, {"patterns": ["*"]})
    await host.say("stranger", "Cisco/InboundCall/SetMakeCall", {"toAddress": "5070"}, id="c1", source="app-one")
    await host.settled("stranger")
    await host.talk()

    heard = await host.heard("one", count=3)
    assert [message["data"]["call"]["event"] for message in heard[1:3]] == ["alerting", "active"]
    assert await host.frame("stranger").evaluate("heard") == []
    assert await host.seen("Cisco/InboundCall/SetMakeCall") == []
    assert (await host.counters())["strangers"] == 4
    assert bridge.broker.workspaces.find("demo") is not None


async def test_a_gadget_speaks_under_its_own_name_and_within_its_patterns_only(host: HostPage) -> None:
    await host.start(RIGHTS, PROBES)
    call = await host.talk()

    await host.say("two", "Notes/Two/Written", "mine", id="n1", source="app-one")
    await host.say("two", "Notes/One/Written", "not mine", id="n2")
    await host.say("two", "Cisco/InboundCall/SetCONSULT", {"CallID": call, "MediaAddress": "5069", "toAddress": "5070"})
    await host.say("two", SUBSCRIBE, {"patterns": ["*"]}, id="n4")
    await host.say("two", "Bridge/Session/Refresh", {"token": "none"}, id="n5")
    heard = await host.heard("two", count=5)

    told = {message.get("correlationId"): message["data"].get("code") for message in heard}
    assert told == {
        "n1": None,
        "n2": "not_permitted",
        None: "not_permitted",
        "n4": "not_permitted",
        "n5": "not_permitted",
    }
    (note,) = await host.seen("Notes/Two/Written")
    assert note["source"] == "app-two"
    assert await host.seen("Notes/One/Written") == []
    assert await host.seen("Cisco/InboundCall/SetCONSULT") == []


async def test_twenty_lines_of_html_consult_on_a_call(host: HostPage) -> None:
    await host.start(RIGHTS, ["one/gadgets/one.html"])
    gadget = host.frame("one")
    await expect(gadget.locator("#who")).to_have_text("No call")
    await host.talk()
    await expect(gadget.locator("#who")).to_have_text("+15550100: active")

    await gadget.get_by_role("button", name="Consult").click()

    await expect(gadget.locator("#told")).to_have_text("Completed")
    await expect(gadget.locator("#who")).to_have_text("+15550100: held")
    (command,) = await host.seen("Cisco/InboundCall/SetCONSULT")
    assert command["source"] == "app-one"
    await gadget.get_by_role("button", name="Consult").click()
    await expect(gadget.locator("#told")).to_contain_text("SetCONSULT")
    assert (await host.of_gadget("one"))["refused"] == {"illegal_state": 1}


async def test_a_frame_that_changes_its_origin_loses_its_rights_and_the_port_that_it_handed_on(host: HostPage) -> None:
    await host.start(RIGHTS, ["two/probe.html", "stranger/probe.html"])
    await host.say("two", "Bridge/Gateway/Hello")
    await host.heard("two")
    await host.frame("two").evaluate("sayByPort('Notes/Two/Written', 'from the gadget')")
    await host.wait_for("Notes/Two/Written", "from the gadget")

    # The gadget hands its port to a stranger, and makes room in its frame for another page of the stranger's.
    await host.frame("two").evaluate("parent.frames[1].postMessage('yours', '*', [ports[0]])")
    stranger = host.frame("stranger")
    await stranger.wait_for_function("ports.length === 1")
    await host.navigate("two", "late/probe.html")
    await host.say("late", "Notes/Two/Written", "from its frame")
    await host.settled("late")
    await stranger.evaluate("sayByPort('Notes/Two/Written', 'from its port')")
    await host.settled("stranger")

    assert (await host.of_gadget("two"))["windows"] == 0
    assert [note["data"] for note in await host.seen("Notes/Two/Written")] == ["from the gadget"]
    assert await stranger.evaluate("byPort") == []
    assert await host.frame("late").evaluate("heard") == []


async def test_a_handed_on_port_ends_when_another_document_has_loaded_that_says_nothing(host: HostPage) -> None:
    await host.start(RIGHTS, ["two/probe.html", "stranger/probe.html"])
    await host.say("two", "Bridge/Gateway/Hello")
    await host.heard("two")
    await host.frame("two").evaluate("parent.frames[1].postMessage('yours', '*', [ports[0]])")
    stranger = host.frame("stranger")
    await stranger.wait_for_function("ports.length === 1")
    await stranger.evaluate("sayByPort('Notes/Two/Written', 'while the gadget is there')")
    await host.wait_for("Notes/Two/Written", "while the gadget is there")

    await host.navigate("two", "late/probe.html")
    await stranger.evaluate("sayByPort('Notes/Two/Written', 'when it is gone')")
    await host.settled("stranger")

    assert len(await host.seen("Notes/Two/Written")) == 1
    assert await host.frame("late").evaluate("heard") == [], "the new port went to the gadget's origin only"


async def test_a_removed_frame_is_forgotten(host: HostPage, bridge: Bridge) -> None:
    await host.start(RIGHTS, PROBES)
    await host.say("two", SUBSCRIBE, {"patterns": ["Notes"]})
    await host.heard("two")
    assert (await host.of_gadget("two"))["windows"] == 1

    await host.page.evaluate("document.querySelectorAll('iframe')[1].remove()")
    await host.page.wait_for_function("Object.values(gateway.counters.gadgets)[1].windows === 0")
    publish(bridge, 1)
    await host.wait_for("Notes/Test/Written", {"number": 1})
    assert (await host.of_gadget("two"))["delivered"] == 0


async def test_what_a_gadget_listens_to_through_its_port_ends_when_its_document_goes(
    host: HostPage, bridge: Bridge
) -> None:
    await host.start(RIGHTS, ["two/probe.html"])
    await host.say("two", "Bridge/Gateway/Hello")
    await host.heard("two")
    await host.frame("two").evaluate("sayByPort('Bridge/Subscription/Subscribe', { patterns: ['Notes'] })")
    await host.frame("two").wait_for_function("byPort.length === 1")
    publish(bridge, 1)
    await host.frame("two").wait_for_function("byPort.length === 2")
    await host.navigate("two", "late/probe.html")
    publish(bridge, 2)
    await host.wait_for("Notes/Test/Written", {"number": 2})
    assert (await host.of_gadget("two"))["delivered"] == 1
    assert await host.frame("late").evaluate("heard") == []


async def test_each_message_comes_once_and_not_to_who_sent_it(host: HostPage, bridge: Bridge) -> None:
    await host.start({**RIGHTS, "one": {"publish": ["Notes"], "subscribe": ["Notes"]}}, PROBES)
    for name in ("one", "two"):
        await host.say(name, SUBSCRIBE, {"patterns": ["Notes", "Notes/*", "Notes/Test/Written"]})
        await host.heard(name)
    await host.say("one", "Notes/One/Written", "hello", id="1")
    await host.say("two", "Notes/Two/Written", "hello", id="1")
    publish(bridge, 7)

    def told(heard: list[dict[str, Any]]) -> list[tuple[str, Any]]:
        return sorted((each["topic"], each["data"]) for each in heard if each["channel"] == "Notes")

    assert told(await host.heard("one", count=4)) == [("Test", {"number": 7}), ("Two", "hello")]
    assert told(await host.heard("two", count=4)) == [("One", "hello"), ("Test", {"number": 7})]
    assert (await host.of_gadget("one"))["withheld"] == 1


async def test_when_the_bridge_was_away_gadgets_are_told_how_things_stand(context: BrowserContext, site: int) -> None:
    origin = f"http://localhost:{site}"
    async with running(allowed_origins=(origin,)) as bridge:
        host = await HostPage.open(context, site, bridge.url.replace("127.0.0.1", "localhost"))
        await host.start(RIGHTS, PROBES)
        await host.say("two", SUBSCRIBE, {"patterns": ["Notes"]}, id="s")
        await host.heard("two")
    await host.page.wait_for_function("bridge.state !== 'open'")
    await host.say("two", "Notes/Two/Written", "lost", id="n1")
    refused = (await host.heard("two", count=2))[1]
    assert (refused["data"]["code"], refused["data"]["temporary"]) == ("unavailable", True)

    async with running(port=bridge.port, allowed_origins=(origin,)) as again:
        anew = (await host.heard("two", count=3))[2]
        assert anew["subtopic"] == "Subscribed"
        assert "correlationId" not in anew
        assert (anew["data"]["recovered"], anew["data"]["snapshot"]) == (False, [])
        publish(again, 5)
        assert (await host.heard("two", count=4))[3]["data"] == {"number": 5}
        await host.say("two", "Notes/Two/Written", "kept", id="n1")
        assert (await host.heard("two", count=5))[4]["subtopic"] == "Accepted"
        await host.page.close()


async def test_packets_register_and_are_answered_in_packets(host: HostPage, bridge: Bridge) -> None:
    await host.start(RIGHTS, PROBES)
    post = """inner => parent.postMessage({
      channel: "Notes", topic: "", subtopic: "", ResponseUrl: location.href, SubscriberID: "", message: inner,
    }, "*")"""
    await host.frame("two").evaluate(post, {"channel": "Notes", "topic": "Two", "subtopic": "Written", "data": "hello"})
    await host.wait_for("Notes/Two/Written", "hello")
    await host.heard("two", count=2)
    publish(bridge, 3)
    heard = await host.heard("two", count=3)

    assert len({packet["SubscriberID"] for packet in heard}) == 1
    assert [packet["message"]["subtopic"] for packet in heard] == ["Welcome", "Subscribed", "Written"]
    assert heard[2]["message"]["data"] == {"number": 3}
    assert heard[2]["ResponseUrl"] == host.url("two/probe.html")


async def test_ten_thousand_pieces_of_junk_leave_the_page_responsive(host: HostPage) -> None:
    await host.start(RIGHTS, PROBES)
    one, two, stranger = (host.frame(name) for name in ("one", "two", "stranger"))
    await host.page.evaluate("watch()")
    await two.evaluate("speakEvery(25, 'Notes/Two/Written')")
    await two.wait_for_function("heard.length > 0")

    for flooder in (one, stranger):
        await flooder.evaluate("flood(10_000)")
    await host.page.wait_for_function("junk() === 20_000")
    await two.evaluate("stop()")

    drawn = await host.page.evaluate("watched.filter(({ junk }) => junk > 0 && junk < 20_000)")
    assert len(drawn) > 2, "frames were drawn while the flood came in"
    assert drawn[-1]["honest"] > drawn[0]["honest"], "and the honest gadget was served"
    answers = await host.heard("one")
    assert {message["data"]["code"] for message in answers} <= {"invalid_envelope", "rate_limited"}
    counted = await host.of_gadget("one")
    assert counted["muted"] > 10 * len(answers), "a flood of junk is no flood of answers"
    assert (await host.of_gadget("two"))["refused"] == {}
