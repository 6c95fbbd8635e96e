"""The whole bridge with its audit trail: what happened is in the file when it has stopped."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bridge.app import Bridge
from bridge.client import connect
from tests.server.audit.test_trail import FIELDS
from tests.server.auth.tokens import settings, token

if TYPE_CHECKING:
    from pathlib import Path


async def test_commands_and_sign_ins_of_a_whole_bridge_are_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    bridge = Bridge(settings(audit_file=path, simulator_reaction_ms=0))
    await bridge.start()
    try:
        async with connect(bridge.url, workspace="demo", token=token()) as client:
            offered = await client.command("Simulator/Call/Offer", {"fromAddress": "+15550100"})
            await client.command("Cisco/InboundCall/SetANSWER", {"MediaAddress": "5069", "CallID": offered.call})
    finally:
        await bridge.stop()

    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["kind"], line["decision"]) for line in lines] == [("session", "allowed")] + [
        ("command", "allowed")
    ] * 2
    answer = lines[-1]
    assert list(answer) == FIELDS
    assert (answer["address"], answer["rule"], answer["outcome"]) == (
        "Cisco/InboundCall/SetANSWER",
        "widget",
        "Completed",
    )
    assert (answer["call"], answer["subject"], answer["from"]) == (offered.call, "alice", "127.0.0.1")
    assert answer["seconds"] >= 0
