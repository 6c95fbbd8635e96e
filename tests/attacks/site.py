"""A whole bridge that asks for tokens, honest people at work, and somebody who means no good."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from bridge.app import Bridge
from tests.server.auth.tokens import settings, token
from tests.server.wire import Wire, publish, subscribe

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable

V1 = "workspace-bridge.v1"


class Site:
    """The bridge, and how to get in."""

    def __init__(self, bridge: Bridge, stack: AsyncExitStack, issue: Callable[..., str]) -> None:
        self.bridge = bridge
        self._stack = stack
        self._issue = issue

    async def wire(self) -> Wire:
        """Open a TCP connection."""
        wire = await Wire.connect(self.bridge.port)
        self._stack.push_async_callback(wire.hang_up)
        return wire

    async def enter(self, text: str, query: str = "") -> Wire:
        """Open a connection with a token; what comes then is the test's business."""
        wire = await self.wire()
        await wire.upgrade(query, headers={"Sec-WebSocket-Protocol": f"{V1}, bearer.{text}"})
        return wire

    async def session(self, query: str = "", **claims: Any) -> Wire:
        """Open a session, and read its greeting."""
        wire = await self.enter(self._issue(**claims), query)
        opened = await wire.message()
        assert opened["subtopic"] == "Opened", opened
        return wire


@asynccontextmanager
async def running(issue: Callable[..., str] = token, **changed: Any) -> AsyncIterator[Site]:
    """Run a bridge with its simulated switch; ``issue`` makes the tokens of its sessions."""
    bridge = Bridge(settings(**{"simulator_reaction_ms": 0, "messages_per_second": 0, **changed}))
    async with AsyncExitStack() as stack:
        await bridge.start()
        stack.push_async_callback(bridge.stop)
        yield Site(bridge, stack, issue)


class Honest:
    """Two widgets of workspace 5070 that talk to each other while somebody attacks; how long a message takes."""

    def __init__(self, writer: Wire, reader: Wire) -> None:
        self._writer = writer
        self._reader = reader
        self._said = 0
        self.seconds: list[float] = []

    @classmethod
    async def join(cls, site: Site) -> Honest:
        """Open both sessions."""
        writer, reader = [await site.session(workspace="5070") for _ in range(2)]
        reader.send(subscribe("Honest"))
        assert (await reader.message())["subtopic"] == "Subscribed"
        return cls(writer, reader)

    async def talk(self, count: int = 20) -> None:
        """Say things, one after the other, and hear each: once, in order."""
        for _ in range(count):
            self._said += 1
            begun = time.perf_counter()
            self._writer.send(publish(self._said, "Honest", id=f"h{self._said}"))
            heard = await self._reader.message()
            self.seconds.append(time.perf_counter() - begun)
            assert heard["data"] == self._said, heard
            assert (await self._writer.message())["subtopic"] == "Accepted"

    async def beside(self, attack: asyncio.Task[Any]) -> None:
        """Talk for as long as the attack goes on, and some more."""
        while not attack.done():
            await self.talk(5)
        await attack
        await self.talk()

    @property
    def p99_ms(self) -> float:
        """Give the milliseconds from saying to hearing that 99 of 100 messages stay under."""
        return sorted(self.seconds)[int(len(self.seconds) * 0.99)] * 1000


def answer(wire_message: dict[str, Any]) -> dict[str, Any]:
    """Give the body of an answer without what names the question."""
    body: dict[str, Any] = dict(wire_message["data"])
    return body
