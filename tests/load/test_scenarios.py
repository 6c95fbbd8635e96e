"""Every scenario runs, and gives each figure that its row promises."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from benchmarks import idle
from benchmarks.load import LoadError
from benchmarks.pace import paced
from benchmarks.peers import AT_HOME, PEERS, THE_BRIDGE
from benchmarks.plan import Plan
from benchmarks.runner import Runner
from benchmarks.scenario import Metric, Part, Scenario
from benchmarks.scenarios import SCENARIOS
from benchmarks.sdk_page import dropped

if TYPE_CHECKING:
    from benchmarks.load import Group
    from benchmarks.peers import Peer
    from benchmarks.scenario import Sample
    from benchmarks.server import Server

TINY = Plan(
    rounds=1,
    seconds=0.05,
    listeners=5,
    senders=3,
    idle=10,
    storm=10,
    desks=4,
    agents=3,
    recovering=5,
    crowds=(2, 5),
    patterns=(1, 200),
    active=2,
)


@pytest.mark.parametrize("key", SCENARIOS)
async def test_scenario_gives_every_figure_of_everybody_it_measures(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "SETTLE_SECONDS", 0)
    scenario = SCENARIOS[key]

    results = await Runner(TINY, AT_HOME).run(scenario)

    assert [result.key for result in results] == [
        f"{key}/{part.key}/{metric.key}" for part in scenario.parts for metric in part.metrics
    ]
    names = {tuple(result.figures) for result in results}
    assert names <= {("bridge",), ("bridge", "plain"), ("2", "5"), ("1", "200")}
    assert len(names) == 1
    assert all(math.isfinite(value) for result in results for one in result.figures.values() for value in one.rounds)


class Nobody:
    """Clients that are none."""

    def close(self) -> None:
        """Do nothing."""


def failing(server_name: str, *, fresh: bool, opening: bool = False) -> Scenario:
    """A scenario in which one server loses messages."""

    class Named(Nobody):
        def __init__(self, name: str) -> None:
            self.name = name

    async def open_nobody(server: Server, peer: Peer, plan: Plan) -> Group:
        del server, plan
        if opening and peer.name == server_name:
            raise LoadError("a message was lost")
        return Named(peer.name)  # type: ignore[return-value]

    async def run(group: Named, plan: Plan) -> Sample:
        del plan
        if group.name == server_name:
            raise LoadError("a message was lost")
        return {"load": 0.0, "some": 1.0}

    return Scenario("failing", (Part("part", "part", run, (Metric("some", "s"),)),), open_nobody, fresh=fresh)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("opening", [False, True])
async def test_peer_that_fails_is_left_out_and_that_is_told(fresh: bool, opening: bool) -> None:  # noqa: FBT001
    runner = Runner(Plan(rounds=2), AT_HOME)

    (result,) = await runner.run(failing("plain", fresh=fresh, opening=opening))

    assert list(result.figures) == ["bridge"]
    assert len(result.figures["bridge"].rounds) == 2
    assert runner.failures == {"failing/plain": "a message was lost"}


async def test_peer_that_is_known_not_to_be_able_is_not_asked_and_that_is_told() -> None:
    scenario = replace(failing("plain", fresh=True), without={"plain": "it cannot"})
    runner = Runner(Plan(rounds=1), AT_HOME)

    (result,) = await runner.run(scenario)

    assert list(result.figures) == ["bridge"]
    assert runner.failures == {"failing/plain": "it cannot"}


async def test_failing_bridge_makes_the_measurement_void() -> None:
    with pytest.raises(LoadError, match="a message was lost"):
        await Runner(Plan(rounds=1), [THE_BRIDGE]).run(failing("bridge", fresh=True))


async def test_pace_sends_as_many_as_asked_and_tells_how_late_each_was() -> None:
    sent: list[None] = []

    late = await paced(10_000, 50, lambda: sent.append(None))

    assert len(sent) == 50
    assert len(late) == 50
    assert min(late) > -0.0001


def test_peers_that_a_scenario_names_exist() -> None:
    for scenario in SCENARIOS.values():
        assert {*scenario.peers, *scenario.without} <= set(PEERS)


async def test_scenario_that_lacks_something_says_what() -> None:
    runner = Runner(TINY, AT_HOME)

    assert await runner.run(replace(SCENARIOS["sdk"], missing=lambda: "no browser here")) == []
    assert runner.failures == {"sdk": "no browser here"}


@pytest.mark.parametrize(
    ("drawn", "share"), [([0.0, 1000.0], 59 / 60), ([number * 1000 / 60 for number in range(61)], 0), ([5.0], 1)]
)
def test_frames_that_were_not_drawn_are_a_share_of_those_that_were_due(drawn: list[float], share: float) -> None:
    assert dropped(drawn) == pytest.approx(share)
