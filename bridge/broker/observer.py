"""What the broker tells whoever keeps logs and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.broker.identity import Identity
    from bridge.broker.session import Session
    from bridge.broker.tokens import RefusedToken
    from bridge.protocol.address import Address
    from bridge.protocol.catalogue import Entry
    from bridge.protocol.errors import Rejection
    from bridge.protocol.message import Message


class Observer(Protocol):
    """Called as things happen; must be quick and must not fail."""

    def session_opened(self, session: Session) -> None:
        """A session was opened."""

    def session_closed(self, session: Session, code: int, reason: str, seconds: float) -> None:
        """A session ended, after ``seconds``."""

    def published(self, address: Address, entry: Entry | None, recipients: int) -> None:
        """A message took its place in a stream and went to so many sessions; free channels have no entry."""

    def rejected(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        """A message was refused; it is ``None`` where it could not be read."""

    def refreshed(self, session: Session, refusal: RefusedToken | None) -> None:
        """A session has brought a newer token; if that was refused, the session ends."""


class Silent:
    """Listens to nothing."""

    def session_opened(self, session: Session) -> None:
        """Ignore."""

    def session_closed(self, session: Session, code: int, reason: str, seconds: float) -> None:
        """Ignore."""

    def published(self, address: Address, entry: Entry | None, recipients: int) -> None:
        """Ignore."""

    def rejected(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        """Ignore."""

    def refreshed(self, session: Session, refusal: RefusedToken | None) -> None:
        """Ignore."""
