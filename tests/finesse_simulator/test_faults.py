"""Each fault does what it says, and ``reset`` ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.finesse_simulator.desks import CUSTOMER, LIMIT, AgentDesk, signed_in, tls

if TYPE_CHECKING:
    from bridge.finesse_simulator.look_alike import FinesseLookAlike

A, B = "1001001", "1001002"


async def has_calls(finesse: FinesseLookAlike, *states: str) -> None:
    """Wait until alice's calls are in these states, though nobody is told."""
    async with asyncio.timeout(LIMIT):
        while tuple(call["state"] for call in finesse.dialogs()[A]["dialogs"]) != states:  # noqa: ASYNC110
            await asyncio.sleep(0)


# Requests


async def test_request_is_taken_and_refused_later(alice: AgentDesk) -> None:
    rule = {
        "effect": "refuse_late",
        "action": "HOLD",
        "error_type": "Call Operation Failure",
        "error_message": "CF_RESOURCE_OUT_OF_SERVICE",
        "error_data": "34",
    }
    await alice.finesse.set_faults(rules=[rule])
    call = await alice.in_a_call()
    await alice.do(call, "HOLD")
    await alice.until(lambda: alice.errors)

    assert alice.errors == [("34", "CF_RESOURCE_OUT_OF_SERVICE", "Call Operation Failure")]
    await alice.do(call, "HOLD")  # the rule was for one
    await alice.until_actions(call, "RETRIEVE")
    assert [entry["outcome"] for entry in alice.finesse.log()[-2:]] == ["refused", "done"]


async def test_request_is_refused_at_once(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "refuse", "user": A, "status": 500, "times": None}])
    call = alice.finesse.offer(A, CUSTOMER)
    found = [(await alice.act(call, "ANSWER")).status_code for _ in range(2)]
    await alice.finesse.set_faults(reset=True)

    assert found == [500, 500]
    await alice.do(call, "ANSWER")


async def test_request_is_taken_and_forgotten(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "ignore", "action": "ANSWER"}])
    call = alice.finesse.offer(A, CUSTOMER)
    await alice.do(call, "ANSWER")
    await alice.fence()

    assert alice.lines("O") == [f"POST O ALERTING: {CUSTOMER} INITIATED, {A} ALERTING"]
    assert alice.finesse.log()[1]["outcome"] == "ignored"


async def test_request_is_done_later(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "delay", "action": "ANSWER", "seconds": 0.1}])
    call = alice.finesse.offer(A, CUSTOMER)
    before = asyncio.get_running_loop().time()
    await alice.do(call, "ANSWER")
    await alice.until_actions(call, "HOLD")

    assert asyncio.get_running_loop().time() - before >= 0.1


async def test_answer_is_lost_though_the_request_is_done(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "cut_answer", "action": "ANSWER"}])
    call = alice.finesse.offer(A, CUSTOMER)
    with pytest.raises(httpx.TransportError):
        await alice.act(call, "ANSWER")
    await alice.until_actions(call, "HOLD")

    entry = alice.finesse.log()[-1]
    assert (entry["status"], entry["outcome"]) == (0, "done")


async def test_request_is_lost(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "cut_request", "action": "ANSWER"}])
    call = alice.finesse.offer(A, CUSTOMER)
    with pytest.raises(httpx.TransportError):
        await alice.act(call, "ANSWER")
    await alice.fence()

    assert alice.finesse.dialogs()[A]["dialogs"][0]["state"] == "ALERTING"


async def test_answer_comes_after_the_notification(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "delay_answer", "action": "ANSWER", "seconds": 0.2}])
    call = alice.finesse.offer(A, CUSTOMER)
    asking = asyncio.ensure_future(alice.act(call, "ANSWER"))
    await alice.until_actions(call, "HOLD")
    assert not asking.done()

    assert (await asking).status_code == 202


