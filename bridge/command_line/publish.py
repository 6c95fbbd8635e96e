"""``workspace-bridge publish``: one message, its reply, and with ``--wait`` its outcome."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from bridge.client import CommandFailed, CommandTimedOut, RejectedError
from bridge.command_line.exits import Exit, put, say, stop
from bridge.protocol import catalogue, control, strict_json
from bridge.protocol.address import Address
from bridge.protocol.catalogue import Kind
from bridge.protocol.errors import pointer
from bridge.protocol.message import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.client import Accepted, BridgeClient
    from bridge.command_line.access import Access


def read_data(argument: str | None) -> Any:
    """Read the body from the argument, or from standard input where it is ``-``; exit 2 where it is no JSON."""
    if argument is None:
        return None
    try:
        text = sys.stdin.buffer.read().decode() if argument == "-" else argument
    except UnicodeDecodeError as error:
        stop(Exit.USAGE, f"error: standard input is not UTF-8: {error.reason} at byte {error.start}")
    try:
        value, doubled = strict_json.read(text)
    except strict_json.MalformedError as error:
        stop(Exit.USAGE, f"error: not valid JSON: {error} (line {error.line}, column {error.column})")
    if doubled:
        stop(Exit.USAGE, f"error: the key {pointer(*doubled[0])} stands twice")
    return value


async def publish(
    access: Access, *, address: str, data: Any, message_id: str | None, wait: bool, seconds: float
) -> Exit:
    """Send the message and write what the bridge says to it."""
    destination = Address.parse(address)
    wait = wait and _has_outcome(destination)
    async with access.connect() as client:
        try:
            if wait:
                await _command(client, destination, data, message_id, seconds)
            else:
                _put_accepted(await client.publish(destination, data, id=message_id))
        except RejectedError as refused:
            put(_reply(control.REJECTED, refused.id, refused.data))
            return Exit.REFUSED
        except (CommandFailed, CommandTimedOut) as failed:
            put(failed.outcome.to_json())
            return Exit.REFUSED
    return Exit.OK


async def _command(client: BridgeClient, to: Address, data: Any, message_id: str | None, seconds: float) -> None:
    done = await client.command(to, data, id=message_id, timeout=seconds, on_accepted=_put_accepted)
    put(done.outcome.to_json())


def _has_outcome(address: Address) -> bool:
    entry = catalogue.entry(Message(address))
    if entry is None or entry.kind is not Kind.COMMAND:
        say(f"{address} is no command: there is no outcome to wait for")
        return False
    return True


def _put_accepted(accepted: Accepted) -> None:
    put(_reply(control.ACCEPTED, accepted.id, accepted.to_json()))


def _reply(address: Address, message_id: str | None, data: Mapping[str, Any]) -> dict[str, Any]:
    return {**address._asdict(), "correlationId": message_id, "data": dict(data)}
