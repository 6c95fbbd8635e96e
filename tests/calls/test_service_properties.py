"""Random desks on a switch that misbehaves at random: what must hold whatever happens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.calls.adapter import Failure
from bridge.calls.simulator.script import FAULTLESS, Script
from tests.calls.world import World, is_outcome

if TYPE_CHECKING:
    from bridge.calls.adapter import Request
    from tests.calls.world import Message, Widget

WORKSPACES = ("demo", "5070")
EXTENSIONS = {"demo": "5069", "5070": "5070"}
ON_CALL = ("SetANSWER", "SetHOLD", "SetRETRIEVE", "SetDROP", "SetTRANSFER", "SetCONFERENCE")
NUMBERS = ("5069", "5070", "5090", "5091", "7000")
REFUSED = Failure("Generic Error", "CF_RESOURCE_BUSY")
SCRIPTS = (
    FAULTLESS,
    FAULTLESS,
    FAULTLESS,
    Script(lose=True),
    Script(ignore=True),
    Script(fail=REFUSED),
    Script(refuse_late=REFUSED),
    Script(mute=True),
    Script(duplicate=True),
    Script(stall=True),
    Script(delay=0.5),
    Script(delay=12),
    Script(delay=12, duplicate=True),
)
COMMAND_SECONDS = 10
LONGEST = 31 + 2 + 12 + 5
"""Seconds after which nothing may be outstanding: the longest time-out, the re-read, the longest delay, some steps."""


class Desks(RuleBasedStateMachine):
    """Two agents on one switch, each with a witness that sees everything."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: dict[str, Script] = {}
        self.next_script = FAULTLESS
        self.world = World(script=self.script_for)
        self.witnesses: dict[str, Widget] = {}
        self.accepted: dict[str, list[str]] = {name: [] for name in WORKSPACES}
        self.away: list[tuple[str, str, int]] = []

    @property
    def slow_switch(self) -> bool:
        """Whether some request was answered so late, or never, that those behind it could miss their turn."""
        scripts = self.scripts.values()
        return any(script.lose for script in scripts) or sum(script.delay for script in scripts) > COMMAND_SECONDS - 2

    def script_for(self, request: Request) -> Script:
        return self.scripts.setdefault(request.id, self.next_script)

    @initialize()
    def people_sit_down(self) -> None:
        for name in WORKSPACES:
            self.witnesses[name] = self.world.widget(name, "*")
            self.witnesses[name].session.bucket._rate = 0

    def send(self, name: str, address: str, data: Any, widget: Widget | None = None) -> Message:
        """Send and return the reply; remember accepted commands."""
        sender = widget or self.witnesses[name]
        message_id = sender.send(address, data)
        replies = [m for m in sender.messages if m.get("correlationId") == message_id and m["topic"] == "Message"]
        assert len(replies) == 1
        if replies[0]["subtopic"] == "Accepted":
            self.accepted[name].append(message_id)
        return replies[0]

    @rule(script=st.sampled_from(SCRIPTS))
    def the_switch_changes_its_mood(self, script: Script) -> None:
        self.next_script = script

    @rule(name=st.sampled_from(WORKSPACES))
    def a_customer_calls(self, name: str) -> None:
        self.send(name, "Simulator/Call/Offer", {"fromAddress": "+15550100"})

    @rule(name=st.sampled_from(WORKSPACES), address=st.sampled_from((*NUMBERS, "+15550100")), answers=st.booleans())
    def a_party_acts(self, name: str, address: str, *, answers: bool) -> None:
        self.send(name, f"Simulator/Party/{'Answer' if answers else 'Drop'}", {"address": address})

    @rule(name=st.sampled_from(WORKSPACES), to=st.sampled_from(NUMBERS))
    def an_agent_dials(self, name: str, to: str) -> None:
        self.send(name, "Cisco/OutboundCall/SetMakeCall", {"toAddress": to})

    @rule(
        name=st.sampled_from(WORKSPACES),
        subtopic=st.sampled_from((*ON_CALL, "SetCONSULT", "SetTRANSFER_SST")),
        pick=st.integers(0, 5),
        to=st.sampled_from(NUMBERS),
        leaves=st.booleans(),
    )
    def an_agent_acts(self, name: str, subtopic: str, pick: int, to: str, *, leaves: bool) -> None:
        calls = self.witnesses[name].calls()
        if not calls:
            return
        call = calls[sorted(calls)[pick % len(calls)]]
        data = {"MediaAddress": EXTENSIONS[name], "CallID": call["id"]}
        if subtopic in {"SetCONSULT", "SetTRANSFER_SST"}:
            data["toAddress"] = to
        sender = self.world.widget(name, "Nothing") if leaves else None
        reply = self.send(name, f"Cisco/InboundCall/{subtopic}", data, sender)
        self.passed_exactly_if_allowed(reply, subtopic, call)
        if sender is not None:
            sender.leave()

    def passed_exactly_if_allowed(self, reply: Message, subtopic: str, call: dict[str, Any]) -> None:
        if subtopic in call["ActionsAllowed"]:
            assert reply["subtopic"] == "Accepted"
        else:
            body = reply["data"]
            assert body["code"] == "illegal_state"
            assert (body["state"], body["allowed"]) == (call["event"], call["ActionsAllowed"])

    @rule(name=st.sampled_from(WORKSPACES), ready=st.booleans())
    def an_agent_changes_state(self, name: str, *, ready: bool) -> None:
        self.send(name, f"Cisco/Agent/{'SetReadyState' if ready else 'SetNotReadyState'}", {})

    @rule(seconds=st.sampled_from((0.01, 0.02, 0.03, 0.1, 1, 5, 11)))
    def time_passes(self, seconds: float) -> None:
        self.world.time.advance(seconds)

    @rule(name=st.sampled_from(WORKSPACES))
    def a_page_goes_away(self, name: str) -> None:
        page = self.world.widget(name, "*")
        where = page.subscribe("Cisco")["data"]
        self.away.append((name, where["epoch"], where["offset"]))
        page.leave()

    @precondition(lambda self: self.away)
    @rule()
    def a_page_comes_back(self) -> None:
        name, epoch, offset = self.away.pop()
        page = self.world.widget(name, "Nothing")
        answer = page.subscribe("*", recover={"epoch": epoch, "offset": offset})["data"]
        seen = [m for m in self.stream(name) if m["offset"] > offset]
        if answer["recovered"]:
            assert [m["offset"] for m in answer["messages"]] == list(range(offset + 1, answer["offset"] + 1))
            assert [m for m in answer["messages"] if m in seen] == seen
            assert answer["snapshot"] == []
        else:
            assert answer["messages"] == []
        page.leave()

    @rule(name=st.sampled_from(WORKSPACES))
    def a_page_comes_new(self, name: str) -> None:
        page = self.world.widget(name, "Nothing")
        snapshot = page.subscribe("Cisco")["data"]["snapshot"]
        calls = {m["data"]["call"]["id"]: m["data"]["call"] for m in snapshot if "call" in m["data"]}
        assert calls == self.witnesses[name].calls()
        page.leave()

    def stream(self, name: str) -> list[Message]:
        """What the witness saw: all but its own messages, which it is not sent."""
        return [m for m in self.witnesses[name].messages if "offset" in m]

    @invariant()
    def there_is_one_order_without_gap_or_repeat(self) -> None:
        for name, witness in self.witnesses.items():
            own = [m["data"]["offset"] for m in witness.messages if m["subtopic"] == "Accepted"]
            others = [m["offset"] for m in self.stream(name)]
            assert others == sorted(set(others))
            both = sorted({*own, *others})
            if both:
                assert both == list(range(both[0], both[0] + len(both)))

    @invariant()
    def no_command_has_two_outcomes(self) -> None:
        for name in self.witnesses:
            ended = [m["correlationId"] for m in self.stream(name) if is_outcome(m)]
            assert len(ended) == len(set(ended))

    @invariant()
    def nobody_hears_itself(self) -> None:
        for witness in self.witnesses.values():
            sent = {m["correlationId"] for m in witness.messages if m["subtopic"] == "Accepted"}
            assert not sent.intersection(m["id"] for m in witness.messages if "offset" in m)

    @invariant()
    def no_event_repeats_what_is_known(self) -> None:
        for witness in self.witnesses.values():
            latest: dict[str, Any] = {}
            for event in witness.call_events():
                call = event["data"]["call"]
                assert latest.get(call["id"]) != call
                latest[call["id"]] = call

    def teardown(self) -> None:
        self.world.time.advance(LONGEST)
        for name, witness in self.witnesses.items():
            ended = [m["correlationId"] for m in self.stream(name) if is_outcome(m)]
            assert sorted(ended) == sorted(self.accepted[name])
            if not self.slow_switch:
                errors = {m["data"].get("errorType") for m in self.stream(name) if is_outcome(m)}
                assert "Not Sent" not in errors
            truth = {call.id for call in self.world.switch._switch.calls_of(EXTENSIONS[name])}
            assert set(witness.calls()) == truth
        assert self.world.calls.outstanding == 0
        assert self.world.time.next_due() is None


TestDesks = Desks.TestCase
