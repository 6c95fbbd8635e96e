"""Subscriptions: snapshot, live, recovered, and what cannot be recovered."""

from __future__ import annotations

import asyncio

import pytest

from bridge.client import (
    BridgeClient,
    ClientClosed,
    ConsumerTooSlow,
    Delivery,
    Gap,
    MessagesLost,
    RejectedError,
    Subscription,
)
from tests.client.scripted import (
    EPOCH,
    Conversation,
    ScriptedBridge,
    event,
    hurried,
    session,
    soon,
    subscription,
    texts,
)

REFUSED = {"code": "not_permitted", "message": "no", "temporary": False, "rule": "r"}


async def test_subscribe_gives_the_snapshot_then_live(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        stream = await subscription(client, talk, "Notes", "Notes/*", offset=7, snapshot=[event(3), event(5)])
        await talk.send(event(8))
        messages = [await soon(anext(stream)) for _ in range(3)]
        assert [message.offset for message in messages] == [3, 5, 8]
        assert [message.delivery for message in messages] == [Delivery.SNAPSHOT, Delivery.SNAPSHOT, Delivery.LIVE]
        assert stream.snapshot == tuple(messages[:2])
        assert messages[2].to_json() == event(8)


async def test_subscribe_sends_canonical_patterns_and_echo(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.subscribe("Notes/*/*", "Cisco/*/SetHOLD", echo=True))
        asked = await talk.subscribed()
        await soon(asking)
        assert asked["data"] == {"patterns": ["Notes", "Cisco/*/SetHOLD"], "echo": True}


@pytest.mark.parametrize("patterns", [(), ("a/b/c/d",), ("a//c",)])
async def test_subscribe_to_what_is_no_pattern(script: ScriptedBridge, patterns: tuple[str, ...]) -> None:
    async with session(script) as (client, _):
        with pytest.raises(ValueError, match=r"pattern|segment"):
            await client.subscribe(*patterns)


async def test_subscribe_refused(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.subscribe("Notes"))
        asked = await talk.hear_about("Subscribe")
        await talk.control("Message/Rejected", REFUSED, asked)
        with pytest.raises(RejectedError, match="not_permitted: no"):
            await soon(asking)
        assert (await talk.hear_about("Unsubscribe"))["data"] == {"patterns": ["Notes"]}


async def test_each_subscription_gets_its_own_messages_from_its_own_beginning(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        all_notes = await subscription(client, talk, "Notes")
        asking = asyncio.create_task(client.subscribe("Notes/Note/Added"))
        asked = await talk.hear_about("Subscribe")
        await talk.send(event(1, "before"))
        grant = {"patterns": ["Notes/Note/Added"], "epoch": EPOCH, "offset": 1, "snapshot": []}
        await talk.control("Subscription/Subscribed", grant, asked)
        await talk.send(event(2, "elsewhere", at="Notes/Note/Removed"))
        await talk.send(event(3, "after"))
        added = await soon(asking)
        assert await texts(all_notes, 3) == ["before", "elsewhere", "after"]
        assert await texts(added, 1) == ["after"]
        assert added.unread == 0


async def test_close_unsubscribes_from_what_nobody_else_reads(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        first = await subscription(client, talk, "Notes", "Calls")
        second = await subscription(client, talk, "Notes")
        await talk.send(event(1))
        async with first:
            await texts(first, 1)
        assert (await talk.hear_about("Unsubscribe"))["data"] == {"patterns": ["Calls"]}
        assert [message async for message in first] == []
        await first.close()
        assert await texts(second, 1) == ["note 1"]


async def test_a_subscriber_that_gives_up_waiting_leaves_nothing_behind(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.subscribe("Notes"))
        asked = await talk.hear_about("Subscribe")
        asking.cancel()
        assert (await talk.hear_about("Unsubscribe"))["data"] == {"patterns": ["Notes"]}
        grant = {"patterns": ["Notes"], "epoch": EPOCH, "offset": 0, "snapshot": [event(1)]}
        await talk.control("Subscription/Subscribed", grant, asked)
        other = await subscription(client, talk, "Other")
        assert not other.ended


async def _again(script: ScriptedBridge, talk: Conversation) -> Conversation:
    talk.cut()
    again = await script.conversation()
    await again.hello()
    return again


async def test_reconnect_recovers_from_the_last_position_in_one_step(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        notes = await subscription(client, talk, "Notes", offset=4)
        calls = await subscription(client, talk, "Calls", offset=4)
        await talk.send(event(5))
        await texts(notes, 1)
        again = await _again(script, talk)
        missed = [event(6), event(7, "ring", at="Calls/Call/Rings"), event(8)]
        asked = await again.subscribed(8, recovered=True, messages=missed)
        await again.send(event(9))
        assert asked["data"] == {"patterns": ["Notes", "Calls"], "recover": {"epoch": EPOCH, "offset": 5}}
        assert await texts(notes, 3) == ["note 6", "note 8", "note 9"]
        ring = await soon(anext(calls))
        assert (ring.data, ring.delivery) == ("ring", Delivery.RECOVERED)


async def test_a_heartbeat_moves_the_position(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        await subscription(client, talk, "Notes", offset=4)
        await talk.control("Session/Heartbeat", {"epoch": EPOCH, "offset": 400})
        assert await _position_after(client, talk) == 400


async def _position_after(client: BridgeClient, talk: Conversation) -> int:
    asking = asyncio.create_task(client.status("x"))
    await talk.control("Command/Status", {"known": False}, await talk.hear_about("Status"))
    await soon(asking)
    return client._session._offset


async def test_reconnect_twice_without_a_message_between_recovers_from_the_reply(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        notes = await subscription(client, talk, "Notes", offset=4)
        again = await _again(script, talk)
        await again.subscribed(8, recovered=True, messages=[event(8)])
        await texts(notes, 1)
        once_more = await _again(script, again)
        asked = await once_more.subscribed(8, recovered=True, messages=[])
        assert asked["data"]["recover"] == {"epoch": EPOCH, "offset": 8}


async def test_a_gap_is_raised_once_at_its_place(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        notes = await subscription(client, talk, "Notes", offset=4)
        await talk.send(event(5))
        await texts(notes, 1)
        again = await _again(script, talk)
        await again.subscribed(900, recovered=False, messages=[], snapshot=[event(2), event(700)])
        await again.send(event(901))
        with pytest.raises(MessagesLost, match="after offset 5") as caught:
            await soon(anext(notes))
        assert await texts(notes, 3) == ["note 2", "note 700", "note 901"]
        assert [message.offset for message in caught.value.gap.snapshot] == [2, 700]
        assert not caught.value.gap.epoch_changed


async def test_a_gap_is_told_to_on_gap_instead_and_shows_a_new_epoch(script: ScriptedBridge) -> None:
    gaps: list[Gap] = []
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.subscribe("Notes", on_gap=gaps.append))
        await talk.subscribed(4)
        notes = await soon(asking)
        again = await _again(script, talk)
        await again.subscribed(1, epoch="epoch2", recovered=False, messages=[])
        await again.send(event(2))
        assert await texts(notes, 1) == ["note 2"]
        assert gaps == [Gap(last_offset=4, epoch_changed=True, snapshot=())]


async def test_a_subscription_asked_for_while_offline_begins_with_the_next_connection(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        notes = await subscription(client, talk, "Notes")
        again = await _again(script, talk)
        asking = asyncio.create_task(client.subscribe("Calls"))
        recovering = await again.subscribed(3, recovered=True, messages=[])
        beginning = await again.subscribed(3, snapshot=[event(2, "call", at="Calls/Call/Rings")])
        calls = await soon(asking)
        assert recovering["data"]["patterns"] == ["Notes"]
        assert beginning["data"] == {"patterns": ["Calls"]}
        assert await texts(calls, 1) == ["call"]
        assert notes.unread == 0


async def test_a_subscribe_without_answer_is_asked_again_on_the_next_connection(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        asking = asyncio.create_task(client.subscribe("Notes"))
        await talk.hear_about("Subscribe")
        again = await _again(script, talk)
        await again.subscribed()
        asked = await again.subscribed(snapshot=[event(1)])
        assert asked["data"] == {"patterns": ["Notes"]}
        assert await texts(await soon(asking), 1) == ["note 1"]


async def test_resubscribing_waits_out_a_rate_limit(script: ScriptedBridge) -> None:
    delays: list[float] = []
    async with session(script, pace=hurried(delays)) as (client, talk):
        notes = await subscription(client, talk, "Notes")
        again = await _again(script, talk)
        asked = await again.hear_about("Subscribe")
        busy = {"code": "rate_limited", "message": "slowly", "temporary": True, "retryAfterMs": 2000}
        await again.control("Message/Rejected", busy, asked)
        await again.subscribed(1, recovered=True, messages=[event(1)])
        assert await texts(notes, 1) == ["note 1"]
    assert delays == [1.0, 2.0]


async def test_resubscribing_refused_ends_the_subscriptions_and_not_the_session(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        notes = await subscription(client, talk, "Notes")
        again = await _again(script, talk)
        await again.control("Message/Rejected", REFUSED, await again.hear_about("Subscribe"))
        with pytest.raises(RejectedError, match="not_permitted"):
            await soon(anext(notes))
        publishing = asyncio.create_task(client.publish("Notes/Note/Added", id="n"))
        await again.accept(await again.hear_about("Added"))
        assert (await soon(publishing)).id == "n"


async def test_a_consumer_that_does_not_read_loses_its_subscription_alone(script: ScriptedBridge) -> None:
    async with session(script, unread=3) as (client, talk):
        lazy = await subscription(client, talk, "Notes", snapshot=[event(n) for n in range(3)])
        lively = await subscription(client, talk, "Notes/Note/Added")
        for offset in (10, 11):
            await talk.send(event(offset))
            assert await texts(lively, 1) == [f"note {offset}"]
        assert (lazy.unread, lazy.ended) == (3, True)
        assert (await talk.hear_about("Unsubscribe"))["data"] == {"patterns": ["Notes"]}
        assert await texts(lazy, 3) == ["note 0", "note 1", "note 2"]
        for _ in range(2):
            with pytest.raises(ConsumerTooSlow, match="3 messages"):
                await soon(anext(lazy))


async def test_a_reader_that_waits_is_woken_by_close(script: ScriptedBridge) -> None:
    async with session(script) as (client, talk):
        notes = await subscription(client, talk, "Notes")
        reading = asyncio.create_task(_all(notes))
        await client.close()
        assert await soon(reading) == 0
        with pytest.raises(ClientClosed):
            await client.subscribe("Notes")


async def _all(notes: Subscription) -> int:
    return len([message async for message in notes])
