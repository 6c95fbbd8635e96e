"""The bridge ends in the middle of a call, in order or not, and another one starts."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.command_line.terminal import serving
from tests.finesse_faults.centre import Centre, Desktop, centre_before, contact_centre, look_alike, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.finesse_simulator.look_alike import FinesseLookAlike
    from tests.command_line.terminal import Program


async def is_cut_off(desk: Desktop) -> int | None:
    """Read to the end of the connection; return its close code."""
    while True:
        message = await desk.socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            return desk.socket.close_code
        desk.messages.append(json.loads(message.data))


async def goes_on(centre: Centre, desk: Desktop, call: str, consult: str) -> None:
    """Sign in at the new bridge, find both calls, and bring them to an end."""
    assert desk.statuses == ["signed_out"]
    assert desk.calls() == {}
    refused = await desk.act("SetHOLD", call)
    assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", "not_signed_in")
    await desk.is_signed_in()
    await desk.has_calls(call, consult)
    assert desk.calls()[consult]["associatedCall"] == call
    centre.finesse.party_answer("5070")
    await desk.may("SetCONFERENCE", call)
    await desk.completes("SetCONFERENCE", call)
    await centre.checks_out()
    await desk.completes("SetDROP", call)
    await centre.checks_out()


async def test_bridge_that_is_stopped_in_a_consult_and_one_that_takes_its_place() -> None:
    async with contact_centre() as first, first.signed_in() as desk:
        call = await desk.is_talking()
        await first.goes_wrong(rules=[{"effect": "delay", "action": "CONSULT_CALL", "seconds": 0.3}])
        consult = await desk.begun("SetCONSULT", call, toAddress="5070")
        code, _ = await asyncio.gather(is_cut_off(desk), first.stop())
        assert code == 1012
        assert [outcome["subtopic"] for outcome in desk.outcomes(consult)] == ["TimedOut"]
        await until(lambda: len(first.finesse.dialogs()[desk.account.extension]["dialogs"]) == 2)
        (dialled,) = {dialog["id"] for dialog in first.finesse.dialogs()[desk.account.extension]["dialogs"]} - {call}
        async with first.second_bridge() as second, second.desktop() as page:
            await goes_on(second, page, call, dialled)
            assert len(second.entries("LOGIN")) == 2
            assert second.entries("LOGOUT") == []


@asynccontextmanager
async def process_before(finesse: FinesseLookAlike, folder: Path) -> AsyncIterator[tuple[Program, Centre]]:
    """Run the bridge as a process."""
    config = folder / "bridge.toml"
    settings = {
        "finesse_urls": finesse.rest_urls,
        "finesse_xmpp_urls": finesse.xmpp_urls,
        "finesse_ca_file": str(finesse.ca_file),
    }
    config.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items()))
    async with serving("--adapter", "finesse", "--config", str(config)) as (program, url):
        centre = Centre(finesse, url)
        async with centre.control:
            yield program, centre


async def test_process_that_is_killed_in_a_consult_and_one_that_takes_its_place(tmp_path: Path) -> None:
    async with look_alike() as finesse, AsyncExitStack() as stack:
        program, first = await stack.enter_async_context(process_before(finesse, tmp_path))
        desk = await stack.enter_async_context(first.signed_in())
        call = await desk.is_talking()
        await first.goes_wrong(rules=[{"effect": "delay", "action": "CONSULT_CALL", "seconds": 0.3}])
        consult = await desk.begin("SetCONSULT", call, toAddress="5070")
        await until(lambda: [entry["status"] for entry in first.entries("CONSULT_CALL")] == [202])
        program.process.kill()
        await is_cut_off(desk)
        assert desk.outcomes(consult) == []
        await until(lambda: len(finesse.dialogs()[desk.account.extension]["dialogs"]) == 2)
        (dialled,) = {dialog["id"] for dialog in finesse.dialogs()[desk.account.extension]["dialogs"]} - {call}
        await until(lambda: first.lines(desk.account.username) == [])
        _, second = await stack.enter_async_context(process_before(finesse, tmp_path))
        page = await stack.enter_async_context(second.desktop())
        await goes_on(second, page, call, dialled)
        assert len(second.entries("LOGIN")) == 2
        assert len(second.entries("CONSULT_CALL")) == 1
        assert second.entries("LOGOUT") == []


@pytest.mark.parametrize("in_a_call", [False, True])
async def test_bridge_that_is_away_for_longer_than_finesse_waits(in_a_call: bool) -> None:  # noqa: FBT001
    async with look_alike(forced_logout_seconds=0.3) as finesse, AsyncExitStack() as stack:
        first = await stack.enter_async_context(centre_before(finesse))
        desk = await stack.enter_async_context(first.signed_in())
        call = await desk.is_talking() if in_a_call else ""
        await asyncio.gather(is_cut_off(desk), first.stop())
        username, extension = desk.account.username, desk.account.extension
        if in_a_call:
            await until(lambda: finesse.dialogs()[extension]["pending_state"] == "LOGOUT")
        else:
            await until(lambda: finesse.dialogs()[username]["state"] == "LOGOUT")
        second = await stack.enter_async_context(first.second_bridge())
        page = await stack.enter_async_context(second.signed_in())
        if in_a_call:
            await page.sees(lambda: page.state_of(call) == "active")
            await page.completes("SetDROP", call)
            assert "logged out" in str(await page.is_signed_out())
            await page.is_signed_in()
        await second.checks_out()
