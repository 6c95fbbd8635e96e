"""A bridge in this process, for tests: in the running event loop, or in a thread with its own."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from bridge.app import Bridge
from bridge.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from bridge.calls.adapter import Adapter

T = TypeVar("T")

FOR_TESTS: dict[str, Any] = {
    "port": 0,
    "simulator_reaction_ms": 0,
    "messages_per_second": 0,
    "drain_seconds": 0,
    "max_sessions": 1000,
}
"""A free port, a switch that reacts at once, no rate limit, an end without waiting, few sessions for any file limit."""

START_SECONDS = 10.0


def _settings(changes: dict[str, Any]) -> Settings:
    """Settings as given, and nothing from the environment: a test means the same on every machine."""
    return Settings(**(FOR_TESTS | changes))


@asynccontextmanager
async def running_bridge(*, adapter: Adapter | None = None, **settings: Any) -> AsyncIterator[Bridge]:
    """Run a bridge in the running event loop.

    Args:
        adapter: The switch; by default the simulated one.
        settings: What to change, such as ``strict=True``; by default a free port, a switch that reacts at once, and no
            rate limit.

    Raises:
        pydantic.ValidationError: A setting is unknown or cannot be.
    """
    bridge = Bridge(_settings(settings), adapter=adapter)
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


class BackgroundBridge:
    """A bridge in a thread with an event loop of its own: for tests that are not asyncio's, or not in one loop.

    Use it as a context manager. ``url`` is for WebSocket clients, ``http_url`` is the demo page.

    Raises:
        pydantic.ValidationError: A setting is unknown or cannot be.
        OSError: On entering: the address cannot be bound.
    """

    def __init__(self, **settings: Any) -> None:
        self.settings = _settings(settings)

        # Set while it runs.
        self.url = ""
        self.http_url = ""
        self.port = 0
        self._loop: asyncio.AbstractEventLoop
        self._bridge: Bridge
        self._end: asyncio.Event
        self._thread = threading.Thread(target=self._run, name="bridge under test", daemon=True)
        self._started: Future[None] = Future()

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result(START_SECONDS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    def call(self, function: Callable[[Bridge], Awaitable[T]]) -> T:
        """Run something with the :class:`~bridge.app.Bridge` where it lives, wait for it, and give its result."""

        async def there() -> T:
            return await function(self._bridge)

        return asyncio.run_coroutine_threadsafe(there(), self._loop).result()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 whoever waits for the start shall know
            if not self._started.done():
                self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        self._bridge = Bridge(self.settings)
        await self._bridge.start()
        self.url, self.http_url, self.port = self._bridge.url, self._bridge.http_url, self._bridge.port
        self._started.set_result(None)
        await self._end.wait()
        await self._bridge.stop()
