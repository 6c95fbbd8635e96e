"""Any legal commands in any order, while every notification goes astray; and what takes as long as it takes.

How much of it is tried is for ``HYPOTHESIS_PROFILE`` to say: ``make test`` takes seconds, ``make soak`` minutes.
"""

from __future__ import annotations

import os
import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from bridge.calls.finesse.pace import Pace
from bridge.calls.simulator.errors import SwitchError
from tests.finesse_faults.centre import FAST, Centre, Desktop, contact_centre
from tests.finesse_faults.test_a_node_is_away import live_through_503

if TYPE_CHECKING:
    from collections.abc import Callable

LONG: Final = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
SEEDS: Final = range(20 if LONG else 1)
STEPS: Final = 120 if LONG else 40
ANSWERED: Final = {"Completed", "Failed", "TimedOut", "Rejected", "Subscribed"}

ASTRAY: Final[dict[str, dict[str, Any]]] = {
    "everything in order": {},
    "all at once": {"duplicates": True, "reorder_seconds": 0.02, "request_ids": "lost"},
    "all at once, and cut": {"duplicates": True, "reorder_seconds": 0.02, "request_ids": "lost", "cut": [{}]},
}
ARGUMENTS: Final[dict[str, list[dict[str, Any]]]] = {
    "SetCONSULT": [{"toAddress": number} for number in ("5070", "5071", "5090", "5091", "1001001", "1001002")],
    "SetTRANSFER_SST": [{"toAddress": number} for number in ("5070", "5090", "1001001", "1001002")],
    "SetUPDATE_CALL_DATA": [{"callVariables": {"callVariable1": value}} for value in ("a", "b")],
}


async def does_something(desk: Desktop, chance: random.Random) -> None:
    """Give a command that is legal as far as the desktop has read; what is so no more is for the bridge to say."""
    await has_outstanding(desk, at_most=2)
    choices = legal(desk)
    if not choices:
        await has_outstanding(desk, at_most=0)
        choices = legal(desk) or [("", "SetMakeCall")]
    call, subtopic = chance.choice(choices)
    if call:
        await desk.begin(subtopic, call, **chance.choice(ARGUMENTS.get(subtopic, [{}])))
    else:
        number = chance.choice(["5072", "5090", "1001001", "1001002"])
        await desk.send("Cisco/OutboundCall/SetMakeCall", {"toAddress": number})


def legal(desk: Desktop) -> list[tuple[str, str]]:
    """Name calls and commands; not touch tones, whose outcome takes a second."""
    return [
        (call, subtopic)
        for call, shown in desk.calls().items()
        for subtopic in shown["ActionsAllowed"]
        if subtopic != "SetSEND_DTMF"
    ]


async def has_outstanding(desk: Desktop, *, at_most: int) -> None:
    """Read on until not more commands than these are without an outcome."""

    def outstanding() -> int:
        ended = {m["correlationId"] for m in desk.messages if m["subtopic"] in ANSWERED}
        return len(set(desk.sent) - ended)

    await desk.sees(lambda: outstanding() <= at_most)


def world_moves(centre: Centre, chance: random.Random) -> None:
    """Let a party answer or hang up, or a customer call, if that is possible."""
    moves: list[Callable[[], object]] = [
        lambda: centre.finesse.party_answer(chance.choice(["5070", "5071", "5072"])),
        lambda: centre.finesse.party_answer(chance.choice(["5070", "5071", "5072"])),
        lambda: centre.finesse.party_drop(chance.choice(["5070", "5071", "5072", "+15550101", "+15550102"])),
        lambda: centre.finesse.offer(chance.choice(["1001001", "1001002"]), chance.choice(["+15550101", "+15550102"])),
    ]
    with suppress(SwitchError):
        chance.choice(moves)()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("faults", ASTRAY.values(), ids=ASTRAY)
async def test_any_legal_commands_of_two_agents(faults: dict[str, Any], seed: int) -> None:
    chance = random.Random(seed)
    cuts, times = faults.get("cut", []), 0
    async with contact_centre() as centre:
        desks = await centre.everybody()
        await centre.goes_wrong(**{name: value for name, value in faults.items() if name != "cut"})
        for _ in range(STEPS):
            desk = chance.choice(desks)
            await does_something(desk, chance)
            if chance.random() < 0.6:
                await desk.outcome(desk.sent[-1])
            if chance.random() < 0.3:
                world_moves(centre, chance)
            if cuts and chance.random() < 0.1:
                times += 1
                await centre.goes_wrong(cut=cuts)
                for each in desks:
                    await each.has_come_back(times)
        for desk in desks:
            await has_outstanding(desk, at_most=0)
        await centre.checks_out(crowded=True)


@pytest.mark.soak
async def test_thirty_seconds_of_503_at_the_pace_of_production() -> None:
    await live_through_503(seconds=30.0, pace=Pace())


async def test_as_much_of_503_at_a_faster_pace() -> None:
    await live_through_503(seconds=30.0 * FAST.poll / Pace().poll, pace=FAST)
