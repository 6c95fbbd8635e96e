"""Bringing a newer token before the present one expires (``Bridge/Session/Refresh``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.client.door import TokenUnavailable
from bridge.client.errors import BridgeError, RejectedError
from bridge.protocol import control
from bridge.protocol.address import Pattern

if TYPE_CHECKING:
    from bridge.client.door import Door
    from bridge.client.session import Session

SPARE_SECONDS = 30.0
"""Before the end a newer token is asked for, at least: an issuer may need some seconds."""

SHARE = 0.8
"""Of the time that a token has left, when that is short."""

AGAIN_SECONDS = 5.0
"""After an attempt that failed; the present token may still be good."""


LEAST_SECONDS = 1.0
"""Between two tokens: who gives the same one until its end must not have us bring it again and again."""


def due(left: float) -> float:
    """Say after how many of the seconds that are left a newer token should be brought."""
    return max(LEAST_SECONDS, min(SHARE * left, max(left - SPARE_SECONDS, left / 2)))


async def renew(session: Session, door: Door, expires_in: float | None) -> None:
    """Bring newer tokens for as long as the connection lasts. Cancelled with it; else ends when nothing expires."""
    while expires_in is not None and door.renewable:
        ends = session.pace.monotonic() + expires_in
        await session.pace.sleep(due(expires_in))
        try:
            token = await door.fresh_token()
            reply = control.Refreshed.model_validate(await session.question(control.REFRESH, {"token": token}))
            ended = frozenset(map(Pattern.parse, reply.ended))
        except (TokenUnavailable, ValueError, RejectedError):
            await session.pace.sleep(AGAIN_SECONDS)
            expires_in = max(0.0, ends - session.pace.monotonic())
            continue
        except BridgeError:  # the connection has ended
            return
        await session.not_allowed(ended)
        expires_in = reply.expiresInSeconds
