"""An asyncio client for the bridge.

::

    async with connect("ws://127.0.0.1:8765/ws", workspace="demo", app="notes") as client:
        calls = await client.subscribe("Cisco/InboundCall")
        async for message in calls:
            print(message.address, message.data["call"]["event"])

It reconnects by itself, takes up its subscriptions where they stopped, and never sends a command twice.
"""

from bridge.client.client import BridgeClient, connect
from bridge.client.errors import (
    BridgeError,
    ClientClosed,
    CommandError,
    CommandFailed,
    CommandTimedOut,
    ConnectError,
    ConsumerTooSlow,
    MessagesLost,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    RejectedError,
    SessionEnded,
)
from bridge.client.messages import Accepted, Completed, Delivery, Explained, Gap, Message, Repair, Status
from bridge.client.pace import Pace
from bridge.client.state import ClientState, StateChange
from bridge.client.subscription import Subscription

__all__ = [
    "Accepted",
    "BridgeClient",
    "BridgeError",
    "ClientClosed",
    "ClientState",
    "CommandError",
    "CommandFailed",
    "CommandTimedOut",
    "Completed",
    "ConnectError",
    "ConsumerTooSlow",
    "Delivery",
    "Explained",
    "Gap",
    "Message",
    "MessagesLost",
    "NotConnected",
    "NotSent",
    "OutcomeUnknown",
    "Pace",
    "RejectedError",
    "Repair",
    "SessionEnded",
    "StateChange",
    "Status",
    "Subscription",
    "connect",
]
