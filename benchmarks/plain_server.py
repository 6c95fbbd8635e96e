"""A plain broadcast server on `websockets`, as its documentation shows: what the bridge is compared with.

Each text that comes by ``/send/ROOM`` is sent to all who came by ``/listen/ROOM``. Without compression, as the bridge;
without pings, as the bridge while it is measured. It has no envelope, no validation, no order that could be recovered.
"""

from __future__ import annotations

import asyncio
import signal
from collections import defaultdict
from typing import TYPE_CHECKING

from websockets.asyncio.server import broadcast, serve

from benchmarks.load import run

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

LISTEN = "listen"

_rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def _serve_client(client: ServerConnection) -> None:
    assert client.request is not None
    _, verb, room = client.request.path.split("/")
    listeners = _rooms[room]
    listens = verb == LISTEN
    if listens:
        listeners.add(client)
    try:
        async for text in client:
            broadcast(listeners - {client} if listens else listeners, text)
    finally:
        listeners.discard(client)


async def main() -> None:
    """Serve on a free port, which is printed, until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with serve(_serve_client, "127.0.0.1", 0, compression=None, ping_interval=None, backlog=4096) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        await stop.wait()


if __name__ == "__main__":
    run(main())
