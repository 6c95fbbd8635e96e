"""A TCP relay in front of a port, so that connections can be cut, silenced or refused while the server behind runs on.

Its port is the one that is published; it knows nothing of TLS and what is inside.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from typing import Final, cast

LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 1024
_LINGER: Final = struct.pack("ii", 1, 0)


class Relay:
    """One published port. ``port`` 0 takes a free one when first started, and keeps it."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.target = 0
        self._server: asyncio.Server | None = None
        self._pairs: set[_Pair] = set()
        self._silent = False

    async def start(self, target: int) -> None:
        """Accept connections, and connect each to the port ``target``.

        Raises:
            OSError: The port cannot be bound.
        """
        self.target = target
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._accept, LOOPBACK, self.port, backlog=_BACKLOG)
            self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Accept nobody and cut all."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self.cut()
        while pairs := list(self._pairs):
            await asyncio.wait([pair.over for pair in pairs])

    def cut(self) -> int:
        """Reset every connection, as a router that forgot it does; return how many there were."""
        pairs = list(self._pairs)
        for pair in pairs:
            pair.cut()
        return len(pairs)

    def silence(self, *, silent: bool = True) -> None:
        """Let nothing through any more, in no direction, without anybody being told; or let it through again."""
        self._silent = silent
        for pair in self._pairs:
            pair.pace()

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._pairs)

    @property
    def silent(self) -> bool:
        """Whether nothing is let through."""
        return self._silent

    def _accept(self) -> _Side:
        pair = _Pair(self, self._pairs)
        return pair.client


class _Pair:
    """A client's connection and the one to the server behind."""

    def __init__(self, relay: Relay, pairs: set[_Pair]) -> None:
        loop = asyncio.get_running_loop()
        self.relay = relay
        self.over: asyncio.Future[None] = loop.create_future()
        self.client = _Side(self)
        self.server = _Side(self)
        self._pairs = pairs
        self._connecting: asyncio.Task[None] | None = None
        # What the client said before the server was there.
        self._early = b""

    def accepted(self) -> None:
        self._pairs.add(self)
        self._connecting = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.server, LOOPBACK, self.relay.target)
        except OSError:
            self.cut()
        else:
            self.pace()

    def keep(self, data: bytes) -> None:
        """Keep what the client says before the server is there, and let it say no more."""
        self._early += data
        self.client.read(wanted=False)

    def pace(self) -> None:
        """Read from each side as far as the other takes it."""
        if self._early and self.server.transport is not None and not self.relay.silent:
            self.server.transport.write(self._early)
            self._early = b""
        self.client.read(self.server.takes and not self.relay.silent)
        self.server.read(self.client.takes and not self.relay.silent)

    def cut(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
        self.client.cut()
        self.server.cut()

    def lost(self, side: _Side) -> None:
        """End the other side too; over when neither is left."""
        other = self.server if side is self.client else self.client
        if other.transport is not None:
            other.transport.close()
        elif not self.over.done():
            if self._connecting is not None:
                self._connecting.cancel()
            self._pairs.discard(self)
            self.over.set_result(None)

    def other(self, side: _Side) -> _Side:
        return self.server if side is self.client else self.client


class _Side(asyncio.Protocol):
    def __init__(self, pair: _Pair) -> None:
        self.transport: asyncio.Transport | None = None
        self.takes = False
        self._pair = pair
        self._reading = True

    def connection_made(self, base: asyncio.BaseTransport) -> None:
        transport = cast("asyncio.Transport", base)  # uvloop's is one by what it does, not by its class
        if self._pair.over.done():  # the client went while the server behind was being connected to
            transport.abort()
            return
        self.transport = transport
        self.takes = True
        if self._pair.client is self:
            self._pair.accepted()

    def read(self, wanted: bool) -> None:  # noqa: FBT001 read or do not
        if self.transport is None or self.transport.is_closing() or wanted is self._reading:
            return
        self._reading = wanted
        if wanted:
            self.transport.resume_reading()
        else:
            self.transport.pause_reading()

    def cut(self) -> None:
        if self.transport is None:
            return
        with suppress(OSError):
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        other = self._pair.other(self).transport
        if other is not None:
            other.write(data)
        elif self is self._pair.client:
            self._pair.keep(data)

    def pause_writing(self) -> None:
        self.takes = False
        self._pair.pace()

    def resume_writing(self) -> None:
        self.takes = True
        self._pair.pace()

    def connection_lost(self, _exc: Exception | None) -> None:
        if self.transport is None:
            return
        self.transport = None
        self.takes = False
        self._pair.lost(self)
