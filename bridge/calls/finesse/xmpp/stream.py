"""A client's side of an XMPP stream, without I/O: what arrives goes in, what is to be sent and what matters come out.

It opens the stream, signs in with SASL PLAIN (RFC 4616), opens it anew, binds a resource and announces presence
(RFC 6120 sections 4, 6 and 7; RFC 6121 section 4.2). Then it passes messages and presences on and answers each request
(``<iq/>``): a ping with a result (XEP-0199), any other with ``service-unavailable`` (RFC 6120 section 8.4).

Whatever a server sends, ``feed`` raises nothing. ``ended`` says that the stream is over and why.
"""

from __future__ import annotations

import base64
import re
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NoReturn

from bridge.calls.finesse.xml import XmlError, element
from bridge.calls.finesse.xmpp.errors import XmppConflict, XmppError, XmppLost, XmppRefused
from bridge.calls.finesse.xmpp.framing import CLIENT, STREAMS, Closed, Opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import SecretStr

    from bridge.calls.finesse.xml import Element
    from bridge.calls.finesse.xmpp.framing import Framing, Part

SASL: Final = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND: Final = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION: Final = "urn:ietf:params:xml:ns:xmpp-session"
STREAM_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-streams"
STANZA_ERRORS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
PING: Final = "urn:xmpp:ping"

RESERVED_RESOURCE: Final = "desktop"
"""Finesse's own desktop connects with it (Finesse developer guide, "Cisco Finesse Notifications")."""

_BIND_ID: Final = "bind"
_SESSION_ID: Final = "session"
_CONDITION: Final = re.compile(r"[a-z][a-z-]{0,63}")


class _Stage(Enum):
    """What the server is to say next."""

    OPENING = auto()
    MECHANISMS = auto()
    SIGNING_IN = auto()
    REOPENING = auto()
    FEATURES = auto()
    BINDING = auto()
    SESSION = auto()
    READY = auto()


class Stream:
    """One stream from its first byte on. ``jid`` is ours, once ``ready``.

    Raises:
        XmppRefused: These credentials cannot be put into SASL PLAIN; no server needs to be asked.
        ValueError: The resource is empty, or reserved by Finesse.
    """

    __slots__ = (
        "_domain",
        "_framing",
        "_needs_session",
        "_outgoing",
        "_ping",
        "_pings",
        "_resource",
        "_secret",
        "_stage",
        "_username",
        "ended",
        "jid",
    )

    def __init__(self, framing: Framing, *, username: str, domain: str, secret: SecretStr, resource: str) -> None:
        if not resource or resource == RESERVED_RESOURCE:
            raise ValueError(f"a resource is required, and it cannot be {RESERVED_RESOURCE!r}")
        if not _fits_plain(username) or not _fits_plain(secret.get_secret_value()):
            raise XmppRefused("malformed-request")
        self.jid = ""
        self.ended: XmppError | None = None
        self._framing = framing
        self._username = username
        self._domain = domain
        self._secret: SecretStr | None = secret
        self._resource = resource
        self._needs_session = False
        self._stage = _Stage.OPENING
        self._outgoing: deque[str] = deque()

        # How many pings were sent, and the id of the one that is not answered.
        self._pings = 0
        self._ping: str | None = None

    @property
    def ready(self) -> bool:
        """Whether presence has been announced, so that notifications come."""
        return self._stage is _Stage.READY

    @property
    def pinging(self) -> bool:
        """Whether a ping has not been answered."""
        return self._ping is not None

    @property
    def has_outgoing(self) -> bool:
        """Whether there is anything to send."""
        return bool(self._outgoing)

    def begin(self) -> None:
        """Open the stream."""
        self._outgoing.append(self._framing.opening(self._domain))

    def ping(self) -> None:
        """Ask the server whether it is there."""
        self._pings += 1
        self._ping = f"ping-{self._pings}"
        self._send_iq("get", self._ping, element("ping", namespace=PING), to=self._domain)

    def goodbye(self) -> None:
        """Take leave: presence first, so that others see it even where the server is slow to notice the end."""
        if self.ready:
            self._outgoing.append(element("presence", namespace=CLIENT, type="unavailable"))
        self._outgoing.append(self._framing.closing())

    def next_outgoing(self) -> str | None:
        """Take what is to be sent next: over WebSocket a message each; ``None`` when there is nothing."""
        return self._outgoing.popleft() if self._outgoing else None

    def feed(self, data: str | bytes) -> list[Element]:
        """Take what has arrived: a message from a WebSocket, any piece from TCP. Return its messages and presences."""
        stanzas: list[Element] = []
        if self.ended is None:
            try:
                for part in self._framing.read(data):
                    self._take(part, stanzas)
            except XmlError as error:
                self.ended = XmppLost(f"the server sent what cannot be read: {error}")
            except XmppError as error:
                self.ended = error
        return stanzas

    def _take(self, part: Part, stanzas: list[Element]) -> None:
        if isinstance(part, Closed):
            raise XmppLost("the server closed the stream" + (" and named another address" * part.elsewhere))
        if isinstance(part, Opened):
            self._opened(part)
            return
        namespace = part.namespace or CLIENT  # over WebSocket some servers leave it out
        if (part.name, namespace) == ("error", STREAMS):
            _raise_stream_error(part)
        if self._stage is _Stage.READY:
            self._stanza(part, namespace, stanzas)
            return
        step = _STEPS.get((self._stage, part.name, namespace))
        if step is None:
            raise XmppLost(f"the server spoke out of turn, in step {self._stage.name}")
        step(self, part)

    def _opened(self, opened: Opened) -> None:
        if self._stage not in {_Stage.OPENING, _Stage.REOPENING}:
            raise XmppLost("the server opened the stream twice")
        if opened.version != "1.0":
            raise XmppLost("the server does not speak XMPP 1.0")
        self._stage = _Stage.MECHANISMS if self._stage is _Stage.OPENING else _Stage.FEATURES

    def _sign_in(self, features: Element) -> None:
        mechanisms = _child(features, "mechanisms", SASL)
        offered = {each.text.strip() for each in mechanisms.named("mechanism")} if mechanisms is not None else set()
        if "PLAIN" not in offered or self._secret is None:
            raise XmppLost("the server does not offer SASL PLAIN")
        initial = base64.b64encode(f"\0{self._username}\0{self._secret.get_secret_value()}".encode()).decode("ascii")
        self._secret = None
        self._outgoing.append(element("auth", initial, namespace=SASL, mechanism="PLAIN"))
        self._stage = _Stage.SIGNING_IN

    def _signed_in(self, _success: Element) -> None:
        self._outgoing.append(self._framing.opening(self._domain))
        self._stage = _Stage.REOPENING

    def _refused(self, failure: Element) -> None:
        raise XmppRefused(_condition(failure, SASL))

    def _bind(self, features: Element) -> None:
        if _child(features, "bind", BIND) is None:
            raise XmppLost("the server does not offer to bind a resource")
        # RFC 6120 knows no session. A server that speaks to older clients too offers one and says that it is optional.
        session = _child(features, "session", SESSION)
        self._needs_session = session is not None and session.child("optional") is None
        self._send_iq("set", _BIND_ID, element("bind", element("resource", self._resource), namespace=BIND))
        self._stage = _Stage.BINDING

    def _bound(self, answer: Element) -> None:
        bind = _child(_result(answer, _BIND_ID, "to bind the resource"), "bind", BIND)
        self.jid = bind.value("jid") if bind is not None else ""
        if not self.jid:
            raise XmppLost("the server bound a resource and did not say which")
        if self._needs_session:
            self._send_iq("set", _SESSION_ID, element("session", namespace=SESSION))
            self._stage = _Stage.SESSION
        else:
            self._announce()

    def _in_session(self, answer: Element) -> None:
        _result(answer, _SESSION_ID, "to begin a session")
        self._announce()

    def _announce(self) -> None:
        """Announce presence: priority 0, without which no notification comes."""
        self._outgoing.append(element("presence", namespace=CLIENT))
        self._stage = _Stage.READY

    def _stanza(self, stanza: Element, namespace: str, stanzas: list[Element]) -> None:
        if namespace != CLIENT:
            return
        if stanza.name in {"message", "presence"}:
            stanzas.append(stanza)
        elif stanza.name == "iq":
            self._answer(stanza)

    def _answer(self, iq: Element) -> None:
        request = iq.attributes.get("id", "")
        sender = iq.attributes.get("from")
        match iq.attributes.get("type"):
            case "result" | "error" if request == self._ping:
                self._ping = None  # also an error is a sign of life (XEP-0199 section 4.2)
            case "get" if _child(iq, "ping", PING) is not None:
                self._send_iq("result", request, to=sender)
            case "get" | "set":
                condition = element("service-unavailable", namespace=STANZA_ERRORS)
                self._send_iq("error", request, element("error", condition, type="cancel"), to=sender)

    def _send_iq(self, kind: str, request: str, *content: str, to: str | None = None) -> None:
        self._outgoing.append(element("iq", *content, namespace=CLIENT, type=kind, id=request, to=to))


