"""Accepting connections, and pausing when the process has run out of files.

The loops' own servers differ there: asyncio's pauses for a second, uvloop's accepts and at once closes whoever waits.
Here those who wait go on waiting in the kernel's queue, on every loop, and existing connections notice nothing.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio
    import ssl
    from collections.abc import Callable, Sequence

    from bridge.server.observer import ServerObserver

BACKLOG = 2048
"""Connections that wait in the kernel to be accepted: after a restart a whole site comes back at once."""

ACCEPTED_AT_ONCE = 64
"""So many are accepted per loop turn, so that a rush of new clients does not hold up those who are there."""

PAUSE_SECONDS = 1.0
"""How long accepting pauses when files have run out."""

_exhausted = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


async def bind(loop: asyncio.AbstractEventLoop, host: str, port: int) -> list[socket.socket]:
    """Bind every address that ``host`` stands for, all to one port; 0 takes a free one.

    Raises:
        OSError: The name is unknown, or an address cannot be bound; the text names it.
    """
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(found):
            sockets.append(_bound(socket.socket(family, kind, protocol), (address[0], port, *address[2:])))
            port = sockets[0].getsockname()[1]
    except OSError:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def _bound(listening: socket.socket, address: tuple[object, ...]) -> socket.socket:
    if os.name == "posix" and sys.platform != "cygwin":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if listening.family is socket.AF_INET6:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    listening.setblocking(False)
    try:
        listening.bind(address)
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise OSError(error.errno, f"cannot listen on {address[0]} port {address[1]}: {error.strerror}") from None
    return listening


class Listener:
    """Accepts connections on bound sockets. Its ``close`` and ``wait_closed`` are those of ``asyncio.Server``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: Sequence[socket.socket],
        factory: Callable[[], asyncio.Protocol],
        observer: ServerObserver,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.sockets = sockets
        self._loop = loop
        self._factory = factory
        self._observer = observer
        self._context = context
        self._connecting: set[asyncio.Task[None]] = set()
        self._paused: asyncio.TimerHandle | None = None
        self._resume()

    def close(self) -> None:
        """Accept nobody any more. Who waits in the kernel's queue is reset."""
        self._pause()
        for listening in self.sockets:
            listening.close()
        self.sockets = ()

    async def wait_closed(self) -> None:
        """Wait for connections that are being set up."""
        for task in tuple(self._connecting):
            await task

    def _resume(self) -> None:
        self._paused = None
        for listening in self.sockets:
            self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _pause(self) -> None:
        if self._paused is not None:
            self._paused.cancel()
        for listening in self.sockets:
            self._loop.remove_reader(listening.fileno())

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                accepted, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._accept_failed(error)
                return
            task = self._loop.create_task(self._connect(accepted))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    def _accept_failed(self, error: OSError) -> None:
        if error.errno not in _exhausted:
            self._observer.failed("accept", error)
        self._observer.limited("accept", error=error.strerror, seconds=PAUSE_SECONDS)
        self._pause()
        self._paused = self._loop.call_later(PAUSE_SECONDS, self._resume)

    async def _connect(self, accepted: socket.socket) -> None:
        try:
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(self._factory, accepted, ssl=self._context)
        except OSError:  # the client has gone, or is no TLS client
            accepted.close()
