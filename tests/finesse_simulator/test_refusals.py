"""How the look-alike says no: at once in the body of a response, or later over XMPP."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tests.finesse_simulator.desks import CUSTOMER, dialog_body, signed_in

if TYPE_CHECKING:
    import httpx

    from bridge.finesse_simulator.look_alike import FinesseLookAlike
    from tests.finesse_simulator.desks import AgentDesk

A, B = "1001001", "1001002"


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Give status, type and data of a refusal, once it is found to have the documented form."""
    root = ET.fromstring(response.text)  # noqa: S314 our own
    assert root.tag == "ApiErrors"
    (error,) = root.findall("ApiError")
    assert {child.tag for child in error} == {"ErrorType", "ErrorMessage", "ErrorData"}
    return response.status_code, error.findtext("ErrorType") or "", error.findtext("ErrorData") or ""


REFUSED_AT_ONCE = [
    ("", (400, "Bad Request", "")),
    ("<Dialog>", (400, "Bad Request", "")),
    ("<User/>", (400, "Bad Request", "")),
    ('<!DOCTYPE d [<!ENTITY e "x">]><Dialog/>', (400, "Bad Request", "")),
    ("<Dialog/>", (400, "Parameter Missing", "requestedAction")),
    (dialog_body("HOLD"), (400, "Parameter Missing", "targetMediaAddress")),
    (dialog_body("CONSULT_CALL", A), (400, "Parameter Missing", "toAddress")),
    (dialog_body("TRANSFER_SST", A), (400, "Parameter Missing", "toAddress")),
    (dialog_body("SEND_DTMF", A), (400, "Parameter Missing", "dtmfString")),
    (dialog_body("UPDATE_CALL_DATA"), (400, "Parameter Missing", "mediaProperties")),
    (dialog_body("JUGGLE", A), (400, "Invalid Input", "requestedAction")),
    (dialog_body("MAKE_CALL", A), (400, "Invalid Input", "requestedAction")),
    (dialog_body("TRANSFER_SST", A, toAddress=A), (400, "Invalid Destination", A)),
    (dialog_body("HOLD", B), (401, "Invalid Authorization User Specified", A)),
    (dialog_body("TRANSFER", A), (400, "Invalid State", "TRANSFER")),
    (dialog_body("CONFERENCE", A), (400, "Invalid State", "CONFERENCE")),
    (dialog_body("START_RECORDING", A), (501, "Not Implemented", "START_RECORDING")),
]


async def test_requests_that_finesse_itself_refuses(alice: AgentDesk) -> None:
    call = alice.finesse.offer(A, CUSTOMER)
    found = []
    for body, _ in REFUSED_AT_ONCE:
        response = await alice.request("PUT", f"/Dialog/{call}", body, requestId="mine")
        assert response.headers["requestId"] == "mine"
        found.append((body, refusal(response)))

    assert found == REFUSED_AT_ONCE
    written = [(entry["action"], entry["status"], entry["outcome"]) for entry in alice.finesse.log()[1:]]
    assert written == [
        ("HOLD", 401, "refused"),
        ("TRANSFER", 400, "refused"),
        ("CONFERENCE", 400, "refused"),
    ]


