"""One agent's connection to the notification service: a stream over a transport, with a clock.

There is no task and no queue behind it. Whoever iterates reads, answers and pings; a server that sends faster than is
read has to wait. So iterate all the time: while nobody does, no ping goes out, and Finesse takes 20 s without one for
an end.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING

from bridge.calls.finesse.xmpp.endpoint import DEFAULT_TIMING
from bridge.calls.finesse.xmpp.errors import XmppError, XmppLost, XmppUnreachable
from bridge.calls.finesse.xmpp.framing import TcpFraming, WebSocketFraming
from bridge.calls.finesse.xmpp.stream import Stream
from bridge.calls.finesse.xmpp.transports import open_transport

if TYPE_CHECKING:
    import ssl
    from typing import Self

    from pydantic import SecretStr

    from bridge.calls.finesse.xml import Element
    from bridge.calls.finesse.xmpp.endpoint import Endpoint, Timing
    from bridge.calls.finesse.xmpp.transports import Transport


async def connect(
    endpoint: Endpoint,
    *,
    username: str,
    domain: str,
    secret: SecretStr,
    resource: str,
    tls: ssl.SSLContext,
    timing: Timing = DEFAULT_TIMING,
) -> XmppConnection:
    """Connect, sign in, bind ``resource`` and announce presence, within ``timing.connect`` seconds; one attempt.

    ``secret`` is the password or the SSO access token. ``tls`` is shared by all connections: a context costs much.

    Raises:
        XmppUnreachable: No connection came to be. No credential was sent.
        XmppRefused: The credentials were refused.
        XmppConflict: Another session has the resource.
        XmppLost: The connection ended before notifications could come, or took too long.
        ValueError: ``resource`` is empty, or the one that Finesse keeps for its desktop.
    """
    framing = WebSocketFraming() if endpoint.scheme == "wss" else TcpFraming()
    stream = Stream(framing, username=username, domain=domain, secret=secret, resource=resource)
    transport: Transport | None = None
    try:
        async with asyncio.timeout(timing.connect):
            transport = await open_transport(endpoint, tls, timing)
            connection = XmppConnection(transport, stream, timing)
            await connection.negotiate()
            return connection
    except TimeoutError:
        if transport is None:
            place = f"{endpoint.host}:{endpoint.port}"
            raise XmppUnreachable(f"no connection to {place} within {timing.connect:g} s") from None
        transport.abort()
        raise XmppLost(f"the server did not let us in within {timing.connect:g} s") from None
    except BaseException:
        if transport is not None:
            transport.abort()
        raise


class XmppConnection:
    """What ``connect`` returns: an iterator over message and presence stanzas, for one task at a time.

    It ends with ``XmppConflict`` or ``XmppLost``, and every further step with the same; after ``close`` it just ends.
    A step may be cancelled, and the next one goes on where it was.
    """

    __slots__ = ("_closing", "_deadline", "_loop", "_reading", "_stanzas", "_stream", "_timing", "_transport")

    def __init__(self, transport: Transport, stream: Stream, timing: Timing) -> None:
        self._transport = transport
        self._stream = stream
        self._timing = timing
        self._loop = asyncio.get_running_loop()
        self._stanzas: deque[Element] = deque()
        self._reading = False
        self._closing = False

        # When to ping next or, while a ping is unanswered, when the server is given up.
        self._deadline = 0.0

    @property
    def jid(self) -> str:
        """Our full address, as the server bound it."""
        return self._stream.jid

    @property
    def arrived(self) -> float:
        """When the last stanza came out of the socket, in monotonic seconds."""
        return self._transport.arrived

    def __repr__(self) -> str:
        return f"<XmppConnection {self.jid}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Element:
        """Wait for the next message or presence."""
        if self._reading:
            raise RuntimeError("another task reads this connection")
        self._reading = True
        try:
            return await self._next()
        finally:
            self._reading = False

    async def close(self) -> None:
        """Take leave and close, within ``timing.close`` seconds. Harmless when repeated, and after any end."""
        if self._closing:
            return
        self._closing = True
        try:
            with contextlib.suppress(XmppLost, TimeoutError):
                async with asyncio.timeout(self._timing.close):
                    if self._stream.ended is None:
                        self._stream.goodbye()
                        await self._send()
                        await self._transport.close(reading=self._reading)
        finally:
            self._transport.abort()

    async def negotiate(self) -> None:
        """Bring the stream up; for ``connect``, which limits the time."""
        self._stream.begin()
        await self._send()
        while not self._stream.ready and self._stream.ended is None:
            self._stanzas.extend(self._stream.feed(await self._transport.receive()))
            await self._send()
        if self._stream.ended is not None:
            raise self._stream.ended
        self._deadline = self._loop.time() + self._timing.ping

    async def _next(self) -> Element:
        if self._stream.pinging and self._deadline < self._loop.time():
            # Nobody was reading; the answer may be there. Waiting begins anew.
            self._deadline = self._loop.time() + self._timing.pong
        while not self._closing:
            if self._stanzas:
                return self._stanzas.popleft()
            if self._stream.ended is not None:
                self._transport.abort()
                raise self._stream.ended
            try:
                await self._step()
            except XmppError as error:
                self._stream.ended = error
        raise StopAsyncIteration

    async def _step(self) -> None:
        """Read once, or ping where it is time to."""
        pinging = self._stream.pinging
        try:
            async with asyncio.timeout_at(self._deadline):
                data = await self._transport.receive()
        except TimeoutError:
            if pinging:
                raise XmppLost(f"the server did not answer a ping within {self._timing.pong:g} s") from None
            self._stream.ping()
            self._deadline = self._loop.time() + self._timing.pong
        else:
            self._stanzas.extend(self._stream.feed(data))
            if pinging and not self._stream.pinging:
                self._deadline = self._loop.time() + self._timing.ping
        if self._stream.has_outgoing:
            await self._send_in_time()

    async def _send_in_time(self) -> None:
        try:
            async with asyncio.timeout(self._timing.pong):
                await self._send()
        except TimeoutError:
            raise XmppLost(f"the server took nothing for {self._timing.pong:g} s") from None

    async def _send(self) -> None:
        while (text := self._stream.next_outgoing()) is not None:
            await self._transport.send(text)
