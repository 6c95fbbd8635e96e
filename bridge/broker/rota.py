"""One timer for many: members are spread over the seconds of an interval, and each second one group is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

Member = TypeVar("Member")


class Rota(Generic[Member]):
    """Members take turns; each is due once per ``slots`` ticks."""

    def __init__(self, slots: int) -> None:
        self._slots: list[dict[Member, None]] = [{} for _ in range(max(slots, 1))]
        self._place: dict[Member, int] = {}
        self._now = 0

    def __len__(self) -> int:
        return len(self._place)

    def join(self, member: Member) -> None:
        """Become due a full interval from now."""
        self._place[member] = self._now
        self._slots[self._now][member] = None

    def leave(self, member: Member) -> None:
        """Never be due again; harmless for who is not in."""
        place = self._place.pop(member, None)
        if place is not None:
            del self._slots[place][member]

    def tick(self) -> Iterable[Member]:
        """Go on by one slot and give who is due now."""
        self._now = (self._now + 1) % len(self._slots)
        return tuple(self._slots[self._now])
