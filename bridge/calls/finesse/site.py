"""What all agents of one Finesse share: its nodes, how to reach them, and how fast."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from bridge.calls.finesse.observer import Silent
from bridge.calls.finesse.pace import Pace
from bridge.calls.finesse.xmpp import Endpoint, Timing, XmppUnreachable, connect

if TYPE_CHECKING:
    import ssl

    from bridge.calls.finesse.credentials import Credentials
    from bridge.calls.finesse.nodes import Node, Nodes
    from bridge.calls.finesse.observer import Observer
    from bridge.calls.finesse.xmpp import XmppConnection

Transport = Literal["auto", "websocket", "tcp"]

RESOURCE = "workspace-bridge"
"""Our sessions' XMPP resource. The same for every bridge, so that two bridges at one agent notice each other; Finesse
keeps ``desktop`` for its own desktop."""

TCP_PORT = 5223
"""Finesse's notification service over TCP with TLS, where the platform opens it."""


@dataclass(slots=True)
class Site:
    """One Finesse: a node, or a pair of them.

    Attributes:
        connecting: Lets so many agents at once connect to the notification service.
        signing_in: The same for signing in, which comes after it. In one queue with the others an agent who is
            connected would wait behind all who are not: nobody would be done before everybody is.
    """

    nodes: Nodes
    tls: ssl.SSLContext
    transport: Transport = "auto"
    linger_seconds: float = 300.0
    pace: Pace = field(default_factory=Pace)
    timing: Timing = field(default_factory=Timing)
    observer: Observer = field(default_factory=Silent)
    connecting: asyncio.Semaphore = field(init=False)
    signing_in: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self.connecting = asyncio.Semaphore(self.pace.at_once)
        self.signing_in = asyncio.Semaphore(self.pace.at_once)

    def endpoints(self, node: Node) -> list[Endpoint]:
        """Return where the node's notification service may be, in the order in which to try.

        Finesse 12.6(1) and later serve WebSocket at the port of the REST API (Finesse REST developer guide,
        "Notification service").
        """
        if node.xmpp_url is not None:
            return [Endpoint(node.xmpp_url)]
        address = urlsplit(node.url)
        websocket = Endpoint(f"wss://{address.netloc}/ws/")
        tcp = Endpoint(f"xmpps://{address.hostname}:{TCP_PORT}")
        return {"auto": [websocket, tcp], "websocket": [websocket], "tcp": [tcp]}[self.transport]

    async def open_line(self, node: Node, login_id: str, credentials: Credentials) -> XmppConnection:
        """Connect an agent to a node's notification service.

        Raises:
            XmppUnreachable: It is at none of the endpoints.
            XmppRefused: It does not take the credentials.
            XmppConflict: Another session took the resource meanwhile.
            XmppLost: It ended the connection.
        """
        problems: list[str] = []
        for endpoint in self.endpoints(node):
            try:
                return await connect(
                    endpoint,
                    username=login_id,
                    domain=node.info.xmpp_domain if node.info is not None else "",
                    secret=credentials.secret,
                    resource=RESOURCE,
                    tls=self.tls,
                    timing=self.timing,
                )
            except XmppUnreachable as problem:
                problems.append(str(problem))
        raise XmppUnreachable("; ".join(problems))
