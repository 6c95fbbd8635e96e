"""What the bus says to wrong messages, on the wire of a whole bridge with its simulated switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.app import Bridge
from bridge.settings import Settings
from tests.server.wire import TEXT, Wire, frame, publish, subscribe, text
from tests.server.witness import Witness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Desk:
    """A bridge, as far as a witness needs it."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self.wires: list[Wire] = []

    async def session(self, query: str = "") -> Wire:
        wire = await Wire.connect(self._bridge.port)
        self.wires.append(wire)
        await wire.upgrade(query)
        assert (await wire.message())["subtopic"] == "Opened"
        return wire


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    """Give a whole bridge whose switch answers at once."""
    bridge = Bridge(Settings(port=0, simulator_reaction_ms=0, max_sessions=100))
    await bridge.start()
    desk = Desk(bridge)
    yield desk
    for wire in desk.wires:
        await wire.hang_up()
    await bridge.stop()


def command(subtopic: str, id_: str = "c", topic: str = "InboundCall", channel: str = "Cisco", **data: Any) -> Any:
    return {"channel": channel, "topic": topic, "subtopic": subtopic, "id": id_, "data": data}


MINE = "5069"

REFUSED: dict[str, tuple[bytes, str, str | None]] = {
    "nothing": (frame(TEXT, b""), "malformed_json", None),
    "no JSON": (text("hello"), "malformed_json", None),
    "an array": (text("[]"), "malformed_json", None),
    "two objects": (text("{}{}"), "malformed_json", None),
    "NaN": (text('{"channel":"A","topic":"b","subtopic":"c","data":NaN}'), "malformed_json", None),
    "infinity": (text('{"channel":"A","topic":"b","subtopic":"c","data":-Infinity}'), "malformed_json", None),
    "a lone surrogate": (text('{"channel":"A","topic":"b","subtopic":"c","data":"\\ud800"}'), "malformed_json", None),
    "nesting over 64": (
        text('{"channel":"A","topic":"b","subtopic":"c","data":' + "[" * 64 + "]" * 64 + "}"), "malformed_json", None
    ),
    "nesting of thousands": (text("[" * 60_000), "malformed_json", None),
    "an unknown field": (text(publish(1, extra=1)), "invalid_envelope", "/extra"),
    "a missing field": (text({"channel": "A", "topic": "b"}), "invalid_envelope", "/subtopic"),
    "a doubled field": (
        text('{"channel":"A","topic":"b","subtopic":"c","topic":"b"}'), "invalid_envelope", "/topic"
    ),
    "a field of another type": (text(publish(1, id=7)), "invalid_envelope", "/id"),
    "data beside data with a space": (
        text('{"channel":"A","topic":"b","subtopic":"c","data":1,"data ":1}'), "invalid_envelope", "/data"
    ),
    "four segments": (text(subscribe("a/b/c/d")), "invalid_data", "/data/patterns/0"),
    "129 patterns": (text(subscribe(*(f"C{n}" for n in range(129)))), "limit_exceeded", None),
    "an event of the bridge": (text(command("InboundCallStateChange")), "reserved_channel", None),
    "an unknown address": (text(command("SetHOLDING")), "unknown_address", None),
    "another agent's extension": (
        text(command("SetHOLD", MediaAddress="5070", CallID="1")), "wrong_extension", None
    ),
    "an unknown call": (text(command("SetHOLD", MediaAddress=MINE, CallID="999")), "unknown_call", None),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "code", "pointer"), REFUSED.values(), ids=REFUSED)
async def test_wrong_message_is_refused_and_harms_nobody(
    desk: Desk, sent: bytes, code: str, pointer: str | None
) -> None:
    witness = await Witness.join(desk)
    await witness.speak()
    bad = await desk.session()
    bad.send(sent, publish(1, id="still here"))
    refused = await bad.message()
    assert (refused["subtopic"], refused["data"]["code"]) == ("Rejected", code)
    if pointer is not None:
        assert pointer in [error["pointer"] for error in refused["data"]["errors"]]
    assert (await bad.message())["correlationId"] == "still here"
    await witness.testify()


async def test_number_instead_of_a_string_is_repaired_with_a_warning(desk: Desk) -> None:
    session = await desk.session()
    session.send(command("Offer", channel="Simulator", topic="Call", fromAddress=15550100))
    accepted = await session.message()
    assert accepted["subtopic"] == "Accepted"
    assert [warning["pointer"] for warning in accepted["data"]["warnings"]] == ["/data/fromAddress"]


async def test_id_used_again_with_other_content_is_refused(desk: Desk) -> None:
    session = await desk.session()
    session.send(publish(1, id="one"), publish(2, id="one"), publish(1, id="one"))
    assert (await session.message())["data"]["duplicate"] is False
    assert (await session.message())["data"]["code"] == "id_conflict"
    assert (await session.message())["data"]["duplicate"] is True


async def _offered(session: Wire) -> str:
    """Let a customer call, and give the call."""
    session.send(command("Offer", "offer", channel="Simulator", topic="Call", fromAddress="+15550100"))
    while (message := await session.message())["subtopic"] != "Completed":
        pass
    return str(message["data"]["call"])


async def test_illegal_state_is_refused_and_says_what_is_allowed(desk: Desk) -> None:
    witness = await Witness.join(desk)
    session = await desk.session()
    call = await _offered(session)
    session.send(command("SetCONSULT", MediaAddress=MINE, CallID=call, toAddress="5070"))
    refused = (await session.message())["data"]
    assert (refused["code"], "SetANSWER" in refused["allowed"]) == ("illegal_state", True)
    await witness.testify()


async def test_same_command_twice_at_once_is_done_once(desk: Desk) -> None:
    one, two = await desk.session(), await desk.session()
    call = await _offered(one)
    await two.subscribe("Bridge/Command")
    answer = command("SetANSWER", "same", MediaAddress=MINE, CallID=call)
    for session in (one, two):
        session.send(answer)
    replies = []
    for session in (one, two):
        while (message := await session.message())["subtopic"] != "Accepted":
            pass
        replies.append(message["data"])
    assert sorted(reply["duplicate"] for reply in replies) == [False, True]
    assert replies[0]["offset"] == replies[1]["offset"]
