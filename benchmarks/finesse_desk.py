"""One agent's desktop at Finesse's look-alike: a widget that signs in, consults strangers, and signs out."""

from __future__ import annotations

import asyncio
import time
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from benchmarks.load import TIMEOUT_SECONDS
from benchmarks.soak_ledger import OUTCOMES, BrokenPromiseError, Ledger
from benchmarks.soak_session import SoakSession

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from benchmarks.look_alike import Account, LookAlike
    from benchmarks.soak_figures import Figures

BUSY: Final = "5090"
CUSTOMER: Final = "+15550100"

CALL_EVENTS: Final = frozenset({"InboundCallStateChange", "OutBoundCallStateChange"})
EVENTS: Final = CALL_EVENTS | {"SetAgentState", "SetConnectionStatus"}
"""What comes of a change at the switch, one event for each."""

_strangers = count(7_000_001)


class FinesseDesk:
    """One workspace with one widget, which hears everything there is.

    Between two things that the agent does are up to twice ``pause`` seconds: without, all agents would act in step with
    the switch.

    Attributes:
        calls: The agent's calls as the widget has seen them last, by id.
        agent: The agent's state, as ``calls``.
        connected: Whether call control sees the agent's calls, as ``calls``.
        events: When each event came, in monotonic seconds.
        commands: When each command was sent and its outcome came, and what that was, in the order of sending.
    """

    def __init__(
        self, port: int, account: Account, finesse: LookAlike, figures: Figures, chance: random.Random, pause: float
    ) -> None:
        self.extension = account.extension
        self.calls: dict[str, dict[str, Any]] = {}
        self.agent = ""
        self.connected = False
        self.events: list[float] = []
        self.commands: list[tuple[str, float, float, str]] = []
        self._account = account
        self._finesse = finesse
        self._ledger = Ledger(account.extension, self._noted)
        self._session = SoakSession(port, "widget", self._ledger, figures)
        self._figures = figures
        self._chance = chance
        self._pause_seconds = pause
        self._ids = count()
        self._waiting: dict[str, asyncio.Future[tuple[dict[str, Any], float]]] = {}
        self._changed = asyncio.Event()

    # The widget's life

    async def open(self) -> None:
        """Connect and subscribe."""
        await self._session.connect()

    async def sign_in(self) -> None:
        """Sign the agent in; a machine that is too slow for the command's time may connect the agent later."""
        account = self._account
        who = {"username": account.username, "password": account.password, "extension": account.extension}
        outcome = await self._command("Cisco/Agent/SetUserInfo", who)
        if outcome["subtopic"] == "Failed":
            raise BrokenPromiseError(f"{self.extension} was not signed in: {outcome}")
        await self._until(lambda: self.connected)

    async def sign_out(self) -> None:
        """Sign the agent out."""
        await self._expect("Completed", "Cisco/Connection/Logout", {})

    async def close(self) -> None:
        """Leave, when every command has had its outcome."""
        if self._session.broken is not None:
            raise self._session.broken
        self._ledger.close()
        await self._session.leave()

    # Consults

    async def consult(self, number: int) -> None:
        """Do one whole consult; which kind, the number says. The agent is free again afterwards."""
        kinds: tuple[Callable[[], Awaitable[None]], ...] = (
            self._confer,
            self._transfer,
            self._take_back,
            self._confer,
            self._transfer,
            self._consult_the_busy,
        )
        await kinds[number % len(kinds)]()
        await self._until(lambda: not self.calls)

    async def begin(self) -> tuple[str, str]:
        """Speak with a stranger while the customer is on hold; return both calls."""
        call = await self._customer()
        stranger = str(next(_strangers))
        outcome = await self._call("SetCONSULT", call, toAddress=stranger)
        consult = str(outcome["data"]["consultCall"])
        await self._pause()
        await self._finesse.answer(stranger)
        await self._until(lambda: self.calls[consult]["ResponseActual"]["dialog"]["state"] == "ACTIVE")
        return call, consult

    async def take_back(self, call: str, consult: str) -> None:
        """Drop the consult, go back to the customer, and say goodbye."""
        await self._call("SetDROP", consult)
        await self._call("SetRETRIEVE", call)
        await self._call("SetDROP", call)

    async def _confer(self) -> None:
        call, _ = await self.begin()
        await self._call("SetCONFERENCE", call)
        await self._call("SetDROP", call)

    async def _transfer(self) -> None:
        call, _ = await self.begin()
        await self._call("SetTRANSFER", call)

    async def _take_back(self) -> None:
        await self.take_back(*await self.begin())

    async def _consult_the_busy(self) -> None:
        """Fail; the consult call stays until it is dropped."""
        call = await self._customer()
        await self._call("SetCONSULT", call, expected="Failed", toAddress=BUSY)
        (consult,) = self.calls.keys() - {call}
        await self.take_back(call, consult)

    async def _customer(self) -> str:
        call = await self._finesse.offer(self.extension, CUSTOMER)
        await self._call("SetANSWER", call)
        return call

    async def _call(self, subtopic: str, call: str, *, expected: str = "Completed", **more: str) -> dict[str, Any]:
        """Do something with a call, after some thought and when the widget shows that it is possible."""
        await self._pause()
        await self._until(lambda: subtopic in self.calls.get(call, {}).get("ActionsAllowed", ()))
        data = {"MediaAddress": self.extension, "CallID": call, **more}
        ours = self.calls[call]["ResponseActual"]["dialog"]["fromAddress"] == self.extension
        topic = "OutboundCall" if ours else "InboundCall"
        return await self._expect(expected, f"Cisco/{topic}/{subtopic}", data)

    async def _pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 2 * self._pause_seconds))

    # Commands

    async def _expect(self, expected: str, address: str, data: dict[str, Any]) -> dict[str, Any]:
        outcome = await self._command(address, data)
        if outcome["subtopic"] != expected:
            raise BrokenPromiseError(f"{self.extension}: {address} {data.get('CallID', '')} ended so: {outcome}")
        return outcome

    async def _command(self, address: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a command and wait for its outcome."""
        command = f"c{next(self._ids)}"
        ending: asyncio.Future[tuple[dict[str, Any], float]] = asyncio.get_running_loop().create_future()
        self._waiting[command] = ending
        sent = time.monotonic()
        answer = await self._session.publish(address, data, command)
        if answer is None or answer["subtopic"] != "Accepted":
            raise BrokenPromiseError(f"{self.extension}: {address} was not accepted: {answer}")
        self._ledger.accepted.add(command)
        try:
            outcome, came = await asyncio.wait_for(ending, TIMEOUT_SECONDS)
        except TimeoutError:
            raise BrokenPromiseError(f"{self.extension}: no outcome for {address}") from None
        self.commands.append((address, sent, came, outcome["subtopic"]))
        self._figures.ended.append(came - sent)
        return outcome

    # What comes

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until the picture is so."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while not holds():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise BrokenPromiseError(f"{self.extension}: an event did not come; calls: {self.calls}") from None

    def _noted(self, message: dict[str, Any]) -> None:
        came = time.monotonic()
        subtopic, data = message["subtopic"], message["data"]
        if subtopic in EVENTS:
            self.events.append(came)
        if subtopic in CALL_EVENTS:
            call = data["call"]
            if call["ended"]:
                self.calls.pop(call["id"], None)
            else:
                self.calls[call["id"]] = call
        elif subtopic == "SetAgentState":
            self.agent = data["state"]
        elif subtopic == "SetConnectionStatus":
            self.connected = data["status"] == "connected"
        elif subtopic in OUTCOMES and message["channel"] == "Bridge":
            ending = self._waiting.pop(message["correlationId"], None)
            if ending is not None and not ending.done():
                ending.set_result((message, came))
        self._changed.set()

    # Comparing

    def differences(self, agents: dict[str, Any]) -> list[str]:
        """Compare the widget's picture with the switch's, which has all agents by extension or, signed out, by name."""
        truth = agents.get(self.extension) or agents[self._account.username]
        found = []
        if self.agent != truth["state"]:
            found.append(f"agent {self.extension} is {truth['state']}, shown {self.agent}")
        shown = {call: _essence(each["ResponseActual"]["dialog"]) for call, each in self.calls.items()}
        real = {each["id"]: _essence(each) for each in truth["dialogs"]}
        found += [
            f"agent {self.extension}, call {call}: {real.get(call)}, shown {shown.get(call)}"
            for call in sorted(shown.keys() | real.keys())
            if shown.get(call) != real.get(call)
        ]
        return found


def _essence(dialog: dict[str, Any]) -> dict[str, Any]:
    """Take out of a dialog what both sides tell in the same words."""
    parties = [(each.get("mediaAddress") or each["address"], each["state"]) for each in dialog["participants"]]
    return {
        "state": dialog["state"],
        "from": dialog["fromAddress"],
        "to": dialog["toAddress"],
        "secondary": dialog["secondaryId"] or None,
        "parties": sorted(parties),
    }
