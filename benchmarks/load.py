"""A load generator that is not the bottleneck, and says so where it was.

Clients are bare protocols of asyncio that do the WebSocket handshake themselves. Frames are built once and written as
they are, received bytes are counted and not parsed, except by the few clients that need to know what came: one *probe*
per group, and those whose latency is measured.

Frames to a server must be masked (RFC 6455 section 5.3). The mask here is zero, so that masking costs the load nothing;
a server unmasks it like any other.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
import time
from collections import deque
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from benchmarks.measure import Server

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
TIMEOUT_SECONDS = 30.0
"""An answer that takes longer will not come: the measurement ends with an error instead of hanging."""

HANDSHAKES_AT_ONCE = 64
_UNKNOWN = 1 << 62


class LoadError(RuntimeError):
    """The server did something that makes the measurement void."""


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415 it is not on every platform
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


def client_frame(payload: bytes, opcode: int = TEXT) -> bytes:
    """Build a whole frame from a client, masked with zeros."""
    length = len(payload)
    if length < 126:
        header = struct.pack("!BB", 0x80 | opcode, 0x80 | length)
    elif length < 0x10000:
        header = struct.pack("!BBH", 0x80 | opcode, 0xFE, length)
    else:
        header = struct.pack("!BBQ", 0x80 | opcode, 0xFF, length)
    return header + bytes(4) + payload


def frame_end(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Give where the payload of the frame at ``at`` starts and where it ends, ``(0, 0)`` if its head is not there yet.

    Frames from a server carry no mask. The end may lie behind the end of ``data``.
    """
    have = len(data) - at
    if have < 2:
        return 0, 0
    length = data[at + 1]
    if length < 126:
        return at + 2, at + 2 + length
    size = 2 if length == 126 else 8
    start = at + 2 + size
    if have < 2 + size:
        return 0, 0
    return start, start + int.from_bytes(data[at + 2 : start])


def take_frames(buffer: bytearray) -> list[tuple[int, bytes]]:
    """Remove all whole frames from a buffer; give opcode and payload of each."""
    frames = []
    at = 0
    while True:
        start, end = frame_end(buffer, at)
        if not start or end > len(buffer):
            break
        frames.append((buffer[at] & 0x0F, bytes(buffer[start:end])))
        at = end
    del buffer[:at]
    return frames


