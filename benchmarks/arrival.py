"""How clients of any server come in, many at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.load import HANDSHAKES_AT_ONCE, connect, some_at_once

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.load import Link
    from benchmarks.peers import Peer


async def enter_all(port: int, peer: Peer, rooms: Iterable[str], at_once: int = HANDSHAKES_AT_ONCE) -> list[Link]:
    """Connect one sender to each of these rooms; the same may be there several times."""

    async def one(room: str) -> Link:
        link = await connect(port, peer.sender_path(room))
        await peer.enter(link)
        return link

    return await some_at_once(one, rooms, at_once)


async def listen_all(port: int, peer: Peer, rooms: Iterable[str]) -> list[Link]:
    """Connect one listener to each of these rooms; the same may be there several times."""

    async def one(room: str) -> Link:
        link = await connect(port, peer.listener_path(room))
        await peer.listen(link, room)
        return link

    return await some_at_once(one, rooms)
