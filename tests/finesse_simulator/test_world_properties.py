"""Whatever is done to the world: what agents are told adds up to the truth, and every request has its end."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bridge.calls.model import Action
from bridge.calls.simulator.errors import SwitchError
from bridge.finesse_simulator.accounts import Accounts
from bridge.finesse_simulator.faults import Faults
from bridge.finesse_simulator.journal import Journal
from bridge.finesse_simulator.lanes import Later
from bridge.finesse_simulator.orders import CallOrder, StateOrder
from bridge.finesse_simulator.profile import PROFILES, Platform
from bridge.finesse_simulator.world import World
from tests.finesse_simulator.timers import Time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.finesse_simulator.notices import Notice

AGENTS = ("1001001", "1001002", "1001003")
NUMBERS = (*AGENTS, "5070", "5090", "5091")
REACTION = 1.0

agents = st.sampled_from(AGENTS)
numbers = st.sampled_from(NUMBERS)
calls = st.integers(0, 5)


class Story(RuleBasedStateMachine):
    """Agents who ask for anything at any time, and customers who call."""

    @initialize(platform=st.sampled_from(Platform))
    def open(self, platform: Platform) -> None:
        self.time = Time()
        self.journal = Journal()
        self.pictures: dict[str, dict[str, Any]] = defaultdict(dict)
        self.states: dict[str, str] = dict.fromkeys(AGENTS, "LOGOUT")
        self.errors = 0
        self.world = World(
            accounts=Accounts(len(AGENTS), clock=lambda: self.time.now),
            profile=PROFILES[platform],
            faults=Faults(),
            publish=self.publish,
            later=Later(self.time.call_later),
            now=lambda: f"2026-01-01T00:00:{self.time.now:07.3f}Z",
            reaction_seconds=REACTION,
        )
        for agent in AGENTS:
            self.ask(agent, StateOrder("LOGIN", agent))
        self.time.pass_by(REACTION)

    def publish(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            data = ET.fromstring(str(notice.data))  # noqa: S314 our own
            picture = self.pictures[notice.user]
            match data.tag:
                case "user":
                    self.states[notice.user] = data.findtext("state") or ""
                case "apiErrors":
                    self.errors += 1
                case "dialog":
                    assert notice.event == "PUT"
                    assert data.findtext("id") in picture
                    picture[data.findtext("id") or ""] = told(data)
                case "dialogs":
                    (dialog,) = data
                    call = dialog.findtext("id") or ""
                    assert (notice.event, call in picture) in {("POST", False), ("DELETE", True)}
                    picture[call] = told(dialog)
                    if notice.event == "DELETE":
                        del picture[call]

    def ask(self, agent: str, order: CallOrder | StateOrder) -> None:
        self.world.order(order, self.journal.begin(0, agent, order, "id"))

    def some_call(self, agent: str, place: int) -> str:
        """Give one of the agent's calls, or one that is nobody's."""
        known = list(self.pictures[agent])
        return known[place] if place < len(known) else "4711"

    @rule(agent=agents, caller=st.sampled_from(("+1", "+2")))
    def customer_calls(self, agent: str, caller: str) -> None:
        if self.world.seats[agent].signed_in:
            self.world.offer(agent, caller)

    @rule(agent=agents, place=calls, action=st.sampled_from(Action), number=numbers)
    def agent_acts(self, agent: str, place: int, action: Action, number: str) -> None:
        if action is Action.MAKE_CALL:
            order = CallOrder(action, to_address=number)
        else:
            order = CallOrder(
                action,
                self.some_call(agent, place),
                target=agent,
                to_address=number,
                digits="1",
                variables={"callVariable1": number},
            )
        self.ask(agent, order)

    @rule(agent=agents, place=calls, reason=st.sampled_from(("sold", "lost")))
    def agent_wraps_up(self, agent: str, place: int, reason: str) -> None:
        self.ask(agent, CallOrder(Action.UPDATE_CALL_DATA, self.some_call(agent, place), wrap_up=reason))

    @rule(agent=agents, state=st.sampled_from(("LOGIN", "READY", "NOT_READY", "LOGOUT")))
    def agent_changes_state(self, agent: str, state: str) -> None:
        self.ask(agent, StateOrder(state, agent if state == "LOGIN" else ""))

    @rule(agent=agents)
    def agent_is_put_out(self, agent: str) -> None:
        self.world.force_out(agent)

    @rule(party=st.sampled_from((*NUMBERS, "+1", "+2")), answers=st.booleans())
    def party_acts(self, party: str, answers: bool) -> None:  # noqa: FBT001 hypothesis gives it by name
        try:
            if answers:
                self.world.party_answer(party)
            else:
                self.world.party_drop(party)
        except SwitchError:
            pass  # nothing rings there, or nobody is there

    @rule(seconds=st.sampled_from((0.5, 1.0, 3.0, 20.0)))
    def time_passes(self, seconds: float) -> None:
        self.time.pass_by(seconds)

    @invariant()
    def what_was_told_is_true(self) -> None:
        for entry in self.world.to_json().values():
            agent = entry["username"]
            assert self.states[agent] == entry["state"]
            truth = {
                call["id"]: (call["state"], [(party["address"], party["state"]) for party in call["participants"]])
                for call in entry["dialogs"]
            }
            assert self.pictures[agent] == truth

    def teardown(self) -> None:
        self.time.pass_by(1000 * REACTION)
        entries = self.journal.to_json()
        assert {entry["outcome"] for entry in entries} <= {"done", "refused"}
        assert self.errors == sum(entry["outcome"] == "refused" for entry in entries)
        self.what_was_told_is_true()


def told(dialog: ET.Element) -> tuple[str, list[tuple[str, str]]]:
    parties = [
        (party.findtext("mediaAddress") or "", party.findtext("state") or "") for party in dialog.iter("Participant")
    ]
    return dialog.findtext("state") or "", parties


TestStory = Story.TestCase
