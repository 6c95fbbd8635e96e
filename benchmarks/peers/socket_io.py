"""Socket.IO: a server in JavaScript, on Node.js."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.load import LoadError, client_frame
from benchmarks.peers.peer import Peer
from benchmarks.server import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import Link

FOLDER = Path(__file__).with_name("socket_io_server")
PACKAGE = FOLDER / "node_modules" / "socket.io" / "package.json"

# Engine.IO's packet types stand first: 0 open, 4 message. Then Socket.IO's: 0 connect, 2 event, 3 acknowledgement.
OPENED, CONNECT, CONNECTED = b"0", b"40", b"40"
LISTEN, LISTENING = b'420["listen","%b"]', b"430[]"
SENT, DELIVERED = b'42["note","%b",%b]', b'42["note",'


class SocketIo(Peer):
    """A room is a room."""

    name = "socket.io"
    title = "Socket.IO"
    install = "npm ci --prefix benchmarks/peers/socket_io_server"
    number_at = len(DELIVERED) + speech.NAME_START

    def program(self, settings: Mapping[str, str]) -> Program:
        """Run it as its documentation says for production."""
        del settings
        return Program(("node", str(FOLDER / "server.mjs")), {"NODE_ENV": "production"})

    def installed(self) -> bool:
        """Say whether Node.js and the package are there."""
        return shutil.which("node") is not None and PACKAGE.exists()

    async def version(self, port: int) -> str:
        """Ask the package."""
        del port
        return str(json.loads(PACKAGE.read_text())["version"])

    def sender_path(self, room: str) -> str:
        """Give the one path that there is."""
        del room
        return "/socket.io/?EIO=4&transport=websocket"

    async def enter(self, link: Link) -> None:
        """Connect to the main namespace."""
        await _expect(link, OPENED)
        link.send(CONNECT)
        await _expect(link, CONNECTED)

    async def listen(self, link: Link, room: str) -> None:
        """Connect and join."""
        await self.enter(link)
        link.send(LISTEN % room.encode())
        await _expect(link, LISTENING)

    def frame(self, payload: bytes, room: str) -> bytes:
        """Write an event."""
        return client_frame(SENT % (room.encode(), payload))


async def _expect(link: Link, start: bytes) -> None:
    came = await link.receive()
    if not came.startswith(start):
        raise LoadError(f"Socket.IO says {came!r} instead of {start!r}")
