"""What the switch will not do, and where its limits are."""

from __future__ import annotations

import pytest

from bridge.calls.model import Action, Cause
from bridge.calls.simulator.errors import SwitchError
from bridge.calls.simulator.exchange import CALLS_PER_AGENT
from bridge.calls.simulator.switch import PARTIES_PER_CALL
from tests.calls.simulator.switch_story import ANNA, BEN, BUSY, COLLEAGUE, CUSTOMER, Story, me


@pytest.mark.parametrize("extension", [ANNA, BUSY, "5091", "", "12a", "٣", "1" * 65])
def test_sign_in_at_what_is_no_free_extension(story: Story, extension: str) -> None:
    with pytest.raises(SwitchError) as refusal:
        story.switch.sign_in(extension)

    assert refusal.value.error_type == "Invalid Device"


def test_sign_out_with_calls(story: Story) -> None:
    story.offered()

    with pytest.raises(SwitchError) as refusal:
        story.switch.sign_out(ANNA)

    assert refusal.value.error_type == "Invalid State"


def test_sign_out_makes_the_extension_free(story: Story) -> None:
    story.switch.sign_out(ANNA)

    assert story.switch.calls_of(ANNA) == ()
    assert story.refused(ANNA, Action.MAKE_CALL, to_address=BEN).error_type == "Authorization Failure"
    story.switch.sign_in(ANNA)


def test_act_on_a_call_of_somebody_else(story: Story) -> None:
    call = story.talking(BEN)

    assert story.refused(ANNA, Action.DROP, call).error_type == "Dialog Not Found"
    assert story.refused(ANNA, Action.DROP).error_type == "Dialog Not Found"


def test_act_in_a_state_that_does_not_allow_it(story: Story) -> None:
    call = story.offered()

    refusal = story.refused(ANNA, Action.HOLD, call)

    assert refusal.error_type == "Invalid State"
    assert refusal.message == "HOLD is not allowed: 5069 is ALERTING there"


@pytest.mark.parametrize(
    ("number", "error_type"),
    [
        (ANNA, "Invalid Destination"),
        ("", "Parameter Missing"),
        (" 5", "Invalid Destination"),
        ("5" * 65, "Invalid Destination"),
    ],
)
def test_dialling_what_cannot_be_dialled(story: Story, number: str, error_type: str) -> None:
    assert story.refused(ANNA, Action.MAKE_CALL, to_address=number).error_type == error_type
    call = story.talking()
    assert story.refused(ANNA, Action.CONSULT_CALL, call, to_address=number).error_type == error_type


@pytest.mark.parametrize(("caller", "error_type"), [(ANNA, "Invalid Destination"), ("", "Invalid Input")])
def test_offer_from_what_cannot_call(story: Story, caller: str, error_type: str) -> None:
    with pytest.raises(SwitchError) as refusal:
        story.switch.offer(ANNA, caller)

    assert refusal.value.error_type == error_type


def test_dtmf_is_taken_and_changes_nothing(story: Story) -> None:
    call = story.talking()

    assert story.switch.act(ANNA, Action.SEND_DTMF, call, digits="0123456789*#ABCD") == ()


@pytest.mark.parametrize(
    ("digits", "error_type"), [("", "Parameter Missing"), ("12x", "Invalid Input"), ("a", "Invalid Input")]
)
def test_dtmf_that_is_none(story: Story, digits: str, error_type: str) -> None:
    call = story.talking()

    assert story.refused(ANNA, Action.SEND_DTMF, call, digits=digits).error_type == error_type


def test_call_data_is_added_to_what_is_there(story: Story) -> None:
    call = story.switch.offer(ANNA, CUSTOMER, {"callVariable1": "a", "callVariable2": "b"})[0].call.id
    story.switch.act(ANNA, Action.ANSWER, call)

    notes = story.switch.act(
        ANNA, Action.UPDATE_CALL_DATA, call, variables={"callVariable2": "c", "user.list[3]": "x" * 1000}
    )

    assert notes[0].call.variables == {"callVariable1": "a", "callVariable2": "c", "user.list[3]": "x" * 1000}


