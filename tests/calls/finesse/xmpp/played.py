"""A notification service played by a test: what a good server says at each step, unless the test says otherwise."""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from bridge.calls.finesse.xml import Element, StreamOpened, StreamParser
from bridge.calls.finesse.xmpp import Endpoint, Timing, XmppConnection, connect
from bridge.calls.finesse.xmpp.framing import Framing, TcpFraming, WebSocketFraming
from bridge.calls.finesse.xmpp.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from bridge.finesse_simulator.certificates import Certificates
    from bridge.finesse_simulator.prosody import Prosody

    Then = Callable[[Callable[[str], Awaitable[None]]], Awaitable[None]]

Wire = Literal["tcp", "websocket"]
WIRES: Final[tuple[Wire, Wire]] = ("tcp", "websocket")

LIMIT: Final = 10.0
"""Seconds after which a test that waits is wrong."""

PASSWORD: Final = "correct horse, \u00e4nd so on"
DOMAIN: Final = "localhost"
JID: Final = "1001001@localhost/bridge"

STREAMS: Final = "xmlns:stream='http://etherx.jabber.org/streams'"
SASL: Final = "xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
STREAM_ERRORS: Final = "xmlns='urn:ietf:params:xml:ns:xmpp-streams'"
STANZA_ERRORS: Final = "xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'"
CLIENT: Final = "xmlns='jabber:client'"

OPEN: Final[Mapping[Wire, str]] = {
    "tcp": f"<?xml version='1.0'?><stream:stream {CLIENT} {STREAMS} version='1.0' from='localhost' id='1'>",
    "websocket": "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' version='1.0' from='localhost' id='1'/>",
}
CLOSE: Final[Mapping[Wire, str]] = {
    "tcp": "</stream:stream>",
    "websocket": "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>",
}

STEPS: Final = ("open", "mechanisms", "success", "open again", "features", "bound", "session")
"""What a server says, in order, until a client is ready."""


def stream_error(condition: str) -> str:
    return f"<stream:error {STREAMS} {CLIENT}><{condition} {STREAM_ERRORS}/></stream:error>"


def message(text: str = "hello", *, namespace: str = "jabber:client") -> str:
    return f"<message xmlns='{namespace}' from='pubsub.localhost' to='{JID}'><body>{text}</body></message>"


def good_answers(wire: Wire) -> dict[str, str]:
    return {
        "open": OPEN[wire],
        "mechanisms": f"<stream:features {STREAMS}><mechanisms {SASL}><mechanism>SCRAM-SHA-1</mechanism>"
        "<mechanism>PLAIN</mechanism></mechanisms></stream:features>",
        "success": f"<success {SASL}/>",
        "open again": OPEN[wire],
        "features": f"<stream:features {STREAMS}><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
        "<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/></stream:features>",
        "bound": f"<iq {CLIENT} type='result' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
        f"<jid>{JID}</jid></bind></iq>",
        "session": f"<iq {CLIENT} type='result' id='session'/>",
    }


class Played:
    """Answers what a client says, as ``good_answers`` does but for ``changes``, until the step ``silent_from``."""

    def __init__(self, wire: Wire, changes: Mapping[str, str] | None = None, *, silent_from: str | None = None) -> None:
        self.heard: list[str] = []
        self.stopped = asyncio.Event()
        self.present = asyncio.Event()
        self._answers = good_answers(wire) | dict(changes or {})
        self._openings = 0
        self._silent_from = silent_from

    def answers(self, text: str) -> list[str]:
        """What to say to one thing that a client sent."""
        self.heard.append(text)
        said: list[str] = []
        for step in self._steps(text):
            if step == self._silent_from:
                self.stopped.set()
                self._silent_from = step
                return said
            said.append(self._answers[step])
        return said

    def _steps(self, text: str) -> tuple[str, ...]:
        if text.startswith(("<?xml", "<open")):
            self._openings += 1
            return ("open", "mechanisms") if self._openings == 1 else ("open again", "features")
        if text.startswith("<auth"):
            return ("success",)
        if "<bind" in text:
            return ("bound",)
        if "<session" in text:
            return ("session",)
        if text.startswith("<presence"):
            self.present.set()
        return ()


def framing(wire: Wire) -> Framing:
    return TcpFraming() if wire == "tcp" else WebSocketFraming()


def new_stream(wire: Wire, *, password: str = PASSWORD, username: str = "1001001", resource: str = "bridge") -> Stream:
    return Stream(framing(wire), username=username, domain=DOMAIN, secret=SecretStr(password), resource=resource)


def negotiate(
    stream: Stream, played: Played, *, cut: Callable[[str], list[str] | list[bytes]] = lambda text: [text]
) -> list[Element]:
    """Bring a stream and a played server together without sockets; ``cut`` says in which pieces answers arrive."""
    stanzas = []
    stream.begin()
    while (text := stream.next_outgoing()) is not None:
        for answer in played.answers(text):
            for piece in cut(answer):
                stanzas += stream.feed(piece)
    return stanzas


def sent(stream: Stream) -> list[str]:
    """Everything that waits to be sent."""
    texts = []
    while (text := stream.next_outgoing()) is not None:
        texts.append(text)
    return texts


async def _talk(
    part: Played, hear: Callable[[], Awaitable[str]], say: Callable[[str], Awaitable[None]], then: Then | None
) -> None:
    with suppress(ConnectionClosed, OSError):
        while text := await hear():
            for each in filter(None, re.split(r"(?=<iq |<presence)", text)):
                for answer in part.answers(each):
                    await say(answer)
                if each.endswith("</stream:stream>"):
                    return
                if then is not None and each.startswith("<presence") and "unavailable" not in each:
                    await then(say)


