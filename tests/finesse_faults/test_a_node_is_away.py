"""The only node goes away, in part or all of it, and comes back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.finesse.pace import Pace
from bridge.calls.finesse.xmpp import Timing
from tests.finesse_faults.centre import CUSTOMER, contact_centre, until

if TYPE_CHECKING:
    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.model import Call

GONE_AND_BACK = [
    pytest.param({"kill_rest": [0]}, {"start_rest": [0]}, id="web application"),
    pytest.param({"kill_xmpp": [0]}, {"start_xmpp": [0]}, id="notification service"),
    pytest.param({"kill_rest": [0], "kill_xmpp": [0]}, {"start_xmpp": [0], "start_rest": [0]}, id="whole node"),
    pytest.param({"unavailable": [0]}, {"unavailable": []}, id="503"),
    pytest.param({"out_of_service": [0]}, {"out_of_service": []}, id="OUT_OF_SERVICE"),
    pytest.param({"finesse_unavailable": [0]}, {"finesse_unavailable": []}, id="finesse UNAVAILABLE"),
]


@pytest.mark.parametrize(("goes", "comes_back"), GONE_AND_BACK)
async def test_node_that_is_away_in_the_middle_of_a_consult(goes: dict[str, Any], comes_back: dict[str, Any]) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(rules=[{"effect": "delay", "action": "CONSULT_CALL", "seconds": 0.1}])
        consult = await desk.begun("SetCONSULT", call, toAddress="5070")
        await centre.goes_wrong(**goes)
        assert await desk.goes_blind() not in {"", "None"}
        await until(lambda: centre.entries_of(consult)[0]["outcome"] == "done")
        refused = await desk.act("SetDROP", call)
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "unavailable")
        await centre.goes_wrong(**comes_back)
        done = await desk.outcome(consult)
        assert done["subtopic"] == "Completed"
        await desk.sees_again()
        assert desk.statuses == ["signed_out", "connected", "reconnecting", "connected"]
        centre.finesse.party_answer("5070")
        await desk.may("SetTRANSFER", call)
        await centre.checks_out()
        await desk.completes("SetTRANSFER", call)
        await centre.checks_out()


@pytest.mark.parametrize(("goes", "comes_back"), GONE_AND_BACK[2:5])
async def test_what_happens_by_telephone_while_a_node_is_away(goes: dict[str, Any], comes_back: dict[str, Any]) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await desk.is_talking()
        await centre.goes_wrong(**goes)
        await desk.goes_blind()
        centre.finesse.party_drop(CUSTOMER)
        new = centre.finesse.offer(desk.account.extension, "+15550101")
        await centre.goes_wrong(**comes_back)
        await desk.sees_again()
        await desk.has_calls(new)
        assert centre.entries("LOGOUT") == []
        await desk.completes("SetANSWER", new)
        await centre.checks_out()


async def test_agent_waits_in_place_where_only_the_application_is_away() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        for away, back in (
            ({"finesse_unavailable": [0]}, {"finesse_unavailable": []}),
            ({"unavailable": [0]}, {"unavailable": []}),
            ({"out_of_service": [0]}, {"out_of_service": []}),
            ({"kill_rest": [0]}, {"start_rest": [0]}),
        ):
            await centre.goes_wrong(**away)
            await desk.goes_blind()
            assert centre.lines(desk.account.username) == [0]
            await centre.goes_wrong(**back)
            await desk.sees_again()
        assert centre.sign_ons(desk.account.username) == 1
        await centre.checks_out()


async def test_readiness_tells_that_no_node_serves() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        assert centre.bridge.ready() == {"call_control": True}
        await centre.goes_wrong(kill_rest=[0])
        await until(lambda: centre.bridge.ready() == {"call_control": False})
        await desk.goes_blind()
        await centre.goes_wrong(start_rest=[0])
        await until(lambda: centre.bridge.ready() == {"call_control": True})
        await desk.sees_again()
        await centre.checks_out()


async def test_sign_in_while_no_node_serves_fails_and_says_why() -> None:
    pace = Pace(poll=0.3, poll_out=0.1, sign_in=0.5, back_off=0.05, settle=0.1)
    async with contact_centre(pace=pace) as centre, centre.desktop() as desk:
        await centre.goes_wrong(kill_rest=[0], kill_xmpp=[0])
        failed = await desk.sign_in()
        assert (failed["subtopic"], failed["data"]["errorType"]) == ("Failed", "Service Unavailable")
        assert "localhost" in failed["data"]["message"]
        assert desk.statuses == ["signed_out"]
        assert centre.entries() == []
        await centre.goes_wrong(start_xmpp=[0], start_rest=[0])
        await until(centre.bridge.adapter.ready)
        await desk.is_signed_in()
        await centre.checks_out()


async def test_all_who_come_back_at_once_sign_in_a_few_at_a_time() -> None:
    pace = Pace(poll=0.1, poll_out=0.1, back_off=0.05, back_off_most=0.2, settle=0.1, at_once=3)
    async with contact_centre(agents=12, pace=pace) as centre:
        desks = await centre.everybody()
        slowly = {"effect": "delay_answer", "action": "LOGIN", "seconds": 0.05, "times": None}
        await centre.goes_wrong(out_of_service=[0], rules=[slowly])
        for desk in desks:
            await desk.goes_blind()
        await centre.goes_wrong(out_of_service=[])
        most = await centre.most_at_once(12 + 12)
        for desk in desks:
            await desk.sees_again()
        assert 1 < most <= 3
        assert len(centre.entries("LOGIN")) == 12 + 12
        await centre.checks_out()


async def live_through_503(*, seconds: float, pace: Pace) -> None:
    """Let every request be refused with 503 for so long, while commands come all the time."""
    async with contact_centre(agents=3, pace=pace, timing=Timing()) as centre:
        first, second, third = await centre.everybody()
        call = await first.is_talking()
        await second.is_consulting(await second.is_talking())
        await centre.goes_wrong(unavailable=[0])
        last = await third.do("Cisco/Agent/SetReadyState", {})
        assert last["subtopic"] in {"Failed", "Rejected"}
        for desk in (first, second, third):
            await desk.goes_blind()
        sent = len(centre.entries())
        clock = asyncio.get_running_loop().time
        over = clock() + seconds
        while clock() < over:
            refused = await first.act("SetHOLD", call)
            assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "unavailable")
            await asyncio.sleep(0.05)
        assert len(centre.entries()) == sent
        centre.finesse.party_drop("5070")
        await centre.goes_wrong(unavailable=[])
        for desk in (first, second, third):
            await desk.sees_again()
        assert len(centre.entries("LOGIN")) == 3 + 3
        await centre.checks_out()


async def test_application_that_goes_away_while_the_calls_are_read() -> None:
    async with contact_centre() as centre, centre.desktop() as desk:
        rest = centre.adapter._site.nodes.all[0].rest
        read = rest.dialogs

        async def read_and_go_away(credentials: Credentials) -> tuple[Call, ...]:
            calls = await read(credentials)
            await centre.goes_wrong(finesse_unavailable=[0])
            session = centre.adapter._sessions[desk.account.username]
            await until(lambda: not session._application_available)
            patch.undo()
            return calls

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rest, "dialogs", read_and_go_away)
            sign_in = asyncio.create_task(desk.sign_in())
            await until(lambda: rest.dialogs == read)
        session = centre.adapter._sessions[desk.account.username]
        await until(lambda: session._view.agent is not None)
        assert not session._telling.live
        await centre.goes_wrong(finesse_unavailable=[])
        assert (await sign_in)["subtopic"] == "Completed"
        assert desk.statuses == ["signed_out", "connected"]
        await centre.checks_out()