def test_call_data_that_changes_nothing_is_not_told(story: Story) -> None:
    call = story.talking()
    story.switch.act(ANNA, Action.UPDATE_CALL_DATA, call, variables={"callVariable1": "a"})

    assert story.switch.act(ANNA, Action.UPDATE_CALL_DATA, call, variables={"callVariable1": "a"}) == ()


@pytest.mark.parametrize(
    ("variables", "error_type"),
    [
        ({}, "Parameter Missing"),
        ({"callVariable11": "a"}, "Invalid Input"),
        ({"callVariable1": "x" * 41}, "Invalid Input"),
        ({"callVariable1": "ü" * 21}, "Invalid Input"),
        ({"colour": "a"}, "Invalid Input"),
        ({"user.": "a"}, "Invalid Input"),
        ({"user.a": "x" * 1995}, "Invalid Input"),
        ({f"user.a[{index}]": "x" * 100 for index in range(20)}, "Invalid Input"),
    ],
)
def test_call_data_that_is_refused(story: Story, variables: dict[str, str], error_type: str) -> None:
    call = story.talking()

    with pytest.raises(SwitchError) as refusal:
        story.switch.act(ANNA, Action.UPDATE_CALL_DATA, call, variables=variables)

    assert refusal.value.error_type == error_type
    assert story.call(ANNA, call).variables == {}


def test_call_data_up_to_its_limits(story: Story) -> None:
    call = story.talking()
    variables = {f"callVariable{number}": "x" * 40 for number in range(1, 11)} | {"user.a": "x" * 1994}

    story.switch.act(ANNA, Action.UPDATE_CALL_DATA, call, variables=variables)

    assert story.call(ANNA, call).variables == variables


def _fill(story: Story, extension: str) -> None:
    for number in range(CALLS_PER_AGENT):
        story.offered(extension, f"+1555{number:04}")


def test_calls_of_one_agent_are_bounded(story: Story) -> None:
    talking = story.talking()
    for number in range(CALLS_PER_AGENT - 1):
        story.offered(customer=f"+1555{number:04}")

    with pytest.raises(SwitchError) as refusal:
        story.offered(customer="+15559999")

    assert refusal.value.error_type == "Call Operation Failure"
    assert story.refused(ANNA, Action.CONSULT_CALL, talking, to_address=BEN).error_type == "Call Operation Failure"
    story.switch.act(ANNA, Action.HOLD, talking)
    assert story.refused(ANNA, Action.MAKE_CALL, to_address=BEN).error_type == "Call Operation Failure"


def test_an_agent_with_too_many_calls_is_busy(story: Story) -> None:
    _fill(story, BEN)

    call = story.dials(ANNA, BEN)

    assert me(story.call(ANNA, call), ANNA).cause is Cause.BUSY
    assert len(story.calls(BEN)) == CALLS_PER_AGENT


def test_single_step_transfer_to_an_agent_with_too_many_calls(story: Story) -> None:
    _fill(story, BEN)
    call = story.talking()

    assert story.refused(ANNA, Action.TRANSFER_SST, call, to_address=BEN).cause is Cause.BUSY


def _conference_of(story: Story, size: int) -> str:
    original = story.talking()
    for number in range(size - 2):
        story.consulting(original, f"6{number:03}")
        story.switch.act(ANNA, Action.CONFERENCE, original)
    return original


def test_parties_of_one_call_are_bounded(story: Story) -> None:
    original = _conference_of(story, PARTIES_PER_CALL)
    assert len(story.call(ANNA, original).participants) == PARTIES_PER_CALL
    story.consulting(original, COLLEAGUE)

    assert story.refused(ANNA, Action.CONFERENCE, original).error_type == "Call Operation Failure"


def test_transfer_of_a_full_conference_swaps_one_party_for_another(story: Story) -> None:
    original = _conference_of(story, PARTIES_PER_CALL)
    story.consulting(original, BEN)

    story.switch.act(ANNA, Action.TRANSFER, original)

    assert len(story.call(BEN, original).participants) == PARTIES_PER_CALL
