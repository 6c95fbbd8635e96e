"""Where the tests sit: a desk at a bridge, whose switch is the simulated one or Finesse's look-alike.

A desk is the agent's place and the outside world's hand. It keeps an eye on everything that its workspace's stream
says, and at the end that must hold together: see ``Desk.check``.
"""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections import Counter
from contextlib import asynccontextmanager
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

from bridge.app import Bridge
from bridge.calls.requests import ACTION_OF
from bridge.calls.simulator.adapter import SimulatorAdapter
from bridge.protocol.address import Address
from bridge.protocol.catalogue import BY_ADDRESS, Kind
from bridge.settings import load
from tests.acceptance.foreign import PATIENCE_SECONDS, foreign_widget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from tests.acceptance.foreign import ForeignWidget, Message
    from tests.calls.contract.look_alike_process import LookAlike

CUSTOMER = "+15550100"
COLLEAGUE = "5070"
BUS = "workspace-bridge"
"""The source of what the bridge itself says."""

Picture = dict[str, tuple[str, frozenset[tuple[str, str]]]]
"""Calls by id: the call's state, each party's state."""


class Place(ABC):
    """A kind of switch, and a bridge at it."""

    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Give the settings of a bridge at this switch."""

    @abstractmethod
    def desk(self, bridge: Bridge) -> AbstractAsyncContextManager[Desk]:
        """Sit down at a fresh workspace of the bridge, signed in."""

    @asynccontextmanager
    async def bridge(self) -> AsyncIterator[Bridge]:
        """Run a whole bridge, on a port of its own."""
        bridge = Bridge(load(environment={}, overrides={"port": 0, **self.settings()}))
        await bridge.start()
        try:
            yield bridge
        finally:
            await bridge.stop()


class Desk(ABC):
    """One workspace whose agent is signed in."""

    def __init__(self, bridge: Bridge, workspace: str, extension: str, eye: ForeignWidget) -> None:
        self.bridge = bridge
        self.workspace = workspace
        self.extension = extension
        self.acts: set[str] = set()
        """Ids of the commands by which the outside world's hand acts, where it is one of the bridge's."""
        self._eye = eye

    @abstractmethod
    async def offer(self, from_address: str = CUSTOMER) -> str:
        """Let a customer's call ring here; give its id once the workspace was told."""

    @abstractmethod
    async def _answer(self, address: str) -> None: ...

    @abstractmethod
    async def _hang_up(self, address: str) -> None: ...

    @abstractmethod
    def truth(self) -> Picture:
        """Give the agent's calls as the switch itself has them."""

    def widget(self) -> AbstractAsyncContextManager[ForeignWidget]:
        """Open a widget of this workspace."""
        return foreign_widget(self.bridge, self.workspace)

    def on(self, call: str, **more: str) -> dict[str, str]:
        """Give the data of a command on a call."""
        return {"MediaAddress": self.extension, "CallID": call, **more}

    async def answer(self, address: str) -> None:
        """Let a party answer by telephone; return once the workspace was told."""
        before = len(self._eye.messages)
        await self._answer(address)
        await self._told(before, lambda call: (address, "ACTIVE") in _parties(call))

    async def hang_up(self, address: str) -> None:
        """Let a party hang up by telephone; return once the workspace was told that it is out, or the call over."""
        await self._hang_up(address)
        alive = {(address, state) for state in ("INITIATED", "ALERTING", "ACTIVE", "HELD")}
        while any(alive & _parties(call) for call in self._eye.calls().values()):
            await self._eye.read_on()

    async def active_call(self, widget: ForeignWidget) -> str:
        """Answer a customer's call with that widget; give its id."""
        call = await self.offer()
        assert (await widget.do("Cisco/InboundCall/SetANSWER", self.on(call)))["subtopic"] == "Completed"
        return call

    async def until_allowed(self, call: str, action: str) -> None:
        """Wait until the workspace was told that the agent may do that."""
        while action not in self._eye.calls().get(call, {"ActionsAllowed": []})["ActionsAllowed"]:
            await self._told(len(self._eye.messages), lambda told: told["id"] == call)

    async def _told(self, before: int, wanted: Any) -> Message:
        def fits(message: Message) -> bool:
            return message["subtopic"].endswith("CallStateChange") and bool(wanted(message["data"]["call"]))

        return await self._eye.until(fits, since=before)

    # The whole stream

    async def check(self) -> None:
        """Look back at everything that was said here.

        It came without a gap and without a repeat; every command had one outcome, and nothing else had one; events and
        outcomes fit their models; and what the workspace was told of its calls is what the switch has.
        """
        await self._eye.reply(await self._eye.send("Bridge/Command/Status", {"id": "none"}))
        said = [message for message in self._eye.messages if "offset" in message]
        assert all(later["offset"] == message["offset"] + 1 for message, later in pairwise(said))
        commands = Counter(message["id"] for message in said if message["source"] != BUS)
        outcomes = Counter(message["correlationId"] for message in said if message["topic"] == "Command")
        assert set(commands) <= set(outcomes)
        assert set(commands.values()) | set(outcomes.values()) <= {1}
        for message in said:
            entry = BY_ADDRESS.get(Address(message["channel"], message["topic"], message["subtopic"]))
            if entry is not None and entry.kind is Kind.EVENT:
                assert not entry.body.model_validate(message["data"]).model_extra
        await self.agrees()

    async def agrees(self) -> None:
        """Wait until what the workspace was told of its calls is what the switch has."""
        truth: Picture | None = None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self._picture() != (truth := self.truth()):
                    await self._eye.read_on()
        except TimeoutError:
            assert self._picture() == truth, json.dumps(self._eye.messages[-5:], indent=1)

    def _picture(self) -> Picture:
        return {
            call_id: (call["ResponseActual"]["dialog"]["state"], frozenset(_parties(call)))
            for call_id, call in self._eye.calls().items()
        }


