"""A contact centre for one test: the look-alike, a bridge in front of it, and desktops; all over real sockets.

``Centre.checks_out`` is what every test here ends with: whatever went wrong meanwhile, each command had one outcome, no
request reached Finesse twice, none that took effect is missing, and every desktop shows what is true.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, pairwise
from typing import TYPE_CHECKING, Any

import aiohttp
import httpx

from bridge.app import Bridge
from bridge.calls.adapter import CallRequest, ChangeStatus
from bridge.calls.finesse.adapter import FinesseAdapter
from bridge.calls.finesse.pace import Pace
from bridge.calls.finesse.xmpp import Timing
from bridge.finesse_simulator.look_alike import FinesseLookAlike
from bridge.settings import load
from tests.acceptance.foreign import PATIENCE_SECONDS, ForeignWidget

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from bridge.calls.adapter import Request
    from bridge.finesse_simulator.accounts import Account
    from tests.acceptance.foreign import Message

CUSTOMER = "+15550100"
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""The control interface has none, and to read the system's authorities takes time."""

ENDS = {"Completed", "Failed", "TimedOut"}

FAST = Pace(
    poll=0.3, poll_out=0.1, sign_in=5.0, request_retry=0.05, back_off=0.05, back_off_most=0.4, settle=0.1, at_once=20
)
"""The pauses of production, a tenth or less."""

BRISK = Timing(connect=2.0, ping=5.0, pong=5.0, close=0.5)
WATCHFUL = Timing(connect=0.6, ping=0.15, pong=1.5, close=0.3)
"""Notices a dead line soon, and takes no busy machine for one."""

_marks = count(1)


