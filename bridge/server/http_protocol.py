"""uvicorn's HTTP protocol, with what it lacks: a time-out before the first whole request, and a limit on headers."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from uvicorn.config import Config
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.server import ServerState

    from bridge.server.endpoint import Endpoint
    from bridge.server.proxies import Client

HEADER_BYTES = 32_768
"""Request line and headers together: some cookies and a long token fit, a flood does not."""

_ANSWER = (
    b"HTTP/1.1 %d %s\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
)


class RequestProtocol(HttpToolsProtocol):
    """One HTTP connection, until it is upgraded.

    A request that is not whole after ``OPEN_SECONDS`` gets 408, one with more than 32 KB of headers 431. What follows
    is read and ignored until the client hangs up: closing at once would reset the connection and eat the answer.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._endpoint = endpoint

        # Set by accepted().
        self._socket: socket.socket
        self._peer: str | None = None

        # The request that is being received: bytes before the end of its headers, and of the headers themselves.
        self._head_bytes = 0
        self._header_bytes = 0
        self._begun = False
        self._completed = False
        self._refused = False

    def accepted(self, client: socket.socket, address: str) -> None:
        """Take note of a client that is being connected; with TLS there is a handshake before ``connection_made``."""
        self._socket, self._peer = client, address
        self._endpoint.pending.join(self, address)

    def never_made(self) -> None:
        """Forget everything: the client has gone, or its TLS handshake failed."""
        self._endpoint.pending.leave(self)
        self.parser = None  # type: ignore[assignment]  # it would hold this object in a cycle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a request, but not for ever."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._endpoint.pending.leave(self)
        self._endpoint.pulse.requests.stop(self)
        self._endpoint.pulse.closing.stop(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, unless the connection has had its last answer."""
        if self._refused:
            return
        self._unset_keepalive_if_required()
        self._completed = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            if not self._refused:
                self._refuse(HTTPStatus.BAD_REQUEST, "not a valid HTTP request")
        else:
            self._look_after(len(data))

    def on_message_begin(self) -> None:
        """Start to count."""
        super().on_message_begin()
        self.scope["state"]["connection"] = self
        self._begun = True
        self._header_bytes = 0
        self._await_request()

    def on_url(self, url: bytes) -> None:
        """Count."""
        super().on_url(url)
        self._header_bytes += len(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count."""
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value) + 4

    def on_headers_complete(self) -> None:
        """Answer the request, unless its headers are too large."""
        if self._header_bytes > HEADER_BYTES:
            self._refuse_headers()
            raise _RefusedError
        self._begun = False
        self._head_bytes = 0
        self._name_client()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Note that the request is whole."""
        self._completed = True
        self._endpoint.pulse.requests.stop(self)
        self._endpoint.pending.leave(self)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the client to hang up."""
        super().on_response_complete()
        if self._idle and self in self.connections:  # it may have been lost meanwhile
            self._endpoint.pending.join(self, self._peer)

    def pause_writing(self) -> None:
        """Wait for a client that does not read what it asked for."""
        super().pause_writing()
        self._endpoint.pending.join(self, self._peer)

    def resume_writing(self) -> None:
        """Wait no more, if there is still something to serve."""
        super().resume_writing()
        if not self._idle:
            self._endpoint.pending.leave(self)

    def request_overdue(self) -> None:
        """Answer 408, or close where there was no beginning of a request."""
        cycle = self._open_cycle
        if self.pipeline or (cycle is not None and cycle.response_started):
            return  # a response is being sent: the client is not the one who is late
        if self._begun or cycle is not None:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the request was not whole within OPEN_SECONDS")
        else:
            self.transport.close()

    def cut(self) -> None:
        """End the connection without further ado."""
        if self.transport is None:  # it is being made, and notices
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        else:
            self.transport.abort()

    @property
    def _open_cycle(self) -> RequestResponseCycle | None:
        """The request whose answer is not complete."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    @property
    def _idle(self) -> bool:
        """Whether the client is the one to do something: to ask, or to finish what it asks."""
        return self._open_cycle is None or self in self._endpoint.pulse.requests

    def _look_after(self, size: int) -> None:
        """See what so many bytes have brought: part of a head, or nothing at all."""
        if self._begun:
            if not self._completed:  # else who knows how much of it belongs to the request before
                self._head_bytes += size
            if self._head_bytes > HEADER_BYTES:  # a single header is told to us only when it is whole
                self._refuse_headers()
        elif self._open_cycle is None:  # empty lines, which have stopped uvicorn's own timer
            self._endpoint.pulse.requests.start(self, self.loop.time())

    def _name_client(self) -> None:
        """Tell the application whose request it is, where a trusted proxy passes on that of another."""
        client = self._client()
        self.scope["client"] = (client.address, 0) if client.address else None
        self.scope["scheme"] = client.scheme
        self.scope["state"]["client"] = client

    def _client(self) -> Client:
        return self._endpoint.proxies.client(self._peer, self._sent, tls=self.scheme == "https")

    def _sent(self, name: str) -> list[str]:
        """Give every value of a header of the request that is being received."""
        searched = name.encode()
        return [value.decode("latin-1") for sent, value in self.headers or () if sent == searched]

    def _await_request(self) -> None:
        self._endpoint.pulse.requests.restart(self, self.loop.time())

    def _upgrade(self, rest: bytes) -> None:
        """Hand the connection over, with what the client sent behind its request."""
        if not self._should_upgrade():  # to something else: it is answered as if it had not asked, and that is all
            if (cycle := self._open_cycle) is not None:
                cycle.keep_alive = False
            return
        if self._open_cycle is not None:
            self._refuse(HTTPStatus.BAD_REQUEST, "an upgrade cannot overtake the request before it")
            return
        self._endpoint.pulse.requests.stop(self)
        self._endpoint.pending.leave(self)
        self.handle_websocket_upgrade()
        self.parser = None  # type: ignore[assignment]  # it would hold this object in a cycle
        if rest:
            protocol = self.transport.get_protocol()
            assert isinstance(protocol, asyncio.Protocol)  # noqa: S101 for the type checker: it was set just now
            protocol.data_received(rest)

    def _refuse_headers(self) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"more than {HEADER_BYTES} bytes of headers")

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        """Give the last answer of this connection."""
        self._refused = True
        self._endpoint.pulse.requests.stop(self)
        self._endpoint.pulse.closing.start(self, self.loop.time())
        address = self._client().address
        self._endpoint.observer.limited("refused", address=address, status=int(status), reason=text)
        body = text.encode() + b"\n"
        self.transport.write(_ANSWER % (status, status.phrase.encode(), len(body), body))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:  # TLS
            self.transport.close()


class _RefusedError(Exception):
    """Leaves the parser; the answer is given."""
