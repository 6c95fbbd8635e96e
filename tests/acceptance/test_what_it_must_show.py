"""The bridge's promises, over real sockets, by a client that is not ours: on each switch the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.desks import COLLEAGUE, CUSTOMER

if TYPE_CHECKING:
    from tests.acceptance.desks import Desk
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


def is_call_event(message: Message) -> bool:
    return bool(message["subtopic"].endswith("CallStateChange"))


def events(widget: ForeignWidget, since: int = 0) -> list[Message]:
    return [message for message in widget.messages[since:] if is_call_event(message)]


def short(messages: list[Message]) -> list[tuple[str, str]]:
    """Call events as (id, event)."""
    return [(m["data"]["call"]["id"], m["data"]["call"]["event"]) for m in messages]


async def consult(desk: Desk, widget: ForeignWidget, call: str, topic: str = "InboundCall") -> str:
    """Consult until it rings; give the new call."""
    done = await widget.do(f"Cisco/{topic}/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
    assert done["subtopic"] == "Completed"
    return str(done["data"]["consultCall"])


async def up_to_now(widget: ForeignWidget) -> None:
    """Read everything that was said to a widget until now."""
    await widget.reply(await widget.send("Bridge/Command/Status", {"id": "none"}))


# The documented sample


async def test_documented_sample_as_it_stands_is_refused_with_the_pointer(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.socket.send_str(DOCUMENTED_SAMPLE)
        refused = await widget.until(lambda m: m["subtopic"] == "Rejected")
        assert refused["data"]["code"] == "invalid_data"
        assert [error["pointer"] for error in refused["data"]["errors"]] == ["/data/toAddress"]


async def test_documented_sample_completed_is_accepted_with_two_warnings(desk: Desk) -> None:
    async with desk.widget() as widget:
        call = await desk.active_call(widget)
        sample = DOCUMENTED_SAMPLE.replace("16786021", call).replace("5069", desk.extension)
        sample = sample.replace('"CallID"', '"toAddress": "5070", "CallID"').replace(
            '"channel"', '"id": "x", "channel"'
        )
        await widget.socket.send_str(sample)
        accepted = await widget.reply("x")
        assert [warning["pointer"] for warning in accepted["data"]["warnings"]] == ["/data ", "/data/MediaAddress "]
        assert (await widget.outcome("x"))["subtopic"] == "Completed"


# The main job


@pytest.mark.parametrize("ending", ["SetCONFERENCE", "SetTRANSFER"])
@pytest.mark.parametrize("topic", ["InboundCall", "OutboundCall"])
async def test_the_main_job(desk: Desk, ending: str, topic: str) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco/*", "Bridge/Command")
        if topic == "InboundCall":
            call = await desk.active_call(widget)
        else:
            call = (await widget.do("Cisco/OutboundCall/SetMakeCall", {"toAddress": "961084524"}))["data"]["call"]
            await desk.answer("961084524")
        consult_call = await consult(desk, widget, call, topic)
        await desk.answer(COLLEAGUE)
        await desk.until_allowed(call, ending)
        ended = await widget.do(f"Cisco/{topic}/{ending}", desk.on(call))
        assert ended["subtopic"] == "Completed"
        if ending == "SetTRANSFER":
            assert widget.calls() == {}
        else:
            assert widget.calls()[call]["secondaryId"] == consult_call
            await widget.do(f"Cisco/{topic}/SetDROP", desk.on(call))
            assert widget.calls() == {}
        assert {m["topic"] for m in widget.messages if m["subtopic"].endswith("CallStateChange")} == {topic}


async def test_consult_tells_every_step_before_its_outcome_and_under_its_id(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco/*", "Bridge/Command")
        call = await desk.active_call(widget)
        command = await widget.send("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        done = await widget.outcome(command)
        consult_call = done["data"]["consultCall"]
        caused = [m for m in events(widget) if m.get("correlationId") == command]
        assert short(caused) == [
            (call, "held"),
            (consult_call, "initiating"),
            (consult_call, "initiated"),
            (consult_call, "initiated"),
        ]
        assert max(m["offset"] for m in caused) < done["offset"]
        assert caused[-1]["data"]["call"]["ResponseActual"]["dialog"]["state"] == "ALERTING"
        shown = widget.calls()[consult_call]
        assert (shown["CallType"], shown["associatedCall"]) == ("CONSULT", call)
        assert "SetCONFERENCE" not in widget.calls()[call]["ActionsAllowed"]


async def test_a_conference_has_three_parties_and_a_transfer_ends_both_calls_under_its_id(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco/*", "Bridge/Command")
        call = await desk.active_call(widget)
        await consult(desk, widget, call)
        await desk.answer(COLLEAGUE)
        await desk.until_allowed(call, "SetCONFERENCE")
        await widget.do("Cisco/InboundCall/SetCONFERENCE", desk.on(call))
        conference = widget.calls()[call]
        assert conference["event"] == "active"
        assert len(conference["ResponseActual"]["dialog"]["participants"]) == 3
        await widget.do("Cisco/InboundCall/SetDROP", desk.on(call))

        second = await desk.active_call(widget)
        second_consult = (await widget.do("Cisco/InboundCall/SetCONSULT", desk.on(second, toAddress="5071")))["data"][
            "consultCall"
        ]
        await desk.answer("5071")
        await desk.until_allowed(second, "SetTRANSFER")
        transfer = await widget.send("Cisco/InboundCall/SetTRANSFER", desk.on(second))
        done = await widget.outcome(transfer)
        ended = [m for m in events(widget) if m["data"]["call"]["ended"] and m.get("correlationId") == transfer]
        assert {m["data"]["call"]["id"] for m in ended} == {second, second_consult}
        assert max(m["offset"] for m in ended) < done["offset"]


async def test_consult_under_the_other_topic_works_with_a_warning(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco/*")
        call = await desk.active_call(widget)
        command = await widget.send("Cisco/OutboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        assert [warning["pointer"] for warning in (await widget.reply(command))["data"]["warnings"]] == ["/topic"]
        assert (await widget.outcome(command))["subtopic"] == "Completed"
        assert {m["topic"] for m in events(widget)} == {"InboundCall"}


async def test_every_command_of_the_catalogue_completes(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco/*", "Bridge/Command")

        async def complete(address: str, data: Message) -> Message:
            done = await widget.do(f"Cisco/{address}", data)
            assert done["subtopic"] == "Completed", done
            result: Message = done["data"]
            return result

        await complete("Agent/SetReadyState", {})
        await complete("Agent/SetNotReadyState", {"ReasonCodeId": "12"})
        await complete("Agent/GetAgentState", {})
        call = await desk.active_call(widget)
        for action in ("SetHOLD", "SetRETRIEVE"):
            await complete(f"InboundCall/{action}", desk.on(call))
        await complete("InboundCall/SetSEND_DTMF", desk.on(call, digits="12#"))
        variables = {"callVariables": {"callVariable1": "gold"}}
        await complete("InboundCall/SetUPDATE_CALL_DATA", {"CallID": call, **variables})
        await complete("InboundCall/SetTRANSFER_SST", desk.on(call, toAddress=COLLEAGUE))
        made = (await complete("OutboundCall/SetMakeCall", {"toAddress": "5071"}))["call"]
        await complete("OutboundCall/SetDROP", desk.on(made))
        assert widget.calls() == {}
        states = [m["data"] for m in widget.messages if m["subtopic"] == "SetAgentState"]
        assert ("READY", None) in [(state["state"], state["reasonCodeId"]) for state in states]
        assert ("NOT_READY", "12") in [(state["state"], state["reasonCodeId"]) for state in states]
        await complete("Connection/Logout", {})
        last = [m for m in widget.messages if m["subtopic"] in {"SetAgentState", "SetConnectionStatus"}][-2:]
        assert last[0]["data"]["state"] == "LOGOUT"
        assert last[1]["data"]["status"] == "signed_out"


# What fails


@pytest.mark.parametrize(
    ("number", "cause", "error_type"),
    [("5090", "BUSY", "Device Busy"), ("5091", "BAD_DESTINATION", "Invalid Destination")],
)
async def test_consult_that_cannot_succeed(desk: Desk, number: str, cause: str, error_type: str) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco")
        call = await desk.active_call(widget)
        failed = await widget.do("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=number))
        assert (failed["subtopic"], failed["data"]["cause"]) == ("Failed", cause)
        assert (failed["data"]["errorType"], failed["data"]["call"]) == (error_type, call)
        before = widget.messages[widget.messages.index(failed) - 1]
        assert (before["subtopic"], before["correlationId"]) == ("SetAPIError", failed["correlationId"])
        assert before["data"]["data"]["errorType"] == error_type
        assert widget.calls()[call]["event"] == "held"
        (dead,) = [known for known in widget.calls().values() if known["event"] == "failed"]
        assert dead["ActionsAllowed"] == ["SetDROP"]
        assert (await widget.do("Cisco/InboundCall/SetDROP", desk.on(dead["id"])))["subtopic"] == "Completed"
        assert (await widget.do("Cisco/InboundCall/SetRETRIEVE", desk.on(call)))["subtopic"] == "Completed"
        assert widget.calls()[call]["event"] == "active"


async def test_dialling_consult_that_is_dropped_is_cancelled(leisurely_desk: Desk) -> None:
    desk = leisurely_desk
    async with desk.widget() as widget:
        await widget.subscribe("Cisco")
        call = await desk.active_call(widget)
        command = await widget.send("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        dialling = await widget.until(is_dialling)
        drop = await widget.send("Cisco/InboundCall/SetDROP", desk.on(dialling["data"]["call"]["id"]))
        cancelled = await widget.outcome(command)
        assert (cancelled["subtopic"], cancelled["data"]["errorType"]) == ("Failed", "Cancelled")
        assert (await widget.outcome(drop))["subtopic"] == "Completed"
        assert widget.calls()[call]["event"] == "held"
        gone = [m for m in events(widget) if m["data"]["call"]["ended"]]
        assert [m["correlationId"] for m in gone] == [drop]


async def test_a_consult_that_rings_and_is_dropped_leaves_the_original_held_and_retrievable(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco")
        call = await desk.active_call(widget)
        consult_call = await consult(desk, widget, call)
        assert (await widget.do("Cisco/InboundCall/SetDROP", desk.on(consult_call)))["subtopic"] == "Completed"
        assert {known["id"]: known["event"] for known in widget.calls().values()} == {call: "held"}
        assert (await widget.do("Cisco/InboundCall/SetRETRIEVE", desk.on(call)))["subtopic"] == "Completed"
        assert widget.calls()[call]["event"] == "active"


@pytest.mark.parametrize("ending", ["SetCONFERENCE", "SetTRANSFER"])
async def test_no_joining_while_the_consult_still_rings(desk: Desk, ending: str) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco")
        call = await desk.active_call(widget)
        consult_call = await consult(desk, widget, call)
        refused = await widget.do(f"Cisco/InboundCall/{ending}", desk.on(call))
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "illegal_state")
        assert refused["data"]["state"] == "held"
        assert sorted(refused["data"]["allowed"]) == ["SetDROP", "SetRETRIEVE", "SetUPDATE_CALL_DATA"]
        assert set(widget.calls()) == {call, consult_call}


async def test_consult_on_an_alerting_and_on_a_held_call_is_refused(desk: Desk) -> None:
    async with desk.widget() as widget:
        call = await desk.offer()
        refused = await widget.do("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "illegal_state")
        assert (refused["data"]["state"], refused["data"]["allowed"]) == ("alerting", ["SetANSWER"])
        await widget.do("Cisco/InboundCall/SetANSWER", desk.on(call))
        await widget.do("Cisco/InboundCall/SetHOLD", desk.on(call))
        refused = await widget.do("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "illegal_state")
        assert refused["data"]["state"] == "held"
        assert sorted(refused["data"]["allowed"]) == ["SetDROP", "SetRETRIEVE", "SetUPDATE_CALL_DATA"]


# Calls beside each other


async def test_a_held_call_joins_an_active_one_that_it_was_not_consulted_from(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco")
        first = await desk.active_call(widget)
        await widget.do("Cisco/InboundCall/SetHOLD", desk.on(first))
        second = await desk.active_call(widget)
        await desk.until_allowed(first, "SetCONFERENCE")
        done = await widget.do("Cisco/InboundCall/SetCONFERENCE", desk.on(first))
        assert done["subtopic"] == "Completed"
        assert list(widget.calls()) == [first]
        assert widget.calls()[first]["secondaryId"] == second


async def test_a_colleague_who_is_consulted_sees_only_the_own_leg_and_takes_the_call_over(
    desk: Desk, colleague: Desk
) -> None:
    async with desk.widget() as widget, colleague.widget() as theirs:
        await widget.subscribe("Cisco/*", "Bridge/Command")
        await theirs.subscribe("Cisco/*", "Bridge/Command")
        call = await desk.active_call(widget)
        command = await widget.send("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=colleague.extension))
        consult_call = (await widget.outcome(command))["data"]["consultCall"]
        rings = await theirs.until(is_call_event)
        assert rings["data"]["call"]["id"] == consult_call
        assert rings["data"]["call"]["associatedCall"] is None
        assert "correlationId" not in rings

        here = len(widget.messages)
        await theirs.do("Cisco/InboundCall/SetANSWER", colleague.on(consult_call))
        await desk.until_allowed(call, "SetTRANSFER")
        await up_to_now(widget)
        assert (consult_call, "active") in short(events(widget, here))
        assert all("correlationId" not in message for message in events(widget, here))

        transfer = await widget.send("Cisco/InboundCall/SetTRANSFER", desk.on(call))
        assert (await widget.outcome(transfer))["subtopic"] == "Completed"
        merged = await theirs.until(lambda m: is_call_event(m) and m["data"]["call"]["id"] == call)
        assert merged["data"]["call"]["secondaryId"] == consult_call
        await colleague.agrees()
        await up_to_now(theirs)
        assert list(theirs.calls()) == [call]
        assert not {command, transfer} & {message.get("correlationId") for message in theirs.messages}


async def test_what_a_party_did_by_telephone_carries_no_correlation(desk: Desk) -> None:
    async with desk.widget() as widget:
        await widget.subscribe("Cisco")
        call = await desk.active_call(widget)
        consult_call = await consult(desk, widget, call)
        here = len(widget.messages)
        await desk.answer(COLLEAGUE)
        await desk.until_allowed(call, "SetCONFERENCE")
        await desk.hang_up(CUSTOMER)
        await desk.hang_up(COLLEAGUE)
        await desk.agrees()
        await up_to_now(widget)
        assert widget.calls() == {}
        told = events(widget, here)
        assert {known for known, _ in short(told)} == {call, consult_call}
        assert {m.get("correlationId") for m in told} <= {None, *desk.acts}


# Sessions


async def test_the_sender_gets_the_outcome_once_without_a_subscription(desk: Desk) -> None:
    async with desk.widget() as silent, desk.widget() as other:
        await silent.subscribe("Gadget")
        await other.subscribe("Cisco")
        call = await desk.offer()
        answer = await silent.send("Cisco/InboundCall/SetANSWER", desk.on(call))
        assert (await silent.outcome(answer))["data"]["call"] == call
        for widget in (silent, other):
            await up_to_now(widget)
        outcomes = [m for m in silent.messages if m["subtopic"] == "Completed"]
        assert [m["correlationId"] for m in outcomes] == [answer]
        assert [m for m in other.messages if m["subtopic"] == "Completed"] == []


async def test_page_that_reconnects_gets_exactly_what_it_missed(desk: Desk) -> None:
    async with desk.widget() as stays:
        await stays.subscribe("Cisco/InboundCall")
        async with desk.widget() as page:
            where = (await page.subscribe("Cisco/InboundCall"))["data"]
        call = await desk.active_call(stays)
        await stays.do("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        async with desk.widget() as page:
            recover = {"epoch": where["epoch"], "offset": where["offset"]}
            answer = (await page.subscribe("Cisco/InboundCall", recover=recover))["data"]
        assert answer["recovered"] is True
        assert answer["snapshot"] == []
        seen = [m for m in stays.messages if m["subtopic"] == "InboundCallStateChange"]
        assert [m for m in answer["messages"] if m["subtopic"] == "InboundCallStateChange"] == seen


async def test_page_that_comes_new_gets_a_snapshot_with_both_calls(desk: Desk) -> None:
    async with desk.widget() as widget, desk.widget() as page:
        await widget.subscribe("Cisco")
        call = await desk.active_call(widget)
        done = await widget.do("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        snapshot = (await page.subscribe("Cisco/InboundCall"))["data"]["snapshot"]
        assert [m["data"]["call"]["id"] for m in snapshot] == [call, done["data"]["consultCall"]]
        assert {m["data"]["call"]["id"]: m["data"]["call"] for m in snapshot} == widget.calls()


async def test_same_consult_from_two_sessions_at_once_makes_one_call(desk: Desk) -> None:
    async with desk.widget() as one, desk.widget() as other:
        await one.subscribe("Cisco", "Bridge/Command")
        call = await desk.active_call(one)
        text = {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetCONSULT", "id": "same"}
        frame = json.dumps(text | {"data": desk.on(call, toAddress=COLLEAGUE)})
        for widget in (one, other, one):
            await widget.socket.send_str(frame)
        assert (await one.outcome("same"))["subtopic"] == "Completed"
        replies = [
            m["data"]["duplicate"] for m in one.messages if m["subtopic"] == "Accepted" and m["correlationId"] == "same"
        ]
        assert replies == [False, True]
        assert (await other.reply("same"))["data"]["duplicate"] is True
        assert len(one.calls()) == 2
        await other.socket.send_str(frame)
        repeated = await other.until(lambda m: m["subtopic"] == "Accepted" and m["data"].get("outcome") is not None)
        assert repeated["data"]["outcome"]["subtopic"] == "Completed"


async def test_two_consults_at_once_make_one_call_and_one_failure(desk: Desk) -> None:
    async with desk.widget() as one, desk.widget() as other:
        await one.subscribe("Cisco")
        call = await desk.active_call(one)
        first = await one.send("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress=COLLEAGUE))
        second = await other.send("Cisco/InboundCall/SetCONSULT", desk.on(call, toAddress="5071"))
        ends = [await one.outcome(first), await other.outcome(second)]
        assert sorted(m["subtopic"] for m in ends) == ["Completed", "Failed"]
        (failed,) = [m for m in ends if m["subtopic"] == "Failed"]
        assert failed["data"]["errorType"] == "Invalid State"
        assert len(one.calls()) == 2
