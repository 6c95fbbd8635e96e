"""What the design is there for, guarded by ratios that noise does not break. No absolute times: machines differ.

The ratios are to a plain `websockets` server of the same run, and of CPU: rates would depend on what else runs.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, closing

from benchmarks.fan_out import BURST, FanOut
from benchmarks.idle import Newcomers
from benchmarks.inbound import Inbound
from benchmarks.measure import QUIET
from benchmarks.peers import AT_HOME, Peer
from benchmarks.publish_path import bridge_publish, costs, plain_publish
from benchmarks.server import Server

LISTENERS = 300
SENDERS = 100
SESSIONS = 1000
ROUNDS = 10
SECONDS = 0.15


async def cpu_by_turns(load: type[FanOut | Inbound], clients: int, messages: int) -> dict[str, float]:
    """Let both servers take turns; give the least of each, since what else runs only ever adds."""
    spent: dict[str, list[float]] = {peer.name: [] for peer in AT_HOME}
    async with AsyncExitStack() as stack:
        groups = {}
        for peer in AT_HOME:
            server = await stack.enter_async_context(Server(peer.program(QUIET)))
            groups[peer.name] = stack.enter_context(closing(await load.open(server, peer, clients)))
        for _ in range(ROUNDS):
            for name, group in groups.items():
                spent[name].append((await group.round(messages, SECONDS)).cpu_us)
    return {name: min(rounds) for name, rounds in spent.items()}


async def test_burst_fan_out_costs_less_than_a_third_of_the_plain_server() -> None:
    cost = await cpu_by_turns(FanOut, LISTENERS, BURST)

    assert cost["bridge"] < cost["plain"] / 3, cost


async def test_single_fan_out_costs_no_more_than_the_plain_server() -> None:
    cost = await cpu_by_turns(FanOut, LISTENERS, 1)

    assert cost["bridge"] < cost["plain"], cost


async def test_taking_messages_in_costs_little_more_than_passing_them_on_unread() -> None:
    cost = await cpu_by_turns(Inbound, SENDERS, 1)

    assert cost["bridge"] < 1.4 * cost["plain"], cost


async def memory_per_session(peer: Peer) -> float:
    async with Server(peer.program(QUIET)) as server:
        with closing(await Newcomers.open(server, peer, ["bench"] * SESSIONS)) as group:
            return (await group.settle()).bytes_each


async def test_idle_session_takes_less_memory_than_on_the_plain_server() -> None:
    bridge, plain = [await memory_per_session(peer) for peer in AT_HOME]

    assert bridge < plain


def test_publish_costs_less_than_twice_what_passing_on_unread_does_and_no_more_among_many_workspaces() -> None:
    cost = costs({"plain": plain_publish(), "among 10": bridge_publish(10), "among 5,000": bridge_publish(5000)})

    assert cost["among 10"] < 2 * cost["plain"], cost
    assert cost["among 5,000"] < 1.2 * cost["among 10"], cost