class Link(asyncio.Protocol):
    """A client that reads every message: to set up, to probe, and to measure latency.

    Attributes:
        on_message: Gets each message; by default they wait for ``receive``.
    """

    _transport: asyncio.Transport

    def __init__(self, path: str, token: str | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._path = path
        self._protocols = "" if token is None else f"Sec-WebSocket-Protocol: workspace-bridge.v1, bearer.{token}\r\n"
        self._buffer = bytearray()
        self._inbox: deque[bytes] = deque()
        self._news = asyncio.Event()
        self.on_message: Callable[[bytes], None] = self._keep

        # Set when the handshake is over, and when the connection is.
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()

    @property
    def transport(self) -> asyncio.Transport:
        """The connection, for protocols that take it over."""
        return self._transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        host, port = transport.get_extra_info("peername")[:2]
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n{self._protocols}\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Take the answer to the handshake, then frames."""
        self._buffer += data
        if not self.opened.done() and not self._take_handshake():
            return
        for opcode, payload in take_frames(self._buffer):
            if opcode == TEXT:
                self.on_message(payload)
            elif opcode == PING:
                self._transport.write(client_frame(payload, PONG))

    def _take_handshake(self) -> bool:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        self._buffer = rest
        if head.startswith(b"HTTP/1.1 101"):
            self.opened.set_result(None)
            return True
        self.opened.set_exception(LoadError(f"no upgrade: {head.split(bytes([13]))[0].decode()}"))
        self._transport.close()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits."""
        del exc
        if not self.opened.done():
            self.opened.set_exception(LoadError("the connection was lost in the handshake"))
        if not self.lost.done():
            self.lost.set_result(None)
        self._news.set()

    def _keep(self, payload: bytes) -> None:
        self._inbox.append(payload)
        self._news.set()

    async def receive(self) -> bytes:
        """Return the next message.

        Raises:
            LoadError: The connection was lost.
            TimeoutError: None came.
        """
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while not self._inbox:
                if self.lost.done():
                    raise LoadError("the connection was lost")
                self._news.clear()
                await self._news.wait()
        return self._inbox.popleft()

    def send(self, payload: bytes) -> None:
        """Send one message."""
        self._transport.write(client_frame(payload))

    async def close(self) -> None:
        """Say goodbye and wait for the end."""
        if not self._transport.is_closing():
            self._transport.write(client_frame(struct.pack("!H", 1000), CLOSE))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self.lost


class Tally:
    """Counting clients that get the same messages: all have a burst when each has as many bytes as the probe.

    Attributes:
        bytes: What all clients got together.
        target: How much that is when all have the burst; not known before the probe has seen it.
    """

    __slots__ = ("_reached", "bytes", "clients", "target")

    def __init__(self) -> None:
        self.clients: list[Count] = []
        self.bytes = 0
        self.target = _UNKNOWN
        self._reached: asyncio.Future[None] | None = None

    def expect(self, each: int) -> None:
        """Note how many bytes each client must have in the end."""
        self.target = each * len(self.clients)
        if self.bytes >= self.target:
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
            if client.bytes != each:
                raise LoadError(f"a session got {client.bytes} bytes where the probe got {each}")


class Count(asyncio.Protocol):
    """Takes over a connection and counts bytes, nothing else."""

    __slots__ = ("_tally", "bytes")

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.bytes = 0
        tally.clients.append(self)

    def data_received(self, data: bytes) -> None:
        """Count."""
        size = len(data)
        self.bytes += size
        tally = self._tally
        tally.bytes += size
        if tally.bytes >= tally.target:
            tally.reach()


class Probe(asyncio.Protocol):
    """Takes over a connection, looks where its messages end, and tells the tally how many bytes a burst has."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._rest = b""
        self.missing = 0
        self.bytes = 0

    def data_received(self, data: bytes) -> None:
        """Find the ends of frames."""
        data = self._rest + data
        at = 0
        while True:
            start, end = frame_end(data, at)
            if not start or end > len(data):
                break
            at = end
            self.missing -= 1
        self.bytes += at
        self._rest = data[at:]
        if at and not self.missing:
            self._tally.expect(self.bytes)


async def connect(port: int, path: str, token: str | None = None) -> Link:
    """Open one WebSocket connection, with a token if the server asks for one.

    Raises:
        LoadError: The server does not upgrade it.
    """
    loop = asyncio.get_running_loop()
    _, link = await loop.create_connection(lambda: Link(path, token), "127.0.0.1", port)
    await asyncio.wait_for(link.opened, TIMEOUT_SECONDS)
    return link


async def connect_all(
    port: int, paths: Iterable[str], then: Callable[[Link], Awaitable[None]] | None = None
) -> list[Link]:
    """Open many connections, some at once; ``then`` is what each does first."""
    gate = asyncio.Semaphore(HANDSHAKES_AT_ONCE)

    async def one(path: str) -> Link:
        async with gate:
            link = await connect(port, path)
            if then is not None:
                await then(link)
            return link

    return await asyncio.gather(*map(one, paths))


class Group:
    """Clients that make one kind of load; use it with ``contextlib.closing``."""

    def __init__(self, server: Server, links: Iterable[Link]) -> None:
        self.server = server
        self._transports = [link.transport for link in links]

    def close(self) -> None:
        """Cut all connections."""
        for transport in self._transports:
            transport.abort()


def now() -> float:
    """Give monotonic seconds."""
    return time.perf_counter()
