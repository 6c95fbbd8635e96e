"""From a message of Finesse's notification service to what it tells (REST developer guide, "Finesse notifications").

The message is a pubsub event (XEP-0060 section 12.12); each item holds ``<notification>``, whose text is the real
document, ``<Update>``, escaped. Captures have it escaped twice, not at all, and in various namespaces: names are
matched locally, and text is unescaped by parsing it, never by replacing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bridge.calls.finesse.dialogs import is_call, read_dialog, read_dialogs, voice_dialogs
from bridge.calls.finesse.failures import read_failure
from bridge.calls.finesse.system import read_system_info
from bridge.calls.finesse.users import read_user
from bridge.calls.finesse.xml import XmlError, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.calls.adapter import Failure
    from bridge.calls.finesse.xml import Element
    from bridge.calls.model import Agent, Call


class DialogEvent(StrEnum):
    """What became of a dialog: it appeared, changed, or is gone."""

    POST = "POST"
    PUT = "PUT"
    DELETE = "DELETE"


@dataclass(frozen=True, slots=True)
class DialogNotice:
    """Calls of the agent, each in full, after ``event``. ``request_id`` is that of the request that caused it."""

    event: DialogEvent
    calls: tuple[Call, ...]
    request_id: str | None
    source: str


@dataclass(frozen=True, slots=True)
class UserNotice:
    """An agent's state; of a colleague, too, for who has subscribed to a team."""

    agent: Agent
    request_id: str | None


@dataclass(frozen=True, slots=True)
class SystemNotice:
    """The node began or ceased to serve."""

    in_service: bool


@dataclass(frozen=True, slots=True)
class ErrorNotice:
    """The switch refused what Finesse had accepted.

    ``dialog`` is the call it was asked of, ``None`` where there was none yet; ``user_scope`` says that it was about the
    agent and not about calls.
    """

    failure: Failure
    dialog: str | None
    user_scope: bool
    request_id: str | None


Notice = DialogNotice | UserNotice | SystemNotice | ErrorNotice

_DIALOG = re.compile(r"/Dialog/([^/]+)/?$", re.IGNORECASE)
_USER = re.compile(r"/User/[^/]+/?$", re.IGNORECASE)


def read_notices(stanza: Element) -> tuple[Notice, ...]:
    """Read what one ``<message>`` tells of calls, agents and the node; other messages tell nothing.

    Raises:
        XmlError: There is a notification, and what it tells cannot be read.
    """
    return tuple(
        notice
        for event in stanza.named("event")
        for items in event.named("items")
        for item in items.named("item")
        for notification in item.named("notification")
        for notice in _read_notification(notification, items.attributes.get("node", ""))
    )


def _read_notification(notification: Element, node: str) -> Iterator[Notice]:
    update = _update(notification)
    if update is None:
        return
    request_id = update.value("requestId") or None
    source = update.value("source")
    for data in update.any_case("data"):
        for content in data.children:
            match content.name.lower():
                case "dialog" | "dialogs":
                    if calls := _read_calls(content):
                        yield DialogNotice(_read_event(update), calls, request_id, source)
                case "user":
                    yield UserNotice(read_user(content), request_id)
                case "systeminfo":
                    yield SystemNotice(read_system_info(content).in_service)
                case "apierrors":
                    yield _read_error(content, source or node, request_id)
                case _:
                    pass  # queues, teams, media: not ours


def _update(notification: Element) -> Element | None:
    """Find the ``<Update>``, as it stands or escaped; ``None`` for an empty notification or another document."""
    bare = notification.any_case("Update")
    if bare:
        return bare[0]
    text = notification.text.strip()
    if text and not text.startswith("<"):  # escaped a second time
        text = parse(f"<text>{text}</text>").text.strip()
    if not text:
        return None
    update = parse(text)
    return update if update.name.lower() == "update" else None


def _read_calls(content: Element) -> tuple[Call, ...]:
    """Read the calls of either wrapper. Where none of several can be read, the notice as a whole cannot."""
    if content.name.lower() == "dialog":
        return (read_dialog(content),) if is_call(content) else ()
    calls = read_dialogs(content)
    if not calls and voice_dialogs(content):
        raise XmlError("a list of dialogs none of which can be read")
    return calls


def _read_event(update: Element) -> DialogEvent:
    try:
        return DialogEvent(update.value("event").upper())
    except ValueError:
        raise XmlError("an update with an unknown event") from None


def _read_error(errors: Element, source: str, request_id: str | None) -> ErrorNotice:
    dialog = _DIALOG.search(source)
    return ErrorNotice(
        failure=read_failure(errors),
        dialog=dialog[1] if dialog is not None else None,
        user_scope=_USER.search(source) is not None,
        request_id=request_id,
    )
