"""A switch with a clock that ticks at each look, and short words for what the stories tell."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

import pytest

from bridge.calls.model import Action, Call, Participant, ParticipantState
from bridge.calls.simulator.errors import SwitchError
from bridge.calls.simulator.switch import Switch

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.simulator.desks import Notification

ANNA, BEN, CARL = "5069", "5070", "5071"
CUSTOMER = "+15550100"
COLLEAGUE = "5080"  # nobody is signed in there
BUSY, BAD = "5090", "5091"


def ticking_clock() -> Callable[[], str]:
    ticks = count()

    def now() -> str:
        tick = next(ticks)
        return f"2026-01-01T{tick // 3600000:02}:{tick // 60000 % 60:02}:{tick // 1000 % 60:02}.{tick % 1000:03}Z"

    return now


def told(notifications: tuple[Notification, ...]) -> list[tuple[str, str, str]]:
    """What was told: event, to whom, state of that agent's participant."""
    return [(note.event.value, note.extension, me(note.call, note.extension).state.value) for note in notifications]


def me(call: Call, address: str) -> Participant:
    participant = call.participant(address)
    assert participant is not None
    return participant


class Story:
    """Anna, Ben and Carl are signed in."""

    def __init__(self) -> None:
        self.switch = Switch(now=ticking_clock())
        for extension in (ANNA, BEN, CARL):
            self.switch.sign_in(extension)

    def offered(self, extension: str = ANNA, customer: str = CUSTOMER) -> str:
        return self.switch.offer(extension, customer)[0].call.id

    def talking(self, extension: str = ANNA, customer: str = CUSTOMER) -> str:
        call = self.offered(extension, customer)
        self.switch.act(extension, Action.ANSWER, call)
        return call

    def rung(self, call: str) -> str:
        """Let a dialled call come to the end of its dialling."""
        while call in self.switch.dialling:
            self.switch.advance(call)
        return call

    def dials(self, extension: str, to_address: str) -> str:
        self.switch.act(extension, Action.MAKE_CALL, to_address=to_address)
        return self.rung(self.switch.calls_of(extension)[-1].id)

    def consults(self, call: str, to_address: str, extension: str = ANNA) -> str:
        self.switch.act(extension, Action.CONSULT_CALL, call, to_address=to_address)
        return self.rung(self.switch.calls_of(extension)[-1].id)

    def consulting(self, call: str, to_address: str = BEN, extension: str = ANNA) -> str:
        """A consult call that has been answered."""
        consult = self.consults(call, to_address, extension)
        self.switch.party_answer(to_address, extension)
        return consult

    def call(self, extension: str, call: str) -> Call:
        return next(found for found in self.switch.calls_of(extension) if found.id == call)

    def calls(self, extension: str) -> list[str]:
        return [call.id for call in self.switch.calls_of(extension)]

    def state(self, extension: str, call: str) -> ParticipantState:
        return me(self.call(extension, call), extension).state

    def actions(self, extension: str, call: str) -> tuple[Action, ...]:
        return me(self.call(extension, call), extension).actions

    def refused(self, extension: str, action: Action, call: str | None = None, **arguments: str) -> SwitchError:
        """The refusal, after making sure that it changed nothing."""
        before = [self.switch.calls_of(agent) for agent in (ANNA, BEN, CARL)]
        with pytest.raises(SwitchError) as refusal:
            self.switch.act(
                extension, action, call, to_address=arguments.get("to_address"), digits=arguments.get("digits")
            )
        assert [self.switch.calls_of(agent) for agent in (ANNA, BEN, CARL)] == before
        return refusal.value