def _parties(call: Message) -> set[tuple[str, str]]:
    return {(party["mediaAddress"], party["state"]) for party in call["ResponseActual"]["dialog"]["participants"]}


@asynccontextmanager
async def _watched(bridge: Bridge, workspace: str) -> AsyncIterator[ForeignWidget]:
    async with foreign_widget(bridge, workspace) as eye:
        await eye.subscribe("*")
        yield eye


# The simulated switch


class SimulatorPlace(Place):
    """A bridge with the switch inside."""

    def __init__(self, reaction_ms: int | None = None) -> None:
        self._reaction_ms = reaction_ms
        self._workspaces = iter(["demo", COLLEAGUE])

    def settings(self) -> dict[str, Any]:
        return {"simulator_reaction_ms": self._reaction_ms}

    @asynccontextmanager
    async def desk(self, bridge: Bridge) -> AsyncIterator[Desk]:
        workspace = next(self._workspaces)
        extension = "5069" if workspace == "demo" else workspace
        async with _watched(bridge, workspace) as eye, foreign_widget(bridge, workspace) as hand:
            desk = SimulatorDesk(bridge, workspace, extension, eye, hand)
            yield desk
            await desk.check()


class SimulatorDesk(Desk):
    """The outside world's hand publishes ``Simulator/…`` commands in the same workspace."""

    def __init__(self, bridge: Bridge, workspace: str, extension: str, eye: ForeignWidget, hand: ForeignWidget) -> None:
        super().__init__(bridge, workspace, extension, eye)
        self._hand = hand

    async def offer(self, from_address: str = CUSTOMER) -> str:
        return str((await self._do("Simulator/Call/Offer", {"fromAddress": from_address}))["call"])

    async def _answer(self, address: str) -> None:
        await self._do("Simulator/Party/Answer", {"address": address})

    async def _hang_up(self, address: str) -> None:
        await self._do("Simulator/Party/Drop", {"address": address})

    async def _do(self, address: str, data: Message) -> Message:
        command = await self._hand.send(address, data)
        self.acts.add(command)
        done = await self._hand.outcome(command)
        assert done["subtopic"] == "Completed"
        result: Message = done["data"]
        return result

    def truth(self) -> Picture:
        adapter = self.bridge.adapter
        assert isinstance(adapter, SimulatorAdapter)
        return {
            call.id: (call.state.value, frozenset((party.address, party.state.value) for party in call.participants))
            for call in adapter._switch.calls_of(self.extension)
        }


# Finesse


_desks = count(1)


class FinessePlace(Place):
    """A bridge at a look-alike that tests share: each desk has an agent of its own, and leaves no call behind."""

    def __init__(self, finesse: LookAlike) -> None:
        self._finesse = finesse

    def settings(self) -> dict[str, Any]:
        finesse = self._finesse
        return {
            "adapter": "finesse",
            "finesse_urls": tuple(finesse.rest_urls),
            "finesse_xmpp_urls": tuple(finesse.websocket_urls),
            "finesse_ca_file": finesse.ca_file,
        }

    @asynccontextmanager
    async def desk(self, bridge: Bridge) -> AsyncIterator[Desk]:
        account, workspace = self._finesse.account(), f"desk-{next(_desks)}"
        credentials = {
            "username": account.username,
            "password": account.password,
            "extension": account.extension,
        }
        async with _watched(bridge, workspace) as eye:
            signed_in = await eye.do("Cisco/Agent/SetUserInfo", credentials)
            assert signed_in["subtopic"] == "Completed", signed_in
            desk = FinesseDesk(bridge, workspace, account.extension, eye, self._finesse)
            try:
                yield desk
                await desk.check()
            finally:
                if desk.truth():
                    self._finesse.party_drop(account.extension)


class FinesseDesk(Desk):
    """The outside world's hand is the look-alike's."""

    def __init__(self, bridge: Bridge, workspace: str, extension: str, eye: ForeignWidget, finesse: LookAlike) -> None:
        super().__init__(bridge, workspace, extension, eye)
        self._finesse = finesse

    async def offer(self, from_address: str = CUSTOMER) -> str:
        before = len(self._eye.messages)
        call = self._finesse.offer(self.extension, from_address)
        await self._told(before, lambda told: told["id"] == call)
        return call

    async def _answer(self, address: str) -> None:
        self._finesse.party_answer(address)

    async def _hang_up(self, address: str) -> None:
        self._finesse.party_drop(address)

    async def check(self) -> None:
        """Look also at what Finesse was asked: nothing twice, nothing that nobody asked for, nothing left out."""
        await super().check()
        said = [message for message in self._eye.messages if "offset" in message]
        commands = Counter(ACTION_OF.get(m["subtopic"]) for m in said if m["source"] != BUS)
        completed = Counter(
            ACTION_OF.get(m["data"]["address"].rpartition("/")[2]) for m in said if m["subtopic"] == "Completed"
        )
        asked = [entry for entry in self._finesse.log() if entry["user"] == self.extension]
        done = Counter(entry["action"] for entry in asked if entry["outcome"] == "done")
        assert max(Counter(entry["request_id"] for entry in asked).values()) == 1
        for action in ACTION_OF.values():
            assert completed[action] <= done[action] <= commands[action], action

    def truth(self) -> Picture:
        return {
            call["id"]: (
                call["state"],
                frozenset((party["address"], party["state"]) for party in call["participants"]),
            )
            for call in self._finesse.agent(self.extension)["dialogs"]
        }
