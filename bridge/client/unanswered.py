"""What was sent and waits for its answer. No I/O: replies go in, futures are resolved.

Nothing is ever sent twice from here. What was sent over a connection that was lost is *in doubt*: the client then asks
for it with ``Bridge/Command/Status`` until it is answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from bridge.client.errors import CommandFailed, CommandTimedOut, NotSent, OutcomeUnknown, RejectedError
from bridge.client.messages import Accepted, Completed, Message, Status, read_accepted
from bridge.protocol import control

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bridge.client.errors import BridgeError
    from bridge.client.pace import Pace

REMEMBERED_SECONDS = 290.0
"""A bridge remembers ids for 300 s by default (wire protocol section 5). After that, "unknown" says nothing."""

Told: TypeAlias = "Callable[[Accepted], object]"


@dataclass(slots=True, eq=False)
class Waiting:
    """One message without its answer: ``Accepted`` for a publish, the outcome for a command."""

    id: str
    command: bool
    sent_at: float
    epoch: str | None
    told: Told | None = None
    accepted: bool = False
    in_doubt: bool = False
    lost_at: float = 0.0
    answer: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def accept(self, accepted: Accepted) -> None:
        """Note that the bridge has taken it; callbacks run later, outside of the reader."""
        if not self.accepted and self.told is not None:
            asyncio.get_running_loop().call_soon(self.told, accepted)
        self.accepted = True
        if not self.command:
            self.resolve(accepted)

    def resolve(self, value: Any) -> None:
        """Give the answer."""
        if not self.answer.done():
            self.answer.set_result(value)

    def fail(self, error: BridgeError) -> None:
        """Give an error for an answer."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Unanswered:
    """All messages of one client that wait for an answer, by id."""

    def __init__(self) -> None:
        self._waiting: dict[str, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> None:
        """Begin to wait.

        Raises:
            ValueError: One with this id waits already.
        """
        if waiting.id in self._waiting:
            raise ValueError(f"a message with the id {waiting.id!r} still waits for its answer")
        self._waiting[waiting.id] = waiting

    def forget(self, waiting: Waiting) -> None:
        """Cease to wait."""
        if self._waiting.get(waiting.id) is waiting:
            del self._waiting[waiting.id]

    @property
    def in_doubt(self) -> tuple[str, ...]:
        """Ids to ask for."""
        return tuple(w.id for w in self._waiting.values() if w.in_doubt and not w.answer.done())

    def accepted(self, message_id: str, data: Mapping[str, Any]) -> None:
        """Take ``Bridge/Message/Accepted``.

        A duplicate's outcome goes to the session that sent it first: unless it came along, it has to be asked for.
        """
        waiting = self._waiting.get(message_id)
        if waiting is None:
            return
        accepted = read_accepted(message_id, data)
        waiting.accept(accepted)
        if waiting.command and accepted.outcome is not None:
            self.outcome(accepted.outcome)
        elif waiting.command and accepted.duplicate:
            waiting.in_doubt = True

    def rejected(self, message_id: str, data: Mapping[str, Any]) -> None:
        """Take ``Bridge/Message/Rejected``."""
        waiting = self._waiting.get(message_id)
        if waiting is not None:
            waiting.fail(RejectedError(message_id, data))

    def outcome(self, outcome: Message) -> None:
        """Take an outcome, on whichever way it came. Others' outcomes are ignored."""
        waiting = self._waiting.get(outcome.correlation_id or "")
        if waiting is None or not waiting.command:
            return
        if outcome.address == control.COMPLETED:
            data = outcome.data
            completed = Completed(waiting.id, data["address"], data.get("call"), data.get("consultCall"), outcome)
            waiting.resolve(completed)
        elif outcome.address == control.FAILED:
            waiting.fail(CommandFailed(waiting.id, outcome))
        else:
            waiting.fail(CommandTimedOut(waiting.id, outcome))

    def connection_lost(self, now: float) -> None:
        """Put all in doubt: their answers may have been on the way."""
        for waiting in self._waiting.values():
            if not waiting.in_doubt:
                waiting.in_doubt = True
                waiting.lost_at = now

    def status(self, status: Status, epoch: str | None, pace: Pace) -> None:
        """Take the answer to a question for one in doubt. ``epoch`` is that of the workspace's stream as it is now."""
        waiting = self._waiting.get(status.id)
        if waiting is None or waiting.answer.done():
            return
        if not status.known:
            self._unknown(waiting, epoch, pace)
            return
        waiting.accept(Accepted(status.id, status.offset or 0))
        if status.outcome is not None:
            self.outcome(status.outcome)

    def give_up(self, why: str) -> None:
        """End all: there will be no answers any more."""
        for waiting in self._waiting.values():
            waiting.fail(OutcomeUnknown(waiting.id, why))

    @staticmethod
    def _unknown(waiting: Waiting, epoch: str | None, pace: Pace) -> None:
        """Say what it means that the bridge does not know an id. ``NotSent`` only where that is certain."""
        now = pace.monotonic()
        if waiting.epoch is None or waiting.epoch != epoch:
            waiting.fail(OutcomeUnknown(waiting.id, "the bridge has lost what it remembered (new epoch)"))
        elif waiting.accepted or now - waiting.sent_at > REMEMBERED_SECONDS:
            waiting.fail(OutcomeUnknown(waiting.id, "the bridge does not remember it any more"))
        elif now - waiting.lost_at >= pace.settle:
            waiting.fail(NotSent(waiting.id))
