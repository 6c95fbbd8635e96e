"""The ordinary life of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.server.wire import publish

if TYPE_CHECKING:
    from tests.server.bus import Bus


async def test_message_is_delivered_and_accepted(bus: Bus) -> None:
    reader = await bus.session()
    await reader.subscribe("Gadget")
    writer = await bus.session("?app=counter")
    writer.send(publish(1, id="one"))
    assert (await writer.message())["subtopic"] == "Accepted"
    got = await reader.message()
    assert (got["data"], got["source"]) == (1, "counter")
