"""How XMPP's streams look on the wire: one long document over TCP, a document in each message over WebSocket."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from bridge.calls.finesse.xml import Element, Limits, StreamOpened, StreamParser, XmlError, element, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENT: Final = "jabber:client"
STREAMS: Final = "http://etherx.jabber.org/streams"
FRAMES: Final = "urn:ietf:params:xml:ns:xmpp-framing"

LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Opened:
    """The server has opened its side of the stream; ``version`` is XMPP's, empty where it says none."""

    version: str


@dataclass(frozen=True, slots=True)
class Closed:
    """The server has closed its side; ``elsewhere`` where it names another address to go to."""

    elsewhere: bool = False


Part: TypeAlias = Opened | Element | Closed


class Framing(Protocol):
    """How a stream begins and ends, and how its parts are told apart. Reading raises ``XmlError`` and nothing else."""

    def opening(self, domain: str) -> str:
        """Write what opens our side; what is read from now on belongs to a new stream."""

    def closing(self) -> str:
        """Write what closes our side."""

    def read(self, data: str | bytes) -> Sequence[Part]:
        """Read what has arrived."""


class TcpFraming:
    """RFC 6120 section 4: one XML document each way, its root ``<stream:stream>``."""

    __slots__ = ("_limits", "_parser")

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits
        self._parser = StreamParser(limits)

    def opening(self, domain: str) -> str:
        """Write the root's start tag."""
        self._parser = StreamParser(self._limits)
        attributes = {"xmlns:stream": STREAMS, "to": domain, "version": "1.0", "xml:lang": "en"}
        root = element("stream:stream", namespace=CLIENT, **attributes)
        return f"<?xml version='1.0'?>{root.removesuffix('/>')}>"

    def closing(self) -> str:
        """Write the root's end tag."""
        return "</stream:stream>"

    def read(self, data: str | bytes) -> Sequence[Part]:
        """Read bytes, in whatever pieces they came."""
        return [self._part(event) for event in self._parser.feed(data.encode() if isinstance(data, str) else data)]

    @staticmethod
    def _part(event: object) -> Part:
        if isinstance(event, Element):
            return event
        if isinstance(event, StreamOpened):
            if (event.name, event.namespace) != ("stream", STREAMS):
                raise XmlError("the document is no XMPP stream")
            return Opened(event.attributes.get("version", ""))
        return Closed()


class WebSocketFraming:
    """RFC 7395 section 3: a message is one whole element; ``<open/>`` and ``<close/>`` stand for the root's tags."""

    __slots__ = ("_limits",)

    def __init__(self, limits: Limits = LIMITS) -> None:
        self._limits = limits

    def opening(self, domain: str) -> str:
        """Write ``<open/>``."""
        return element("open", namespace=FRAMES, **{"to": domain, "version": "1.0", "xml:lang": "en"})

    def closing(self) -> str:
        """Write ``<close/>``."""
        return element("close", namespace=FRAMES)

    def read(self, data: str | bytes) -> Sequence[Part]:
        """Read one message."""
        if isinstance(data, bytes):
            raise XmlError("a binary message (RFC 7395 section 3.2)")
        if not data or data.isspace():
            return ()  # what keeps a TCP stream alive; here it has no place (section 3.8) and does no harm
        whole = parse(data, self._limits)
        if whole.namespace != FRAMES:
            return (whole,)
        match whole.name:
            case "open":
                return (Opened(whole.attributes.get("version", "")),)
            case "close":
                return (Closed(elsewhere="see-other-uri" in whole.attributes),)
        raise XmlError("a frame that RFC 7395 does not know")
