"""One consumer's view of the stream."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Protocol

from bridge.client.errors import BridgeError, ClientClosed, ConsumerTooSlow, MessagesLost
from bridge.client.messages import Gap, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from typing import Self

    from bridge.protocol.address import Pattern


class Leaver(Protocol):
    """Where a subscription says that it has ended; the client implements it."""

    async def leave(self, subscription: Subscription) -> None:
        """Cease to deliver to it."""


class Subscription:
    """Messages that match some patterns, in order, each once: the snapshot first, then live.

    Iterate over it, in one task. Across a lost connection it goes on with what was missed. Where the bridge cannot give
    that completely, iterating raises ``MessagesLost`` once, at that place; iterate again to go on with a new snapshot.
    With ``on_gap`` that function is called at that place instead, and iterating goes on.

    It holds up to ``limit`` unread live messages. A consumer that falls behind further gets those, and then
    ``ConsumerTooSlow``: memory does not grow, the connection stays good for others, and nothing is left out in between.
    """

    def __init__(
        self, patterns: Iterable[Pattern], client: Leaver, *, limit: int, on_gap: Callable[[Gap], None] | None
    ) -> None:
        self.patterns = tuple(dict.fromkeys(patterns))
        self._client = client
        self._limit = limit
        self._on_gap = on_gap

        # Set when the bridge has answered the first Subscribe.
        self.snapshot: tuple[Message, ...] = ()
        self._started: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        # What is to be read next, and how it ends: with an error, or (None) simply so.
        self._unread: deque[Message | Gap] = deque()
        self._arrived = asyncio.Event()
        self._ended = False
        self._error: BridgeError | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        while True:
            while not self._unread:
                if self._ended:
                    self._raise_end()
                self._arrived.clear()
                await self._arrived.wait()
            item = self._unread.popleft()
            if isinstance(item, Message):
                return item
            if self._on_gap is None:
                raise MessagesLost(item)
            self._on_gap(item)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End it: what is unread is discarded, iterating stops. Harmless when repeated."""
        self._unread.clear()
        if not self._ended:
            self.end(None)
            await self._client.leave(self)

    @property
    def unread(self) -> int:
        """How many messages wait to be read."""
        return len(self._unread)

    @property
    def ended(self) -> bool:
        """Whether nothing will come any more."""
        return self._ended

    def _raise_end(self) -> None:
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration

    # From the client

    @property
    def active(self) -> bool:
        """Whether the bridge has answered and the subscription has not ended."""
        return self._started.done() and not self._ended

    async def started(self) -> None:
        """Wait for the bridge's first answer. Raises what ended the subscription before."""
        await self._started

    def begin(self, snapshot: Iterable[Message]) -> None:
        """Take the first answer."""
        if self._ended:
            return
        self.snapshot = self._mine(snapshot)
        self._add(self.snapshot)
        if not self._started.done():
            self._started.set_result(None)

    def resume(self, missed: Iterable[Message]) -> None:
        """Go on after a lost connection with everything that was missed."""
        self._add(self._mine(missed))

    def restart(self, last_offset: int, snapshot: Iterable[Message], *, epoch_changed: bool) -> None:
        """Go on after a lost connection of which not everything could be recovered."""
        self.snapshot = self._mine(snapshot)
        self._add((Gap(last_offset, epoch_changed, self.snapshot), *self.snapshot))

    def deliver(self, message: Message) -> bool:
        """Take a live message. Return false when that was one too many: the subscription has ended."""
        if not self._wants(message):
            return True
        if len(self._unread) >= self._limit:
            self.end(ConsumerTooSlow(self._limit))
            return False
        self._add((message,))
        return True

    def end(self, error: BridgeError | None) -> None:
        """Give what is unread, then ``error``; nothing more comes."""
        self._ended = True
        self._error = error
        self._arrived.set()
        if not self._started.done():
            self._started.set_exception(error or ClientClosed("the client was closed"))

    def _add(self, items: Iterable[Message | Gap]) -> None:
        self._unread.extend(items)
        self._arrived.set()

    def _mine(self, messages: Iterable[Message]) -> tuple[Message, ...]:
        return tuple(message for message in messages if self._wants(message))

    def _wants(self, message: Message) -> bool:
        return any(pattern.matches(message.address) for pattern in self.patterns)
