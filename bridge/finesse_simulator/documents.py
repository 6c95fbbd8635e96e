"""What the look-alike writes: Finesse's XML, in the shape that captures of real servers show.

Children stand in alphabetical order and empty ones are present. Note the case: an error that comes over HTTP has
``ApiErrors``, one that comes over XMPP ``apiErrors``; a dialog is ``Dialog`` in a list and ``dialog`` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.calls.finesse.xml import Markup, element

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bridge.calls.model import Call, Participant
    from bridge.finesse_simulator.agents import Seat
    from bridge.finesse_simulator.profile import Profile
    from bridge.finesse_simulator.refusals import ApiError

API: Final = "/finesse/api"
_TEN: Final = tuple(f"callVariable{number}" for number in range(1, 11))
_CCE_KEYS: Final = ("callKeyCallId", "callKeyPrefix", "callKeySequenceNum")


def user_uri(username: str) -> str:
    """Return the address of a user, which is its notification node too."""
    return f"{API}/User/{username}"


def dialogs_uri(username: str) -> str:
    """Return the address of a user's dialogs, which is their notification node too."""
    return f"{API}/User/{username}/Dialogs"


def dialog_uri(dialog: str) -> str:
    """Return the address of a dialog."""
    return f"{API}/Dialog/{dialog}"


SYSTEM_URI: Final = f"{API}/SystemInfo"


def _written(name: str, children: Iterable[Markup]) -> Markup:
    return element(name, *children)


# Dialogs


def dialog(
    call: Call, profile: Profile, name: str = "Dialog", *, call_type: str | None = None, wrap_up: str = ""
) -> Markup:
    """Write a dialog; ``call_type`` is shown in the place of the call's own."""
    return element(
        name,
        element("associatedDialogUri", dialog_uri(call.associated) if call.associated else ""),
        element("fromAddress", call.from_address or ""),
        element("id", call.id),
        _media_properties(call, profile, call_type, wrap_up),
        element("mediaType", "Voice"),
        _written("participants", map(_participant, call.participants)),
        element("secondaryId", call.secondary_id or ""),
        element("state", call.state),
        element("toAddress", call.to_address),
        element("uri", dialog_uri(call.id)),
    )


def dialogs(written: Iterable[Markup], name: str = "Dialogs") -> Markup:
    """Write a list of dialogs."""
    return _written(name, written)


def _media_properties(call: Call, profile: Profile, call_type: str | None, wrap_up: str) -> Markup:
    shown = call_type if call_type is not None else profile.call_types.get(call.call_type, call.call_type)
    keys = [element(key, call.id if key == "callKeyCallId" else "") for key in _CCE_KEYS]
    return element(
        "mediaProperties",
        element("DNIS", call.to_address),
        *(keys if profile.variables_with_call else ()),
        element("callType", shown),
        _written("callvariables", (_variable(name, value) for name, value in _variables(call))),
        element("dialedNumber", call.to_address),
        element("mediaId", "1"),
        element("outboundClassification"),
        element("queueName"),
        element("queueNumber"),
        element("wrapUpReason", wrap_up),
    )


def _variables(call: Call) -> list[tuple[str, str]]:
    extended = [(name, value) for name, value in call.variables.items() if name not in _TEN]
    return [*((name, call.variables.get(name, "")) for name in _TEN), *extended]


def _variable(name: str, value: str) -> Markup:
    return element("CallVariable", element("name", name), element("value", value))


def _participant(party: Participant) -> Markup:
    return element(
        "Participant",
        _written("actions", (element("action", action) for action in party.actions)),
        element("mediaAddress", party.address),
        element("mediaAddressType", "AGENT_DEVICE" if party.is_agent else ""),
        element("startTime", party.start_time),
        element("state", party.state),
        element("stateCause", party.cause or ""),
        element("stateChangeTime", party.state_change_time),
    )


# Users