def server_tls(certificates: Certificates) -> ssl.SSLContext:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.certificate, certificates.key)
    return tls


@asynccontextmanager
async def played_server(
    wire: Wire, certificates: Certificates, played: Played, *, then: Then | None = None, one_byte: bool = False
) -> AsyncIterator[Endpoint]:
    """Play a server on a real socket; ``then`` goes on when the client has announced presence."""
    opened = _over_tcp if wire == "tcp" else _over_websocket
    async with opened(server_tls(certificates), played, then, one_byte=one_byte) as endpoint:
        yield endpoint


@asynccontextmanager
async def _over_tcp(
    tls: ssl.SSLContext, played: Played, then: Then | None, *, one_byte: bool
) -> AsyncIterator[Endpoint]:
    async def on_connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def hear() -> str:
            return (await reader.read(65_536)).decode()

        async def say(text: str) -> None:
            data = text.encode()
            for piece in (data[i : i + 1] for i in range(len(data))) if one_byte else (data,):
                writer.write(piece)
                await writer.drain()

        try:
            await _talk(played, hear, say, then)
        finally:
            writer.transport.abort()

    async with await asyncio.start_server(on_connection, "127.0.0.1", 0, ssl=tls) as server:
        yield Endpoint(f"xmpps://localhost:{server.sockets[0].getsockname()[1]}")


@asynccontextmanager
async def _over_websocket(
    tls: ssl.SSLContext, played: Played, then: Then | None, *, one_byte: bool
) -> AsyncIterator[Endpoint]:
    async def on_connection(socket: ServerConnection) -> None:
        async def hear() -> str:
            return str(await socket.recv())

        async def say(text: str) -> None:
            await socket.send([*text] if one_byte else text)  # a list: each character a frame of its own

        await _talk(played, hear, say, then)

    async with serve(
        on_connection, "127.0.0.1", 0, ssl=tls, subprotocols=[Subprotocol("xmpp")], ping_interval=None, close_timeout=1
    ) as server:
        yield Endpoint(f"wss://localhost:{next(iter(server.sockets)).getsockname()[1]}/ws/")


class Client:
    """Connects as an agent would, by default ``1001001`` of Prosody."""

    def __init__(self, certificates: Certificates, prosody: Prosody | None = None) -> None:
        self.tls = ssl.create_default_context(cafile=str(certificates.ca_file))
        self._prosody = prosody

    def endpoint(self, wire: Wire) -> Endpoint:
        assert self._prosody is not None
        return Endpoint(self._prosody.tcp_url if wire == "tcp" else self._prosody.websocket_url)

    async def __call__(
        self,
        to: Endpoint,
        *,
        username: str = "1001001",
        password: str = PASSWORD,
        resource: str = "bridge",
        timing: Timing | None = None,
    ) -> XmppConnection:
        return await connect(
            to,
            username=username,
            domain=DOMAIN,
            secret=SecretStr(password),
            resource=resource,
            tls=self.tls,
            timing=timing or Timing(connect=LIMIT, close=LIMIT),
        )


class Component:
    """``pubsub.localhost`` (XEP-0114), as much of it as is needed to send messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    @asynccontextmanager
    async def of(cls, prosody: Prosody) -> AsyncIterator[Component]:
        reader, writer = await asyncio.open_connection("127.0.0.1", prosody.component_port)
        self = cls(reader, writer)
        try:
            self.send(f"<stream:stream xmlns='jabber:component:accept' {STREAMS} to='{prosody.component_domain}'>")
            parser = StreamParser()
            opened = await self._next(parser)
            assert isinstance(opened, StreamOpened)
            proof = hashlib.sha1(f"{opened.attributes['id']}{prosody.component_secret}".encode()).hexdigest()  # noqa: S324  # XEP-0114's choice
            self.send(f"<handshake>{proof}</handshake>")
            accepted = await self._next(parser)
            assert isinstance(accepted, Element)
            assert accepted.name == "handshake"
            yield self
        finally:
            writer.close()
            await writer.wait_closed()

    def send(self, text: str) -> None:
        self._writer.write(text.encode())

    async def _next(self, parser: StreamParser) -> object:
        while True:
            data = await asyncio.wait_for(self._reader.read(4096), LIMIT)
            assert data, "Prosody turned the component away"
            if events := parser.feed(data):
                return events[0]


def open_sockets() -> set[str]:
    """The sockets of this process."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.add(str(descriptor.readlink()))
    return {name for name in found if name.startswith("socket:")}


@asynccontextmanager
async def nothing_left() -> AsyncIterator[None]:
    """Check that what runs inside leaves neither a socket nor a task behind."""
    sockets, tasks = open_sockets(), asyncio.all_tasks()
    yield

    def left() -> set[object]:
        running = asyncio.all_tasks() - tasks - {asyncio.current_task()}
        return {*(open_sockets() - sockets), *running}

    try:
        async with asyncio.timeout(LIMIT):
            while left():  # noqa: ASYNC110  # nobody is told when a socket is closed
                await asyncio.sleep(0)
    except TimeoutError:
        raise AssertionError(left()) from None


async def first_message(connection: XmppConnection) -> Element:
    """The next message, whatever presences come before."""
    async with asyncio.timeout(LIMIT):
        async for stanza in connection:
            if stanza.name == "message":
                return stanza
    raise AssertionError("it ended")


async def end_of(connection: XmppConnection) -> Exception:
    """What ends a connection."""
    try:
        async with asyncio.timeout(LIMIT):
            async for _ in connection:
                pass
    except TimeoutError:
        raise
    except Exception as error:  # noqa: BLE001  # whichever it is: this is what is asked for
        return error
    return StopAsyncIteration()
