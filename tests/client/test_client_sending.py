"""Publishing and commands: every order of replies, and what a lost connection leaves of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bridge.client import (
    Accepted,
    BridgeClient,
    CommandFailed,
    CommandTimedOut,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    RejectedError,
    Repair,
)
from bridge.protocol.address import Address
from tests.client.scripted import Conversation, ScriptedBridge, hurried, outcome, session, soon, subscription

CONSULT = "Cisco/InboundCall/SetCONSULT"
DATA = {"MediaAddress": "5069", "CallID": "1", "toAddress": "5070"}
ILLEGAL = {
    "code": "illegal_state",
    "message": "the call is held",
    "temporary": False,
    "address": CONSULT,
    "errors": [],
    "state": "held",
    "allowed": ["SetRETRIEVE"],
}


def consulting(client: BridgeClient, **options: Any) -> asyncio.Task[Any]:
    options.setdefault("id", "c1")
    return asyncio.create_task(client.command(CONSULT, DATA, **options))


async def reconnected(script: ScriptedBridge, talk: Conversation, **grant: Any) -> Conversation:
    talk.cut()
    again = await script.conversation()
    await again.hello()
    await again.subscribed(**grant)
    return again


async def tell_status(talk: Conversation, command: str = "c1", **data: Any) -> None:
    asked = await talk.hear_about("Status")
    assert asked["data"] == {"id": command}
    await talk.control("Command/Status", data, asked)


# Publishing


async def test_publish_returns_what_was_accepted(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        publishing = asyncio.create_task(client.publish(Address("Notes", "Note", "Added"), {"text": "é"}, id="n1"))
        sent = await talk.hear_about("Added")
        await talk.accept(sent, 43, warnings=[{"pointer": "/data/x ", "message": "m", "new": 1}])
        assert sent == {"channel": "Notes", "topic": "Note", "subtopic": "Added", "data": {"text": "é"}, "id": "n1"}
        assert await soon(publishing) == Accepted("n1", 43, warnings=(Repair("/data/x ", "m"),))


async def test_publish_takes_a_whole_message_as_it_is_and_finds_a_misspelt_id(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        whole = {"channel": "Notes", "topic": "Note", "subtopic": "Added", "Id ": "n2", "data ": 1}
        publishing = asyncio.create_task(client.publish(whole))
        sent = await talk.hear_about("Added")
        assert sent == whole
        await talk.accept({"id": "n2"})
        assert (await soon(publishing)).id == "n2"


async def test_publish_refused_carries_the_whole_refusal(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        publishing = asyncio.create_task(client.publish("Notes/Note/Added"))
        problem = {"pointer": "/data/x", "code": "missing", "message": "m"}
        data = {"code": "rate_limited", "message": "slowly", "temporary": True, "retryAfterMs": 40, "errors": [problem]}
        await talk.control("Message/Rejected", data, await talk.hear_about("Added"))
        with pytest.raises(RejectedError, match="rate_limited: slowly") as caught:
            await soon(publishing)
        error = caught.value
        assert (error.code, error.temporary, error.retry_after, error.errors) == (
            "rate_limited",
            True,
            0.04,
            (problem,),
        )
        assert error.data == data


@pytest.mark.parametrize(
    ("to", "data", "message_id", "complaint"),
    [
        ("Notes/Note", None, None, "three segments"),
        ("Notes/Note/Added", float("nan"), None, "JSON|nan"),
        ("Notes/Note/Added", "\ud800", None, "surrogate"),
        ("Notes/Note/Added", None, "x" * 65, "no id"),
        ("Notes/Note/Added", None, "é", "no id"),
        ("Notes/Note/Added", "x" * 70000, None, "70.* bytes; this bridge takes 65536"),
        ("Bridge/Subscription/Subscribe", {"patterns": ["*"]}, None, "client's own"),
    ],
)
async def test_publish_of_what_cannot_be_sent(
    script: ScriptedBridge, to: str, data: Any, message_id: str | None, complaint: str
) -> None:
    async with session(script) as (client, _):
        with pytest.raises(ValueError, match=complaint):
            await client.publish(to, data, id=message_id)


async def test_publish_lost_and_known_afterwards_counts_as_accepted(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        publishing = asyncio.create_task(client.publish("Notes/Note/Added", id="n1"))
        await talk.hear_about("Added")
        again = await reconnected(script, talk)
        await tell_status(again, "n1", known=True, offset=7)
        assert await soon(publishing) == Accepted("n1", 7)


async def test_publish_of_a_command_is_answered_by_accepted_and_not_by_its_outcome(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        publishing = asyncio.create_task(client.publish(CONSULT, DATA, id="c1"))
        sent = await talk.hear_about("SetCONSULT")
        await talk.send(outcome("c1", 9))
        await talk.accept(sent, 3)
        assert await soon(publishing) == Accepted("c1", 3)


# Commands


async def test_command_completes(script: ScriptedBridge) -> None:
    told: list[Accepted] = []
    async with session(script) as (client, talk):
        running = consulting(client, on_accepted=told.append)
        await talk.accept(await talk.hear_about("SetCONSULT"), 3)
        await talk.send(outcome("c1", 9, consultCall="2"))
        done = await soon(running)
        assert (done.id, done.address, done.call, done.consult_call) == ("c1", CONSULT, "1", "2")
        assert done.outcome.offset == 9
        assert told == [Accepted("c1", 3)]


async def test_command_fails(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        data = {"errorType": "Invalid Destination", "message": "nobody there", "cause": "BAD_DESTINATION"}
        await talk.send(outcome("c1", 9, "Failed", **data))
        with pytest.raises(CommandFailed, match=r"Invalid Destination: nobody there .BAD_DESTINATION") as caught:
            await soon(running)
        assert (caught.value.id, caught.value.call, caught.value.cause) == ("c1", "1", "BAD_DESTINATION")


async def test_command_times_out_at_the_bridge(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        await talk.send(outcome("c1", 9, "TimedOut", afterMs=10000))
        with pytest.raises(CommandTimedOut, match="10000 ms") as caught:
            await soon(running)
        assert caught.value.after_ms == 10000


async def test_command_refused(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.control("Message/Rejected", ILLEGAL, await talk.hear_about("SetCONSULT"))
        with pytest.raises(RejectedError, match="illegal_state") as caught:
            await soon(running)
        assert caught.value.data["allowed"] == ["SetRETRIEVE"]


async def test_command_outcomes_of_others_and_second_ones_are_not_taken(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        await talk.send(outcome("someone else", 8, "Failed", errorType="x", message="y"))
        await talk.send(outcome("c1", 9))
        await talk.send(outcome("c1", 10, "Failed", errorType="x", message="y"))
        assert (await soon(running)).outcome.offset == 9


async def test_command_that_is_none_is_not_sent(script: ScriptedBridge) -> None:
    async with session(script) as (client, _):
        with pytest.raises(ValueError, match="no command"):
            await client.command("Notes/Note/Added")


async def test_command_with_an_id_that_still_waits(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        with pytest.raises(ValueError, match="still waits"):
            await consulting(client)
        await talk.send(outcome("c1", 9))
        assert (await soon(running)).outcome.offset == 9


async def test_command_gives_up_waiting_after_its_timeout(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client, timeout=0.02)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        with pytest.raises(OutcomeUnknown, match=r"within 0\.02 s"):
            await soon(running)
        assert len(client._session.unanswered) == 0


async def test_duplicate_with_outcome_answers_at_once(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"), 3, duplicate=True, outcome=outcome("c1", 9))
        assert (await soon(running)).outcome.offset == 9


async def test_duplicate_without_outcome_is_asked_for_until_there_is_one(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"), 3, duplicate=True)
        await tell_status(talk, known=True, offset=3)
        await tell_status(talk, known=True, offset=3, outcome=outcome("c1", 9))
        assert (await soon(running)).outcome.offset == 9


# Lost connections


async def test_lost_and_unknown_to_the_same_stream_was_not_sent(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        again = await reconnected(script, talk)
        await tell_status(again, known=False)
        with pytest.raises(NotSent):
            await soon(running)


async def test_lost_and_unknown_is_not_believed_before_the_bridge_can_have_read_everything(
    script: ScriptedBridge,
) -> None:
    now = [100.0]
    pace = hurried(monotonic=lambda: now[0], settle=1.0)
    async with session(script, pace=pace) as (client, talk):
        running = consulting(client)
        await talk.hear_about("SetCONSULT")
        again = await reconnected(script, talk)
        await tell_status(again, known=False)
        await tell_status(again, known=True, offset=3, outcome=outcome("c1", 9))
        assert (await soon(running)).outcome.offset == 9


async def test_lost_and_unknown_to_a_new_stream_says_nothing(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        again = await reconnected(script, talk, epoch="epoch2")
        await tell_status(again, known=False)
        with pytest.raises(OutcomeUnknown, match="new epoch"):
            await soon(running)


async def test_lost_and_unknown_after_minutes_says_nothing(script: ScriptedBridge) -> None:
    now = [0.0]
    async with session(script, pace=hurried(monotonic=lambda: now[0])) as (client, talk):
        running = consulting(client)
        await talk.hear_about("SetCONSULT")
        now[0] = 300.0
        again = await reconnected(script, talk)
        await tell_status(again, known=False)
        with pytest.raises(OutcomeUnknown, match="does not remember"):
            await soon(running)


async def test_lost_with_an_unknown_epoch_says_nothing(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.hear_about("SetCONSULT")
        talk.cut()
        again = await script.conversation()
        await again.hello()
        refused = {"code": "not_permitted", "message": "no", "temporary": False}
        await again.control("Message/Rejected", refused, await again.hear_about("Subscribe"))
        await tell_status(again, known=False)
        with pytest.raises(OutcomeUnknown, match="new epoch"):
            await soon(running)


async def test_lost_before_accepted_and_completed_meanwhile(script: ScriptedBridge) -> None:
    told: list[Accepted] = []
    async with session(script) as (client, talk):
        running = consulting(client, on_accepted=told.append)
        await talk.hear_about("SetCONSULT")
        again = await reconnected(script, talk)
        await tell_status(again, known=True, offset=3, outcome=outcome("c1", 9, consultCall="2"))
        assert (await soon(running)).consult_call == "2"
        assert told == [Accepted("c1", 3)]


async def test_lost_after_accepted_and_still_running_is_asked_for_until_it_ends(script: ScriptedBridge) -> None:
    told: list[Accepted] = []
    async with session(script) as (client, talk):
        running = consulting(client, on_accepted=told.append)
        await talk.accept(await talk.hear_about("SetCONSULT"), 3)
        again = await reconnected(script, talk)
        for _ in range(3):
            await tell_status(again, known=True, offset=3)
        failed = outcome("c1", 9, "Failed", errorType="Generic Error", message="no")
        await tell_status(again, known=True, offset=3, outcome=failed)
        with pytest.raises(CommandFailed, match="Generic Error"):
            await soon(running)
        assert told == [Accepted("c1", 3)]


async def test_lost_twice_is_asked_for_on_the_third_connection(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        again = await reconnected(script, talk)
        await again.hear_about("Status")
        once_more = await reconnected(script, again)
        await tell_status(once_more, known=True, offset=3, outcome=outcome("c1", 9))
        assert (await soon(running)).outcome.offset == 9


async def test_lost_and_the_outcome_comes_with_what_was_missed(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "Bridge/Command")
        running = consulting(client)
        await talk.accept(await talk.hear_about("SetCONSULT"))
        await reconnected(script, talk, offset=9, recovered=True, messages=[outcome("c1", 9)])
        assert (await soon(running)).outcome.offset == 9
        assert (await soon(anext(stream))).offset == 9


async def test_lost_commands_are_never_sent_again(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.hear_about("SetCONSULT")
        again = await reconnected(script, talk)
        first = await again.hear()
        await again.control("Command/Status", {"known": True, "offset": 3, "outcome": outcome("c1", 9)}, first)
        await soon(running)
        asking = asyncio.create_task(client.status("last"))
        last = await again.hear()
        await again.control("Command/Status", {"known": False}, last)
        await soon(asking)
        assert [message["subtopic"] for message in (first, last)] == ["Status", "Status"]


async def test_closing_the_client_leaves_outcomes_unknown(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        running = consulting(client)
        await talk.hear_about("SetCONSULT")
        await client.close()
        with pytest.raises(OutcomeUnknown, match="closed"):
            await soon(running)


# Status


async def test_status_tells_what_is_known(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.status("c1"))
        await tell_status(talk, known=True, offset=3, outcome=outcome("c1", 9))
        status = await soon(asking)
        assert (status.known, status.offset) == (True, 3)
        assert status.outcome is not None
        assert status.outcome.offset == 9


async def test_status_lost_with_the_connection(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.status("c1"))
        await talk.hear_about("Status")
        talk.cut()
        with pytest.raises(NotConnected):
            await soon(asking)


async def test_status_refused(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.status("c1"))
        busy = {"code": "rate_limited", "message": "slowly", "temporary": True, "retryAfterMs": 5}
        await talk.control("Message/Rejected", busy, await talk.hear_about("Status"))
        with pytest.raises(RejectedError, match="rate_limited"):
            await soon(asking)


async def test_status_of_what_is_no_id(script: ScriptedBridge) -> None:
    async with session(script) as (client, _):
        with pytest.raises(ValueError, match="no id"):
            await client.status("")
