"""The ``Cisco/…`` messages: commands of a desktop, events of its calls and its agent."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from bridge.protocol.address import Address
from bridge.protocol.control import Sent
from bridge.protocol.model import Body

CHANNEL = "Cisco"
INBOUND = "InboundCall"
OUTBOUND = "OutboundCall"

INBOUND_EVENT = Address(CHANNEL, INBOUND, "InboundCallStateChange")
OUTBOUND_EVENT = Address(CHANNEL, OUTBOUND, "OutBoundCallStateChange")
AGENT_STATE = Address(CHANNEL, "Agent", "SetAgentState")
CONNECTION_STATUS = Address(CHANNEL, "Connection", "SetConnectionStatus")
API_ERROR = Address(CHANNEL, "Error", "SetAPIError")

Dialable = Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{1,64}$")]
CallId = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_\-]{1,64}$")]
Digits = Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]{1,32}$")]
Name = Annotated[str, StringConstraints(min_length=1, max_length=128)]
Secret = Annotated[SecretStr, Field(min_length=1, max_length=16384)]
ReasonCode = Annotated[str, StringConstraints(pattern=r"^-?[0-9]{1,9}$")]
MAX_VARIABLES = 256
"""A switch has ten call variables and a few dozen extended ones."""


def _not_too_many(variables: Any) -> Any:
    """Count before each one is looked at: a message of thousands of wrong ones is answered by their number."""
    if isinstance(variables, dict) and len(variables) > MAX_VARIABLES:
        raise ValueError(f"more than {MAX_VARIABLES} variables")
    return variables


Variables = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64)],
        Annotated[str, StringConstraints(max_length=2000)],
    ],
    Field(
        max_length=MAX_VARIABLES, description="Call variables by name, such as `callVariable1` or `user.orderNumber`."
    ),
    BeforeValidator(_not_too_many),
]


class OnCall(Body):
    """An action on one of the agent's calls."""

    MediaAddress: Dialable = Field(description="The agent's own extension.")
    CallID: CallId = Field(description="`call.id` of the call.")


class SetConsult(OnCall):
    """Put the active call on hold and call a colleague."""

    toAddress: Dialable = Field(description="Whom to consult.")


class SetConference(OnCall):
    """Join a held call to the active one. `CallID` is the held call."""


class SetTransfer(OnCall):
    """Connect a held call with the active one and leave. `CallID` is the held call."""


class SetTransferSingleStep(OnCall):
    """Send the active call to another number, without talking to it first."""

    toAddress: Dialable = Field(description="Where the call goes.")


class SetAnswer(OnCall):
    """Answer a ringing call."""


class SetHold(OnCall):
    """Put the active call on hold."""


class SetRetrieve(OnCall):
    """Take a held call back."""


class SetDrop(OnCall):
    """Leave a call; a call that still dials is cancelled."""


class SetSendDtmf(OnCall):
    """Send touch tones into the active call."""

    digits: Digits = Field(description="0-9, *, #, A-D")


class SetMakeCall(Body):
    """Call a number from the workspace's own extension."""

    toAddress: Dialable = Field(description="Whom to call.")


class SetUpdateCallData(Body):
    """Set call variables."""

    CallID: CallId = Field(description="`call.id` of the call.")
    callVariables: Variables


class SetUserInfo(Body):
    """Sign the agent in. Goes to call control only: it is never delivered, stored or logged."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": [secret], "properties": {secret: {"type": "string"}}} for secret in ("password", "token")
            ]
        }
    )

    username: Name
    password: Secret | None = Field(None, description="Either this or `token`.")
    token: Secret | None = Field(None, description="An SSO access token, instead of `password`.")
    extension: Dialable

    @model_validator(mode="after")
    def _one_secret(self) -> SetUserInfo:
        if (self.password is None) == (self.token is None):
            raise ValueError("give either password or token")
        return self


class SetReadyState(Body):
    """Make the agent ready for calls."""


class SetNotReadyState(Body):
    """Make the agent not ready."""

    ReasonCodeId: ReasonCode | None = None


class GetAgentState(Body):
    """Have the agent's state published anew."""


class Logout(Body):
    """Sign the agent out."""

    ReasonCodeId: ReasonCode | None = None


class CallView(Sent):
    """One call as its agent sees it."""

    id: str
    event: str = Field(description="The agent's own state in the call, in lower case.")
    CallType: str
    ResponseType: int
    ResponseText: str
    ActionsAllowed: list[str] = Field(description="Subtopics of the commands that the call allows now.")
    associatedCall: str | None = Field(description="The agent's call that this one was consulted from.")
    secondaryId: str | None = Field(None, description="The call that was merged into this one.")
    ended: bool = Field(description="True in the event that removes the call, and only there.")
    ResponseActual: dict[str, Any] = Field(description="`dialog`: the whole dialog.")


class CallStateChange(Sent):
    """A call appeared, changed or ended."""

    source: Literal["event"]
    call: CallView


class AgentState(Sent):
    """The agent's state."""

    loginId: str
    loginName: str
    extension: str
    firstName: str
    lastName: str
    teamName: str
    roles: list[str]
    state: str
    reasonCodeId: str | None
    stateChangeTime: str


class ConnectionStatus(Sent):
    """Whether call control sees the agent's calls."""

    status: Literal["connected", "reconnecting", "signed_out"]
    since: str = Field(description="RFC 3339, UTC, milliseconds.")
    reason: str | None = Field(None, description="Why, where a person should know: show it.")


class ApiErrorData(Sent):
    """What went wrong, in the documented family's fields."""

    errorType: str
    errorMessage: str
    msg: str


class ApiError(Sent):
    """The same failure as the command's outcome, for widgets that know only the documented family."""

    packet: Literal["apierror"]
    data: ApiErrorData
