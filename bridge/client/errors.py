"""What can go wrong for a client, as one tree of exceptions under ``BridgeError``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.client.messages import Gap, Message

TOKEN_EXPIRED = 4402

_NAMES = {
    1000: "normal closure",
    1001: "going away",
    1002: "protocol error",
    1003: "binary data not accepted",
    1006: "connection lost",
    1007: "text was not UTF-8",
    1008: "policy violation",
    1009: "message too big",
    1011: "internal error",
    1012: "restarting",
    1013: "try again later",
    4401: "unauthenticated",
    TOKEN_EXPIRED: "token expired",
    4403: "forbidden",
    4408: "open timeout",
    4410: "slow consumer",
    4429: "too many",
}


def close_text(code: int, reason: str) -> str:
    """Say in words why a connection was closed."""
    name = _NAMES.get(code, "closed")
    return f"{code} {name}: {reason}" if reason and reason != name else f"{code} {name}"


class BridgeError(Exception):
    """Everything that this client raises by itself, but for ``ValueError`` where an argument cannot be."""


class ConnectError(BridgeError):
    """There is no session to be had at this URL now.

    Attributes:
        url: Where it was tried.
        reason: Why not, in words.
        refused: Whether a bridge answered and refused; otherwise nobody answered, or something that is no bridge.
    """

    def __init__(self, url: str, reason: str, *, refused: bool = False) -> None:
        super().__init__(f"cannot connect to {url}: {reason}")
        self.url = url
        self.reason = reason
        self.refused = refused


class SessionEnded(BridgeError):  # noqa: N818 an event that is told, named as the protocol names it
    """The bridge closed the connection with a code after which no client reconnects (wire protocol section 9)."""

    def __init__(self, code: int, reason: str) -> None:
        advice = "; connect with a new token, or give a function that gets one" if code == TOKEN_EXPIRED else ""
        super().__init__(f"the bridge ended the session: {close_text(code, reason)}{advice}")
        self.code = code
        self.reason = reason


class ClientClosed(BridgeError):  # noqa: N818 reads as what is the case
    """``close`` was called on this client, or on this subscription."""


class NotConnected(BridgeError):  # noqa: N818 reads as what is the case
    """There is no connection at the moment, so nothing was sent. The client goes on trying to reconnect."""


class RejectedError(BridgeError):
    """The bridge refused the message and delivered it to nobody (``Bridge/Message/Rejected``).

    Attributes:
        id: The message's id.
        code: One of the documented codes, such as ``illegal_state``.
        message: One sentence.
        temporary: Whether the same may be accepted later.
        address: Where the message would have gone.
        errors: What is wrong field by field: ``pointer``, ``code``, ``message`` and perhaps ``hint``.
        data: The whole body, with the further fields of the code, such as ``allowed`` or ``retryAfterMs``.
    """

    def __init__(self, message_id: str | None, data: Mapping[str, Any]) -> None:
        self.id = message_id
        self.code = str(data.get("code", "unknown"))
        self.message = str(data.get("message", ""))
        self.temporary = bool(data.get("temporary", False))
        address = data.get("address")
        self.address = address if isinstance(address, str) else None
        self.errors: tuple[Mapping[str, Any], ...] = tuple(data.get("errors") or ())
        self.data = data
        super().__init__(f"{self.code}: {self.message}")

    @property
    def retry_after(self) -> float:
        """Seconds after which a rate-limited message may be sent again, 0 where the bridge does not say."""
        return float(self.data.get("retryAfterMs", 0)) / 1000


class CommandError(BridgeError):
    """A command did not end in ``Completed``. ``id`` is the command's."""

    def __init__(self, command_id: str, text: str) -> None:
        super().__init__(text)
        self.id = command_id


class CommandFailed(CommandError):  # noqa: N818 reads as what is the case
    """The command was accepted and not carried out (``Bridge/Command/Failed``).

    Attributes:
        address: The command's address.
        call: The call that it went to, where it went to one.
        error_type: Such as ``Invalid Destination``.
        message: One sentence.
        cause: Such as ``BAD_DESTINATION``, where the switch gave one.
        outcome: The message that said so.
    """

    def __init__(self, command_id: str, outcome: Message) -> None:
        self.outcome = outcome
        data: Mapping[str, Any] = outcome.data
        self.address = str(data.get("address", ""))
        self.call: str | None = data.get("call")
        self.error_type = str(data.get("errorType", ""))
        self.message = str(data.get("message", ""))
        self.cause: str | None = data.get("cause")
        cause = f" ({self.cause})" if self.cause else ""
        super().__init__(command_id, f"{self.address} failed: {self.error_type}: {self.message}{cause}")


class CommandTimedOut(CommandError):  # noqa: N818 reads as what is the case
    """The bridge does not know what became of the command (``Bridge/Command/TimedOut``); the state was read afresh.

    Attributes:
        address: The command's address.
        call: The call that it went to, where it went to one.
        after_ms: How long the bridge has waited, in milliseconds.
        outcome: The message that said so.
    """

    def __init__(self, command_id: str, outcome: Message) -> None:
        self.outcome = outcome
        data: Mapping[str, Any] = outcome.data
        self.address = str(data.get("address", ""))
        self.call: str | None = data.get("call")
        self.after_ms = int(data.get("afterMs", 0))
        super().__init__(command_id, f"{self.address} timed out after {self.after_ms} ms: nothing is known of it")


class OutcomeUnknown(CommandError):  # noqa: N818 reads as what is the case
    """The message may have had its effect or not: read the state, do not send it again."""

    def __init__(self, command_id: str, why: str) -> None:
        super().__init__(command_id, f"it is not known what became of {command_id}: {why}; read the state instead")


class NotSent(CommandError):  # noqa: N818 reads as what is the case
    """The connection was lost before the message reached the bridge: it had no effect and may be sent again."""

    def __init__(self, command_id: str) -> None:
        super().__init__(command_id, f"{command_id} did not reach the bridge: the connection was lost before")


class MessagesLost(BridgeError):  # noqa: N818 reads as what is the case
    """Messages were missed while the connection was down, and the bridge could not give them again.

    Raised once by a subscription that has no ``on_gap``. Iterating goes on afterwards, with the snapshot first.
    """

    def __init__(self, gap: Gap) -> None:
        super().__init__(
            f"messages after offset {gap.last_offset} were missed and cannot be recovered; a snapshot follows"
        )
        self.gap = gap


class ConsumerTooSlow(BridgeError):  # noqa: N818 reads as what is the case
    """Nobody read this subscription's messages fast enough: it has ended, the messages before are all delivered."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"{limit} messages were waiting unread: the subscription has ended")
        self.limit = limit
