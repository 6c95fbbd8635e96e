"""The server's life: bind, serve, tick once a second, stop in order (wire protocol §10)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, cast

import uvicorn

from bridge.protocol.errors import CloseCode
from bridge.server import files, http, listener
from bridge.server.endpoint import Endpoint
from bridge.server.http_protocol import HEADER_BYTES, RequestProtocol
from bridge.server.observer import Silent
from bridge.server.origins import Origins
from bridge.server.outbox import Flusher
from bridge.server.pending import Pending
from bridge.server.proxies import Proxies
from bridge.server.pulse import Pulse, Timing
from bridge.server.tls import Certificate
from bridge.server.websocket import Connection

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.broker import Broker
    from bridge.broker.tokens import Tokens
    from bridge.server.observer import ServerObserver
    from bridge.settings import Settings

POLL_SECONDS = 0.01
"""How often the end looks whether the last connection has gone."""


class Hooks(Protocol):
    """What the server asks the application."""

    def ready(self) -> dict[str, bool]:
        """Say of each part whether it can do its work."""

    def metrics(self) -> bytes:
        """Give everything in Prometheus' text format."""

    async def drain(self, seconds: float) -> None:
        """Wait for commands in flight, then end those that are left as ``TimedOut``."""


class _Uvicorn(uvicorn.Server):
    """uvicorn, with a listener of our own and no loop, signals or ticks of its own."""

    async def listen(self, endpoint: Endpoint, encryption: listener.Encryption | None) -> listener.Listener:
        """Bind and accept.

        Raises:
            OSError: The address cannot be bound.
        """
        config = self.config
        config.load()
        self.lifespan = config.lifespan_class(config)
        sockets = await listener.bind(endpoint.loop, config.host, config.port)
        make = partial(
            cast("Callable[..., RequestProtocol]", config.http_protocol_class),
            config=config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
            _loop=endpoint.loop,
        )
        listening = listener.Listener(endpoint.loop, sockets, make, endpoint.observer, encryption)
        self.servers = cast("list[asyncio.base_events.Server]", [listening])
        return listening

    async def end(self, seconds: float) -> None:
        """Accept nobody, and give those who are connected some seconds to finish.

        uvicorn's own ``shutdown`` does the same, but takes a tenth of a second where nobody is connected, which a test
        suite that starts a bridge per test would feel, and leaves connections open that do not finish.
        """
        state = self.server_state
        for listening in self.servers:
            listening.close()
        for connection in tuple(state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while state.connections or state.tasks:  # noqa: ASYNC110 uvicorn keeps sets, no event
                    await asyncio.sleep(POLL_SECONDS)
        for left in cast("set[Connection | RequestProtocol]", set(state.connections)):
            left.cut()
        for task in tuple(state.tasks):
            task.cancel()
        for listening in self.servers:
            await listening.wait_closed()


class BridgeServer:
    """The bus on a port."""

    def __init__(
        self,
        *,
        broker: Broker,
        settings: Settings,
        hooks: Hooks,
        tokens: Tokens | None = None,
        observer: ServerObserver | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._broker = broker
        self._settings = settings
        self._hooks = hooks
        self._tokens = tokens
        self._observer = observer or Silent()
        self._timing = timing or Timing()

        # Set by start().
        self.port = 0
        self._endpoint: Endpoint | None = None
        self._uvicorn: _Uvicorn | None = None
        self._certificate: Certificate | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def outbox_bytes(self) -> int:
        """Bytes that wait to be read by clients, for metrics."""
        return sum(outbox.size for outbox in self._endpoint.outboxes) if self._endpoint else 0

    @property
    def pending(self) -> int:
        """Connections that have no session yet."""
        return len(self._endpoint.pending) if self._endpoint else 0

    @property
    def deadlines(self) -> int:
        """Connections that owe something within a time: a token, a pong, the rest of a message, their end."""
        return self._endpoint.pulse.deadlines if self._endpoint else 0

    async def start(self) -> None:
        """Bind and serve in the running loop.

        Raises:
            OSError: The address cannot be bound; the text says which.
            SettingsError: The certificate cannot be used; the text names the setting.
        """
        self._check_files()
        encryption = self._encryption()
        loop = asyncio.get_running_loop()
        endpoint = Endpoint(
            broker=self._broker,
            settings=self._settings,
            observer=self._observer,
            loop=loop,
            origins=Origins(self._settings.allowed_origins),
            proxies=Proxies(self._settings.trusted_proxies),
            tokens=self._tokens,
            pulse=Pulse(self._settings, self._timing, loop.time()),
            pending=Pending(self._settings.pending_connections, self._observer),
            flusher=Flusher(loop, self._observer),
        )
        server = _Uvicorn(_config(endpoint, self._hooks))
        listening = await server.listen(endpoint, encryption)
        self.port = listening.sockets[0].getsockname()[1]
        self._endpoint, self._uvicorn = endpoint, server
        self._ticking = loop.create_task(self._tick(endpoint, server))

    async def stop(self) -> None:
        """Stop in order; harmless when repeated.

        Not ready, event streams end, new publishes are refused, commands in flight have ``DRAIN_SECONDS``, out-queues
        are flushed, every session gets 1012. Until then connections are accepted, so that ``/readyz`` can answer.
        """
        endpoint, server = self._endpoint, self._uvicorn
        if endpoint is None or server is None or endpoint.stopping:
            return
        endpoint.stopping = True
        for stream in tuple(endpoint.streams):
            stream.end(CloseCode.RESTART, "the bridge is restarting")
        self._broker.draining = True
        await self._drain()
        self._broker.close_all(CloseCode.RESTART, "the bridge is restarting")
        await self._end(server)

    async def _drain(self) -> None:
        try:
            await self._hooks.drain(self._settings.drain_seconds)
        except Exception as error:  # noqa: BLE001 the sessions are to be told all the same
            self._observer.failed("drain", error)

    async def _end(self, server: _Uvicorn) -> None:
        """Let requests be answered and connections take their last bytes, then end those that did not, and the tick."""
        await server.end(self._timing.cut)
        if self._ticking is not None:
            self._ticking.cancel()
            with suppress(asyncio.CancelledError):
                await self._ticking

    def _check_files(self) -> None:
        limit = files.raise_limit(self._settings.max_sessions)
        if limit is not None and limit.short:
            self._observer.limited("files", allowed=limit.allowed, wanted=limit.wanted)

    def _encryption(self) -> listener.Encryption | None:
        """Read the certificate, if there is one; warn where calls and tokens can be read on their way."""
        settings = self._settings
        if settings.tls_cert_file is not None and settings.tls_key_file is not None:
            self._certificate = Certificate(settings.tls_cert_file, settings.tls_key_file, self._observer)
            return listener.Encryption(self._certificate, settings.open_seconds, self._timing.cut)
        if settings.unencrypted:
            self._observer.unencrypted(settings.host)
        return None

    async def _tick(self, endpoint: Endpoint, server: _Uvicorn) -> None:
        """Do what is due once a second, for all connections at once."""
        loop, due = endpoint.loop, endpoint.loop.time()
        look = due + self._timing.look
        while True:
            try:
                await server.on_tick(0)  # the Date header
                endpoint.pulse.tick(loop.time())
                self._broker.tick()
                if self._certificate is not None and due >= look:
                    self._certificate.refresh()
                    look = due + self._timing.look
            except Exception as error:  # noqa: BLE001 the next second must come
                self._observer.failed("tick", error)
            due += self._timing.tick
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._observer.loop_lag(loop.time() - due)
            due = max(due, loop.time() - self._timing.tick)


def _config(endpoint: Endpoint, hooks: Hooks) -> uvicorn.Config:
    settings = endpoint.settings
    return uvicorn.Config(
        cast("Any", http.application(endpoint, hooks)),
        host=settings.host,
        port=settings.port,
        loop="none",
        http=cast("type[asyncio.Protocol]", partial(RequestProtocol, endpoint)),
        ws=cast("type[asyncio.Protocol]", partial(Connection, endpoint)),
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
