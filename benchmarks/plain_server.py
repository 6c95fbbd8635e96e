"""A plain broadcast server on `websockets`, as its documentation shows: what the bridge is compared with.

Each text is sent to all others who came by ``/listen``. Without compression, as the bridge; without pings, as the
bridge while it is measured. It has no envelope, no validation, no order that could be recovered.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from websockets.asyncio.server import broadcast, serve

from benchmarks.load import run
from benchmarks.speech import PLAIN_LISTENER

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

_listeners: set[ServerConnection] = set()


async def _serve_client(client: ServerConnection) -> None:
    listens = client.request is not None and client.request.path == PLAIN_LISTENER
    if listens:
        _listeners.add(client)
    try:
        async for text in client:
            broadcast(_listeners - {client} if listens else _listeners, text)
    finally:
        _listeners.discard(client)


async def main() -> None:
    """Serve on a free port, which is printed, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serve(_serve_client, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await stop.wait()


if __name__ == "__main__":
    run(main())
