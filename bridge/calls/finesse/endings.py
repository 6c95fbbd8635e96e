"""Why a session is interrupted, and why it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.adapter import Failure
from bridge.calls.finesse.rest import Refused, Unanswered, Unreachable
from bridge.calls.finesse.xmpp import XmppConflict, XmppLost, XmppRefused, XmppUnreachable
from bridge.calls.model import AgentStatus

if TYPE_CHECKING:
    from bridge.calls.finesse.credentials import Credentials

UNREACHABLE = "Service Unavailable"
UNAUTHORIZED = "Authorization Failure"
TAKEN_OVER = "another program has taken over the agent's connection to Finesse: sign in here to take it back"
SERVER_TROUBLE = 500
"""HTTP statuses from here on are the server's own trouble, which passes."""

NO_PAGE = Failure("Not Found", "HTTP 404")
"""What a web server says that runs while Finesse's application does not yet: it names no user or dialog."""


class Interrupted(Exception):  # noqa: N818 it is no error: the session goes on
    """The session is blind and has to connect anew; the text says why. ``leave``: at another node."""

    def __init__(self, reason: str, *, leave: bool = False) -> None:
        super().__init__(reason)
        self.leave = leave


class Over(Exception):  # noqa: N818 it need not be an error
    """The session ends. ``failure`` answers a sign-in that is under way, ``reason`` tells a person."""

    def __init__(
        self,
        reason: str | None,
        *,
        status: AgentStatus = AgentStatus.UNKNOWN,
        failure: Failure | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.failure = failure or Failure(UNREACHABLE, reason or "the session ended")
        self.cause = cause


def credentials_refused(credentials: Credentials) -> Over:
    """End because Finesse does not take the credentials (any more). Nothing is tried again: five tries lock it."""
    what = "access token" if credentials.bearer else "password"
    reason = f"Finesse refused the agent's {what}: sign in again"
    warning = "" if credentials.bearer else "; after five wrong passwords it locks the account for a while"
    return Over(reason, failure=Failure(UNAUTHORIZED, f"Finesse refused the username or the {what}{warning}"))


def judge(problem: BaseException, credentials: Credentials) -> Interrupted | Over | None:
    """Say what a problem of the line or of a request means for the session; ``None`` for one that is not foreseen."""
    verdict: Interrupted | Over | None = None
    match problem:
        case Interrupted() | Over():
            verdict = problem
        case XmppConflict():
            verdict = Over(TAKEN_OVER)
        case XmppRefused(passing=True):
            verdict = Interrupted(str(problem))
        case XmppRefused() | Refused(credentials_refused=True):
            verdict = credentials_refused(credentials)
        case Refused(status=status, failure=failure) if status < SERVER_TROUBLE and failure != NO_PAGE:
            verdict = Over(failure.message, failure=failure)
        case Refused(failure=failure):
            verdict = Interrupted(failure.message)
        case XmppLost() | XmppUnreachable() | Unreachable() | Unanswered():
            verdict = Interrupted(str(problem))
    return verdict


def gravest(problems: BaseExceptionGroup[BaseException], credentials: Credentials) -> BaseException:
    """Choose among problems that came together: an end before an interruption, and a fault before both."""
    judged = [judge(problem, credentials) for problem in _leaves(problems)]
    if None in judged:
        return problems
    over = next((verdict for verdict in judged if isinstance(verdict, Over)), None)
    return over or next(verdict for verdict in judged if verdict is not None)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for problem in group.exceptions
        for leaf in (_leaves(problem) if isinstance(problem, BaseExceptionGroup) else [problem])
    ]
