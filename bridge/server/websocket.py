"""One WebSocket connection: bytes to the broker and back, on `websockets`' Sans-I/O protocol; uvicorn's ``ws=``.

A connection goes through five phases: it waits for the handshake; it is an applicant, whose token is awaited or being
checked; it has a session; it is ending (a close frame or an HTTP refusal was sent) and only takes its last bytes; it is
lost. Without authentication nobody is an applicant for longer than it takes to open the session. The deadlines of each
phase are the pulse's.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from websockets.frames import Opcode
from websockets.protocol import State

from bridge.broker.broker import RefusedError
from bridge.protocol.errors import CloseCode
from bridge.server import handshake
from bridge.server.admission import Admission
from bridge.server.assembly import Assembly, ViolationError
from bridge.server.framing import LOST, PING, close_reason
from bridge.server.outbox import Outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from uvicorn.config import Config
    from uvicorn.server import ServerState
    from websockets.frames import Frame
    from websockets.http11 import Request

    from bridge.broker.identity import Identity
    from bridge.broker.session import Session
    from bridge.server.endpoint import Endpoint
    from bridge.server.proxies import Client

SLICE_BYTES = 16_384
"""So much is handled at once. The rest of a larger read waits for the next loop turn, so that one client's flood of
small messages does not hold up the others, and the answers to it are written in between."""


_CONTROL = 0x8
"""Opcodes from here on are of control frames (RFC 6455 section 5.5)."""


class Connection(asyncio.Protocol):
    """One client. uvicorn builds it when a request asks for the upgrade, and hands it that request as bytes."""

    __slots__ = (
        "_admission",
        "_assembly",
        "_connections",
        "_ending",
        "_endpoint",
        "_frames",
        "_halted",
        "_held",
        "_outbox",
        "_session",
        "_transport",
        "_unread",
        "_wire",
    )

    _outbox: Outbox
    _transport: asyncio.Transport

    def __init__(
        self, endpoint: Endpoint, *, config: Config, server_state: ServerState, app_state: dict[str, Any]
    ) -> None:
        del config, app_state
        self._endpoint = endpoint
        self._connections = cast("set[Any]", server_state.connections)
        self._wire = handshake.Wire(endpoint.settings.message_bytes)
        self._assembly = Assembly()
        self._session: Session | None = None

        # From the handshake until the session is opened.
        self._admission: Admission | None = None

        # Code and reason of the end, once it is decided.
        self._ending: tuple[int, str] | None = None

        # Received and not yet handled: frames, and the bytes behind them. While there are any, reading is halted;
        # while the transport has more to write than half an outbox (held), none are handled.
        self._frames: Sequence[Frame] = ()
        self._unread = b""
        self._halted = False
        self._held = False

    # Callbacks of the transport, and of uvicorn

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)
        self._endpoint.pending.join(self, self._peer)
        limit, half = self._endpoint.settings.outbox_bytes, self._endpoint.half_outbox
        self._transport.set_write_buffer_limits(high=half, low=half // 2)
        self._outbox = Outbox(self, self._transport, self._endpoint.flusher, limit)
        self._endpoint.outboxes.add(self._outbox)

    def data_received(self, data: bytes) -> None:
        """Handle what came in, or keep it until there is room for the answers."""
        self._unread = self._unread + data if self._unread else data
        self._work()

    def eof_received(self) -> None:
        """Take note that the client sends nothing more; the transport then closes by itself."""
        self._wire.receive_eof()

    def pause_writing(self) -> None:
        """Handle nothing more: half an outbox waits to be written."""
        self._held = True

    def resume_writing(self) -> None:
        """Go on."""
        self._held = False
        if self._halted:
            self._endpoint.loop.call_soon(self._work)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget everything."""
        self._connections.discard(self)
        self._endpoint.pending.leave(self)
        self._endpoint.outboxes.discard(self._outbox)
        self._endpoint.pulse.forget(self)
        self._endpoint.pulse.closing.stop(self)
        self._outbox.shut()
        if self._ending is None:
            self._ending = (LOST, "connection reset" if exc else "connection lost")
        self._give_up_admission()
        self._leave()
        self._frames, self._unread, self._halted = (), b"", False
        self._wire.parser.close()  # it would hold everything in a cycle

    def shutdown(self) -> None:
        """End the session because the server stops (called by uvicorn)."""
        self.end(CloseCode.RESTART, "the bridge is restarting")

    # From bytes to messages

    def _work(self) -> None:
        """Handle what waits, at most a slice of it, as long as the client takes the answers."""
        if self._frames:
            self._handle_frames()
        if self._unread and not self._frames:
            self._read_slice()
        if self._unread or self._frames:
            self._halt()
        elif self._halted:
            self._halted = False
            self._transport.resume_reading()

    def _halt(self) -> None:
        """Read nothing for now. What the bridge does not read, the client is not late with."""
        if not self._halted:
            self._halted = True
            self._transport.pause_reading()
        self._endpoint.pulse.unfinished.stop(self)
        if not (self._held or self._waits_for_token) or self._ending is not None:
            self._endpoint.loop.call_soon(self._work)

    def _read_slice(self) -> None:
        """Let `websockets` parse bytes, and handle what comes out."""
        piece, self._unread = self._unread, b""
        if len(piece) > SLICE_BYTES:
            piece, self._unread = piece[:SLICE_BYTES], piece[SLICE_BYTES:]
        self._wire.receive_data(piece)
        events: Sequence[Any] = self._wire.events_received()
        if self._session is None and events and self._is_new:
            self._open(events[0])
        else:
            self._frames = events
        self._handle_frames()

    @property
    def _is_new(self) -> bool:
        """Whether the handshake is still to come."""
        return self._session is None and self._admission is None and self._ending is None

    @property
    def _waits_for_token(self) -> bool:
        """Whether a token is being checked."""
        return self._admission is not None and self._admission.checking

    def _handle_frames(self) -> None:
        """Handle the parsed frames. What several of them publish goes out together: nothing else runs meanwhile."""
        if len(self._frames) <= 1:
            self._handle_each()
            return
        self._endpoint.broker.delivery.hold()
        try:
            self._handle_each()
        finally:
            self._endpoint.broker.delivery.release()

    def _handle_each(self) -> None:
        """Handle frame by frame; then send what `websockets` answered to them, which must not overtake."""
        messages = 0
        half = self._endpoint.half_outbox
        for index, frame in enumerate(self._frames):
            if self._ending is not None or (self._session is None and self._is_new):
                break
            if self._held or self._outbox.queued > half or (self._session is None and self._waits_for_token):
                self._frames = self._frames[index:]
                return
            messages += self._handle(frame)
        self._frames = ()
        self._settle(messages)

    def _handle(self, frame: Frame) -> bool:
        """Handle one frame; return whether it completed a message."""
        try:
            if frame.opcode >= _CONTROL:
                self._handle_control(frame)
                return False
            text = self._assembly.add(frame)
            if text is None:
                return False
            if self._session is not None:
                self._endpoint.broker.receive(self._session, text)
            elif self._admission is not None:
                self._admission.take(text)
        except ViolationError as violation:
            self._fail(violation.code, violation.reason)
        except Exception as error:  # noqa: BLE001 whatever it is, it ends this session and no other
            session = self._session
            who = {} if session is None else {"session": session.id, "workspace": session.workspace.name}
            self._endpoint.observer.failed("message", error, **who)
            self._fail(CloseCode.INTERNAL_ERROR, "internal error")
        else:
            return True
        return False

    def _handle_control(self, frame: Frame) -> None:
        self._assembly.count_control(self._endpoint.loop.time())
        if frame.opcode is Opcode.PONG:
            self._endpoint.pulse.awaiting.stop(self)
        elif frame.opcode is Opcode.CLOSE and (received := self._wire.close_rcvd) is not None:
            self._ended(received.code, received.reason)

    def _settle(self, messages: int) -> None:
        """After a slice: see whether it ended the session by a fault of the framing, or in the middle of a message."""
        wire = self._wire
        if self._ending is None:
            if (sent := wire.close_sent) is not None:
                self._ended(sent.code, sent.reason)
            elif wire.between_messages():
                self._endpoint.pulse.unfinished.stop(self)
            else:
                unfinished = self._endpoint.pulse.unfinished
                expect = unfinished.restart if messages else unfinished.start
                expect(self, self._endpoint.loop.time())
        if wire.writes:
            self._send_replies()

    # Beginning

    def _open(self, request: Request) -> None:
        """Answer the upgrade request, and open the session, or wait for its token."""
        client = self._client(request)
        answer = handshake.answer(self._wire, request, self._endpoint, client)
        self._wire.send_response(answer.response)
        if answer.applicant is None:
            self._refused(client.address, answer.response.status_code, answer.refusal)
            self._ended(answer.response.status_code, answer.refusal)
            return
        self._send_replies()
        self._wire.parser.close()
        self._wire = handshake.Wire(self._endpoint.settings.message_bytes, State.OPEN)  # the first keeps the request
        self._admission = Admission(self._endpoint, self, answer.applicant)
        self._endpoint.pulse.opening.start(self, self._endpoint.loop.time())
        self._admission.begin(answer.bearer)

    @property
    def _peer(self) -> str | None:
        """Address of the other end of the connection: of the client, or of a proxy in front of it."""
        peer = self._transport.get_extra_info("peername")
        return peer[0] if peer else None

    def _client(self, request: Request) -> Client:
        tls = self._transport.get_extra_info("ssl_object") is not None
        return self._endpoint.proxies.client(self._peer, request.headers.get_all, tls=tls)

    def go_on(self) -> None:
        """Handle what came while the token was being checked."""
        if self._halted and self._ending is None:
            self._endpoint.loop.call_soon(self._work)

    def enter(self, workspace: str, identity: Identity) -> None:
        """Open the session."""
        try:
            self._session = self._endpoint.broker.open(workspace, identity, self._outbox)
        except RefusedError as refused:
            self._refused(identity.address, refused.code, refused.reason)
            self.end(refused.code, refused.reason)
        except Exception as error:  # noqa: BLE001 whatever it is, it ends this connection and no other
            self._endpoint.observer.failed("open", error, workspace=workspace)
            self.end(CloseCode.INTERNAL_ERROR, "internal error")
        else:
            self._admission = None
            self._endpoint.pulse.opening.stop(self)
            self._endpoint.pending.leave(self)
            self._endpoint.pulse.pings.join(self)
            if identity.grant is not None:
                self._endpoint.observer.signed_in(workspace, identity)

    def _refused(self, address: str | None, status: int, reason: str) -> None:
        self._endpoint.observer.limited("refused", address=address, status=int(status), reason=reason)

    # Ending

    def end(self, code: CloseCode, reason: str) -> None:
        """Close with this code, after what is queued; the client's own close frame is waited for."""
        self._close(code, reason, self._wire.send_close)

    def overflowed(self, size: int) -> None:
        """Close the session of a client that reads too slowly."""
        if (session := self._session) is not None:
            self._endpoint.observer.limited(
                "slow_consumer", session=session.id, workspace=session.workspace.name, queued=size
            )
        self.end(CloseCode.SLOW_CONSUMER, "OUTBOX_BYTES waited to be read; reconnect and recover")

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Close with this code and read nothing more: the client broke a rule (RFC 6455 section 7.1.7)."""
        self._close(code, reason, self._wire.fail)

    def _close(self, code: CloseCode, reason: str, close: Callable[[int, str], None]) -> None:
        if self._ending is None:
            self._ended(code, reason)
            if self._wire.state is State.OPEN:
                close(code, close_reason(reason))
            self._send_replies()

    def _ended(self, code: int, reason: str) -> None:
        """Take no messages any more, in neither direction; the connection has a few seconds for its last bytes."""
        self._ending = (int(code), reason)
        self._give_up_admission()
        self._endpoint.broker.delivery.complete()
        self._outbox.shut()
        self._endpoint.pulse.forget(self)
        self._endpoint.pulse.closing.start(self, self._endpoint.loop.time())
        self._endpoint.loop.call_soon(self._leave)  # not at once: the broker may be in the middle of a delivery
        if self._halted:
            self._endpoint.loop.call_soon(self._work)

    def _give_up_admission(self) -> None:
        admission, self._admission = self._admission, None
        if admission is not None:
            admission.abandon()

    def _leave(self) -> None:
        """Tell the broker, once."""
        session, self._session = self._session, None
        if session is not None and self._ending is not None:
            self._endpoint.broker.close(session, *self._ending)

    def _send_replies(self) -> None:
        """Queue what `websockets` wants to send: answers to control frames, close frames, the end of the stream."""
        for data in self._wire.data_to_send():
            if data:
                self._outbox.put(data)
            else:
                self._finish_writing()

    def _finish_writing(self) -> None:
        """Send FIN and read on: closing at once would reset a client that still sends, and eat the close frame."""
        self._endpoint.pulse.closing.start(self, self._endpoint.loop.time())
        self._outbox.flush()
        if self._transport.can_write_eof():
            self._transport.write_eof()
        else:  # TLS
            self._transport.close()

    # Deadlines, called by the pulse

    def ping_due(self) -> None:
        """Send a ping."""
        self._outbox.put(PING)

    def pong_missed(self) -> None:
        """Cut a connection that is open on one side only."""
        self._ending = (LOST, "no pong within PONG_SECONDS")
        self.cut()

    def opening_overdue(self) -> None:
        """Close with 4408."""
        if self._admission is not None:
            self._admission.overdue()

    def message_overdue(self) -> None:
        """Close with 1008."""
        self._fail(CloseCode.POLICY, "a message was not finished within OPEN_SECONDS")

    def cut(self) -> None:
        """End the connection without further ado."""
        self._transport.abort()
