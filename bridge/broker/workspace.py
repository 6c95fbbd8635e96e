"""One agent's desktop: the unit of order, routing, history and idempotency. Nothing is kept across workspaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.broker.history import History, Retained, Stored
from bridge.broker.idempotency import Idempotency
from bridge.broker.routing import Routes

if TYPE_CHECKING:
    from bridge.broker.limits import Limits
    from bridge.broker.rate import Bucket
    from bridge.broker.session import Session
    from bridge.protocol.catalogue import Retention
    from bridge.protocol.message import Encoded, Published

NAME = re.compile(r"[A-Za-z0-9_\-]{1,64}")
"""Names of workspaces."""


class Workspace:
    """The stream of one desktop, and who reads it."""

    __slots__ = ("epoch", "guests", "history", "ids", "name", "offset", "retained", "routes", "sessions")

    def __init__(self, name: str, epoch: str, limits: Limits, guests: Bucket) -> None:
        self.name = name

        # Position in the stream, and the identity of the stream.
        self.epoch = epoch
        self.offset = 0

        # Who is here; ``guests`` is the rate of those who publish without a session.
        self.sessions: dict[str, Session] = {}
        self.routes = Routes()
        self.guests = guests

        # What is remembered.
        self.history = History(limits)
        self.retained = Retained()
        self.ids = Idempotency(limits)

    def publish(
        self, message: Published, encoded: Encoded, now: float, sender: Session | None, retention: Retention | None
    ) -> tuple[Session, ...]:
        """Store a message that has its place, and queue it for all who want it. Return who matched.

        ``sender`` does not get its own message unless it asked for an echo.
        """
        stored = Stored(message.offset, now, message.address, encoded)
        self.history.append(stored)
        if retention is not None:
            self.retained.update(retention, stored)
        matched = self.routes.match(message.address)
        for session in matched:
            if session is not sender or session.echo:
                session.subscriber.send(encoded)
        return matched

    def leave(self, session: Session) -> None:
        """Forget a session."""
        del self.sessions[session.id]
        self.routes.discard(session, session.patterns)
        self.ids.leave(session)
