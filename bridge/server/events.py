"""Server-sent events: a session of the broker that only reads (wire protocol §8; WHATWG HTML, section 9.2).

The stream's first event is the reply to its one Subscribe. Heartbeats are comments. A client that comes back sends
``Last-Event-ID`` by itself and gets what it missed.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from typing import TYPE_CHECKING, Any

from bridge.protocol import control, strict_json
from bridge.protocol.errors import CloseCode
from bridge.server.framing import LOST, control_prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import Receive, Scope, Send

    from bridge.broker.identity import Identity
    from bridge.broker.session import Session
    from bridge.protocol.message import Burst, Encoded
    from bridge.server.endpoint import Endpoint
    from bridge.server.http_protocol import RequestProtocol

_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"connection", b"close"),
    (b"x-accel-buffering", b"no"),
]

_COMMENT = b": heartbeat\n\n"

_heartbeat = control_prefix(control.HEARTBEAT)
_rejected = control_prefix(control.REJECTED)
_last_id = re.compile(r"([A-Za-z0-9]{1,64}):([0-9]{1,15})")


class RefusedSubscribeError(Exception):
    """The broker refused the patterns; ``body`` is that of its ``Rejected``."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["message"])
        self.body = body


class EventStream:
    """One stream: the broker's ``Subscriber``, and the ASGI response that sends what the broker gives it.

    ``open`` it first; who opens it must send it.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._session: Session | None = None
        self._epoch = ""
        self._connection: RequestProtocol | None = None

        # What waits to be sent. The reply to the Subscribe never counts as slow, so the bound comes after it.
        self._waiting: list[Encoded] = []
        self._bytes = 0
        self._limit = math.inf
        self._news = asyncio.Event()

        # Code and reason of the end, once it is decided.
        self._ending: tuple[int, str] | None = None

    def open(self, workspace: str, identity: Identity, patterns: Sequence[str], last_event_id: str | None) -> None:
        """Open a session and subscribe it.

        Raises:
            RefusedError: A limit is reached, or the bridge is stopping.
            RefusedSubscribeError: The patterns are refused.
        """
        broker = self._endpoint.broker
        session = broker.open(workspace, identity, self)
        broker.receive(session, _subscribe(patterns, last_event_id))
        reply = self._waiting[-1]
        if reply.payload.startswith(_rejected):
            broker.close(session, CloseCode.NORMAL, "subscribe refused")
            raise RefusedSubscribeError(json.loads(reply.payload)["data"])
        self._session = session
        self._epoch = session.workspace.epoch
        self._waiting = []
        self._first = _event(reply.payload, self._epoch, session.workspace.offset)
        self._bytes, self._limit = 0, self._endpoint.settings.outbox_bytes
        self._endpoint.streams.add(self)

    # The broker's side

    def send(self, message: Encoded) -> None:
        """Queue a message; end the stream if it is overfull."""
        if self._ending is not None:
            return
        self._waiting.append(message)
        self._bytes += len(message.payload)
        self._news.set()
        if self._bytes > self._limit:
            self._waiting = []
            self._tell_overfull()
            self.end(CloseCode.SLOW_CONSUMER, "OUTBOX_BYTES waited to be read")

    def send_all(self, burst: Burst) -> None:
        """Queue messages."""
        for message in burst.messages:
            self.send(message)

    def close(self, code: CloseCode, reason: str) -> None:
        """End the stream, after what is queued."""
        self.end(code, reason)

    def end(self, code: int, reason: str) -> None:
        """End the stream, after what is queued; a client that does not take it is cut after a while."""
        if self._ending is None:
            self._ending = (int(code), reason)
            self._news.set()
            loop = self._endpoint.loop
            loop.call_soon(self._leave)  # not at once: the broker may be in the middle of a delivery
            if self._connection is not None:
                self._endpoint.pulse.closing.start(self._connection, loop.time())

    def _tell_overfull(self) -> None:
        if self._session is not None:
            self._endpoint.observer.limited(
                "slow_consumer",
                session=self._session.id,
                workspace=self._session.workspace.name,
                queued=self._bytes,
            )

    def _leave(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            self._endpoint.streams.discard(self)
            self._endpoint.broker.close(session, *(self._ending or (LOST, "connection lost")))

    # The client's side

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until either side ends the stream."""
        self._connection = scope["state"]["connection"]
        watch = asyncio.ensure_future(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
            await self._send_events(send)
            await send({"type": "http.response.body", "body": b""})
        finally:
            watch.cancel()
            self._leave()

    async def _watch(self, receive: Receive) -> None:
        """Wait for the client to leave."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.end(LOST, "connection lost")

    async def _send_events(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": self._first, "more_body": True})
        while self._waiting or self._ending is None:
            await self._news.wait()
            self._news.clear()
            waiting, self._waiting, self._bytes = self._waiting, [], 0
            events = b"".join(map(self._encoded, waiting))
            await send({"type": "http.response.body", "body": events, "more_body": True})

    def _encoded(self, message: Encoded) -> bytes:
        if message.payload.startswith(_heartbeat):
            return _COMMENT
        return _event(message.payload, self._epoch, message.offset)


def _event(payload: bytes, epoch: str, offset: int | None) -> bytes:
    """Write one event. The payload is JSON without line ends, so it is one line of ``data``."""
    place = b"" if offset is None else b"id: %b:%d\n" % (epoch.encode(), offset)
    return b"%bdata: %b\n\n" % (place, payload)


def _subscribe(patterns: Sequence[str], last_event_id: str | None) -> str:
    """Write the stream's Subscribe. An id that is none of ours recovers nothing, and the client is told."""
    data: dict[str, Any] = {"patterns": list(patterns)}
    if last_event_id:
        found = _last_id.fullmatch(last_event_id)
        epoch, offset = found.groups() if found else ("unknown", "0")
        data["recover"] = {"epoch": epoch, "offset": int(offset)}
    address = control.SUBSCRIBE
    fields = {"channel": address.channel, "topic": address.topic, "subtopic": address.subtopic, "data": data}
    return strict_json.write(fields).decode()
