"""From an upgraded connection to a session: whose token it is, and whether it is good.

Without authentication a session opens at once. With it the token comes beside the subprotocol or in the first message,
and may have to wait until keys were fetched; meanwhile the client may go away, or its time may be over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bridge.broker.tokens import RefusedToken
from bridge.protocol.errors import CloseCode
from bridge.server import bearer
from bridge.server.opening import ForbiddenError

if TYPE_CHECKING:
    from bridge.broker.identity import Grant, Identity
    from bridge.server.endpoint import Endpoint
    from bridge.server.opening import Applicant


class Candidate(Protocol):
    """The connection that wants a session."""

    def enter(self, workspace: str, identity: Identity) -> None:
        """Open the session."""

    def end(self, code: CloseCode, reason: str) -> None:
        """Close the connection."""

    def go_on(self) -> None:
        """Handle what came while the token was being checked."""


class Admission:
    """One client's way to its session.

    Attributes:
        checking: Whether the token is being checked: until that is known, no message is to be handled.
    """

    __slots__ = ("_applicant", "_candidate", "_endpoint", "_over", "checking")

    def __init__(self, endpoint: Endpoint, candidate: Candidate, applicant: Applicant) -> None:
        self._endpoint = endpoint
        self._candidate = candidate
        self._applicant = applicant
        self._over = False
        self.checking = False

    def begin(self, tokens: tuple[str, ...]) -> None:
        """Open the session where there is no authentication; else check the token, or wait for it."""
        if self._endpoint.tokens is None:
            self._candidate.enter(*self._applicant.anybody())
        elif len(tokens) == 1:
            self._check(tokens[0])
        elif tokens:
            self._turn_away(*bearer.SEVERAL)

    def take(self, text: str) -> None:
        """Take the first message: it must bring the token."""
        token = bearer.of_message(text)
        if token is None:
            self._turn_away(*bearer.NOT_FIRST)
        else:
            self._check(token)

    def overdue(self) -> None:
        """Turn the client away: its time is over."""
        late = "the token could not be checked" if self.checking else "no token came"
        self._turn_away(CloseCode.OPEN_TIMEOUT, f"{late} within OPEN_SECONDS")

    def abandon(self) -> None:
        """The connection has ended; whatever is said of its token now is for nobody."""
        self._over = True

    def _check(self, token: str) -> None:
        assert self._endpoint.tokens is not None  # noqa: S101 else there is nothing to check
        self.checking = True
        self._endpoint.tokens.check(token, self._judge)

    def _judge(self, verdict: Grant | RefusedToken) -> None:
        self.checking = False
        if self._over:
            return
        if isinstance(verdict, RefusedToken):
            self._turn_away(*verdict)
        else:
            self._admit(verdict)
        self._candidate.go_on()

    def _admit(self, grant: Grant) -> None:
        try:
            workspace, identity = self._applicant.admit(grant)
        except ForbiddenError as forbidden:
            self._turn_away(CloseCode.FORBIDDEN, str(forbidden))
        else:
            self._candidate.enter(workspace, identity)

    def _turn_away(self, code: CloseCode, reason: str) -> None:
        self._endpoint.observer.sign_in_refused(self._applicant, code, reason)
        self._candidate.end(code, reason)
