"""One connected client, as the broker knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bridge.broker.identity import Identity
    from bridge.broker.policy import Permissions
    from bridge.broker.rate import Bucket
    from bridge.broker.workspace import Workspace
    from bridge.protocol.address import Address, Pattern
    from bridge.protocol.errors import CloseCode
    from bridge.protocol.message import Burst, Encoded


class Subscriber(Protocol):
    """Where a session's messages go: a transport implements it. No call may fail or call back."""

    def send(self, message: Encoded) -> None:
        """Queue a message for the client, in this order."""

    def send_all(self, burst: Burst) -> None:
        """Queue messages, as if each were sent by itself."""

    def close(self, code: CloseCode, reason: str) -> None:
        """End the connection; nothing is sent after this."""


class Session:
    """One connected client in one workspace."""

    __slots__ = (
        "bucket",
        "echo",
        "id",
        "identity",
        "last_address",
        "opened_at",
        "patterns",
        "permissions",
        "received",
        "subscriber",
        "workspace",
    )

    def __init__(
        self,
        session_id: str,
        workspace: Workspace,
        identity: Identity,
        subscriber: Subscriber,
        permissions: Permissions,
        bucket: Bucket,
        opened_at: float,
    ) -> None:
        self.id = session_id
        self.workspace = workspace
        self.identity = identity
        self.subscriber = subscriber

        # Like the identity, replaced when the token is refreshed.
        self.permissions = permissions

        # What it asked for.
        self.patterns: frozenset[Pattern] = frozenset()
        self.echo = False

        # What the log tells at the end.
        self.bucket = bucket
        self.opened_at = opened_at
        self.received = 0
        self.last_address: Address | None = None
