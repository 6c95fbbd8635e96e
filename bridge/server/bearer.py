"""Tokens on their way in: beside the subprotocol, in the first message, or in a request's header.

Never in a URL: that would stand in the logs of every proxy.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from bridge.broker.tokens import RefusedToken
from bridge.protocol import catalogue, control
from bridge.protocol.errors import CloseCode, Rejection
from bridge.protocol.message import decode
from bridge.server import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.responses import Response

    from bridge.broker.identity import Grant
    from bridge.broker.tokens import Tokens

SUBPROTOCOL_PREFIX = "bearer."

RETRY_SECONDS = 10
"""After so long a client may try again whose token cannot be checked now."""

_SCHEME = "bearer"
_CHALLENGE = 'Bearer realm="workspace-bridge"'

NONE = RefusedToken(CloseCode.UNAUTHENTICATED, "a token is required")
SEVERAL = RefusedToken(CloseCode.UNAUTHENTICATED, "more than one token was sent")
NOT_FIRST = RefusedToken(CloseCode.UNAUTHENTICATED, "the first message must be Bridge/Session/Open with a token")


def of_subprotocols(offered: Sequence[str]) -> tuple[str, ...]:
    """Take the tokens out of what a handshake offers."""
    return tuple(each.removeprefix(SUBPROTOCOL_PREFIX) for each in offered if each.startswith(SUBPROTOCOL_PREFIX))


def of_message(text: str) -> str | None:
    """Take the token out of a client's first message, ``None`` where that is anything but ``Bridge/Session/Open``."""
    try:
        message = decode(text)
        entry = catalogue.entry(message)
        if entry is None or entry.address != control.OPEN:
            return None
        body = catalogue.check_body(entry, message, strict=False)
    except Rejection:
        return None
    assert isinstance(body, control.Open)  # noqa: S101 the entry's own model
    return body.token.get_secret_value()


def of_headers(values: Sequence[str]) -> str | RefusedToken:
    """Take the token out of a request's ``Authorization`` headers (RFC 6750 section 2.1)."""
    if not values:
        return NONE
    if len(values) > 1:
        return SEVERAL
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        return RefusedToken(CloseCode.UNAUTHENTICATED, "send Authorization: Bearer and the token")
    return token.strip()


async def of_request(tokens: Tokens | None, values: Sequence[str]) -> Grant | RefusedToken | None:
    """Check the token of a request; ``None`` where there is no authentication."""
    if tokens is None:
        return None
    token = of_headers(values)
    return token if isinstance(token, RefusedToken) else await check(tokens, token)


async def check(tokens: Tokens, token: str) -> Grant | RefusedToken:
    """Wait until a token is checked."""
    verdict: asyncio.Future[Grant | RefusedToken] = asyncio.get_running_loop().create_future()

    def answer(found: Grant | RefusedToken) -> None:
        if not verdict.done():  # it is where nobody waits any more
            verdict.set_result(found)

    tokens.check(token, answer)
    return await verdict


def refusal(refused: RefusedToken) -> Response:
    """Give the HTTP answer to a token that opens nothing (RFC 6750 section 3)."""
    if refused.code is CloseCode.TRY_AGAIN_LATER:
        return problems.of_status(HTTPStatus.SERVICE_UNAVAILABLE, refused.reason, {"Retry-After": str(RETRY_SECONDS)})
    challenge = _CHALLENGE if refused is NONE else f'{_CHALLENGE}, error="invalid_token"'
    return problems.of_status(HTTPStatus.UNAUTHORIZED, refused.reason, {"WWW-Authenticate": challenge})
