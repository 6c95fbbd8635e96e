"""What clients of the bridge say, as bytes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from benchmarks.load import Link

MESSAGE_BYTES: Final = 320
"""Size of a message as it is sent: a typical call event's command, envelope and all."""

NAME_DIGITS = 4
NOTE_START = b'{"channel":"Bench","topic":"Load","subtopic":"Note","source":"s'
NAME_START: Final = len(NOTE_START)
"""Where a sender's number stands in its message. The bridge delivers these fields in the same order."""

ACCEPTED = b'{"channel":"Bridge","topic":"Message","subtopic":"Accepted"'
REJECTED = b'{"channel":"Bridge","topic":"Message","subtopic":"Rejected"'
_correlation = b'"correlationId":"'

COMPLETED = b'{"channel":"Bridge","topic":"Command","subtopic":"Completed"'


def bridge_path(workspace: str, app: str = "load") -> str:
    """Give the path of a session."""
    return f"/ws?workspace={workspace}&app={app}"


def note(sender: int = 0, message_id: bytes | None = None) -> bytes:
    """Write a message on a free channel, of the usual size."""
    head = NOTE_START + b"%0*d" % (NAME_DIGITS, sender)
    name = b"" if message_id is None else b'","id":"' + message_id
    tail = b'","data":{"text":"'
    filling = MESSAGE_BYTES - len(head) - len(name) - len(tail) - 3
    return head + name + tail + b"x" * filling + b'"}}'


def message(address: str, data: Any, message_id: str | None = None) -> bytes:
    """Write any message."""
    channel, topic, subtopic = address.split("/")
    fields = {"channel": channel, "topic": topic, "subtopic": subtopic, "data": data}
    if message_id is not None:
        fields["id"] = message_id
    return json.dumps(fields).encode()


def subscribe(patterns: list[str], message_id: str, **options: Any) -> bytes:
    """Write a Subscribe."""
    return message("Bridge/Subscription/Subscribe", {"patterns": patterns, **options}, message_id)


async def greeted(link: Link) -> None:
    """Wait for the bridge's Opened."""
    await link.receive()


async def listening(link: Link) -> None:
    """Wait for Opened, then subscribe to what ``note`` writes."""
    await link.receive()
    link.send(subscribe(["Bench"], "listen"))
    await link.receive()


def correlation(payload: bytes) -> str:
    """Find the id of the message that this one answers."""
    start = payload.index(_correlation) + len(_correlation)
    return payload[start : payload.index(b'"', start)].decode()
