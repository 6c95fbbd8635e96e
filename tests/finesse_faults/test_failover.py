"""A pair of nodes: one fails and the other takes over, there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.finesse.pace import Pace
from tests.finesse_faults.centre import FAST, WATCHFUL, contact_centre, until

if TYPE_CHECKING:
    from tests.finesse_faults.centre import Centre, Desktop

WAYS: dict[str, tuple[str, ...]] = {
    "OUT_OF_SERVICE": ("out_of_service",),
    "503": ("unavailable",),
    "killed": ("kill_rest", "kill_xmpp"),
    "web application killed": ("kill_rest",),
    "notification service killed": ("kill_xmpp",),
    "silent": ("silent",),
    "finesse UNAVAILABLE": ("finesse_unavailable",),
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
some_ways = pytest.mark.parametrize(
    "way", [WAYS["503"], WAYS["killed"], WAYS["silent"]], ids=["503", "killed", "silent"]
)


def failing(way: tuple[str, ...], node: int) -> dict[str, Any]:
    return {fault: [node] for fault in way}


async def has_gone_over(desk: Desktop, node: int) -> None:
    """Read on until the agent is signed in at that node."""

    def is_there() -> bool:
        logins = desk.centre.entries("LOGIN", desk.account.username)
        return desk.statuses[-1] == "connected" and logins[-1]["node"] == node

    await desk.sees(is_there)


async def all_serve(centre: Centre) -> None:
    """Wait until the bridge has seen that both nodes serve."""
    await until(lambda: not any(node.trouble for node in centre.adapter._site.nodes.all))


@each_way
async def test_agents_keep_state_and_calls_there_and_back(way: tuple[str, ...]) -> None:
    async with contact_centre(pair=True, timing=WATCHFUL) as centre:
        busy, ready = await centre.everybody()
        call = await busy.is_talking()
        consult = await busy.is_consulting(call)
        assert (await ready.do("Cisco/Agent/SetReadyState", {}))["subtopic"] == "Completed"

        await centre.goes_wrong(**failing(way, 0))
        for desk in (busy, ready):
            await desk.goes_blind()
            await has_gone_over(desk, 1)
        await ready.shows_state("READY")
        assert set(busy.calls()) == {call, consult}
        await busy.completes("SetCONFERENCE", call)
        assert [entry["node"] for entry in centre.entries("CONFERENCE")] == [1]

        await centre.goes_wrong(reset=True)
        await all_serve(centre)
        await busy.completes("SetHOLD", call)
        assert [entry["node"] for entry in centre.entries("HOLD")] == [1]

        await centre.goes_wrong(**failing(way, 1))
        for desk in (busy, ready):
            await desk.goes_blind()
            await has_gone_over(desk, 0)
        await busy.completes("SetRETRIEVE", call)
        assert [entry["node"] for entry in centre.entries("RETRIEVE")] == [0]
        assert ready.picture()["state"] == "READY"
        assert [entry["node"] for entry in centre.entries("LOGIN")] == [0, 0, 1, 1, 0, 0]
        assert desk.statuses == ["signed_out", "connected", *["reconnecting", "connected"] * 2]
        await centre.goes_wrong(reset=True)
        await centre.checks_out()


@some_ways
async def test_consult_under_way_ends_at_the_other_node(way: tuple[str, ...]) -> None:
    async with contact_centre(pair=True, timing=WATCHFUL) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(rules=[{"effect": "delay", "action": "CONSULT_CALL", "seconds": 0.1}])
        consult = await desk.begun("SetCONSULT", call, toAddress="5070")
        await centre.goes_wrong(**failing(way, 0))
        done = await desk.outcome(consult)
        assert done["subtopic"] == "Completed"
        await has_gone_over(desk, 1)
        centre.finesse.party_answer("5070")
        await desk.may("SetTRANSFER", call)
        await desk.completes("SetTRANSFER", call)
        assert [entry["node"] for entry in centre.entries("CONSULT_CALL")] == [0]
        assert [entry["node"] for entry in centre.entries("TRANSFER")] == [1]
        await centre.checks_out()


async def test_request_that_cannot_be_sent_to_one_node_is_sent_once_to_the_other() -> None:
    pace = Pace(poll=60.0, poll_out=0.05, request_retry=1.0, back_off=0.05, back_off_most=0.2, settle=0.1)
    async with contact_centre(pair=True, pace=pace) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.finesse.nodes[0]._rest.kill()  # and nobody tells
        await desk.completes("SetHOLD", call)
        assert [entry["node"] for entry in centre.entries("HOLD")] == [1]
        await has_gone_over(desk, 1)
        await centre.checks_out()


async def test_both_nodes_are_away_and_the_first_to_come_back_is_taken() -> None:
    async with contact_centre(pair=True) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(kill_rest=[0, 1], kill_xmpp=[0, 1])
        await desk.goes_blind()
        await centre.goes_wrong(start_xmpp=[1], start_rest=[1])
        await has_gone_over(desk, 1)
        await desk.completes("SetHOLD", call)
        await centre.checks_out()


async def test_nine_agents_go_over_a_few_at_a_time_and_sign_in_once_each() -> None:
    pace = Pace(poll=0.1, poll_out=0.1, back_off=0.05, back_off_most=0.2, settle=0.1, at_once=3)
    async with contact_centre(agents=9, pair=True, pace=pace) as centre:
        desks = await centre.everybody()
        slowly = {"effect": "delay_answer", "action": "LOGIN", "seconds": 0.05, "times": None}
        await centre.goes_wrong(rules=[slowly])
        for node, logins in ((0, 18), (1, 27)):
            await centre.goes_wrong(kill_rest=[node], kill_xmpp=[node])
            most = await centre.most_at_once(logins)
            for desk in desks:
                await has_gone_over(desk, 1 - node)
            assert 1 < most <= 3
            assert len(centre.entries("LOGIN")) == logins
            await centre.goes_wrong(start_xmpp=[node], start_rest=[node])
            await all_serve(centre)
        assert {centre.sign_ons(desk.account.username) for desk in desks} == {1 + 2}
        await centre.checks_out()


async def test_line_that_breaks_once_is_made_again_at_the_same_node() -> None:
    async with contact_centre(pair=True, pace=FAST) as centre, centre.signed_in() as desk:
        await centre.goes_wrong(cut=[{"node": 0}])
        await desk.goes_blind()
        await desk.sees_again()
        await until(lambda: centre.lines(desk.account.username) == [0])  # the look-alike hears of it last
        assert {entry["node"] for entry in centre.entries("LOGIN")} == {0}
        await centre.checks_out()


async def test_agent_who_logged_out_just_before_is_not_signed_in_again() -> None:
    async with contact_centre(pair=True, timing=WATCHFUL) as centre, centre.signed_in() as desk:
        await centre.goes_wrong(silent=[0])
        done = await desk.do("Cisco/Connection/Logout", {})
        assert done["subtopic"] == "Completed"
        await desk.is_signed_out()
        assert [entry["action"] for entry in centre.entries()] == ["LOGIN", "LOGOUT"]
        assert (await centre.truth_of(desk.account))["state"] == "LOGOUT"
        await centre.goes_wrong(reset=True)
        await desk.is_signed_in()
        await centre.checks_out()


async def test_sign_in_at_the_other_node_is_no_cause_of_what_comes_later() -> None:
    async with contact_centre(pair=True, timing=WATCHFUL) as centre, centre.signed_in() as desk:
        await centre.goes_wrong(kill_rest=[0], kill_xmpp=[0], request_ids="lost")
        await desk.goes_blind()
        await desk.sees_again()
        ready = await desk.send("Cisco/Agent/SetReadyState", {})
        assert (await desk.outcome(ready))["subtopic"] == "Completed"
        (shown,) = [m for m in desk.messages if m["subtopic"] == "SetAgentState" and m["data"]["state"] == "READY"]
        assert shown["correlationId"] == ready
        await centre.goes_wrong(reset=True)
        await centre.checks_out()
