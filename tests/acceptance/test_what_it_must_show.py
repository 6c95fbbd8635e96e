"""The bridge's promises, over real sockets, by a client that is not ours."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.foreign import foreign_widget

if TYPE_CHECKING:
    from bridge.app import Bridge
    from tests.acceptance.foreign import ForeignWidget, Message

DOCUMENTED_SAMPLE = """{   "channel": "Cisco",
    "topic": "InboundCall",
    "subtopic": "SetCONSULT",
    "data ":
    {
        "MediaAddress ": "5069",
        "CallID": "16786021"
    }
}
"""


def is_dialling(message: Message) -> bool:
    return message["topic"] == "InboundCall" and bool(message["data"]["call"]["event"] == "initiating")


async def active_call(widget: ForeignWidget) -> str:
    call = (await widget.do("Simulator/Call/Offer", {"fromAddress": "+15550100"}))["data"]["call"]
    assert (await widget.do("Cisco/InboundCall/SetANSWER", on(call)))["subtopic"] == "Completed"
    return str(call)


def on(call: str, **more: str) -> dict[str, str]:
    return {"MediaAddress": "5069", "CallID": call, **more}


async def test_documented_sample_as_it_stands_is_refused_with_the_pointer(whole_bridge: Bridge) -> None:
    async with foreign_widget(whole_bridge) as widget:
        await widget.socket.send_str(DOCUMENTED_SAMPLE)
        refused = await widget.until(lambda m: m["subtopic"] == "Rejected")
        assert refused["data"]["code"] == "invalid_data"
        assert [error["pointer"] for error in refused["data"]["errors"]] == ["/data/toAddress"]


async def test_documented_sample_completed_is_accepted_with_two_warnings(whole_bridge: Bridge) -> None:
    async with foreign_widget(whole_bridge) as widget:
        call = await active_call(widget)
        sample = DOCUMENTED_SAMPLE.replace("16786021", call)
        sample = sample.replace('"CallID"', '"toAddress": "5070", "CallID"').replace(
            '"channel"', '"id": "x", "channel"'
        )
        await widget.socket.send_str(sample)
        accepted = await widget.reply("x")
        assert [warning["pointer"] for warning in accepted["data"]["warnings"]] == ["/data ", "/data/MediaAddress "]
        assert (await widget.outcome("x"))["subtopic"] == "Completed"


@pytest.mark.parametrize("ending", ["SetCONFERENCE", "SetTRANSFER"])
@pytest.mark.parametrize("topic", ["InboundCall", "OutboundCall"])
async def test_the_main_job(whole_bridge: Bridge, ending: str, topic: str) -> None:
    async with foreign_widget(whole_bridge) as widget:
        await widget.subscribe("Cisco/*", "Bridge/Command")
        if topic == "InboundCall":
            call = await active_call(widget)
        else:
            call = (await widget.do("Cisco/OutboundCall/SetMakeCall", {"toAddress": "961084524"}))["data"]["call"]
            await widget.do("Simulator/Party/Answer", {"address": "961084524"})
        consulted = await widget.do(f"Cisco/{topic}/SetCONSULT", on(call, toAddress="5070"))
        consult_call = consulted["data"]["consultCall"]
        await widget.do("Simulator/Party/Answer", {"address": "5070"})
        ended = await widget.do(f"Cisco/{topic}/{ending}", on(call))
        assert ended["subtopic"] == "Completed"
        if ending == "SetTRANSFER":
            assert widget.calls() == {}
        else:
            assert widget.calls()[call]["secondaryId"] == consult_call
            await widget.do(f"Cisco/{topic}/SetDROP", on(call))
            assert widget.calls() == {}
        assert {m["topic"] for m in widget.messages if m["subtopic"].endswith("CallStateChange")} == {topic}


@pytest.mark.parametrize(("number", "cause"), [("5090", "BUSY"), ("5091", "BAD_DESTINATION")])
async def test_consult_that_cannot_succeed(whole_bridge: Bridge, number: str, cause: str) -> None:
    async with foreign_widget(whole_bridge) as widget:
        await widget.subscribe("Cisco")
        call = await active_call(widget)
        failed = await widget.do("Cisco/InboundCall/SetCONSULT", on(call, toAddress=number))
        assert (failed["subtopic"], failed["data"]["cause"]) == ("Failed", cause)
        assert widget.calls()[call]["event"] == "held"
        (dead,) = [known["id"] for known in widget.calls().values() if known["event"] == "failed"]
        await widget.do("Cisco/InboundCall/SetDROP", on(dead))
        assert (await widget.do("Cisco/InboundCall/SetRETRIEVE", on(call)))["subtopic"] == "Completed"


async def test_dialling_consult_that_is_dropped_is_cancelled(leisurely_bridge: Bridge) -> None:
    async with foreign_widget(leisurely_bridge) as widget:
        await widget.subscribe("Cisco")
        call = await active_call(widget)
        consult = await widget.send("Cisco/InboundCall/SetCONSULT", on(call, toAddress="5070"))
        dialling = await widget.until(is_dialling)
        drop = await widget.send("Cisco/InboundCall/SetDROP", on(dialling["data"]["call"]["id"]))
        cancelled = await widget.outcome(consult)
        assert (cancelled["subtopic"], cancelled["data"]["errorType"]) == ("Failed", "Cancelled")
        assert (await widget.outcome(drop))["subtopic"] == "Completed"
        assert widget.calls()[call]["event"] == "held"


async def test_page_that_reconnects_gets_exactly_what_it_missed(whole_bridge: Bridge) -> None:
    async with foreign_widget(whole_bridge) as stays:
        await stays.subscribe("Cisco/InboundCall")
        async with foreign_widget(whole_bridge) as page:
            where = (await page.subscribe("Cisco/InboundCall"))["data"]
        call = await active_call(stays)
        await stays.do("Cisco/InboundCall/SetCONSULT", on(call, toAddress="5070"))
        async with foreign_widget(whole_bridge) as page:
            recover = {"epoch": where["epoch"], "offset": where["offset"]}
            answer = (await page.subscribe("Cisco/InboundCall", recover=recover))["data"]
        assert answer["recovered"] is True
        assert answer["snapshot"] == []
        seen = [m for m in stays.messages if m["subtopic"] == "InboundCallStateChange"]
        assert [m for m in answer["messages"] if m["subtopic"] == "InboundCallStateChange"] == seen


async def test_page_that_comes_new_gets_a_snapshot_with_both_calls(whole_bridge: Bridge) -> None:
    async with foreign_widget(whole_bridge) as widget, foreign_widget(whole_bridge) as page:
        await widget.subscribe("Cisco")
        call = await active_call(widget)
        done = await widget.do("Cisco/InboundCall/SetCONSULT", on(call, toAddress="5070"))
        snapshot = (await page.subscribe("Cisco/InboundCall"))["data"]["snapshot"]
        assert [m["data"]["call"]["id"] for m in snapshot] == [call, done["data"]["consultCall"]]
        assert {m["data"]["call"]["id"]: m["data"]["call"] for m in snapshot} == widget.calls()


async def test_same_consult_from_two_sessions_at_once_makes_one_call(whole_bridge: Bridge) -> None:
    async with foreign_widget(whole_bridge) as one, foreign_widget(whole_bridge) as other:
        await one.subscribe("Cisco", "Bridge/Command")
        call = await active_call(one)
        text = {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetCONSULT", "id": "same"}
        frame = json.dumps(text | {"data": on(call, toAddress="5070")})
        for widget in (one, other, one):
            await widget.socket.send_str(frame)
        assert (await one.outcome("same"))["subtopic"] == "Completed"
        replies = [
            m["data"]["duplicate"] for m in one.messages if m["subtopic"] == "Accepted" and m["correlationId"] == "same"
        ]
        assert replies == [False, True]
        assert (await other.reply("same"))["data"]["duplicate"] is True
        assert len(one.calls()) == 2


async def test_two_consults_at_once_make_one_call_and_one_failure(whole_bridge: Bridge) -> None:
    async with foreign_widget(whole_bridge) as one, foreign_widget(whole_bridge) as other:
        await one.subscribe("Cisco")
        call = await active_call(one)
        first = await one.send("Cisco/InboundCall/SetCONSULT", on(call, toAddress="5070"))
        second = await other.send("Cisco/InboundCall/SetCONSULT", on(call, toAddress="5071"))
        ends = [await one.outcome(first), await other.outcome(second)]
        assert sorted(m["subtopic"] for m in ends) == ["Completed", "Failed"]
        (failed,) = [m for m in ends if m["subtopic"] == "Failed"]
        assert failed["data"]["errorType"] == "Invalid State"
        assert len(one.calls()) == 2
