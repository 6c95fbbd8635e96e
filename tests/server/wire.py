"""A WebSocket client by hand: it can send what no library would, and it shows what really came."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

PATIENCE = 5.0
TEXT, BINARY, CLOSE, PING, PONG, CONT = 1, 2, 8, 9, 10, 0


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True, masked: bool = True, reserved: int = 0) -> bytes:
    """Write one frame as a client, or wrongly."""
    head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
    size = len(payload)
    bit = 0x80 if masked else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 65536:
        head += struct.pack("!BH", bit | 126, size)
    else:
        head += struct.pack("!BQ", bit | 127, size)
    if not masked:
        return head + payload
    mask = os.urandom(4)
    pattern = (mask * (size // 4 + 1))[:size]
    return head + mask + (int.from_bytes(payload) ^ int.from_bytes(pattern)).to_bytes(size)


def text(message: Any) -> bytes:
    """Write a message as one frame."""
    return frame(TEXT, message.encode() if isinstance(message, str) else json.dumps(message).encode())


def publish(number: int, channel: str = "Gadget", **fields: Any) -> dict[str, Any]:
    """Make a message of a free channel."""
    return {"channel": channel, "topic": "test", "subtopic": "count", "data": number, **fields}


def subscribe(*patterns: str, **data: Any) -> dict[str, Any]:
    """Make a Subscribe."""
    return {
        "channel": "Bridge", "topic": "Subscription", "subtopic": "Subscribe", "id": "sub",
        "data": {"patterns": list(patterns), **data},
    }  # fmt: skip


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 what is waited for has no event
            await asyncio.sleep(0)


class Received(NamedTuple):
    """One frame from the bridge."""

    opcode: int
    payload: bytes

    @property
    def close(self) -> tuple[int, str]:
        assert self.opcode == CLOSE, self
        return struct.unpack("!H", self.payload[:2])[0], self.payload[2:].decode()


class Wire:
    """One TCP connection to the bridge."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, port: int, *, receive_buffer: int | None = None, tls: ssl.SSLContext | None = None) -> Wire:
        raw = socket.socket()
        raw.setblocking(False)
        if receive_buffer is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", port))
        except OSError:
            raw.close()
            raise
        limit = 4096 if receive_buffer is not None else 2**16
        encryption: dict[str, Any] = {"ssl": tls, "server_hostname": "127.0.0.1"} if tls else {}
        return cls(*await asyncio.open_connection(sock=raw, limit=limit, **encryption))

    async def hang_up(self) -> None:
        self.writer.transport.abort()

    def deafen(self) -> None:
        """Read nothing any more."""
        cast("asyncio.Transport", self.writer.transport).pause_reading()

    def listen(self) -> None:
        """Read again."""
        cast("asyncio.Transport", self.writer.transport).resume_reading()

    @staticmethod
    def parsed(received: Received) -> Any:
        """Give the message in a text frame."""
        assert received.opcode == TEXT, received
        return json.loads(received.payload)

    # HTTP

    async def request(
        self, head: str, body: bytes = b"", *, bodiless: bool = False
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it stands, and read the whole answer."""
        self.writer.write(head.replace("\n", "\r\n").encode("latin-1") + body)
        return await self.response(bodiless=bodiless)

    async def response(self, *, bodiless: bool = False) -> tuple[int, dict[str, str], bytes]:
        """Read an answer; that to a ``HEAD`` has no body, whatever its headers say."""
        async with asyncio.timeout(PATIENCE):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            length = 0 if bodiless else int(headers.get("content-length", 0))
            return int(head[0].split()[1]), headers, await self.reader.readexactly(length)

    async def upgrade(
        self,
        query: str = "",
        *,
        path: str = "/ws",
        status: int = 101,
        headers: dict[str, str | None] | None = None,
        **changed: str | None,
    ) -> tuple[dict[str, str], bytes]:
        """Ask for the upgrade; ``None`` leaves a header out."""
        sent: dict[str, str | None] = {
            "Host": "127.0.0.1",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            **{name.replace("_", "-"): value for name, value in {**changed, **(headers or {})}.items()},
        }
        lines = [f"{name}: {value}" for name, value in sent.items() if value is not None]
        got, answer, body = await self.request("\n".join([f"GET {path}{query} HTTP/1.1", *lines, "", ""]))
        assert got == status, (got, body)
        return answer, body

    # Frames

    def send(self, *parts: Any) -> None:
        """Send bytes as they are, and anything else as a message."""
        self.writer.write(b"".join(part if isinstance(part, bytes) else text(part) for part in parts))

    async def frame(self) -> Received:
        async with asyncio.timeout(PATIENCE):
            first, second = await self.reader.readexactly(2)
            assert first & 0x70 == 0
            assert second & 0x80 == 0
            size = second
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            return Received(first & 0x0F, await self.reader.readexactly(size))

    async def message(self, *, pongs: bool = True) -> Any:
        """Give the next message; answer pings on the way."""
        while True:
            received = await self.frame()
            if received.opcode == TEXT:
                return json.loads(received.payload)
            assert received.opcode == PING, received
            if pongs:
                self.send(frame(PONG, received.payload))

    async def closed(self) -> tuple[int, str]:
        """Read on to the close frame and to the end of the stream; give code and reason."""
        while (received := await self.frame()).opcode != CLOSE:
            pass
        self.send(frame(CLOSE, received.payload))
        await self.eof()
        return received.close

    async def eof(self) -> None:
        """Wait until the bridge has closed the connection."""
        async with asyncio.timeout(PATIENCE):
            while await self._read():
                pass

    async def _read(self) -> bytes:
        try:
            return await self.reader.read(65536)
        except ConnectionResetError:
            return b""

    async def subscribe(self, *patterns: str, **data: Any) -> Any:
        """Subscribe, and give the reply's data."""
        self.send(subscribe(*patterns, **data))
        reply = await self.message()
        assert reply["subtopic"] == "Subscribed", reply
        return reply["data"]
