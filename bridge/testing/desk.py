"""One agent's desk under test: the agent's hand, the outside world's hand, and an eye on every message."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from bridge.client import connect
from bridge.protocol import cisco
from bridge.protocol.address import Pattern

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bridge.client import BridgeClient, Completed, Message, Subscription

EXPECT_SECONDS = 5.0
CALL_EVENTS = frozenset({cisco.INBOUND_EVENT, cisco.OUTBOUND_EVENT})
SHOWN = 20
"""How many messages a failed ``expect`` lists."""


@asynccontextmanager
async def open_desk(url: str, *, workspace: str = "demo", app: str = "desk") -> AsyncIterator[Desk]:
    """Sit down at a workspace's desk.

    Workspace ``demo`` is signed in with extension 5069, one named by digits with those.

    Raises:
        ConnectError: There is no bridge.
    """
    async with connect(url, workspace=workspace, app=app) as client:
        desk = Desk(client, await client.subscribe("*", echo=True))
        watching = asyncio.create_task(desk.watch(), name="desk")
        try:
            yield desk
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


class Desk:
    """Sees every message of its workspace, its own included, in order.

    Each action is a command: it returns when the bridge says ``Completed``, and by then ``calls`` shows the result. It
    raises what ``BridgeClient.command`` raises.
    """

    def __init__(self, client: BridgeClient, stream: Subscription) -> None:
        self.client = client
        self._stream = stream

        # Everything seen so far, how far ``expect`` has read, and the agent's calls as their latest events show them.
        self.messages: list[Message] = []
        self._read = 0
        self.calls: dict[str, dict[str, Any]] = {}
        self._topics: dict[str, str] = {}
        self._seen = asyncio.Event()

    @property
    def extension(self) -> str:
        """The agent's own extension.

        Raises:
            LookupError: Nobody was signed in when the desk was opened.
        """
        if self.client.extension is None:
            raise LookupError(f"nobody is signed in at workspace {self.client.opened.workspace}")
        return self.client.extension

    async def watch(self) -> None:
        """Note what comes; ``open_desk`` runs this beside the test."""
        async for message in self._stream:
            self.messages.append(message)
            if message.address in CALL_EVENTS:
                self._note_call(message)
            self._seen.set()

    def _note_call(self, message: Message) -> None:
        call = message.data["call"]
        self._topics[call["id"]] = message.address.topic
        if call["ended"]:
            self.calls.pop(call["id"], None)
        else:
            self.calls[call["id"]] = call

    # Seeing

    async def expect(self, what: str | Callable[[Message], bool], *, timeout: float = EXPECT_SECONDS) -> Message:  # noqa: ASYNC109 it raises what a test wants
        """Wait for a message after the one that was expected last; it may have come already.

        Args:
            what: An address, a pattern, or a function that says whether a message is the one. A function need not fear
                messages of another shape: ``KeyError`` and ``TypeError`` mean no.
            timeout: Seconds to wait at most.

        Raises:
            AssertionError: It did not come; the text lists what did.
        """
        matches = _predicate(what)
        try:
            async with asyncio.timeout(timeout):
                while True:
                    for place in range(self._read, len(self.messages)):
                        if matches(self.messages[place]):
                            self._read = place + 1
                            return self.messages[place]
                    self._seen.clear()
                    await self._seen.wait()
        except TimeoutError:
            raise AssertionError(self._complaint(what, timeout)) from None

    def _complaint(self, what: object, seconds: float) -> str:
        came = self.messages[self._read :]
        lines = [f"  {message.offset} {message.address} {message.data}"[:200] for message in came[-SHOWN:]]
        left_out = [f"  ({len(came) - SHOWN} earlier ones)"] if len(came) > SHOWN else []
        return "\n".join(
            [f"{what} did not come within {seconds:g} s; what came instead:", *left_out, *(lines or ["  nothing"])]
        )

    # The outside world

    async def offer(self, from_address: str, variables: Mapping[str, str] | None = None) -> str:
        """Let a customer's call ring at the agent. Return the call's id."""
        data: dict[str, Any] = {"fromAddress": from_address}
        if variables is not None:
            data["variables"] = dict(variables)
        return str((await self.client.command("Simulator/Call/Offer", data)).call)

    async def party_answer(self, address: str) -> None:
        """Let a party answer the call that has been ringing there longest."""
        await self.client.command("Simulator/Party/Answer", {"address": address})

    async def party_drop(self, address: str, call: str | None = None) -> None:
        """Let a party hang up one call, or all of its calls with this agent."""
        data = {"address": address} if call is None else {"address": address, "CallID": call}
        await self.client.command("Simulator/Party/Drop", data)

    # The agent

    async def answer(self, call: str) -> None:
        """Answer a ringing call."""
        await self._act("SetANSWER", call)

    async def hold(self, call: str) -> None:
        """Put the active call on hold."""
        await self._act("SetHOLD", call)

    async def retrieve(self, call: str) -> None:
        """Take a held call back."""
        await self._act("SetRETRIEVE", call)

    async def drop(self, call: str) -> None:
        """Leave a call."""
        await self._act("SetDROP", call)

    async def consult(self, call: str, to: str) -> str:
        """Put a call on hold and call somebody about it. Return the consult call's id, once it rings there."""
        return str((await self._act("SetCONSULT", call, toAddress=to)).consult_call)

    async def conference(self, call: str) -> None:
        """Join a held call to the active one."""
        await self._act("SetCONFERENCE", call)

    async def transfer(self, call: str, to: str | None = None) -> None:
        """Connect a held call with the active one and leave; with ``to``, send the active call there at once."""
        if to is None:
            await self._act("SetTRANSFER", call)
        else:
            await self._act("SetTRANSFER_SST", call, toAddress=to)

    async def send_dtmf(self, call: str, digits: str) -> None:
        """Send touch tones into the active call."""
        await self._act("SetSEND_DTMF", call, digits=digits)

    async def make_call(self, to: str) -> str:
        """Call a number. Return the call's id, once it rings there."""
        done = await self.client.command("Cisco/OutboundCall/SetMakeCall", {"toAddress": to})
        return str(done.call)

    async def _act(self, action: str, call: str, **data: str) -> Completed:
        topic = self._topics.get(call, cisco.INBOUND)
        fields = {"MediaAddress": self.extension, "CallID": call, **data}
        return await self.client.command(f"{cisco.CHANNEL}/{topic}/{action}", fields)


def _predicate(what: str | Callable[[Message], bool]) -> Callable[[Message], bool]:
    if isinstance(what, str):
        pattern = Pattern.parse(what)
        return lambda message: pattern.matches(message.address)

    def matches(message: Message) -> bool:
        with suppress(KeyError, TypeError):
            return what(message)
        return False

    return matches
