"""``workspace-bridge finesse-simulator``: run the Finesse look-alike until a signal, and say how to reach it."""

from __future__ import annotations

import asyncio
import errno
import json
import shlex
import signal
from typing import TYPE_CHECKING, Any

from bridge.command_line.exits import Exit, put, stop

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.finesse_simulator.look_alike import FinesseLookAlike

try:
    from uvloop import new_event_loop
except ImportError:  # not on this platform
    new_event_loop = None  # type: ignore[assignment]

_SHOWN_AGENTS = 5


def run(*, as_json: bool, **options: Any) -> None:
    """Start everything, tell where it is, and stop in order at SIGINT or SIGTERM."""
    try:
        from bridge.finesse_simulator.look_alike import FinesseLookAlike  # noqa: PLC0415 it needs what may be missing
        from bridge.finesse_simulator.prosody import ProsodyError  # noqa: PLC0415 same
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        stop(Exit.REFUSED, f"error: {package} is not installed: pip install 'workspace-bridge[finesse-simulator]'")
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = new_event_loop
    try:
        finesse = FinesseLookAlike(**options)
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_serve(finesse, as_json=as_json))
    except ProsodyError as error:
        stop(Exit.REFUSED, f"error: {error}")
    except OSError as error:
        stop(Exit.REFUSED, f"error: {_problem(error)}")


async def _serve(finesse: FinesseLookAlike, *, as_json: bool) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    starting = loop.create_task(finesse.start())
    waiting = loop.create_task(asked.wait())
    await asyncio.wait({starting, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if not starting.done():
        starting.cancel()
        await asyncio.wait({starting})
        return
    waiting.cancel()
    starting.result()
    try:
        put(finesse.to_json() if as_json else _welcome(finesse))
        await asked.wait()
    finally:
        await finesse.stop()


def _welcome(finesse: FinesseLookAlike) -> str:
    """Say how to point a bridge at it and who can sign in."""
    settings = {
        "BRIDGE_FINESSE_URLS": json.dumps(finesse.rest_urls),
        "BRIDGE_FINESSE_XMPP_URLS": json.dumps(finesse.xmpp_urls),
        "BRIDGE_FINESSE_CA_FILE": str(finesse.ca_file),
    }
    command = [f"{name}={shlex.quote(value)} \\" for name, value in settings.items()]
    agents = [
        f"  {agent.username}  password {agent.password}  extension {agent.extension}"
        for agent in finesse.agents[:_SHOWN_AGENTS]
    ]
    more = len(finesse.agents) - len(agents)
    lines = [
        "",
        "Finesse's look-alike is ready. Start a bridge at it, in another terminal:",
        "",
        *(f"  {line}" for line in command),
        "  workspace-bridge serve --adapter finesse",
        "",
        "Agents:",
        *agents,
        *([f"  and {more} more, see {finesse.control_url}/agents"] if more else []),
        "",
        f"The outside world's hand, see {finesse.control_url}/ for more:",
        f"""  curl {finesse.control_url}/offer -d '{{"to": "{finesse.agents[0].extension}", "from": "+15550100"}}'""",
        "",
        "Ctrl-C stops it.",
        "",
    ]
    return "\n".join(lines)


def _problem(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"a port is in use: choose others with --port (0: free ones): {error.strerror}"
    return error.strerror or str(error)
