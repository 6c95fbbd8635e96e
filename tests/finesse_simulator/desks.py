"""Agents' desks at the look-alike: real HTTPS by httpx, real XMPP by slixmpp, and nothing of the adapter."""

from __future__ import annotations

import asyncio
import ssl
import xml.etree.ElementTree as ET
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from bridge.finesse_simulator.accounts import Account
    from bridge.finesse_simulator.look_alike import FinesseLookAlike

LIMIT = 10.0
CUSTOMER = "+15550100"
XML = {"content-type": "application/xml"}


def tls(finesse: FinesseLookAlike) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(finesse.ca_file))


def dialog_body(action: str, target: str = "", **elements: str) -> str:
    given = {"requestedAction": action, **({"targetMediaAddress": target} if target else {}), **elements}
    return "<Dialog>" + "".join(f"<{name}>{value}</{name}>" for name, value in given.items()) + "</Dialog>"


@dataclass
class Told:
    """One notification, as it came."""

    stanza: ET.Element
    payload: str
    update: ET.Element = field(init=False)

    def __post_init__(self) -> None:
        self.update = ET.fromstring(self.payload)  # noqa: S314 our own

    def text(self, path: str) -> str:
        return self.update.findtext(path) or ""

    @property
    def event(self) -> str:
        return self.text("event")

    @property
    def source(self) -> str:
        return self.text("source")

    @property
    def request_id(self) -> str:
        return self.text("requestId")

    @property
    def kind(self) -> str:
        """Name of what it is about: ``dialog``, ``dialogs``, ``user``, ``systemInfo`` or ``apiErrors``."""
        return self.update.findall("data/*")[0].tag

    @property
    def dialog(self) -> ET.Element | None:
        data = self.update.find("data")
        assert data is not None
        found = data.find("dialogs/Dialog")
        return found if found is not None else data.find("dialog")

    @property
    def call(self) -> str:
        return "" if self.dialog is None else self.dialog.findtext("id") or ""

    def line(self, *names: str) -> str:
        """Tell event, call (by its place in ``names``), state and the states of all parties in one line."""
        assert self.dialog is not None
        parties = [
            f"{party.findtext('mediaAddress')} {party.findtext('state')}" for party in self.dialog.iter("Participant")
        ]
        name = names[int(self.call) - 16786021] if names else self.call
        return f"{self.event} {name} {self.dialog.findtext('state')}: {', '.join(parties)}"

    def actions(self, address: str) -> set[str]:
        assert self.dialog is not None
        return {
            action.text or ""
            for party in self.dialog.iter("Participant")
            if party.findtext("mediaAddress") == address
            for action in party.iter("action")
        }


