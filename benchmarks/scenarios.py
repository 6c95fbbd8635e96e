"""The scenarios, as a table: who connects, what is done then, and which figures that gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import sdk_page
from benchmarks.commands import FIRST_EXTENSION, Commands
from benchmarks.crowd import Crowd
from benchmarks.fan_out import BURST, FanOut
from benchmarks.idle import Newcomers
from benchmarks.inbound import Acknowledged, Inbound
from benchmarks.measure import QUIET, percentile
from benchmarks.notice import Notice
from benchmarks.plan import SESSIONS_PER_DESK
from benchmarks.recovery import MISSED, Recovery
from benchmarks.scenario import Metric, Part, Scenario, Variant
from benchmarks.sdk_page import SdkPage
from benchmarks.site import Site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.load import Group
    from benchmarks.measure import Span
    from benchmarks.peers import Peer
    from benchmarks.plan import Plan
    from benchmarks.scenario import Sample
    from benchmarks.server import Server

IN_FLIGHT = 8
NOTICES = 10
INSTANT = QUIET | {"BRIDGE_SIMULATOR_REACTION_MS": "0"}
"""The simulated switch answers at once: what is measured is the bridge's own share."""

ONLY_THE_BRIDGE = ("bridge",)


def _cost(measured: Span) -> Sample:
    return {"cpu": measured.cpu_us, "rate": measured.rate, "load": measured.load_share}


def _times(prefix: str, seconds: list[float], shares: Mapping[str, float]) -> Sample:
    return {f"{prefix}{name}": percentile(seconds, share) * 1000 for name, share in shares.items()}


P50_99_999 = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
P99 = {"p99": 0.99}


def _work(one: str, many: str) -> tuple[Metric, ...]:
    return Metric("cpu", f"µs CPU/{one}"), Metric("rate", f"{many}/s")


# Fan-out


async def _open_fan_out(server: Server, peer: Peer, plan: Plan) -> Group:
    return await FanOut.open(server, peer, plan.listeners)


def _burst(size: int) -> Part:
    async def run(group: FanOut, plan: Plan) -> Sample:
        return _cost(await group.round(size, plan.seconds))

    title = "one message at a time" if size == 1 else f"bursts of {size}"
    return Part("single" if size == 1 else "burst", f"fan-out, {title}", run, _work("delivery", "deliveries"))


# Inbound


async def _open_inbound(server: Server, peer: Peer, plan: Plan) -> Group:
    return await Inbound.open(server, peer, plan.senders)


async def _open_acknowledged(server: Server, peer: Peer, plan: Plan) -> Group:
    return await Acknowledged.open(server, peer, plan.senders)


def _in_flight(count: int, what: str) -> Part:
    async def run(group: Inbound | Acknowledged, plan: Plan) -> Sample:
        return _cost(await group.round(count, plan.seconds))

    return Part(
        "one" if count == 1 else "several", f"{what}, {count} in flight each", run, _work("message", "messages")
    )


# A site


async def _open_site(server: Server, peer: Peer, plan: Plan) -> Group:
    return await Site.open(server, peer, plan.desks)


def _events(rate: int) -> Part:
    async def run(group: Site, plan: Plan) -> Sample:
        measured = await group.round(rate, plan.seconds * 2)
        waited = _times("", group.waited, P50_99_999)
        return {**_cost(measured), **waited, **_times("late ", group.late, P99)}

    metrics = (
        *(Metric(name, "ms", f"arrival after, {name}") for name in P50_99_999),
        Metric("late p99", "ms", "written late by the load, p99"),
        Metric("cpu", "µs CPU/delivery"),
    )
    return Part(str(rate), f"site, {rate:,} events/s", run, metrics)


# Commands


async def _open_commands(server: Server, peer: Peer, plan: Plan) -> Group:
    del peer
    return await Commands.open(server, plan.agents)


def _commands(rate: int) -> Part:
    async def run(group: Commands, plan: Plan) -> Sample:
        measured = await group.round(rate, plan.seconds * 2)
        accepted = _times("accepted ", group.accepted, P50_99_999)
        ended = _times("ended ", group.ended, P50_99_999)
        return {**_cost(measured), **accepted, **ended, **_times("late ", group.late, P99)}

    metrics = (
        *(Metric(f"accepted {name}", "ms", f"Accepted after, {name}") for name in P50_99_999),
        *(Metric(f"ended {name}", "ms", f"outcome after, {name}") for name in P50_99_999),
        Metric("late p99", "ms", "sent late by the load, p99"),
        Metric("cpu", "µs CPU/command"),
    )
    return Part(str(rate), f"{rate:,} commands/s", run, metrics)


# Coming, being there, coming back


async def _open_idle(server: Server, peer: Peer, plan: Plan) -> Group:
    return await Newcomers.open(server, peer, ["bench"] * plan.idle)


