"""Finesse's REST API over HTTPS (Finesse REST developer guide, "Requests", "Responses" and "API errors").

What a request may have done decides what is told of it:

* ``Unreachable``: it was not sent. Whoever asked may ask again, here or at the other node.
* ``Refused``: Finesse answered that it will not.
* ``Unanswered``: it was sent, at least in part, and no answer came. Finesse may act on it, so a PUT or POST is never
  sent again. Where that matters, events and a fresh read tell what became of it.

Only a GET, which changes nothing, is sent once more, when its connection was lost: servers close idle connections, and
now and then do so in the moment of a request. After a refusal nothing is repeated: five wrong passwords block an
account.

Credentials go into the one request they belong to. Cookies are not kept: ``JSESSIONID`` stands for an agent, and all
agents share these connections.
"""

from __future__ import annotations

import asyncio
import http.cookiejar
import os
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

import httpx

from bridge import __version__
from bridge.calls.adapter import Failure
from bridge.calls.finesse.bodies import API, dialogs_path, user_path
from bridge.calls.finesse.dialogs import read_dialogs
from bridge.calls.finesse.failures import AUTHORIZATION_FAILURE, read_error_body
from bridge.calls.finesse.system import read_system_info
from bridge.calls.finesse.users import read_user
from bridge.calls.finesse.xml import Limits, XmlError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from typing import Any

    import httpcore

    from bridge.calls.finesse.bodies import Outgoing
    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.finesse.system import SystemInfo
    from bridge.calls.finesse.xml import Element
    from bridge.calls.model import Agent, Call

T = TypeVar("T")

ANSWER_BYTES = Limits().bytes
"""More than this is not read of an answer."""

CONNECTIONS = 10
"""Finesse answers in milliseconds, so these serve hundreds of agents. The pool looks at each for each request."""

KEEPALIVE_SECONDS = 15.0
"""Idle connections are closed before Finesse's Tomcat does so, which is after 20 s."""

_NOT_ABOUT_CREDENTIALS = frozenset({"Invalid State", "Invalid Authorization User Specified"})
"""Refusals with status 401 that the guide documents although the credentials are right."""

_REASONS: dict[type[httpx.TransportError], str] = {
    httpx.PoolTimeout: "all connections are in use",
    httpx.ConnectTimeout: "no connection in time",
    httpx.LocalProtocolError: "it is nothing that HTTP can carry",
}
_NOT_SENT: tuple[type[httpx.TransportError], ...] = (httpx.ConnectError, *_REASONS)

_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's codes: self-signed, itself or at the chain's end, and issuer not found (``X509_V_ERR_…``)."""

_CA_HINT = "; FINESSE_CA_FILE names the certificates of authorities to trust"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a Bearer token may look like (RFC 6750 section 2.1)."""

_NO_TOKEN = Failure(AUTHORIZATION_FAILURE, "the access token has a character that no access token can have")


class Refused(Exception):  # noqa: N818 reads as what is the case
    """Finesse answered and said no.

    ``credentials_refused`` means that these credentials must not be used again; ``out_of_service`` that this node
    cannot act for anybody now.
    """

    def __init__(self, failure: Failure, status: int) -> None:
        super().__init__(f"HTTP {status} {failure.error_type}: {failure.message}")
        self.failure = failure
        self.status = status
        self.credentials_refused = (
            status == httpx.codes.UNAUTHORIZED and failure.error_type not in _NOT_ABOUT_CREDENTIALS
        )
        self.out_of_service = status == httpx.codes.SERVICE_UNAVAILABLE


class Unreachable(Exception):  # noqa: N818 reads as what is the case
    """No connection was made, nothing was sent; the text says why."""


class Unanswered(Exception):  # noqa: N818 reads as what is the case
    """The request was sent, and no answer came that can be understood: it may have been acted upon."""


