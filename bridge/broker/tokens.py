"""The seam between the bus and whoever can tell a good token from a bad one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.identity import Grant
    from bridge.protocol.errors import CloseCode


class RefusedToken(NamedTuple):
    """A token opens nothing. The reason is for the client, and quotes nothing of the token.

    ``code`` is ``UNAUTHENTICATED``, ``TOKEN_EXPIRED``, or ``TRY_AGAIN_LATER`` where the bridge cannot know now.
    """

    code: CloseCode
    reason: str


class Tokens(Protocol):
    """Checks tokens."""

    def check(self, token: str, answer: Callable[[Grant | RefusedToken], None]) -> None:
        """Call ``answer`` once: at once where that can be, later where keys have to be fetched first."""
