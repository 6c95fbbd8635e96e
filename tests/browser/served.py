"""A bridge that runs for a while, and what only somebody inside of it can do."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bridge.app import Bridge
from bridge.broker.identity import Identity
from bridge.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.broker.workspace import Workspace
    from bridge.protocol.errors import CloseCode


@asynccontextmanager
async def running(**settings: Any) -> AsyncIterator[Bridge]:
    bridge = Bridge(Settings(**{"port": 0, **settings}))
    await bridge.start()
    try:
        yield bridge
    finally:
        await bridge.stop()


def workspace(bridge: Bridge) -> Workspace:
    room = bridge.broker.workspaces.find("demo")
    assert room is not None
    return room


def cut(bridge: Bridge, code: CloseCode) -> None:
    """Close every session of the workspace; it is gone from the bus at once."""
    for session in tuple(workspace(bridge).sessions.values()):
        session.subscriber.close(code, "cut by the test")


def publish(bridge: Bridge, number: int) -> None:
    """Let another app publish something."""
    send(bridge, "Notes/Test/Written", {"number": number})


def offer(bridge: Bridge, number: str) -> None:
    """Let a customer call."""
    send(bridge, "Simulator/Call/Offer", {"fromAddress": number})


def send(bridge: Bridge, address: str, data: dict[str, Any]) -> None:
    """Publish as another app of the workspace."""
    channel, topic, subtopic = address.split("/")
    text = json.dumps({"channel": channel, "topic": topic, "subtopic": subtopic, "data": data})
    bridge.broker.publish("demo", Identity(app="elsewhere"), text)