async def test_call_data_that_cannot_be(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    impossible = [
        "<CallVariable><name>callVariable11</name><value/></CallVariable>",
        f"<CallVariable><name>callVariable1</name><value>{'x' * 41}</value></CallVariable>",
        "<CallVariable><name>callVariable1</name><value/></CallVariable>" * 2,
    ]

    for variables in impossible:
        properties = f"<callvariables>{variables}</callvariables>"
        response = await alice.act(call, "UPDATE_CALL_DATA", mediaProperties=properties)

        assert refusal(response) == (400, "Invalid Input", "callvariables")


async def test_no_active_call_is_said_in_finesses_words(alice: AgentDesk) -> None:
    call = alice.finesse.offer(A, CUSTOMER)

    response = await alice.act(call, "TRANSFER")

    assert "No Active call available on agent for TRANSFER" in response.text


async def test_digits_while_on_hold_are_refused_with_401(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.do(call, "HOLD")
    await alice.until_actions(call, "RETRIEVE")
    digits = "<ActionParam><name>dtmfString</name><value>1</value></ActionParam>"

    assert refusal(await alice.act(call, "SEND_DTMF", actionParams=digits)) == (401, "Invalid State", "SEND_DTMF")


async def test_dialog_of_nobody_and_of_somebody_else(alice: AgentDesk, bob: AgentDesk) -> None:
    call = alice.finesse.offer(A, CUSTOMER)

    assert refusal(await alice.act("4711", "ANSWER")) == (404, "Dialog Not Found", "4711")
    assert refusal(await bob.act(call, "ANSWER")) == (401, "Invalid Authorization User Specified", B)
    assert refusal(await bob.request("GET", f"/Dialog/{call}")) == (401, "Invalid Authorization User Specified", B)


async def test_user_of_nobody_and_somebody_else(alice: AgentDesk) -> None:
    assert refusal(await alice.request("GET", "/User/nobody")) == (404, "User Not Found", "nobody")
    assert refusal(await alice.request("GET", f"/User/{B}")) == (401, "Invalid Authorization User Specified", A)


async def test_new_call_that_cannot_be(alice: AgentDesk) -> None:
    expected = [
        ({"fromAddress": A}, (400, "Parameter Missing", "toAddress")),
        ({"fromAddress": B, "toAddress": "5070"}, (400, "Invalid Input", "fromAddress")),
        ({"fromAddress": A, "toAddress": A}, (400, "Invalid Destination", A)),
    ]
    found = []
    for elements, _ in expected:
        response = await alice.request("POST", f"/User/{A}/Dialogs", dialog_body("MAKE_CALL", **elements))
        found.append((elements, refusal(response)))

    assert found == expected


async def test_body_must_say_that_it_is_xml(alice: AgentDesk) -> None:
    response = await alice.rest.put(f"/User/{A}", content="<User><state>READY</state></User>")

    assert response.status_code == 415


async def test_huge_body_is_refused(alice: AgentDesk) -> None:
    response = await alice.request("PUT", f"/User/{A}", "<User>" + " " * 70_000 + "</User>")

    assert refusal(response) == (400, "Bad Request", "")


# Later


@pytest.mark.parametrize("action", ["HOLD", "RETRIEVE", "CONSULT_CALL", "ACCEPT"])
async def test_action_at_the_wrong_time_is_taken_and_refused_later(alice: AgentDesk, action: str) -> None:
    call = alice.finesse.offer(A, CUSTOMER)

    response = await alice.act(call, action, "mine", **({"toAddress": B} if action == "CONSULT_CALL" else {}))
    await alice.until(lambda: alice.errors)

    assert response.status_code == 202
    assert alice.errors == [("4047", f"INVALID_ACTION {action} on extension {A}", "Generic Error")]
    told = alice.told[-1]
    assert (told.event, told.source, told.request_id) == ("PUT", f"/finesse/api/Dialog/{call}", "mine")
    assert alice.finesse.log()[-1]["outcome"] == "refused"


async def test_transfer_of_the_call_that_is_active_itself_is_refused_later(alice: AgentDesk) -> None:
    call = await alice.in_a_call()

    response = await alice.act(call, "TRANSFER")
    await alice.until(lambda: alice.errors)

    assert (response.status_code, alice.errors[0][0]) == (202, "4047")


async def test_retrieve_while_another_call_is_active_is_refused_later(alice: AgentDesk, bob: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.consulting(call, B)

    await alice.do(call, "RETRIEVE")
    await alice.until(lambda: alice.errors)

    assert alice.errors == [("21", "CF_GENERIC_STATE_INCOMPATIBILITY", "Generic Error")]
    assert bob.errors == []


async def test_consult_of_oneself_is_refused_later(alice: AgentDesk) -> None:
    call = await alice.in_a_call()

    await alice.do(call, "CONSULT_CALL", toAddress=A)
    await alice.until(lambda: alice.errors)

    assert alice.errors == [("6", "CF_INVALID_CALLED_DEVICE", "Call Operation Failure")]


@pytest.mark.parametrize(("number", "data"), [("5090", "33"), ("5091", "6")])
async def test_transfer_at_once_to_a_number_that_fails_is_refused_later(
    alice: AgentDesk, number: str, data: str
) -> None:
    call = await alice.in_a_call()

    await alice.do(call, "TRANSFER_SST", toAddress=number)
    await alice.until(lambda: alice.errors)

    assert (alice.errors[0][0], alice.errors[0][2]) == (data, "Call Operation Failure")
    assert alice.finesse.dialogs()[A]["dialogs"][0]["id"] == call


async def test_requests_for_one_call_wait_for_one_another(alice: AgentDesk) -> None:
    call = alice.finesse.offer(A, CUSTOMER)
    for action in ("ANSWER", "HOLD", "HOLD", "RETRIEVE"):
        await alice.do(call, action)
    await alice.until(lambda: alice.finesse.log()[4]["outcome"] != "waiting")

    outcomes = [(entry["action"], entry["outcome"]) for entry in alice.finesse.log()[1:5]]
    assert outcomes == [("ANSWER", "done"), ("HOLD", "done"), ("HOLD", "refused"), ("RETRIEVE", "done")]


@pytest.mark.parametrize(
    ("profile", "error"),
    [
        ("cce", ("20999", "PERERR_JTCLIENT_NOT_CONFERENCE_CONTROLLER", "Generic Error")),
        ("ccx", ("22", "CF_INVALID_OBJECT_STATE", "Invalid State")),
    ],
)
async def test_only_who_began_a_conference_may_add_to_it(
    finesse: FinesseLookAlike, express: FinesseLookAlike, profile: str, error: tuple[str, str, str]
) -> None:
    centre = finesse if profile == "cce" else express
    async with signed_in(centre) as alice, signed_in(centre, 1) as bob:
        call = await alice.in_a_call()
        await alice.consulting(call, B)
        await alice.do(call, "CONFERENCE")
        await bob.until_actions(call, "CONSULT_CALL")
        await bob.consulting(call, "5070")
        await bob.do(call, "CONFERENCE")
        await bob.until(lambda: bob.errors)

        assert bob.errors == [error]


# The product behind


async def test_enterprise_says_what_it_drops_and_express_what_it_records(
    alice: AgentDesk, express: FinesseLookAlike
) -> None:
    call = await alice.in_a_call()
    await alice.do(call, "PARTICIPANT_DROP")
    await alice.until(lambda: alice.errors)
    async with signed_in(express) as desk:
        other = await desk.in_a_call()

        assert alice.errors == [("290", "CF_DROP_ANY_PARTY_NOT_ENABLED_CTI", "Generic Error")]
        assert refusal(await desk.act(other, "PARTICIPANT_DROP")) == (501, "Not Implemented", "PARTICIPANT_DROP")
        assert (await desk.act(other, "START_RECORDING")).status_code == 202


async def test_express_refuses_letters_as_digits_later(express: FinesseLookAlike) -> None:
    async with signed_in(express) as desk:
        call = await desk.in_a_call()
        digits = "<ActionParam><name>dtmfString</name><value>A</value></ActionParam>"
        await desk.do(call, "SEND_DTMF", actionParams=digits)
        await desk.until(lambda: desk.errors)

        assert desk.errors == [("3", "CF_VALUE_OUT_OF_RANGE", "Invalid Input")]


async def test_express_takes_no_call_data_with_a_new_call(express: FinesseLookAlike) -> None:
    async with signed_in(express) as desk:
        response = await desk.dial("5070", mediaProperties="<callvariables/>")

        assert refusal(response) == (400, "Invalid Input", "mediaProperties")
