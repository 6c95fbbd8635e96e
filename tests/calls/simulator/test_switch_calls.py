"""One call at a time: offered, dialled, answered, held, dropped."""

from __future__ import annotations

import pytest

from bridge.calls.model import Action, CallState, Cause, ParticipantState
from bridge.calls.simulator.errors import SwitchError
from tests.calls.simulator.switch_story import ANNA, BAD, BEN, BUSY, COLLEAGUE, CUSTOMER, Story, me, told


def test_offer_rings_at_the_agent(story: Story) -> None:
    notes = story.switch.offer(ANNA, CUSTOMER, {"callVariable1": "gold"})

    assert told(notes) == [("POST", ANNA, "ALERTING")]
    call = notes[0].call
    assert (call.id, call.state, call.call_type) == ("16786021", CallState.ALERTING, "PREROUTE_ACD_IN")
    assert (call.from_address, call.to_address) == (CUSTOMER, ANNA)
    assert me(call, CUSTOMER).state is ParticipantState.INITIATED
    assert (me(call, CUSTOMER).is_agent, me(call, ANNA).is_agent) == (False, True)
    assert me(call, ANNA).actions == (Action.ANSWER,)
    assert call.variables == {"callVariable1": "gold"}


def test_answer_connects_both(story: Story) -> None:
    call = story.offered()

    notes = story.switch.act(ANNA, Action.ANSWER, call)

    assert told(notes) == [("PUT", ANNA, "ACTIVE")]
    assert notes[0].call.state is CallState.ACTIVE
    assert me(notes[0].call, CUSTOMER).state is ParticipantState.ACTIVE
    assert me(notes[0].call, CUSTOMER).actions == ()


def test_answer_beside_an_active_call_puts_that_one_on_hold_first(story: Story) -> None:
    first, second = story.talking(), story.offered(customer="+15550101")

    notes = story.switch.act(ANNA, Action.ANSWER, second)

    assert [(note.call.id, state) for note, (_, _, state) in zip(notes, told(notes), strict=True)] == [
        (first, "HELD"),
        (second, "ACTIVE"),
    ]
    assert Action.TRANSFER in story.actions(ANNA, first)


def test_make_call_goes_through_every_step(story: Story) -> None:
    begun = story.switch.act(ANNA, Action.MAKE_CALL, to_address=COLLEAGUE)
    call = begun[0].call
    assert told(begun) == [("POST", ANNA, "INITIATING")]
    assert (call.to_address, call.call_type, call.state) == ("", "OUT", CallState.INITIATING)
    assert story.switch.dialling == {call.id}

    dialled = story.switch.advance(call.id)
    assert told(dialled) == [("PUT", ANNA, "INITIATED")]
    assert (dialled[0].call.to_address, dialled[0].call.state) == (COLLEAGUE, CallState.INITIATED)

    ringing = story.switch.advance(call.id)
    assert told(ringing) == [("PUT", ANNA, "INITIATED")]
    assert ringing[0].call.state is CallState.ALERTING
    assert me(ringing[0].call, COLLEAGUE).state is ParticipantState.ALERTING
    assert not story.switch.dialling

    answered = story.switch.party_answer(COLLEAGUE, ANNA)
    assert told(answered) == [("PUT", ANNA, "ACTIVE")]


def test_make_call_carries_call_data(story: Story) -> None:
    notes = story.switch.act(ANNA, Action.MAKE_CALL, to_address=BEN, variables={"user.case": "7"})

    assert notes[0].call.variables == {"user.case": "7"}


def test_make_call_to_an_agent_rings_there(story: Story) -> None:
    begun = story.switch.act(ANNA, Action.MAKE_CALL, to_address=BEN)
    call = begun[0].call.id
    assert begun[0].call.call_type == "AGENT_INSIDE"
    assert told(story.switch.advance(call)) == [("PUT", ANNA, "INITIATED")]

    assert told(story.switch.advance(call)) == [("PUT", ANNA, "INITIATED"), ("POST", BEN, "ALERTING")]
    assert story.call(ANNA, call) == story.call(BEN, call)
    assert told(story.switch.act(BEN, Action.ANSWER, call)) == [("PUT", ANNA, "ACTIVE"), ("PUT", BEN, "ACTIVE")]


@pytest.mark.parametrize(("number", "cause"), [(BUSY, Cause.BUSY), (BAD, Cause.BAD_DESTINATION)])
def test_make_call_that_fails_stays_until_it_is_dropped(story: Story, number: str, cause: Cause) -> None:
    call = story.dials(ANNA, number)

    assert story.call(ANNA, call).state is CallState.FAILED
    assert me(story.call(ANNA, call), ANNA).cause is cause
    assert story.actions(ANNA, call) == (Action.DROP,)
    assert told(story.switch.act(ANNA, Action.DROP, call)) == [("PUT", ANNA, "DROPPED"), ("DELETE", ANNA, "DROPPED")]
    assert story.calls(ANNA) == []


def test_make_call_beside_an_active_call_is_refused(story: Story) -> None:
    story.talking()

    assert story.refused(ANNA, Action.MAKE_CALL, to_address=BEN).error_type == "Invalid State"


def test_advance_of_a_call_that_was_dropped_does_nothing(story: Story) -> None:
    call = story.switch.act(ANNA, Action.MAKE_CALL, to_address=BEN)[0].call.id
    story.switch.act(ANNA, Action.DROP, call)

    assert story.switch.advance(call) == ()
    assert not story.switch.dialling


