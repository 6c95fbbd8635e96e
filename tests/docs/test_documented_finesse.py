"""What the page about Finesse says of commands and of trouble is what happens, against the look-alike."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from bridge.app import Bridge
from bridge.calls.finesse.adapter import FinesseAdapter
from bridge.calls.finesse.correlation import OPEN_SECONDS
from bridge.calls.finesse.credentials import Credentials
from bridge.calls.finesse.endings import credentials_refused
from bridge.calls.finesse.nodes import FAILURES_TO_GO_OUT
from bridge.calls.finesse.pace import Pace
from bridge.calls.finesse.site import RESOURCE, TCP_PORT
from bridge.calls.finesse.xmpp import Timing
from bridge.finesse_simulator.fault_request import FaultRequest
from bridge.finesse_simulator.look_alike import FinesseLookAlike
from bridge.protocol.catalogue import ENTRIES, Kind
from bridge.settings import load
from tests.acceptance.foreign import ForeignWidget, Message, foreign_widget
from tests.docs.finesse_table import AGENT, CONNECTION, ENDED, NEW, OTHER, ROWS, THIS, Seen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PAGE = Path(__file__).parents[2] / "docs" / "finesse.md"
INBOUND = "Cisco/InboundCall"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "SetCONSULT": {"toAddress": "5070"},
    "SetTRANSFER_SST": {"toAddress": "5070"},
    "SetSEND_DTMF": {"digits": "1"},
    "SetUPDATE_CALL_DATA": {"callVariables": {"callVariable1": "gold"}},
}
TOKEN = Credentials("1001001", SecretStr("token"), bearer=True)


class Widget:
    """A widget of the look-alike's first agent, and the outside world's hand."""

    def __init__(self, finesse: FinesseLookAlike, wire: ForeignWidget) -> None:
        self.finesse = finesse
        self.agent = finesse.agents[0]
        self.wire = wire

    async def sign_in(self, **changes: str) -> Message:
        user = {"username": self.agent.username, "password": self.agent.password, "extension": self.agent.extension}
        return await self.wire.do("Cisco/Agent/SetUserInfo", {**user, **changes})

    async def do(self, subtopic: str, call: str, **more: Any) -> Message:
        own = {} if subtopic == "SetUPDATE_CALL_DATA" else {"MediaAddress": self.agent.extension}
        return await self.wire.do(f"{INBOUND}/{subtopic}", {**own, "CallID": call, **more})

    async def ringing(self) -> str:
        """Let a customer call."""
        call = self.finesse.offer(self.agent.extension, "+15550100")
        await self.sees(call, lambda view: view["event"] == "alerting")
        return call

    async def talking(self) -> str:
        call = await self.ringing()
        await self.do("SetANSWER", call)
        return call

    async def consulting(self) -> tuple[str, str]:
        """From a customer's call to the held one and an active consult."""
        call = await self.talking()
        consult = (await self.do("SetCONSULT", call, toAddress="5070"))["data"]["consultCall"]
        self.finesse.party_answer("5070")
        await self.sees(call, lambda view: "SetTRANSFER" in view["ActionsAllowed"])
        return call, consult

    async def sees(self, call: str, wanted: Any) -> None:
        def shown(message: Message) -> bool:
            view = message["data"].get("call", {}) if isinstance(message["data"], dict) else {}
            return isinstance(view, dict) and view.get("id") == call and wanted(view)

        await self.wire.until(shown)

    async def status(self, status: str) -> Message:
        return await self.wire.until(
            lambda m: m["subtopic"] == "SetConnectionStatus" and m["data"]["status"] == status and "reason" in m["data"]
        )

    def seen_of(self, outcome: Message, roles: dict[str, str]) -> Seen:
        """Collect what came with the command's id before its outcome; each state of a call or of the agent once."""
        found: dict[str, list[str]] = {}
        for message in self.wire.messages[: self.wire.messages.index(outcome)]:
            if message.get("correlationId") == outcome["correlationId"] and message["channel"] == "Cisco":
                who, state = _told(message, roles)
                states = found.setdefault(who, [])
                if state not in states:
                    states.append(state)
        return {who: tuple(states) for who, states in found.items()}


def _told(message: Message, roles: dict[str, str]) -> tuple[str, str]:
    data = message["data"]
    match message["subtopic"]:
        case "SetAgentState":
            return AGENT, data["state"]
        case "SetConnectionStatus":
            return CONNECTION, data["status"]
        case _:
            view = data["call"]
            return roles.get(view["id"], NEW), ENDED if view["ended"] else view["event"]


@pytest.fixture
async def finesse() -> AsyncIterator[FinesseLookAlike]:
    async with FinesseLookAlike(agents=2, reaction_seconds=0.005) as finesse:
        yield finesse


@pytest.fixture
async def widget(finesse: FinesseLookAlike) -> AsyncIterator[Widget]:
    settings = load(
        environment={},
        overrides={
            "port": 0,
            "adapter": "finesse",
            "finesse_urls": tuple(finesse.rest_urls),
            "finesse_xmpp_urls": tuple(finesse.xmpp_urls),
            "finesse_ca_file": finesse.ca_file,
            "command_seconds": 3,
        },
    )
    bridge = Bridge(settings)
    await bridge.start()
    try:
        async with foreign_widget(bridge) as wire:
            await wire.subscribe("Cisco", "Bridge/Command")
            yield Widget(finesse, wire)
    finally:
        await bridge.stop()


