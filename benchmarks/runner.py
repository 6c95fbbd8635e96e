"""Runs scenarios: servers take turns round by round, so that what else the machine does meets all of them."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.load import LoadError
from benchmarks.measure import Cores, Figure
from benchmarks.peers import PEERS, THE_BRIDGE, Peer
from benchmarks.report import Result, progress
from benchmarks.server import Server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator

    from benchmarks.load import Group
    from benchmarks.plan import Plan
    from benchmarks.scenario import Open, Part, Sample, Scenario


class Subject(NamedTuple):
    """Whom a scenario measures: a peer, or a variant of the bridge."""

    name: str
    peer: Peer
    open: Open


Samples = dict[str, dict[str, list["Sample"]]]
"""By part, then by subject."""


@dataclass
class Runner:
    """One run of the benchmark.

    Attributes:
        peers: Those that are there.
        cores: Where servers run; those named in ``on_all_cores`` may use the load's as well.
        failures: What could not be measured and why, by scenario and peer.
    """

    plan: Plan
    peers: Iterable[Peer]
    cores: Cores = field(default_factory=Cores)
    on_all_cores: frozenset[str] = frozenset()
    failures: dict[str, str] = field(default_factory=dict)

    async def run(self, scenario: Scenario) -> list[Result]:
        """Measure everybody.

        Raises:
            LoadError: The bridge did something that makes the measurement void. A peer that does is left out of this
                scenario, and ``failures`` say why.
        """
        if missing := scenario.missing():
            self._note(scenario.key, missing)
            return []
        for peer in self.peers:
            if peer.name in scenario.without:
                self._note(f"{scenario.key}/{peer.name}", scenario.without[peer.name])
        subjects = self._subjects(scenario)
        progress(f"{scenario.key}: {', '.join(subject.name for subject in subjects)}")
        samples: Samples = {part.key: {} for part in scenario.parts}
        await (self._fresh if scenario.fresh else self._steady)(scenario, subjects, samples)
        return [result for part in scenario.parts for result in _results(scenario, part, samples[part.key])]

    def _subjects(self, scenario: Scenario) -> list[Subject]:
        if scenario.variants is not None:
            return [Subject(one.name, THE_BRIDGE, one.open) for one in scenario.variants(self.plan)]
        assert scenario.open is not None
        wanted = set(scenario.peers or PEERS) - set(scenario.without)
        return [Subject(peer.name, peer, scenario.open) for peer in self.peers if peer.name in wanted]

    async def _steady(self, scenario: Scenario, subjects: list[Subject], samples: Samples) -> None:
        able = list(subjects)
        groups = {}
        async with AsyncExitStack() as stack:
            for subject in subjects:
                with self._excused(scenario, subject, able):
                    groups[subject] = await stack.enter_async_context(self._clients(scenario, subject))
            for number in range(self.plan.rounds + 1):
                into = samples if number else {}  # the first round warms up
                for subject in list(able):
                    with self._excused(scenario, subject, able):
                        await self._measure(scenario, subject, groups[subject], into)
        _forget_all_but(able, samples)

    async def _fresh(self, scenario: Scenario, subjects: list[Subject], samples: Samples) -> None:
        able = list(subjects)
        for _ in range(self.plan.rounds):
            for subject in list(able):
                with self._excused(scenario, subject, able):
                    async with self._clients(scenario, subject) as group:
                        await self._measure(scenario, subject, group, samples)
        _forget_all_but(able, samples)

    @asynccontextmanager
    async def _clients(self, scenario: Scenario, subject: Subject) -> AsyncIterator[Group]:
        """Start a server, and connect to it."""
        cores = self.cores.all if subject.peer.name in self.on_all_cores else self.cores.server
        async with Server(subject.peer.program(scenario.settings), cores=cores) as server:
            with closing(await subject.open(server, subject.peer, self.plan)) as group:
                yield group

    async def _measure(self, scenario: Scenario, subject: Subject, group: Group, samples: Samples) -> None:
        """Do all parts once."""
        for part in scenario.parts:
            with _nothing_to_collect():
                sample = await part.run(group, self.plan)
            samples.setdefault(part.key, {}).setdefault(subject.name, []).append(sample)

    @contextmanager
    def _excused(self, scenario: Scenario, subject: Subject, able: list[Subject]) -> Iterator[None]:
        """Let a peer fail, which then is not able any more; the bridge may not."""
        try:
            yield
        except (LoadError, OSError) as error:  # a TimeoutError is an OSError
            if subject.peer is THE_BRIDGE:
                raise
            able.remove(subject)
            self._note(f"{scenario.key}/{subject.name}", str(error) or "messages were lost, or took too long")

    def _note(self, where: str, why: str) -> None:
        self.failures[where] = why
        progress(f"{where} is left out: {why}")


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Keep the load's garbage collector off the thousands of clients: to look at all takes as long as messages do."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _forget_all_but(able: list[Subject], samples: Samples) -> None:
    names = {subject.name for subject in able}
    for found in samples.values():
        for name in set(found) - names:
            del found[name]


def _results(scenario: Scenario, part: Part, samples: dict[str, list[Sample]]) -> Iterable[Result]:
    load = {name: Figure.of(sample["load"] for sample in found).median for name, found in samples.items()}
    for metric in part.metrics:
        figures = {name: Figure.of(sample[metric.key] for sample in found) for name, found in samples.items()}
        title = ": ".join(filter(None, (part.title, metric.name)))
        yield Result(f"{scenario.key}/{part.key}/{metric.key}", title, metric.unit, figures, load)
