"""Whatever the widgets of a workspace ask of the simulated switch, what it makes the bus keep stays bounded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.simulator.arguments import CALL_VARIABLE_BYTES, ECC_BYTES
from bridge.calls.simulator.exchange import CALLS_PER_AGENT
from bridge.calls.simulator.switch import PARTIES_PER_CALL
from bridge.protocol.cisco import MAX_VARIABLES
from tests.calls.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.calls.world import Widget

RETAINED_BYTES = 1_048_576
"""Of one workspace, as docs/simulator.md says it."""

ALL_DATA = {f"callVariable{number}": "\x01" * CALL_VARIABLE_BYTES for number in range(1, 11)} | {
    "user.x": "\x01" * (ECC_BYTES - len("user.x"))
}
"""As much as a call may carry, of what takes most room in JSON: six bytes for each."""


def number(index: int) -> str:
    """Give one of the longest numbers, of what JSON has to escape."""
    return f"{index:02}{'a' + chr(34) * 60}z"


def retained(world: World) -> int:
    room = world.broker.workspaces.find("demo")
    assert room is not None
    return room.retained.bytes


def failed(widget: Widget, address: str, data: Any) -> str | None:
    """Give a command; return the kind of error, ``None`` where it was completed."""
    error: str | None = widget.finish(widget.send(address, data))["data"].get("errorType")
    return error


def test_calls_that_are_offered_without_end_are_refused_and_the_bus_keeps_no_more() -> None:
    world = World(reaction_seconds=0)
    widget = world.widget("demo", "Bridge")

    results = [
        failed(widget, "Simulator/Call/Offer", {"fromAddress": number(index), "variables": ALL_DATA})
        for index in range(99)
    ]

    assert results == [None] * CALLS_PER_AGENT + ["Call Operation Failure"] * (99 - CALLS_PER_AGENT)
    assert 0.4 * RETAINED_BYTES < retained(world) < RETAINED_BYTES


def test_call_data_with_ever_new_names_is_refused_and_the_call_keeps_what_it_had() -> None:
    world = World(reaction_seconds=0)
    widget = world.widget("demo", "Bridge")
    call = widget.offer()
    widget.finish(widget.act("SetANSWER", call))

    update = "Cisco/InboundCall/SetUPDATE_CALL_DATA"
    names = [f"user.{index:03}" for index in range(1000)]
    fits = [failed(widget, update, {"CallID": call, "callVariables": {name: ""}}) for name in names]

    most = ECC_BYTES // len("user.000")
    assert fits == [None] * most + ["Invalid Input"] * (1000 - most)
    assert failed(widget, update, {"CallID": call, "callVariables": {"callVariable11": ""}}) == "Invalid Input"
    assert retained(world) < RETAINED_BYTES / CALLS_PER_AGENT


def test_more_variables_than_any_switch_has_are_no_message() -> None:
    widget = World(reaction_seconds=0).widget()

    offer = {"fromAddress": "1", "variables": {f"user.{index}": "" for index in range(MAX_VARIABLES + 1)}}

    assert widget.reply(widget.send("Simulator/Call/Offer", offer))["data"]["code"] == "invalid_data"


def stranger(_world: World, index: int) -> str:
    return number(index)


def colleague(world: World, index: int) -> str:
    """Give the longest extension, of an agent: what it may do stands in the call too."""
    extension = f"{index:064}"
    world.widget(extension)
    return extension


@pytest.mark.parametrize("party", [stranger, colleague])
def test_the_largest_call_that_there_can_be_fits_so_often_as_an_agent_has_calls(
    party: Callable[[World, int], str],
) -> None:
    world = World(reaction_seconds=0)
    widget = world.widget("demo", "Bridge")
    before = retained(world)
    offer = widget.send("Simulator/Call/Offer", {"fromAddress": number(0), "variables": ALL_DATA})
    call = widget.finish(offer)["data"]["call"]
    widget.finish(widget.act("SetANSWER", call))
    for index in range(1, PARTIES_PER_CALL - 1):
        address = party(world, index)
        widget.finish(widget.act("SetCONSULT", call, toAddress=address))
        assert failed(widget, "Simulator/Party/Answer", {"address": address}) is None
        assert widget.finish(widget.act("SetCONFERENCE", call))["subtopic"] == "Completed"
    largest = retained(world) - before

    assert largest > 20_000, "the test does not make the largest call"
    assert before + CALLS_PER_AGENT * largest < RETAINED_BYTES


def test_what_is_over_is_not_kept() -> None:
    world = World(reaction_seconds=0)
    widget = world.widget("demo", "Bridge")
    before = retained(world)

    for _ in range(200):
        widget.finish(widget.act("SetDROP", widget.active_call()))

    assert retained(world) == before
