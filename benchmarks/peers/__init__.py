"""The servers that are compared, one module each."""

from __future__ import annotations

from benchmarks.peers.bridge import Bridge
from benchmarks.peers.nats import Nats
from benchmarks.peers.nchan import Nchan
from benchmarks.peers.peer import Peer
from benchmarks.peers.plain import Plain
from benchmarks.peers.socket_io import SocketIo

PEERS: dict[str, Peer] = {peer.name: peer for peer in (Bridge(), Plain(), Nats(), Nchan(), SocketIo())}
"""All of them, in the order of tables."""

THE_BRIDGE = PEERS["bridge"]

AT_HOME = (THE_BRIDGE, PEERS["plain"])
"""Those that need nothing but the project itself."""

__all__ = ["AT_HOME", "PEERS", "THE_BRIDGE", "Peer"]
