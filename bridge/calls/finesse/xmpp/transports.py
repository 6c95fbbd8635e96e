"""Sockets under a stream: TLS over TCP, and WebSocket inside TLS.

They carry text and know nothing of XMPP. What they raise is ``XmppUnreachable`` when opening, ``XmppLost`` afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, NegotiationError
from websockets.typing import Subprotocol

from bridge.calls.finesse.xmpp.errors import XmppLost, XmppUnreachable

if TYPE_CHECKING:
    from bridge.calls.finesse.xmpp.endpoint import Endpoint, Timing

MESSAGE_BYTES: Final = 1_048_576
"""The largest message read from a WebSocket. Over TCP the framing limits each stanza."""

_QUEUED_FRAMES: Final = 4
"""How many unread frames are held before the server has to wait. Each agent has a connection, so it is few."""

_READ_BYTES: Final = 16_384
_SUBPROTOCOL: Final = Subprotocol("xmpp")
_USER_AGENT: Final = "workspace-bridge"


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """Below warnings the library logs frames, and one of them holds the password: no setting may switch that on."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802  # logging's name
        return level >= logging.WARNING and super().isEnabledFor(level)


_logger = _Quiet(logging.getLogger(__name__), {})


class Transport(Protocol):
    """One open connection.

    Attributes:
        arrived: When bytes came out of the socket last, in monotonic seconds.
    """

    @property
    def arrived(self) -> float: ...  # noqa: D102  # see above

    async def send(self, text: str) -> None:
        """Send a message, or a piece of the stream. When cancelled it may or may not have been sent."""

    async def receive(self) -> str | bytes:
        """Wait for a message, or a piece of the stream. Nothing is lost when this is cancelled."""

    async def close(self, *, reading: bool) -> None:
        """Close in good order, waiting for the server; ``reading`` if ``receive`` is being awaited meanwhile."""

    def abort(self) -> None:
        """Drop the connection. The socket is closed in the event loop's next round."""


async def open_transport(endpoint: Endpoint, tls: ssl.SSLContext, timing: Timing) -> Transport:
    """Connect. The caller limits the time.

    Raises:
        XmppUnreachable: There is no such host, nobody listens, the certificate is not trusted, or it is no XMPP server.
    """
    place = f"{endpoint.host}:{endpoint.port}"
    try:
        if endpoint.scheme == "wss":
            return await WebSocketTransport.open(endpoint, tls, timing)
        return await TcpTransport.open(endpoint, tls, timing)
    except ssl.SSLCertVerificationError as error:
        raise XmppUnreachable(
            f"{place} shows a certificate that is not trusted ({error.verify_message}); "
            "FINESSE_CA_FILE names the authority to trust"
        ) from None
    except ssl.SSLError as error:
        raise XmppUnreachable(f"no TLS with {place}: {error.reason or 'the handshake failed'}") from None
    except InvalidStatus as error:
        raise XmppUnreachable(f"{place} answers HTTP {error.response.status_code} and opens no WebSocket") from None
    except InvalidHandshake as error:
        raise XmppUnreachable(f"{place} opens no WebSocket ({type(error).__name__})") from None
    except OSError as error:
        raise XmppUnreachable(f"no connection to {place}: {error.strerror or type(error).__name__}") from None


class TcpTransport:
    """TLS over TCP."""

    __slots__ = ("_reader", "_writer", "arrived")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.arrived = 0.0
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, endpoint: Endpoint, tls: ssl.SSLContext, timing: Timing) -> TcpTransport:
        """Connect and shake hands."""
        return cls(
            *await asyncio.open_connection(
                endpoint.host,
                endpoint.port,
                ssl=tls,
                server_hostname=endpoint.host,
                limit=_READ_BYTES,
                ssl_handshake_timeout=timing.connect,
                ssl_shutdown_timeout=timing.close,
            )
        )

    async def send(self, text: str) -> None:
        """Write; wait where the server is slow to read."""
        try:
            self._writer.write(text.encode())
            await self._writer.drain()
        except OSError as error:
            raise _lost(error) from None

    async def receive(self) -> bytes:
        """Wait for bytes."""
        try:
            data = await self._reader.read(_READ_BYTES)
        except OSError as error:
            raise _lost(error) from None
        if not data:
            raise XmppLost("the server closed the connection")
        self.arrived = monotonic()
        return data

    async def close(self, *, reading: bool) -> None:
        """Close when the server has: to close on unread bytes resets the connection, and our goodbye may be lost."""
        with contextlib.suppress(OSError):
            while not reading and await self._reader.read(_READ_BYTES):
                pass
            self._writer.close()
            await self._writer.wait_closed()

    def abort(self) -> None:
        """Drop it."""
        self._writer.transport.abort()


class _Connect(connect_websocket):
    """Follows no redirect: where a password goes is for the settings to say."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Connection(ClientConnection):
    """Knows when bytes came last."""

    arrived = 0.0

    def data_received(self, data: bytes) -> None:
        self.arrived = monotonic()
        super().data_received(data)


class WebSocketTransport:
    """WebSocket (RFC 6455) with the subprotocol ``xmpp`` (RFC 7395 section 3.1). Its own pings are left to XMPP's."""

    __slots__ = ("_connection",)

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    @property
    def arrived(self) -> float:
        """When bytes came last."""
        return self._connection.arrived

    @classmethod
    async def open(cls, endpoint: Endpoint, tls: ssl.SSLContext, timing: Timing) -> WebSocketTransport:
        """Connect, shake hands, upgrade."""
        connection = await _Connect(
            endpoint.url,
            subprotocols=[_SUBPROTOCOL],
            compression=None,
            user_agent_header=_USER_AGENT,
            create_connection=_Connection,
            proxy=None,
            open_timeout=None,
            ping_interval=None,
            close_timeout=timing.close,
            max_size=MESSAGE_BYTES,
            max_queue=_QUEUED_FRAMES,
            logger=_logger,
            ssl=tls,
            ssl_handshake_timeout=timing.connect,
            ssl_shutdown_timeout=timing.close,
        )
        if connection.subprotocol != _SUBPROTOCOL:
            connection.transport.abort()
            raise NegotiationError("no subprotocol")
        assert isinstance(connection, _Connection)  # noqa: S101  # it was asked for
        return cls(connection)

    async def send(self, text: str) -> None:
        """Send one text message."""
        try:
            await self._connection.send(text)
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def receive(self) -> str | bytes:
        """Wait for one message."""
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            raise _closed(closed) from None

    async def close(self, *, reading: bool) -> None:  # noqa: ARG002  # the library reads on by itself
        """Shake hands on the end."""
        await self._connection.close()

    def abort(self) -> None:
        """Drop it."""
        self._connection.transport.abort()


def _lost(error: OSError) -> XmppLost:
    return XmppLost(f"the connection broke: {error.strerror or type(error).__name__}")


def _closed(closed: ConnectionClosed) -> XmppLost:
    """Tell a close by its code; the reason is the server's to choose and is not repeated."""
    if closed.rcvd is not None:
        return XmppLost(f"the server closed the WebSocket with code {closed.rcvd.code}")
    if closed.sent is not None:
        return XmppLost(f"the server broke WebSocket's rules (code {closed.sent.code})")
    return XmppLost("the connection broke")
