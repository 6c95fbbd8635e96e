"""Whatever agents, parties and time do in whatever order, what the switch promises holds after each operation."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bridge.calls.model import Action, Call, CallState, ParticipantState
from bridge.calls.simulator.errors import SwitchError
from bridge.calls.simulator.exchange import CALLS_PER_AGENT, FIRST_ID
from bridge.calls.simulator.switch import PARTIES_PER_CALL, Switch
from bridge.calls.states import allowed_actions, leads_to
from tests.calls.simulator.switch_story import ANNA, BAD, BEN, BUSY, CARL, COLLEAGUE, CUSTOMER, me, ticking_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.simulator.desks import Notification

AGENTS = (ANNA, BEN, CARL)
AGENT = st.sampled_from(AGENTS)
# Customers and colleagues come back, so that one address stands in several calls.
STRANGERS = (CUSTOMER, COLLEAGUE)
NUMBERS = (*AGENTS, *STRANGERS, BUSY, BAD)
STRANGER = st.sampled_from(STRANGERS)
NUMBER = st.sampled_from(NUMBERS)
PICK = st.integers(0, 65535)
CALL_DATA = st.dictionaries(st.sampled_from(("callVariable1", "user.a")), st.sampled_from("ab"), min_size=1)
DIALS = {Action.CONSULT_CALL, Action.TRANSFER_SST}
JOINS = {Action.TRANSFER, Action.CONFERENCE}
# What is possible seldom is done whenever it is; most calls would end before anything happened to them otherwise.
WEIGHTS = dict.fromkeys(Action, 3) | {Action.TRANSFER: 9, Action.CONFERENCE: 9, Action.DROP: 1, Action.SEND_DTMF: 1}


class AnySwitch(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.switch = Switch(now=ticking_clock())
        self.signed_in = set(AGENTS)
        for agent in AGENTS:
            self.switch.sign_in(agent)
        # What each agent would believe who has followed the notifications only.
        self.believed: dict[str, dict[str, Call]] = {agent: {} for agent in AGENTS}
        self.ids: set[str] = set()
        self.newest = FIRST_ID - 1
        # Everybody is talking from the start: what is rare needs calls that live.
        for agent in AGENTS:
            self.follow(self.switch.offer(agent, CUSTOMER))
            self.follow(self.switch.party_answer(agent, agent))

    # What happens

    @rule(agent=AGENT)
    def come_or_go(self, agent: str) -> None:
        if agent not in self.signed_in:
            self.switch.sign_in(agent)
            self.signed_in.add(agent)
        elif not self.believed[agent]:
            self.switch.sign_out(agent)
            self.signed_in.remove(agent)

    @rule(agent=AGENT, stranger=STRANGER)
    def offer(self, agent: str, stranger: str) -> None:
        if agent in self.signed_in and len(self.believed[agent]) < CALLS_PER_AGENT:
            self.follow(self.switch.offer(agent, stranger))

    @rule(agent=AGENT, number=NUMBER)
    def make_call(self, agent: str, number: str) -> None:
        silent = not any(self.is_active(call, agent) for call in self.believed[agent].values())
        room = len(self.believed[agent]) < CALLS_PER_AGENT
        self.attempt(
            agent, Action.MAKE_CALL, None, number, legal=agent in self.signed_in and number != agent and silent and room
        )

    @precondition(lambda self: any(self.believed.values()))
    @rule(pick=PICK, number=NUMBER, data=CALL_DATA)
    def do_what_is_listed(self, pick: int, number: str, data: dict[str, str]) -> None:
        listed = [
            (agent, call, action)
            for agent, call in self.each()
            for action in me(call, agent).actions
            for _ in range(WEIGHTS[action])
        ]
        agent, call, action = listed[pick % len(listed)]
        if action not in DIALS or number != agent:
            self.attempt(agent, action, call, number, data, legal=self.has_no_obstacle(agent, action, call, number))

    @precondition(lambda self: any(self.believed.values()))
    @rule(pick=PICK, number=NUMBER)
    def consult_somebody_who_answers(self, pick: int, number: str) -> None:
        agent, call = self.pick(pick)
        room = len(self.believed[agent]) < CALLS_PER_AGENT
        if Action.CONSULT_CALL not in me(call, agent).actions or number in {agent, BUSY, BAD} or not room:
            return
        self.follow(self.switch.act(agent, Action.CONSULT_CALL, call.id, to_address=number))
        consult = list(self.believed[agent])[-1]
        while consult in self.switch.dialling:
            self.follow(self.switch.advance(consult))
        if self.believed[agent][consult].state is CallState.ALERTING:
            self.follow(self.switch.party_answer(number, agent))

    @precondition(lambda self: any(self.believed.values()))
    @rule(pick=PICK, action=st.sampled_from(Action), number=NUMBER, data=CALL_DATA)
    def do_what_is_not_listed(self, pick: int, action: Action, number: str, data: dict[str, str]) -> None:
        agent, call = self.pick(pick)
        if action is not Action.MAKE_CALL and action not in me(call, agent).actions:
            self.attempt(agent, action, call, number, data, legal=False)

    @precondition(lambda self: self.switch.dialling)
    @rule(pick=PICK)
    def time_passes(self, pick: int) -> None:
        dialling = sorted(self.switch.dialling)
        self.follow(self.switch.advance(dialling[pick % len(dialling)]))

    @precondition(lambda self: any(self.believed.values()))
    @rule(pick=PICK, which=PICK)
    def a_party_answers(self, pick: int, which: int) -> None:
        agent, call = self.pick(pick)
        address = call.participants[which % len(call.participants)].address
        rings = any(
            party.address == address and party.state is ParticipantState.ALERTING
            for other in self.believed[agent].values()
            for party in other.participants
        )
        try:
            self.follow(self.switch.party_answer(address, agent))
        except SwitchError:
            assert not rings
        else:
            assert rings

    @precondition(lambda self: any(self.believed.values()))
    @rule(pick=PICK, which=PICK, everywhere=st.booleans())
    def a_party_hangs_up(self, pick: int, which: int, everywhere: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
        agent, call = self.pick(pick)
        address = call.participants[which % len(call.participants)].address
        self.follow(self.switch.party_drop(address, agent, None if everywhere else call.id))

    # What holds

    @invariant()
    def whoever_followed_knows_the_truth(self) -> None:
        for agent in AGENTS:
            assert list(self.switch.calls_of(agent)) == list(self.believed[agent].values())

    @invariant()
    def all_agents_of_a_call_see_it_alike(self) -> None:
        seen: dict[str, Call] = {}
        for agent, call in self.each():
            assert seen.setdefault(call.id, call) == call
            assert me(call, agent).is_agent
            for party in call.participants:
                assert not party.is_agent or call.id in self.believed[party.address]

    @invariant()
    def actions_are_those_of_the_table(self) -> None:
        for agent, call in self.each():
            others = [other for other in self.believed[agent].values() if other.id != call.id]
            beside = any(self.is_active(other, agent) and other.state is CallState.ACTIVE for other in others)
            participant = me(call, agent)
            assert participant.actions == allowed_actions(participant.state, other_call_active=beside)
            held = participant.state is ParticipantState.HELD
            assert (set(participant.actions) >= JOINS) == (held and beside)
            assert all(not party.actions for party in call.participants if not party.is_agent)

    @invariant()
    def an_agent_speaks_in_one_call(self) -> None:
        for agent in AGENTS:
            assert sum(self.is_active(call, agent) for call in self.believed[agent].values()) <= 1

    @invariant()
    def bounds_are_kept_and_nobody_is_alone(self) -> None:
        for agent, call in self.each():
            assert len(self.believed[agent]) <= CALLS_PER_AGENT
            addresses = [party.address for party in call.participants]
            assert len(set(addresses)) == len(addresses) <= PARTIES_PER_CALL
            waiting = call.state in {CallState.INITIATING, CallState.INITIATED, CallState.FAILED}
            assert waiting == (len(addresses) == 1)
            states = {party.state for party in call.participants}
            assert ParticipantState.DROPPED not in states
            assert states != {ParticipantState.ALERTING}
            assert (call.id in self.switch.dialling) == (waiting and call.state is not CallState.FAILED)

    def check_all(self) -> None:
        self.whoever_followed_knows_the_truth()
        self.all_agents_of_a_call_see_it_alike()
        self.actions_are_those_of_the_table()
        self.an_agent_speaks_in_one_call()
        self.bounds_are_kept_and_nobody_is_alone()

    def teardown(self) -> None:
        for agent in AGENTS:
            for call in self.switch.calls_of(agent):
                if any(known.id == call.id for known in self.switch.calls_of(agent)):
                    self.follow(self.switch.party_drop(agent, agent, call.id))
        assert all(not calls for calls in self.believed.values())
        assert not self.switch.dialling
        for agent in self.signed_in:
            self.switch.sign_out(agent)

    # How it is looked at

    def attempt(
        self,
        agent: str,
        action: Action,
        call: Call | None,
        number: str,
        data: dict[str, str] | None = None,
        *,
        legal: bool,
    ) -> None:
        before = self.switch.calls_of(agent)
        try:
            notes = self.switch.act(
                agent, action, call.id if call else None, to_address=number, digits="1", variables=data
            )
        except SwitchError:
            assert not legal
            assert self.switch.calls_of(agent) == before
            return
        assert legal
        if call is not None:
            self.check_where_it_led(agent, action, call, notes)
        self.follow(notes)

    @staticmethod
    def check_where_it_led(agent: str, action: Action, call: Call, notes: tuple[Notification, ...]) -> None:
        last = [note for note in notes if note.extension == agent and note.call.id == call.id][-1:]
        state = me(last[0].call if last else call, agent).state
        assert state is leads_to(me(call, agent).state, action)

    def has_no_obstacle(self, agent: str, action: Action, call: Call, number: str) -> bool:
        """Say whether the documented exceptions to the table leave a listed action legal."""
        calls = self.believed[agent].values()
        match action:
            case Action.RETRIEVE:
                return not any(self.is_active(other, agent) for other in calls)
            case Action.CONSULT_CALL:
                return len(calls) < CALLS_PER_AGENT
            case Action.TRANSFER_SST:
                full = len(self.believed.get(number, ())) >= CALLS_PER_AGENT
                return number not in {BUSY, BAD} and call.participant(number) is None and not full
            case Action.TRANSFER | Action.CONFERENCE:
                active = next(other for other in calls if self.is_active(other, agent))
                together = {party.address for party in (*call.participants, *active.participants)}
                return len(together) - (action is Action.TRANSFER) <= PARTIES_PER_CALL
            case _:
                return True

    def follow(self, notes: tuple[Notification, ...]) -> None:
        for note in notes:
            calls, call = self.believed[note.extension], note.call
            match note.event.value:
                case "POST":
                    assert call.id not in calls
                    self.check_id(call.id)
                    calls[call.id] = call
                case "PUT":
                    assert calls[call.id] != call
                    calls[call.id] = call
                case "DELETE":
                    assert me(call, note.extension).state is ParticipantState.DROPPED
                    del calls[call.id]

    def check_id(self, call_id: str) -> None:
        """An id is new and greater than all before, or that of a call that goes on with another agent."""
        if call_id not in self.ids:
            assert call_id.isascii()
            assert call_id.isdigit()
            assert int(call_id) > self.newest
            self.ids.add(call_id)
            self.newest = int(call_id)
        else:
            assert any(call_id in (call.id for call in self.switch.calls_of(agent)) for agent in AGENTS)

    def each(self) -> list[tuple[str, Call]]:
        return [(agent, call) for agent, calls in self.believed.items() for call in calls.values()]

    def pick(self, index: int) -> tuple[str, Call]:
        each = self.each()
        return each[index % len(each)]

    @staticmethod
    def is_active(call: Call, agent: str) -> bool:
        return me(call, agent).state is ParticipantState.ACTIVE


AnySwitch.TestCase.settings = settings(max_examples=60, stateful_step_count=50, deadline=None)
TestAnySwitch = AnySwitch.TestCase


@pytest.mark.parametrize("seed", range(10))
def test_switch_on_a_long_walk(seed: int) -> None:
    """Hypothesis finds short stories; conferences of conferences need long ones."""
    chance = Random(seed)
    machine = AnySwitch()
    steps: list[tuple[int, Callable[[], object]]] = [
        (1, lambda: machine.come_or_go(agent=chance.choice(AGENTS))),
        (3, lambda: machine.offer(agent=chance.choice(AGENTS), stranger=chance.choice(STRANGERS))),
        (2, lambda: machine.make_call(agent=chance.choice(AGENTS), number=chance.choice(NUMBERS))),
        (15, lambda: machine.do_what_is_listed(pick=pick(), number=chance.choice(NUMBERS), data={"user.a": "b"})),
        (5, lambda: machine.consult_somebody_who_answers(pick=pick(), number=chance.choice(NUMBERS))),
        (
            3,
            lambda: machine.do_what_is_not_listed(
                pick=pick(), action=any_action(), number=chance.choice(NUMBERS), data={}
            ),
        ),
        (6, lambda: machine.switch.dialling and machine.time_passes(pick=pick())),
        (4, lambda: machine.a_party_answers(pick=pick(), which=pick())),
        (3, lambda: machine.a_party_hangs_up(pick=pick(), which=pick(), everywhere=chance.random() < 0.1)),
    ]

    def pick() -> int:
        return chance.randrange(65536)

    def any_action() -> Action:
        return chance.choice(list(Action))

    weights, moves = zip(*steps, strict=True)
    for _ in range(2000):
        (move,) = chance.choices(moves, weights)
        if any(machine.believed.values()) or move in moves[:3]:
            move()
        machine.check_all()
    machine.teardown()
