"""The opening handshake: from an HTTP request to a session's identity, or to an HTTP refusal.

`websockets` checks what RFC 6455 asks for; here stands what this bridge asks for beside that. Texts of `websockets`
that could quote a header reach neither the client nor the log, because a subprotocol may carry a token.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

from websockets.datastructures import MultipleValuesError
from websockets.exceptions import InvalidHeader, NegotiationError
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.streams import StreamReader
from websockets.typing import Subprotocol

from bridge.protocol.control import SUBPROTOCOL
from bridge.server import bearer, hosts, origins
from bridge.server.opening import Applicant, read_opening

if TYPE_CHECKING:
    from collections.abc import Sequence

    from websockets.datastructures import Headers
    from websockets.http11 import Request, Response

    from bridge.server.endpoint import Endpoint
    from bridge.server.opening import Opening
    from bridge.server.proxies import Client

PATH = "/ws"

_logger = logging.getLogger("bridge.server.websockets")
_logger.setLevel(logging.ERROR)  # what it says of each connection would be said twice, and costs time


_at_eof = StreamReader.at_eof.__code__


class Wire(ServerProtocol):
    """RFC 6455 by `websockets`, with this protocol's rule for subprotocols and no extensions.

    Attributes:
        bearer: Tokens that were offered beside the subprotocol; never selected.
    """

    def __init__(self, message_bytes: int, state: State = State.CONNECTING) -> None:
        super().__init__(max_size=message_bytes, state=state, logger=_logger)
        self.bearer: tuple[str, ...] = ()

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Select this protocol; who offers none is served as if he had.

        Raises:
            NegotiationError: Only others are offered.
        """
        if not subprotocols:
            return None
        self.bearer = bearer.of_subprotocols(subprotocols)
        if SUBPROTOCOL in subprotocols:
            return Subprotocol(SUBPROTOCOL)
        raise NegotiationError(f"offer the subprotocol {SUBPROTOCOL}")

    def between_messages(self) -> bool:
        """Whether no frame and no message is begun.

        The parser waits for the end of the stream only between frames; there is no public word for that.
        """
        parser: Any = self.parser  # a generator, by generators
        while (inner := parser.gi_yieldfrom) is not None:
            parser = inner
        return self.current_size is None and (parser.gi_code is _at_eof or parser is self.parser)


class Answer(NamedTuple):
    """What to send back; and if the connection is upgraded who wants a session, and the tokens that were offered."""

    response: Response
    applicant: Applicant | None = None
    bearer: tuple[str, ...] = ()
    refusal: str = ""


class RefusedUpgradeError(Exception):
    """The request gets an HTTP answer instead of an upgrade."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def answer(wire: Wire, request: Request, endpoint: Endpoint, client: Client) -> Answer:
    """Decide on an upgrade request."""
    try:
        origin = _check_place(request, endpoint, client.scheme)
        opening = _read_opening(request)
    except RefusedUpgradeError as refused:
        return Answer(wire.reject(refused.status, refused.reason + "\n"), refusal=refused.reason)
    response = wire.accept(request)
    if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        return Answer(response, Applicant(opening, client.address, origin, client.secure), wire.bearer)
    reason = _reason(wire.handshake_exc)
    response.body = (reason + "\n").encode()
    response.headers["Content-Length"] = str(len(response.body))
    return Answer(response, refusal=reason)


def _check_place(request: Request, endpoint: Endpoint, scheme: str) -> str | None:
    """Check path, Host and Origin; return the origin."""
    path = request.path.partition("?")[0]
    names = request.headers.get_all("Host")
    refused = hosts.refusal(names, path, authentication=endpoint.tokens is not None)
    if refused is not None:
        raise RefusedUpgradeError(*refused)
    if path != PATH:
        raise RefusedUpgradeError(HTTPStatus.NOT_FOUND, f"sessions are opened at {PATH}")
    origin = _single_origin(request.headers)
    if not endpoint.origins.allow(origin, scheme, names[0]):
        raise RefusedUpgradeError(HTTPStatus.FORBIDDEN, origins.REFUSAL)
    return origin


def _single_origin(headers: Headers) -> str | None:
    try:
        return headers.get("Origin")
    except MultipleValuesError:
        raise RefusedUpgradeError(HTTPStatus.BAD_REQUEST, "more than one Origin header") from None


def _read_opening(request: Request) -> Opening:
    try:
        return read_opening(request.path.partition("?")[2])
    except ValueError as error:
        raise RefusedUpgradeError(HTTPStatus.BAD_REQUEST, str(error)) from None


def _reason(error: Exception | None) -> str:
    """Say what was wrong with a handshake, without quoting it."""
    if isinstance(error, InvalidHeader):
        return f"not a WebSocket handshake: {error.name} is missing or wrong"
    if isinstance(error, NegotiationError):
        return str(error)
    return "not a WebSocket handshake"
