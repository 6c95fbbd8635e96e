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
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from benchmarks.server import Server

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
TIMEOUT_SECONDS = 30.0
"""An answer that takes longer will not come: the measurement ends with an error instead of hanging."""

HANDSHAKES_AT_ONCE = 64

What = TypeVar("What")
Done = TypeVar("Done")


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
            if opcode in {TEXT, BINARY}:
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

    def send(self, payload: bytes, opcode: int = TEXT) -> None:
        """Send one message."""
        self._transport.write(client_frame(payload, opcode))

    async def close(self) -> None:
        """Say goodbye and wait for the end."""
        if not self._transport.is_closing():
            self._transport.write(client_frame(struct.pack("!H", 1000), CLOSE))
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await self.lost


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

    async def one(path: str) -> Link:
        link = await connect(port, path)
        if then is not None:
            await then(link)
        return link

    return await some_at_once(one, paths)


async def some_at_once(
    do: Callable[[What], Awaitable[Done]], whats: Iterable[What], at_once: int = HANDSHAKES_AT_ONCE
) -> list[Done]:
    """Do the same with many, with no more than some at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(what: What) -> Done:
        async with gate:
            return await do(what)

    return await asyncio.gather(*map(one, whats))


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
