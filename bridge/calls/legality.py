"""May this command be done now? Asked before it is published, and again when its turn comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.calls.adapter import CallRequest, OfferCall, PartyAnswer, PartyDrop, SignIn
from bridge.calls.desk import DIALLING
from bridge.calls.events import state_name, subtopics
from bridge.calls.model import Action, Connection
from bridge.calls.requests import DIALS, SUBTOPIC_OF
from bridge.protocol.errors import Code, FieldError, Rejection, pointer

if TYPE_CHECKING:
    from bridge.broker.gate import Command
    from bridge.calls.adapter import Adapter, Request
    from bridge.calls.desk import Desk, Pending


def refuse(desk: Desk, command: Command, request: Request, adapter: Adapter) -> None:
    """Refuse a command that is not possible in the present picture, in the documented order of checks.

    Raises:
        Rejection: ``not_signed_in``, ``wrong_extension``, ``unknown_call``, ``illegal_state`` or ``unavailable``.
    """
    if isinstance(request, SignIn):
        _refuse_foreign(command, request.extension)
        _refuse_second_sign_in(desk, request, adapter)
        return
    if isinstance(request, OfferCall | PartyAnswer | PartyDrop) and not adapter.offers_simulator:
        raise Rejection(Code.UNAVAILABLE, f"there is no simulator: the adapter is {adapter.name}")
    if desk.extension is None:
        raise Rejection(Code.NOT_SIGNED_IN, f"no agent is signed in for workspace {desk.workspace}")
    if not isinstance(request, OfferCall | PartyAnswer | PartyDrop):  # these are the outside world's, not the agent's
        _refuse_foreign(command, desk.extension)
    if isinstance(request, CallRequest):
        _refuse_extension(desk, command)
        _refuse_call(desk, request)
    if desk.connection is Connection.RECONNECTING:
        raise Rejection(Code.UNAVAILABLE, "call control is reconnecting to the switch")


def _refuse_foreign(command: Command, extension: str) -> None:
    """Refuse who was given a token for another agent's calls."""
    own = command.identity.extension
    if own is not None and own != extension:
        raise Rejection(Code.WRONG_EXTENSION, "the token is for the calls of another extension")


def _refuse_second_sign_in(desk: Desk, request: SignIn, adapter: Adapter) -> None:
    if adapter.elsewhere(desk.workspace, request.username, request.extension):
        details = {"state": "signed_in", "allowed": []}
        raise Rejection(Code.ILLEGAL_STATE, "this agent or extension is signed in elsewhere", details=details)


def _refuse_extension(desk: Desk, command: Command) -> None:
    address = getattr(command.body, "MediaAddress", None)
    if address is not None and address != desk.extension:
        message = "MediaAddress is not the extension of this workspace's agent"
        error = FieldError(pointer("data", "MediaAddress"), "wrong_value", message, "use identity.extension of Opened")
        raise Rejection(Code.WRONG_EXTENSION, message, errors=(error,))


def _refuse_call(desk: Desk, request: CallRequest) -> None:
    if request.call is None:
        return
    known = desk.calls.get(request.call)
    part = desk.own_part(known.call) if known is not None else None
    if part is None:
        raise Rejection(Code.UNKNOWN_CALL, "the agent has no call with this id", details={"calls": list(desk.calls)})
    if request.action not in part.actions:
        state = state_name(part.state)
        message = f"{SUBTOPIC_OF[request.action]} is not possible while the call is {state}"
        details = {"state": state, "allowed": subtopics(part.actions)}
        raise Rejection(Code.ILLEGAL_STATE, message, details=details)


def dials_already(desk: Desk, pending: Pending) -> bool:
    """Say whether another command that dials from the same call has no outcome yet."""
    request = pending.request
    if not isinstance(request, CallRequest) or request.action not in DIALS:
        return False
    return any(
        isinstance(other.request, CallRequest)
        and other is not pending
        and other.request.action in DIALS
        and other.request.call == request.call
        for other in desk.outstanding.values()
    )


def overtakes(desk: Desk, request: Request) -> bool:
    """Say whether a command need not wait in line: it drops a call that still dials."""
    return (
        isinstance(request, CallRequest)
        and request.action is Action.DROP
        and desk.own_state(request.call or "") in DIALLING
    )
