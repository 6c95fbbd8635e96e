"""Nobody speaks under another's name, sends what is the bridge's to send, or slips past a pattern by its spelling."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.server.wire import subscribe

if TYPE_CHECKING:
    from tests.attacks.site import Honest, Site

NOTE = {"channel": "Notes", "topic": "a", "subtopic": "b"}


async def test_the_name_the_time_and_the_place_of_a_message_are_not_the_senders_to_choose(
    site: Site, honest: Honest
) -> None:
    reader = await site.session(workspace="5071")
    await reader.subscribe("Notes")
    gadget = await site.session(workspace="5071", app="notes", roles=None, publish=["Notes"])

    gadget.send(
        {
            **NOTE,
            "source": "softphone",
            "time": "1999-01-01T00:00:00.000Z",
            "offset": 99999,
            "correlationId": "consult-1",
            "data": "x",
            "id": "spoof",
        }
    )

    heard = await reader.message()
    assert (heard["source"], heard["offset"] < 100) == ("notes", True)
    assert not heard["time"].startswith("1999")
    assert "correlationId" not in heard
    await honest.talk()


@pytest.mark.parametrize(
    "address",
    [
        "Bridge/Command/Completed",
        "Bridge/Session/Opened",
        "Bridge/Session/Heartbeat",
        "Bridge/Message/Accepted",
        "Bridge/Anything/Else",
        "Cisco/InboundCall/InboundCallStateChange",
        "Cisco/Connection/SetConnectionStatus",
        "Cisco/Agent/SetAgentState",
        "Cisco/Error/SetAPIError",
        "Cisco/inboundcall/INBOUNDCALLSTATECHANGE",
    ],
)
async def test_what_only_the_bridge_says_nobody_else_says(address: str, site: Site, honest: Honest) -> None:
    reader = await site.session(workspace="5071")
    await reader.subscribe("*")
    widget = await site.session(workspace="5071")
    channel, topic, subtopic = address.split("/")

    widget.send({"channel": channel, "topic": topic, "subtopic": subtopic, "data": {}, "id": "fake"})

    assert (await widget.message())["data"]["code"] == "reserved_channel"
    widget.send({**NOTE, "id": "real"})
    assert (await reader.message())["id"] == "real"
    await honest.talk()


LOOK_ALIKES = [
    "cisco", "CISCO", "Ci sco", "Ci-sco", "Ci_sco", "bridge", "B-ridge", "BRIDGE",
    "\u0421isco", "Cis\u0441o", "\uff23isco", "Ci\u200bsco", "Cisco\u0301", "Cisco\u0000", "Cisco\n", " Cisco",
    "Cisco ", "%43isco", "Cisco/InboundCall", "*", "", "C" * 65, "Ci\\sco",
]  # fmt: skip


@pytest.mark.parametrize("channel", LOOK_ALIKES)
async def test_a_channel_that_looks_like_another_gets_nothing_past_the_rules(
    channel: str, site: Site, honest: Honest
) -> None:
    widget = await site.session(workspace="5071")
    widget.send(json.dumps({"channel": channel, "topic": "InboundCall", "subtopic": "SetHOLD", "data": {}, "id": "x"}))

    refused = await widget.message()

    assert refused["subtopic"] == "Rejected"
    assert refused["data"]["code"] in {"invalid_envelope", "unknown_address", "reserved_channel"}
    assert site.bridge.calls.outstanding == 0
    await honest.talk()


@pytest.mark.parametrize(
    "pattern",
    [
        "*", "*/*", "*/*/*", "Notes*", "No*", "**", "Notes/**", "Notes/a/b/c", "/Notes", "Notes/", "//", "notes",
        "NOTES", " Notes", "Notes ", "N\u043etes", "Notes\u200b", "..", "Notes/../Cisco", "%2A", "Notes,Cisco",
        "N" * 65, "",
    ],
)  # fmt: skip
async def test_a_pattern_is_what_was_granted_or_nothing(pattern: str, site: Site, honest: Honest) -> None:
    gadget = await site.session(workspace="5070", roles=None, subscribe=["Notes/own"])

    gadget.send(subscribe(pattern))

    refused = await gadget.message()
    assert refused["subtopic"] == "Rejected", pattern
    assert refused["data"]["code"] in {"not_permitted", "invalid_data"}
    await honest.talk()


async def test_half_of_a_subscribe_is_not_granted(site: Site, honest: Honest) -> None:
    gadget = await site.session(workspace="5070", roles=None, subscribe=["Notes"])

    gadget.send(subscribe("Notes", "Honest"))

    assert (await gadget.message())["data"]["rule"] == "default"
    await honest.talk()
    gadget.send({"channel": "Bridge", "topic": "Policy", "subtopic": "Explain", "id": "e", "data": ASKED})
    assert (await gadget.message())["data"]["allowed"] is False


ASKED = {"action": "subscribe", "address": "Honest"}

BOMBS: dict[str, str] = {
    "depth": '{"channel":"Notes","topic":"a","subtopic":"b","data":' + "[" * 20_000 + "]" * 20_000 + "}",
    "depth of objects": '{"a":' * 10_000 + "1" + "}" * 10_000,
    "keys": json.dumps({**NOTE, "data": {f"k{n}": n for n in range(4000)}}),
    "keys of the envelope": json.dumps({f"k{n}": n for n in range(4000)}),
    "the same key": '{"channel":"Notes",' + '"data":1,' * 6000 + '"topic":"a","subtopic":"b"}',
    "a number": '{"channel":"Notes","topic":"a","subtopic":"b","data":' + "9" * 60_000 + "}",
    "a fraction": '{"channel":"Notes","topic":"a","subtopic":"b","data":0.' + "9" * 60_000 + "}",
    "an exponent": '{"channel":"Notes","topic":"a","subtopic":"b","data":1e999999999}',
    "a string": json.dumps({**NOTE, "topic": "x" * 60_000}),
    "escapes": json.dumps({**NOTE, "data": "\u0001" * 10_000}),
    "half a pair": '{"channel":"Notes","topic":"a","subtopic":"b","data":"\\ud800"}',
    "patterns": json.dumps(
        {"channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe", "data": {"patterns": ["a/b/c"] * 6000}}
    ),
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_of_json_gets_a_short_answer(name: str, site: Site, honest: Honest) -> None:
    widget = await site.session(workspace="5071")

    widget.send(BOMBS[name])
    widget.send({**NOTE, "id": "still here"})

    replies: list[dict[str, Any]] = []
    while not replies or replies[-1].get("correlationId") != "still here":
        replies.append(await widget.message())
    assert replies[-1]["subtopic"] == "Accepted"
    assert sum(len(json.dumps(reply)) for reply in replies) < 20_000
    assert all(reply["subtopic"] in {"Accepted", "Rejected", "Subscribed"} for reply in replies)
    await honest.talk()
