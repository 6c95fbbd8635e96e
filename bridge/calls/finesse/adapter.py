"""Cisco Finesse behind the contract of ``bridge.calls.adapter.Adapter``.

One session per signed-in agent, whoever and however many look at the workspace. Nobody is signed in by the bridge
itself: credentials come with ``SignIn``, stay in memory, and are gone after a restart.
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from bridge.calls.adapter import (
    CallRequest,
    ChangeStatus,
    ConnectionChanged,
    Failure,
    ReadAgent,
    SignIn,
)
from bridge.calls.finesse.endings import Over
from bridge.calls.finesse.nodes import Node, Nodes
from bridge.calls.finesse.observer import Silent
from bridge.calls.finesse.pace import Pace
from bridge.calls.finesse.rest import FinesseRest, make_client
from bridge.calls.finesse.session import AgentSession
from bridge.calls.finesse.site import Site
from bridge.calls.finesse.xmpp import Timing
from bridge.calls.model import Connection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bridge.calls.adapter import AdapterEvents, Request
    from bridge.calls.finesse.observer import Observer
    from bridge.calls.finesse.site import Transport

NOT_SIGNED_IN = Failure("Authorization Failure", "no agent is signed in for this workspace")
ELSEWHERE = Failure("Invalid Device", "this agent or extension is signed in elsewhere")
NO_USERNAME = Failure("Invalid Input", "a username with a colon cannot sign in with a password (RFC 7617 section 2)")
NOT_A_SIMULATOR = Failure("Not Implemented", "Finesse does not simulate the outside world")


class FinesseAdapter:
    """A Finesse server, or a pair of them.

    Args:
        urls: REST base URLs, one per node, such as ``https://finesse1.example.com:8445``.
        xmpp_urls: URLs of the notification service, one per node in the same order; by default found by the REST URL.
        transport: ``websocket``, ``tcp``, or ``auto`` for the first of them that answers.
        ca_file: Certificates to trust instead of the system's.
        linger_seconds: How long an agent is followed without any widget.
        pace: Pauses and time-outs.
        timing: The same for the notification service.
        observer: Hears how long notifications take.
    """

    name = "finesse"
    offers_simulator = False
    dtmf_settle_seconds = 1.0

    def __init__(
        self,
        urls: Sequence[str],
        *,
        xmpp_urls: Sequence[str] = (),
        transport: Transport = "auto",
        ca_file: Path | None = None,
        linger_seconds: float = 300.0,
        pace: Pace | None = None,
        timing: Timing | None = None,
        observer: Observer | None = None,
    ) -> None:
        tls = ssl.create_default_context(cafile=ca_file)
        pace = pace or Pace()
        self._clients = [make_client(tls) for _ in urls]
        nodes = [
            Node(url.rstrip("/"), FinesseRest(url.rstrip("/"), client), xmpp_url)
            for url, client, xmpp_url in zip(urls, self._clients, xmpp_urls or (None for _ in urls), strict=True)
        ]
        self._site = Site(
            nodes=Nodes(nodes, pace),
            tls=tls,
            transport=transport,
            linger_seconds=linger_seconds,
            pace=pace,
            timing=timing or Timing(),
            observer=observer or Silent(),
        )
        # Set by start().
        self._events: AdapterEvents
        # The agents' sessions by workspace, and by what may be signed in once only.
        self._sessions: dict[str, AgentSession] = {}
        self._by_username: dict[str, AgentSession] = {}
        self._by_extension: dict[str, AgentSession] = {}
        self._occupied: set[str] = set()
        # Sessions that are over and may still be closing their lines.
        self._leaving: set[AgentSession] = set()
        self._stopped = False

    def start(self, events: AdapterEvents) -> None:
        """Begin to watch the nodes; needs a running event loop."""
        self._events = events
        self._site.nodes.start()

    async def stop(self) -> None:
        """Close every line. The agents stay signed in at Finesse, which signs them out when nobody comes back."""
        self._stopped = True
        await asyncio.gather(*(session.stop() for session in (*self._sessions.values(), *self._leaving)))
        await self._site.nodes.stop()
        for client in self._clients:
            await client.aclose()

    def ready(self) -> bool:
        """Say whether any node serves."""
        return bool(self._site.nodes.serving())

    def keeps(self, workspace: str) -> bool:
        """Say whether an agent is signed in there."""
        return workspace in self._sessions

    def elsewhere(self, workspace: str, username: str, extension: str) -> bool:
        """Say whether that agent or extension is signed in at another workspace."""
        holders = (self._by_username.get(username), self._by_extension.get(extension))
        return any(session is not None and session.workspace != workspace for session in holders)

    def attach(self, workspace: str) -> None:
        """Tell that nobody is signed in: credentials come with the first sign-in."""
        self._events.changed([ConnectionChanged(workspace, Connection.SIGNED_OUT)])

    def detach(self, workspace: str) -> None:
        """Forget a workspace: nobody is signed in there, or it would be kept."""
        self._occupied.discard(workspace)

    def occupied(self, workspace: str) -> None:
        """Note that a widget looks at the workspace."""
        self._occupied.add(workspace)
        if (session := self._sessions.get(workspace)) is not None:
            session.watch(watched=True)

    def vacated(self, workspace: str) -> None:
        """Note that the last widget has left: the agent is followed for a while longer."""
        self._occupied.discard(workspace)
        if (session := self._sessions.get(workspace)) is not None:
            session.watch(watched=False)

    def submit(self, request: Request) -> None:
        """Pass a request on to its agent's session."""
        asyncio.get_running_loop().call_soon(self._pass_on, request)

    def read(self, workspace: str) -> None:
        """Have the agent's session read everything afresh."""
        if (session := self._sessions.get(workspace)) is not None:
            session.read()

    def _pass_on(self, request: Request) -> None:
        if self._stopped:
            return
        session = self._sessions.get(request.workspace)
        match request:
            case SignIn():
                self._sign_in(request, session)
            case _ if session is None:
                self._events.refused(request.id, NOT_SIGNED_IN)
            case CallRequest() | ChangeStatus():
                session.submit(request)
            case ReadAgent():
                session.read_agent(request)
            case _:
                self._events.refused(request.id, NOT_A_SIMULATOR)

    def _sign_in(self, request: SignIn, session: AgentSession | None) -> None:
        if request.token is None and ":" in request.username:
            self._events.refused(request.id, NO_USERNAME)
            return
        if session is not None and (session.username, session.extension) == (request.username, request.extension):
            session.renew(request)
            return
        if self.elsewhere(request.workspace, request.username, request.extension):
            self._events.refused(request.id, ELSEWHERE)
            return
        if session is not None:
            session.leave(Over("another agent signed in here"))
        watched = request.workspace in self._occupied
        seated = AgentSession(request, self._site, self._events, self._ended, watched=watched)
        self._sessions[request.workspace] = seated
        self._by_username[request.username] = self._by_extension[request.extension] = seated

    def _ended(self, session: AgentSession) -> None:
        del self._sessions[session.workspace]
        del self._by_username[session.username], self._by_extension[session.extension]
        self._leaving = {other for other in self._leaving if not other.is_gone} | {session}
