"""From Finesse's ``<Dialog>`` to a call (Finesse REST developer guide, "Dialog").

Read for what it means, not for how it is laid out: children come in any order, elements are missing, empty or unknown,
wrappers begin with a capital or not. A call must have what it cannot be without only: its id, and states that we know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bridge.calls.finesse.xml import XmlError
from bridge.calls.model import Action, Call, CallState, Cause, Participant, ParticipantState

if TYPE_CHECKING:
    from bridge.calls.finesse.xml import Element

log = structlog.get_logger("bridge.calls.finesse")

CONSULT = "CONSULT"

_CONSULT_TYPES = frozenset({CONSULT, "CONSULT_OFFERED"})

_MAYBE_CONSULT = frozenset({"", "OUT", "AGENT_INSIDE", "OTHER_IN"})
"""What some CCE releases call a consult's leg; that it belongs to another dialog gives it away."""

_ORDER = {action.value: action for action in Action}

_MEDIA_NAMES = {
    name.lower(): name
    for name in (
        "mediaId",
        "dialedNumber",
        "callType",
        "DNIS",
        "queueNumber",
        "queueName",
        "callKeyCallId",
        "callKeySequenceNum",
        "callKeyPrefix",
        "outboundClassification",
        "wrapUpReason",
    )
}
"""The guide's spelling of the simple media properties, by the same in small letters."""


def read_dialogs(dialogs: Element) -> tuple[Call, ...]:
    """Read the voice calls of a ``<Dialogs>``; one that cannot be read is left out, and logged.

    Raises:
        XmlError: It is no ``<Dialogs>``.
    """
    _expect(dialogs, "Dialogs")
    calls = []
    for dialog in voice_dialogs(dialogs):
        try:
            calls.append(read_dialog(dialog))
        except XmlError as error:
            log.warning("finesse_dialog_unreadable", reason=str(error))
    return tuple(calls)


def voice_dialogs(dialogs: Element) -> list[Element]:
    """Return those of a list's dialogs that are telephone calls: chats, e-mails and tasks are not ours."""
    return [dialog for dialog in dialogs.any_case("Dialog") if is_call(dialog)]


def is_call(dialog: Element) -> bool:
    """Say whether a dialog is a telephone call.

    Ids of other media hold an underscore. The preview of an outbound call, which the agent may ``ACCEPT``, is none yet.
    """
    voice = "_" not in dialog.value("id") and dialog.value("mediaType").lower() in {"", "voice"}
    return voice and dialog.value("state").upper() != "ACCEPTED"


def read_dialog(dialog: Element) -> Call:
    """Read one call.

    Raises:
        XmlError: It has no id, or it or a participant is in a state that we do not know.
    """
    _expect(dialog, "Dialog")
    call_id = dialog.value("id")
    if not call_id:
        raise XmlError("a dialog without an id")
    try:
        state = CallState(dialog.value("state").upper())
    except ValueError:
        raise XmlError("a dialog in an unknown state") from None
    associated = dialog.value("associatedDialogUri").rstrip("/").rpartition("/")[2] or None
    media, variables = _read_media(dialog)
    return Call(
        id=call_id,
        state=state,
        from_address=dialog.value("fromAddress") or None,
        to_address=dialog.value("toAddress"),
        call_type=_call_type(media.get("callType", ""), associated),
        participants=tuple(
            _read_participant(participant)
            for participants in dialog.any_case("participants")
            for participant in participants.any_case("Participant")
        ),
        associated=associated,
        secondary_id=dialog.value("secondaryId") or None,
        variables=variables,
        media=media,
    )


def _expect(element: Element, name: str) -> None:
    if element.name.lower() != name.lower():
        raise XmlError(f"not a <{name}>")


def _call_type(told: str, associated: str | None) -> str:
    if told in _CONSULT_TYPES or (associated is not None and told in _MAYBE_CONSULT):
        return CONSULT
    return told


def _read_media(dialog: Element) -> tuple[dict[str, str], dict[str, str]]:
    """Return the simple media properties and the call variables. A variable's value is told to the last blank."""
    media: dict[str, str] = {}
    variables: dict[str, str] = {}
    for properties in dialog.any_case("mediaProperties"):
        for child in properties.children:
            name = child.name.lower()
            if name == "callvariables":
                for variable in child.any_case("CallVariable"):
                    value = variable.child("value")
                    if key := variable.value("name"):
                        variables[key] = "" if value is None else value.text
            elif not child.children:
                media[_MEDIA_NAMES.get(name, child.name)] = child.text.strip()
            else:
                # Lists, such as CCX's wrapUpItems: their entries, one to a line.
                entries = [entry.text.strip() for entry in child.children]
                media[child.name] = "\n".join(entry for entry in entries if entry)
    return media, variables


def _read_participant(participant: Element) -> Participant:
    try:
        state = ParticipantState(participant.value("state").upper())
    except ValueError:
        raise XmlError("a participant in an unknown state") from None
    told = {action.text.strip() for actions in participant.any_case("actions") for action in actions.any_case("action")}
    return Participant(
        address=participant.value("mediaAddress"),
        state=state,
        actions=tuple(action for name, action in _ORDER.items() if name in told),
        is_agent=participant.value("mediaAddressType") == "AGENT_DEVICE",
        cause=_read_cause(participant.value("stateCause").upper()),
        start_time=participant.value("startTime"),
        state_change_time=participant.value("stateChangeTime"),
    )


def _read_cause(told: str) -> Cause | None:
    if not told:
        return None
    return Cause(told) if told in Cause.__members__ else Cause.OTHER
