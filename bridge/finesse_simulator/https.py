"""A port with an ASGI application behind it, that can be killed: connections cut, nothing answered, nobody told.

uvicorn's protocol does HTTP; its server, which would handle signals and take a tenth of a second to stop, is not used.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from bridge.finesse_simulator.relay import LOOPBACK

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from bridge.finesse_simulator.certificates import Certificates

KEEP_ALIVE_SECONDS: Final = 20
"""Tomcat's, which Finesse is served by."""
CUT: Final = "bridge.cut"
"""Key in a request's scope: call it to cut the connection."""
_BACKLOG: Final = 1024


class _Protocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[CUT] = self.transport.abort


class HttpServer:
    """One port, with TLS where ``certificates`` are given; 0 takes a free one when first started, and keeps it."""

    def __init__(self, app: Starlette, *, port: int = 0, certificates: Certificates | None = None) -> None:
        self.port = port
        self._config = Config(
            app,
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            ssl_certfile=certificates.certificate if certificates else None,
            ssl_keyfile=certificates.key if certificates else None,
        )
        self._state = ServerState()
        self._server: asyncio.Server | None = None

    @property
    def running(self) -> bool:
        """Whether the port is open."""
        return self._server is not None

    async def start(self) -> None:
        """Open the port.

        Raises:
            OSError: It cannot be bound.
        """
        if self._server is not None:
            return
        if not self._config.loaded:
            self._config.load()
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            return _Protocol(self._config, self._state, {}, loop)

        self._server = await loop.create_server(protocol, LOOPBACK, self.port, ssl=self._config.ssl, backlog=_BACKLOG)
        self.port = self._server.sockets[0].getsockname()[1]

    async def kill(self) -> None:
        """Close the port and cut every connection, whatever is being answered. ``start`` opens the same port again."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        connections = list(self._state.connections)
        tasks = list(self._state.tasks)
        for connection in connections:
            connection.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        while self._state.connections:  # noqa: ASYNC110 uvicorn keeps a set, no event
            await asyncio.sleep(0)

    stop = kill
