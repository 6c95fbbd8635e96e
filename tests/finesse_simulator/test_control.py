"""The hand of the outside world, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from tests.finesse_simulator.desks import CUSTOMER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.finesse_simulator.look_alike import FinesseLookAlike
    from tests.finesse_simulator.desks import AgentDesk

A, B = "1001001", "1001002"


@pytest.fixture
async def hand(finesse: FinesseLookAlike) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=finesse.control_url) as client:
        yield client


async def test_customer_calls_and_parties_answer_and_hang_up(hand: httpx.AsyncClient, alice: AgentDesk) -> None:
    body = {"to": A, "from": CUSTOMER, "variables": {"callVariable1": "gold"}}
    call = (await hand.post("/offer", json=body)).json()["call"]
    answered = await hand.post("/party/answer", json={"address": A})
    truth = (await hand.get("/dialogs")).json()["agents"]
    dropped = await hand.post("/party/drop", json={"address": CUSTOMER, "call": call})

    assert [answered.status_code, dropped.status_code] == [200, 200]
    assert truth[A]["state"] == "TALKING"
    assert truth[A]["dialogs"] == [
        {
            "id": call,
            "state": "ACTIVE",
            "callType": "PREROUTE_ACD_IN",
            "fromAddress": CUSTOMER,
            "toAddress": A,
            "secondaryId": None,
            "associated": None,
            "variables": {"callVariable1": "gold"},
            "participants": [{"address": CUSTOMER, "state": "ACTIVE"}, {"address": A, "state": "ACTIVE"}],
        }
    ]
    assert truth[B] == {"username": B, "state": "LOGOUT", "pending_state": "", "reason_code": "", "dialogs": []}
    await alice.until(lambda: alice.of_dialogs and alice.of_dialogs[-1].event == "DELETE")


async def test_party_that_rings_longest_is_answered_first(hand: httpx.AsyncClient, alice: AgentDesk) -> None:
    calls = [(await hand.post("/offer", json={"to": A, "from": caller})).json()["call"] for caller in ("101", "102")]
    await hand.post("/party/answer", json={"address": A})

    states = {call["id"]: call["state"] for call in alice.finesse.dialogs()[A]["dialogs"]}
    assert states == {calls[0]: "ACTIVE", calls[1]: "ALERTING"}


async def test_party_in_calls_of_several_agents_leaves_them_all(
    hand: httpx.AsyncClient, alice: AgentDesk, bob: AgentDesk
) -> None:
    for agent in (A, B):
        await hand.post("/offer", json={"to": agent, "from": CUSTOMER})
    await hand.post("/party/drop", json={"address": CUSTOMER})

    assert [alice.finesse.dialogs()[agent]["dialogs"] for agent in (A, B)] == [[], []]
    await bob.until(lambda: bob.of_dialogs[-1].event == "DELETE")


IMPOSSIBLE: list[tuple[str, dict[str, object], int]] = [
    ("/offer", {"to": B, "from": CUSTOMER}, 409),
    ("/offer", {"to": A, "from": ""}, 409),
    ("/offer", {"to": A}, 400),
    ("/offer", {"to": A, "from": CUSTOMER, "colour": "red"}, 400),
    ("/party/answer", {"address": "5070"}, 409),
    ("/party/drop", {"address": "5070"}, 409),
    ("/faults", {"kill_rest": [7]}, 400),
    ("/faults", {"duplicates": "perhaps"}, 400),
]


async def test_what_cannot_be_done_is_said(hand: httpx.AsyncClient, alice: AgentDesk) -> None:
    found = []
    for path, body, _ in IMPOSSIBLE:
        response = await hand.post(path, json=body)
        assert response.json()["error"]
        found.append((path, body, response.status_code))

    assert found == IMPOSSIBLE
    assert alice.finesse.dialogs()[A]["dialogs"] == []


async def test_log_has_every_request_with_its_fate(hand: httpx.AsyncClient, alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.act(call, "RETRIEVE", "bad")
    await alice.until(lambda: alice.errors)
    entries = (await hand.get("/log")).json()["entries"]

    assert [(entry["number"], entry["action"], entry["outcome"]) for entry in entries] == [
        (1, "LOGIN", "done"),
        (2, "ANSWER", "done"),
        (3, "RETRIEVE", "refused"),
    ]
    assert entries[2] == {
        "number": 3,
        "node": 0,
        "user": A,
        "action": "RETRIEVE",
        "dialog": call,
        "to_address": "",
        "request_id": "bad",
        "status": 202,
        "outcome": "refused",
        "detail": f"INVALID_ACTION RETRIEVE on extension {A}",
    }


async def test_faults_are_set_and_tokens_come_back(hand: httpx.AsyncClient, finesse: FinesseLookAlike) -> None:
    answer = (await hand.post("/faults", json={"duplicates": True, "expire_tokens": [A]})).json()

    assert finesse.faults.duplicates
    assert answer == {"tokens": {A: finesse.agents[0].token}}
    await hand.post("/faults", json={"reset": True})
    assert not finesse.faults.duplicates


async def test_help_names_everything(hand: httpx.AsyncClient) -> None:
    text = (await hand.get("/")).text

    for name in (
        "/offer",
        "/party/answer",
        "/party/drop",
        "/dialogs",
        "/log",
        "request_ids",
        "kill_xmpp",
        "cut_answer",
    ):
        assert name in text


async def test_control_tells_where_everything_is(hand: httpx.AsyncClient, finesse: FinesseLookAlike) -> None:
    assert (await hand.get("/agents")).json() == finesse.to_json()


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"Host": "rebound.example"}, 400), ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403)],
    ids=["rebound name", "foreign page", "sandboxed page"],
)
async def test_web_pages_are_kept_out(hand: httpx.AsyncClient, headers: dict[str, str], status: int) -> None:
    offered = await hand.post("/offer", json={"to": A, "from": CUSTOMER}, headers=headers)
    read = await hand.get("/agents", headers=headers)
    assert [offered.status_code, read.status_code] == [status, status]
    assert (await hand.get("/log")).json() == {"entries": []}
