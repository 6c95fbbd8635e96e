"""Messages of the notification service, in every wrapping that was seen."""

from __future__ import annotations

from html import escape

import pytest

from bridge.calls.adapter import Failure
from bridge.calls.finesse.dialogs import read_dialog
from bridge.calls.finesse.notifications import (
    DialogEvent,
    DialogNotice,
    ErrorNotice,
    SystemNotice,
    UserNotice,
    read_notices,
)
from bridge.calls.finesse.users import read_user
from bridge.calls.finesse.xml import Element, Markup, XmlError, element, parse
from tests.calls.finesse.shapes import fixture

DIALOGS = "/finesse/api/User/1001001/Dialogs"


def message(*payloads: str, node: str = DIALOGS) -> Element:
    """Make a message with an item for each payload: text is escaped, ``Markup`` is not."""
    items = [element("item", element("notification", payload)) for payload in payloads]
    return parse(element("message", element("event", element("items", *items, node=node))))


def update(
    *data: str, event: str = "PUT", request_id: str = "", source: str = "/finesse/api/Dialog/33554503"
) -> Markup:
    return element(
        "Update",
        element("data", *map(Markup, data)),
        element("event", event),
        element("requestId", request_id),
        element("source", source),
    )


def dialog(call_id: str = "1", state: str = "ACTIVE", name: str = "Dialog", **more: str) -> Markup:
    children = [element(key, value) for key, value in more.items()]
    return element(name, element("id", call_id), element("state", state), *children)


def test_call_that_appeared() -> None:
    assert read_notices(fixture("message-call-appeared")) == (
        DialogNotice(DialogEvent.POST, (read_dialog(fixture("dialog-ringing")),), None, DIALOGS),
    )


@pytest.mark.parametrize("wrapping", ["", "-escaped-twice", "-not-escaped"])
def test_call_that_changed_in_every_wrapping(wrapping: str) -> None:
    call = read_dialog(fixture("dialog-talking-cce"))

    assert call.variables["user.basket[2]"] == "<b> &amp; more"
    assert read_notices(fixture(f"message-call-changed{wrapping}")) == (
        DialogNotice(DialogEvent.PUT, (call,), "req-17", "/finesse/api/Dialog/33554502"),
    )


def test_call_that_is_gone() -> None:
    assert read_notices(fixture("message-call-gone")) == (
        DialogNotice(DialogEvent.DELETE, (read_dialog(fixture("dialog-dropped")),), None, DIALOGS),
    )


def test_agent_whose_state_changed() -> None:
    assert read_notices(fixture("message-agent")) == (UserNotice(read_user(fixture("user-not-ready")), "req-18"),)


def test_node_that_is_out_of_service_and_back() -> None:
    assert read_notices(fixture("message-out-of-service")) == (SystemNotice(in_service=False),)
    back = update("<systemInfo><status>IN_SERVICE</status></systemInfo>")
    assert read_notices(message(back)) == (SystemNotice(in_service=True),)


def test_error_of_a_call() -> None:
    failure = Failure("Generic Error", "INVALID_ACTION TRANSFER on extension 1001001 (4047)")

    assert read_notices(fixture("message-call-error")) == (
        ErrorNotice(failure, dialog="33554503", user_scope=False, request_id=None),
    )


def test_error_of_an_agent() -> None:
    (notice,) = read_notices(fixture("message-agent-error"))

    assert isinstance(notice, ErrorNotice)
    assert (notice.dialog, notice.user_scope, notice.request_id) == (None, True, "req-19")
    assert notice.failure.cause == "CF_INVALID_LOGON_DEVICE_SPECIFIED"


@pytest.mark.parametrize(
    ("source", "node", "expected"),
    [
        ("/finesse/api/Dialog/7", DIALOGS, ("7", False)),
        ("/finesse/api/Dialog/7/", DIALOGS, ("7", False)),
        ("https://finesse1.example.com:8445/finesse/api/Dialog/7", DIALOGS, ("7", False)),
        ("/finesse/api/User/1001001", DIALOGS, (None, True)),
        (DIALOGS, "/finesse/api/User/1001001", (None, False)),
        ("", "/finesse/api/User/1001001", (None, True)),
        ("", DIALOGS, (None, False)),
        ("", "", (None, False)),
    ],
)
def test_what_an_error_is_about_is_told_by_its_source_or_else_its_node(
    source: str, node: str, expected: tuple[str | None, bool]
) -> None:
    error = "<ApiErrors><ApiError><ErrorType>Generic Error</ErrorType></ApiError></ApiErrors>"

    (notice,) = read_notices(message(update(error, source=source), node=node))

    assert isinstance(notice, ErrorNotice)
    assert (notice.dialog, notice.user_scope) == expected


