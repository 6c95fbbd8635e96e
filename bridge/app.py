"""The whole bridge: the only place that knows all rooms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bridge import __version__
from bridge.audited import Audited
from bridge.broker.broker import Broker
from bridge.broker.clock import SystemClock
from bridge.calls.finesse.adapter import FinesseAdapter
from bridge.calls.service import CallService
from bridge.calls.simulator.adapter import SimulatorAdapter
from bridge.protocol.control import Server
from bridge.server import files, tls
from bridge.server.audit import make_trail
from bridge.server.audit.file import check_file
from bridge.server.auth import make_authentication
from bridge.server.serve import BridgeServer
from bridge.server.signals import stop_requested
from bridge.telemetry import Telemetry, log

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.clock import Clock
    from bridge.calls.adapter import Adapter
    from bridge.calls.finesse.observer import Observer
    from bridge.calls.timers import Timer
    from bridge.server.files import FileLimit
    from bridge.settings import Settings


def _call_later(delay: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay, callback)


def make_adapter(settings: Settings, clock: Clock, observer: Observer) -> Adapter:
    """Make the adapter that the settings name."""
    if settings.adapter == "finesse":
        return FinesseAdapter(
            settings.finesse_urls,
            xmpp_urls=settings.finesse_xmpp_urls,
            transport=settings.finesse_xmpp,
            ca_file=settings.finesse_ca_file,
            linger_seconds=settings.finesse_linger_seconds,
            observer=observer,
        )
    return SimulatorAdapter(
        call_later=_call_later,
        now=clock.timestamp,
        reaction_seconds=settings.simulator_reaction_ms / 1000,
    )


class Bridge:
    """One bridge in this process, with its bus, its call control and its server.

    Several may run beside each other, each with a port of its own.
    """

    def __init__(self, settings: Settings, *, adapter: Adapter | None = None) -> None:
        settings.refuse_open_bind()
        clock = SystemClock()
        self.settings = settings
        self.trail = make_trail(settings, clock)
        self.telemetry = Telemetry() if self.trail is None else Audited(self.trail)
        self.adapter = adapter or make_adapter(settings, clock, self.telemetry)
        self.calls = CallService(
            adapter=self.adapter,
            clock=clock,
            call_later=_call_later,
            command_seconds=settings.command_seconds,
            dial_seconds=settings.dial_seconds,
            observer=self.telemetry,
        )
        self.authentication = make_authentication(settings)
        self.broker = Broker(
            clock=clock,
            gate=self.calls,
            limits=settings.limits,
            tokens=self.authentication,
            observer=self.telemetry,
            server=Server(version=__version__, adapter=self.adapter.name),
        )
        self.server = BridgeServer(
            broker=self.broker,
            settings=settings,
            hooks=self,
            tokens=self.authentication,
            observer=self.telemetry,
        )
        self.telemetry.gauge("bridge_sessions", "Open sessions", lambda: self.broker.sessions)
        self.telemetry.gauge("bridge_expiring_sessions", "Sessions that end with a token", lambda: self.broker.expiring)
        self.telemetry.gauge("bridge_pending_connections", "Without session yet", lambda: self.server.pending)
        self.telemetry.gauge("bridge_deadlines", "Connections that owe something", lambda: self.server.deadlines)
        self.telemetry.gauge("bridge_outbox_bytes", "Bytes that wait to be read", lambda: self.server.outbox_bytes)
        self.telemetry.gauge("bridge_workspaces", "Workspaces in memory", lambda: len(self.broker.workspaces))
        self.telemetry.counter(
            "bridge_audit_lost", "Lines lost to the audit trail", lambda: self.trail.lost if self.trail else 0
        )
        self.telemetry.gauge("bridge_commands_outstanding", "Commands without outcome", lambda: self.calls.outstanding)

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return self.server.port

    @property
    def http_url(self) -> str:
        """Where the demo page is."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        scheme = "http" if self.settings.tls_cert_file is None else "https"
        return f"{scheme}://{host}:{self.port}"

    @property
    def url(self) -> str:
        """Where WebSocket clients connect to."""
        return f"ws{self.http_url.removeprefix('http')}/ws"

    @staticmethod
    def check_certificate(settings: Settings) -> None:
        """Read the certificate, if there is one, and forget it.

        Raises:
            SettingsError: It cannot be used; the text names the setting.
        """
        if settings.tls_cert_file is not None and settings.tls_key_file is not None:
            tls.read(settings.tls_cert_file, settings.tls_key_file)

    @staticmethod
    def check_audit_file(settings: Settings) -> None:
        """See whether the audit trail could be written.

        Raises:
            SettingsError: It could not; the text names the setting.
        """
        if settings.audit_file is not None:
            check_file(settings.audit_file)

    @staticmethod
    def file_limit(settings: Settings) -> FileLimit | None:
        """Raise the process's file limit as far as it goes; say what is allowed and what all sessions would need."""
        return files.raise_limit(settings.max_sessions)

    async def start(self) -> None:
        """Start call control, then listen.

        Raises:
            OSError: The address cannot be bound.
            SettingsError: The certificate cannot be used.
        """
        self.calls.start(self.broker)
        if self.authentication is not None:
            await self.authentication.start()
        await self.server.start()
        log.info("started", url=self.url, page=self.http_url, adapter=self.adapter.name, version=__version__)

    async def stop(self) -> None:
        """Stop in order: commands end, queues are flushed, sessions are told, then the switch is left."""
        await self.server.stop()
        if self.authentication is not None:
            await self.authentication.stop()
        await self.adapter.stop()
        if self.trail is not None:
            await asyncio.to_thread(self.trail.close)
        log.info("stopped")

    async def serve(self, *, started: Callable[[Bridge], object] | None = None) -> None:
        """Start, call ``started``, run until SIGINT or SIGTERM, stop."""
        with stop_requested() as stop:
            await self.start()
            try:
                if started is not None:
                    started(self)
                await stop.wait()
            finally:
                await self.stop()

    # What the server asks

    def ready(self) -> dict[str, bool]:
        """Say which parts can do their work."""
        parts = {"call_control": self.adapter.ready()}
        if self.authentication is not None:
            parts["authentication"] = self.authentication.ready
        return parts

    def metrics(self) -> bytes:
        """Give everything in Prometheus' text format."""
        return self.telemetry.exposition()

    async def drain(self, seconds: float) -> None:
        """Wait for commands in flight, then end what is left as ``TimedOut``."""
        idle = asyncio.Event()
        self.calls.when_idle(idle.set)
        try:
            async with asyncio.timeout(seconds):
                await idle.wait()
        except TimeoutError:
            log.warning("drain_over", commands=self.calls.outstanding)
            self.calls.end_all()
