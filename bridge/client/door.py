"""Where a client's connections begin: the URL, the token, and who is trusted to be the bridge."""

from __future__ import annotations

import asyncio
import inspect
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from bridge.client.link import Link, LinkLost
from bridge.client.pace import LOST
from bridge.protocol.errors import CloseCode

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

Token: TypeAlias = "str | Callable[[], str | Awaitable[str]]"  # noqa: S105 a type
"""A token, or a function that gives one: asked anew for each connection, and before the present one expires."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,16384}")


class TokenUnavailable(Exception):  # noqa: N818 an event inside this package
    """The function that gives tokens has failed, or gave none; the text is never that of its exception."""


_UNFIT = "that is no token: give the text of a JSON Web Token, without spaces and line ends"


class NoTokenError(ValueError):
    """What was given is no token. The text does not quote it."""


def checked(token: object) -> str:
    """Return a token.

    Raises:
        NoTokenError: It cannot be one.
    """
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoTokenError(_UNFIT)
    return token


def _cancelled() -> bool:
    """Say whether we are to end, and not only something that the function which gives tokens has waited for."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


@dataclass(frozen=True, slots=True)
class Door:
    """Opens connections, one attempt each, within ``seconds``."""

    url: str
    seconds: float
    token: Token | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        """Refuse what can never open.

        Raises:
            NoTokenError: The one token there is, is none.
            ValueError: Nothing is encrypted, and somebody thinks it is.
        """
        if self.token is not None and not callable(self.token):
            checked(self.token)
        if self.tls is not None and not self.url.startswith("wss:"):
            raise ValueError(f"certificates are for wss:// URLs; nothing is encrypted with {self.url}")

    @property
    def renewable(self) -> bool:
        """Whether there may be a newer token than the last one."""
        return callable(self.token)

    async def open(self) -> Link:
        """Connect with a token.

        Raises:
            LinkLost: There is no session.
        """
        try:
            token = await self.fresh_token()
        except TokenUnavailable as unavailable:
            raise LinkLost(LOST, str(unavailable), final=False) from unavailable
        return await Link.open(self.url, seconds=self.seconds, token=token, tls=self.tls)

    async def fresh_token(self) -> str | None:
        """Give the token, a new one where there may be one.

        Raises:
            TokenUnavailable: The function that gives tokens has failed, gave none, or took too long.
        """
        if not callable(self.token):
            return self.token
        try:
            async with asyncio.timeout(self.seconds):
                given: object = self.token()
                return checked(await given if inspect.isawaitable(given) else given)
        except Exception as error:
            reason = _UNFIT if isinstance(error, NoTokenError) else type(error).__name__
            raise TokenUnavailable(f"no token could be had: {reason}") from error
        except asyncio.CancelledError as error:
            if _cancelled():
                raise
            raise TokenUnavailable("no token could be had: it was cancelled") from error

    def is_closed(self, lost: LinkLost) -> bool:
        """Say whether another attempt would end the same way."""
        return lost.final and not (self.renewable and lost.code == CloseCode.TOKEN_EXPIRED)
