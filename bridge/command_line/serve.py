"""``workspace-bridge serve``: run the bridge, or only check whether it could run."""

from __future__ import annotations

import asyncio
import errno
import json
import sys
from typing import TYPE_CHECKING, Any

from bridge.app import Bridge
from bridge.command_line.collector import spare_the_collector
from bridge.command_line.exits import Exit, put, say, stop
from bridge.settings import Settings, SettingsError, load
from bridge.telemetry import configure_logging

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

try:
    from uvloop import new_event_loop
except ImportError:  # not on this platform
    new_event_loop = None  # type: ignore[assignment]


def serve(config: Path | None, overrides: dict[str, Any], *, check: bool) -> None:
    """Read the settings, then serve until a signal; with ``check`` only say what would be served."""
    try:
        settings = load(config=config, overrides=overrides)
        settings.refuse_open_bind()
        Bridge.check_certificate(settings)
        Bridge.check_audit_file(settings)
    except SettingsError as error:
        stop(Exit.USAGE, f"error: {error}")
    if check:
        _tell_check(settings)
        return
    configure_logging(settings.log_level, settings.log_format)
    spare_the_collector()
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = new_event_loop
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(Bridge(settings).serve(started=_welcome))
    except SettingsError as error:  # a file that could be used a moment ago cannot any more
        stop(Exit.USAGE, f"error: {error}")
    except OSError as error:
        stop(Exit.REFUSED, f"error: {_bind_problem(error, settings)}")


def _welcome(bridge: Bridge) -> None:
    """Greet a person; a log reader has the line ``started``."""
    if not sys.stdout.isatty():
        return
    page = f"{bridge.http_url}/" if bridge.settings.demo_page else "off"
    put(f"\n  Demo page  {page}\n  WebSocket  {bridge.url}\n  Adapter    {bridge.adapter.name}\n\n  Ctrl-C stops it.\n")


def _bind_problem(error: OSError, settings: Settings) -> str:
    host, port = settings.host, settings.port
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is in use: stop what listens there, or choose another with --port (0: a free one)"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs rights that this user has not: choose one above 1023 with --port"
    return f"cannot listen on {host}, port {port}: {error.strerror or error}"


def _tell_check(settings: Settings) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    put("the settings are valid")
    s = "" if settings.tls_cert_file is None else "s"
    put(f"would serve ws{s}://{host}:{settings.port}/ws with the adapter {settings.adapter}")
    put(f"demo page: {f'http{s}://{host}:{settings.port}/' if settings.demo_page else 'off'}")
    changed = {name: value for name, value in settings.model_dump().items() if _is_changed(name, value)}
    for name, value in changed.items():
        put(f"{name.upper()} = {json.dumps(value) if isinstance(value, tuple) else value}")
    if settings.unencrypted:
        say(
            f"warning: HOST is {settings.host}, so tokens and calls travel unencrypted: set TLS_CERT_FILE and "
            "TLS_KEY_FILE, or TRUSTED_PROXIES where a proxy in front speaks TLS"
        )
    limit = Bridge.file_limit(settings)
    if limit is not None and limit.short:
        say(
            f"warning: this process may open {limit.allowed} files; {settings.max_sessions} sessions (MAX_SESSIONS) "
            f"would need {limit.wanted}: raise the limit (ulimit -n) or lower MAX_SESSIONS"
        )


def _is_changed(name: str, value: object) -> bool:
    return bool(Settings.model_fields[name].default != value)
