"""From the requests of call control to Finesse's: HTTP method, path and XML body.

One function knows each body's form (Finesse REST developer guide, "Dialog APIs" and "User APIs").
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from bridge.calls.adapter import CallRequest, ChangeStatus, SignIn
from bridge.calls.finesse.xml import element
from bridge.calls.model import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.calls.finesse.xml import Markup

API = "/finesse/api"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request to Finesse; ``path`` begins with a slash. The body may hold a customer's data."""

    method: Literal["POST", "PUT"]
    path: str
    body: str = field(repr=False)


def user_path(user: str) -> str:
    """Return the path of an agent, by login id or login name."""
    return f"{API}/User/{quote(user, safe='')}"


def dialogs_path(user: str) -> str:
    """Return the path of an agent's calls."""
    return f"{user_path(user)}/Dialogs"


def dialog_path(call: str) -> str:
    """Return the path of one call."""
    return f"{API}/Dialog/{quote(call, safe='')}"


def outgoing(request: CallRequest | SignIn | ChangeStatus, *, user: str, extension: str) -> Outgoing:
    """Translate a request of the agent ``user`` at ``extension``.

    Raises:
        XmlError: It holds a character that XML cannot.
        ValueError: It lacks what its action needs.
    """
    if isinstance(request, SignIn):
        body = element("User", element("state", "LOGIN"), element("extension", request.extension))
        return Outgoing("PUT", user_path(user), body)
    if isinstance(request, ChangeStatus):
        reason = [] if request.reason_code is None else [element("reasonCodeId", request.reason_code)]
        return Outgoing("PUT", user_path(user), element("User", element("state", request.status.value), *reason))
    body = element("Dialog", element("requestedAction", request.action.value), *_arguments(request, extension))
    if request.action is Action.MAKE_CALL:
        return Outgoing("POST", dialogs_path(user), body)
    return Outgoing("PUT", dialog_path(_needed(request, request.call)), body)


def _arguments(request: CallRequest, extension: str) -> list[Markup]:
    """Give what stands beside the action. TRANSFER and CONFERENCE name no other call: Finesse pairs them itself."""
    acting = element("targetMediaAddress", extension)
    match request.action:
        case Action.MAKE_CALL:
            addresses = [element("fromAddress", extension), element("toAddress", _needed(request, request.to_address))]
            return [*addresses, _media(request.variables)] if request.variables else addresses
        case Action.CONSULT_CALL | Action.TRANSFER_SST:
            return [element("toAddress", _needed(request, request.to_address)), acting]
        case Action.SEND_DTMF:
            digits = element("value", _needed(request, request.digits))
            return [acting, element("actionParams", element("ActionParam", element("name", "dtmfString"), digits))]
        case Action.UPDATE_CALL_DATA:
            return [_media(request.variables)]
        case _:
            return [acting]


def _media(variables: Mapping[str, str]) -> Markup:
    each = [
        element("CallVariable", element("name", name), element("value", value)) for name, value in variables.items()
    ]
    return element("mediaProperties", element("callvariables", *each))


def _needed(request: CallRequest, argument: str | None) -> str:
    if not argument:
        raise ValueError(f"{request.action.value} lacks an argument that it needs")
    return argument
