"""Every shape of a dialog, read to a call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bridge.calls.finesse.dialogs import read_dialog, read_dialogs
from bridge.calls.finesse.xml import Element, XmlError, parse
from bridge.calls.model import Action, Call, CallState, Cause, Participant, ParticipantState
from tests.calls.finesse.shapes import fixture, fixture_names

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable

MARA, BEN, CUSTOMER = "1001001", "1001002", "+15550123"

READABLE = [
    name.removesuffix(".xml") for name in fixture_names() if name.startswith("dialog-") and name != "dialog-preview.xml"
]


def read(name: str) -> Call:
    return read_dialog(fixture(f"dialog-{name}"))


def states(call: Call) -> dict[str, ParticipantState]:
    return {participant.address: participant.state for participant in call.participants}


def actions(call: Call, address: str = MARA) -> tuple[Action, ...]:
    participant = call.participant(address)
    assert participant is not None
    return participant.actions


def test_call_that_rings() -> None:
    assert read("ringing") == Call(
        id="33554501",
        state=CallState.ALERTING,
        from_address=CUSTOMER,
        to_address=MARA,
        call_type="ACD_IN",
        participants=(
            Participant(
                MARA,
                ParticipantState.ALERTING,
                (Action.ANSWER,),
                is_agent=True,
                start_time="2031-03-01T08:30:00.125Z",
                state_change_time="2031-03-01T08:30:00.250Z",
            ),
            Participant(
                CUSTOMER,
                ParticipantState.INITIATED,
                (Action.DROP, Action.UPDATE_CALL_DATA),
                start_time="2031-03-01T08:30:00.125Z",
                state_change_time="2031-03-01T08:30:00.125Z",
            ),
        ),
        variables={"callVariable1": "Nordlicht GmbH"},
        media={
            "mediaId": "1",
            "dialedNumber": "8400",
            "callType": "ACD_IN",
            "DNIS": "8400",
            "queueNumber": "7",
            "queueName": "Spare parts",
            "outboundClassification": "",
        },
    )


def test_variables_are_told_to_the_last_blank_and_other_properties_by_their_names() -> None:
    call = read("talking-cce")

    assert call.variables == {
        "callVariable1": " two  blanks ",
        "callVariable2": "",
        "callVariable3": "",
        "user.basket[2]": "<b> &amp; more",
    }
    assert call.media == {
        "mediaId": "1",
        "dialedNumber": "8400",
        "callType": "PREROUTE_ACD_IN",
        "DNIS": "8400",
        "queueNumber": "5012",
        "queueName": "Service",
        "callKeyCallId": "217",
        "callKeySequenceNum": "1",
        "callKeyPrefix": "152300",
        "wrapUpReason": "Order & delivery",
    }
    assert call.call_type == "PREROUTE_ACD_IN"


def test_actions_that_we_know_come_in_one_order() -> None:
    assert actions(read("talking-cce")) == (
        Action.HOLD,
        Action.DROP,
        Action.CONSULT_CALL,
        Action.TRANSFER_SST,
        Action.SEND_DTMF,
        Action.UPDATE_CALL_DATA,
    )


def test_call_on_hold_beside_an_active_consult() -> None:
    call = read("held-beside-a-consult")

    assert call.state is CallState.ACTIVE
    assert states(call) == {MARA: ParticipantState.HELD, CUSTOMER: ParticipantState.ACTIVE}
    assert actions(call) == (
        Action.RETRIEVE,
        Action.DROP,
        Action.TRANSFER,
        Action.CONFERENCE,
        Action.UPDATE_CALL_DATA,
    )
    assert (call.associated, call.secondary_id, call.variables) == (None, None, {})


def test_consult_that_begins() -> None:
    call = read("consult-begins")

    assert (call.state, call.call_type, call.associated) == (CallState.INITIATING, "CONSULT", "33554503")
    assert (call.from_address, call.to_address) == (MARA, "")


@pytest.mark.parametrize("told", ["OUT", "AGENT_INSIDE", "OTHER_IN", "", "CONSULT", "CONSULT_OFFERED"])
def test_consult_is_known_by_its_type_or_by_the_call_it_belongs_to(told: str) -> None:
    dialog = fixture("dialog-consult-told-as-out")
    (properties,) = dialog.named("mediaProperties")
    (call_type,) = properties.named("callType")
    call_type.text = told

    call = read_dialog(dialog)

    assert (call.call_type, call.associated) == ("CONSULT", "33554503")
    assert call.media["callType"] == told


@pytest.mark.parametrize(
    ("told", "call_type"), [("OUT", "OUT"), ("", ""), ("CONSULT", "CONSULT"), ("CONSULT_OFFERED", "CONSULT")]
)
def test_call_that_belongs_to_no_other_is_a_consult_by_its_type_only(told: str, call_type: str) -> None:
    dialog = fixture("dialog-dialling")
    (properties,) = dialog.named("mediaProperties")
    properties.named("callType")[0].text = told

    assert read_dialog(dialog).call_type == call_type


def test_types_of_calls_that_belong_to_another_and_are_no_consult_stay() -> None:
    dialog = fixture("dialog-consult-told-as-out")
    for told in ("CONFERENCE", "TRANSFER", "BARGE_IN_CONSULT", "SUPERVISOR_MONITOR"):
        dialog.named("mediaProperties")[0].named("callType")[0].text = told
        assert read_dialog(dialog).call_type == told


def test_consult_that_fails() -> None:
    call = read("consult-failed")

    (mara,) = call.participants
    assert (call.state, mara.state, mara.cause) == (CallState.FAILED, ParticipantState.FAILED, Cause.BUSY)
    assert mara.actions == (Action.DROP,)


@pytest.mark.parametrize(
    ("told", "cause"),
    [
        ("BUSY", Cause.BUSY),
        ("BAD_DESTINATION", Cause.BAD_DESTINATION),
        ("DEVICE_RESOURCE_NOT_AVAILABLE", Cause.DEVICE_RESOURCE_NOT_AVAILABLE),
        ("OTHER", Cause.OTHER),
        ("SOMETHING_NEW", Cause.OTHER),
        ("", None),
    ],
)
def test_every_cause_is_read(told: str, cause: Cause | None) -> None:
    dialog = fixture("dialog-consult-failed")
    dialog.named("participants")[0].children[0].named("stateCause")[0].text = told

    assert read_dialog(dialog).participants[0].cause is cause


def test_call_that_was_transferred() -> None:
    call = read("transferred")

    assert (call.id, call.secondary_id, call.call_type) == ("33554503", "33554504", "TRANSFER")
    assert actions(call, BEN) == (Action.HOLD, Action.DROP, Action.CONSULT_CALL)


def test_conference() -> None:
    call = read("conference")

    assert (call.call_type, call.secondary_id) == ("CONFERENCE", "33554504")
    assert states(call) == {
        MARA: ParticipantState.ACTIVE,
        BEN: ParticipantState.HELD,
        CUSTOMER: ParticipantState.ACTIVE,
    }
    assert [participant.is_agent for participant in call.participants] == [True, True, False]


def test_wrap_up() -> None:
    call = read("wrap-up")

    assert states(call) == {MARA: ParticipantState.WRAP_UP, CUSTOMER: ParticipantState.DROPPED}
    assert call.media["wrapUpItems"] == "Sold\nCall back"


def test_call_that_is_over() -> None:
    call = read("dropped")

    assert call.state is CallState.DROPPED
    assert set(states(call).values()) == {ParticipantState.DROPPED}
    assert actions(call) == ()


def test_call_that_an_agent_dials() -> None:
    call = read("dialling")

    assert (call.state, call.call_type) == (CallState.INITIATED, "OUT")
    assert (call.from_address, call.to_address) == (MARA, "+15550199")


def test_call_without_a_caller_with_empty_unknown_and_otherwise_written_elements() -> None:
    assert read("hidden-caller") == Call(
        id="33554508",
        state=CallState.ACTIVE,
        from_address=None,
        to_address="",
        call_type="",
        participants=(
            Participant(MARA, ParticipantState.ACTIVE, (Action.HOLD,), is_agent=True, cause=Cause.OTHER),
            Participant("", ParticipantState.ACTIVE),
        ),
    )


def test_call_after_a_failover() -> None:
    call = read("after-failover")

    assert (call.call_type, call.from_address, call.participants) == ("NULL", None, ())
    assert call.media == {"callType": "NULL", "dialedNumber": "", "DNIS": "", "queueName": ""}


def test_call_that_a_supervisor_listens_to() -> None:
    call = read("monitored")

    assert (call.call_type, actions(call)) == ("SUPERVISOR_MONITOR", ())
    assert actions(call, "1001009") == (Action.DROP,)


def test_every_state_that_we_know_is_read() -> None:
    dialog = fixture("dialog-dialling")
    (state,) = dialog.named("state")
    (own,) = dialog.named("participants")[0].children[0].named("state")

    for call_state in CallState:
        state.text = call_state.value
        assert read_dialog(dialog).state is call_state
    for participant_state in ParticipantState:
        own.text = participant_state.value
        assert read_dialog(dialog).participants[0].state is participant_state


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("<Dialog/>", "a dialog without an id"),
        ("<Dialog><id> </id><state>ACTIVE</state></Dialog>", "a dialog without an id"),
        ("<Dialog><id>1</id></Dialog>", "a dialog in an unknown state"),
        ("<Dialog><id>1</id><state>ON_FIRE</state></Dialog>", "a dialog in an unknown state"),
        (
            "<Dialog><id>1</id><state>ACTIVE</state><participants><Participant/></participants></Dialog>",
            "a participant in an unknown state",
        ),
        (
            "<Dialog><id>1</id><state>ACTIVE</state><participants><Participant><state>ON_FIRE</state></Participant>\
</participants></Dialog>",
            "a participant in an unknown state",
        ),
        ("<User><id>1</id><state>ACTIVE</state></User>", "not a <Dialog>"),
    ],
)
def test_dialog_that_lacks_what_a_call_must_have_is_not_read(document: str, reason: str) -> None:
    with pytest.raises(XmlError, match=reason) as refusal:
        read_dialog(parse(document))

    assert "ON_FIRE" not in str(refusal.value)


def test_outbound_preview_is_in_a_state_that_is_not_ours() -> None:
    with pytest.raises(XmlError, match="a dialog in an unknown state"):
        read("preview")


def test_list_leaves_out_other_media_and_what_cannot_be_read() -> None:
    with capture_logs() as logs:
        calls = read_dialogs(fixture("dialogs"))

    assert [(call.id, call.state) for call in calls] == [
        ("33554521", CallState.ACTIVE),
        ("33554523", CallState.ALERTING),
    ]
    assert logs == [
        {"event": "finesse_dialog_unreadable", "log_level": "warning", "reason": "a dialog in an unknown state"},
        {"event": "finesse_dialog_unreadable", "log_level": "warning", "reason": "a dialog without an id"},
    ]


def test_empty_list_is_read() -> None:
    assert read_dialogs(fixture("dialogs-none")) == ()


def test_what_is_no_list_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(XmlError, match="not a <Dialogs>"):
        read_dialogs(parse("<html/>"))


def shuffled(element: Element, order: random.Random) -> Element:
    """Give the same element with the children in another order; those of one name keep theirs among each other."""
    places = [child.name for child in element.children]
    order.shuffle(places)
    by_name = {name: iter(element.named(name)) for name in places}
    if element.name in {"actions", "callvariables"}:
        in_order: Iterable[Element] = order.sample(element.children, len(element.children))
    else:
        in_order = [next(by_name[name]) for name in places]
    children = [shuffled(child, order) for child in in_order]
    return Element(element.name, element.namespace, element.attributes, children, element.text)


@given(st.sampled_from(READABLE), st.randoms(use_true_random=False))
def test_order_of_children_means_nothing(name: str, order: random.Random) -> None:
    dialog = fixture(name)

    assert read_dialog(shuffled(dialog, order)) == read_dialog(dialog)


@given(st.sampled_from(READABLE), st.data())
def test_dialog_without_some_of_its_parts_is_a_call_or_refused(name: str, data: st.DataObject) -> None:
    dialog = fixture(name)
    level = [dialog]
    while level:
        for element in level:
            drop = data.draw(st.sets(st.integers(0, max(0, len(element.children) - 1)), max_size=3))
            element.children = [child for place, child in enumerate(element.children) if place not in drop]
        level = [child for element in level for child in element.children][:10]
    try:
        call = read_dialog(dialog)
    except XmlError:
        assert not dialog.value("id") or not dialog.value("state") or "Participant" in str(shape(dialog))
    else:
        assert call.to_json()["id"] == call.id


def shape(element: Element) -> list[object]:
    return [element.name, [shape(child) for child in element.children]]
