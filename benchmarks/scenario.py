"""What a scenario is: a table's row, as it were, that the runner can read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.measure import QUIET

if TYPE_CHECKING:
    from benchmarks.load import Group
    from benchmarks.peers import Peer
    from benchmarks.plan import Plan
    from benchmarks.server import Server

Sample = Mapping[str, float]
"""What one round gave: the value of each metric by its key; ``load`` is the share of its core that the load used."""

Open = Callable[["Server", "Peer", "Plan"], Awaitable["Group"]]


@dataclass(frozen=True)
class Metric:
    """One figure of a part: its unit stands with every value, its name where the unit does not say enough."""

    key: str
    unit: str
    name: str = ""


@dataclass(frozen=True)
class Part:
    """Something that is done with the clients of a scenario; ``run`` gets these, whatever ``open`` made."""

    key: str
    title: str
    run: Callable[[Any, Plan], Awaitable[Sample]]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Variant:
    """The bridge with something more or less of something, compared with itself."""

    name: str
    open: Open


@dataclass(frozen=True)
class Scenario:
    """What is measured, and of whom.

    Attributes:
        key: Names it on the command line.
        open: Connects the clients to a server.
        peers: Whom; everybody by default.
        variants: If there are any, the bridge in each of these ways instead.
        settings: The bridge's, beside those of every measurement.
        fresh: Each round has servers and clients of its own. Otherwise all are there from the first to the last, and
            take turns.
        without: Peers that cannot do it, and why.
        missing: Says what it needs and is not there; nothing if all is.
    """

    key: str
    parts: tuple[Part, ...]
    open: Open | None = None
    peers: tuple[str, ...] = ()
    variants: Callable[[Plan], tuple[Variant, ...]] | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: QUIET)
    fresh: bool = False
    without: Mapping[str, str] = field(default_factory=dict)
    missing: Callable[[], str] = str
