"""``workspace-bridge consult``: hold a call, call a colleague about it, and tell in words how that goes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bridge.client import CommandFailed, CommandTimedOut, RejectedError
from bridge.client.asking import new_id
from bridge.command_line.exits import Exit, put, say
from bridge.protocol import cisco
from bridge.protocol.address import Address

if TYPE_CHECKING:
    from bridge.client import BridgeClient, Completed, Message, Subscription
    from bridge.command_line.access import Access

CALL_EVENTS = frozenset({cisco.INBOUND_EVENT, cisco.OUTBOUND_EVENT})
RINGING = "ALERTING"


async def consult(access: Access, *, call: str, to: str, seconds: float) -> Exit:
    """Consult, writing each step of the agent's calls."""
    async with access.connect() as client:
        if client.extension is None:
            say(f"nobody is signed in at workspace {client.opened.workspace}, so it has no calls")
            return Exit.REFUSED
        steps = await client.subscribe("Cisco/InboundCall", "Cisco/OutboundCall")
        put(f"extension {client.extension} consults {to} about call {call}")
        try:
            done = await _consult(client, steps, call, to, seconds)
        except RejectedError as refused:
            say(f"refused ({refused.code}): {refused.message}{_way_out(refused)}")
            return Exit.REFUSED
        except (CommandFailed, CommandTimedOut) as failed:
            say(str(failed))
            return Exit.REFUSED
        put(f"completed: the consult call to {to} is {done.consult_call}; call {call} is held")
    return Exit.OK


async def _consult(client: BridgeClient, steps: Subscription, call: str, to: str, seconds: float) -> Completed:
    command = new_id()
    data = {"MediaAddress": client.extension, "toAddress": to, "CallID": call}
    address = Address(cisco.CHANNEL, _topic(steps.snapshot, call), "SetCONSULT")
    telling = asyncio.create_task(_tell(steps, command))
    try:
        return await client.command(address, data, id=command, timeout=seconds)
    finally:
        await steps.close()
        await telling


async def _tell(steps: Subscription, command: str) -> None:
    """Write each step that the command causes, once."""
    last = ""
    async for message in steps:
        if message.correlation_id == command and message.address in CALL_EVENTS:
            line = _step(message.data["call"])
            if line != last:
                put(line)
            last = line


def _step(call: dict[str, Any]) -> str:
    consulting = call["CallType"] == "CONSULT"
    rings = consulting and call["ResponseActual"]["dialog"]["state"] == RINGING
    return f"  {'consult call' if consulting else 'call'} {call['id']}: {'ringing' if rings else call['event']}"


def _topic(snapshot: tuple[Message, ...], call: str) -> str:
    """Say under which topic the call's commands go."""
    topics = (message.address.topic for message in snapshot if message.data["call"]["id"] == call)
    return next(topics, cisco.INBOUND)


def _way_out(refused: RejectedError) -> str:
    """Repeat what the refusal says would be right."""
    if "allowed" in refused.data:
        return f"; allowed now: {', '.join(refused.data['allowed']) or 'nothing'}"
    if "calls" in refused.data:
        return f"; calls: {', '.join(map(str, refused.data['calls'])) or 'none'}"
    problems = [str(error.get("message")) for error in refused.errors[1:]]
    return "".join(f"; {problem}" for problem in problems)