def user(seat: Seat, name: str = "User") -> Markup:
    """Write a user."""
    account = seat.account
    team_id, team_name = account.team
    return element(
        name,
        element("dialogs", dialogs_uri(account.username)),
        element("extension", seat.extension),
        element("firstName", account.first_name),
        element("lastName", account.last_name),
        element("loginId", account.username),
        element("loginName", account.login_name),
        element("mediaType", "1"),
        element("pendingState", seat.pending or ""),
        *_reason(seat),
        element("roles", element("role", "Agent")),
        element("settings", element("wrapUpOnIncoming", "NOT_ALLOWED"), element("wrapUpOnOutgoing", "NOT_ALLOWED")),
        element("state", seat.shown),
        element("stateChangeTime", seat.changed),
        element("teamId", team_id),
        element("teamName", team_name),
        element("teams"),
        element("uri", user_uri(account.username)),
        element("wrapUpTimer", "7200"),
    )


def _reason(seat: Seat) -> tuple[Markup, ...]:
    """Write why the agent is in that state; a reason that the system gives has no id of its own."""
    if not seat.reason:
        return (element("reasonCode"), element("reasonCodeId", "-1"))
    nested = element(
        "reasonCode",
        element("category", "LOGOUT" if seat.shown == "LOGOUT" else "NOT_READY"),
        element("code", seat.reason),
        element("id", "-1" if seat.system_reason else seat.reason),
        element("label"),
        element("systemCode", "true" if seat.system_reason else "false"),
    )
    return (nested, element("reasonCodeId", "-1" if seat.system_reason else seat.reason))


# The system


def system_info(
    *, in_service: bool, domain: str, hosts: Iterable[str], now: str, profile: Profile, name: str = "SystemInfo"
) -> Markup:
    """Write a node's state; ``hosts`` are the pair's, the primary first."""
    nodes = [
        element(which, element("host", host))
        for which, host in zip(("primaryNode", "secondaryNode"), hosts, strict=False)
    ]
    return element(
        name,
        element("currentTimestamp", now),
        element("deploymentType", profile.deployment),
        *nodes,
        element("status", "IN_SERVICE" if in_service else "OUT_OF_SERVICE"),
        element("systemAuthMode", "HYBRID"),
        element("timezoneOffset", "0"),
        element("uri", SYSTEM_URI),
        element("xmppDomain", domain),
        element("xmppPubSubDomain", f"pubsub.{domain}"),
    )


# Errors


def api_errors(error: ApiError) -> Markup:
    """Write the body of a response that refuses."""
    return element(
        "ApiErrors",
        element(
            "ApiError",
            element("ErrorType", error.error_type),
            element("ErrorMessage", error.message),
            element("ErrorData", error.data),
        ),
    )


def late_errors(error: ApiError) -> Markup:
    """Write the data of a notification that refuses."""
    peripheral = (
        (
            element("peripheralErrorCode", error.peripheral_code),
            element("peripheralErrorMsg", error.peripheral_message),
            element("peripheralErrorText", error.peripheral_message),
        )
        if error.peripheral_code
        else ()
    )
    return element(
        "apiErrors",
        element(
            "apiError",
            element("errorData", error.data),
            element("errorMessage", error.message),
            element("errorType", error.error_type),
            *peripheral,
        ),
    )


# Notifications


def update(event: str, source: str, data: Markup, request_id: str) -> Markup:
    """Write what happened to the object ``source``."""
    return element(
        "Update",
        element("data", data),
        element("event", event),
        element("requestId", request_id),
        element("source", source),
    )


def escaped(markup: Markup) -> str:
    """Give XML as text that holds XML."""
    return element("t", str(markup)).removeprefix("<t>").removesuffix("</t>")


def message(*, sender: str, to: str, node: str, number: int, item: str, payload: str) -> Markup:
    """Write the stanza that carries a payload; it is text, escaped here."""
    notification = element("notification", payload, namespace="http://jabber.org/protocol/pubsub")
    items = element("items", element("item", notification, id=item), node=node)
    event = element("event", items, namespace="http://jabber.org/protocol/pubsub#event")
    return element("message", event, **{"from": sender, "to": to, "id": f"{node}__{to}__{number}"})
