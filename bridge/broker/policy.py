"""May this client do that, and which rule said so."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from bridge.protocol.errors import Code, Rejection

if TYPE_CHECKING:
    from bridge.broker.identity import Identity
    from bridge.protocol.address import Address, Pattern


class Decision(NamedTuple):
    """Whether it is allowed, and the name of the rule that decided."""

    allowed: bool
    rule: str


class Policy(Protocol):
    """Decides on every publish and every pattern."""

    def publish(self, identity: Identity, address: Address) -> Decision:
        """May this client publish there?"""

    def subscribe(self, identity: Identity, pattern: Pattern) -> Decision:
        """May this client read everything that matches the pattern?"""


def not_permitted(what: str, rule: str) -> Rejection:
    """Give the refusal of what a rule does not allow."""
    return Rejection(Code.NOT_PERMITTED, f"this session may not {what}", details={"rule": rule})


class LoopbackPolicy:
    """Without authentication, on a loopback address: whoever can reach the bridge may do everything in a workspace."""

    _yes = Decision(allowed=True, rule="loopback")

    def publish(self, identity: Identity, address: Address) -> Decision:  # noqa: ARG002 the same for all
        """Allow."""
        return self._yes

    def subscribe(self, identity: Identity, pattern: Pattern) -> Decision:  # noqa: ARG002 the same for all
        """Allow."""
        return self._yes
