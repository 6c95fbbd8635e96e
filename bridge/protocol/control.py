"""The ``Bridge/…`` messages: session, subscription, replies, outcomes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, SecretStr, WithJsonSchema

from bridge.protocol.address import SEGMENT, Address
from bridge.protocol.errors import Code
from bridge.protocol.message import MessageId
from bridge.protocol.model import Body

CHANNEL = "Bridge"
SUBPROTOCOL = "workspace-bridge.v1"

OPEN = Address(CHANNEL, "Session", "Open")
OPENED = Address(CHANNEL, "Session", "Opened")
REFRESH = Address(CHANNEL, "Session", "Refresh")
REFRESHED = Address(CHANNEL, "Session", "Refreshed")
HEARTBEAT = Address(CHANNEL, "Session", "Heartbeat")
SUBSCRIBE = Address(CHANNEL, "Subscription", "Subscribe")
SUBSCRIBED = Address(CHANNEL, "Subscription", "Subscribed")
UNSUBSCRIBE = Address(CHANNEL, "Subscription", "Unsubscribe")
UNSUBSCRIBED = Address(CHANNEL, "Subscription", "Unsubscribed")
ACCEPTED = Address(CHANNEL, "Message", "Accepted")
REJECTED = Address(CHANNEL, "Message", "Rejected")
STATUS = Address(CHANNEL, "Command", "Status")
EXPLAIN = Address(CHANNEL, "Policy", "Explain")
EXPLAINED = Address(CHANNEL, "Policy", "Explained")
COMPLETED = Address(CHANNEL, "Command", "Completed")
FAILED = Address(CHANNEL, "Command", "Failed")
TIMED_OUT = Address(CHANNEL, "Command", "TimedOut")

OUTCOMES = frozenset({COMPLETED, FAILED, TIMED_OUT})


PatternText = Annotated[
    str, WithJsonSchema({"type": "string", "pattern": rf"^(?:\*|{SEGMENT})(?:/(?:\*|{SEGMENT})){{0,2}}$"})
]
"""A pattern as it is written. The model takes any string: ``Pattern.parse`` says better what is wrong with one."""


class Recover(Body):
    """Where a reconnecting client stopped reading."""

    epoch: Annotated[str, Field(min_length=1, max_length=64)]
    offset: Annotated[int, Field(ge=0)]


class Subscribe(Body):
    """Deliver what matches these patterns from now on; with `recover`, also what came since then."""

    patterns: Annotated[
        list[PatternText],
        FailFast(),  # a list of thousands of wrong things is answered by the first
        Field(min_length=1, description="Such as `Cisco/InboundCall` or `Cisco/*/SetHOLD`."),
    ]
    echo: bool | None = Field(None, description="Deliver the session's own messages to it too. The last value counts.")
    recover: Recover | None = Field(None, description="Epoch and offset of the last message that was read.")


class Unsubscribe(Body):
    """Cease to deliver what matches these patterns. Unknown ones are ignored."""

    patterns: Annotated[list[PatternText], FailFast(), Field(min_length=1)]


class Status(Body):
    """Ask what became of a command, without acting."""

    id: MessageId


class Open(Body):
    """Bring the token: the first message of a client that did not bring it with the handshake."""

    token: SecretStr


class Refresh(Body):
    """Go on with a newer token, before the present one expires."""

    token: SecretStr


class Explain(Body):
    """Ask which rule decides, for this session."""

    action: Literal["publish", "subscribe"]
    address: str = Field(description="Where to publish, or the pattern to subscribe to.")


class Sent(BaseModel):
    """The ``data`` of a message that the bridge sends: open, as clients ignore fields that they do not know."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Identity(Sent):
    """Who the bridge takes the session for."""

    subject: str | None = None
    app: str
    extension: str | None = None


class Limits(Sent):
    """What the session may use; 0 means no limit."""

    messageBytes: int
    messagesPerSecond: float
    subscriptions: int


