"""Requests that are refused late, done late, answered late or never, and requests that never arrive."""

from __future__ import annotations

from typing import Any

import pytest

from bridge.calls.finesse.pace import Pace
from tests.finesse_faults.centre import FAST, Desktop, contact_centre, until
from tests.finesse_faults.test_the_line_is_lost import ACTION_OF, prepared, some_commands, with_ids_and_without

IMPATIENT: dict[str, Any] = {"command_seconds": 0.3, "dial_seconds": 0.3}
SELDOM = Pace(poll=60.0, poll_out=0.1, request_retry=0.3, back_off=0.05, back_off_most=0.4, settle=0.1)
"""Notices only by its requests that a node is away."""


def position(desk: Desktop, message: object) -> int:
    return next(number for number, each in enumerate(desk.messages) if each is message)


# Refused


@with_ids_and_without
async def test_error_that_comes_after_202_fails_the_command_and_changes_nothing(
    subtopic: str, request_ids: str
) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        await desk.agrees()
        before = desk.picture()
        refusal = {
            "effect": "refuse_late",
            "action": ACTION_OF[subtopic],
            "error_type": "Call Operation Failure",
            "error_message": "CF_RESOURCE_OUT_OF_SERVICE",
            "error_data": "34",
        }
        await centre.goes_wrong(request_ids=request_ids, rules=[refusal])
        failed = await desk.act(subtopic, call, **more)
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Call Operation Failure")
        assert "CF_RESOURCE_OUT_OF_SERVICE" in failed["data"]["message"]
        told = await desk.until(lambda m: m["subtopic"] == "SetAPIError")
        assert told["correlationId"] == failed["correlationId"]
        assert position(desk, told) < position(desk, failed)
        assert desk.picture() == before
        assert [entry["outcome"] for entry in centre.entries(ACTION_OF[subtopic])] == ["refused"]
        await centre.checks_out()


@pytest.mark.parametrize(
    ("body", "status", "error_type"),
    [("xml", 400, "Invalid State"), ("html", 500, "Internal Server Error"), ("empty", 404, "Not Found")],
)
async def test_refusal_at_once_whatever_is_in_its_body(body: str, status: int, error_type: str) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        refusal = {"effect": "refuse", "action": "HOLD", "status": status, "error_type": "Invalid State"}
        await centre.goes_wrong(error_body=body, rules=[refusal])
        failed = await desk.act("SetHOLD", call)
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", error_type)
        assert desk.state_of(call) == "active"
        assert desk.statuses == ["signed_out", "connected"]
        await centre.checks_out()


# Done late


@pytest.mark.parametrize("request_ids", ["all", "lost"])
async def test_what_is_done_after_the_time_out_is_told_under_the_commands_id(request_ids: str) -> None:
    async with contact_centre(**IMPATIENT) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(request_ids=request_ids, rules=[{"effect": "delay", "action": "HOLD", "seconds": 1.0}])
        command = await desk.begin("SetHOLD", call)
        over = await desk.outcome(command)
        assert (over["subtopic"], desk.state_of(call)) == ("TimedOut", "active")
        assert over["data"]["afterMs"] >= 300
        await desk.sees(lambda: desk.state_of(call) == "held")
        assert [event["data"]["call"]["event"] for event in desk.events_of(command)] == ["held"]
        await centre.checks_out()


@pytest.mark.parametrize("request_ids", ["all", "lost"])
async def test_consult_that_begins_after_the_time_out_is_told_under_the_commands_id(request_ids: str) -> None:
    async with contact_centre(**IMPATIENT) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        slowly = {"effect": "delay", "action": "CONSULT_CALL", "seconds": 1.0}
        await centre.goes_wrong(request_ids=request_ids, rules=[slowly])
        command = await desk.begin("SetCONSULT", call, toAddress="5070")
        assert (await desk.outcome(command))["subtopic"] == "TimedOut"
        await desk.sees(lambda: len(desk.calls()) == 2)
        (consult,) = set(desk.calls()) - {call}
        await desk.sees(lambda: desk.calls()[consult]["ResponseActual"]["dialog"]["state"] == "ALERTING")
        assert {event["data"]["call"]["id"] for event in desk.events_of(command)} == {call, consult}
        await centre.checks_out()


@some_commands
async def test_notifications_later_than_the_time_out_find_the_truth_published(subtopic: str) -> None:
    async with contact_centre(**IMPATIENT) as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        await desk.agrees()
        await centre.goes_wrong(request_ids="lost", delay_seconds=1.0)
        command = await desk.begin(subtopic, call, **more)
        done = await desk.outcome(command)
        assert done["subtopic"] == "Completed"  # it was read that it is done
        assert desk.events_of(command)
        truth = await centre.truth_of(desk.account)
        assert desk.picture()["calls"] == truth["calls"]
        await desk.agrees()
        await centre.goes_wrong(delay_seconds=0.0)
        await centre.checks_out()


