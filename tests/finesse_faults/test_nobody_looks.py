"""The last widget leaves: the agent is followed for a while, through every call, and never signed out."""

from __future__ import annotations

import asyncio

from tests.finesse_faults.centre import CUSTOMER, contact_centre, until

SHORT = 0.3


async def test_session_ends_after_its_time_without_signing_out() -> None:
    async with contact_centre(linger_seconds=SHORT) as centre:
        async with centre.signed_in() as desk:
            username = desk.account.username
        assert centre.adapter.keeps(username)
        await until(lambda: not centre.adapter.keeps(username))
        await until(lambda: centre.lines(username) == [])
        assert centre.entries("LOGOUT") == []
        assert (await centre.truth_of(desk.account))["state"] == "NOT_READY"
        async with centre.desktop() as page:
            assert page.statuses == ["signed_out"]
            assert "no widget" in str(page.reasons[0])
            await page.is_signed_in()
            await centre.checks_out()


async def test_widget_that_comes_back_in_time_finds_everything() -> None:
    async with contact_centre(linger_seconds=60.0) as centre:
        async with centre.signed_in() as desk:
            call = await desk.is_talking()
        async with centre.desktop() as page:
            assert page.statuses == ["connected"]
            await page.completes("SetHOLD", call)
            assert len(centre.entries("LOGIN")) == 1
            assert centre.sign_ons(desk.account.username) == 1
            await centre.checks_out()


async def test_time_runs_for_the_last_widget_only_and_anew_for_each() -> None:
    async with contact_centre(linger_seconds=SHORT) as centre, centre.signed_in() as desk:
        loop = asyncio.get_running_loop()
        begin = loop.time()
        while loop.time() < begin + 3 * SHORT:
            async with centre.desktop() as page:
                assert page.statuses == ["connected"]
        assert desk.statuses == ["signed_out", "connected"]
        await centre.checks_out()


async def test_agent_with_a_call_is_followed_to_its_end() -> None:
    async with contact_centre(linger_seconds=SHORT) as centre:
        async with centre.signed_in() as desk:
            username = desk.account.username
            await desk.is_talking()
        session = centre.adapter._sessions[username]
        await until(lambda: session._linger.is_over)
        assert centre.adapter.keeps(username)
        assert centre.lines(username) == [0]
        centre.finesse.party_drop(CUSTOMER)
        await until(lambda: not centre.adapter.keeps(username))
        assert centre.entries("LOGOUT") == []


async def test_widget_that_comes_back_late_in_a_call_finds_the_call() -> None:
    async with contact_centre(linger_seconds=SHORT) as centre:
        async with centre.signed_in() as desk:
            call = await desk.is_talking()
        session = centre.adapter._sessions[desk.account.username]
        await until(lambda: session._linger.is_over)
        async with centre.desktop() as page:
            assert page.statuses == ["connected"]
            await page.completes("SetDROP", call)
            assert page.statuses == ["connected"]
            await centre.checks_out()


async def test_agent_who_is_reconnecting_when_the_time_is_over() -> None:
    async with contact_centre(linger_seconds=SHORT) as centre:
        async with centre.signed_in() as desk:
            username = desk.account.username
            await centre.goes_wrong(refusing=[0])
            await desk.goes_blind()
        await until(lambda: not centre.adapter.keeps(username))
        await centre.goes_wrong(refusing=[])
        async with centre.signed_in():
            await centre.checks_out()
