"""What one run at Finesse's look-alike showed, as figures and as text."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Final, Self

from benchmarks.finesse_times import Times
from benchmarks.measure import BUSY_SHARE, percentile

SHARES: Final = (0.5, 0.99, 0.999)


DISTURBED: Final = 0.01
"""From this share of the time on that others ran on the bridge's core, times say more about them than about it."""

STARVED: Final = 1 / 3
"""From this share on that others ran on Prosody's core, it sends in heaps what it should have sent one by one."""


@dataclass(frozen=True)
class Cost:
    """How long something took, and the CPU seconds of everybody meanwhile.

    ``delayed`` are the seconds for which the bridge was ready to run and others ran on its core; the same of Prosody.
    """

    seconds: float = 0.0
    bridge: float = 0.0
    look_alike: float = 0.0
    prosody: float = 0.0
    load: float = 0.0
    delayed: float = 0.0
    prosody_delayed: float = 0.0

    @property
    def disturbed(self) -> bool:
        """Whether others ran where the bridge should have, or so much where Prosody should have that it matters."""
        return self.delayed >= DISTURBED * self.seconds or self.prosody_delayed >= STARVED * self.seconds

    def __sub__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, each.name) - getattr(other, each.name) for each in fields(self)))

    def shares(self, other_cores: int) -> str:
        """Give what each used of a core, and whether those who share cores were short of them."""
        others = {"look-alike": self.look_alike, "Prosody": self.prosody, "load": self.load}
        told = [f"{name} {used / self.seconds:.0%}" for name, used in others.items()]
        short = sum(others.values()) >= BUSY_SHARE * self.seconds * other_cores
        limit = " (these were the LIMIT)" if short else ""
        delayed = (
            f"; others kept the bridge from its core for {self.delayed / self.seconds:.1%} of the time, "
            f"Prosody for {self.prosody_delayed / self.seconds:.0%}"
        )
        return f"of a core: bridge {self.bridge / self.seconds:.0%}, {', '.join(told)}{limit}{delayed}"


@dataclass(frozen=True)
class Memory:
    """Bytes of the bridge: resident, allocated by itself, and what of that is held."""

    resident: int = 0
    own: int = 0
    held: int = 0

    def __sub__(self, other: Self) -> Self:
        return type(self)(self.resident - other.resident, self.own - other.own, self.held - other.held)


@dataclass
class Result:
    """What one run showed.

    Attributes:
        signed_in: For each agent, from when all were asked for until it was connected.
        late: Consults that had to wait for a free agent.
        ended: From sending a command to its outcome, at the widget.
        waited: From sending a WebSocket ping to its answer: how long the bridge's event loop lets wait.
    """

    agents: int
    other_cores: int
    signed_in: list[float] = field(default_factory=list)
    signing_in: Cost = field(default_factory=Cost)
    memory: Memory = field(default_factory=Memory)
    consults: int = 0
    late: int = 0
    consulting: Cost = field(default_factory=Cost)
    outcomes: Counter[str] = field(default_factory=Counter)
    times: Times = field(default_factory=Times)
    ended: list[float] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Give the figures as text."""
        signing_in, consulting, times = self.signing_in, self.consulting, self.times
        resident, own, held = (
            f"{getattr(self.memory, each.name) / self.agents / 1024:.0f} KB" for each in fields(Memory)
        )
        all_after, half_after = max(self.signed_in), percentile(self.signed_in, 0.5)
        outcomes = ", ".join(f"{count:,} {name}" for name, count in sorted(self.outcomes.items()))
        return [
            (
                f"{self.agents} agents signed in at once: all after {all_after:.2f} s, half after {half_after:.2f} s; "
                f"bridge {signing_in.bridge / self.agents * 1000:.1f} ms of CPU each; "
                f"{signing_in.shares(self.other_cores)}"
            ),
            f"memory of the bridge per agent: {resident} resident, {own} allocated, {held} held",
            (
                f"{self.consults:,} consults in {consulting.seconds:.1f} s, {self.late} waited for a free agent; "
                f"bridge {consulting.bridge / self.consults * 1000:.1f} ms of CPU each; "
                f"{consulting.shares(self.other_cores)}"
            ),
            f"every command has one outcome: {outcomes}",
            _line("from a notification's arrival at the bridge to its event, queued (the bridge alone)", times.bridge),
            _line("from the same arrival to the event at the widget", times.delivered),
            _line("a WebSocket ping to the bridge and back (waiting for its loop)", self.waited),
            _line("from the 202 to the first event at the widget (look-alike and Prosody included)", times.first_event)
            + f"; {times.early} came before the 202",
            _line("from the 202 to the outcome at the widget", times.outcome),
            _line("from sending the command to the outcome, at the widget", self.ended),
        ]


def _line(what: str, seconds: list[float]) -> str:
    if not seconds:
        return f"{what}: none"
    shown = ", ".join(f"p{share * 100:g} {percentile(seconds, share) * 1000:.2f} ms" for share in SHARES)
    return f"{what}: {shown} ({len(seconds):,} times)"