class _ConnectionLost(Unanswered):
    """The connection ended before the answer did."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    """Empty where it was too long, too slow or cut off."""


def make_client(
    ssl_context: ssl.SSLContext,
    *,
    connect_seconds: float = 3.0,
    answer_seconds: float = 5.0,
    connections: int = CONNECTIONS,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
) -> httpx.AsyncClient:
    """Make the pool of connections that all agents share.

    Args:
        ssl_context: What certificates are trusted.
        connect_seconds: How long making a connection may take, and waiting for a free one.
        answer_seconds: How long an answer may take to begin, and after that to be complete.
        connections: At most so many at once.
        keepalive_seconds: How long an idle connection is kept.
    """
    return httpx.AsyncClient(
        verify=ssl_context,
        timeout=httpx.Timeout(connect=connect_seconds, pool=connect_seconds, write=answer_seconds, read=answer_seconds),
        limits=httpx.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=keepalive_seconds
        ),
        headers={
            "User-Agent": f"workspace-bridge/{__version__}",
            "Accept": "application/xml",
            "Accept-Encoding": "identity",  # no answer can be larger than it looks
        },
        cookies=_NoCookies(),
        follow_redirects=False,
        trust_env=False,
    )


class FinesseRest:
    """One Finesse node's REST API; ``client`` is made by ``make_client`` and may be shared by nodes."""

    def __init__(self, base_url: str, client: httpx.AsyncClient) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("the address of a Finesse node is https://host:port: passwords travel over TLS only")
        self._origin = f"https://{parts.netloc.rpartition('@')[2]}"
        self._client = client

    async def system_info(self) -> SystemInfo:
        """Ask what the node tells of itself, without credentials.

        Raises:
            Refused: It is no Finesse, or none that serves.
            Unreachable: The node cannot be reached.
            Unanswered: No answer came, or none that can be read.
        """
        return await self._get(f"{API}/SystemInfo", None, read_system_info)

    async def user(self, credentials: Credentials) -> Agent:
        """Read the agent's state. Raises as ``system_info`` does."""
        return await self._get(user_path(credentials.username), credentials, read_user)

    async def dialogs(self, credentials: Credentials) -> tuple[Call, ...]:
        """Read the agent's calls. Raises as ``system_info`` does."""
        return await self._get(dialogs_path(credentials.username), credentials, read_dialogs)

    async def send(self, outgoing: Outgoing, credentials: Credentials, request_id: str) -> None:
        """Send a request to act, once. A return says that Finesse has accepted it, not that it is done.

        Raises:
            Refused: Finesse will not.
            Unreachable: Nothing was sent.
            Unanswered: Finesse may act on it or not.
        """
        headers = {"Content-Type": "application/xml", "requestId": request_id}
        answer = await self._exchange(outgoing.method, outgoing.path, credentials, headers, outgoing.body)
        _raise_for(answer)

    async def _get(self, path: str, credentials: Credentials | None, read: Callable[[Element], T]) -> T:
        try:
            answer = await self._exchange("GET", path, credentials)
        except _ConnectionLost:
            answer = None
        if answer is None:
            answer = await self._exchange("GET", path, credentials)
        _raise_for(answer)
        try:
            return read(parse(answer.body))
        except XmlError as error:
            reason = str(error) if answer.body else "too long, too slow or empty"
        raise Unanswered(f"the answer to GET {path} cannot be read: {reason}")

    async def _exchange(
        self,
        method: Literal["GET", "POST", "PUT"],
        path: str,
        credentials: Credentials | None,
        headers: dict[str, str] | None = None,
        body: str | None = None,
    ) -> _Answer:
        """Send one request and take its answer."""
        authorize = None if credentials is None else _Authorization(credentials)
        request = self._client.build_request(
            method,
            f"{self._origin}{path}",
            headers=headers,
            content=None if body is None else body.encode(),
            extensions={"trace": _Handshake()},
        )
        try:
            async with asyncio.timeout(_all_steps(request)):
                response = await self._client.send(request, auth=authorize, stream=True)
        except TimeoutError:
            told: Exception = Unanswered(f"no answer to {method} {path} in time")
        except httpx.TransportError as error:
            told = self._told(error, f"{method} {path}")
        else:
            return _Answer(response.status_code, await _read_body(response))
        # Raised out here, it does not drag along httpx's exception, whose request holds the credentials.
        raise told

    def _told(self, error: httpx.TransportError, what: str) -> Exception:
        """Tell what a transport's error means for the request; httpx's own words could quote a header."""
        if isinstance(error, _NOT_SENT):
            return Unreachable(f"{self._origin}: {_reason(error)}")
        if isinstance(error, httpx.TimeoutException):
            return Unanswered(f"no answer to {what} in time")
        return _ConnectionLost(f"the connection was lost before an answer to {what} came")


class _NoCookies(http.cookiejar.CookieJar):
    """Keeps none: ``JSESSIONID`` of one agent would travel with another's request."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Look at none."""


class _Handshake:
    """Closes a connection whose TLS handshake does not succeed: httpcore leaves open what is cancelled just then.

    httpx calls it at each step of a request (httpx's documentation, "Extensions", ``trace``).
    """

    def __init__(self) -> None:
        self._stream: httpcore.AsyncNetworkStream | None = None

    async def __call__(self, event: str, told: Mapping[str, Any]) -> None:
        if event == "connection.connect_tcp.complete":
            self._stream = told["return_value"]
        elif event == "connection.start_tls.failed" and self._stream is not None:
            await self._stream.aclose()


class _Authorization(httpx.Auth):
    """Puts the credentials into the one request, as late as can be.

    Raises:
        Refused: HTTP has no room for such a token. Finesse was not asked, its answer would be the same.
    """

    def __init__(self, credentials: Credentials) -> None:
        if credentials.bearer and not _TOKEN.fullmatch(credentials.secret.get_secret_value()):
            raise Refused(_NO_TOKEN, httpx.codes.UNAUTHORIZED)
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the one header."""
        request.headers["Authorization"] = self._credentials.authorization()
        yield request


def _raise_for(answer: _Answer) -> None:
    if not httpx.codes.is_success(answer.status):
        raise Refused(read_error_body(answer.status, answer.body), answer.status)


def _all_steps(request: httpx.Request) -> float:
    """Add up httpx's times, each of which is for one step and starts anew with each byte that arrives.

    Connecting counts twice, for TCP and for TLS: so when all is over, a connection was made and something sent.
    """
    times: dict[str, float] = request.extensions["timeout"]
    return sum(times.values()) + times["connect"]


async def _read_body(response: httpx.Response) -> bytes:
    """Read an answer's body. It has answered by its status already: a body that is too much is left, not an error."""
    body = bytearray()
    try:
        async with asyncio.timeout(response.request.extensions["timeout"]["read"]):
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    return b""
    except (TimeoutError, httpx.TransportError):
        return b""
    finally:
        await response.aclose()
        # The client's stream knows its response: without this, every answer were left to the cycle collector.
        response.stream = httpx.ByteStream(b"")
    return bytes(body)


def _reason(error: httpx.TransportError) -> str:
    """Say in a person's words why there is no connection."""
    for kind, reason in _REASONS.items():
        if isinstance(error, kind):
            return reason
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = _CA_HINT if cause.verify_code in _UNKNOWN_AUTHORITY else ""
            return f"the certificate is not trusted: {cause.verify_message.rstrip('.')}{hint}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'no agreement'}"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno) if cause.errno > 0 else "its name cannot be found"  # getaddrinfo's numbers
        cause = cause.__cause__ or cause.__context__
    return "no connection"
