"""Which ids were used, with which content, and what came of them."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from bridge.protocol import strict_json

if TYPE_CHECKING:
    from bridge.broker.limits import Limits
    from bridge.broker.session import Session
    from bridge.protocol.address import Address
    from bridge.protocol.message import Encoded


def fingerprint(address: Address, data: Any) -> bytes:
    """Give 16 bytes that are equal for equal content: address and data after repair."""
    return blake2b(f"{address}\n".encode() + strict_json.canonical(data), digest_size=16).digest()


class Remembered:
    """One accepted message that had an id, or was a command."""

    __slots__ = ("address", "expires", "fingerprint", "offset", "outcome", "sender")

    def __init__(
        self, address: Address, offset: int, fingerprint: bytes, sender: Session | None, expires: float
    ) -> None:
        self.address = address
        self.offset = offset
        self.fingerprint = fingerprint
        self.sender = sender
        self.expires = expires
        self.outcome: Encoded | None = None


class Idempotency:
    """The ids of one workspace, bounded in number and age. A command is never forgotten before its outcome."""

    __slots__ = ("_limits", "_pending", "_settled")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        # An OrderedDict gives up its oldest entry in constant time; a dict walks over the places of all before it.
        self._settled: OrderedDict[str, Remembered] = OrderedDict()
        self._pending: dict[str, Remembered] = {}

    def __len__(self) -> int:
        return len(self._settled) + len(self._pending)

    @property
    def pending(self) -> int:
        """How many commands have no outcome yet."""
        return len(self._pending)

    def find(self, message_id: str, now: float) -> Remembered | None:
        """Return what is known of an id."""
        self.expire(now)
        return self._pending.get(message_id) or self._settled.get(message_id)

    def add(self, message_id: str, remembered: Remembered, now: float, *, command: bool) -> None:
        """Remember an accepted message; a command stays until it is settled, whatever the bounds."""
        (self._pending if command else self._settled)[message_id] = remembered
        self.expire(now)

    def owes(self, message_id: str) -> bool:
        """Say whether a command with that id waits for its outcome."""
        return message_id in self._pending

    def owe(self, message_id: str, session: Session) -> None:
        """Note that a session asked for the same command again: it is owed the outcome if who asked first has gone."""
        remembered = self._pending.get(message_id)
        if remembered is not None and remembered.sender is None:
            remembered.sender = session

    def settle(self, message_id: str, outcome: Encoded, now: float) -> Session | None:
        """Note the outcome of an outstanding command. Return the session that sent it, if it is still there."""
        remembered = self._pending.pop(message_id)
        remembered.outcome = outcome
        remembered.expires = now + self._limits.idempotency_seconds
        self._settled[message_id] = remembered
        sender, remembered.sender = remembered.sender, None
        return sender

    def expire(self, now: float) -> None:
        """Forget the oldest ids that are too old or too many."""
        settled, most = self._settled, self._limits.idempotency_messages
        while settled:
            oldest = next(iter(settled))
            if len(self) <= most and settled[oldest].expires > now:
                return
            del settled[oldest]

    def leave(self, session: Session) -> None:
        """Note that a session has gone: it is owed no outcome any more, subscribers still get them."""
        for remembered in self._pending.values():
            if remembered.sender is session:
                remembered.sender = None
