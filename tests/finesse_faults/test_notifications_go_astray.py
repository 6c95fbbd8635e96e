"""Notifications that come twice, late, swapped, without the request's id, or in another form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.finesse.rest import Unanswered
from tests.finesse_faults.centre import CUSTOMER, Desktop, contact_centre

if TYPE_CHECKING:
    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.model import Call

ASTRAY: dict[str, dict[str, Any]] = {
    "twice": {"duplicates": True},
    "swapped across calls": {"reorder_seconds": 0.03},
    "late": {"delay_seconds": 0.05},
    "no request's id": {"request_ids": "lost"},
    "request's id at first only": {"request_ids": "first"},
    "escaped twice": {"escapes": 2},
    "consult told as OUT": {"consult_call_type": "OUT", "request_ids": "lost"},
    "all at once": {"duplicates": True, "reorder_seconds": 0.03, "request_ids": "lost", "consult_call_type": "OUT"},
}
WORST = {name: ASTRAY[name] for name in ("twice", "swapped across calls", "no request's id", "all at once")}

however_told = pytest.mark.parametrize("faults", ASTRAY.values(), ids=ASTRAY)
badly_told = pytest.mark.parametrize("faults", WORST.values(), ids=WORST)


async def consults(desk: Desktop, call: str, *, in_order: bool) -> str:
    """Consult, with a look at what the events say of their cause; return the consult call."""
    command = await desk.begin("SetCONSULT", call, toAddress="5070")
    done = await desk.outcome(command)
    assert done["subtopic"] == "Completed"
    consult = str(done["data"]["consultCall"])
    caused = {event["data"]["call"]["id"] for event in desk.events_of(command)}
    assert caused == {call, consult} or (consult in caused and not in_order)
    desk.centre.finesse.party_answer("5070")
    await desk.may("SetCONFERENCE", call)
    assert desk.calls()[consult]["associatedCall"] == call
    assert desk.calls()[consult]["CallType"] == "CONSULT"
    return consult


@however_told
async def test_the_main_job(faults: dict[str, Any]) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(**faults)
        in_order = "reorder_seconds" not in faults

        call = await desk.is_talking()
        consult = await consults(desk, call, in_order=in_order)
        await desk.completes("SetDROP", consult)
        assert desk.state_of(call) == "held"
        await desk.completes("SetRETRIEVE", call)

        consult = await consults(desk, call, in_order=in_order)
        await desk.completes("SetCONFERENCE", call)
        assert desk.calls()[call]["secondaryId"] == consult
        await centre.checks_out()
        await desk.completes("SetDROP", call)
        await desk.has_calls()

        call = await desk.is_talking()
        await consults(desk, call, in_order=in_order)
        await desk.completes("SetTRANSFER", call)
        await desk.has_calls()
        await centre.checks_out()


@pytest.mark.parametrize("faults", [ASTRAY["no request's id"], ASTRAY["all at once"]], ids=["no request's id", "all"])
async def test_the_main_job_with_a_colleague(faults: dict[str, Any]) -> None:
    async with contact_centre() as centre:
        desk, colleague = await centre.everybody()
        await centre.goes_wrong(**faults)
        number = colleague.account.extension
        for ending in ("SetCONFERENCE", "SetTRANSFER"):
            call = await desk.is_talking()
            consult = (await desk.completes("SetCONSULT", call, toAddress=number))["data"]["consultCall"]
            await colleague.may("SetANSWER", consult)
            await colleague.completes("SetANSWER", consult)
            await desk.may(ending, call)
            await desk.completes(ending, call)
            await colleague.has_calls(call)
            await centre.checks_out()
            centre.finesse.party_drop(CUSTOMER)
            for each in (desk, colleague):
                if ending == "SetCONFERENCE":
                    await each.may("SetDROP", call)
            if ending == "SetCONFERENCE":
                await colleague.completes("SetDROP", call)
            await colleague.has_calls()
            await desk.has_calls()
        await centre.checks_out()


@badly_told
async def test_what_is_done_by_telephone_is_nobodys_command(faults: dict[str, Any]) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(**faults)
        call = await desk.is_talking()
        consult = await desk.begin("SetCONSULT", call, toAddress="5070")
        dialled = (await desk.outcome(consult))["data"]["consultCall"]
        seen = len(desk.messages)
        centre.finesse.party_answer("5070")
        await desk.sees(lambda: desk.state_of(dialled) == "active")
        centre.finesse.party_drop("5070")
        await desk.has_calls(call)
        centre.finesse.party_drop(CUSTOMER)
        await desk.has_calls()
        assert {m.get("correlationId") for m in desk.messages[seen:]} == {None}
        await centre.checks_out()


@badly_told
async def test_consult_that_cannot_succeed(faults: dict[str, Any]) -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(**faults)
        call = await desk.is_talking()
        for number, cause in (("5090", "BUSY"), ("5091", "BAD_DESTINATION")):
            failed = await desk.act("SetCONSULT", call, toAddress=number)
            assert (failed["subtopic"], failed["data"]["cause"]) == ("Failed", cause)
            (dead,) = set(desk.calls()) - {call}
            await desk.completes("SetDROP", dead)
            await desk.completes("SetRETRIEVE", call)
        await centre.checks_out()


async def test_logout_of_which_only_a_question_tells() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(delay_seconds=600)
        await centre.goes_wrong(force_logout=[desk.account.username])
        assert (await desk.do("Cisco/Agent/GetAgentState", {}))["subtopic"] == "Completed"
        assert "logged out" in str(await desk.is_signed_out())
        await centre.goes_wrong(delay_seconds=0)
        await desk.is_signed_in()
        await centre.checks_out()


async def test_logout_of_which_only_a_reading_tells() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await centre.goes_wrong(delay_seconds=600)
        await centre.goes_wrong(force_logout=[desk.account.username])
        centre.adapter.read(desk.account.username)
        assert "logged out" in str(await desk.is_signed_out())
        await centre.goes_wrong(delay_seconds=0)
        await desk.is_signed_in()
        await centre.checks_out()


async def test_reading_that_fails_is_repeated() -> None:
    async with contact_centre() as centre, centre.signed_in() as desk:
        await desk.is_talking()
        rest = centre.adapter._site.nodes.all[0].rest
        failed: list[bool] = []

        async def fail_once(_credentials: Credentials) -> tuple[Call, ...]:
            patch.undo()
            failed.append(True)
            raise Unanswered("no answer")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rest, "dialogs", fail_once)
            await centre.goes_wrong(delay_seconds=600)
            centre.finesse.party_drop(CUSTOMER)
            centre.adapter.read(desk.account.username)
            await desk.has_calls()
        assert failed
        await centre.goes_wrong(delay_seconds=0)
        await centre.checks_out()
