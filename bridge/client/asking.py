"""Control messages to the bridge, and questions on a connection that nobody else reads yet."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from bridge.client.errors import RejectedError
from bridge.client.messages import address_of
from bridge.protocol import control

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bridge.client.link import Link
    from bridge.client.pace import Pace
    from bridge.protocol.address import Address, Pattern


def new_id() -> str:
    """Give an id that nobody else gives."""
    return uuid.uuid4().hex


def to_text(fields: Mapping[str, Any]) -> str:
    """Serialise a message. Raises ``ValueError`` or ``TypeError`` where it is no JSON, NaN included."""
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    text.encode()
    return text


async def write(link: Link, address: Address, data: Mapping[str, Any], question: str | None) -> None:
    """Send one control message. Raises ``LinkLost``."""
    fields: dict[str, Any] = {"channel": address.channel, "topic": address.topic, "subtopic": address.subtopic}
    if question is not None:
        fields["id"] = question
    fields["data"] = data
    await link.send(to_text(fields))


async def answered(
    link: Link, pace: Pace, address: Address, data: Mapping[str, Any], *, by: Address
) -> Mapping[str, Any]:
    """Ask and wait for the answer's data, patiently where the refusal is temporary.

    Raises:
        RejectedError: The bridge refused.
        LinkLost: The connection has ended.
    """
    while True:
        question = new_id()
        await write(link, address, data, question)
        fields = await link.receive()
        while fields.get("correlationId") != question:
            fields = await link.receive()
        answer: Mapping[str, Any] = fields["data"]
        if address_of(fields) == by:
            return answer
        refused = RejectedError(question, answer)
        if not refused.temporary:
            raise refused
        await pace.sleep(max(refused.retry_after, pace.ask))


async def not_allowed(link: Link, pace: Pace, patterns: Iterable[Pattern]) -> frozenset[Pattern]:
    """Ask to which patterns the session may not subscribe. Raises as ``answered`` does."""
    found = set()
    for pattern in patterns:
        question = {"action": "subscribe", "address": str(pattern)}
        answer = await answered(link, pace, control.EXPLAIN, question, by=control.EXPLAINED)
        if not answer["allowed"]:
            found.add(pattern)
    return frozenset(found)
