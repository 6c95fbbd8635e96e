"""A session that hears everything in its workspace, loses its connection, and checks that it missed nothing."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from benchmarks import speech
from benchmarks.load import TIMEOUT_SECONDS, Link, connect, now
from benchmarks.soak_ledger import BrokenPromiseError, Ledger

if TYPE_CHECKING:
    from benchmarks.soak_figures import Figures

ANSWERS = frozenset({"Accepted", "Rejected"})
RECOVERY_MESSAGES = 300
"""As many the bridge recovers by default; a session that is further behind may be told to start anew."""


class SoakSession:
    """One widget. ``last`` is the offset up to which it has everything."""

    def __init__(self, port: int, name: str, ledger: Ledger, figures: Figures, token: str | None = None) -> None:
        self._port = port
        self._token = token
        self._path = speech.bridge_path(ledger.workspace, name)
        self._ledger = ledger
        self._figures = figures
        self._link: Link | None = None
        self.last = -1

        # By id: what waits for an answer, and when it was sent.
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}

        # The Subscribe that is not answered yet.
        self._subscribed: asyncio.Future[None] | None = None
        self.broken: BrokenPromiseError | None = None

    @property
    def workspace(self) -> str:
        """Where it is."""
        return self._ledger.workspace

    async def connect(self) -> None:
        """Connect and subscribe to everything; recover where there was something before."""
        self._link = await connect(self._port, self._path, self._token)
        self._link.on_message = self._received
        self._subscribed = asyncio.get_running_loop().create_future()
        options: dict[str, Any] = {"echo": True}
        if self.last >= 0:
            options["recover"] = {"epoch": self._ledger.epoch, "offset": self.last}
        self._link.send(speech.subscribe(["*"], "subscribe", **options))
        await asyncio.wait_for(self._subscribed, TIMEOUT_SECONDS)

    async def reconnect(self, *, politely: bool) -> None:
        """Lose the connection, then come back."""
        await self.leave(politely=politely)
        await self.connect()
        self._figures.reconnects += 1

    async def leave(self, *, politely: bool = True) -> None:
        """End the connection, with a close frame or without. What waits for an answer gets none."""
        assert self._link is not None
        if politely:
            await self._link.close()
        else:
            self._link.transport.abort()
            await asyncio.wait_for(self._link.lost, TIMEOUT_SECONDS)
        for answer in self._answers.values():
            answer.cancel()
        self._answers.clear()

    async def publish(self, address: str, data: Any, message_id: str) -> dict[str, Any] | None:
        """Publish; return the answer, ``None`` if the connection was lost before it came."""
        link = self._link
        assert link is not None
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._answers[message_id] = answer
        sent = now()
        link.send(speech.message(address, data, message_id))
        either: list[asyncio.Future[Any]] = [answer, link.lost]
        await asyncio.wait(either, timeout=TIMEOUT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if answer.done() and not answer.cancelled():
            self._figures.accepted.append(now() - sent)
            return answer.result()
        if not link.lost.done():
            self.broken = self.broken or BrokenPromiseError(f"{self._path}: no answer to {message_id}")
        return None

    def _received(self, payload: bytes) -> None:
        try:
            self._handle(json.loads(payload))
        except BrokenPromiseError as broken:
            self.broken = self.broken or broken

    def _handle(self, message: dict[str, Any]) -> None:
        if "offset" in message:
            self.take(message)
        elif message["subtopic"] == "Subscribed":
            self._recovered(message["data"])
        elif message["subtopic"] in ANSWERS:
            answer = self._answers.pop(message["correlationId"], None)
            if answer is not None and not answer.done():
                answer.set_result(message)

    def take(self, message: dict[str, Any]) -> None:
        """Take a message of the stream: it must be the very next one."""
        offset = message["offset"]
        if offset != self.last + 1:
            raise BrokenPromiseError(f"{self._path}: {offset} came after {self.last}")
        self.last = offset
        self._figures.delivered += 1
        self._ledger.saw(message)

    def _recovered(self, data: dict[str, Any]) -> None:
        self._ledger.enter(data["epoch"])
        if self.last >= 0 and data["recovered"]:
            for message in data["messages"]:
                self.take(message)
            self._figures.recovered += len(data["messages"])
            if self.last != data["offset"]:
                raise BrokenPromiseError(f"{self._path}: recovered up to {self.last}, not {data['offset']}")
        elif 0 <= data["offset"] - self.last <= RECOVERY_MESSAGES and self.last >= 0:
            raise BrokenPromiseError(f"{self._path}: not recovered from {self.last} to {data['offset']}")
        self.last = data["offset"]
        if self._subscribed is not None:
            self._subscribed.set_result(None)