async def play(widget: Widget, subtopic: str) -> tuple[Message, dict[str, str]]:
    """Bring about what the command needs, and do it. Returns its outcome, and the calls' parts in it."""
    if subtopic == "SetUserInfo":
        return await widget.sign_in(), {}
    await widget.sign_in()
    if subtopic in {"SetReadyState", "SetNotReadyState", "GetAgentState", "Logout"}:
        if subtopic == "SetNotReadyState":
            await widget.wire.do("Cisco/Agent/SetReadyState", {})
        topic = "Connection" if subtopic == "Logout" else "Agent"
        return await widget.wire.do(f"Cisco/{topic}/{subtopic}", {}), {}
    if subtopic == "SetMakeCall":
        return await widget.wire.do("Cisco/OutboundCall/SetMakeCall", {"toAddress": "5070"}), {}
    if subtopic in {"SetTRANSFER", "SetCONFERENCE"}:
        call, consult = await widget.consulting()
        return await widget.do(subtopic, call), {call: THIS, consult: OTHER}
    call = await (widget.ringing() if subtopic == "SetANSWER" else widget.talking())
    if subtopic == "SetRETRIEVE":
        await widget.do("SetHOLD", call)
    return await widget.do(subtopic, call, **ARGUMENTS.get(subtopic, {})), {call: THIS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.subtopic)
async def test_a_command_shows_what_the_table_says(widget: Widget, row: Any) -> None:
    outcome, roles = await play(widget, row.subtopic)

    assert outcome["subtopic"] == "Completed", outcome
    assert widget.seen_of(outcome, roles) == row.seen


def test_the_table_has_every_command_that_finesse_is_asked() -> None:
    commands = {entry.address.subtopic for entry in ENTRIES if entry.kind is Kind.COMMAND and entry.from_client}
    assert {row.subtopic for row in ROWS} == {name for name in commands if name.startswith(("Set", "Get", "Logout"))}


def test_times_and_names_that_the_page_tells_are_those_of_the_code() -> None:
    """When one of these fails, the page says something else: change it as well."""
    pace, timing = Pace(), Timing()
    assert FinesseAdapter.dtmf_settle_seconds == 1.0
    assert (pace.poll, pace.poll_out, pace.at_once, FAILURES_TO_GO_OUT) == (5, 2, 20, 2)
    assert (pace.request_tries, pace.request_tries * pace.request_retry < 1, pace.settle) == (3, True, 0.5)
    assert (timing.ping, timing.pong, OPEN_SECONDS) == (10, 10, 60)
    for told in (f"`{RESOURCE}`", f"at {TCP_PORT}", f"“{credentials_refused(TOKEN).reason}”"):
        assert on_the_page(told)


def on_the_page(text: str) -> bool:
    return text in " ".join(PAGE.read_text(encoding="utf-8").split())


async def test_refused_credentials_are_told_as_the_page_says(widget: Widget) -> None:
    outcome = await widget.sign_in(password="wrong")
    assert outcome["subtopic"] == "Failed"
    assert outcome["data"]["errorType"] == "Authorization Failure"
    assert on_the_page(outcome["data"]["message"])


@pytest.mark.parametrize(
    ("rule", "ended", "error"),
    [
        ({"effect": "refuse", "status": 500}, "Failed", "Internal Server Error"),
        ({"effect": "refuse_late"}, "Failed", "Generic Error"),
        ({"effect": "cut_answer"}, "Completed", None),
        ({"effect": "cut_request"}, "TimedOut", None),
        ({"effect": "ignore"}, "TimedOut", None),
    ],
)
async def test_a_request_that_goes_wrong_ends_as_the_page_says(
    widget: Widget, rule: dict[str, Any], ended: str, error: str | None
) -> None:
    await widget.sign_in()
    call = await widget.ringing()
    await widget.finesse.set_faults(rules=[{**rule, "action": "ANSWER"}])

    outcome = await widget.do("SetANSWER", call)

    assert (outcome["subtopic"], outcome["data"].get("errorType")) == (ended, error)
    assert on_the_page(f"`{ended}`")
    assert error is None or on_the_page(f"`{error}`")


@pytest.mark.parametrize(
    ("faults", "status"),
    [
        ({"out_of_service": [0]}, "reconnecting"),
        ({"finesse_unavailable": [0]}, "reconnecting"),
        ({"cut": [{}]}, "reconnecting"),
        ({"conflict": ["1001001"]}, "signed_out"),
        ({"force_logout": ["1001001"]}, "signed_out"),
    ],
)
async def test_trouble_at_finesse_is_told_to_widgets_as_the_page_says(
    widget: Widget, faults: dict[str, Any], status: str
) -> None:
    await widget.sign_in()

    await widget.finesse.set_faults(**faults)

    told = await widget.status(status)
    assert on_the_page(f"“{told['data']['reason']}”")


def test_faults_that_the_page_lets_try_are_faults_of_the_look_alike() -> None:
    bodies = re.findall(r"/faults -d '(\{.*?\})'", PAGE.read_text(encoding="utf-8"))
    assert len(bodies) > 3
    for body in bodies:
        FaultRequest.model_validate_json(body)
