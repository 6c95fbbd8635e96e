"""A real HTTPS server for the tests of the REST client, and one below HTTP for what no proper server does."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import trustme
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from bridge.calls.finesse.rest import FinesseRest, make_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from starlette.requests import Request

AUTHORITY = trustme.CA()


def client_tls(authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(context)
    return context


@asynccontextmanager
async def rest(
    port: int, tls: ssl.SSLContext | None = None, *, host: str = "localhost", **times: float
) -> AsyncIterator[FinesseRest]:
    client = make_client(tls or client_tls(), **times)  # type: ignore[arg-type]
    try:
        yield FinesseRest(f"https://{host}:{port}", client)
    finally:
        await client.aclose()


@dataclass(frozen=True)
class Got:
    """One request as it arrived; names of headers in small letters."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class FinesseServer:
    """Answers every request with ``answer`` and remembers it."""

    port: int = 0
    answer: Response = field(default_factory=lambda: Response(status_code=202))
    got: list[Got] = field(default_factory=list)
    connections: set[tuple[str, int]] = field(default_factory=set)

    async def handle(self, request: Request) -> Response:
        body = (await request.body()).decode()
        self.got.append(Got(request.method, request.scope["raw_path"].decode(), dict(request.headers), body))
        assert request.client is not None
        self.connections.add((request.client.host, request.client.port))
        return self.answer


@asynccontextmanager
async def finesse_server(
    directory: Path, *, keep_alive: int = 5, host: str = "localhost"
) -> AsyncIterator[FinesseServer]:
    issued = AUTHORITY.issue_cert(host)
    certificate, key = directory / "server.pem", directory / "server.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    finesse = FinesseServer()
    app = Starlette(routes=[Route("/{path:path}", finesse.handle, methods=["GET", "POST", "PUT"])])
    config = uvicorn.Config(
        app,
        ssl_certfile=certificate,
        ssl_keyfile=key,
        timeout_keep_alive=keep_alive,
        lifespan="off",
        log_config=None,
        http="h11",
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    finesse.port = listening.getsockname()[1]
    # What uvicorn's ``serve`` does, without its sleeps of a tenth of a second.
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listening])
    try:
        yield finesse
    finally:
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        for each in server.servers:
            each.close()
            await each.wait_closed()


@dataclass
class RawServer:
    """Speaks bytes: reads one request each time, then does what the test says."""

    port: int
    connected: int = 0
    got: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def raw_server(act: Callable[[asyncio.StreamWriter, int], Awaitable[None]]) -> AsyncIterator[RawServer]:
    """Serve one request of each connection by ``act``, which gets the writer and the number of the request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert("localhost").configure_cert(context)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raw.connected += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(length[1]) if length is not None else 0)
                raw.got.append(head + body)
                await act(writer, len(raw.got))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    raw = RawServer(server.sockets[0].getsockname()[1])
    try:
        yield raw
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def chain(error: BaseException) -> list[BaseException]:
    """List an exception and all that it drags along."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and each not in found:
            found.append(each)
            waiting += [each.__cause__, each.__context__]
    return found
