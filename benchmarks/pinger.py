"""How long a server's event loop lets wait, seen from outside: WebSocket pings at random moments."""

from __future__ import annotations

import asyncio
import struct
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final, cast

from benchmarks import speech
from benchmarks.load import PING, PONG, client_frame, connect, take_frames

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncIterator

    from benchmarks.load import Link

PERIOD_SECONDS: Final = 0.05
"""The mean between two pings."""

_TIME: Final = struct.Struct("!d")


class _Pings(asyncio.Protocol):
    """Takes over a connection and times the answers; a ping carries when it was sent."""

    def __init__(self, link: Link, answered: list[float]) -> None:
        self._transport = link.transport
        self._transport.set_protocol(self)
        self._answered = answered
        self._buffer = bytearray()

    def send(self) -> None:
        self._transport.write(client_frame(_TIME.pack(time.monotonic()), PING))

    def data_received(self, data: bytes) -> None:
        came = time.monotonic()
        self._buffer += data
        for opcode, payload in take_frames(self._buffer):
            if opcode == PONG and len(payload) == _TIME.size:
                self._answered.append(came - cast("float", _TIME.unpack(payload)[0]))
            elif opcode == PING:
                self._transport.write(client_frame(payload, PONG))


@asynccontextmanager
async def pinging(port: int, chance: random.Random, answered: list[float]) -> AsyncIterator[None]:
    """Ping the bridge; the seconds of each answer go into ``answered``."""
    link = await connect(port, speech.bridge_path("pings"))
    pings = _Pings(link, answered)

    async def ping() -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / PERIOD_SECONDS))
            pings.send()

    pinging = asyncio.create_task(ping())
    try:
        yield
    finally:
        pinging.cancel()
        with suppress(asyncio.CancelledError):
            await pinging
        link.transport.abort()
