"""What the benchmark must know of a server: how it is started, spoken to and heard."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from benchmarks.counting import Count, Ear, FrameEar
from benchmarks.load import client_frame
from benchmarks.speech import NAME_START

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.load import Link
    from benchmarks.server import Program


class Peer(ABC):
    """A server. Clients in one of its rooms hear what is sent there, and nothing of other rooms.

    By default each message is a WebSocket frame of its own, in both directions, just as it was written.

    Attributes:
        name: On the command line and in results.
        title: In tables and charts.
        install: The command that installs it, from the top of the repository.
        count: What counts the bytes of a connection.
        number_at: Where in a delivered frame's payload the number of its sender stands.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    install: ClassVar[str] = "make bench-peers"
    count: ClassVar[type[Count]] = Count
    number_at: ClassVar[int] = NAME_START

    @abstractmethod
    def program(self, settings: Mapping[str, str]) -> Program:
        """Tell how it is started; the settings are the bridge's, and for others mean nothing."""

    def installed(self) -> bool:
        """Say whether it can be started here."""
        return True

    @abstractmethod
    async def version(self, port: int) -> str:
        """Ask the running server, or its package, which version it is."""

    @abstractmethod
    def sender_path(self, room: str) -> str:
        """Give the path of a connection that sends."""

    def listener_path(self, room: str) -> str:
        """Give the path of a connection that listens."""
        return self.sender_path(room)

    async def enter(self, link: Link) -> None:
        """Do what a new connection does first."""
        del link

    async def listen(self, link: Link, room: str) -> None:
        """Do what a new connection does first in order to listen; returns when it does hear."""
        del link, room

    def frame(self, payload: bytes, room: str) -> bytes:
        """Write a message to a room, frame and all."""
        del room
        return client_frame(payload)

    def ear(self, room: str) -> Ear:
        """Give what finds messages of ``speech.note`` in what a listener of the room gets."""
        del room
        return FrameEar(self.number_at)
