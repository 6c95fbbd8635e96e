"""A bridge that does exactly what a test says: real sockets, no logic of its own."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from websockets.asyncio.server import ServerConnection, serve

from bridge.client import BridgeClient, Pace, Subscription, connect

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")

LIMIT = 5.0
"""Seconds after which a test that waits is wrong."""

EPOCH = "epoch1"


def opened(**changes: Any) -> dict[str, Any]:
    data = {
        "protocol": "workspace-bridge.v1",
        "session": "s",
        "workspace": "demo",
        "identity": {"subject": None, "app": "test", "extension": "5069"},
        "heartbeatSeconds": 25,
        "limits": {"messageBytes": 65536, "messagesPerSecond": 50, "subscriptions": 128},
        "server": {"version": "0", "adapter": "scripted"},
    }
    return data | changes


def event(offset: int, text: str = "", *, at: str = "Notes/Note/Added", **fields: Any) -> dict[str, Any]:
    channel, topic, subtopic = at.split("/")
    return {
        "channel": channel,
        "topic": topic,
        "subtopic": subtopic,
        "source": "other",
        "data": text or f"note {offset}",
        "id": f"m{offset}",
        "time": "2026-01-01T00:00:00.000Z",
        "offset": offset,
        **fields,
    }


def outcome(command: str, offset: int, kind: str = "Completed", **data: Any) -> dict[str, Any]:
    body = {"address": "Cisco/InboundCall/SetCONSULT", "call": "1", **data}
    return event(offset, at=f"Bridge/Command/{kind}", correlationId=command) | {"data": body}


class Conversation:
    """The bridge's side of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.path = socket.request.path if socket.request else ""

    async def send(self, message: dict[str, Any] | str | bytes) -> None:
        await self.socket.send(json.dumps(message) if isinstance(message, dict) else message)

    async def control(self, at: str, data: Any, answering: dict[str, Any] | None = None) -> None:
        channel, topic, subtopic = f"Bridge/{at}".split("/")
        message = {"channel": channel, "topic": topic, "subtopic": subtopic, "data": data}
        if answering is not None:
            message["correlationId"] = answering["id"]
        await self.send(message)

    async def hello(self, **changes: Any) -> None:
        await self.control("Session/Opened", opened(**changes))

    async def hear(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), LIMIT))
        return message

    async def hear_about(self, subtopic: str) -> dict[str, Any]:
        while (message := await self.hear())["subtopic"] != subtopic:
            pass
        return message

    async def subscribed(self, offset: int = 0, *, epoch: str = EPOCH, **data: Any) -> dict[str, Any]:
        """Hear a Subscribe and grant it."""
        asked = await self.hear_about("Subscribe")
        patterns = asked["data"]["patterns"]
        reply = {"patterns": patterns, "epoch": epoch, "offset": offset, "snapshot": [], **data}
        await self.control("Subscription/Subscribed", reply, asked)
        return asked

    async def accept(self, message: dict[str, Any], offset: int = 1, **data: Any) -> None:
        await self.control("Message/Accepted", {"offset": offset, "duplicate": False, "warnings": [], **data}, message)

    async def begin(self, offset: int = 0, *, epoch: str = EPOCH) -> None:
        """Open a session up to where the client has learnt the epoch."""
        await self.hello()
        await self.subscribed(offset, epoch=epoch)

    async def close(self, code: int, reason: str = "") -> None:
        await self.socket.close(code, reason)

    def cut(self) -> None:
        self.socket.transport.abort()

    async def until_left(self) -> int | None:
        """Wait until the client has gone; give its close code."""
        await asyncio.wait_for(self.socket.wait_closed(), LIMIT)
        return self.socket.close_code


class ScriptedBridge:
    """Hands out the conversations, one per connection, in order."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Conversation] = asyncio.Queue()
        self._over = asyncio.Event()
        self.url = ""

    async def take(self, socket: ServerConnection) -> None:
        self._arrived.put_nowait(Conversation(socket))
        await self._over.wait()

    async def conversation(self) -> Conversation:
        """Wait for the next connection."""
        return await asyncio.wait_for(self._arrived.get(), LIMIT)

    @property
    def waiting(self) -> int:
        """Connections that nobody has taken yet."""
        return self._arrived.qsize()

    def end(self) -> None:
        self._over.set()


@asynccontextmanager
async def scripted_bridge(**options: Any) -> AsyncIterator[ScriptedBridge]:
    bridge = ScriptedBridge()
    options.setdefault("subprotocols", ["workspace-bridge.v1"])
    async with serve(bridge.take, "127.0.0.1", 0, ping_interval=None, close_timeout=1, **options) as server:
        bridge.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws"
        try:
            yield bridge
        finally:
            bridge.end()


def hurried(
    delays: list[float] | None = None, *, monotonic: Callable[[], float] = time.monotonic, settle: float = 0.0
) -> Pace:
    """Wait nowhere, but note every delay. Chance always says the ceiling."""

    async def sleep(seconds: float) -> None:
        if delays is not None:
            delays.append(seconds)
        await asyncio.sleep(0)

    return Pace(sleep=sleep, chance=lambda: 1.0, settle=settle, monotonic=monotonic)


@asynccontextmanager
async def session(script: ScriptedBridge, **options: Any) -> AsyncIterator[tuple[BridgeClient, Conversation]]:
    """Give a client and its first conversation, both past the greeting."""
    options.setdefault("pace", hurried())
    opening = asyncio.create_task(opened_client(script.url, **options))
    talk = await script.conversation()
    await talk.begin()
    client = await opening
    try:
        yield client, talk
    finally:
        await client.close()


async def opened_client(url: str, **options: Any) -> BridgeClient:
    return await connect(url, **options)


async def subscription(client: BridgeClient, talk: Conversation, *patterns: str, **grant: Any) -> Subscription:
    """Subscribe, and grant it."""
    asking = asyncio.create_task(client.subscribe(*patterns))
    await talk.subscribed(**grant)
    return await soon(asking)


async def soon(waiting: Awaitable[T]) -> T:
    return await asyncio.wait_for(waiting, LIMIT)


async def texts(stream: Subscription, count: int) -> list[Any]:
    """Read so many messages, by their data."""
    return [(await soon(anext(stream))).data for _ in range(count)]
