"""Accepting connections, and pausing when the process has run out of files.

The loops' own servers differ there: asyncio's pauses for a second, uvloop's accepts and at once closes whoever waits.
Here those who wait go on waiting in the kernel's queue, on every loop, and existing connections notice nothing.

With TLS the handshake comes first, and has ``OPEN_SECONDS``. A client that fails in it is none of anybody's business.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from bridge.server.http_protocol import RequestProtocol
    from bridge.server.observer import ServerObserver
    from bridge.server.tls import Certificate

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


class Encryption(NamedTuple):
    """TLS on a listener: with which certificate, and how many seconds a handshake and an end may take."""

    certificate: Certificate
    handshake_seconds: float
    shutdown_seconds: float

    @property
    def options(self) -> dict[str, Any]:
        """What the event loop is to be told of a new connection."""
        return {
            "ssl": self.certificate.context,
            "ssl_handshake_timeout": self.handshake_seconds,
            "ssl_shutdown_timeout": self.shutdown_seconds,
        }


class Listener:
    """Accepts connections on bound sockets. Its ``close`` and ``wait_closed`` are those of ``asyncio.Server``."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: Sequence[socket.socket],
        factory: Callable[[], RequestProtocol],
        observer: ServerObserver,
        encryption: Encryption | None = None,
    ) -> None:
        self.sockets = sockets
        self._loop = loop
        self._factory = factory
        self._observer = observer
        self._encryption = encryption
        self._connecting: dict[asyncio.Task[None], RequestProtocol] = {}
        self._paused: asyncio.TimerHandle | None = None
        self._resume()

    def close(self) -> None:
        """Accept nobody any more. Who waits in the kernel's queue is reset, who is in a TLS handshake is cut."""
        self._pause()
        for protocol in self._connecting.values():
            protocol.cut()
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
                accepted, address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._accept_failed(error)
                return
            protocol = self._factory()
            protocol.accepted(accepted, address[0])
            task = self._loop.create_task(self._connect(protocol, accepted))
            self._connecting[task] = protocol
            task.add_done_callback(self._connecting.pop)

    def _accept_failed(self, error: OSError) -> None:
        if error.errno not in _exhausted:
            self._observer.failed("accept", error)
        self._observer.limited("accept", error=error.strerror, seconds=PAUSE_SECONDS)
        self._pause()
        self._paused = self._loop.call_later(PAUSE_SECONDS, self._resume)

    async def _connect(self, protocol: RequestProtocol, accepted: socket.socket) -> None:
        options = self._encryption.options if self._encryption else {}
        try:
            accepted.setblocking(False)
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.connect_accepted_socket(lambda: protocol, accepted, **options)
        except OSError as error:  # the client has gone, or is no TLS client
            error.__traceback__ = None  # asyncio's frames in it hold the error itself, and everything else, in a cycle
            protocol.never_made()
            accepted.close()