async def test_notifications_that_come_after_a_newer_reading_bring_nothing_back() -> None:
    async with contact_centre(**IMPATIENT) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await desk.agrees()
        await centre.goes_wrong(delay_seconds=1.0)
        await desk.completes("SetHOLD", call)  # as it was read, both times
        await desk.completes("SetRETRIEVE", call)
        seen = len(desk.messages)
        last = centre.finesse.offer(desk.account.extension, "+15550101")
        await desk.has_calls(call, last)  # by a notification that comes after all others
        told = [m["data"]["call"] for m in desk.messages[seen:] if m["subtopic"].endswith("CallStateChange")]
        assert [(shown["id"], shown["event"]) for shown in told] == [(last, "alerting")]
        await centre.goes_wrong(delay_seconds=0.0)
        await centre.checks_out()


# Answered late or never


@with_ids_and_without
async def test_answer_that_is_lost_after_it_was_done(subtopic: str, request_ids: str) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        lost = {"effect": "cut_answer", "action": ACTION_OF[subtopic]}
        await centre.goes_wrong(request_ids=request_ids, rules=[lost])
        done = await desk.act(subtopic, call, **more)
        assert done["subtopic"] == "Completed"
        (entry,) = centre.entries(ACTION_OF[subtopic])
        assert (entry["status"], entry["outcome"]) == (0, "done")
        await centre.checks_out()


@some_commands
async def test_request_that_is_lost_on_its_way_is_not_given_again(subtopic: str) -> None:
    async with contact_centre(**IMPATIENT) as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        await desk.agrees()
        before = desk.picture()
        await centre.goes_wrong(rules=[{"effect": "cut_request", "action": ACTION_OF[subtopic]}])
        over = await desk.act(subtopic, call, **more)
        assert over["subtopic"] == "TimedOut"
        assert desk.picture() == before
        assert [entry["outcome"] for entry in centre.entries(ACTION_OF[subtopic])] == ["ignored"]
        await centre.checks_out()


@some_commands
async def test_outcome_does_not_wait_for_an_answer_that_comes_late(subtopic: str) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        late = {"effect": "delay_answer", "action": ACTION_OF[subtopic], "seconds": 0.5}
        await centre.goes_wrong(request_ids="lost", rules=[late])
        done = await desk.act(subtopic, call, **more)
        assert done["subtopic"] == "Completed"
        (entry,) = centre.entries(ACTION_OF[subtopic])
        assert (entry["status"], entry["outcome"]) == (0, "done")
        await centre.checks_out()


# Never sent


async def test_request_that_cannot_be_sent_fails_and_is_not_sent_later() -> None:
    async with contact_centre(pace=SELDOM) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        (node,) = centre.finesse.nodes
        await node._rest.kill()  # and nobody tells
        failed = await desk.act("SetHOLD", call)
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Service Unavailable")
        assert "nothing was sent" in failed["data"]["message"]
        await desk.goes_blind()
        await node.start_rest()
        await desk.sees_again()
        assert centre.entries("HOLD") == []
        await centre.checks_out()


async def test_request_that_could_not_be_sent_at_first_is_sent_once() -> None:
    async with contact_centre(pace=SELDOM) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        (node,) = centre.finesse.nodes
        await node._rest.kill()
        command = await desk.begin("SetHOLD", call)
        await until(lambda: centre.adapter._site.nodes.all[0].trouble)  # it has been tried
        await node.start_rest()
        assert (await desk.outcome(command))["subtopic"] == "Completed"
        assert len(centre.entries("HOLD")) == 1
        await centre.checks_out()


async def test_commands_behind_one_whose_answer_is_lost_go_on() -> None:
    async with contact_centre(pace=FAST) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(rules=[{"effect": "cut_answer", "action": "UPDATE_CALL_DATA", "times": None}])
        commands = [
            await desk.begin("SetUPDATE_CALL_DATA", call, callVariables={f"callVariable{number}": "told"})
            for number in range(1, 6)
        ]
        for command in commands:
            assert (await desk.outcome(command))["subtopic"] == "Completed"
        assert len(centre.entries("UPDATE_CALL_DATA")) == 5
        await centre.goes_wrong(rules=[])
        await centre.checks_out()


async def test_what_xml_cannot_hold_is_refused_and_not_sent() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        failed = await desk.act("SetUPDATE_CALL_DATA", call, callVariables={"callVariable1": "\x01"})
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Invalid Input")
        assert centre.entries("UPDATE_CALL_DATA") == []
        await centre.checks_out()
