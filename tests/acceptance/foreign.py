"""A widget that is not ours: aiohttp's WebSocket client, and JSON by hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.app import Bridge

Message = dict[str, Any]
PATIENCE_SECONDS = 10.0

_ids = count(1)


class ForeignWidget:
    """One WebSocket connection. Keeps everything that it got, in order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.messages: list[Message] = []

    async def send(self, address: str, data: Any = None, *, id: str | None = None) -> str:  # noqa: A002 the wire's word
        channel, topic, subtopic = address.split("/")
        message_id = id or f"foreign-{next(_ids)}"
        message = {"channel": channel, "topic": topic, "subtopic": subtopic, "id": message_id, "data": data}
        await self.socket.send_str(json.dumps(message))
        return message_id

    async def until(self, wanted: Callable[[Message], bool], *, since: int = 0) -> Message:
        """Read on until a message is as wanted; one that has come already counts, from the place ``since`` on."""
        for message in self.messages[since:]:
            if wanted(message):
                return message
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not wanted(message := await self.read_on()):
                pass
        return message

    async def read_on(self) -> Message:
        """Wait for the next message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            self.messages.append(json.loads(await self.socket.receive_str()))
        return self.messages[-1]

    async def reply(self, message_id: str) -> Message:
        return await self.until(lambda m: m.get("correlationId") == message_id and "offset" not in m)

    async def outcome(self, message_id: str) -> Message:
        """Wait for the end of a command, or its refusal."""
        ends = {"Completed", "Failed", "TimedOut", "Rejected"}
        return await self.until(lambda m: m.get("correlationId") == message_id and m["subtopic"] in ends)

    async def do(self, address: str, data: Any = None) -> Message:
        return await self.outcome(await self.send(address, data))

    async def subscribe(self, *patterns: str, **more: Any) -> Message:
        return await self.reply(await self.send("Bridge/Subscription/Subscribe", {"patterns": list(patterns), **more}))

    def calls(self) -> dict[str, Message]:
        """Give the agent's calls as this widget has seen them last."""
        latest: dict[str, Message] = {}
        for message in self.messages:
            if message["subtopic"].endswith("CallStateChange"):
                call = message["data"]["call"]
                latest[call["id"]] = call
                if call["ended"]:
                    del latest[call["id"]]
        return latest


@asynccontextmanager
async def foreign_widget(bridge: Bridge, workspace: str = "demo") -> AsyncIterator[ForeignWidget]:
    """Connect, and wait for the greeting."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{bridge.url}?workspace={workspace}", protocols=["workspace-bridge.v1"]) as socket,
    ):
        widget = ForeignWidget(socket)
        await widget.until(lambda m: m["subtopic"] == "Opened")
        yield widget
