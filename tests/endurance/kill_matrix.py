"""A site under load whose bridge is killed and started again: who was promised what, and what came of it."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from signal import SIGTERM
from typing import TYPE_CHECKING, Any

from bridge.client import (
    CommandFailed,
    CommandTimedOut,
    Delivery,
    NotConnected,
    NotSent,
    OutcomeUnknown,
    Pace,
    RejectedError,
    connect,
)
from tests.command_line.terminal import LIMIT, serving
from tests.server.auth.tokens import SECRET, token

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path
    from signal import Signals

    from bridge.client import BridgeClient, Gap, Message, Subscription

PACE = Pace(first=0.05, longest=0.2, restart=0.05, crowded=0.05, settle=0.2, ask=0.05)

OUTCOMES = frozenset({"Completed", "Failed", "TimedOut"})


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so."""
    async with asyncio.timeout(LIMIT):
        while not condition():  # noqa: ASYNC110 what is waited for has no event
            await asyncio.sleep(0.005)


@dataclass
class Life:
    """One life of the bridge at one desk.

    Attributes:
        end: The signal that ended it.
        messages: What the reader got of its stream, the snapshot apart.
        accepted: Offsets by id, as their senders were told.
    """

    end: Signals | None = None
    messages: list[Message] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)

    def outcomes(self, command: str) -> list[str]:
        """Name the outcomes of a command in the stream."""
        return [
            message.address.subtopic
            for message in self.messages
            if message.correlation_id == command and message.address.subtopic in OUTCOMES
        ]


class Desk:
    """One agent's workspace: a reader, a widget that talks, and one that moves calls."""

    def __init__(self, name: str, site: Site) -> None:
        self.name = name
        self.lives: list[Life] = []
        # What became of each command, as its sender was told in the end; of those under way nothing.
        self.told: dict[str, str] = {}
        self.under_way: set[str] = set()
        self._site = site
        self._numbers = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Connect everybody and let them work until the end."""
        async with AsyncExitStack() as stack:
            reader, talker, caller = [
                await stack.enter_async_context(
                    connect(self._site.url, workspace=self.name, token=lambda: token(workspace=self.name), pace=PACE)
                )
                for _ in range(3)
            ]
            self.lives.append(Life())
            subscription = await reader.subscribe("*", on_gap=self._gap)
            tasks = [
                asyncio.create_task(self._read(subscription)),
                asyncio.create_task(self._work(lambda: self._talk(talker))),
                asyncio.create_task(self._work(lambda: self._call(caller))),
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                for task in tasks:
                    with suppress(asyncio.CancelledError):
                        await task

    def _gap(self, gap: Gap) -> None:
        assert gap.epoch_changed, "nothing is lost while the bridge lives"
        self.lives.append(Life())

    async def _read(self, subscription: Subscription) -> None:
        async for message in subscription:
            if message.delivery is not Delivery.SNAPSHOT:
                self.lives[-1].messages.append(message)

    async def _work(self, step: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._site.working.wait()
            with suppress(NotConnected, RejectedError):  # there is no bridge, or it is stopping
                await step()
            await asyncio.sleep(0)

    def _next(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}-{self._numbers}"

    def _accepted(self, message_id: str, offset: int) -> None:
        self.lives[-1].accepted[message_id] = offset
        self._site.accepted += 1

    async def _talk(self, client: BridgeClient) -> None:
        name = self._next("note")
        with suppress(NotSent, OutcomeUnknown):
            accepted = await client.publish("Notes/Text/Said", {"text": name}, id=name)
            if not accepted.duplicate:
                self._accepted(name, accepted.offset)

    async def _call(self, client: BridgeClient) -> None:
        call = await self._command(client, "Simulator/Call/Offer", {"fromAddress": "+15550100"})
        if call is not None:
            on_call = {"MediaAddress": self.name, "CallID": call}
            for subtopic in ("SetANSWER", "SetHOLD", "SetRETRIEVE", "SetDROP"):
                await self._command(client, f"Cisco/InboundCall/{subtopic}", on_call)

    async def _command(self, client: BridgeClient, address: str, data: dict[str, str]) -> str | None:
        """Give a command and note what its sender was told. Return the call."""
        name = self._next("command")
        self.under_way.add(name)
        try:
            done = await client.command(
                address, data, id=name, timeout=LIMIT, on_accepted=lambda it: self._accepted(name, it.offset)
            )
        except (CommandFailed, CommandTimedOut, NotSent, OutcomeUnknown, NotConnected, RejectedError) as error:
            self.told[name] = type(error).__name__
            if isinstance(error, NotConnected | RejectedError):
                raise
            return None
        finally:
            self.under_way.discard(name)
        self.told[name] = "Completed"
        return done.call


class Site:
    """A bridge in a process of its own, and desks that go on working whatever becomes of it."""

    def __init__(self, directory: Path, seed: int, desks: int = 3) -> None:
        self.url = f"ws://127.0.0.1:{free_port()}/ws"
        self.working = asyncio.Event()
        self.accepted = 0
        self.desks = [Desk(str(6001 + number), self) for number in range(desks)]
        self._audit = directory / "audit.jsonl"
        self._chance = random.Random(seed)

    async def live(self, ends: list[Signals]) -> None:
        """Let the bridge live once for each signal, under load, and once more until everybody knows everything."""
        async with AsyncExitStack() as stack:
            for life, end in enumerate(ends):
                async with self._bridge() as process:
                    if not life:
                        for desk in self.desks:
                            await stack.enter_async_context(desk.open())
                    await until(lambda life=life: all(len(desk.lives) == life + 1 for desk in self.desks))  # type: ignore[misc]
                    await self._work_for_a_while()
                    process.send_signal(end)
                    await process.communicate()
                    assert process.returncode == (0 if end is SIGTERM else -end)
                self.working.clear()
                for desk in self.desks:
                    desk.lives[life].end = end
            async with self._bridge():
                await until(lambda: not any(desk.under_way for desk in self.desks))
                await until(lambda: all(len(desk.lives) == len(ends) + 1 for desk in self.desks))

    async def _work_for_a_while(self) -> None:
        enough = self.accepted + self._chance.randrange(10, 150)
        self.working.set()
        await until(lambda: self.accepted >= enough)

    @asynccontextmanager
    async def _bridge(self) -> AsyncIterator[asyncio.subprocess.Process]:
        settings = {
            "BRIDGE_JWT_SECRET": SECRET,
            "BRIDGE_AUDIT_FILE": str(self._audit),
            "BRIDGE_SIMULATOR_REACTION_MS": "5",
            "BRIDGE_MESSAGES_PER_SECOND": "0",
        }
        port = int(self.url.rpartition(":")[2].partition("/")[0])
        async with serving(port=port, settings=settings) as (program, _):
            yield program.process

    def audited(self) -> list[str]:
        """Name workspace and id of every allowed command in the audit trail."""
        lines: list[dict[str, Any]] = [json.loads(line) for line in self._audit.read_text().splitlines()]
        return [
            f"{line['workspace']}/{line['id']}"
            for line in lines
            if line["kind"] == "command" and line["decision"] == "allowed"
        ]