@pytest.mark.parametrize("event", list(DialogEvent))
@pytest.mark.parametrize("wrap", ["{}", "<dialogs>{}</dialogs>", "<Dialogs>{}</Dialogs>"])
@pytest.mark.parametrize("name", ["Dialog", "dialog"])
def test_every_event_comes_with_every_wrapper(event: DialogEvent, wrap: str, name: str) -> None:
    for told in (event.value, event.value.lower(), f" {event.value.title()}\n"):
        (notice,) = read_notices(message(str(update(wrap.format(dialog(name=name)), event=told))))

        assert isinstance(notice, DialogNotice)
        assert (notice.event, [call.id for call in notice.calls]) == (event, ["1"])


def test_several_items_are_told_in_order() -> None:
    payloads = [str(update(dialog("1"))), update(dialog("2")), "", str(update(dialog("3")))]

    notices = read_notices(message(*payloads))

    assert [notice.calls[0].id for notice in notices if isinstance(notice, DialogNotice)] == ["1", "2", "3"]


def test_children_of_an_update_come_in_any_order() -> None:
    parts = ["<event>PUT</event>", "<source>s</source>", f"<data>{dialog()}</data>", "<requestId>r</requestId>"]

    first, *others = (
        read_notices(message(f"<Update><more/>{''.join(parts[turn:] + parts[:turn])}</Update>")) for turn in range(4)
    )

    assert len(first) == 1
    assert others == [first] * 3


@pytest.mark.parametrize(
    "stanza",
    [
        element("message"),
        element("message", element("body", "hello")),
        element("message", element("event")),
        element("message", element("event", element("items"))),
        element("message", element("event", element("items", element("retract", id="1")))),
        element("message", element("event", element("items", element("item", element("entry", "x"))))),
        element("message", element("event", element("items", element("item", element("notification"))))),
        element("message", element("event", element("items", element("item", element("notification", " \n"))))),
        element("message", element("event", element("items", element("item", element("notification", "<other/>"))))),
        element("presence", type="unavailable"),
    ],
)
def test_message_that_is_no_notification_tells_nothing(stanza: str) -> None:
    assert read_notices(parse(stanza)) == ()


def test_news_of_queues_tell_nothing() -> None:
    assert read_notices(fixture("message-queue")) == ()


def test_other_media_tell_nothing() -> None:
    chat = dialog("11_5001_A7", state="PAUSED")
    email = dialog("12", state="PAUSED", name="dialog", mediaType="Email")

    assert read_notices(message(update(f"<dialogs>{chat}</dialogs>", event="POST"), update(email))) == ()


def test_calls_beside_one_that_cannot_be_read_are_told() -> None:
    broken = dialog("2", state="ON_FIRE")

    (notice,) = read_notices(message(update(f"<dialogs>{broken}{dialog('1')}</dialogs>", event="POST")))

    assert isinstance(notice, DialogNotice)
    assert [call.id for call in notice.calls] == ["1"]


SECRET = "hunter2"

UNREADABLE = {
    "no XML": SECRET,
    "escaped too often": escape(escape(update(dialog(SECRET)))),
    "cut off": f"<Update><data>{SECRET}",
    "an entity": "<!DOCTYPE u [<!ENTITY x 'y'>]><Update>&x;</Update>",
    "a call in an unknown state": str(update(dialog(state=SECRET))),
    "a list of such calls": str(update(f"<dialogs>{dialog(state=SECRET)}</dialogs>", event="POST")),
    "an unknown event": str(update(dialog(), event=SECRET)),
    "no event": str(update(dialog(), event="")),
    "an agent without a name": str(update("<user/>")),
    "an error without an error": str(update("<apiErrors/>")),
    "system information without a status": str(update("<systemInfo/>")),
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_notification_that_cannot_be_read_is_an_error_that_quotes_nothing(payload: str) -> None:
    with pytest.raises(XmlError) as refusal:
        read_notices(message(payload))

    assert SECRET not in str(refusal.value)


def test_preview_of_an_outbound_call_is_no_call_yet() -> None:
    assert read_notices(message(update(dialog("7", "ACCEPTED", name="dialog")))) == ()
