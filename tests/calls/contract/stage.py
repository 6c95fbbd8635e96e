"""What a third adapter brings to be put through the contract: one small class. See ``README.md``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from pydantic import SecretStr

from bridge.calls.adapter import SignIn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.calls.adapter import Adapter
    from bridge.calls.model import Action, AgentStatus, Call


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent, and the workspace at which it signs in."""

    workspace: str
    username: str
    extension: str
    password: str = field(repr=False, default="")

    def sign_in(self, request: str) -> SignIn:
        """Make the request that signs the agent in."""
        return SignIn(request, self.workspace, self.username, self.extension, password=SecretStr(self.password))


class Shown(NamedTuple):
    """A call, as far as the switch's truth and the adapter's picture can be compared."""

    state: str
    from_address: str
    to_address: str
    secondary_id: str | None
    associated: str | None
    variables: frozenset[tuple[str, str]]
    parties: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, call: Call) -> Shown:
        """Reduce a call; a variable without a value is none."""
        return cls(
            call.state.value,
            call.from_address or "",
            call.to_address,
            call.secondary_id,
            call.associated,
            frozenset((name, value) for name, value in call.variables.items() if value),
            frozenset((party.address, party.state.value) for party in call.participants),
        )


class Truth(NamedTuple):
    """An agent and its calls by id, as the switch has them: asked of the switch, not of the adapter."""

    status: AgentStatus
    calls: Mapping[str, Shown]


class Stage(ABC):
    """A switch with an adapter to it, and the hands of everybody who is not the bridge.

    Everything that is given out (seats, numbers) is fresh, so that tests can share one switch.
    """

    busy = "5090"
    """A number that is busy."""
    bad = "5091"
    """A number that does not exist."""
    no_extension = "5090"
    """What no agent can sign in at."""
    checks_passwords = True
    """Whether a wrong password is refused."""
    outlives_adapter = True
    """Whether agents and their calls are still there for the next adapter when one has stopped."""

    loses_answers = True
    """Whether the switch can be made to act on a request and lose its answer."""

    @abstractmethod
    def adapter(self) -> Adapter:
        """Make an adapter to this switch; it is not started."""

    @abstractmethod
    def seat(self) -> Seat:
        """Give an agent who is signed in nowhere, and a workspace that has no agent of its own."""

    @abstractmethod
    def number(self) -> str:
        """Give a number that can be called and belongs to no agent."""

    @abstractmethod
    async def calls(self, seat: Seat, number: str, variables: Mapping[str, str]) -> None:
        """Let a customer call: it rings at the agent."""

    @abstractmethod
    async def answers(self, seat: Seat, address: str) -> None:
        """Let a party answer by telephone the call that rings there; the agent of ``seat`` is in it."""

    @abstractmethod
    async def hangs_up(self, seat: Seat, address: str) -> None:
        """Let a party hang up by telephone the call, or calls, that it has with the agent of ``seat``."""

    async def loses_the_answer(self, seat: Seat, action: Action) -> None:
        """Let the answer to the agent's next such action be lost, while the switch acts on it."""
        raise NotImplementedError

    @abstractmethod
    async def truth(self, seat: Seat) -> Truth:
        """Ask the switch itself about an agent who has signed in."""
