"""A plain broadcast server on `websockets`."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks.peers.peer import Peer
from benchmarks.server import python_module

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.server import Program


class Plain(Peer):
    """The least that a server in Python can do; see ``plain_server``."""

    name = "plain"
    title = "websockets, plain broadcast"

    def program(self, settings: Mapping[str, str]) -> Program:
        """Run it."""
        del settings
        return python_module("benchmarks.plain_server")

    async def version(self, port: int) -> str:
        """Ask the package."""
        del port
        return version("websockets")

    def sender_path(self, room: str) -> str:
        """Give the path of a connection that sends."""
        return f"/send/{room}"

    def listener_path(self, room: str) -> str:
        """Give the path of a connection that listens."""
        return f"/listen/{room}"
