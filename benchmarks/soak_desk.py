"""One agent's desktop under soak: widgets that talk, come and go, and one that moves calls."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any

from benchmarks.load import TIMEOUT_SECONDS, now
from benchmarks.soak_ledger import OUTCOMES, BrokenPromiseError, Ledger
from benchmarks.soak_session import SoakSession

if TYPE_CHECKING:
    import random
    from collections.abc import Awaitable, Callable

    from benchmarks.soak_figures import Figures

PAUSE_SECONDS = 0.2
"""The mean between two things that a widget does."""

LOSS = 0.1
"""How often a widget loses its connection instead of saying something."""

LOSS_WITHIN_COMMAND = 0.05
"""How often a command's sender loses its connection right behind it."""

CALLED = "7001"
BUSY = "5090"


class SoakDesk:
    """A workspace with its sessions. The first session moves the calls."""

    def __init__(self, port: int, extension: str, sessions: int, figures: Figures, chance: random.Random) -> None:
        self._extension = extension
        self._figures = figures
        self._chance = chance
        self._ledger = Ledger(extension, self._noted)
        self._sessions = [SoakSession(port, f"widget-{n}", self._ledger, figures) for n in range(sessions)]
        self._ids = count()
        self._calls: dict[str, None] = {}
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def run(self, until: float) -> None:
        """Live until that time, then see to it that everybody has everything, and leave.

        Raises:
            BrokenPromiseError: The bridge broke one.
        """
        for session in self._sessions:
            await session.connect()
        caller, *widgets = self._sessions
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._move_calls(caller, until))
            for session in widgets:
                tasks.create_task(self._chat(session, until))
        await self._settle()
        for session in self._sessions:
            await session.leave(politely=self._chance.random() < 0.5)

    async def _settle(self) -> None:
        """Let each session reconnect once more: what it then has is all there is."""
        for session in self._sessions:
            await session.reconnect(politely=True)
        self._check()
        self._ledger.close()
        for session in self._sessions:
            if session.last != self._ledger.highest:
                raise BrokenPromiseError(f"{self._extension}: {session.last} of {self._ledger.highest} came")

    def _check(self) -> None:
        for session in self._sessions:
            if session.broken is not None:
                raise session.broken

    # Widgets that talk

    async def _chat(self, session: SoakSession, until: float) -> None:
        while now() < until:
            await self._pause()
            self._check()
            if self._chance.random() < LOSS:
                await session.reconnect(politely=self._chance.random() < 0.5)
            else:
                answer = await session.publish("Notes/Text/Said", {"text": "soak " * 20}, f"n{next(self._ids)}")
                if answer is None or answer["subtopic"] != "Accepted":
                    raise BrokenPromiseError(f"{self._extension}: a note was not accepted: {answer}")

    async def _pause(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 2 * PAUSE_SECONDS))

    # The one that moves calls

    async def _move_calls(self, session: SoakSession, until: float) -> None:
        ends: tuple[Callable[[SoakSession, str, str], Awaitable[None]], ...] = (
            self._transfer,
            self._confer,
            self._take_back,
        )
        while now() < until:
            call = await self._offered(session)
            await self._call(session, "SetANSWER", call)
            await self._consult(session, call, self._chance.choice(ends))
            await self._pause()

    async def _offered(self, session: SoakSession) -> str:
        outcome = await self._command(session, "Simulator/Call/Offer", {"fromAddress": "+15550100"})
        return str(outcome["data"]["call"])

    async def _consult(
        self, session: SoakSession, call: str, end: Callable[[SoakSession, str, str], Awaitable[None]]
    ) -> None:
        if self._chance.random() < 0.25:
            await self._consult_the_busy(session, call)
            return
        outcome = await self._call(session, "SetCONSULT", call, toAddress=CALLED)
        await self._pause()
        await self._command(session, "Simulator/Party/Answer", {"address": CALLED})
        await end(session, call, str(outcome["data"]["consultCall"]))

    async def _consult_the_busy(self, session: SoakSession, call: str) -> None:
        """Fail; the consult call stays until it is dropped, the customer is held and can be retrieved."""
        failed = await self._call(session, "SetCONSULT", call, toAddress=BUSY)
        if failed["subtopic"] != "Failed":
            raise BrokenPromiseError(f"{self._extension}: a busy party was reached: {failed}")
        (consult,) = self._calls.keys() - {call}
        await self._take_back(session, call, consult)

    async def _transfer(self, session: SoakSession, call: str, consult: str) -> None:
        del consult
        await self._call(session, "SetTRANSFER", call)

    async def _confer(self, session: SoakSession, call: str, consult: str) -> None:
        del consult
        await self._call(session, "SetCONFERENCE", call)
        await self._call(session, "SetDROP", call)

    async def _take_back(self, session: SoakSession, call: str, consult: str) -> None:
        await self._call(session, "SetDROP", consult)
        await self._call(session, "SetRETRIEVE", call)
        await self._call(session, "SetDROP", call)

    async def _call(self, session: SoakSession, subtopic: str, call: str, **data: str) -> dict[str, Any]:
        fields = {"MediaAddress": self._extension, "CallID": call, **data}
        return await self._command(session, f"Cisco/InboundCall/{subtopic}", fields)

    async def _command(self, session: SoakSession, address: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a command until it is answered, always with the same id, and wait for its outcome in the stream."""
        command = f"c{next(self._ids)}"
        outcome = self._waiting[command] = asyncio.get_running_loop().create_future()
        started = now()
        answer = await self._answered(session, address, data, command)
        if answer["subtopic"] != "Accepted":
            raise BrokenPromiseError(f"{self._extension}: {address} was refused: {answer['data']}")
        self._ledger.accepted.add(command)
        if self._chance.random() < LOSS_WITHIN_COMMAND:
            await session.reconnect(politely=False)
        found = await self._awaited(outcome, command)
        self._figures.ended.append(now() - started)
        return found

    async def _answered(self, session: SoakSession, address: str, data: dict[str, Any], command: str) -> dict[str, Any]:
        while True:
            sending = asyncio.ensure_future(session.publish(address, data, command))
            if self._chance.random() < LOSS_WITHIN_COMMAND:
                await asyncio.sleep(0)  # it is written, and the connection is gone before any answer
                await session.reconnect(politely=False)
                self._figures.resent += 1
            answer = await sending
            if answer is not None:
                return answer

    async def _awaited(self, outcome: asyncio.Future[dict[str, Any]], command: str) -> dict[str, Any]:
        try:
            return await asyncio.wait_for(outcome, TIMEOUT_SECONDS)
        except TimeoutError:
            self._check()
            raise BrokenPromiseError(f"{self._extension}: no outcome for {command}") from None

    # What the stream shows

    def _noted(self, message: dict[str, Any]) -> None:
        if message["subtopic"] in OUTCOMES and message["channel"] == "Bridge":
            waiting = self._waiting.pop(message["correlationId"], None)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif message["subtopic"] == "InboundCallStateChange":
            call = message["data"]["call"]
            if call["ended"]:
                self._calls.pop(call["id"], None)
            else:
                self._calls[call["id"]] = None