async def _open_desks(server: Server, peer: Peer, plan: Plan) -> Group:
    rooms = [str(FIRST_EXTENSION + number // SESSIONS_PER_DESK) for number in range(plan.idle)]
    return await Newcomers.open(server, peer, rooms)


async def _open_storm(server: Server, peer: Peer, plan: Plan) -> Group:
    return await Newcomers.open(server, peer, _desks(plan.storm))


async def _settle(group: Newcomers, plan: Plan) -> Sample:
    del plan
    idle = await group.settle()
    return {**_cost(idle.connecting), "memory": idle.bytes_each / 1024}


async def _storm(group: Newcomers, plan: Plan) -> Sample:
    del plan
    storm = await group.storm()
    times = {"last": max(storm.waited), "p50": percentile(storm.waited, 0.5)}
    return {**_cost(storm.connecting), **times, "refused": storm.refused}


async def _open_recovery(server: Server, peer: Peer, plan: Plan) -> Group:
    del plan
    return await Recovery.open(server, peer)


async def _recover(group: Recovery, plan: Plan) -> Sample:
    measured = await group.round(plan.recovering)
    return {**_cost(measured), "last": max(group.waited), "p50": percentile(group.waited, 0.5)}


async def _open_notice(server: Server, peer: Peer, plan: Plan) -> Group:
    return await Notice.open(server, peer, _desks(plan.idle))


async def _notice(group: Notice, plan: Plan) -> Sample:
    del plan
    measured = await group.round(NOTICES)
    return {**_cost(measured), "p50": percentile(group.waited, 0.5) * 1000, "last": max(group.waited) * 1000}


def _desks(sessions: int) -> Sequence[str]:
    return [f"w{number // SESSIONS_PER_DESK}" for number in range(sessions)]


MEMORY = Metric("memory", "KB/session")
ALL_IN = (
    Metric("p50", "s", "half of them after"),
    Metric("last", "s", "the last after"),
    Metric("cpu", "µs CPU/session"),
)
REFUSED = Metric("refused", "attempts", "refused, and made again")


# What a publish must not depend on


def _workspaces(plan: Plan) -> tuple[Variant, ...]:
    def variant(count: int) -> Variant:
        async def open_crowd(server: Server, peer: Peer, plan: Plan) -> Group:
            del peer
            return await Crowd.of_workspaces(server, count, plan.active)

        return Variant(f"{count:,}", open_crowd)

    return tuple(map(variant, plan.crowds))


def _patterns(plan: Plan) -> tuple[Variant, ...]:
    def variant(count: int) -> Variant:
        async def open_crowd(server: Server, peer: Peer, plan: Plan) -> Group:
            del peer, plan
            return await Crowd.of_patterns(server, count)

        return Variant(f"{count:,}", open_crowd)

    return tuple(map(variant, plan.patterns))


async def _echo(group: Crowd, plan: Plan) -> Sample:
    return _cost(await group.round(plan.seconds))


# The browser client


async def _open_sdk(server: Server, peer: Peer, plan: Plan) -> Group:
    del plan
    return await SdkPage.open(server, peer)


async def _climb(group: SdkPage, plan: Plan) -> Sample:
    kept_up, measured = await group.climb(plan.seconds)
    return {"kept up": kept_up, "load": measured.load_share}


NCHAN_LOSES = "confirms messages of many WebSocket publishers that its subscribers do not all get"

SCENARIOS = {
    scenario.key: scenario
    for scenario in (
        Scenario("fan-out", (_burst(1), _burst(BURST)), _open_fan_out),
        Scenario(
            "inbound",
            (_in_flight(1, "inbound"), _in_flight(IN_FLIGHT, "inbound")),
            _open_inbound,
            without={"nchan": NCHAN_LOSES},
        ),
        Scenario(
            "acknowledged",
            (_in_flight(1, "inbound with Accepted"), _in_flight(IN_FLIGHT, "inbound with Accepted")),
            _open_acknowledged,
            peers=ONLY_THE_BRIDGE,
        ),
        Scenario("site", (_events(500), _events(5000)), _open_site, fresh=True),
        Scenario("commands", (_commands(1000),), _open_commands, peers=ONLY_THE_BRIDGE, settings=INSTANT),
        Scenario(
            "idle",
            (Part("memory", "idle sessions", _settle, (MEMORY, Metric("cpu", "µs CPU/connection"))),),
            _open_idle,
            fresh=True,
        ),
        Scenario(
            "desks",
            (Part("memory", "idle sessions on desks with an agent", _settle, (MEMORY,)),),
            _open_desks,
            peers=ONLY_THE_BRIDGE,
            fresh=True,
        ),
        Scenario("storm", (Part("storm", "all connect at once", _storm, (*ALL_IN, REFUSED)),), _open_storm, fresh=True),
        Scenario(
            "recovery",
            (Part("recovery", f"all come back at once, each for {MISSED} messages", _recover, ALL_IN),),
            _open_recovery,
            peers=ONLY_THE_BRIDGE,
        ),
        Scenario(
            "notice",
            (
                Part(
                    "notice",
                    "site-wide notice",
                    _notice,
                    (
                        Metric("p50", "ms", "half have it after"),
                        Metric("last", "ms", "the last has it after"),
                        Metric("cpu", "µs CPU/delivery"),
                    ),
                ),
            ),
            _open_notice,
            peers=ONLY_THE_BRIDGE,
        ),
        Scenario(
            "workspaces",
            (Part("publish", "publish and echo, by workspaces", _echo, _work("message", "messages")),),
            variants=_workspaces,
        ),
        Scenario(
            "patterns",
            (Part("publish", "publish and echo, by patterns", _echo, _work("message", "messages")),),
            variants=_patterns,
        ),
        Scenario(
            "sdk",
            (Part("chromium", "browser client, until frames drop", _climb, (Metric("kept up", "messages/s"),)),),
            _open_sdk,
            peers=ONLY_THE_BRIDGE,
            fresh=True,
            missing=sdk_page.missing,
        ),
    )
}
"""By key."""
