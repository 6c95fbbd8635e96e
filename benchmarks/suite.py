"""The scenarios, each for the bridge and, where it can do the same, the plain server.

Peers take turns round by round, so that what else the machine does meets both.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, closing
from typing import TYPE_CHECKING

from benchmarks import report, speech
from benchmarks.commands import FIRST_EXTENSION, Commands
from benchmarks.crowd import Crowd
from benchmarks.fan_out import BURST, FanOut
from benchmarks.idle import Idle, idle_sessions
from benchmarks.inbound import Acknowledged, Inbound
from benchmarks.measure import QUIET, Figure, Server, Span, percentile
from benchmarks.peers import PEERS, THE_BRIDGE, THE_PLAIN, Peer
from benchmarks.plan import SESSIONS_PER_DESK
from benchmarks.report import Budget, Row, progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from benchmarks.plan import Plan

IN_FLIGHT = 8
INSTANT = QUIET | {"BRIDGE_SIMULATOR_REACTION_MS": "0"}
"""The simulated switch answers at once: what is measured is the bridge's own share."""

Spans = dict[str, list[Span]]


class Suite:
    """All scenarios of one run. ``core`` is the servers'."""

    def __init__(self, plan: Plan, core: int | None) -> None:
        self._plan = plan
        self._core = core

    def _server(self, peer: Peer, settings: Mapping[str, str] = QUIET) -> Server:
        return Server(peer.module, settings, core=self._core)

    async def fan_out(self) -> list[Row]:
        """One message to many sessions of one workspace, one at a time and in bursts."""
        progress(f"fan-out to {self._plan.listeners} sessions")
        single: Spans = {}
        burst: Spans = {}
        async with AsyncExitStack() as stack:
            groups = {}
            for peer in PEERS:
                server = await stack.enter_async_context(self._server(peer))
                group = await FanOut.open(server, peer, self._plan.listeners)
                groups[peer.name] = stack.enter_context(closing(group))
            for _ in range(self._plan.rounds):
                for name, group in groups.items():
                    single.setdefault(name, []).append(await group.round(1, self._plan.seconds))
                    burst.setdefault(name, []).append(await group.round(BURST, self._plan.seconds))
        what = f"fan-out to {self._plan.listeners}"
        return [
            *_rows(f"{what}, one at a time", ("delivery", "deliveries"), single, cpu=report.SINGLE),
            *_rows(f"{what}, bursts of {BURST}", ("delivery", "deliveries"), burst, cpu=report.BURST),
        ]

    async def inbound(self) -> list[Row]:
        """Many sessions publish, one reads."""
        progress(f"inbound from {self._plan.senders} sessions")
        single: Spans = {}
        several: Spans = {}
        async with AsyncExitStack() as stack:
            groups = {}
            for peer in PEERS:
                server = await stack.enter_async_context(self._server(peer))
                group = await Inbound.open(server, peer, self._plan.senders)
                groups[peer.name] = stack.enter_context(closing(group))
            for _ in range(self._plan.rounds):
                for name, group in groups.items():
                    single.setdefault(name, []).append(await group.round(1, self._plan.seconds))
                    several.setdefault(name, []).append(await group.round(IN_FLIGHT, self._plan.seconds))
        return [
            *_rows("inbound, 1 in flight each", ("message", "messages"), single, rate=report.INBOUND),
            *_rows(f"inbound, {IN_FLIGHT} in flight each", ("message", "messages"), several),
        ]

    async def acknowledged(self) -> list[Row]:
        """Do the same with ids and ``Accepted``, which the plain server does not have."""
        progress("inbound with ids and Accepted")
        single: Spans = {}
        several: Spans = {}
        async with self._server(THE_BRIDGE) as server:
            with closing(await Acknowledged.open(server, THE_BRIDGE, self._plan.senders)) as group:
                for _ in range(self._plan.rounds):
                    single.setdefault("bridge", []).append(await group.round(1, self._plan.seconds))
                    several.setdefault("bridge", []).append(await group.round(IN_FLIGHT, self._plan.seconds))
        return [
            *_rows("with id and Accepted, 1 in flight each", ("message", "messages"), single),
            *_rows(f"with id and Accepted, {IN_FLIGHT} in flight each", ("message", "messages"), several),
        ]

    async def idle(self) -> list[Row]:
        """Sessions that do nothing, in one workspace; and as on real desktops, some to each, with an agent."""
        progress(f"{self._plan.idle} idle sessions")
        count = self._plan.idle
        bridge = await self._idle(THE_BRIDGE, lambda _: THE_BRIDGE.sender_path)
        plain = await self._idle(THE_PLAIN, lambda _: THE_PLAIN.sender_path)
        desks = await self._idle(
            THE_BRIDGE, lambda number: speech.bridge_path(str(FIRST_EXTENSION + number // SESSIONS_PER_DESK))
        )
        size = Figure.of([one.bytes_each / 1024 for one in bridge])
        plain_size = Figure.of([one.bytes_each / 1024 for one in plain])
        spread = Figure.of([one.bytes_each / 1024 for one in desks])
        connecting = {"bridge": [one.connecting for one in bridge], "plain": [one.connecting for one in plain]}
        return [
            Row(f"memory per idle session, {count} in one workspace", "KB", size, plain_size, report.MEMORY),
            Row(f"same, {SESSIONS_PER_DESK} to a workspace with its agent", "KB", spread),
            *_rows("connecting", ("connection", "connections"), connecting),
        ]

    async def _idle(self, peer: Peer, path: Callable[[int], str]) -> list[Idle]:
        measured = []
        for _ in range(self._plan.idle_rounds):
            async with self._server(peer) as server:
                measured.append(await idle_sessions(server, list(map(path, range(self._plan.idle))), peer.enter))
        return measured

    async def commands(self) -> list[Row]:
        """Commands at a fixed rate, and how long they take."""
        rate = self._plan.commands_per_second
        progress(f"{rate} commands a second")
        found: dict[str, list[float]] = {}
        spans = []
        async with self._server(THE_BRIDGE, INSTANT) as server:
            with closing(await Commands.open(server, self._plan.agents)) as group:
                for _ in range(self._plan.rounds + 1):
                    spans.append(await group.round(rate, self._plan.seconds * 2))
                    for name, values in (("accepted", group.accepted), ("ended", group.ended), ("late", group.late)):
                        for share in (0.5, 0.99, 1.0):
                            found.setdefault(f"{name} {share}", []).append(percentile(values, share) * 1000)
        figures = {name: Figure.of(values[1:]) for name, values in found.items()}  # the first round warms up
        what = f"{rate} commands a second"
        return [
            Row(f"{what}: Accepted after, median", "ms", figures["accepted 0.5"]),
            Row(f"{what}: Accepted after, p99", "ms", figures["accepted 0.99"], None, report.ACCEPTED),
            Row(f"{what}: Accepted after, longest", "ms", figures["accepted 1.0"]),
            Row(f"{what}: outcome after, median", "ms", figures["ended 0.5"]),
            Row(f"{what}: outcome after, p99", "ms", figures["ended 0.99"]),
            Row(f"{what}: sent late by the load, p99", "ms", figures["late 0.99"]),
            Row(f"{what}: server CPU", "µs/command", Figure.of([span.cpu_us for span in spans[1:]])),
        ]

    async def crowd(self) -> list[Row]:
        """Publish in few of few workspaces, in few of many, and in all of many."""
        few, many = self._plan.few_workspaces, self._plan.many_workspaces
        progress(f"publishing among {few} and among {many} workspaces")
        costs: dict[str, list[float]] = {"few": [], "many": [], "all": []}
        async with self._server(THE_BRIDGE) as small, self._server(THE_BRIDGE) as large:
            with closing(await Crowd.open(small, few)) as a_few, closing(await Crowd.open(large, many)) as a_crowd:
                await a_crowd.round(many, self._plan.seconds)  # every workspace has had a message
                for _ in range(self._plan.rounds):
                    costs["few"].append((await a_few.round(few, self._plan.seconds)).cpu_us)
                    costs["many"].append((await a_crowd.round(few, self._plan.seconds)).cpu_us)
                    costs["all"].append((await a_crowd.round(many, self._plan.seconds)).cpu_us)
        among_many, in_all = (
            Figure.of([cost / base for cost, base in zip(costs[name], costs["few"], strict=True)])
            for name in ("many", "all")
        )
        return [
            Row(f"publish and echo, {few} workspaces", "µs CPU/message", Figure.of(costs["few"])),
            Row(f"same in {few} of {many} workspaces, to that", "ratio", among_many, None, report.CROWD),
            Row(f"same in all of {many} workspaces in turn, to that", "ratio", in_all),
        ]

    @property
    def scenarios(self) -> dict[str, Callable[[], Awaitable[list[Row]]]]:
        """Name them."""
        methods = (self.fan_out, self.inbound, self.acknowledged, self.idle, self.commands, self.crowd)
        return {method.__name__: method for method in methods}


def _rows(
    what: str, names: tuple[str, str], spans: Spans, *, cpu: Budget | None = None, rate: Budget | None = None
) -> list[Row]:
    """Make the row of the server's CPU, and that of the rate; ``names`` are those of one and of many."""
    one, many = names
    costs = {name: Figure.of([span.cpu_us for span in found]) for name, found in spans.items()}
    rates = {name: Figure.of([span.rate for span in found]) for name, found in spans.items()}
    load = tuple(Figure.of([span.load_share for span in found]).median for found in spans.values())
    return [
        Row(what, f"µs CPU/{one}", costs["bridge"], costs.get("plain"), cpu),
        Row(what, f"{many}/s", rates["bridge"], rates.get("plain"), rate, load),
    ]