_STEPS: Final[dict[tuple[_Stage, str, str], Callable[[Stream, Element], None]]] = {
    (_Stage.MECHANISMS, "features", STREAMS): Stream._sign_in,  # noqa: SLF001  # its own table
    (_Stage.SIGNING_IN, "success", SASL): Stream._signed_in,  # noqa: SLF001
    (_Stage.SIGNING_IN, "failure", SASL): Stream._refused,  # noqa: SLF001
    (_Stage.FEATURES, "features", STREAMS): Stream._bind,  # noqa: SLF001
    (_Stage.BINDING, "iq", CLIENT): Stream._bound,  # noqa: SLF001
    (_Stage.SESSION, "iq", CLIENT): Stream._in_session,  # noqa: SLF001
}


def _fits_plain(part: str) -> bool:
    """Say whether a name or password can be in a message of SASL PLAIN (RFC 4616 section 2)."""
    try:
        part.encode()
    except UnicodeEncodeError:
        return False
    return part != "" and "\0" not in part


def _child(parent: Element, name: str, namespace: str) -> Element | None:
    return next((each for each in parent.named(name) if each.namespace == namespace), None)


def _condition(error: Element, namespace: str) -> str:
    """Name an error's defined condition, which is the name of a child."""
    conditions = (each.name for each in error.children if each.namespace == namespace and each.name != "text")
    condition = next(conditions, "")
    return condition if _CONDITION.fullmatch(condition) else "undefined-condition"


def _result(answer: Element, request: str, purpose: str) -> Element:
    """Return the answer to one of our requests if it is no error."""
    if answer.attributes.get("id") != request:
        raise XmppLost(f"the server answered something else when asked {purpose}")
    if answer.attributes.get("type") != "result":
        error = answer.child("error")
        condition = _condition(error, STANZA_ERRORS) if error is not None else "undefined-condition"
        if condition == "conflict":
            raise XmppConflict("another session has this resource")
        raise XmppLost(f"the server refused {purpose}: {condition}")
    return answer


def _raise_stream_error(error: Element) -> NoReturn:
    condition = _condition(error, STREAM_ERRORS)
    if condition == "conflict":
        raise XmppConflict("another session has taken this resource")
    raise XmppLost(f"the server ended the stream: {condition}")
