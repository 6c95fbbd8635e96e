"""The bridge as a process to measure: settings from the environment, its port on standard output, logs as shipped."""

from __future__ import annotations

from benchmarks.load import run
from bridge.app import Bridge
from bridge.settings import load
from bridge.telemetry import configure_logging


async def main() -> None:
    """Serve on a free port, which is printed, until SIGTERM."""
    settings = load()
    configure_logging(settings.log_level, settings.log_format)
    bridge = Bridge(settings)
    await bridge.start()
    print(bridge.port, flush=True)
    try:
        await bridge.server.wait_for_signal()
    finally:
        await bridge.stop()


if __name__ == "__main__":
    run(main())
