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

import os
import re
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING, Literal, TypeVar
from urllib.parse import urlsplit

from yarl import URL

from bridge.calls.adapter import Failure
from bridge.calls.finesse.bodies import API, dialogs_path, user_path
from bridge.calls.finesse.dialogs import read_dialogs
from bridge.calls.finesse.failures import AUTHORIZATION_FAILURE, read_error_body
from bridge.calls.finesse.pool import Answer, Late, Lost, NotSent, Pool
from bridge.calls.finesse.system import read_system_info
from bridge.calls.finesse.users import read_user
from bridge.calls.finesse.xml import Limits, XmlError, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.finesse.bodies import Outgoing
    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.finesse.system import SystemInfo
    from bridge.calls.finesse.xml import Element
    from bridge.calls.model import Agent, Call

T = TypeVar("T")

ANSWER_BYTES = Limits().bytes
"""More than this is not read of an answer."""

CONNECTIONS = 32
"""At most so many to one node, which answers in milliseconds as a rule.

More than agents sign in at once (``Pace.at_once``), so that a storm of sign-ins leaves room for commands; and a Finesse
that takes 300 ms still takes a hundred requests a second. With 10 the line grew until commands were given up.
"""

KEEPALIVE_SECONDS = 15.0
"""Idle connections are closed before Finesse's Tomcat does so, which is after 20 s."""

_NOT_ABOUT_CREDENTIALS = frozenset({"Invalid State", "Invalid Authorization User Specified"})
"""Refusals with status 401 that the guide documents although the credentials are right."""

_UNKNOWN_AUTHORITY = frozenset({18, 19, 20, 21})
"""OpenSSL's codes: self-signed, itself or at the chain's end, and issuer not found (``X509_V_ERR_…``)."""

_CA_HINT = "; FINESSE_CA_FILE names the certificates of authorities to trust"

_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a Bearer token may look like (RFC 6750 section 2.1)."""

_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")
"""What a request id may look like (RFC 9110 section 5.5, less blanks)."""

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
            status == HTTPStatus.UNAUTHORIZED and failure.error_type not in _NOT_ABOUT_CREDENTIALS
        )
        self.out_of_service = status == HTTPStatus.SERVICE_UNAVAILABLE


class Unreachable(Exception):  # noqa: N818 reads as what is the case
    """No connection was made, nothing was sent; the text says why."""


class Unanswered(Exception):  # noqa: N818 reads as what is the case
    """The request was sent, and no answer came that can be understood: it may have been acted upon."""


class _ConnectionLost(Unanswered):
    """The connection ended before the answer did."""


def make_client(
    ssl_context: ssl.SSLContext,
    *,
    connect_seconds: float = 3.0,
    answer_seconds: float = 5.0,
    connections: int = CONNECTIONS,
    keepalive_seconds: float = KEEPALIVE_SECONDS,
) -> Pool:
    """Make the pool of connections to one node, which all agents share.

    Args:
        ssl_context: What certificates are trusted.
        connect_seconds: How long making a connection may take, and waiting for a free one.
        answer_seconds: How long an answer may take to begin, and after that to be complete.
        connections: At most so many at once.
        keepalive_seconds: How long an idle connection is kept.
    """
    return Pool(
        ssl_context,
        connections=connections,
        keepalive=keepalive_seconds,
        connect=connect_seconds,
        answer=answer_seconds,
        body_bytes=ANSWER_BYTES,
    )


class FinesseRest:
    """One Finesse node's REST API.

    ``client`` is made by ``make_client``, one for each node: one that hangs must not hold up the other.
    """

    def __init__(self, base_url: str, client: Pool) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" or not parts.hostname:
            raise ValueError("the address of a Finesse node is https://host:port: passwords travel over TLS only")
        self._origin = f"https://{parts.netloc.rpartition('@')[2]}"
        self._url = URL(self._origin)
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
        if not _HEADER_VALUE.fullmatch(request_id):
            raise Unreachable(f"{self._origin}: it is nothing that HTTP can carry")
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
    ) -> Answer:
        """Send one request and take its answer."""
        url = self._url.with_path(path, encoded=True)
        content = None if body is None else body.encode()
        try:
            # The one header is in no variable of this frame, which a traceback might show.
            return await self._client.exchange(method, url, {**(headers or {}), **_authorization(credentials)}, content)
        except NotSent as problem:
            told: Exception = Unreachable(f"{self._origin}: {_reason(problem)}")
        except Late:
            told = Unanswered(f"no answer to {method} {path} in time")
        except Lost:
            told = _ConnectionLost(f"the connection was lost before an answer to {method} {path} came")
        # Raised out here, it does not drag along the client's exception, whose frames hold the credentials.
        raise told


def _authorization(credentials: Credentials | None) -> dict[str, str]:
    """Make the one header, as late as can be.

    Raises:
        Refused: HTTP has no room for such a token. Finesse was not asked, its answer would be the same.
    """
    if credentials is None:
        return {}
    if credentials.bearer and not _TOKEN.fullmatch(credentials.secret.get_secret_value()):
        raise Refused(_NO_TOKEN, HTTPStatus.UNAUTHORIZED)
    return {"Authorization": credentials.authorization()}


def _raise_for(answer: Answer) -> None:
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(read_error_body(answer.status, answer.body), answer.status)


def _reason(problem: NotSent) -> str:
    """Say in a person's words why there is no connection."""
    cause = problem.__cause__
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            hint = _CA_HINT if cause.verify_code in _UNKNOWN_AUTHORITY else ""
            return f"the certificate is not trusted: {cause.verify_message.rstrip('.')}{hint}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'no agreement'}"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno) if cause.errno > 0 else "its name cannot be found"  # getaddrinfo's numbers
        cause = cause.__cause__ or cause.__context__
    return str(problem)
