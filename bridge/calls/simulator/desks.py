"""Which calls lie on which agent's desk, and what each agent is told about them.

Only agents are told, each about its own calls: ``POST`` when a call comes to the desk, ``PUT`` when it looks different,
``DELETE`` when it leaves (Finesse developer guide, "Dialogs notification"). A call lies nowhere but on desks: one that
no agent is in any more is gone by that alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.calls.model import Call, CallState, ParticipantState
from bridge.calls.states import allowed_actions

if TYPE_CHECKING:
    from bridge.calls.model import Action
    from bridge.calls.simulator.dialog import Dialog, Party


class Event(StrEnum):
    """What happened to a call, as its agent sees it."""

    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class Notification:
    """One agent is told about one of its calls; with ``DELETE``, ``call`` is how it looked last."""

    event: Event
    extension: str
    call: Call


class Desks:
    """The desks of all signed-in agents, and the notifications of the operation that is under way."""

    def __init__(self) -> None:
        # The calls of each signed-in agent by id, in the order in which they came.
        self._desks: dict[str, dict[str, Dialog]] = {}
        # What the operation under way has told so far, and whom it concerned (as an ordered set).
        self._told: list[Notification] = []
        self._concerned: dict[str, None] = {}

    def __contains__(self, extension: str) -> bool:
        return extension in self._desks

    def open(self, extension: str) -> None:
        """Give an agent an empty desk."""
        self._desks[extension] = {}

    def close(self, extension: str) -> None:
        """Take an agent's desk away."""
        del self._desks[extension]

    def dialogs(self, extension: str) -> list[Dialog]:
        """Return the calls on an agent's desk, the oldest first."""
        return list(self._desks[extension].values())

    def dialog(self, extension: str, call_id: str | None) -> Dialog | None:
        """Return one call on an agent's desk, ``None`` if it is not there."""
        return self._desks[extension].get(call_id or "")

    def active(self, extension: str, *, beside: Dialog | None = None) -> Dialog | None:
        """Return the call in which the agent is ACTIVE, other than ``beside``; there is one at most."""
        for dialog in self._desks[extension].values():
            if dialog is not beside and dialog.agent(extension).state is ParticipantState.ACTIVE:
                return dialog
        return None

    def actions(self, dialog: Dialog, party: Party) -> tuple[Action, ...]:
        """Return what a party may do; those who are no agents have no actions."""
        if not party.is_agent:
            return ()
        other = self.active(party.address, beside=dialog)
        return allowed_actions(party.state, other_call_active=other is not None and other.state is CallState.ACTIVE)

    def snapshot(self, dialog: Dialog) -> Call:
        """Give a call as it looks now, the actions of all its agents included."""
        return dialog.snapshot(tuple(party.snapshot(self.actions(dialog, party)) for party in dialog.parties))

    def place(self, dialog: Dialog) -> None:
        """Put a call on the desks of all its agents, without telling them yet."""
        for extension in dialog.agents():
            self._desks[extension][dialog.id] = dialog

    def tell(self, dialog: Dialog) -> None:
        """Tell all agents of a call how it looks, except those who have seen it so."""
        call = self.snapshot(dialog)
        for extension in dialog.agents():
            self._concerned[extension] = None
            seen = dialog.told.get(extension)
            if seen != call:
                self._told.append(Notification(Event.PUT if seen else Event.POST, extension, call))
                dialog.told[extension] = call

    def remove(self, dialog: Dialog, extension: str) -> None:
        """Take a call from an agent's desk and tell the agent how it looked last."""
        self._concerned[extension] = None
        self._told.append(Notification(Event.DELETE, extension, self.snapshot(dialog)))
        del self._desks[extension][dialog.id]
        del dialog.told[extension]

    def take(self) -> tuple[Notification, ...]:
        """End the operation: tell what it changed in further calls of those concerned, and return everything told.

        An agent's calls depend on one another: what may be done with a held one follows from whether another is ACTIVE.
        """
        concerned, self._concerned = self._concerned, {}
        for extension in concerned:
            for dialog in self.dialogs(extension):
                self.tell(dialog)
        self._concerned.clear()
        told, self._told = self._told, []
        return tuple(told)
