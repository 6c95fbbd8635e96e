"""``workspace-bridge explain``: which rule decides, and which were tried before."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from bridge.client import RejectedError
from bridge.command_line.exits import Exit, put, say

if TYPE_CHECKING:
    from bridge.client import Explained
    from bridge.command_line.access import Access


async def explain(access: Access, action: Literal["publish", "subscribe"], address: str) -> Exit:
    """Ask the bridge, and write its answer: words for a person, JSON for a program."""
    async with access.connect() as client:
        try:
            explained = await client.explain(action, address)
        except RejectedError as refused:
            say(f"error: {refused.message}")
            return Exit.USAGE
    if sys.stdout.isatty():
        _tell(explained, action, address)
    else:
        put(asdict(explained))
    return Exit.OK if explained.allowed else Exit.REFUSED


def _tell(explained: Explained, action: str, address: str) -> None:
    put(f"{action} {address}: {'allowed' if explained.allowed else 'refused'} by the rule {explained.rule}")
    for rule in explained.tried[:-1]:
        put(f"    {rule}: no opinion")
    put(f"  > {explained.rule}: {'allows it' if explained.allowed else 'refuses it'}")
    put('What the rules say: docs/operations.md, "Who may do what".')
