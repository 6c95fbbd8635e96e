"""The seam between the bus and call control: commands pass it before they are published, and are taken on behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from bridge.protocol.errors import Code, Rejection

if TYPE_CHECKING:
    from pydantic import BaseModel

    from bridge.broker.identity import Identity
    from bridge.protocol.address import Address
    from bridge.protocol.repair import Warn


@dataclass(slots=True, eq=False)
class Command:
    """A command that passed every check of the bus.

    Attributes:
        body: Its checked data.
        rule: The rule of the policy that allowed it.
        source: What it was published as.
    """

    workspace: str
    id: str
    address: Address
    body: BaseModel
    identity: Identity
    warnings: list[Warn]
    rule: str = "loopback"
    source: str | None = None


class Gate(Protocol):
    """Call control as the broker sees it. Every call answers at once, from call control's present picture."""

    def admit(self, command: Command) -> None:
        """Let a command pass before it is published; may add warnings to it.

        Raises:
            Rejection: The command is not possible now; it is delivered to no one.
        """

    def take(self, command: Command) -> None:
        """Take on a command that was published: exactly one outcome will be settled for it."""

    def attach(self, workspace: str) -> None:
        """A workspace came to be."""

    def detach(self, workspace: str) -> None:
        """A workspace was forgotten."""

    def occupied(self, workspace: str) -> None:
        """A workspace that had no session has one."""

    def vacated(self, workspace: str) -> None:
        """The last session has left a workspace."""

    def busy(self, workspace: str) -> bool:
        """Say whether a workspace without sessions must be kept: it has a call, or a signed-in agent."""

    def extension(self, workspace: str) -> str | None:
        """Return the extension of the workspace's agent, as far as it is known."""


class NoCallControl:
    """A gate for a bus without telephones: every command is refused."""

    def admit(self, command: Command) -> None:
        """Refuse.

        Raises:
            Rejection: Always ``unavailable``.
        """
        raise Rejection(Code.UNAVAILABLE, f"no call control for {command.address}")

    def take(self, command: Command) -> None:
        """Never reached: nothing is admitted."""

    def attach(self, workspace: str) -> None:
        """Need nothing."""

    def detach(self, workspace: str) -> None:
        """Need nothing."""

    def occupied(self, workspace: str) -> None:
        """Need nothing."""

    def vacated(self, workspace: str) -> None:
        """Need nothing."""

    def busy(self, workspace: str) -> bool:  # noqa: ARG002
        """Keep nothing."""
        return False

    def extension(self, workspace: str) -> str | None:  # noqa: ARG002
        """Know nobody."""
        return None
