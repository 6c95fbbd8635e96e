"""The bridge is stopped or killed at random moments under load and started again.

An orderly stop loses nothing that was accepted. After a kill nobody is told a lie: what is not known is called unknown,
nothing comes twice, and a new stream says that it is one.
"""

from __future__ import annotations

import random
from collections import Counter
from signal import SIGKILL, SIGTERM, Signals
from typing import TYPE_CHECKING

import pytest

from tests.endurance.kill_matrix import Desk, Life, Site

if TYPE_CHECKING:
    from pathlib import Path

HONEST = {"Completed", "CommandFailed", "CommandTimedOut"}


def check_order(life: Life) -> None:
    """Nothing is missing in the middle, nothing came twice."""
    offsets = [message.offset for message in life.messages]
    assert offsets == [offsets[0] + place for place in range(len(offsets))]
    assert len({message.id for message in life.messages}) == len(life.messages)


def check_stopped(desk: Desk, life: Life, audited: Counter[str]) -> None:
    """Everything that was accepted was delivered, and every command has its outcome, told to its sender and audited."""
    delivered = {message.id: message.offset for message in life.messages}
    for name, offset in life.accepted.items():
        assert delivered.get(name) == offset, f"{name} was accepted and not delivered"
        if name.startswith("command"):
            assert len(life.outcomes(name)) == 1, name
            assert desk.told[name] in HONEST, (name, desk.told[name])
            assert audited[f"{desk.name}/{name}"] == 1, name


def check_killed(desk: Desk, life: Life) -> None:
    """Nobody was told more than what happened."""
    for name in life.accepted:
        if name.startswith("command"):
            assert len(life.outcomes(name)) <= 1
            assert desk.told[name] in HONEST | {"OutcomeUnknown", "NotSent"}
            if life.outcomes(name) == ["Completed"]:
                assert desk.told[name] in {"Completed", "OutcomeUnknown"}


async def kill(directory: Path, seed: int, ends: list[Signals]) -> dict[str, int]:
    """Live and die that often; check every promise. Return how much there was to check."""
    site = Site(directory, seed)
    await site.live(ends)
    audited = Counter(site.audited())
    assert max(audited.values()) == 1
    for desk in site.desks:
        assert len(desk.lives) == len(ends) + 1
        for life in desk.lives[: len(ends)]:
            check_order(life)
            if life.end is SIGTERM:
                check_stopped(desk, life, audited)
            else:
                check_killed(desk, life)
    told = Counter(result for desk in site.desks for result in desk.told.values())
    return {"accepted": site.accepted, **told}


@pytest.mark.parametrize("seed", [1, 2])
async def test_an_orderly_stop_loses_nothing_and_a_kill_tells_no_lie(seed: int, tmp_path: Path) -> None:
    ends = [SIGTERM, SIGKILL, SIGTERM, SIGKILL]
    random.Random(seed).shuffle(ends)

    checked = await kill(tmp_path, seed, ends)

    assert checked["accepted"] >= 10 * len(ends)
    assert checked["Completed"] > 0


@pytest.mark.soak
async def test_forty_stops_and_forty_kills(tmp_path: Path) -> None:
    ends = [SIGTERM, SIGKILL] * 40
    random.Random(0).shuffle(ends)

    print(await kill(tmp_path, 0, ends))  # noqa: T201 the figures of a long run
