"""The servers that are compared, and how each is entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from benchmarks import speech
from benchmarks.measure import BRIDGE, PLAIN

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from benchmarks.load import Link


class Peer(NamedTuple):
    """One server. ``enter`` and ``listen`` are what a new connection does first, to send or to receive."""

    name: str
    module: str
    sender_path: str
    listener_path: str
    enter: Callable[[Link], Awaitable[None]] | None
    listen: Callable[[Link], Awaitable[None]] | None


THE_BRIDGE = Peer(
    "bridge", BRIDGE, speech.bridge_path("bench"), speech.bridge_path("bench"), speech.greeted, speech.listening
)
THE_PLAIN = Peer("plain", PLAIN, speech.PLAIN_SENDER, speech.PLAIN_LISTENER, None, None)

PEERS = (THE_BRIDGE, THE_PLAIN)
