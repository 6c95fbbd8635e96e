"""Clients that find out how many messages came while they look at as few bytes as they can.

Most of a group only count bytes. One *probe* looks where messages end, and so knows how many bytes each must have.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from benchmarks.load import TIMEOUT_SECONDS, LoadError, frame_end
from benchmarks.speech import NAME_DIGITS

if TYPE_CHECKING:
    from collections.abc import Callable

_UNKNOWN = 1 << 62


class Ear(Protocol):
    """Finds the messages in what one connection brings.

    Attributes:
        counted: How many bytes the messages so far had, as the ``Count`` of the same server counts them.
    """

    counted: int

    def hear(self, data: bytes) -> list[int]:
        """Give the number of the sender of each message that is whole now."""


class FrameEar:
    """For servers that put each message into a frame of its own; ``number_at`` is where its sender's number stands."""

    def __init__(self, number_at: int) -> None:
        self._number_at = number_at
        self._rest = b""
        self.counted = 0

    def hear(self, data: bytes) -> list[int]:
        """Give the number of the sender of each message that is whole now."""
        if self._rest:
            data = self._rest + data
        numbers = []
        at = 0
        while True:
            start, end = frame_end(data, at)
            if not start or end > len(data):
                break
            name = start + self._number_at
            numbers.append(int(data[name : name + NAME_DIGITS]))
            at = end
        self._rest = data[at:]
        self.counted += at
        return numbers


class StreamEar:
    """For servers whose frames are pieces of a stream, in which messages have one size.

    ``noise`` is what may stand between messages and is none.
    """

    def __init__(self, size: int, number_at: int, noise: bytes) -> None:
        self._size = size
        self._number_at = number_at
        self._noise = noise
        self._frames = b""
        self._stream = b""
        self.counted = 0

    def hear(self, data: bytes) -> list[int]:
        """Give the number of the sender of each message that is whole now."""
        self._stream += self._unframed(data)
        whole = len(self._stream) // self._size * self._size
        names = range(self._number_at, whole, self._size)
        numbers = [int(self._stream[name : name + NAME_DIGITS]) for name in names]
        self._stream = self._stream[whole:]
        self.counted += whole
        return numbers

    def _unframed(self, data: bytes) -> bytes:
        data = self._frames + data
        pieces = []
        at = 0
        while True:
            start, end = frame_end(data, at)
            if not start or end > len(data):
                break
            pieces.append(data[start:end])
            at = end
        self._frames = data[at:]
        return b"".join(pieces).replace(self._noise, b"")


class Tally:
    """Counting clients that get the same messages: all have a burst when each has as many bytes as the probe.

    Attributes:
        counted: What all clients got together.
        target: How much that is when all have the burst; not known before the probe has seen it.
    """

    __slots__ = ("_reached", "clients", "counted", "target")

    def __init__(self) -> None:
        self.clients: list[Count] = []
        self.counted = 0
        self.target = _UNKNOWN
        self._reached: asyncio.Future[None] | None = None

    def expect(self, each: int) -> None:
        """Note how many bytes each client must have in the end."""
        self.target = each * len(self.clients)
        if self.counted >= self.target:
            self.reach()

    def reach(self) -> None:
        """End the wait."""
        self.target = _UNKNOWN
        if self._reached is not None and not self._reached.done():
            self._reached.set_result(None)

    async def wait(self, start: Callable[[], None]) -> None:
        """Start a burst and wait until all have it.

        Raises:
            TimeoutError: One does not get it.
        """
        self._reached = asyncio.get_running_loop().create_future()
        start()
        await asyncio.wait_for(self._reached, TIMEOUT_SECONDS)

    def check(self, each: int) -> None:
        """Make sure that every client has got as much as the probe.

        Raises:
            LoadError: One has not.
        """
        for client in self.clients:
            if client.counted != each:
                raise LoadError(f"a session got {client.counted} bytes where the probe got {each}")


class Count(asyncio.Protocol):
    """Takes over a connection and counts bytes, nothing else."""

    __slots__ = ("_tally", "counted")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.counted = 0
        tally.clients.append(self)

    def data_received(self, data: bytes) -> None:
        """Count."""
        self.add(len(data))

    def add(self, size: int) -> None:
        """Note that so many bytes came."""
        self.counted += size
        tally = self._tally
        tally.counted += size
        if tally.counted >= tally.target:
            tally.reach()


class Probe(asyncio.Protocol):
    """Takes over a connection and tells the tally how many bytes a burst has.

    Attributes:
        missing: So many messages of the burst are still to come; set before each.
    """

    def __init__(self, tally: Tally, ear: Ear) -> None:
        self._tally = tally
        self._ear = ear
        self.missing = 0

    @property
    def counted(self) -> int:
        """What every client must have got by now."""
        return self._ear.counted

    def data_received(self, data: bytes) -> None:
        """Find messages."""
        heard = len(self._ear.hear(data))
        self.missing -= heard
        if heard and not self.missing:
            self._tally.expect(self._ear.counted)
