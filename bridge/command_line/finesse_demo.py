"""``workspace-bridge finesse-demo``: the bridge with its Finesse adapter, and a look-alike of Finesse for it."""

from __future__ import annotations

import asyncio
import errno
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bridge.app import Bridge
from bridge.command_line.exits import Exit, put, stop
from bridge.settings import Settings, SettingsError, load
from bridge.telemetry import configure_logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.finesse_simulator.look_alike import FinesseLookAlike

try:
    from uvloop import new_event_loop
except ImportError:  # not on this platform
    new_event_loop = None  # type: ignore[assignment]

QUIET = "warning"
"""Passwords stand on the screen for copying: a line for every session and outcome would push them away."""

SESSIONS = 1000
"""Enough for one person's tabs; the limit of open files need not be looked at."""


def run(port: int | None, **options: Any) -> None:
    """Start look-alike and bridge, say how to go on, and stop both in order at SIGINT or SIGTERM."""
    try:
        from bridge.finesse_simulator.prosody import ProsodyError  # noqa: PLC0415 it needs what may be missing
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        stop(Exit.REFUSED, f"error: {package} is not installed: pip install 'workspace-bridge[finesse-simulator]'")
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = new_event_loop
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_until_a_signal(port, options))
    except SettingsError as error:
        stop(Exit.USAGE, f"error: {error}")
    except ProsodyError as error:
        stop(Exit.REFUSED, f"error: {error}")
    except OSError as error:
        stop(Exit.REFUSED, f"error: {_problem(error)}")


async def _until_a_signal(port: int | None, options: dict[str, Any]) -> None:
    """Run the demo; the first signal ends it in order, even while it starts, a second one at once."""
    loop = asyncio.get_running_loop()
    demo = loop.create_task(_demo(port, options))
    signals = (signal.SIGINT, signal.SIGTERM)

    def end() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        demo.cancel()

    for number in signals:
        loop.add_signal_handler(number, end)
    with suppress(asyncio.CancelledError):
        await demo


async def _demo(port: int | None, options: dict[str, Any]) -> None:
    from bridge.finesse_simulator.demo_adapter import DemoAdapter  # noqa: PLC0415 as above
    from bridge.finesse_simulator.look_alike import FinesseLookAlike  # noqa: PLC0415 same

    settings = load(overrides={"port": port, "adapter": "simulator", "max_sessions": SESSIONS})
    configure_logging(settings.log_level if "log_level" in settings.model_fields_set else QUIET, settings.log_format)
    async with FinesseLookAlike(**options) as finesse:
        bridge = Bridge(settings, adapter=DemoAdapter(finesse))
        await bridge.start()
        try:
            put(_welcome(bridge, finesse))
            await asyncio.Event().wait()
        finally:
            await bridge.stop()


def _welcome(bridge: Bridge, finesse: FinesseLookAlike) -> str:
    """Say where the page is, who can sign in there, and what else there is to try."""
    width = max(len(agent.password) for agent in finesse.agents)
    return "\n".join(
        [
            "",
            f"  Demo page  {bridge.http_url}/",
            "  Adapter    Cisco Finesse, at a look-alike on this machine",
            "",
            "  Sign in on the page as one of these agents; they can call each other:",
            "",
            f"    {'Name':<10}{'Password':<{width + 2}}Extension",
            *(f"    {agent.username:<10}{agent.password:<{width + 2}}{agent.extension}" for agent in finesse.agents),
            "",
            "  Then let a customer call, with the page's button or from another terminal:",
            "",
            """    workspace-bridge publish Simulator/Call/Offer '{"fromAddress": "+15550100"}' --wait"""
            + (f" --url {bridge.url}" if bridge.port != Settings.model_fields["port"].default else ""),
            "",
            "  See what happens when Finesse goes out of service, and comes back:",
            "",
            f"""    curl {finesse.control_url}/faults -d '{{"out_of_service": [0]}}'""",
            f"""    curl {finesse.control_url}/faults -d '{{"reset": true}}'""",
            "",
            f"  More faults: curl {finesse.control_url}/",
            "",
            "  Ctrl-C stops everything.",
            "",
        ]
    )


def _problem(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use: stop what listens there, or choose another with --port (0: a free one)"
    return error.strerror or str(error)
