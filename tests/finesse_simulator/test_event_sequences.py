"""What agents are told, step by step (Finesse developer guide, the event tables of "Dialogs notification")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.finesse_simulator.desks import CUSTOMER

if TYPE_CHECKING:
    from bridge.finesse_simulator.look_alike import FinesseLookAlike
    from tests.finesse_simulator.desks import AgentDesk

A, B = "1001001", "1001002"
NAMES = ("O", "K")


async def test_inbound_call_rings_connects_and_ends(finesse: FinesseLookAlike, alice: AgentDesk) -> None:
    await alice.in_a_call()
    finesse.party_drop(CUSTOMER)
    await alice.until_line(f"DELETE O DROPPED: {CUSTOMER} DROPPED, {A} DROPPED", "O")

    assert alice.lines("O") == [
        f"POST O ALERTING: {CUSTOMER} INITIATED, {A} ALERTING",
        f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} ACTIVE",
        f"PUT O ACTIVE: {CUSTOMER} DROPPED, {A} ACTIVE",
        f"PUT O DROPPED: {CUSTOMER} DROPPED, {A} DROPPED",
        f"DELETE O DROPPED: {CUSTOMER} DROPPED, {A} DROPPED",
    ]


async def test_outbound_call_is_told_step_by_step(finesse: FinesseLookAlike, alice: AgentDesk, bob: AgentDesk) -> None:
    response = await alice.dial(B)
    await bob.until(lambda: bob.of_dialogs)
    finesse.party_answer(B)
    await alice.until_line(f"PUT O ACTIVE: {A} ACTIVE, {B} ACTIVE", "O")

    assert (response.status_code, response.content) == (202, b"")
    assert alice.lines("O") == [
        f"POST O INITIATING: {A} INITIATING",
        f"PUT O INITIATED: {A} INITIATED",
        f"PUT O ALERTING: {A} INITIATED, {B} ALERTING",
        f"PUT O ACTIVE: {A} ACTIVE, {B} ACTIVE",
    ]
    assert [told.dialog.findtext("toAddress") for told in alice.of_dialogs if told.dialog is not None] == ["", B, B, B]
    assert bob.lines("O")[0] == f"POST O ALERTING: {A} INITIATED, {B} ALERTING"


async def test_hold_shows_on_the_participant_only(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.do(call, "HOLD")
    await alice.until_actions(call, "RETRIEVE")
    await alice.do(call, "RETRIEVE")
    await alice.until_actions(call, "HOLD")

    assert alice.lines("O")[2:] == [
        f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} HELD",
        f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} ACTIVE",
    ]
    assert alice.of_dialogs[-2].actions(A) == {"RETRIEVE", "DROP", "UPDATE_CALL_DATA"}


async def test_consult_then_transfer(alice: AgentDesk, bob: AgentDesk) -> None:
    original = await alice.in_a_call()
    known = len(alice.of_dialogs)
    consult = await alice.consulting(original, B)
    await alice.do(original, "TRANSFER")
    await bob.until(lambda: bob.of_dialogs[-1].call == original)
    await alice.until(lambda: len(alice.of_dialogs) >= known + 8)

    assert alice.lines(*NAMES)[known:] == [
        f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} HELD",
        f"POST K INITIATING: {A} INITIATING",
        f"PUT K INITIATED: {A} INITIATED",
        f"PUT K ALERTING: {A} INITIATED, {B} ALERTING",
        f"PUT K ACTIVE: {A} ACTIVE, {B} ACTIVE",
        f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} HELD",
        f"DELETE O ACTIVE: {CUSTOMER} ACTIVE, {A} DROPPED, {B} ACTIVE",
        f"DELETE K DROPPED: {A} DROPPED, {B} DROPPED",
    ]
    assert bob.lines(*NAMES) == [
        f"POST K ALERTING: {A} INITIATED, {B} ALERTING",
        f"PUT K ACTIVE: {A} ACTIVE, {B} ACTIVE",
        f"DELETE K DROPPED: {A} DROPPED, {B} DROPPED",
        f"POST O ACTIVE: {CUSTOMER} ACTIVE, {B} ACTIVE",
    ]
    last = bob.of_dialogs[-1].dialog
    assert last is not None
    assert (last.findtext("secondaryId"), last.findtext("mediaProperties/callType")) == (consult, "TRANSFER")


async def test_consult_call_says_what_it_is(alice: AgentDesk) -> None:
    original = await alice.in_a_call()
    await alice.do(original, "CONSULT_CALL", toAddress="5070")
    await alice.until(lambda: alice.of_dialogs[-1].line().endswith("5070 ALERTING"))

    begun = next(told.dialog for told in alice.of_dialogs if told.call != original)
    assert begun is not None
    assert begun.findtext("mediaProperties/callType") == "CONSULT"
    assert begun.findtext("toAddress") == ""
    assert begun.findtext("associatedDialogUri") == f"/finesse/api/Dialog/{original}"


async def test_consult_then_conference(alice: AgentDesk, bob: AgentDesk) -> None:
    original = await alice.in_a_call()
    consult = await alice.consulting(original, B)
    known = len(alice.of_dialogs)
    await alice.do(original, "CONFERENCE")
    await bob.until(lambda: bob.of_dialogs[-1].call == original)
    await alice.until(lambda: len(alice.of_dialogs) >= known + 2)

    together = f"{CUSTOMER} ACTIVE, {A} ACTIVE, {B} ACTIVE"
    assert alice.lines(*NAMES)[known:] == [f"DELETE K DROPPED: {A} DROPPED, {B} DROPPED", f"PUT O ACTIVE: {together}"]
    assert bob.lines(*NAMES)[-2:] == [f"DELETE K DROPPED: {A} DROPPED, {B} DROPPED", f"POST O ACTIVE: {together}"]
    last = alice.of_dialogs[-1].dialog
    assert last is not None
    assert (last.findtext("secondaryId"), last.findtext("mediaProperties/callType")) == (consult, "CONFERENCE")


async def test_dropping_the_consult_leaves_the_original_on_hold(alice: AgentDesk, bob: AgentDesk) -> None:
    original = await alice.in_a_call()
    consult = await alice.consulting(original, B)
    known = len(alice.of_dialogs)
    await alice.do(consult, "DROP")
    await alice.until(lambda: len(alice.of_dialogs) >= known + 4)

    assert alice.lines(*NAMES)[known:] == [
        f"PUT K ACTIVE: {A} DROPPED, {B} ACTIVE",
        f"PUT K DROPPED: {A} DROPPED, {B} DROPPED",
        f"DELETE K DROPPED: {A} DROPPED, {B} DROPPED",
        f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} HELD",
    ]
    assert alice.of_dialogs[-1].actions(A) == {"RETRIEVE", "DROP", "UPDATE_CALL_DATA"}
    await bob.until_line(f"DELETE K DROPPED: {A} DROPPED, {B} DROPPED", *NAMES)
    await alice.do(original, "RETRIEVE")
    await alice.until_actions(original, "CONSULT_CALL")


@pytest.mark.parametrize(("number", "cause"), [("5090", "BUSY"), ("5091", "BAD_DESTINATION")])
async def test_consult_that_fails_tells_why_and_is_to_be_dropped(alice: AgentDesk, number: str, cause: str) -> None:
    original = await alice.in_a_call()
    await alice.do(original, "CONSULT_CALL", toAddress=number)
    await alice.until_line(f"PUT K FAILED: {A} FAILED", *NAMES)
    failed = alice.of_dialogs[-1]
    assert failed.dialog is not None
    assert failed.dialog.findtext("participants/Participant/stateCause") == cause
    assert failed.actions(A) == {"DROP"}

    await alice.do(failed.call, "DROP")
    await alice.until_line(f"DELETE K DROPPED: {A} DROPPED", *NAMES)

    assert alice.finesse.dialogs()[A]["dialogs"][0]["participants"][1] == {"address": A, "state": "HELD"}


async def test_transfer_at_once_rings_in_the_agents_place(alice: AgentDesk, bob: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.do(call, "TRANSFER_SST", toAddress=B)
    await bob.until(lambda: bob.of_dialogs)

    assert bob.lines("O") == [f"POST O ALERTING: {CUSTOMER} ACTIVE, {B} ALERTING"]
    await alice.until(lambda: alice.of_dialogs[-1].event == "DELETE")


async def test_call_data_is_told_to_everybody_in_the_call(alice: AgentDesk, bob: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.consulting(call, B)
    await alice.do(call, "CONFERENCE")
    await bob.until(lambda: bob.of_dialogs[-1].call == call)
    variables = (
        "<callvariables><CallVariable><name>callVariable2</name><value>a &amp; b</value></CallVariable></callvariables>"
    )

    await alice.do(call, "UPDATE_CALL_DATA", mediaProperties=variables)
    path = "mediaProperties/callvariables/CallVariable[name='callVariable2']/value"
    await bob.until(lambda: (last := bob.of_dialogs[-1].dialog) is not None and last.findtext(path) == "a & b")

    assert bob.of_dialogs[-1].request_id == "UPDATE_CALL_DATA-1"


async def test_wrap_up_reason_is_told(alice: AgentDesk) -> None:
    call = await alice.in_a_call()

    await alice.do(call, "UPDATE_CALL_DATA", mediaProperties="<wrapUpReason>sold</wrapUpReason>")

    path = "mediaProperties/wrapUpReason"
    await alice.until(lambda: (last := alice.of_dialogs[-1].dialog) is not None and last.findtext(path) == "sold")


async def test_digits_are_taken_and_change_nothing(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    known = len(alice.of_dialogs)
    digits = "<ActionParam><name>dtmfString</name><value>12#A</value></ActionParam>"

    await alice.do(call, "SEND_DTMF", actionParams=digits)
    await alice.fence()

    assert (len(alice.of_dialogs), alice.errors) == (known, [])
    assert alice.finesse.log()[-2]["outcome"] == "done"


async def test_agent_state_follows_the_calls(alice: AgentDesk) -> None:
    await alice.state("READY")
    call = await alice.in_a_call()
    await alice.do(call, "HOLD")
    await alice.until_actions(call, "RETRIEVE")
    await alice.do(call, "DROP")
    await alice.until(lambda: alice.of_user[-1].text("data/user/state") == "READY")

    states = [told.text("data/user/state") for told in alice.of_user]
    assert states == ["NOT_READY", "READY", "TALKING", "HOLD", "READY"]
