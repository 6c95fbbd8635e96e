"""Who publishes without a session: servers, over HTTP; to one workspace, or to all that there are."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from bridge.broker.policy import EVERY_WORKSPACE, Permissions, may_enter
from bridge.broker.publishing import Guest, name, too_fast
from bridge.broker.rate import Bucket
from bridge.protocol.catalogue import Kind
from bridge.protocol.errors import Code, Rejection
from bridge.protocol.message import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.broker.clock import Clock
    from bridge.broker.directory import Directory
    from bridge.broker.identity import Identity
    from bridge.broker.observer import Observer
    from bridge.broker.publishing import Checked, Publishing
    from bridge.broker.workspace import Workspace
    from bridge.protocol.message import Message

ABSENT = 1000
"""Workspaces that do not exist whose rate is remembered."""

REACHED_AT_ONCE = 100
"""So many workspaces get a site-wide notice in one step: some milliseconds, in which no other message waits."""


class Guests:
    """Publishes messages that come without a session. Those to one workspace share a rate, and so do site-wide ones.

    Whoever has no business there has no part in that rate either: all such strangers share one of their own, so that a
    token for one workspace does not keep those of another from publishing.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        publishing: Publishing,
        workspaces: Directory,
        observer: Observer,
        new_id: Callable[[], str],
    ) -> None:
        self._clock = clock
        self._publishing = publishing
        self._workspaces = workspaces
        self._observer = observer
        self._new_id = new_id
        self._notices = self._bucket(clock.monotonic())
        self._strangers = self._bucket(clock.monotonic())
        # Workspaces that are not there and were spoken to, the latest last.
        self._absent: OrderedDict[str, Bucket] = OrderedDict()

    def publish(self, workspace: str, identity: Identity, text: str) -> tuple[str, dict[str, Any]]:
        """Take one message. Return its id and the body of ``Accepted``.

        Raises:
            Rejection: The message is refused.
        """
        message = None
        try:
            guests = self._slow_down(workspace, identity, text)
            message = self._read(text)
            guest = Guest(identity, Permissions(identity, workspace))
            checked = self._check(guest, message)
            room = self._enter(workspace, guests)
            accepted = self._publishing.publish(room, guest, message, checked, self._clock.monotonic())
            assert accepted is not None  # noqa: S101 for the type checker: it has an id
            return str(message.id), accepted
        except Rejection as rejection:
            self._tell(workspace, identity, rejection, message)
            raise

    def announce(self, identity: Identity, text: str) -> Notice:
        """Take one message for every workspace that there is; it goes out as the notice is driven on.

        Raises:
            Rejection: The message is refused.
        """
        message = None
        try:
            self._slow_down(EVERY_WORKSPACE, identity, text)
            message = self._read(text)
            guest = Guest(identity, Permissions(identity, EVERY_WORKSPACE))
            checked = self._check(guest, message)
            if self._publishing.draining:
                raise Rejection(Code.UNAVAILABLE, "the bridge is stopping")
        except Rejection as rejection:
            self._tell(EVERY_WORKSPACE, identity, rejection, message)
            raise

        def reach(room: Workspace) -> None:
            self._publishing.publish(room, guest, message, checked, self._clock.monotonic())

        return Notice(str(message.id), list(self._workspaces), reach)

    def _read(self, text: str) -> Message:
        message = decode(text, strict=self._publishing.limits.strict)
        message.id = message.id or self._new_id()
        return message

    def _check(self, guest: Guest, message: Message) -> Checked:
        checked = self._publishing.check(guest.permissions, message)
        if checked.entry is not None and checked.entry.kind is Kind.CONTROL:
            raise Rejection(Code.RESERVED_CHANNEL, f"{message.address} needs a session")
        return checked

    def _slow_down(self, workspace: str, identity: Identity, text: str) -> Bucket:
        """Let those who publish to a workspace without a session share one rate. Return it."""
        now = self._clock.monotonic()
        bucket = self._rate(workspace, identity, now)
        if wait := bucket.take(now):
            raise too_fast(self._publishing.limits, text, wait)
        return bucket

    def _rate(self, workspace: str, identity: Identity, now: float) -> Bucket:
        if identity.grant is not None and not may_enter(identity.grant, workspace):
            return self._strangers
        if workspace == EVERY_WORKSPACE:
            return self._notices
        room = self._workspaces.find(workspace)
        return room.guests if room is not None else self._of_absent(workspace, now)

    def _of_absent(self, workspace: str, now: float) -> Bucket:
        """Give the rate of a workspace that is not there: what is refused makes none, and is not to be free."""
        bucket = self._absent.pop(workspace, None) or self._bucket(now)
        self._absent[workspace] = bucket
        if len(self._absent) > ABSENT:
            self._absent.popitem(last=False)
        return bucket

    def _bucket(self, now: float) -> Bucket:
        limits = self._publishing.limits
        return Bucket(limits.messages_per_second, limits.messages_burst, now)

    def _enter(self, workspace: str, guests: Bucket) -> Workspace:
        """Find or make the workspace, only now: what is refused shall not cost another workspace its place."""
        if self._publishing.draining:
            raise Rejection(Code.UNAVAILABLE, "the bridge is stopping")
        room = self._workspaces.enter(workspace, guests)
        self._absent.pop(workspace, None)
        if room is None:
            raise Rejection(Code.UNAVAILABLE, f"MAX_WORKSPACES ({self._publishing.limits.max_workspaces}) is reached")
        return room

    def _tell(self, workspace: str, identity: Identity, rejection: Rejection, message: Message | None) -> None:
        name(rejection, message)
        self._observer.rejected(workspace, identity, rejection, message)


class Notice:
    """A site-wide notice on its way.

    Attributes:
        id: Of its message, the same in every workspace: sent again, it reaches those that it did not reach.
        workspaces: How many have it, or had it already.
    """

    def __init__(self, message_id: str, rooms: list[Workspace], reach: Callable[[Workspace], None]) -> None:
        self.id = message_id
        self.workspaces = 0
        self._rooms = rooms
        self._reach = reach

    def go_on(self) -> bool:
        """Reach some more. Return whether there are others.

        Where the bridge stops meanwhile, or the id was used for something else, that workspace does not count.
        """
        some, self._rooms = self._rooms[:REACHED_AT_ONCE], self._rooms[REACHED_AT_ONCE:]
        for room in some:
            try:
                self._reach(room)
            except Rejection:
                continue
            self.workspaces += 1
        return bool(self._rooms)
