"""What the bridge must reach: ratios to peers of the same run, and bounds that hold for themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from benchmarks.report import Result


@dataclass(frozen=True)
class Bound:
    """A limit on the figure, or on its ratio to that of another subject.

    With ``every_round`` the worst round must keep to it: a median would hide a pause that comes now and then.
    """

    limit: float
    of: str | None = None
    at_least: bool = False
    every_round: bool = False

    def met(self, value: float) -> bool:
        """Say whether the value keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}" + (f" of {self.of}" if self.of else "")


@dataclass(frozen=True)
class Budget:
    """What one result must keep to.

    Attributes:
        key: Of the result.
        bounds: The first counts whose other subject has been measured. Those to the plain server stand for those to
            peers that are not there: what the peer took of the plain server's figure when both were measured.
        who: The subject that is judged.
    """

    key: str
    bounds: tuple[Bound, ...]
    why: str
    who: str = "bridge"

    def judge(self, result: Result) -> Verdict | None:
        """Hold a result against it; ``None`` if those that it needs have not been measured."""
        mine = result.figures.get(self.who)
        for bound in self.bounds:
            if mine is not None and bound.of is None:
                return Verdict(self, bound, max(mine.rounds) if bound.every_round else mine.median)
            if mine is not None and bound.of in result.figures:
                return Verdict(self, bound, mine.over(result.figures[bound.of]).median)
        return None


class Verdict(NamedTuple):
    """A budget, which of its bounds counts, and the value that is held against it."""

    budget: Budget
    bound: Bound
    value: float

    @property
    def met(self) -> bool:
        """Whether the bridge keeps to it."""
        return self.bound.met(self.value)


BUDGETS = (
    Budget(
        "fan-out/burst/cpu",
        (Bound(0.5, "nats"), Bound(0.06, "plain")),
        "twice the deliveries per CPU second of nats-server, a broker in Go",
    ),
    Budget(
        "fan-out/single/cpu",
        (Bound(1.35, "nchan"), Bound(0.94, "plain")),
        "one system call per session and message is the floor; a module of nginx in C is near it",
    ),
    Budget(
        "inbound/one/rate",
        (Bound(0.75, "nats", at_least=True), Bound(0.96, "plain", at_least=True)),
        "nats-server neither looks into messages nor keeps them; the bridge checks each; the aim is 1",
    ),
    Budget("idle/memory/memory", (Bound(8),), "50,000 idle sessions in 400 MB"),
    Budget(
        "workspaces/publish/cpu",
        (Bound(1.2, "10"),),
        "ten thousand desktops cost each of them no more than ten do",
        who="10,000",
    ),
    Budget("commands/1000/accepted p99", (Bound(5, every_round=True),), "an agent does not feel it; in every round"),
    Budget("site/500/p99", (Bound(10),), "a call's event is on all screens of the desk before the agent looks"),
)


def verdicts(results: list[Result]) -> dict[str, Verdict]:
    """Judge all results that have a budget, by their keys."""
    by_key = {result.key: result for result in results}
    judged = {budget.key: budget.judge(by_key[budget.key]) for budget in BUDGETS if budget.key in by_key}
    return {key: verdict for key, verdict in judged.items() if verdict is not None}
