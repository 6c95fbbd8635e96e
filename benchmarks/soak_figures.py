"""What a soak counts and times."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.measure import percentile

SHARES = (0.5, 0.99, 0.999)


@dataclass
class Figures:
    """Counts and seconds of one round.

    Attributes:
        accepted: From sending a message to its ``Accepted``.
        ended: From sending a command to its outcome, as the stream shows it.
        delivered: Messages that sessions got, recovered ones included.
        memory: The server's bytes after all have left, as the system shows them.
        held: The same without garbage, and without free memory that the allocator has kept.
        load_share: How much of its core the load used; near the whole of it, the latencies are the load's own.
        server_share: The same of the server.
    """

    accepted: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    delivered: int = 0
    recovered: int = 0
    reconnects: int = 0
    resent: int = 0
    memory: int = 0
    held: int = 0
    load_share: float = 0.0
    server_share: float = 0.0

    def lines(self) -> list[str]:
        """Give the figures as text."""
        counts = (
            f"{self.delivered:,} delivered, {self.recovered:,} of them recovered in {self.reconnects:,} reconnects; "
            f"{len(self.ended):,} commands ended, {self.resent:,} sent twice; "
            f"{self.memory / 2**20:.1f} MB after all left, "
            f"{self.held / 2**20:.1f} MB of it held; "
            f"the server used {self.server_share:.0%} of its core, the load {self.load_share:.0%}"
        )
        return [counts, _times("Accepted after", self.accepted), _times("outcome after", self.ended)]


def _times(what: str, seconds: list[float]) -> str:
    if not seconds:
        return f"{what}: none"
    shown = ", ".join(f"p{share * 100:g} {percentile(seconds, share) * 1000:.1f} ms" for share in SHARES)
    return f"{what}: {shown} ({len(seconds):,} times)"
