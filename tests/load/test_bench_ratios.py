"""What the design is there for, guarded by ratios that noise does not break. No absolute times: machines differ."""

from __future__ import annotations

from contextlib import closing

from benchmarks.fan_out import BURST, FanOut
from benchmarks.idle import idle_sessions
from benchmarks.measure import QUIET, Figure, Server
from benchmarks.peers import PEERS, THE_BRIDGE, THE_PLAIN, Peer

LISTENERS = 300
SESSIONS = 1000
ROUNDS = 3
SECONDS = 0.5


async def fan_out_cpu(peer: Peer, burst: int) -> float:
    async with Server(peer.module, QUIET) as server:
        with closing(await FanOut.open(server, peer, LISTENERS)) as group:
            rounds = [await group.round(burst, SECONDS) for _ in range(ROUNDS)]
            return Figure.of([measured.cpu_us for measured in rounds]).median


async def test_burst_fan_out_costs_less_than_a_third_of_the_plain_server() -> None:
    cost = {peer.name: await fan_out_cpu(peer, BURST) for peer in PEERS}

    assert cost["bridge"] < cost["plain"] / 3, cost


async def memory_per_session(peer: Peer) -> float:
    async with Server(peer.module, QUIET) as server:
        return (await idle_sessions(server, [peer.sender_path] * SESSIONS, peer.enter)).bytes_each


async def test_idle_session_takes_less_memory_than_on_the_plain_server() -> None:
    bridge, plain = await memory_per_session(THE_BRIDGE), await memory_per_session(THE_PLAIN)

    assert bridge < plain
