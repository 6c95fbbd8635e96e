"""One node's notification service: Prosody, the component that publishes, and the user ``finesse``.

``pubsub.<domain>`` is a component of ours that sends each notification to the agent's bare JID. The presence of the
user ``finesse`` tells agents that the web application is there, and this user sees who of the agents is. Clients reach
Prosody through relays, so that their connections can fail while Prosody is well.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import slixmpp
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

from bridge.finesse_simulator import documents
from bridge.finesse_simulator.prosody import FINESSE_USER, Prosody
from bridge.finesse_simulator.relay import LOOPBACK, Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from bridge.finesse_simulator.certificates import Certificates

CONNECT_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 1.0
_UNAVAILABLE: Final = "unavailable"


class NotificationService:
    """The XMPP side of one node.

    ``accounts`` are user to password, ``tokens`` user to access token. ``on_presence(user, resource, available)`` is
    called as agents come and go. ``ports`` are those published for WebSocket and for TCP with TLS; 0 takes a free one.
    """

    def __init__(
        self,
        *,
        directory: Path,
        certificates: Certificates,
        accounts: Mapping[str, str],
        tokens: Mapping[str, str],
        domain: str,
        ports: tuple[int, int],
        on_presence: Callable[[str, str, bool], None],
    ) -> None:
        self.domain = domain
        self.websocket = Relay(ports[0])
        self.tls = Relay(ports[1])
        self._accounts = accounts
        self._certificates = certificates
        self._on_presence = on_presence
        self._prosody = Prosody(
            directory=directory, certificates=certificates, accounts=accounts, tokens=tokens, domain=domain
        )
        self._component: slixmpp.ComponentXMPP | None = None
        self._finesse: slixmpp.ClientXMPP | None = None
        self._available = True
        self._refusing = False
        self._numbers = count(1)
        # Resources by user, as their presences tell.
        self.present: dict[str, set[str]] = {}

    @property
    def websocket_url(self) -> str:
        """Where agents connect over WebSocket."""
        return f"wss://localhost:{self.websocket.port}/ws/"

    @property
    def tls_url(self) -> str:
        """Where agents connect over TCP with TLS from the first byte."""
        return f"xmpps://localhost:{self.tls.port}"

    @property
    def running(self) -> bool:
        """Whether Prosody and both who connect to it are there."""
        return self._component is not None

    @property
    def prosody(self) -> Prosody:
        """The process."""
        return self._prosody

    async def start(self) -> None:
        """Start Prosody, connect both to it, let agents in.

        Raises:
            ProsodyError: It is not installed or does not start.
            TimeoutError: It does not let in who must be.
        """
        await self._prosody.start()
        component = slixmpp.ComponentXMPP(  # type: ignore[no-untyped-call]
            self._prosody.component_domain, self._prosody.component_secret, LOOPBACK, self._prosody.component_port
        )
        await _connected(component, LOOPBACK, self._prosody.component_port)
        self._component = component
        if self._available:
            await self._enter()
        if not self._refusing:
            await self._let_in()

    async def stop(self) -> None:
        """End everything in good order."""
        await self.websocket.stop()
        await self.tls.stop()
        await self._leave()
        component, self._component = self._component, None
        await _closed(component)
        await self._prosody.stop()

    async def kill(self) -> None:
        """End Prosody at once; its clients lose their connections. ``start`` brings it back at the same ports."""
        await self._prosody.kill()
        finesse, self._finesse = self._finesse, None
        component, self._component = self._component, None
        await _closed(finesse)
        await _closed(component)
        self._nobody_is_present()

    async def restart(self) -> None:
        """Start again after ``kill``."""
        if not self.running:
            await self.start()

    def set_token(self, username: str, token: str) -> None:
        """Let an agent connect with another access token than before."""
        self._prosody.set_token(username, token)

    async def cut(self, username: str | None = None) -> None:
        """Drop the connections of one agent, or of all, without a word."""
        if username is None:
            self.websocket.cut()
            self.tls.cut()
        elif self.running:
            await self._prosody.cut(username)

    def silence(self, *, silent: bool) -> None:
        """Let connections stay open and carry nothing."""
        self.websocket.silence(silent=silent)
        self.tls.silence(silent=silent)

    async def refuse(self, *, refusing: bool) -> None:
        """Close the published ports, or open them again."""
        if refusing is self._refusing:
            return
        self._refusing = refusing
        if refusing:
            await self.websocket.stop()
            await self.tls.stop()
        else:
            await self._let_in()

    async def _let_in(self) -> None:
        await self.websocket.start(_port(self._prosody.websocket_url))
        await self.tls.start(_port(self._prosody.tcp_url))

    async def set_available(self, *, available: bool) -> None:
        """Let the user ``finesse`` be there or not: it stands for the web application."""
        if available is self._available:
            return
        self._available = available
        finesse = self._finesse
        if finesse is not None:
            finesse.send_presence(ptype=None if available else _UNAVAILABLE)
        elif available and self.running:
            await self._enter()

    async def conflict(self, username: str) -> int:
        """Connect under each of an agent's resources, which ends the agent's sessions; return how many there were."""
        resources = list(self.present.get(username, ()))
        for resource in resources:
            rival = self._client(f"{username}@{self.domain}/{resource}", self._accounts[username])
            await _connected(rival, LOOPBACK, _port(self._prosody.tcp_url))
            await _closed(rival)
        return len(resources)

    def deliver(self, username: str, node: str, payload: str) -> None:
        """Send one notification."""
        component = self._component
        if component is None or not component.is_connected():
            return
        number = next(self._numbers)
        component.send_raw(
            documents.message(
                sender=self._prosody.component_domain,
                to=f"{username}@{self.domain}",
                node=node,
                number=number,
                item=f"{uuid4()}{number}",
                payload=payload,
            )
        )

    # The user finesse

    async def _enter(self) -> None:
        finesse = self._client(f"{FINESSE_USER}@{self.domain}/finesse", self._prosody.finesse_password)
        finesse.register_handler(Callback("presences", MatchXPath("{jabber:client}presence"), self._see))
        await _connected(finesse, LOOPBACK, _port(self._prosody.tcp_url))
        finesse.send_presence()
        self._finesse = finesse

    async def _leave(self) -> None:
        finesse, self._finesse = self._finesse, None
        await _closed(finesse)
        self.present.clear()

    def _client(self, jid: str, password: str) -> slixmpp.ClientXMPP:
        context = ssl.create_default_context(cafile=str(self._certificates.ca_file))
        client = slixmpp.ClientXMPP(jid, password, sasl_mech="PLAIN", ssl_context=context)
        client.default_domain = "localhost"  # whom the certificate is for, whatever the XMPP domain
        return client

    def _see(self, presence: Any) -> None:
        user, resource, kind = presence["from"].user, presence["from"].resource, presence.xml.get("type")
        if user == FINESSE_USER:
            return
        if kind is None:
            self._came(user, resource)
        elif kind == _UNAVAILABLE:  # without a resource: the answer to a probe, nobody is there
            for gone in [resource] if resource else list(self.present.get(user, ())):
                self._went(user, gone)

    def _came(self, user: str, resource: str) -> None:
        resources = self.present.setdefault(user, set())
        if resource not in resources:
            resources.add(resource)
            self._on_presence(user, resource, True)

    def _went(self, user: str, resource: str) -> None:
        resources = self.present.get(user, set())
        if resource in resources:
            resources.discard(resource)
            if not resources:
                del self.present[user]
            self._on_presence(user, resource, False)

    def _nobody_is_present(self) -> None:
        for user, resources in list(self.present.items()):
            for resource in list(resources):
                self._went(user, resource)


def _port(url: str) -> int:
    return int(url.rstrip("/").removesuffix("/ws").rpartition(":")[2])


async def _connected(stream: slixmpp.BaseXMPP, host: str, port: int) -> None:
    """Connect and wait for the session. Nothing is left of it where that fails."""
    begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def on_start(_event: object) -> None:
        if not begun.done():
            begun.set_result(None)

    def on_end(why: str, _event: object) -> None:
        if not begun.done():
            begun.set_exception(ConnectionError(why))

    stream.add_event_handler("session_start", on_start)
    for why in ("failed_auth", "disconnected", "connection_failed"):
        stream.add_event_handler(why, partial(on_end, why))
    stream.connect(host, port)
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            await begun
    except BaseException:
        await asyncio.shield(_closed(stream))
        raise


async def _closed(stream: slixmpp.BaseXMPP | None) -> None:
    """Disconnect and end the tasks that slixmpp leaves running."""
    if stream is None:
        return
    stream.cancel_connection_attempt()
    if stream.is_connected():
        await stream.disconnect(wait=CLOSE_SECONDS)
    sending = stream._run_out_filters  # noqa: SLF001 slixmpp itself cancels it in __del__ only
    if sending is not None:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