async def until(condition: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait for something of the look-alike or the bridge that tells nobody."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 there is no event to wait for
            await asyncio.sleep(0.002)


class Noted(FinesseAdapter):
    """Finesse's adapter, which notes every request under the id of its command."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.bridge: Bridge
        self.requests: dict[str, Request] = {}

    def submit(self, request: Request) -> None:
        self.requests[self.bridge.calls._pending[request.id].command.id] = request
        super().submit(request)


class Desktop(ForeignWidget):
    """A widget at one agent's workspace, subscribed to all there is."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, centre: Centre, account: Account, topic: str) -> None:
        super().__init__(socket)
        self.centre = centre
        self.account = account
        self.topic = topic
        self.sent: list[str] = []

    # What it sends

    async def send(self, address: str, data: Any = None, *, id: str | None = None) -> str:  # noqa: A002 as its parent
        self.sent.append(await super().send(address, data, id=id))
        return self.sent[-1]

    async def begin(self, subtopic: str, call: str, **more: Any) -> str:
        """Send a command about a call; return its id."""
        data: dict[str, Any] = {"CallID": call, **more}
        if subtopic != "SetUPDATE_CALL_DATA":
            data["MediaAddress"] = self.account.extension
        return await self.send(f"Cisco/{self.topic}/{subtopic}", data)

    async def act(self, subtopic: str, call: str, **more: Any) -> Message:
        """Send a command about a call, and wait for its outcome."""
        return await self.outcome(await self.begin(subtopic, call, **more))

    async def begun(self, subtopic: str, call: str, **more: Any) -> str:
        """Send a command about a call, and wait until Finesse has answered its request; it is not done yet."""
        command = await self.begin(subtopic, call, **more)
        await until(lambda: any(entry["status"] for entry in self.centre.entries_of(command)))
        return command

    async def sign_in(self, **secret: str) -> Message:
        """Sign the agent in; with the right password, if nothing else is given."""
        who = {"username": self.account.username, "extension": self.account.extension}
        return await self.do("Cisco/Agent/SetUserInfo", who | (secret or {"password": self.account.password}))

    async def is_signed_in(self) -> None:
        done = await self.sign_in()
        assert done["subtopic"] == "Completed", done

    async def is_talking(self) -> str:
        """Answer a customer's call; return its id."""
        call = self.centre.finesse.offer(self.account.extension, CUSTOMER)
        await self.sees(lambda: call in self.calls())
        await self.completes("SetANSWER", call)
        return call

    async def is_consulting(self, call: str, number: str = "5070") -> str:
        """Consult from that call, and speak; return the consult call's id."""
        done = await self.completes("SetCONSULT", call, toAddress=number)
        self.centre.finesse.party_answer(number)
        await self.may("SetCONFERENCE", call)
        return str(done["data"]["consultCall"])

    async def completes(self, subtopic: str, call: str, **more: Any) -> Message:
        done = await self.act(subtopic, call, **more)
        assert done["subtopic"] == "Completed", done
        return done

    # What it gets

    async def sees(self, condition: Callable[[], Any]) -> None:
        """Read on until something is so."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():
                await self.read_one()

    async def read_one(self) -> None:
        text = await self.socket.receive_json()
        self.messages.append(text)

    async def may(self, subtopic: str, call: str) -> None:
        """Read on until a command is allowed."""
        await self.sees(lambda: subtopic in self.calls().get(call, {"ActionsAllowed": ()})["ActionsAllowed"])

    async def shows_state(self, state: str) -> None:
        """Read on until the agent is in that state."""
        await self.sees(lambda: self.picture()["state"] == state)

    async def has_calls(self, *calls: str) -> None:
        """Read on until the agent has these calls and no others."""
        await self.sees(lambda: sorted(self.calls()) == sorted(calls))

    def state_of(self, call: str) -> str | None:
        shown = self.calls().get(call)
        return None if shown is None else str(shown["event"])

    @property
    def statuses(self) -> list[str]:
        """Whether call control saw the agent's calls, from the beginning until now."""
        return [message["data"]["status"] for message in self._statuses()]

    @property
    def reasons(self) -> list[str | None]:
        """Why, for each of these."""
        return [message["data"].get("reason") for message in self._statuses()]

    def _statuses(self) -> list[Message]:
        return [message for message in self.messages if message["subtopic"] == "SetConnectionStatus"]

    async def goes_blind(self) -> str:
        """Read on until call control is blind; return the reason that was told."""
        await self.sees(lambda: self.statuses and self.statuses[-1] == "reconnecting")
        return str(self.reasons[-1])

    async def sees_again(self) -> None:
        """Read on until call control is not blind any more."""
        await self.sees(lambda: self.statuses and self.statuses[-1] == "connected")

    async def has_come_back(self, times: int) -> None:
        """Read on until call control has been blind so often, and is so no more."""
        await self.sees(lambda: self.statuses.count("connected") == 1 + times)

    async def is_signed_out(self) -> str | None:
        """Read on until nobody is signed in; return the reason that was told."""
        await self.sees(lambda: "connected" in self.statuses and self.statuses[-1] == "signed_out")
        return self.reasons[-1]

    def outcomes(self, command: str) -> list[Message]:
        return [m for m in self.messages if m.get("correlationId") == command and m["subtopic"] in ENDS]

    def events_of(self, command: str) -> list[Message]:
        """Give the events of calls that say that this command caused them."""
        return [m for m in self._call_events() if m.get("correlationId") == command]

    def _call_events(self) -> list[Message]:
        return [m for m in self.messages if m["subtopic"].endswith("CallStateChange")]

    # What it shows

    def picture(self) -> dict[str, Any]:
        return picture_of(self.messages)

    async def agrees(self) -> None:
        """Read on until the desktop shows what is true."""
        truth = await self.centre.truth_of(self.account)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while self.picture() != truth:
                    await self.read_one()
                    truth = await self.centre.truth_of(self.account)
        except TimeoutError:
            assert self.picture() == truth

    async def works(self) -> None:
        """Do something of every kind that the agent's calls allow, and set them back as they were."""
        calls = self.calls()
        for call, shown in calls.items():
            if "SetUPDATE_CALL_DATA" in shown["ActionsAllowed"]:
                mark = f"mark {next(_marks)}"
                await self.completes("SetUPDATE_CALL_DATA", call, callVariables={"callVariable9": mark})
            if shown["event"] == "active":
                await self.completes("SetHOLD", call)
                await self.completes("SetRETRIEVE", call)
        if not calls:
            for state in ("SetReadyState", "SetNotReadyState"):
                done = await self.do(f"Cisco/Agent/{state}", {})
                assert done["subtopic"] == "Completed", done
                name = {"SetReadyState": "READY", "SetNotReadyState": "NOT_READY"}[state]
                await self.shows_state(name)

    def time_never_goes_back(self) -> None:
        """Check that no event showed a party as it was before an earlier event, and none was told twice."""
        by_call: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for message in self._call_events():
            by_call[message["data"]["call"]["id"]].append(message["data"]["call"])
        for shown in by_call.values():
            for before, after in pairwise(shown):
                assert before != after
                times = {party["mediaAddress"]: party["stateChangeTime"] for party in _parties(before)}
                late = (
                    [party for party in _parties(after) if party["stateChangeTime"] < times[party["mediaAddress"]]]
                    if set(times) == {party["mediaAddress"] for party in _parties(after)}
                    else []
                )
                assert not late or before["ended"], (before, after)


def _parties(shown: dict[str, Any]) -> list[dict[str, Any]]:
    return list(shown["ResponseActual"]["dialog"]["participants"])


def picture_of(messages: Iterable[Message]) -> dict[str, Any]:
    """Make of what a desktop got what ``Centre.truth_of`` makes of the truth."""
    calls: dict[str, Any] = {}
    state = None
    for message in messages:
        if message["subtopic"] == "SetAgentState":
            state = message["data"]["state"]
        if message["subtopic"].endswith("CallStateChange"):
            shown = message["data"]["call"]
            calls[shown["id"]] = _as_shown(shown["ResponseActual"]["dialog"])
            if shown["ended"]:
                del calls[shown["id"]]
    return {"state": state, "calls": calls}


def _as_shown(dialog: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": dialog["state"],
        "type": dialog["mediaProperties"]["callType"],
        "from": dialog["fromAddress"],
        "to": dialog["toAddress"],
        "secondary": dialog["secondaryId"],
        "associated": dialog["associatedDialogUri"].rpartition("/")[2] or None,
        "variables": {name: value for name, value in dialog["mediaProperties"]["callvariables"].items() if value},
        "parties": {party["mediaAddress"]: party["state"] for party in dialog["participants"]},
    }


def _as_it_is(dialog: dict[str, Any]) -> dict[str, Any]:
    return {
        "state": dialog["state"],
        "type": dialog["callType"],
        "from": dialog["fromAddress"],
        "to": dialog["toAddress"],
        "secondary": dialog["secondaryId"],
        "associated": dialog["associated"],
        "variables": {name: value for name, value in dialog["variables"].items() if value},
        "parties": {party["address"]: party["state"] for party in dialog["participants"]},
    }


class Centre:
    """The look-alike and the bridge in front of it; in a process of its own the bridge is known by its ``url`` only."""

    def __init__(
        self, finesse: FinesseLookAlike, url: str, bridge: Bridge | None = None, adapter: Noted | None = None
    ) -> None:
        self.finesse = finesse
        self.url = url
        self._bridge = bridge
        self._adapter = adapter
        self._earlier: list[Noted] = []
        self.desktops: list[Desktop] = []
        self.doors = AsyncExitStack()
        self.control = httpx.AsyncClient(
            base_url=finesse.control_url, transport=httpx.AsyncHTTPTransport(verify=NO_TLS)
        )

    @property
    def bridge(self) -> Bridge:
        assert self._bridge is not None
        return self._bridge

    @property
    def adapter(self) -> Noted:
        assert self._adapter is not None
        return self._adapter

    async def stop(self) -> None:
        """Stop the bridge; harmless when repeated."""
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            await bridge.stop()

    async def goes_wrong(self, **faults: Any) -> dict[str, Any]:
        """Let things go wrong, by the control interface."""
        answer = await self.control.post("/faults", json=faults)
        assert answer.is_success, answer.text
        return dict(answer.json())

    @asynccontextmanager
    async def desktop(self, agent: int = 0, *, topic: str = "InboundCall") -> AsyncIterator[Desktop]:
        """Open a desktop of the agent with that number; its workspace is the agent's name."""
        account = self.finesse.agents[agent]
        address = f"{self.url}?workspace={account.username}"
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(address, protocols=["workspace-bridge.v1"]) as socket,
        ):
            desktop = Desktop(socket, self, account, topic)
            await desktop.until(lambda m: m["subtopic"] == "Opened")
            subscribed = await desktop.subscribe("Cisco", "Bridge/Command")
            desktop.messages += subscribed["data"]["snapshot"]
            self.desktops.append(desktop)
            try:
                yield desktop
            finally:
                self.desktops.remove(desktop)

    @asynccontextmanager
    async def signed_in(self, agent: int = 0, *, topic: str = "InboundCall") -> AsyncIterator[Desktop]:
        """Open a desktop and sign its agent in."""
        async with self.desktop(agent, topic=topic) as desktop:
            await desktop.is_signed_in()
            yield desktop

    @asynccontextmanager
    async def second_bridge(self, **more: Any) -> AsyncIterator[Centre]:
        """Start another bridge before the same look-alike."""
        async with centre_before(self.finesse, **more) as centre:
            centre._earlier = [*self._earlier, self.adapter]
            yield centre

    async def everybody(self) -> list[Desktop]:
        """Open the desktops of all agents and sign them in; they are closed with the centre."""
        return [
            await self.doors.enter_async_context(self.signed_in(number)) for number in range(len(self.finesse.agents))
        ]

    # The truth

    async def truth_of(self, account: Account) -> dict[str, Any]:
        """Say what Finesse holds for true about an agent."""
        agents = (await self.control.get("/dialogs")).json()["agents"]
        (found,) = [agent for agent in agents.values() if agent["username"] == account.username]
        return {"state": found["state"], "calls": {dialog["id"]: _as_it_is(dialog) for dialog in found["dialogs"]}}

    def entries(self, action: str | None = None, user: str | None = None) -> list[dict[str, Any]]:
        """Give what reached Finesse and would change something."""
        return [
            entry for entry in self.finesse.log() if action in {None, entry["action"]} and user in {None, entry["user"]}
        ]

    def entries_of(self, command: str) -> list[dict[str, Any]]:
        """Give what reached Finesse of a command."""
        request = self.adapter.requests.get(command)
        return [entry for entry in self.finesse.log() if request is not None and entry["request_id"] == request.id]

    def sign_ons(self, username: str) -> int:
        """Count how often an agent has signed on to the notification services."""
        return sum(
            node.notifications.prosody.log_file.read_text().count(f"Authenticated as {username}@")
            for node in self.finesse.nodes
        )

    def lines(self, username: str) -> list[int]:
        """Name the nodes to which an agent has a line."""
        return [number for number, node in enumerate(self.finesse.nodes) if username in node.notifications.present]

    # What must be so in the end

    async def checks_out(self, *, crowded: bool = False) -> None:
        """Check everything; see the module's text.

        With ``crowded``, others act on the same calls: a command whose result they bring about is complete by that.
        """
        for desktop in self.desktops:
            await desktop.agrees()
        for desktop in self.desktops:
            await desktop.works()
            await desktop.agrees()
        for desktop in self.desktops:
            desktop.time_never_goes_back()
            self.one_outcome_each(desktop, crowded=crowded)
            async with self.desktop(self.finesse.agents.index(desktop.account)) as page:
                assert page.picture() == await self.truth_of(desktop.account)
                assert page.statuses == ["connected"]
        self.nothing_was_done_twice()

    def one_outcome_each(self, desktop: Desktop, *, crowded: bool) -> None:
        accepted = {m["correlationId"] for m in desktop.messages if m["subtopic"] == "Accepted"}
        for command in desktop.sent:
            outcomes = desktop.outcomes(command)
            assert len(outcomes) == (1 if command in accepted else 0), (command, outcomes)
            if outcomes and self._adapter is not None:
                self.was_done_once(command, outcomes[0], crowded=crowded)

    def was_done_once(self, command: str, outcome: Message, *, crowded: bool) -> None:
        """Check that a completed command was done once, and no other more than once."""
        request = self.adapter.requests.get(command)
        entries = self.entries_of(command)
        if isinstance(request, CallRequest | ChangeStatus):
            assert len(entries) <= 1, entries
        if isinstance(request, CallRequest) and outcome["subtopic"] == "Completed":
            assert crowded or [entry["outcome"] for entry in entries] == ["done"], (request, entries)

    def nothing_was_done_twice(self) -> None:
        """Check that nothing reached Finesse twice, and nothing but sign-ins that no command asked for."""
        entries = [entry for entry in self.finesse.log() if entry["action"] != "LOGIN"]
        assert len({entry["request_id"] for entry in entries}) == len(entries)
        if self._adapter is not None:
            asked = [request.id for each in (*self._earlier, self.adapter) for request in each.requests.values()]
            assert {entry["request_id"] for entry in entries} <= set(asked)

    async def most_at_once(self, sign_ins: int) -> int:
        """Watch until there were so many sign-ins; return how many of them waited for their answer at the same time."""
        most = 0

        def look() -> bool:
            nonlocal most
            entries = self.entries("LOGIN")
            most = max(most, sum(entry["status"] == 0 for entry in entries))
            return len(entries) >= sign_ins

        await until(look)
        return most