def test_advance_to_an_agent_who_signed_out_meanwhile_rings_at_a_stranger(story: Story) -> None:
    call = story.switch.act(ANNA, Action.MAKE_CALL, to_address=BEN)[0].call.id
    story.switch.sign_out(BEN)

    story.rung(call)

    assert me(story.call(ANNA, call), BEN).is_agent is False


def test_hold_shows_on_the_participant_only(story: Story) -> None:
    call = story.talking()

    notes = story.switch.act(ANNA, Action.HOLD, call)

    assert told(notes) == [("PUT", ANNA, "HELD")]
    assert notes[0].call.state is CallState.ACTIVE
    assert set(me(notes[0].call, ANNA).actions) == {Action.RETRIEVE, Action.DROP, Action.UPDATE_CALL_DATA}


def test_retrieve_brings_the_call_back(story: Story) -> None:
    call = story.talking()
    story.switch.act(ANNA, Action.HOLD, call)

    assert told(story.switch.act(ANNA, Action.RETRIEVE, call)) == [("PUT", ANNA, "ACTIVE")]


def test_retrieve_beside_an_active_call_is_refused(story: Story) -> None:
    first = story.talking()
    story.talking(customer="+15550101")

    assert story.refused(ANNA, Action.RETRIEVE, first).error_type == "Invalid State"


def test_answer_by_the_called_holds_what_the_caller_retrieved_meanwhile(story: Story) -> None:
    original = story.talking()
    consult = story.consults(original, COLLEAGUE)
    story.switch.act(ANNA, Action.RETRIEVE, original)

    story.switch.party_answer(COLLEAGUE, ANNA)

    assert story.state(ANNA, original) is ParticipantState.HELD
    assert story.state(ANNA, consult) is ParticipantState.ACTIVE


def test_drop_ends_a_call_of_two(story: Story) -> None:
    call = story.talking()

    notes = story.switch.act(ANNA, Action.DROP, call)

    assert told(notes) == [("PUT", ANNA, "DROPPED"), ("PUT", ANNA, "DROPPED"), ("DELETE", ANNA, "DROPPED")]
    assert [me(note.call, CUSTOMER).state.value for note in notes] == ["ACTIVE", "DROPPED", "DROPPED"]
    assert notes[-1].call.state is CallState.DROPPED
    assert story.calls(ANNA) == []


def test_party_drop_by_the_customer_shows_the_customer_go_first(story: Story) -> None:
    call = story.talking()

    notes = story.switch.party_drop(CUSTOMER, ANNA, call)

    assert told(notes) == [("PUT", ANNA, "ACTIVE"), ("PUT", ANNA, "DROPPED"), ("DELETE", ANNA, "DROPPED")]
    assert me(notes[0].call, CUSTOMER).state is ParticipantState.DROPPED


def test_party_drop_by_a_customer_who_is_tired_of_waiting(story: Story) -> None:
    story.offered()

    assert told(story.switch.party_drop(CUSTOMER, ANNA))[-1] == ("DELETE", ANNA, "DROPPED")


def test_party_drop_without_a_call_hangs_up_all_of_them(story: Story) -> None:
    original = story.talking(customer=COLLEAGUE)
    story.consults(original, COLLEAGUE)

    story.switch.party_drop(COLLEAGUE, ANNA)

    assert story.calls(ANNA) == []


def test_party_drop_with_a_call_hangs_up_that_one(story: Story) -> None:
    original = story.talking(customer=COLLEAGUE)
    consult = story.consults(original, COLLEAGUE)

    story.switch.party_drop(COLLEAGUE, ANNA, consult)

    assert story.calls(ANNA) == [original]


def test_party_drop_acts_on_calls_of_that_agent_only(story: Story) -> None:
    call = story.talking(BEN)

    with pytest.raises(SwitchError) as refusal:
        story.switch.party_drop(CUSTOMER, ANNA)

    assert refusal.value.error_type == "Dialog Not Found"
    assert story.calls(BEN) == [call]


def test_party_answer_takes_the_call_that_rings_longest(story: Story) -> None:
    original = story.talking()
    first = story.consults(original, COLLEAGUE)
    story.switch.act(ANNA, Action.RETRIEVE, original)
    second = story.consults(original, COLLEAGUE)

    story.switch.party_answer(COLLEAGUE, ANNA)

    assert story.state(ANNA, first) is ParticipantState.ACTIVE
    assert story.state(ANNA, second) is ParticipantState.INITIATED


def test_party_answer_where_nothing_rings_there(story: Story) -> None:
    story.talking()

    with pytest.raises(SwitchError) as refusal:
        story.switch.party_answer(CUSTOMER, ANNA)

    assert refusal.value.error_type == "Invalid State"


def test_party_answer_of_a_stranger_to_the_agent(story: Story) -> None:
    with pytest.raises(SwitchError) as refusal:
        story.switch.party_answer(COLLEAGUE, ANNA)

    assert refusal.value.error_type == "Dialog Not Found"


def test_times_change_with_the_state_only(story: Story) -> None:
    call = story.talking()
    before = me(story.call(ANNA, call), ANNA)

    story.switch.act(ANNA, Action.UPDATE_CALL_DATA, call, variables={"callVariable2": "x"})
    assert me(story.call(ANNA, call), ANNA) == before

    story.switch.act(ANNA, Action.HOLD, call)
    after = me(story.call(ANNA, call), ANNA)
    assert after.start_time == before.start_time
    assert after.state_change_time > before.state_change_time
