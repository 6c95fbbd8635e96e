"""What waits to be written to one client: bounded, and joined to one write per loop turn.

A queue and a writer task per session cost more than half again of a message's whole way; a list of ready frames and one
flush per turn do not. All outboxes of a server share one flush.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.protocol import control
from bridge.server.framing import control_prefix, text_frame

if TYPE_CHECKING:
    import asyncio

    from bridge.protocol.errors import CloseCode
    from bridge.protocol.message import Burst, Encoded
    from bridge.server.observer import ServerObserver

_subscribed = control_prefix(control.SUBSCRIBED)
"""The reply to a Subscribe is as long as what was missed, so it never counts as slow (wire protocol §4)."""


class Flusher:
    """Writes, once per loop turn, what was queued in that turn."""

    def __init__(self, loop: asyncio.AbstractEventLoop, observer: ServerObserver) -> None:
        self._loop = loop
        self._observer = observer
        self._filled: list[Outbox] = []

    def add(self, outbox: Outbox) -> None:
        """Flush this outbox at the end of the turn."""
        if not self._filled:
            self._loop.call_soon(self.flush)
        self._filled.append(outbox)

    def flush(self) -> None:
        """Write everything that is queued. A fault of one connection ends that one, and loses no other's messages."""
        filled, self._filled = self._filled, []
        for outbox in filled:
            try:
                outbox.flush()
            except Exception as error:  # noqa: BLE001 whatever a transport may raise
                self._observer.failed("write", error)
                outbox.cut()


class Owner(Protocol):
    """The connection of an outbox."""

    def overflowed(self, size: int) -> None:
        """The client reads too slowly: ``size`` bytes waited. They have been discarded; nothing more is taken."""

    def end(self, code: CloseCode, reason: str) -> None:
        """The broker ends the session."""


class Outbox:
    """The broker's ``Subscriber`` for one WebSocket connection.

    Attributes:
        queued: Bytes that wait for the end of the turn; more wait in the transport.
    """

    __slots__ = ("_excused", "_flusher", "_frames", "_limit", "_owner", "_room", "_shut", "_transport", "queued")

    def __init__(self, owner: Owner, transport: asyncio.WriteTransport, flusher: Flusher, limit: int) -> None:
        self._owner = owner
        self._transport = transport
        self._flusher = flusher
        self._limit = limit

        # Frames of this turn, in order.
        self._frames: list[bytes] = []
        self.queued = 0
        self._shut = False

        # How much may be queued before it must be measured anew, and how much more than the limit may wait
        # because it answers a Subscribe.
        self._room = limit
        self._excused = 0

    @property
    def size(self) -> int:
        """Bytes that wait, here and in the transport."""
        return self.queued + self._transport.get_write_buffer_size()

    def send(self, message: Encoded) -> None:
        """Queue a message; it is framed once for all who get it."""
        if self._shut:
            return
        frame = message.frame
        if frame is None:
            frame = message.frame = text_frame(message.payload)
        if message.offset is None and message.payload.startswith(_subscribed):
            self._excused += len(frame)
            self._room += len(frame)
        self.put(frame)
        if self.queued > self._room:
            self._measure()

    def send_all(self, burst: Burst) -> None:
        """Queue messages; they are framed once, and joined once, for all who get them."""
        if self._shut:
            return
        frames = burst.frames
        if frames is None:
            frames = burst.frames = b"".join([text_frame(message.payload) for message in burst.messages])
        self.put(frames)
        if self.queued > self._room:
            self._measure()

    def close(self, code: CloseCode, reason: str) -> None:
        """Let the connection close; what is queued goes first."""
        self._owner.end(code, reason)

    def put(self, frame: bytes) -> None:
        """Queue bytes, which is all that is asked of a control frame: it is small, and their number is bounded."""
        if not self._frames:
            self._flusher.add(self)
        self._frames.append(frame)
        self.queued += len(frame)

    def shut(self) -> None:
        """Take no messages any more."""
        self._shut = True

    def cut(self) -> None:
        """End the connection without further ado."""
        self._transport.abort()

    def flush(self) -> None:
        """Hand what is queued to the transport."""
        if not self._frames:
            return
        frames, self._frames = self._frames, []
        self.queued = 0
        if self._transport.is_closing():
            return
        self._transport.write(frames[0] if len(frames) == 1 else b"".join(frames))
        waiting = self._transport.get_write_buffer_size()
        self._excused = min(self._excused, waiting)
        self._room = self._limit + self._excused - waiting

    def _measure(self) -> None:
        """See whether the limit is exceeded: since the last flush the transport may have written much."""
        waiting = self._transport.get_write_buffer_size()
        self._room = self._limit + self._excused - waiting
        if self.queued > self._room:
            size = self.queued + waiting
            self._frames.clear()
            self.queued = 0
            self._shut = True
            self._owner.overflowed(size)
