"""A session's token in the course of time: when it ends, and a newer one that lets the session go on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bridge.broker.expiry import LEEWAY_SECONDS
from bridge.broker.policy import Permissions, may_enter
from bridge.broker.tokens import RefusedToken
from bridge.protocol import control
from bridge.protocol.errors import CloseCode, Code, Rejection
from bridge.protocol.message import encode_control

if TYPE_CHECKING:
    from bridge.broker.clock import Clock
    from bridge.broker.delivery import Delivery
    from bridge.broker.expiry import Expiries
    from bridge.broker.identity import Grant, Identity
    from bridge.broker.observer import Observer
    from bridge.broker.session import Session
    from bridge.broker.tokens import Tokens
    from bridge.protocol.message import Message


class Renewal:
    """Watches over the tokens of open sessions. Without ``tokens`` nothing expires, and any refresh is a formality."""

    def __init__(
        self, *, tokens: Tokens | None, clock: Clock, delivery: Delivery, expiries: Expiries, observer: Observer
    ) -> None:
        self._tokens = tokens
        self._clock = clock
        self._delivery = delivery
        self._expiries = expiries
        self._observer = observer

    def expect(self, session: Session) -> float | None:
        """Let the session end with its token. Return in how many seconds it expires, ``None`` for never."""
        grant = session.identity.grant
        if grant is None:
            return None
        left = grant.expires_at - self._clock.unix()
        self._expiries.join(session, self._clock.monotonic() + left + LEEWAY_SECONDS)
        return round(max(left, 0.0), 3)

    def refresh(self, session: Session, message: Message, body: control.Refresh) -> None:
        """Take a newer token; the answer may come later, and a session that has gone meanwhile gets none."""

        def answer(verdict: Grant | RefusedToken) -> None:
            if session.workspace.sessions.get(session.id) is not session:
                return
            if isinstance(verdict, RefusedToken):
                self._refuse(session, message, verdict)
            elif (reason := _changed(session.identity, session.workspace.name, verdict)) is not None:
                self._refuse(session, message, RefusedToken(CloseCode.FORBIDDEN, reason))
            else:
                self._renew(session, message, verdict)

        if self._tokens is None:
            self._answer(session, message, [], None)
        else:
            self._tokens.check(body.token.get_secret_value(), answer)

    def _refuse(self, session: Session, message: Message, refusal: RefusedToken) -> None:
        self._observer.refreshed(session, refusal)
        if refusal.code is CloseCode.TRY_AGAIN_LATER:  # the present token is still good
            rejection = Rejection(Code.UNAVAILABLE, refusal.reason, str(message.address), message.id)
            self._delivery.send(session, encode_control(control.REJECTED, rejection.to_json(), message.id))
        else:
            self._delivery.close(session, refusal.code, refusal.reason)

    def _renew(self, session: Session, message: Message, grant: Grant) -> None:
        room = session.workspace
        session.identity = replace(session.identity, grant=grant)
        session.permissions = Permissions(session.identity, room.name)
        lost = [pattern for pattern in session.patterns if not session.permissions.subscribe(pattern).allowed]
        room.routes.discard(session, lost)
        session.patterns -= set(lost)
        self._observer.refreshed(session, None)
        self._answer(session, message, sorted(map(str, lost)), self.expect(session))

    def _answer(self, session: Session, message: Message, ended: list[str], expires_in: float | None) -> None:
        reply: dict[str, Any] = {"ended": ended}
        if expires_in is not None:
            reply["expiresInSeconds"] = expires_in
        self._delivery.send(session, encode_control(control.REFRESHED, reply, message.id))


def _changed(identity: Identity, workspace: str, grant: Grant) -> str | None:
    """Say which of the things that a refresh keeps would change."""
    before = identity.grant
    if before is None or grant.subject != before.subject:
        return "a refresh keeps the subject"
    if not may_enter(grant, workspace):
        return "a refresh keeps the workspace"
    if grant.app != before.app:
        return "a refresh keeps the app"
    if grant.extension != before.extension:
        return "a refresh keeps the extension"
    return None
