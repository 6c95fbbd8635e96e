"""What a running bridge sends fits the schemas, message by message."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator, FormatChecker
from websockets.asyncio.client import ClientConnection, connect

from bridge.protocol import schemas
from bridge.protocol.catalogue import ENTRIES

if TYPE_CHECKING:
    from bridge.testing import BackgroundBridge

FILES = {name: json.loads(content) for name, content in schemas.files().items()}
SENT_BY_BRIDGE = {str(entry.address): schemas.file_name(entry) for entry in ENTRIES if not entry.from_client}


class Talk:
    """One session, as it is on the wire."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = 0
        self.received: list[dict[str, Any]] = []

    async def until(self, subtopics: set[str], correlation: str) -> dict[str, Any]:
        """Read up to a message that was caused by ``correlation`` and is one of ``subtopics``."""
        async with asyncio.timeout(20):
            while True:
                message = json.loads(await self._socket.recv())
                self.received.append(message)
                if message["subtopic"] in subtopics and message.get("correlationId") == correlation:
                    return dict(message["data"])

    async def ask(self, address: str, data: Any, *until: str) -> dict[str, Any]:
        channel, topic, subtopic = address.split("/")
        self._ids += 1
        name = f"m{self._ids}"
        message = {"channel": channel, "topic": topic, "subtopic": subtopic, "data": data, "id": name}
        await self._socket.send(json.dumps(message))
        return await self.until({*until, "Rejected"}, name)

    async def command(self, to: str, /, **data: Any) -> dict[str, Any]:
        return await self.ask(to, data, "Completed", "Failed", "TimedOut")


async def story(talk: Talk) -> None:
    """Meet nearly everything: a customer's call, two consults that fail, one that ends in a conference, mistakes."""
    await talk.ask("Bridge/Subscription/Subscribe", {"patterns": ["*"], "echo": True}, "Subscribed")
    offered = await talk.command("Simulator/Call/Offer", fromAddress="+15550100", variables={"callVariable1": "x"})
    call = offered["call"]
    on_call = {"MediaAddress": "5069", "CallID": call}
    await talk.command("Cisco/InboundCall/SetANSWER", **on_call)
    for bad in ("5090", "5091"):
        failed = await talk.command("Cisco/InboundCall/SetCONSULT", **on_call, toAddress=bad)
        assert failed["errorType"]
        for other in await calls_of(talk):
            if other != call:
                await talk.command("Cisco/InboundCall/SetDROP", MediaAddress="5069", CallID=other)
        await talk.command("Cisco/InboundCall/SetRETRIEVE", **on_call)
    await talk.command("Cisco/InboundCall/SetCONSULT", **on_call, toAddress="5070")
    await talk.command("Simulator/Party/Answer", address="5070")
    await talk.command("Cisco/OutboundCall/SetCONFERENCE", **on_call)
    await talk.command("Cisco/InboundCall/SetDROP", **on_call)
    await talk.command("Cisco/OutboundCall/SetMakeCall", toAddress="+15550101")
    await talk.command("Cisco/Agent/SetReadyState")
    await talk.command("Cisco/Agent/GetAgentState")
    await talk.ask("Notes/Note/Added", None, "Accepted")
    await talk.ask("Bridge/Command/Status", {"id": "m2"}, "Status")
    await talk.ask("Bridge/Session/Refresh", {"token": "any: there is no authentication"}, "Refreshed")
    await talk.ask("Bridge/Policy/Explain", {"action": "publish", "address": "Notes/a/b"}, "Explained")
    await talk.ask("Bridge/Subscription/Unsubscribe", {"patterns": ["Notes"]}, "Unsubscribed")
    for address, data in (
        ("Cisco/InboundCall/SetCONSULT", {}),
        ("Cisco/InboundCall/SetHOLD", on_call),
        ("Cisco/InboundCall/SetHOLD", on_call | {"MediaAddress": "5071"}),
        ("Cisco/InboundCall/SetREJECT", {}),
        ("Bridge/Command/Failed", {}),
    ):
        assert "code" in await talk.ask(address, data, "Accepted")


async def calls_of(talk: Talk) -> set[str]:
    snapshot = (await talk.ask("Bridge/Subscription/Subscribe", {"patterns": ["Cisco"]}, "Subscribed"))["snapshot"]
    return {message["data"]["call"]["id"] for message in snapshot if "call" in message["data"]}


async def test_everything_that_a_bridge_sends_fits_its_schema(bridge: BackgroundBridge) -> None:
    async with connect(f"{bridge.url}?app=schemas") as socket:
        talk = Talk(socket)
        await story(talk)

    met = set()
    retained = [inner for message in talk.received for inner in (message["data"] or {}).get("snapshot", ())]
    assert retained
    for message in talk.received + retained:
        address = "/".join(message[name] for name in ("channel", "topic", "subtopic"))
        name = SENT_BY_BRIDGE.get(address, schemas.DELIVERED)
        Draft202012Validator(FILES[name], format_checker=FormatChecker()).validate(message)
        untold = fields(FILES[name], message)
        assert not untold, f"{address} has fields that its schema does not tell: {untold}"
        met.add(name)
    assert set(SENT_BY_BRIDGE.values()) - met == {"Bridge/Session/Heartbeat.json", "Bridge/Command/TimedOut.json"}


def fields(schema: dict[str, Any], message: dict[str, Any]) -> set[str]:
    """Give the fields of a message and of its body that stand in no schema, open as these are."""
    untold = set(message) - set(schema["properties"])
    reference = schema["properties"]["data"].get("$ref", "")
    if reference:
        untold |= set(message["data"]) - set(schema["$defs"][reference.rpartition("/")[2]]["properties"])
    return untold
