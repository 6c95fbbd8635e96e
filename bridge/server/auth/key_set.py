"""An issuer's published keys (RFC 7517), fetched now and then, and used for a while when the issuer is away."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import structlog

from bridge.broker.tokens import RefusedToken
from bridge.protocol.errors import CloseCode
from bridge.server.auth.keys import read_keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from jwt import PyJWK

log = structlog.get_logger("bridge.server.auth")

REFRESH_SECONDS = 600.0
"""Between fetches: so long a key that was withdrawn may still be used."""

RETRY_SECONDS = 15.0
"""After a fetch that failed."""

UNKNOWN_SECONDS = 60.0
"""An unknown key id lets the keys be fetched at most so often: anyone can make up ids."""

STALE_SECONDS = 4 * 3600.0
"""Keys are used for so long when the issuer cannot be reached: half a shift in which desks can go on reconnecting."""

FETCH_SECONDS = 5.0
"""For one fetch, all in all."""

FETCH_BYTES = 262_144
"""A key set has some kilobytes."""

MOST_WAITING = 1000
"""Tokens that wait for one fetch. Each belongs to a connection that has no session yet."""

_NO_KEYS = RefusedToken(CloseCode.TRY_AGAIN_LATER, "the issuer's keys cannot be had now; try again later")
_TOO_SOON = RefusedToken(CloseCode.TRY_AGAIN_LATER, "the token's key is not known yet; try again in a minute")
_CROWDED = RefusedToken(CloseCode.TRY_AGAIN_LATER, "too many tokens wait for the issuer's keys; try again later")
_UNNAMED = RefusedToken(CloseCode.UNAUTHENTICATED, "the token names no key (kid), and the issuer has several")
_UNKNOWN = RefusedToken(CloseCode.UNAUTHENTICATED, "the issuer has no such key")


class KeySet:
    """The keys behind a URL. ``fetch`` gives the document; ``monotonic`` and ``sleep`` are in seconds."""

    def __init__(
        self,
        url: str,
        algorithms: Collection[str],
        *,
        fetch: Callable[[], Awaitable[bytes]] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shown = url.partition("?")[0]  # what follows may be a key to the issuer's door
        self._algorithms = frozenset(algorithms)
        self._fetch = fetch or _Fetch(url)
        self._monotonic = monotonic
        self._sleep = sleep

        # The keys, when they were fetched, and when a fetch last began for the sake of an unknown id.
        self._keys: dict[str | int, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._looked_at = float("-inf")

        # Who waits for a fetch; the task that fetches.
        self._waiting: list[tuple[str | None, Callable[[PyJWK | RefusedToken], None]]] = []
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopped = False

    @property
    def ready(self) -> bool:
        """Whether there are keys that may be used."""
        return bool(self._keys) and self._monotonic() - self._fetched_at <= STALE_SECONDS

    async def start(self) -> None:
        """Fetch the keys, now and then; does not wait for them."""
        self._task = asyncio.get_running_loop().create_task(self._look_after())

    async def stop(self) -> None:
        """Fetch no more; who waits, or comes later, is told to try again."""
        self._stopped = True
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._answer_all(_NO_KEYS)

    def find(self, key_id: str | None, answer: Callable[[PyJWK | RefusedToken], None]) -> None:
        """Answer at once where the key is known; else when the keys have been fetched, if that may be now."""
        known = self._known(key_id)
        if known is not None:
            answer(known)
        elif self._waiting or self._monotonic() - self._looked_at >= UNKNOWN_SECONDS:
            self._wait(key_id, answer)
        else:
            answer(_TOO_SOON if self.ready else _NO_KEYS)

    def _known(self, key_id: str | None) -> PyJWK | RefusedToken | None:
        if not self.ready:
            return None
        if key_id is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else _UNNAMED
        return self._keys.get(key_id)

    def _wait(self, key_id: str | None, answer: Callable[[PyJWK | RefusedToken], None]) -> None:
        if self._stopped or len(self._waiting) >= MOST_WAITING:
            answer(_NO_KEYS if self._stopped else _CROWDED)
            return
        self._waiting.append((key_id, answer))
        self._wanted.set()

    async def _look_after(self) -> None:
        while True:
            in_time = len(self._waiting)
            if in_time:
                self._looked_at = self._monotonic()
            fetched = await self._refresh()
            self._wanted.clear()
            self._answer_all(None if fetched else _NO_KEYS, in_time)
            await self._pause(REFRESH_SECONDS if fetched else RETRY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait until it is time, or until an unknown id asks for it."""
        wanted = asyncio.ensure_future(self._wanted.wait())
        due = asyncio.ensure_future(self._sleep(seconds))
        try:
            await asyncio.wait([wanted, due], return_when=asyncio.FIRST_COMPLETED)
        finally:
            wanted.cancel()
            due.cancel()

    async def _refresh(self) -> bool:
        """Fetch the keys. Return whether there are any; if not, the old ones are kept for their time."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                document = await self._fetch()
            keys = read_keys(json.loads(document), self._algorithms)
            if not keys:
                raise ValueError("it holds no key that may sign tokens")
        except (httpx.HTTPError, OSError, ValueError, RecursionError) as error:  # TimeoutError is an OSError
            log.warning("keys_not_fetched", url=self._shown, reason=str(error) or type(error).__name__)
            return False
        except Exception:
            log.exception("keys_not_fetched", url=self._shown)
            return False
        if keys.keys() != self._keys.keys():
            log.info("keys_fetched", url=self._shown, keys=len(keys))
        self._keys, self._fetched_at = keys, self._monotonic()
        return True

    def _answer_all(self, refusal: RefusedToken | None, in_time: int = 0) -> None:
        """Answer who waits. The first ``in_time`` came before the fetch began: what it did not bring does not exist."""
        waiting, self._waiting = self._waiting, []
        for place, (key_id, answer) in enumerate(waiting):
            try:
                answer(self._known(key_id) or refusal or (_UNKNOWN if place < in_time else _TOO_SOON))
            except Exception:  # its fault is not the others', nor that of the keys
                log.exception("token_not_answered")


_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""Nothing compressed: what arrives is what is counted."""


class _Fetch:
    """Gets the document, verified by the system's certificates (``SSL_CERT_FILE`` adds to them)."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._by_proxy = url.startswith("https:")  # a proxy must not come between a key set on this machine and us
        self._tls = ssl.create_default_context()

    async def __call__(self) -> bytes:
        document = bytearray()
        async with (
            httpx.AsyncClient(
                verify=self._tls, timeout=FETCH_SECONDS, follow_redirects=False, trust_env=self._by_proxy
            ) as client,
            client.stream("GET", self._url, headers=_HEADERS) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise ValueError(f"the issuer answered {response.status_code}")
            async for piece in response.aiter_raw():
                document += piece
                if len(document) > FETCH_BYTES:
                    raise ValueError(f"more than {FETCH_BYTES} bytes")
        return bytes(document)
