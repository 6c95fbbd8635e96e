"""The whole look-alike: one world, one node or two, and the hand of the outside world."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bridge.finesse_simulator.accounts import LOCKED_SECONDS, Accounts
from bridge.finesse_simulator.carrier import Carrier
from bridge.finesse_simulator.certificates import make_certificates
from bridge.finesse_simulator.control import control_app
from bridge.finesse_simulator.fault_request import FaultRequest
from bridge.finesse_simulator.faults import Faults
from bridge.finesse_simulator.https import HttpServer
from bridge.finesse_simulator.journal import Journal
from bridge.finesse_simulator.lanes import Later
from bridge.finesse_simulator.node import Node
from bridge.finesse_simulator.notification_service import NotificationService
from bridge.finesse_simulator.pair import Pair
from bridge.finesse_simulator.presences import Presences
from bridge.finesse_simulator.profile import PROFILES, Platform
from bridge.finesse_simulator.rest import RestNode
from bridge.finesse_simulator.troublemaker import Troublemaker
from bridge.finesse_simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from bridge.finesse_simulator.accounts import Account
    from bridge.finesse_simulator.certificates import Certificates

FORCED_LOGOUT_SECONDS: Final = 60.0
REACTION_SECONDS: Final = 0.02
PORTS_PER_NODE: Final = 3
"""REST, WebSocket, TCP with TLS."""


class FinesseLookAlike:
    """A Finesse server, or a pair, on loopback.

    It is used so::

        async with FinesseLookAlike(agents=3) as finesse:
            call = finesse.offer("1001001", "+15550100")
            await finesse.set_faults(duplicates=True)

    Agents are ``1001001`` and on, each with a password, an access token and its username as extension. ``port`` is the
    first of three for each node and one for the control interface; 0 takes free ones. Files go into ``directory``, or
    into a temporary one that is removed afterwards.

    Raises:
        ProsodyError: When it is started and Prosody is not installed or does not start.
        OSError: When it is started and a port is taken.
    """

    def __init__(
        self,
        *,
        agents: int = 3,
        pair: bool = False,
        profile: str = "cce",
        reaction_seconds: float = REACTION_SECONDS,
        forced_logout_seconds: float = FORCED_LOGOUT_SECONDS,
        locked_seconds: float = LOCKED_SECONDS,
        port: int = 0,
        directory: Path | None = None,
    ) -> None:
        self.faults = Faults()
        self.journal = Journal()
        self.accounts = Accounts(agents, clock=time.monotonic, locked_seconds=locked_seconds)
        self._profile = PROFILES[Platform(profile)]
        self._reaction_seconds = reaction_seconds
        self._forced_logout_seconds = forced_logout_seconds
        self._ports = [port + number if port else 0 for number in range(2 * PORTS_PER_NODE + 1)]
        self._directory = directory
        self._domains = [f"finesse{number}.localhost" for number in ((1, 2) if pair else (1,))]
        # Set by start().
        self.nodes: list[Node] = []
        self.world: World
        self._troublemaker: Troublemaker
        self._certificates: Certificates
        self._control: HttpServer
        self._ending = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Start everything; when this fails, nothing is left running."""
        async with AsyncExitStack() as started:
            loop = asyncio.get_running_loop()
            directory = self._directory
            if directory is None:
                directory = Path(tempfile.mkdtemp(prefix="finesse-look-alike-"))
                started.callback(shutil.rmtree, directory, ignore_errors=True)
            self._certificates = make_certificates(directory / "certificates")
            later = Later(loop.call_later)
            started.callback(later.cancel)
            pair = Pair(domains=self._domains, faults=self.faults, profile=self._profile, now=_now)
            carrier = Carrier(faults=self.faults, later=later, deliver=pair.deliver)
            self.world = World(
                accounts=self.accounts,
                profile=self._profile,
                faults=self.faults,
                publish=carrier.carry,
                later=later,
                now=_now,
                reaction_seconds=self._reaction_seconds,
            )
            presences = Presences(
                call_later=loop.call_later, seconds=self._forced_logout_seconds, force_out=self.world.force_out
            )
            started.callback(presences.stop)
            self._troublemaker = Troublemaker(faults=self.faults, accounts=self.accounts, world=self.world, pair=pair)
            self.nodes = pair.nodes
            for number in range(len(self._domains)):
                node = self._node(number, directory / f"node{number + 1}", pair, presences)
                pair.nodes.append(node)
                started.push_async_callback(node.stop)
            for problem in await asyncio.gather(*(node.start() for node in pair.nodes), return_exceptions=True):
                if problem is not None:
                    raise problem
            self._control = HttpServer(control_app(self), port=self._ports[-1])
            started.push_async_callback(self._control.stop)
            await self._control.start()
            self._ending = started.pop_all()

    async def stop(self) -> None:
        """Stop everything and remove what was written."""
        await self._ending.aclose()

    def _node(self, number: int, directory: Path, pair: Pair, presences: Presences) -> Node:
        directory.mkdir(parents=True, exist_ok=True)
        rest, websocket, tls = self._ports[number * PORTS_PER_NODE : (number + 1) * PORTS_PER_NODE]
        face = RestNode(
            number,
            world=self.world,
            accounts=self.accounts,
            faults=self.faults,
            journal=self.journal,
            system_info=lambda: pair.system_info(number),
        )
        notifications = NotificationService(
            directory=directory,
            certificates=self._certificates,
            accounts={account.username: account.password for account in self.accounts},
            tokens={account.username: account.token for account in self.accounts},
            domain=self._domains[number],
            ports=(websocket, tls),
            on_presence=partial(presences.changed, number),
        )
        return Node(app=face.app, certificates=self._certificates, port=rest, notifications=notifications)

    # Where it is

    @property
    def rest_urls(self) -> list[str]:
        """The REST API of each node."""
        return [node.rest_url for node in self.nodes]

    @property
    def xmpp_urls(self) -> list[str]:
        """The notification service of each node, over WebSocket."""
        return [node.notifications.websocket_url for node in self.nodes]

    @property
    def xmpp_tcp_urls(self) -> list[str]:
        """The notification service of each node, over TCP with TLS."""
        return [node.notifications.tls_url for node in self.nodes]

    @property
    def ca_file(self) -> Path:
        """The authority whose certificates all ports show."""
        return self._certificates.ca_file

    @property
    def control_url(self) -> str:
        """Where the hand of the outside world is."""
        return f"http://127.0.0.1:{self._control.port}"

    @property
    def agents(self) -> list[Account]:
        """All agents, with username, password, extension and token."""
        return list(self.accounts)

    def to_json(self) -> dict[str, Any]:
        """Give what a client needs to know, secrets included."""
        agents = [
            {
                "username": account.username,
                "password": account.password,
                "extension": account.extension,
                "token": account.token,
            }
            for account in self.accounts
        ]
        return {
            "rest": self.rest_urls,
            "xmpp": self.xmpp_urls[0],
            "xmpp_nodes": self.xmpp_urls,
            "xmpp_tcp": self.xmpp_tcp_urls,
            "ca_file": str(self.ca_file),
            "agents": agents,
            "control": self.control_url,
        }

    # The outside world

    def offer(self, to: str, from_address: str, variables: Mapping[str, str] | None = None) -> str:
        """Let a customer's call ring at the extension ``to``; return its id. Raises ``SwitchError``."""
        return self.world.offer(to, from_address, variables)

    def party_answer(self, address: str) -> None:
        """Let a party answer by telephone. Raises ``SwitchError``."""
        self.world.party_answer(address)

    def party_drop(self, address: str, call: str | None = None) -> None:
        """Let a party hang up all its calls, or one. Raises ``SwitchError``."""
        self.world.party_drop(address, call)

    def dialogs(self) -> dict[str, Any]:
        """Give the truth about every agent and call, by extension."""
        return self.world.to_json()

    def log(self) -> list[dict[str, Any]]:
        """Give every request that would change something, in order."""
        return self.journal.to_json()

    # What goes wrong

    async def set_faults(self, request: FaultRequest | None = None, /, **changes: Any) -> dict[str, Any]:
        """Let things go wrong, or right again; the keywords are those of ``FaultRequest``. Return what came of it.

        Raises:
            ValueError: Something is asked for that cannot be; nothing was done.
        """
        return await self._troublemaker.do(request or FaultRequest.model_validate(changes))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
