"""What is kept about calls beside the switch: how each looks, where it is, and what the switch does not know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.model import ParticipantState
from bridge.calls.simulator.desks import Event, Notification

if TYPE_CHECKING:
    from bridge.calls.model import Call


class CallRecords:
    """All calls that an agent is in, by id; what is noted about one is forgotten with it.

    ``routed`` are those that came from a queue; ``controllers`` are who began each conference, by extension;
    ``wrap_ups`` what an agent said about the call.
    """

    def __init__(self) -> None:
        self.routed: set[str] = set()
        self.controllers: dict[str, str] = {}
        self.wrap_ups: dict[str, str] = {}
        self._calls: dict[str, Call] = {}
        self._places: dict[str, set[str]] = {}

    def keep(self, told: Notification) -> None:
        """Note what an agent is told about a call."""
        dialog = told.call.id
        places = self._places.setdefault(dialog, set())
        if told.event is not Event.DELETE:
            places.add(told.extension)
            self._calls[dialog] = told.call
            return
        places.discard(told.extension)
        if not places:
            self._forget(dialog)

    def call(self, dialog: str) -> Call | None:
        """Return a call as it looks now, ``None`` if no agent is in it."""
        return self._calls.get(dialog)

    def place(self, dialog: str) -> str:
        """Return the extension of some agent who is in that call."""
        return min(self._places[dialog])

    def again(self, dialog: str) -> tuple[Notification, ...]:
        """Tell all agents of a call how it looks, though the switch sees no change."""
        call = self._calls[dialog]
        return tuple(Notification(Event.PUT, place, call) for place in sorted(self._places[dialog]))

    def ringing_longest(self, address: str) -> str | None:
        """Return the call that has been ringing at that address longest, ``None`` if none does."""
        ringing = [
            (party.start_time, dialog)
            for dialog, call in self._calls.items()
            if (party := call.participant(address)) is not None and party.state is ParticipantState.ALERTING
        ]
        return min(ringing)[1] if ringing else None

    def with_party(self, address: str) -> list[str]:
        """Return the calls that this address is in."""
        return [dialog for dialog, call in self._calls.items() if call.participant(address) is not None]

    def _forget(self, dialog: str) -> None:
        del self._places[dialog], self._calls[dialog]
        self.controllers.pop(dialog, None)
        self.wrap_ups.pop(dialog, None)
        self.routed.discard(dialog)
