"""The relay in front of a port: what goes through, and how it fails."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.finesse_simulator.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMIT = 10.0


@asynccontextmanager
async def echo() -> AsyncIterator[int]:
    """Give the port of a server that says everything again."""
    writers: set[asyncio.StreamWriter] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for writer in writers:
            writer.close()


class Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, data: bytes) -> bytes:
        """Send, and read as much again."""
        self.writer.write(data)
        return await asyncio.wait_for(self.reader.readexactly(len(data)), LIMIT)


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[Relay, Client]]:
    relay = Relay()
    async with echo() as port:
        await relay.start(port)
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        try:
            yield relay, Client(reader, writer)
        finally:
            writer.close()
            await relay.stop()


async def test_everything_goes_through_however_much_it_is() -> None:
    async with relayed() as (_, client):
        data = bytes(range(256)) * 20_000

        assert await client.says(data) == data


async def test_cut_resets_the_connection_and_new_ones_are_let_in() -> None:
    async with relayed() as (relay, client):
        await client.says(b"hello")
        assert relay.cut() == 1
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(client.reader.read(1), LIMIT)

        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        assert await Client(reader, writer).says(b"again") == b"again"
        writer.close()


async def test_silence_holds_everything_back_and_loses_nothing() -> None:
    async with relayed() as (relay, client):
        await client.says(b"hello")
        relay.silence()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.says(b"anybody there?")

        relay.silence(silent=False)

        assert await asyncio.wait_for(client.reader.readexactly(14), LIMIT) == b"anybody there?"


async def test_connection_made_in_silence_is_open_and_mute() -> None:
    async with relayed() as (relay, client):
        await client.says(b"hello")
        relay.silence()
        reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
        late = Client(reader, writer)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await late.says(b"hello")
        relay.silence(silent=False)

        assert await asyncio.wait_for(reader.readexactly(5), LIMIT) == b"hello"
        writer.close()


async def test_stopped_relay_refuses_and_starts_again_at_the_same_port() -> None:
    async with relayed() as (relay, client):
        await client.says(b"hello")
        port, target = relay.port, relay.target
        await relay.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
        await relay.start(target)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)

        assert await Client(reader, writer).says(b"again") == b"again"
        writer.close()


async def test_end_of_either_side_ends_the_other() -> None:
    async with relayed() as (relay, client):
        await client.says(b"hello")
        client.writer.close()
        async with asyncio.timeout(LIMIT):
            while relay.connections:  # noqa: ASYNC110 nobody is told
                await asyncio.sleep(0)

        assert relay.cut() == 0


async def test_connection_is_cut_where_nobody_listens_behind() -> None:
    relay = Relay()
    async with echo() as port:
        pass
    await relay.start(port)
    reader, writer = await asyncio.open_connection("127.0.0.1", relay.port)
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(1), LIMIT)
    writer.close()
    await relay.stop()
