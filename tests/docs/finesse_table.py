"""What each command does at Finesse: the requests as the adapter writes them, and what is then seen of them.

The requests are made by the code. What is seen is written here, and a test plays every command against the look-alike
and compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridge.calls.adapter import CallRequest, ChangeStatus, ReadAgent, SignIn
from bridge.calls.finesse.bodies import API, outgoing, user_path
from bridge.calls.finesse.xml import parse
from bridge.calls.model import Action, AgentStatus
from bridge.calls.requests import SUBTOPIC_OF

if TYPE_CHECKING:
    from collections.abc import Iterator

THIS = "the call"
NEW = "the new call"
OTHER = "the other call"
AGENT = "agent"
CONNECTION = "connection"
ENDED = "ended"

USER = "username"
CALL = "CallID"

Seen = dict[str, tuple[str, ...]]
"""Whose events, and the states that they tell, each state once."""


@dataclass(frozen=True)
class Row:
    """One command."""

    subtopic: str
    request: CallRequest | SignIn | ChangeStatus | ReadAgent
    seen: Seen
    complete: str


def _call_row(action: Action, seen: Seen, complete: str) -> Row:
    request = CallRequest(
        id="1",
        workspace="demo",
        action=action,
        call=None if action is Action.MAKE_CALL else CALL,
        to_address="5070",
        digits="1",
        variables={"callVariable1": "gold"} if action is Action.UPDATE_CALL_DATA else {},
    )
    return Row(SUBTOPIC_OF[action], request, seen, complete)


def _status(status: AgentStatus, reason: str | None = None) -> ChangeStatus:
    return ChangeStatus("1", "demo", status, reason)


_RINGS = "the new call rings (its dialog is `ALERTING`) or is answered"

ROWS = (
    _call_row(Action.CONSULT_CALL, {THIS: ("held",), NEW: ("initiating", "initiated")}, _RINGS),
    _call_row(
        Action.CONFERENCE, {THIS: ("active",), OTHER: (ENDED,)}, "the call is `active` and the other one merged into it"
    ),
    _call_row(Action.TRANSFER, {THIS: (ENDED,), OTHER: (ENDED,)}, "both calls have left the agent"),
    _call_row(Action.TRANSFER_SST, {THIS: (ENDED,)}, "the call has left the agent"),
    _call_row(Action.ANSWER, {THIS: ("active",)}, "the call is `active`"),
    _call_row(Action.HOLD, {THIS: ("held",)}, "the call is `held`"),
    _call_row(Action.RETRIEVE, {THIS: ("active",)}, "the call is `active`"),
    _call_row(Action.DROP, {THIS: ("dropped", ENDED)}, "the call has left the agent"),
    _call_row(Action.SEND_DTMF, {}, "no error has come for a second: nothing ever shows them"),
    _call_row(Action.MAKE_CALL, {NEW: ("initiating", "initiated")}, _RINGS),
    _call_row(Action.UPDATE_CALL_DATA, {THIS: ("active",)}, "the call shows the values"),
    Row(
        "SetUserInfo",
        SignIn("1", "demo", USER, "5069"),
        {CONNECTION: ("connected",), AGENT: ("NOT_READY",)},
        "the agent is signed in and all calls have been read",
    ),
    Row("SetReadyState", _status(AgentStatus.READY), {AGENT: ("READY",)}, "the agent is ready, or busy with a call"),
    Row("SetNotReadyState", _status(AgentStatus.NOT_READY, "1"), {AGENT: ("NOT_READY",)}, "the agent is in that state"),
    Row("GetAgentState", ReadAgent("1", "demo"), {AGENT: ("NOT_READY",)}, "the state was told anew"),
    Row(
        "Logout",
        _status(AgentStatus.LOGOUT, "1"),
        {AGENT: ("LOGOUT",), CONNECTION: ("signed_out",)},
        "the agent is in that state",
    ),
)


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Give the cells of the table."""
    for row in ROWS:
        yield f"`{row.subtopic}`", sent(row), seen(row), row.complete


def sent(row: Row) -> str:
    """Write the request that the adapter makes: method, path, and what stands in the body."""
    if isinstance(row.request, ReadAgent):
        return f"`GET {_path(user_path(USER))}`"
    request = outgoing(row.request, user=USER, extension="5069")
    parts = [
        f"`{child.text if child.name in {'requestedAction', 'state'} else child.name}`"
        for child in parse(request.body).children
    ]
    return f"`{request.method} {_path(request.path)}` {', '.join(parts)}"


def _path(path: str) -> str:
    return path.removeprefix(API).replace(USER, f"{{{USER}}}").replace(CALL, f"{{{CALL}}}")


def seen(row: Row) -> str:
    """Write what is seen of it."""
    return (
        "; ".join(f"{who}: {', '.join(f'`{state}`' for state in states)}" for who, states in row.seen.items())
        or "nothing"
    )
