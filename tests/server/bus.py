"""A bus without telephones on a real port."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from bridge.broker.broker import Broker
from bridge.broker.clock import SystemClock
from bridge.broker.gate import NoCallControl
from bridge.server.serve import BridgeServer
from tests.server.wire import Wire

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from bridge.broker.identity import Identity
    from bridge.broker.tokens import Tokens
    from bridge.protocol.errors import CloseCode
    from bridge.server.opening import Applicant
    from bridge.server.pulse import Timing
    from bridge.settings import Settings


class Start(Protocol):
    """Starts a server; ``tick`` and ``cut`` are seconds, the rest are settings."""

    async def __call__(self, *, tick: float = 0.02, cut: float = 0.3, **settings: Any) -> Bus: ...


class Recorder:
    """Keeps what the server tells its observer."""

    def __init__(self) -> None:
        self.limits: list[tuple[str, dict[str, Any]]] = []
        self.failures: list[tuple[str, Exception]] = []
        self.requests: list[tuple[str, str, int]] = []
        self.sign_ins: list[tuple[Any, ...]] = []
        self.certificates: list[str | None] = []
        self.exposed: list[str] = []

    def limited(self, limit: str, **who: Any) -> None:
        self.limits.append((limit, who))

    def failed(self, where: str, error: Exception, **who: Any) -> None:
        del who
        self.failures.append((where, error))

    def signed_in(self, workspace: str, identity: Identity) -> None:
        self.sign_ins.append((workspace, identity.subject))

    def sign_in_refused(self, applicant: Applicant, code: CloseCode, reason: str) -> None:
        self.sign_ins.append((applicant.opening.workspace, code, reason))

    def http_request(self, method: str, route: str, status: int, seconds: float) -> None:
        del seconds
        self.requests.append((method, route, status))

    def loop_lag(self, seconds: float) -> None:
        del seconds

    def certificate_read(self, problem: str | None) -> None:
        self.certificates.append(problem)

    def unencrypted(self, host: str) -> None:
        self.exposed.append(host)


class App:
    """What stands behind the server: nothing but a drain that a test can hold open."""

    def __init__(self) -> None:
        self.parts = {"call_control": True}
        self.drained = asyncio.Event()
        self.drained.set()
        self.draining = asyncio.Event()

    def ready(self) -> dict[str, bool]:
        return self.parts

    def metrics(self) -> bytes:
        return b"# nothing\n"

    async def drain(self, seconds: float) -> None:
        del seconds
        self.draining.set()
        await self.drained.wait()


class Bus:
    """One server under test; ``tls`` is how its clients check its certificate, if it has one."""

    def __init__(
        self, settings: Settings, timing: Timing, tls: ssl.SSLContext | None = None, tokens: Tokens | None = None
    ) -> None:
        self.tls = tls
        self.settings = settings
        self.observer = Recorder()
        self.app = App()
        self.broker = Broker(clock=SystemClock(), gate=NoCallControl(), limits=settings.limits, tokens=tokens)
        self.server = BridgeServer(
            broker=self.broker,
            settings=settings,
            hooks=self.app,
            tokens=tokens,
            observer=self.observer,
            timing=timing,
        )
        self.loop_errors: list[dict[str, Any]] = []
        self._wires = AsyncExitStack()

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def connections(self) -> int:
        """Count the connections of any kind that the server still has."""
        assert self.server._uvicorn is not None
        return len(self.server._uvicorn.server_state.connections)

    @property
    def http(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Bus]:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.loop_errors.append(context))
        await self.server.start()
        try:
            async with self._wires:
                yield self
        finally:
            self.app.drained.set()
            await self.server.stop()
        assert self.loop_errors == []

    async def wire(self, **options: Any) -> Wire:
        """Open a TCP connection."""
        wire = await Wire.connect(self.port, **{"tls": self.tls, **options})
        self._wires.push_async_callback(wire.hang_up)
        return wire

    async def session(self, query: str = "", **options: Any) -> Wire:
        """Open a session, and read its greeting."""
        wire = await self.wire(**options)
        await wire.upgrade(query)
        opened = await wire.message()
        assert opened["subtopic"] == "Opened"
        return wire
