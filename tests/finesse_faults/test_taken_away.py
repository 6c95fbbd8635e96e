"""Others take the agent's place: a second client, a supervisor, Finesse itself."""

from __future__ import annotations

import pytest

from tests.finesse_faults.centre import contact_centre, until


async def test_resource_that_another_client_takes_is_not_fought_for() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(conflict=[desk.account.username])
        assert "another program" in str(await desk.is_signed_out())
        assert centre.sign_ons(desk.account.username) == 2  # ours and the other's
        assert not centre.adapter.keeps(desk.account.username)
        assert centre.entries("LOGOUT") == []
        refused = await desk.act("SetHOLD", call)
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "not_signed_in")

        await desk.is_signed_in()
        assert centre.sign_ons(desk.account.username) == 3
        await desk.sees(lambda: desk.state_of(call) == "active")
        await centre.checks_out()


async def test_two_bridges_at_one_agent_notice_each_other_and_the_later_one_stays() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk, centre.second_bridge() as second:
        call = await desk.is_talking()
        async with second.signed_in() as other:
            assert "another program" in str(await desk.is_signed_out())
            await other.sees(lambda: other.state_of(call) == "active")
            await other.completes("SetHOLD", call)
            assert other.statuses == ["signed_out", "connected"]
            assert centre.sign_ons(desk.account.username) == 2
            await second.checks_out()


async def test_agent_whom_finesse_signs_out() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(force_logout=[desk.account.username])
        assert "logged out" in str(await desk.is_signed_out())
        assert desk.picture()["state"] == "LOGOUT"
        await until(lambda: centre.lines(desk.account.username) == [])
        assert len(centre.entries("LOGIN")) == 1
        refused = await desk.do("Cisco/Agent/SetReadyState", {})
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "not_signed_in")
        await desk.is_signed_in()
        await centre.checks_out()


async def test_agent_whom_finesse_signs_out_in_a_call_is_so_after_it() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(force_logout=[desk.account.username])
        await desk.completes("SetHOLD", call)
        await desk.completes("SetRETRIEVE", call)
        await desk.completes("SetDROP", call)
        assert "logged out" in str(await desk.is_signed_out())
        await desk.is_signed_in()
        await centre.checks_out()


async def test_agent_who_was_signed_out_while_nobody_looked_is_not_signed_in_by_the_bridge() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(refusing=[0])
        await desk.goes_blind()
        await centre.goes_wrong(force_logout=[desk.account.username])
        await centre.goes_wrong(refusing=[])
        assert "logged out" in str(await desk.is_signed_out())
        assert len(centre.entries("LOGIN")) == 1
        await desk.is_signed_in()
        await centre.checks_out()


async def test_agent_signs_out_by_command_and_in_again() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        done = await desk.do("Cisco/Connection/Logout", {})
        assert done["subtopic"] == "Completed"
        assert await desk.is_signed_out() is None
        assert len(centre.entries("LOGOUT")) == 1
        await until(lambda: centre.lines(desk.account.username) == [])
        await desk.is_signed_in()
        await centre.checks_out()


@pytest.mark.parametrize("subtopic", ["SetDROP", "SetHOLD"])
async def test_end_of_the_session_says_nothing_of_a_command_under_way(subtopic: str) -> None:
    async with contact_centre(command_seconds=1) as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(rules=[{"effect": "ignore", "action": subtopic.removeprefix("Set")}])
        command = await desk.begun(subtopic, call)
        await centre.goes_wrong(conflict=[desk.account.username])
        await desk.is_signed_out()
        assert (await desk.outcome(command))["subtopic"] == "TimedOut"
