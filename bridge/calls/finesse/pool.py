"""HTTPS connections to Finesse that all agents share: aiohttp's pool, told to do each request once and as it is.

It costs the bridge a seventh of the CPU that httpx did. Cookies, redirects, proxies, credentials of its own and packed
answers are all off.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import aiohttp

from bridge import __version__

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Self

    from yarl import URL

_HEADERS = {
    "User-Agent": f"workspace-bridge/{__version__}",
    "Accept": "application/xml",
    "Accept-Encoding": "identity",  # no answer can be larger than it looks
}


_ROUNDS = 2
"""The event loop's rounds until it is known which idle connections the server has closed by now.

In the first the end is read; asyncio's TLS takes another, uvloop's does not. A request on a connection that has ended
would leave its outcome in doubt.
"""


class NotSent(Exception):  # noqa: N818 reads as what is the case
    """No connection was made or free, in time or at all. The cause, where there is one, is the system's or TLS's."""


class Late(Exception):  # noqa: N818 reads as what is the case
    """It was sent, and no answer came in time."""


class Lost(Exception):  # noqa: N818 reads as what is the case
    """It was sent, at least in part, and the connection ended before an answer, or what came was no HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    """Empty where it was too long, too slow or cut off."""


class Pool:
    """At most ``connections`` at once, kept for ``keepalive`` seconds.

    ``connect`` seconds may pass while it waits for a free connection, and as many while it makes one; ``answer``
    seconds between two pieces of an answer's head, and as many for all of its body.
    """

    def __init__(
        self, tls: ssl.SSLContext, *, connections: int, keepalive: float, connect: float, answer: float, body_bytes: int
    ) -> None:
        self._tls = tls
        self._connections = connections
        self._keepalive = keepalive
        self._connect = connect
        self._answer = answer
        self._body_bytes = body_bytes
        # Connecting counts twice, for TCP and for TLS, and what is answered too, for sending.
        self._all_steps = 2 * connect + 2 * answer
        # aiohttp's own limit would not say whether it was this that took the time.
        self._free = asyncio.Semaphore(connections)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()

    async def exchange(
        self, method: Literal["GET", "POST", "PUT"], url: URL, headers: Mapping[str, str], body: bytes | None
    ) -> Answer:
        """Send one request, once, and take its answer.

        Raises:
            NotSent: Nothing was sent.
            Late: No answer came in time.
            Lost: The connection ended, or what came was no HTTP.
        """
        try:
            async with asyncio.timeout(self._connect):
                await self._free.acquire()
        except TimeoutError:
            raise NotSent("all connections are in use") from None
        try:
            return await self._exchange(method, url, headers, body)
        finally:
            self._free.release()

    async def _exchange(self, method: str, url: URL, headers: Mapping[str, str], body: bytes | None) -> Answer:
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(self._all_steps):
                response = await self._opened().request(method, url, headers=headers, data=body, allow_redirects=False)
        except aiohttp.ConnectionTimeoutError:
            raise NotSent("no connection in time") from None
        except aiohttp.ClientConnectorError as error:
            raise NotSent("no connection") from error.os_error
        except TimeoutError:
            raise Late from None
        except aiohttp.ClientError:
            raise Lost from None
        return Answer(response.status, await self._read(response))

    def _opened(self) -> aiohttp.ClientSession:
        """Return the session, made when it is first needed: it belongs to a running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    ssl=self._tls,
                    limit=self._connections,
                    keepalive_timeout=self._keepalive,
                    resolver=aiohttp.ThreadedResolver(),  # the system's: with aiodns installed it would be that
                    use_dns_cache=False,
                ),
                headers=_HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect, sock_read=self._answer),
                middlewares=[_once],
                auto_decompress=False,
                trust_env=False,
            )
        return self._session

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        """Read a body. Finesse has answered by its status already: a body that is too much is left, not an error."""
        body = bytearray()
        try:
            async with asyncio.timeout(self._answer):
                async for chunk in response.content.iter_any():
                    body += chunk
                    if len(body) > self._body_bytes:
                        return b""
        except (TimeoutError, aiohttp.ClientError):
            return b""
        finally:
            response.close()  # drops the connection, unless the body was read to its end
        return bytes(body)


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send it once. aiohttp repeats a PUT whose connection was lost: HTTP says it may (RFC 9110 section 9.2.2).

    Finesse's PUT may not, it acts on calls. So aiohttp does not hear of the loss, but of something that it passes on.
    """
    try:
        return await handler(request)
    except (aiohttp.ClientConnectorError, TimeoutError):
        raise
    except (aiohttp.ClientError, OSError):
        lost = Lost()
    raise lost
