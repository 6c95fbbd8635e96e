"""The line to the notification service is lost between a request and the notifications of what it does."""

from __future__ import annotations

import asyncio

import pytest

from tests.finesse_faults.centre import WATCHFUL, Desktop, contact_centre, until

ACTION_OF = {
    "SetCONSULT": "CONSULT_CALL",
    "SetHOLD": "HOLD",
    "SetDROP": "DROP",
    "SetTRANSFER": "TRANSFER",
    "SetCONFERENCE": "CONFERENCE",
}
BLIND_ONCE = ["signed_out", "connected", "reconnecting", "connected"]

some_commands = pytest.mark.parametrize("subtopic", ["SetCONSULT", "SetHOLD", "SetTRANSFER"])
with_ids_and_without = pytest.mark.parametrize(
    ("subtopic", "request_ids"),
    [
        ("SetCONSULT", "lost"),
        ("SetHOLD", "all"),
        ("SetDROP", "lost"),
        ("SetTRANSFER", "all"),
        ("SetCONFERENCE", "lost"),
    ],
)


async def prepared(desk: Desktop, subtopic: str) -> tuple[str, dict[str, str]]:
    """Bring the agent to where the command is possible; return the call, and what goes with the command."""
    call = await desk.is_talking()
    if subtopic in {"SetTRANSFER", "SetCONFERENCE"}:
        await desk.is_consulting(call)
    return call, {"toAddress": "5071"} if subtopic == "SetCONSULT" else {}


@with_ids_and_without
async def test_what_is_done_while_the_line_is_cut_is_known_when_it_is_back(subtopic: str, request_ids: str) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        slowly = {"effect": "delay", "action": ACTION_OF[subtopic], "seconds": 0.1}
        await centre.goes_wrong(request_ids=request_ids, rules=[slowly])
        command = await desk.begun(subtopic, call, **more)
        await centre.goes_wrong(refusing=[0])
        assert "connection" in await desk.goes_blind()
        await until(lambda: centre.entries_of(command)[0]["outcome"] == "done")
        await centre.goes_wrong(refusing=[])
        assert (await desk.outcome(command))["subtopic"] == "Completed"
        assert desk.events_of(command)
        assert desk.statuses == BLIND_ONCE
        await centre.checks_out()


@some_commands
async def test_line_that_is_cut_and_back_before_it_is_done_misses_nothing(subtopic: str) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        slowly = {"effect": "delay", "action": ACTION_OF[subtopic], "seconds": 0.7}
        await centre.goes_wrong(request_ids="lost", rules=[slowly])
        command = await desk.begun(subtopic, call, **more)
        await centre.goes_wrong(cut=[{}])
        await desk.goes_blind()
        await desk.sees_again()
        assert desk.outcomes(command) == []
        assert (await desk.outcome(command))["subtopic"] == "Completed"
        assert desk.events_of(command)
        assert desk.statuses == BLIND_ONCE
        await centre.checks_out()


@some_commands
async def test_silent_line_is_noticed_by_its_pings(subtopic: str) -> None:
    async with contact_centre(timing=WATCHFUL) as centre, centre.signed_in() as desk:
        call, more = await prepared(desk, subtopic)
        await centre.goes_wrong(silent=[0])
        command = await desk.begin(subtopic, call, **more)
        assert "ping" in await desk.goes_blind()
        await until(lambda: centre.entries_of(command)[0]["outcome"] == "done")
        await centre.goes_wrong(silent=[])
        assert (await desk.outcome(command))["subtopic"] == "Completed"
        assert desk.statuses == BLIND_ONCE
        await centre.checks_out()


async def test_while_the_line_is_lost_commands_are_refused_and_nothing_is_sent() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        await centre.goes_wrong(refusing=[0])
        await desk.goes_blind()
        refused = await desk.act("SetHOLD", call)
        assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "unavailable")
        assert centre.entries("HOLD") == []
        await centre.goes_wrong(refusing=[])
        await desk.sees_again()
        await centre.checks_out()


async def test_call_that_came_and_one_that_went_while_the_line_was_lost() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        gone = await desk.is_talking()
        await centre.goes_wrong(refusing=[0])
        await desk.goes_blind()
        centre.finesse.party_drop("+15550100")
        new = centre.finesse.offer(desk.account.extension, "+15550101")
        await centre.goes_wrong(refusing=[])
        await desk.sees_again()
        await desk.has_calls(new)
        assert desk.state_of(gone) is None
        await desk.completes("SetANSWER", new)
        await centre.checks_out()


async def test_line_that_is_cut_again_and_again_is_made_again_each_time() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        call = await desk.is_talking()
        for times, subtopic in enumerate(("SetHOLD", "SetRETRIEVE") * 3, start=1):
            command = await desk.begun(subtopic, call)
            await centre.goes_wrong(cut=[{"user": desk.account.username}])
            assert (await desk.outcome(command))["subtopic"] == "Completed"
            await desk.has_come_back(times)
        assert centre.sign_ons(desk.account.username) == 1 + 6
        assert len(centre.entries("LOGIN")) <= 1 + 6
        await centre.checks_out()


async def test_session_that_is_stopped_while_a_lost_line_is_cleared_away_comes_to_its_end() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        session = centre.adapter._sessions[desk.account.username]
        clearing = asyncio.Event()

        async def read_and_take_time_to_end(_node: object) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                clearing.set()
                await asyncio.sleep(0.05)  # as closing a connection of HTTP may

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session, "_read", read_and_take_time_to_end)
            session.read()
            await centre.goes_wrong(cut=[{}])
            await clearing.wait()
            async with asyncio.timeout(2):
                await session.stop()
