"""The nodes of a Finesse pair: which of them serves.

A node serves when its ``SystemInfo`` says ``IN_SERVICE`` (Finesse REST developer guide, "SystemInfo") and nobody has
reported otherwise since. Every node is asked every few seconds, once for all agents. Agents stay at the node where they
are as long as it serves: a node that comes back draws nobody, so that nobody has to sign in twice.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import structlog

from bridge.calls.finesse.rest import Refused, Unanswered, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bridge.calls.finesse.pace import Pace
    from bridge.calls.finesse.rest import FinesseRest
    from bridge.calls.finesse.system import SystemInfo

log = structlog.get_logger("bridge.calls.finesse")

FAILURES_TO_GO_OUT = 2
"""A node that does not answer once may have been busy; twice in a row, it is out."""


class Node:
    """One Finesse server. ``xmpp_url`` is its notification service where the settings name it."""

    def __init__(self, url: str, rest: FinesseRest, xmpp_url: str | None = None) -> None:
        self.url = url
        self.rest = rest
        self.xmpp_url = xmpp_url
        self.info: SystemInfo | None = None
        self.in_service = False
        self.trouble = "it has not answered yet"
        self.asked = asyncio.Event()
        self._failures = 0

    async def poll(self) -> None:
        """Ask the node how it is, and note the answer."""
        try:
            info = await self.rest.system_info()
        except Refused as refusal:
            reason = "Finesse is out of service" if refusal.out_of_service else str(refusal)
            self._failed(reason, at_once=refusal.out_of_service)
        except (Unreachable, Unanswered) as problem:
            self._failed(str(problem), at_once=False)
        else:
            self._failures = 0
            self.info = info
            self.in_service = info.in_service
            self.trouble = "" if info.in_service else f"Finesse says {info.status}"

    def _failed(self, reason: str, *, at_once: bool) -> None:
        self._failures += 1
        self.trouble = reason
        if at_once or self._failures >= FAILURES_TO_GO_OUT:
            self.in_service = False


class Nodes:
    """All nodes of one Finesse, in the order of the settings. ``watchers`` are called when one comes or goes."""

    def __init__(self, nodes: Sequence[Node], pace: Pace) -> None:
        self.all = tuple(nodes)
        self.watchers: set[Callable[[], None]] = set()
        self._pace = pace
        self._change = asyncio.Event()
        self._polls: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to ask the nodes."""
        self._polls = [asyncio.create_task(self._watch(node)) for node in self.all]

    async def stop(self) -> None:
        """Stop asking."""
        for task in self._polls:
            task.cancel()
        await asyncio.gather(*self._polls, return_exceptions=True)
        self._polls = []

    async def _watch(self, node: Node) -> None:
        before: tuple[bool, str] | None = None
        while True:
            node.asked.clear()
            try:
                await node.poll()
                after = (node.in_service, node.trouble)
                if after != before:
                    self._say(node)
                before = after
            except Exception:
                # A fault here would leave every agent without failover: say so, and ask again.
                log.exception("finesse_poll_failed", node=node.url)
            pause = self._pace.poll if node.in_service and not node.trouble else self._pace.poll_out
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await node.asked.wait()

    def _say(self, node: Node) -> None:
        if node.in_service and not node.trouble:
            log.info("finesse_node_in_service", node=node.url)
        else:
            log.warning("finesse_node_in_trouble", node=node.url, in_service=node.in_service, reason=node.trouble)
        self._change.set()
        self._change = asyncio.Event()
        for watcher in tuple(self.watchers):
            watcher()

    def suspect(self, node: Node) -> None:
        """Ask a node at once: something that it did looks as if it did not serve."""
        node.asked.set()

    def went_out(self, node: Node, trouble: str) -> None:
        """Note that a node has said that it does not serve."""
        if node.in_service:
            node.in_service, node.trouble = False, trouble
            self._say(node)
            node.asked.set()

    def serving(self, *, beside: Node | None = None) -> list[Node]:
        """Return the nodes that serve, other than ``beside``."""
        return [node for node in self.all if node.in_service and node is not beside]

    def trouble(self) -> str:
        """Say what is wrong with each node, for a person."""
        return "; ".join(f"{node.url}: {node.trouble}" for node in self.all if not node.in_service)

    async def choose(self, *, prefer: Node | None, avoid: Node | None = None) -> Node:
        """Return a node that serves, as soon as there is one.

        ``prefer`` is taken if it serves; ``avoid`` only if no other does.
        """
        while not (serving := self.serving()):
            await self._change.wait()
        if prefer is not avoid and prefer in serving:
            return prefer
        return next((node for node in serving if node is not avoid), serving[0])
