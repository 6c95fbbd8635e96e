"""The client against a real bridge: nothing lost, nothing twice, whatever becomes of the connections."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from bridge.client import (
    BridgeClient,
    ClientState,
    CommandFailed,
    CommandTimedOut,
    Delivery,
    Gap,
    NotConnected,
    OutcomeUnknown,
    Pace,
    RejectedError,
    StateChange,
    connect,
)
from bridge.testing import open_desk, running_bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.app import Bridge

LIMIT = 10.0
AT_ONCE = Pace(first=0.0, restart=0.0, crowded=0.0, ask=0.01, settle=0.1)


@pytest.fixture
async def live() -> AsyncIterator[Bridge]:
    async with running_bridge() as bridge:
        yield bridge


def cut(client: BridgeClient) -> None:
    """Take the connection away from under the client, if it has one."""
    if client._session.link is not None:
        client._session.link.abort()


class States:
    """Lets a test wait for the state of a client."""

    def __init__(self) -> None:
        self._changes: asyncio.Queue[StateChange] = asyncio.Queue()

    def __call__(self, change: StateChange) -> None:
        self._changes.put_nowait(change)

    async def wait_for(self, state: ClientState) -> None:
        async with asyncio.timeout(LIMIT):
            while (await self._changes.get()).state is not state:
                pass


async def test_snapshot_and_live_events_of_a_call(live: Bridge) -> None:
    async with open_desk(live.url) as desk, connect(live.url) as client:
        call = await desk.offer("+15550100")
        async with asyncio.timeout(LIMIT), await client.subscribe("Cisco/InboundCall") as events:
            assert [message.data["call"]["event"] for message in events.snapshot] == ["alerting"]
            await desk.answer(call)
            assert (await anext(events)).delivery is Delivery.SNAPSHOT
            command = await anext(events)
            event = await anext(events)
        assert command.address.subtopic == "SetANSWER"
        assert event.data["call"]["event"] == "active"
        assert event.correlation_id == command.id


async def test_refusals_and_failures_of_the_switch(live: Bridge) -> None:
    async with open_desk(live.url) as desk:
        call = await desk.offer("+15550100")
        with pytest.raises(RejectedError) as refused:
            await desk.hold(call)
        assert refused.value.code == "illegal_state"
        await desk.answer(call)
        with pytest.raises(CommandFailed) as failed:
            await desk.consult(call, "5090")
        assert failed.value.cause == "BUSY"


async def test_every_message_once_and_in_order_over_many_cut_connections(live: Bridge) -> None:
    chance = random.Random(7)
    states = States()
    async with connect(live.url, app="reader", pace=AT_ONCE, on_state=states) as reader, connect(live.url) as writer:
        stream = await reader.subscribe("Notes")
        cuts = 0
        for number in range(300):
            await writer.publish("Notes/Note/Added", number)
            if chance.random() < 0.1 and reader.state is ClientState.CONNECTED:
                cut(reader)
                cuts += 1
                if chance.random() < 0.5:
                    await states.wait_for(ClientState.CONNECTED)
        async with asyncio.timeout(LIMIT):
            got = [(await anext(stream)).data for _ in range(300)]
        assert got == list(range(300))
        assert stream.unread == 0
        assert cuts > 10


async def test_a_command_whose_connection_is_cut_still_gets_its_one_outcome() -> None:
    async with running_bridge(simulator_reaction_ms=100) as slow, connect(slow.url, pace=AT_ONCE) as client:
        accepted = asyncio.Event()
        data = {"fromAddress": "+15550100"}
        running = asyncio.create_task(
            client.command("Simulator/Call/Offer", data, on_accepted=lambda _: accepted.set())
        )
        await asyncio.wait_for(accepted.wait(), LIMIT)
        cut(client)
        done = await asyncio.wait_for(running, LIMIT)
        assert done.call is not None
        async with open_desk(slow.url) as desk:
            await desk.expect("Cisco/InboundCall")
            assert list(desk.calls) == [done.call]


async def test_the_same_id_from_another_session_waits_for_the_same_outcome() -> None:
    async with (
        running_bridge(simulator_reaction_ms=50) as slow,
        connect(slow.url, pace=AT_ONCE) as one,
        connect(slow.url, pace=AT_ONCE) as other,
    ):
        data = {"fromAddress": "+15550100"}
        commands = (client.command("Simulator/Call/Offer", data, id="once") for client in (one, other))
        first, second = await asyncio.wait_for(asyncio.gather(*commands), LIMIT)
        assert first.outcome.offset == second.outcome.offset


async def test_a_crashed_bridge_is_a_gap_and_leaves_outcomes_unknown() -> None:
    gaps: list[Gap] = []
    back = asyncio.Event()

    async def sleep(_: float) -> None:
        await back.wait()
        await asyncio.sleep(0)

    async with running_bridge(simulator_reaction_ms=60000) as first:
        client = await connect(first.url, pace=Pace(sleep=sleep))
        stream = await client.subscribe("Cisco", on_gap=gaps.append)
        accepted = asyncio.Event()
        running = asyncio.create_task(
            client.command("Simulator/Call/Offer", {"fromAddress": "1"}, on_accepted=lambda _: accepted.set())
        )
        await asyncio.wait_for(accepted.wait(), LIMIT)
        cut(client)
    async with client, running_bridge(port=first.port):
        back.set()
        with pytest.raises(OutcomeUnknown, match="new epoch"):
            await asyncio.wait_for(running, LIMIT)
        async with asyncio.timeout(LIMIT):
            while not gaps:
                await anext(stream)
    assert gaps[0].epoch_changed
    assert [message.address.subtopic for message in gaps[0].snapshot] == ["SetConnectionStatus", "SetAgentState"]


async def test_a_bridge_that_stops_in_order_tells_the_outcome_before() -> None:
    async with running_bridge(simulator_reaction_ms=60000) as bridge:
        client = await connect(bridge.url, pace=AT_ONCE)
        accepted = asyncio.Event()
        running = asyncio.create_task(
            client.command("Simulator/Call/Offer", {"fromAddress": "1"}, on_accepted=lambda _: accepted.set())
        )
        await asyncio.wait_for(accepted.wait(), LIMIT)
    async with client:
        with pytest.raises(CommandTimedOut):
            await asyncio.wait_for(running, LIMIT)
        with pytest.raises(NotConnected):
            await client.publish("Notes/Note/Added")
