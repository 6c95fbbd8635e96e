"""One agent's desktop: the unit of order, routing, history and idempotency. Nothing is kept across workspaces."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bridge.broker.history import History, Retained
from bridge.broker.idempotency import Idempotency
from bridge.broker.routing import Routes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.broker.limits import Limits
    from bridge.broker.rate import Bucket
    from bridge.broker.session import Session
    from bridge.protocol.catalogue import Retention
    from bridge.protocol.message import Published

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

    def store(self, published: Published, retention: Retention | None) -> Mapping[Session, None]:
        """Remember a message that has its place. Return who is to get it."""
        self.history.append(published)
        if retention is not None:
            self.retained.update(retention, published)
        return self.routes.match(published.address)

    def leave(self, session: Session) -> None:
        """Forget a session."""
        del self.sessions[session.id]
        self.routes.discard(session, session.patterns)
        self.ids.leave(session)
