"""The bridge as a process to measure: settings from the environment, its port on standard output, logs as shipped."""

from __future__ import annotations

from benchmarks.load import run
from bridge.app import Bridge
from bridge.command_line.collector import spare_the_collector
from bridge.settings import load
from bridge.telemetry import configure_logging


async def main() -> None:
    """Serve on a free port, which is printed, until SIGTERM."""
    settings = load()
    configure_logging(settings.log_level, settings.log_format)
    spare_the_collector()
    await Bridge(settings).serve(started=lambda bridge: print(bridge.port, flush=True))


if __name__ == "__main__":
    run(main())
