"""Every time-out of every connection, from one tick: no connection has a timer of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from bridge.broker.rota import Rota

if TYPE_CHECKING:
    from bridge.settings import Settings

CUT_SECONDS = 5.0
"""A connection that is being closed has so long to take its last bytes and to answer (wire protocol §9)."""

LOOK_SECONDS = 3.0
"""So often it is looked whether the certificate's files have changed."""


class Timing(NamedTuple):
    """Seconds between ticks, until a closing connection is cut, and between looks at files. Tests make them short."""

    tick: float = 1.0
    cut: float = CUT_SECONDS
    look: float = LOOK_SECONDS


class Timed(Protocol):
    """A WebSocket connection, as the pulse sees it."""

    def ping_due(self) -> None:
        """Time to send a ping."""

    def pong_missed(self) -> None:
        """The last ping was not answered in time."""

    def opening_overdue(self) -> None:
        """The token did not come in time, or could not be checked in time."""

    def message_overdue(self) -> None:
        """A message was begun and not finished in time."""

    def cut(self) -> None:
        """End the connection without further ado."""


class Requesting(Protocol):
    """An HTTP connection, as the pulse sees it."""

    def request_overdue(self) -> None:
        """A request was awaited, or begun, and is not whole in time."""

    def cut(self) -> None:
        """End the connection without further ado."""


Member = TypeVar("Member")


class Deadlines(Generic[Member]):
    """Members that must do something within the same span of seconds. Costs no more than a dict."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._due: dict[Member, float] = {}

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, member: Member) -> bool:
        return member in self._due

    def start(self, member: Member, now: float) -> None:
        """Give the member its time, unless it is running already."""
        self._due.setdefault(member, now + self._seconds)

    def restart(self, member: Member, now: float) -> None:
        """Give the member its whole time again."""
        self._due.pop(member, None)
        self._due[member] = now + self._seconds

    def stop(self, member: Member) -> None:
        """Ask nothing of the member any more; harmless if nothing was asked."""
        self._due.pop(member, None)

    def expired(self, now: float) -> list[Member]:
        """Remove and return the members whose time is over."""
        over = []
        for member, due in self._due.items():  # in the order of their ends, as all have the same span
            if due > now:
                break
            over.append(member)
        for member in over:
            del self._due[member]
        return over


class Pulse:
    """The deadlines and turns of one server's connections.

    Attributes:
        now: Time of the last tick, in the loop's seconds: exact to a tick, and free to read.
        requests: HTTP connections that owe the rest of a request.
        opening: Connections that owe a token, or whose token is being checked.
        unfinished: Sessions that owe the rest of a message.
        awaiting: Sessions that owe a pong.
        closing: Connections that are being closed.
        pings: Sessions in the order in which they are pinged.
    """

    def __init__(self, settings: Settings, timing: Timing, now: float) -> None:
        self.now = now
        self.requests: Deadlines[Requesting] = Deadlines(settings.open_seconds)
        self.opening: Deadlines[Timed] = Deadlines(settings.open_seconds)
        self.unfinished: Deadlines[Timed] = Deadlines(settings.open_seconds)
        self.awaiting: Deadlines[Timed] = Deadlines(settings.pong_seconds)
        self.closing: Deadlines[Timed | Requesting] = Deadlines(timing.cut)
        self.pings: Rota[Timed] = Rota(round(settings.ping_seconds / timing.tick))

    @property
    def deadlines(self) -> int:
        """How many connections owe something within a time."""
        sessions = len(self.opening) + len(self.unfinished) + len(self.awaiting)
        return len(self.requests) + sessions + len(self.closing)

    def forget(self, connection: Timed) -> None:
        """Ask nothing of a session's connection any more, but that it closes."""
        self.opening.stop(connection)
        self.unfinished.stop(connection)
        self.awaiting.stop(connection)
        self.pings.leave(connection)

    def tick(self, now: float) -> None:
        """Do what is due."""
        self.now = now
        for overdue in self.requests.expired(now):
            overdue.request_overdue()
        for applicant in self.opening.expired(now):
            applicant.opening_overdue()
        for unfinished in self.unfinished.expired(now):
            unfinished.message_overdue()
        for silent in self.awaiting.expired(now):
            silent.pong_missed()
        for closing in self.closing.expired(now):
            closing.cut()
        for connection in self.pings.tick():
            connection.ping_due()
            self.awaiting.start(connection, now)