@asynccontextmanager
async def centre_before(
    finesse: FinesseLookAlike,
    *,
    pace: Pace = FAST,
    timing: Timing = BRISK,
    linger_seconds: float = 60.0,
    **overrides: Any,
) -> AsyncIterator[Centre]:
    """Start a bridge that uses the look-alike; ``overrides`` are settings."""
    adapter = Noted(
        finesse.rest_urls,
        xmpp_urls=finesse.xmpp_urls,
        ca_file=finesse.ca_file,
        linger_seconds=linger_seconds,
        pace=pace,
        timing=timing,
    )
    wanted = {"port": 0, "command_seconds": 4, "dial_seconds": 5, "drain_seconds": 0, **overrides}
    adapter.bridge = bridge = Bridge(load(environment={}, overrides=wanted), adapter=adapter)
    await bridge.start()
    centre = Centre(finesse, bridge.url, bridge, adapter)
    try:
        # Of two nodes that serve, the first is taken; else the one that answers first would be.
        await until(lambda: not any(node.trouble for node in adapter._site.nodes.all))
        async with centre.control, centre.doors:
            yield centre
    finally:
        await centre.stop()


def look_alike(*, agents: int = 2, pair: bool = False, **more: Any) -> FinesseLookAlike:
    """Make a look-alike that is quick."""
    return FinesseLookAlike(agents=agents, pair=pair, reaction_seconds=0.01, **more)


@asynccontextmanager
async def contact_centre(*, agents: int = 2, pair: bool = False, **more: Any) -> AsyncIterator[Centre]:
    """Start all of it; ``more`` goes to ``centre_before``."""
    async with look_alike(agents=agents, pair=pair) as finesse, centre_before(finesse, **more) as centre:
        yield centre