class Server(Sent):
    """What serves the session."""

    version: str
    adapter: str


class Opened(Sent):
    """The first message of every session."""

    protocol: Literal["workspace-bridge.v1"]
    session: str
    workspace: str
    identity: Identity
    heartbeatSeconds: float
    limits: Limits
    server: Server
    expiresInSeconds: float | None = Field(
        None, description="Until the session ends with 4402, unless it is refreshed. Only with authentication."
    )


class Refreshed(Sent):
    """Reply to Refresh."""

    expiresInSeconds: float | None = Field(None, description="As in `Opened`.")
    ended: list[str] = Field(description="Patterns that were subscribed and that the new token does not allow.")


class Explained(Sent):
    """Reply to Explain."""

    allowed: bool
    rule: str = Field(description="The rule that decided.")
    tried: list[str] = Field(description="All rules that were asked, in their order, the deciding one last.")


class Heartbeat(Sent):
    """Sign of life, with the position of the workspace's stream."""

    epoch: str
    offset: int


class Subscribed(Sent):
    """Reply to Subscribe; registered in the same step."""

    patterns: list[str]
    epoch: str
    offset: int
    recovered: bool | None = Field(None, description="Only in answers to `recover`.")
    messages: list[dict[str, Any]] | None = Field(None, description="Only in answers to `recover`.")
    snapshot: list[dict[str, Any]]


class Unsubscribed(Sent):
    """Reply to Unsubscribe."""

    patterns: list[str]


class Warning(Sent):  # noqa: A001 the protocol's word
    """One repair that was made."""

    pointer: str
    message: str


class Accepted(Sent):
    """The message was published, or had been before (`duplicate`)."""

    offset: int
    duplicate: bool
    warnings: list[Warning]
    outcome: dict[str, Any] | None = Field(None, description="The outcome message, where the command has ended.")


class FieldProblem(Sent):
    """One thing that is wrong in a message."""

    pointer: str
    code: str
    message: str
    hint: str | None = None


class Rejected(Sent):
    """The message was refused and delivered to nobody."""

    code: str = Field(description="One of the documented codes.", examples=[code.value for code in Code])
    message: str
    temporary: bool = Field(description="Whether the same message may be accepted later.")
    address: str | None = Field(None, description="Where the message would have gone, as far as it could be read.")
    errors: list[FieldProblem] | None = Field(None, description="With `invalid_envelope` and `invalid_data`.")
    line: int | None = Field(None, description="With `malformed_json`; counts from 1.")
    column: int | None = Field(None, description="With `malformed_json`; counts from 1.")
    retryAfterMs: int | None = Field(None, description="With `rate_limited`.")
    rule: str | None = Field(None, description="With `not_permitted`: the rule that decided.")
    suggestion: str | None = Field(None, description="With `unknown_address`: the nearest address that there is.")
    hint: str | None = Field(None, description="With `unknown_address`: what to know about it.")
    limit: int | None = Field(None, description="With `limit_exceeded`.")
    calls: list[str] | None = Field(None, description="With `unknown_call`: ids of the agent's calls.")
    state: str | None = Field(None, description="With `illegal_state`: the state that is in the way.")
    allowed: list[str] | None = Field(None, description="With `illegal_state`: subtopics that the call allows now.")


class StatusReply(Sent):
    """What is known of a command."""

    known: bool
    offset: int | None = None
    outcome: dict[str, Any] | None = None


class Completed(Sent):
    """The command was carried out: the state shows it."""

    address: str
    call: str | None = None
    consultCall: str | None = None


class Failed(Sent):
    """The command was not carried out."""

    address: str
    call: str | None = None
    errorType: str
    message: str
    cause: str | None = None


class TimedOut(Sent):
    """Nothing is known of the command; the state was read afresh and published before this."""

    address: str
    call: str | None = None
    afterMs: int
