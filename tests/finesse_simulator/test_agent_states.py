"""Signing in and out, and the states between."""

from __future__ import annotations

import pytest

from bridge.finesse_simulator.look_alike import FinesseLookAlike
from tests.finesse_simulator.desks import CUSTOMER, AgentDesk, signed_in

A, B = "1001001", "1001002"


def shown(desk: AgentDesk) -> tuple[str, str, str]:
    """Give state, pending state and reason of the agent as told last."""
    last = desk.of_user[-1]
    reason = last.text("data/user/reasonCode/code")
    return last.text("data/user/state"), last.text("data/user/pendingState"), reason


async def settled(desk: AgentDesk, *expected: str) -> None:
    await desk.until(lambda: desk.of_user and shown(desk) == expected)


async def test_states_that_cannot_be(alice: AgentDesk) -> None:
    expected = {
        "<User/>": "Parameter Missing",
        "<User><state>LOGIN</state></User>": "Parameter Missing",
        "<User><state>DANCING</state></User>": "Invalid Input",
        "<Dialog/>": "Bad Request",
    }
    for body, error in expected.items():
        response = await alice.request("PUT", f"/User/{A}", body)

        assert response.status_code == 400
        assert f"<ErrorType>{error}</ErrorType>" in response.text


async def test_sign_in_ends_not_ready_and_a_second_one_keeps_the_state(alice: AgentDesk) -> None:
    assert shown(alice) == ("NOT_READY", "", "")
    await alice.state("READY", requestId="mine")
    await settled(alice, "READY", "", "")
    assert alice.of_user[-1].request_id == "mine"

    await alice.fence()

    assert shown(alice) == ("READY", "", "")


async def test_reason_is_told(alice: AgentDesk) -> None:
    await alice.state("NOT_READY", reason="16")
    await settled(alice, "NOT_READY", "", "16")

    assert alice.of_user[-1].text("data/user/reasonCodeId") == "16"


@pytest.mark.parametrize("extension", ["5090", "not-a-number"])
async def test_extension_that_is_none_is_refused_later(finesse: FinesseLookAlike, extension: str) -> None:
    desk = AgentDesk(finesse, finesse.agents[0])
    await desk.connect()
    response = await desk.state("LOGIN", extension=extension)
    await desk.until(lambda: desk.errors)
    await desk.close()

    assert response.status_code == 202
    assert desk.errors == [("260", "CF_INVALID_LOGON_DEVICE_SPECIFIED", "Invalid Device")]
    assert desk.told[-1].source == f"/finesse/api/User/{A}"
    assert desk.told[-1].text(".//peripheralErrorCode") == "10125"


async def test_extension_of_somebody_else_is_busy(finesse: FinesseLookAlike, alice: AgentDesk) -> None:
    desk = AgentDesk(finesse, finesse.agents[1])
    await desk.connect()
    await desk.state("LOGIN", extension=alice.extension)
    await desk.until(lambda: desk.errors)
    await desk.close()

    assert desk.errors[0][2] == "Device Busy"


async def test_agent_cannot_be_at_two_extensions(alice: AgentDesk) -> None:
    await alice.state("LOGIN", extension="7777")
    await alice.until(lambda: alice.errors)

    assert alice.errors[0][0] == "259"


async def test_enterprise_signs_out_from_not_ready_only(alice: AgentDesk) -> None:
    await alice.state("READY")
    await alice.state("LOGOUT")
    await alice.until(lambda: alice.errors)
    await alice.state("NOT_READY")
    await alice.state("LOGOUT", reason="3")
    await settled(alice, "LOGOUT", "", "3")

    assert alice.errors == [("22", "CF_INVALID_OBJECT_STATE", "Invalid State")]


async def test_enterprise_agent_who_calls_is_not_ready_any_more(alice: AgentDesk) -> None:
    await alice.state("READY")
    await alice.dial("5070")
    await settled(alice, "NOT_READY", "", "50006")

    assert alice.of_user[-1].text("data/user/reasonCodeId") == "-1"


async def test_state_that_is_asked_for_in_a_call_waits_for_its_end(alice: AgentDesk) -> None:
    await alice.in_a_call()
    await alice.state("READY")
    await settled(alice, "TALKING", "READY", "")
    alice.finesse.party_drop(CUSTOMER)
    await settled(alice, "READY", "", "")

    assert alice.finesse.dialogs()[A]["state"] == "READY"


async def test_express_agent_stays_talking_on_hold_and_may_leave_after_the_call(express: FinesseLookAlike) -> None:
    async with signed_in(express) as desk:
        call = await desk.in_a_call()
        await settled(desk, "TALKING", "", "")
        await desk.do(call, "HOLD")
        await desk.until_actions(call, "RETRIEVE")
        await desk.fence()
        assert shown(desk) == ("TALKING", "", "")

        await desk.state("LOGOUT")
        await settled(desk, "TALKING", "LOGOUT", "")
        express.party_drop(CUSTOMER)
        await settled(desk, "LOGOUT", "", "")

        assert express.dialogs()[A]["state"] == "LOGOUT"


async def test_express_counts_routed_calls_only(express: FinesseLookAlike) -> None:
    async with signed_in(express) as desk, signed_in(express, 1) as other:
        await desk.dial(B)
        await other.until(lambda: other.of_dialogs)
        express.party_answer(B)
        await desk.until_line(f"PUT O ACTIVE: {A} ACTIVE, {B} ACTIVE", "O")
        await desk.fence()

        assert shown(desk) == ("NOT_READY", "", "")


async def test_express_refuses_a_call_from_ready(express: FinesseLookAlike) -> None:
    async with signed_in(express) as desk:
        await desk.state("READY")
        assert (await desk.dial("5070")).status_code == 202
        await desk.until(lambda: desk.errors)

        assert desk.errors == [("22", "CF_INVALID_OBJECT_STATE", "Invalid State")]
        assert desk.told[-1].source == f"/finesse/api/User/{A}/Dialogs"


# Presence


async def test_agent_whose_presence_is_gone_for_too_long_is_signed_out() -> None:
    async with FinesseLookAlike(agents=1, reaction_seconds=0.005, forced_logout_seconds=0.05) as finesse:
        async with signed_in(finesse):
            pass
        second = AgentDesk(finesse, finesse.agents[0])
        await second.until_signed_out()
        await second.close()

        truth = finesse.dialogs()[A]
        assert (truth["state"], truth["reason_code"]) == ("LOGOUT", "255")


async def test_agent_in_a_call_is_signed_out_after_it() -> None:
    async with FinesseLookAlike(agents=1, reaction_seconds=0.005) as finesse, signed_in(finesse) as desk:
        await desk.in_a_call()
        await finesse.set_faults(force_logout=[A])
        await settled(desk, "TALKING", "LOGOUT", "")
        finesse.party_drop(CUSTOMER)
        await settled(desk, "LOGOUT", "", "255")

        assert finesse.dialogs() == {
            A: {"username": A, "state": "LOGOUT", "pending_state": "", "reason_code": "255", "dialogs": []}
        }


async def test_agent_who_went_while_the_application_was_dead_is_noticed_afterwards() -> None:
    async with FinesseLookAlike(agents=1, reaction_seconds=0.005, forced_logout_seconds=0.05) as finesse:
        async with signed_in(finesse) as desk:
            await finesse.set_faults(kill_rest=[0])
            await desk.disconnect()
        await finesse.set_faults(start_rest=[0])
        second = AgentDesk(finesse, finesse.agents[0])
        await second.until_signed_out()
        await second.close()

        assert finesse.dialogs()[A]["reason_code"] == "255"
