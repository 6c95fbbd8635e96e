"""The contract between call control and a telephone switch.

``calls.service`` gives an adapter requests, the adapter tells the service what became of them and what changed on the
switch. Both sides are plain calls without awaiting: an adapter that does I/O starts its own tasks.

What an adapter promises:

* ``submit`` returns at once and never calls back before it has returned.
* For each submitted request it calls ``taken`` or ``refused`` at most once. It may never do so: the service ends the
  command by itself when its time is over, and ignores what comes later.
* A request may be ``refused`` after it was ``taken``: the switch said yes first and no later.
* ``unanswered`` stands in the place of ``taken`` where the answer was lost on its way: whether the switch will act is
  then told by changes alone.
* Changes come in the order in which they happened on the switch. ``changed`` gets everything that one happening on the
  switch did, in one batch, so that an outcome is never told before all of its events.
* ``cause`` is the id of the request that made the change, ``None`` when a party did it by telephone.
* A change that repeats what is known may be told again: it has no effect.
* ``read`` is answered by one ``reread`` with the whole truth about that workspace, or never.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from bridge.calls.model import Action, Agent, AgentStatus, Call, Connection


@dataclass(frozen=True, slots=True)
class CallRequest:
    """Do ``action``; ``call`` is the call it goes to, all but ``MAKE_CALL`` have one."""

    id: str
    workspace: str
    action: Action
    call: str | None = None
    to_address: str | None = None
    digits: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign an agent in, with a password or an SSO access token."""

    id: str
    workspace: str
    username: str
    extension: str
    password: SecretStr | None = None
    token: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class ChangeStatus:
    """Set the agent's state: ``READY``, ``NOT_READY`` or ``LOGOUT``."""

    id: str
    workspace: str
    status: AgentStatus
    reason_code: str | None = None


@dataclass(frozen=True, slots=True)
class ReadAgent:
    """Tell the agent's state anew, as a change with this request as its cause."""

    id: str
    workspace: str


@dataclass(frozen=True, slots=True)
class OfferCall:
    """Simulator only: a customer's call rings at the workspace's agent."""

    id: str
    workspace: str
    from_address: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PartyAnswer:
    """Simulator only: a party answers the call of this workspace that has been ringing there longest."""

    id: str
    workspace: str
    address: str


@dataclass(frozen=True, slots=True)
class PartyDrop:
    """Simulator only: a party of this workspace's calls hangs up; without ``call``, all of its calls."""

    id: str
    workspace: str
    address: str
    call: str | None = None


Request = CallRequest | SignIn | ChangeStatus | ReadAgent | OfferCall | PartyAnswer | PartyDrop


@dataclass(frozen=True, slots=True)
class Failure:
    """Why the switch refused: ``error_type`` is Finesse's, such as ``Invalid State`` or ``Invalid Destination``."""

    error_type: str
    message: str
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class CallChanged:
    """A call of the workspace's agent appeared or changed."""

    workspace: str
    call: Call
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is no longer the agent's; ``call`` is how it looked last."""

    workspace: str
    call: Call
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """The agent signed in, changed state or (``status`` is ``LOGOUT``) signed out."""

    workspace: str
    agent: Agent
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """Call control began or ceased to see the agent's calls; ``reason`` says why, where a person should know."""

    workspace: str
    connection: Connection
    cause: str | None = None
    reason: str | None = None


Change = CallChanged | CallEnded | AgentChanged | ConnectionChanged


class AdapterEvents(Protocol):
    """What an adapter calls; the service implements it."""

    def taken(self, request: str) -> None:
        """The switch has accepted the request with that id; its result comes as changes."""

    def refused(self, request: str, failure: Failure) -> None:
        """The switch will not, or could not, do what was asked."""

    def unanswered(self, request: str) -> None:
        """The request may have reached the switch or not: no answer will come."""

    def changed(self, changes: Sequence[Change]) -> None:
        """All that one happening on the switch changed, in order."""

    def reread(self, workspace: str, agent: Agent | None, calls: Sequence[Call]) -> None:
        """Answer ``read``: the agent and every call of that workspace, as the switch has them now."""


@runtime_checkable
class Adapter(Protocol):
    """A telephone switch as call control sees it. See the module's text for the contract."""

    @property
    def name(self) -> str:
        """Name for settings and logs, such as ``simulator``."""

    @property
    def dtmf_settle_seconds(self) -> float:
        """How long after ``taken`` an error for ``SEND_DTMF`` may still come."""

    @property
    def offers_simulator(self) -> bool:
        """Whether ``OfferCall``, ``PartyAnswer`` and ``PartyDrop`` are understood."""

    def start(self, events: AdapterEvents) -> None:
        """Begin; ``events`` is where everything is told from now on."""

    async def stop(self) -> None:
        """End, release every resource. Outstanding requests may stay unanswered."""

    def ready(self) -> bool:
        """Say whether the switch can be reached at all (``/readyz``)."""

    def keeps(self, workspace: str) -> bool:
        """Say whether a sign-in would be lost if the workspace were forgotten."""

    def elsewhere(self, workspace: str, username: str, extension: str) -> bool:
        """Say whether that agent or extension is signed in at another workspace."""

    def attach(self, workspace: str) -> None:
        """A workspace came to be: tell its connection, agent and calls by ``changed``, now or later."""

    def detach(self, workspace: str) -> None:
        """A workspace was forgotten; it had no call left."""

    def occupied(self, workspace: str) -> None:
        """An attached workspace, which had no session, has one: somebody is looking."""

    def vacated(self, workspace: str) -> None:
        """The last session has left an attached workspace."""

    def submit(self, request: Request) -> None:
        """Give the switch a request."""

    def read(self, workspace: str) -> None:
        """Ask for a ``reread``."""