class AgentDesk:
    """One agent, at one node."""

    def __init__(self, finesse: FinesseLookAlike, account: Account, *, node: int = 0) -> None:
        self.finesse = finesse
        self.username = account.username
        self.extension = account.extension
        self.account = account
        self.told: list[Told] = []
        self.presences: list[tuple[str, str]] = []
        self.over: list[str] = []
        self.rest = httpx.AsyncClient(
            base_url=f"{finesse.rest_urls[node]}/finesse/api",
            verify=tls(finesse),
            auth=(account.username, account.password),
            timeout=LIMIT,
        )
        self._arrived = asyncio.Event()
        self._port = int(finesse.xmpp_tcp_urls[node].rpartition(":")[2])
        self._domain = f"finesse{node + 1}.localhost"
        self.xmpp: slixmpp.ClientXMPP | None = None
        self._requests = 0
        self.unread: list[str] | None = None

    async def connect(self, resource: str = "test", password: str | None = None) -> None:
        """Connect to the notification service, and wait until Finesse knows."""
        jid = f"{self.username}@{self._domain}/{resource}"
        client = slixmpp.ClientXMPP(
            jid, password or self.account.password, sasl_mech="PLAIN", ssl_context=tls(self.finesse)
        )
        client.default_domain = "localhost"  # whom the certificate is for
        client.register_handler(Callback("messages", MatchXPath("{jabber:client}message"), self._on_message))
        client.register_handler(Callback("presences", MatchXPath("{jabber:client}presence"), self._on_presence))
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        client.add_event_handler("session_start", lambda _: begun.set_result(None))
        client.add_event_handler("failed_auth", lambda _: begun.set_exception(ConnectionRefusedError()))
        client.add_event_handler("stream_error", lambda error: self._end(error["condition"]))
        client.add_event_handler("disconnected", lambda _: self._end("disconnected"))
        self.xmpp = client
        client.connect("127.0.0.1", self._port)
        await asyncio.wait_for(begun, LIMIT)
        client.send_presence()
        await self.until(lambda: ("finesse", "available") in self.presences)

    async def close(self) -> None:
        await self.rest.aclose()
        await self.disconnect()

    async def disconnect(self) -> None:
        client, self.xmpp = self.xmpp, None
        if client is None:
            return
        client.cancel_connection_attempt()
        if client.is_connected():
            await client.disconnect(wait=1.0)
        assert client._run_out_filters is not None
        client._run_out_filters.cancel()
        await asyncio.gather(client._run_out_filters, return_exceptions=True)

    # What comes

    def _on_message(self, message: Any) -> None:
        notification = message.xml.find(".//{http://jabber.org/protocol/pubsub}notification")
        if self.unread is None:
            self.told.append(Told(message.xml, notification.text))
        else:
            self.unread.append(notification.text)
        self._arrived.set()

    def _on_presence(self, presence: Any) -> None:
        self.presences.append((presence["from"].user, presence.xml.get("type") or "available"))
        self._arrived.set()

    def _end(self, why: str) -> None:
        self.over.append(why)
        self._arrived.set()

    async def until(self, condition: Callable[[], Any]) -> None:
        async with asyncio.timeout(LIMIT):
            while not condition():
                self._arrived.clear()
                await self._arrived.wait()

    async def fence(self) -> None:
        """Wait for a notification that comes after all that are on their way now."""
        self._requests += 1
        request_id = f"fence-{self._requests}"
        await self.state("LOGIN", extension=self.extension, requestId=request_id)
        await self.until(lambda: any(told.request_id == request_id for told in self.of_user))

    async def until_signed_out(self) -> None:
        """Ask over REST until the agent is signed out."""
        async with asyncio.timeout(LIMIT):
            while "<state>LOGOUT</state>" not in (await self.request("GET", f"/User/{self.username}")).text:
                pass

    @property
    def of_user(self) -> list[Told]:
        return [told for told in self.told if told.kind == "user"]

    @property
    def of_dialogs(self) -> list[Told]:
        return [told for told in self.told if told.dialog is not None]

    @property
    def errors(self) -> list[tuple[str, str, str]]:
        """Give data, message and type of every error that came over XMPP."""
        return [
            (told.text("data/apiErrors/apiError/errorData"), told.text(".//errorMessage"), told.text(".//errorType"))
            for told in self.told
            if told.kind == "apiErrors"
        ]

    def lines(self, *names: str) -> list[str]:
        return [told.line(*names) for told in self.of_dialogs]

    async def until_line(self, line: str, *names: str) -> None:
        await self.until(lambda: line in self.lines(*names))

    async def until_actions(self, call: str, *actions: str) -> None:
        """Wait until the call's latest picture allows all of these."""

        def allowed() -> bool:
            latest = [told for told in self.of_dialogs if told.call == call][-1:]
            return any(set(actions) <= told.actions(self.extension) for told in latest)

        await self.until(allowed)

    # What is asked

    async def request(self, method: str, path: str, body: str = "", **headers: str) -> httpx.Response:
        self.rest.cookies.clear()
        return await self.rest.request(method, path, content=body, headers={**XML, **headers})

    async def state(self, state: str, *, extension: str = "", reason: str = "", **headers: str) -> httpx.Response:
        more = f"<extension>{extension}</extension>" if extension else ""
        more += f"<reasonCodeId>{reason}</reasonCodeId>" if reason else ""
        return await self.request(
            "PUT", f"/User/{self.username}", f"<User><state>{state}</state>{more}</User>", **headers
        )

    async def sign_in(self) -> None:
        assert (await self.state("LOGIN", extension=self.extension)).status_code == 202
        await self.until(lambda: self.of_user)

    async def act(self, call: str, action: str, request_id: str = "", **elements: str) -> httpx.Response:
        """Ask for an action on a call, as the agent's own extension."""
        body = dialog_body(action, "" if action == "UPDATE_CALL_DATA" else self.extension, **elements)
        return await self.request("PUT", f"/Dialog/{call}", body, **({"requestId": request_id} if request_id else {}))

    async def do(self, call: str, action: str, **elements: str) -> None:
        response = await self.act(call, action, f"{action}-1", **elements)
        assert (response.status_code, response.content) == (202, b"")

    async def dial(self, number: str, **elements: str) -> httpx.Response:
        body = dialog_body("MAKE_CALL", fromAddress=self.extension, toAddress=number, **elements)
        return await self.request("POST", f"/User/{self.username}/Dialogs", body)

    async def payloads(self, **faults: Any) -> list[str]:
        """Let a customer call under these faults and give the texts that come, unread."""
        await self.finesse.set_faults(**faults)
        self.unread = []
        self.finesse.offer(self.extension, CUSTOMER)
        await self.until(lambda: self.unread)
        return self.unread

    # Beginnings

    async def in_a_call(self) -> str:
        """Be ACTIVE in a customer's call; return its id."""
        call = self.finesse.offer(self.extension, CUSTOMER)
        await self.do(call, "ANSWER")
        await self.until_actions(call, "CONSULT_CALL")
        return call

    async def consulting(self, call: str, number: str) -> str:
        """Consult from that call, and speak; return the consult call's id."""
        await self.do(call, "CONSULT_CALL", toAddress=number)
        await self.until(lambda: any(told.line().endswith(f"{number} ALERTING") for told in self.of_dialogs))
        consult = self.of_dialogs[-1].call
        self.finesse.party_answer(number)
        await self.until_actions(call, "TRANSFER", "CONFERENCE")
        return consult


@asynccontextmanager
async def signed_in(finesse: FinesseLookAlike, number: int = 0, *, node: int = 0) -> AsyncIterator[AgentDesk]:
    """Give the agent with that number, connected and signed in."""
    desk = AgentDesk(finesse, finesse.agents[number], node=node)
    try:
        await desk.connect()
        await desk.sign_in()
        yield desk
    finally:
        await desk.close()
