"""Telemetry with an audit trail beside it. Without one, nothing is asked on any message's way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.telemetry import Telemetry

if TYPE_CHECKING:
    from bridge.broker.gate import Command
    from bridge.broker.identity import Identity
    from bridge.broker.session import Session
    from bridge.broker.tokens import RefusedToken
    from bridge.calls.adapter import Failure
    from bridge.protocol.errors import CloseCode, Rejection
    from bridge.protocol.message import Message
    from bridge.server.audit.trail import Trail
    from bridge.server.opening import Applicant


class Audited(Telemetry):
    """Counts, logs, and writes the audit trail."""

    def __init__(self, trail: Trail) -> None:
        super().__init__()
        self._trail = trail

    def settled(self, command: Command, outcome: str, seconds: float, failure: Failure | None) -> None:
        """Write down as well."""
        super().settled(command, outcome, seconds, failure)
        self._trail.settled(command, outcome, seconds, failure)

    def rejected(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        """Write down as well."""
        super().rejected(workspace, identity, rejection, message)
        self._trail.rejected(workspace, identity, rejection, message)

    def signed_in(self, workspace: str, identity: Identity) -> None:
        """Write down as well."""
        super().signed_in(workspace, identity)
        self._trail.signed_in(workspace, identity)

    def sign_in_refused(self, applicant: Applicant, code: CloseCode, reason: str) -> None:
        """Write down as well."""
        super().sign_in_refused(applicant, code, reason)
        self._trail.sign_in_refused(applicant, code, reason)

    def refreshed(self, session: Session, refusal: RefusedToken | None) -> None:
        """Write down as well."""
        super().refreshed(session, refusal)
        self._trail.refreshed(session, refusal)
