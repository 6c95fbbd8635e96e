"""This bridge."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks import speech
from benchmarks.peers.peer import Peer
from benchmarks.server import bridge_program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import Link
    from benchmarks.server import Program


class Bridge(Peer):
    """A room is a workspace."""

    name = "bridge"
    title = "workspace-bridge"

    def program(self, settings: Mapping[str, str]) -> Program:
        """Run it with these settings."""
        return bridge_program(settings)

    async def version(self, port: int) -> str:
        """Ask the package."""
        del port
        return version("workspace-bridge")

    def sender_path(self, room: str) -> str:
        """Give the path of a session."""
        return speech.bridge_path(room)

    async def enter(self, link: Link) -> None:
        """Wait for Opened."""
        await speech.greeted(link)

    async def listen(self, link: Link, room: str) -> None:
        """Wait for Opened, then subscribe."""
        del room
        await speech.listening(link)