@pytest.mark.parametrize(("kind", "beginning"), [("html", "<!doctype html>"), ("empty", "")])
async def test_refusal_has_a_body_that_is_no_finesse_xml(alice: AgentDesk, kind: str, beginning: str) -> None:
    await alice.finesse.set_faults(error_body=kind)
    response = await alice.act("4711", "ANSWER")

    assert response.status_code == 404
    assert (response.text[:15] == beginning) if beginning else response.content == b""


async def test_credentials_are_refused(alice: AgentDesk, bob: AgentDesk) -> None:
    await alice.finesse.set_faults(refused_users=[A])
    refused = await alice.request("GET", f"/User/{A}")
    other = await bob.request("GET", f"/User/{B}")
    await alice.finesse.set_faults(reset=True)
    again = await alice.request("GET", f"/User/{A}")

    assert [refused.status_code, other.status_code, again.status_code] == [401, 200, 200]


async def test_account_is_locked(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(lock=[A])

    assert (await alice.request("GET", f"/User/{A}")).status_code == 401


# Notifications


async def test_request_ids_are_lost(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(request_ids="lost")
    await alice.in_a_call()

    assert {told.request_id for told in alice.told} == {""}


async def test_request_id_comes_back_with_the_first_step_only(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(request_ids="first")
    call = await alice.in_a_call()
    await alice.do(call, "CONSULT_CALL", toAddress="5070")
    await alice.until(lambda: alice.of_dialogs[-1].line().endswith("5070 ALERTING"))

    ids = [told.request_id for told in alice.of_dialogs[2:]]
    assert ids == ["CONSULT_CALL-1", "CONSULT_CALL-1", "", ""]


async def test_every_notification_comes_twice(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(duplicates=True)
    alice.finesse.offer(A, CUSTOMER)
    await alice.until(lambda: len(alice.of_dialogs) == 2)

    first, second = alice.of_dialogs
    assert first.payload == second.payload
    assert first.stanza.get("id") != second.stanza.get("id")


async def test_notifications_of_two_dialogs_are_swapped(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    await alice.fence()
    known = len(alice.of_dialogs)
    await alice.finesse.set_faults(reorder_seconds=0.1)
    await alice.do(call, "CONSULT_CALL", toAddress="5070")
    await alice.until(lambda: len(alice.of_dialogs) == known + 4)

    assert [told.call == call for told in alice.of_dialogs[known:]] == [False, False, False, True]


async def test_notifications_come_late(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(delay_seconds=0.1)
    before = asyncio.get_running_loop().time()
    alice.finesse.offer(A, CUSTOMER)
    await alice.until(lambda: alice.of_dialogs)

    assert asyncio.get_running_loop().time() - before >= 0.1


async def test_payload_is_escaped_twice(alice: AgentDesk) -> None:
    plain = await alice.payloads(escapes=2)

    assert plain[0].startswith("&lt;Update&gt;")


async def test_consult_call_looks_like_any_other(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(consult_call_type="OUT")
    call = await alice.in_a_call()
    await alice.do(call, "CONSULT_CALL", toAddress="5070")
    await alice.until(lambda: alice.of_dialogs[-1].line().endswith("5070 ALERTING"))

    last = alice.of_dialogs[-1].dialog
    assert last is not None
    assert last.findtext("mediaProperties/callType") == "OUT"
    assert last.findtext("associatedDialogUri") == f"/finesse/api/Dialog/{call}"


# Connections


async def test_all_sockets_are_dropped(alice: AgentDesk, bob: AgentDesk) -> None:
    await alice.finesse.set_faults(cut=[{}])
    await alice.until(lambda: "disconnected" in alice.over)
    await bob.until(lambda: "disconnected" in bob.over)

    assert alice.over == bob.over == ["disconnected"]


async def test_socket_of_one_agent_is_dropped(alice: AgentDesk, bob: AgentDesk) -> None:
    await alice.finesse.set_faults(cut=[{"user": A, "node": 0}])
    await alice.until(lambda: "disconnected" in alice.over)
    await bob.fence()

    assert bob.over == []


async def test_session_ends_with_conflict(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(conflict=[A])
    await alice.until(lambda: alice.over)

    assert alice.over[0] == "conflict"


async def test_line_goes_mute_and_loses_nothing(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(silent=[0])
    call = alice.finesse.offer(A, CUSTOMER)
    assert (await alice.act(call, "ANSWER")).status_code == 202
    assert alice.of_dialogs == []
    await alice.finesse.set_faults(silent=[])
    await alice.until(lambda: len(alice.of_dialogs) == 2)

    assert alice.over == []


async def test_xmpp_ports_are_closed_and_opened(alice: AgentDesk) -> None:
    port = int(alice.finesse.xmpp_urls[0].removesuffix("/ws/").rpartition(":")[2])
    await alice.finesse.set_faults(refusing=[0])
    await alice.until(lambda: alice.over)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await alice.finesse.set_faults(reset=True)
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    await alice.disconnect()
    await alice.connect()


# Services


async def test_finesse_is_unavailable_and_available_again(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(finesse_unavailable=[0])
    await alice.until(lambda: ("finesse", "unavailable") in alice.presences)
    alice.presences.clear()
    await alice.finesse.set_faults(reset=True)
    await alice.until(lambda: ("finesse", "available") in alice.presences)

    assert alice.over == []


async def test_out_of_service_is_told_and_everything_is_told_afterwards(alice: AgentDesk) -> None:
    call = alice.finesse.offer(A, CUSTOMER)
    await alice.fence()
    await alice.finesse.set_faults(out_of_service=[0])
    await alice.until(lambda: alice.told[-1].kind == "systemInfo")
    assert alice.told[-1].source == "/finesse/api/SystemInfo"
    assert alice.told[-1].text("data/systemInfo/status") == "OUT_OF_SERVICE"
    refused = await alice.request("GET", f"/User/{A}")
    info = await alice.request("GET", "/SystemInfo")
    alice.finesse.party_drop(CUSTOMER)
    second = alice.finesse.offer(A, CUSTOMER)
    known = len(alice.told)

    await alice.finesse.set_faults(out_of_service=[])
    await alice.until(lambda: alice.told[-1].call == second)

    assert (refused.status_code, info.status_code) == (503, 200)
    assert "<ErrorMessage>SERVER_OUT_OF_SERVICE</ErrorMessage>" in refused.text
    assert "<status>OUT_OF_SERVICE</status>" in info.text
    assert [told.kind for told in alice.told[known:]] == ["systemInfo", "user", "dialogs"]
    assert call not in [told.call for told in alice.told[known:]]


async def test_rest_is_unavailable(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(unavailable=[0])
    found = [(await alice.request("GET", path)).status_code for path in ("/SystemInfo", f"/User/{A}")]
    alice.finesse.offer(A, CUSTOMER)
    await alice.until(lambda: alice.of_dialogs)

    assert found == [503, 503]


async def test_rest_node_is_killed_and_started_again(alice: AgentDesk) -> None:
    call = await alice.in_a_call()
    url = alice.finesse.rest_urls
    await alice.do(call, "CONSULT_CALL", toAddress="5070")
    await alice.finesse.set_faults(kill_rest=[0])
    with pytest.raises(httpx.TransportError):
        await alice.request("GET", f"/User/{A}")
    await alice.until(lambda: ("finesse", "unavailable") in alice.presences)
    await has_calls(alice.finesse, "ACTIVE", "ALERTING")
    known = len(alice.told)
    alice.finesse.offer(A, CUSTOMER)

    alice.presences.clear()
    await alice.finesse.set_faults(start_rest=[0])
    await alice.until(lambda: ("finesse", "available") in alice.presences)
    await alice.fence()

    assert alice.finesse.rest_urls == url
    assert {told.kind for told in alice.told[known:]} == {"user"}
    assert alice.finesse.log()[-2]["outcome"] == "done"
    assert len(alice.finesse.dialogs()[A]["dialogs"]) == 3


async def test_request_that_waits_for_its_answer_ends_with_the_node(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(rules=[{"effect": "delay_answer", "seconds": 60, "action": "ANSWER"}])
    call = alice.finesse.offer(A, CUSTOMER)
    asking = asyncio.ensure_future(alice.act(call, "ANSWER"))
    await alice.until_actions(call, "HOLD")
    await alice.finesse.set_faults(kill_rest=[0])

    with pytest.raises(httpx.TransportError):
        await asyncio.wait_for(asking, LIMIT)


async def test_prosody_is_killed_and_started_again(alice: AgentDesk) -> None:
    urls = alice.finesse.xmpp_urls + alice.finesse.xmpp_tcp_urls
    await alice.finesse.set_faults(kill_xmpp=[0])
    await alice.until(lambda: alice.over)
    assert (await alice.request("GET", f"/User/{A}")).status_code == 200
    alice.finesse.offer(A, CUSTOMER)  # goes nowhere, and nothing fails
    await alice.finesse.set_faults(start_xmpp=[0])
    await alice.disconnect()
    alice.presences.clear()
    await alice.connect()
    await alice.fence()

    assert alice.of_dialogs == []
    assert alice.finesse.xmpp_urls + alice.finesse.xmpp_tcp_urls == urls


async def test_reset_starts_what_was_killed(alice: AgentDesk) -> None:
    await alice.finesse.set_faults(kill_xmpp=[0], kill_rest=[0])
    await alice.finesse.set_faults(reset=True)
    await alice.disconnect()
    alice.presences.clear()
    await alice.connect()

    assert (await alice.request("GET", f"/User/{A}")).status_code == 200


async def test_fault_that_cannot_be_is_refused_and_nothing_is_done(finesse: FinesseLookAlike) -> None:
    impossible: list[tuple[dict[str, Any], str]] = [
        ({"kill_rest": [1]}, "there are 1"),
        ({"lock": ["nobody"]}, "no such agent: nobody"),
        ({"cut": [{"user": "nobody"}]}, "no such agent: nobody"),
        ({"nonsense": 1}, "Extra inputs"),
        ({"escapes": 3}, "less than or equal"),
    ]
    for wanted, complaint in impossible:
        with pytest.raises(ValueError, match=complaint):
            await finesse.set_faults(duplicates=True, **wanted)

    assert not finesse.faults.duplicates


# Two nodes


async def test_pair_shares_the_centre_and_each_node_tells_its_own_agents(pair: FinesseLookAlike) -> None:
    async with signed_in(pair) as alice, signed_in(pair, 1, node=1) as bob:
        call = await alice.in_a_call()
        await alice.do(call, "CONSULT_CALL", toAddress=B)
        await bob.until(lambda: bob.of_dialogs)

        assert bob.lines("O", "K") == [f"POST K ALERTING: {A} INITIATED, {B} ALERTING"]
        assert bob.told[-1].stanza.get("from") == "pubsub.finesse2.localhost"
        assert [entry["node"] for entry in pair.log()] == [0, 1, 0, 0]


async def test_agent_of_a_dead_node_goes_on_at_the_other(pair: FinesseLookAlike) -> None:
    async with signed_in(pair) as alice:
        call = await alice.in_a_call()
        await pair.set_faults(kill_rest=[0], kill_xmpp=[0])
        moved = AgentDesk(pair, pair.agents[0], node=1)
        await moved.connect()
        await moved.sign_in()
        await moved.do(call, "HOLD")
        await moved.until(lambda: moved.of_dialogs)
        await moved.close()

    assert moved.lines("O") == [f"PUT O ACTIVE: {CUSTOMER} ACTIVE, {A} HELD"]
    assert moved.of_user[0].text("data/user/state") == "TALKING"


async def test_nodes_know_of_one_another_and_fail_alone(pair: FinesseLookAlike) -> None:
    await pair.set_faults(out_of_service=[0])
    async with httpx.AsyncClient(verify=tls(pair)) as client:
        infos = [(await client.get(f"{url}/finesse/api/SystemInfo")).text for url in pair.rest_urls]

    assert ["OUT_OF_SERVICE" in info for info in infos] == [True, False]
    for info in infos:
        assert "<primaryNode><host>finesse1.localhost</host></primaryNode>" in info
        assert "<secondaryNode><host>finesse2.localhost</host></secondaryNode>" in info
