"""Two calls of one agent: consult, then transfer, conference or neither."""

from __future__ import annotations

import pytest

from bridge.calls.model import Action, CallState, Cause, ParticipantState
from tests.calls.simulator.switch_story import ANNA, BAD, BEN, BUSY, CARL, COLLEAGUE, CUSTOMER, Story, me, told

JOINING = {Action.TRANSFER, Action.CONFERENCE}


def test_consult_holds_the_original_and_dials(story: Story) -> None:
    original = story.talking()

    notes = story.switch.act(ANNA, Action.CONSULT_CALL, original, to_address=BEN)

    assert told(notes) == [("PUT", ANNA, "HELD"), ("POST", ANNA, "INITIATING")]
    consult = notes[1].call
    assert (consult.call_type, consult.associated, consult.to_address) == ("CONSULT", original, "")
    assert consult.from_address == ANNA


def test_consult_carries_the_data_of_the_original(story: Story) -> None:
    original = story.talking()
    story.switch.act(ANNA, Action.UPDATE_CALL_DATA, original, variables={"callVariable1": "gold"})

    consult = story.consults(original, BEN)
    story.switch.act(BEN, Action.ANSWER, consult)
    story.switch.act(BEN, Action.UPDATE_CALL_DATA, consult, variables={"callVariable1": "silver"})

    assert story.call(BEN, consult).variables == {"callVariable1": "silver"}
    assert story.call(ANNA, original).variables == {"callVariable1": "gold"}


def test_consult_that_rings_allows_no_joining(story: Story) -> None:
    original = story.talking()
    consult = story.consults(original, BEN)

    assert not JOINING & set(story.actions(ANNA, original))
    assert not JOINING & set(story.actions(ANNA, consult))
    assert story.refused(ANNA, Action.CONFERENCE, original).error_type == "Invalid State"


def test_consult_answered_allows_joining_in_the_same_happening(story: Story) -> None:
    original = story.talking()
    consult = story.consults(original, BEN)

    notes = story.switch.act(BEN, Action.ANSWER, consult)

    assert told(notes) == [("PUT", ANNA, "ACTIVE"), ("PUT", BEN, "ACTIVE"), ("PUT", ANNA, "HELD")]
    assert notes[2].call.id == original
    assert set(me(notes[2].call, ANNA).actions) >= JOINING


@pytest.mark.parametrize(("number", "cause"), [(BUSY, Cause.BUSY), (BAD, Cause.BAD_DESTINATION)])
def test_consult_that_fails_leaves_the_original_held(story: Story, number: str, cause: Cause) -> None:
    original = story.talking()
    consult = story.consults(original, number)

    assert me(story.call(ANNA, consult), ANNA).cause is cause
    assert story.actions(ANNA, consult) == (Action.DROP,)

    story.switch.act(ANNA, Action.DROP, consult)
    assert story.calls(ANNA) == [original]
    assert story.state(ANNA, original) is ParticipantState.HELD


def test_drop_of_the_consult_takes_joining_from_the_original(story: Story) -> None:
    original = story.talking()
    consult = story.consulting(original)

    notes = story.switch.act(ANNA, Action.DROP, consult)

    assert told(notes) == [
        ("PUT", ANNA, "DROPPED"),
        ("PUT", BEN, "ACTIVE"),
        ("PUT", ANNA, "DROPPED"),
        ("PUT", BEN, "DROPPED"),
        ("DELETE", ANNA, "DROPPED"),
        ("DELETE", BEN, "DROPPED"),
        ("PUT", ANNA, "HELD"),
    ]
    assert notes[-1].call.id == original
    assert not JOINING & set(story.actions(ANNA, original))


def test_consulted_agent_who_declines_ends_the_consult(story: Story) -> None:
    original = story.talking()
    story.consults(original, BEN)

    story.switch.party_drop(BEN, ANNA)

    assert (story.calls(ANNA), story.calls(BEN)) == ([original], [])


def test_transfer_connects_the_two_others(story: Story) -> None:
    original = story.talking()
    consult = story.consulting(original)

    notes = story.switch.act(ANNA, Action.TRANSFER, original)

    assert [(event, who, note.call.id) for note, (event, who, _) in zip(notes, told(notes), strict=True)] == [
        ("DELETE", ANNA, original),
        ("DELETE", ANNA, consult),
        ("DELETE", BEN, consult),
        ("POST", BEN, original),
    ]
    survivor = story.call(BEN, original)
    assert (survivor.secondary_id, survivor.call_type, survivor.state) == (consult, "TRANSFER", CallState.ACTIVE)
    assert [party.address for party in survivor.participants] == [CUSTOMER, BEN]
    assert (survivor.from_address, survivor.to_address) == (CUSTOMER, ANNA)
    assert story.calls(ANNA) == []


def test_transfer_tells_a_customer_who_is_an_agent(story: Story) -> None:
    original = story.dials(CARL, ANNA)
    story.switch.act(ANNA, Action.ANSWER, original)
    story.consulting(original)

    notes = story.switch.act(ANNA, Action.TRANSFER, original)

    assert ("PUT", CARL, "ACTIVE") in told(notes)
    assert story.call(CARL, original) == story.call(BEN, original)


def test_transfer_of_the_consult_call_lets_that_one_survive(story: Story) -> None:
    original = story.talking()
    consult = story.consulting(original)
    story.switch.act(ANNA, Action.HOLD, consult)
    story.switch.act(ANNA, Action.RETRIEVE, original)

    story.switch.act(ANNA, Action.TRANSFER, consult)

    survivor = story.call(BEN, consult)
    assert (survivor.secondary_id, survivor.from_address, survivor.to_address) == (original, ANNA, BEN)
    assert {party.address for party in survivor.participants} == {CUSTOMER, BEN}


def test_transfer_between_strangers_goes_on_without_the_switch(story: Story) -> None:
    original = story.talking()
    consult = story.consulting(original, COLLEAGUE)

    notes = story.switch.act(ANNA, Action.TRANSFER, original)

    assert [(note.event.value, note.call.id) for note in notes] == [("DELETE", original), ("DELETE", consult)]
    assert notes[0].call.state is CallState.ACTIVE
    assert story.calls(ANNA) == []


def test_transfer_of_a_party_to_itself_ends_the_call(story: Story) -> None:
    original = story.dials(ANNA, BEN)
    story.switch.act(BEN, Action.ANSWER, original)
    story.consulting(original, BEN)

    story.switch.act(ANNA, Action.TRANSFER, original)

    assert (story.calls(ANNA), story.calls(BEN)) == ([], [])


def test_conference_makes_three(story: Story) -> None:
    original = story.talking()
    consult = story.consulting(original)

    notes = story.switch.act(ANNA, Action.CONFERENCE, original)

    assert [(event, who, note.call.id) for note, (event, who, _) in zip(notes, told(notes), strict=True)] == [
        ("DELETE", ANNA, consult),
        ("DELETE", BEN, consult),
        ("PUT", ANNA, original),
        ("POST", BEN, original),
    ]
    call = story.call(ANNA, original)
    assert (call.secondary_id, call.call_type) == (consult, "CONFERENCE")
    assert [(party.address, party.state.value) for party in call.participants] == [
        (CUSTOMER, "ACTIVE"),
        (ANNA, "ACTIVE"),
        (BEN, "ACTIVE"),
    ]


def test_conference_of_a_party_with_itself_counts_it_once(story: Story) -> None:
    original = story.dials(ANNA, BEN)
    story.switch.act(BEN, Action.ANSWER, original)
    story.consulting(original, BEN)
    assert story.state(BEN, original) is ParticipantState.HELD

    story.switch.act(ANNA, Action.CONFERENCE, original)

    assert [party.address for party in story.call(ANNA, original).participants] == [ANNA, BEN]
    assert story.state(BEN, original) is ParticipantState.ACTIVE


def test_conference_takes_an_agent_before_a_stranger_with_the_same_number(story: Story) -> None:
    story.switch.sign_out(BEN)
    original = story.dials(ANNA, BEN)
    story.switch.party_answer(BEN, ANNA)
    story.switch.sign_in(BEN)
    story.consulting(original, BEN)

    story.switch.act(ANNA, Action.CONFERENCE, original)

    assert [(party.address, party.is_agent) for party in story.call(ANNA, original).participants] == [
        (ANNA, True),
        (BEN, True),
    ]
    assert story.calls(BEN) == [original]


def test_conference_without_the_agent_who_began_it_goes_on(story: Story) -> None:
    original = story.talking()
    story.consulting(original)
    story.switch.act(ANNA, Action.CONFERENCE, original)

    notes = story.switch.act(ANNA, Action.DROP, original)

    assert told(notes) == [
        ("PUT", ANNA, "DROPPED"),
        ("PUT", BEN, "ACTIVE"),
        ("DELETE", ANNA, "DROPPED"),
        ("PUT", BEN, "ACTIVE"),
    ]
    assert [party.address for party in story.call(BEN, original).participants] == [CUSTOMER, BEN]


def test_conference_that_a_stranger_leaves_goes_on(story: Story) -> None:
    original = story.talking()
    story.consulting(original)
    story.switch.act(ANNA, Action.CONFERENCE, original)

    story.switch.party_drop(CUSTOMER, BEN)

    assert [party.address for party in story.call(ANNA, original).participants] == [ANNA, BEN]


def test_conference_of_any_held_call_with_the_active_one(story: Story) -> None:
    first = story.talking()
    second = story.talking(customer="+15550101")
    third = story.consulting(second, COLLEAGUE)

    story.switch.act(ANNA, Action.CONFERENCE, first)

    assert story.calls(ANNA) == [first, second]
    assert story.call(ANNA, first).secondary_id == third
    assert set(story.actions(ANNA, second)) >= JOINING


def test_joining_changes_what_a_further_agent_may_do(story: Story) -> None:
    bens = story.talking(BEN, "+15550101")
    story.switch.act(BEN, Action.HOLD, bens)
    original = story.talking()
    assert not JOINING & set(story.actions(BEN, bens))
    story.consulting(original)

    story.switch.act(ANNA, Action.TRANSFER, original)

    assert set(story.actions(BEN, bens)) >= JOINING


def test_single_step_transfer_rings_in_the_agents_place(story: Story) -> None:
    call = story.talking()

    notes = story.switch.act(ANNA, Action.TRANSFER_SST, call, to_address=BEN)

    assert told(notes) == [("DELETE", ANNA, "DROPPED"), ("POST", BEN, "ALERTING")]
    ringing = story.call(BEN, call)
    assert (ringing.state, ringing.call_type) == (CallState.ALERTING, "TRANSFER")
    assert [party.address for party in ringing.participants] == [CUSTOMER, BEN]
    story.switch.act(BEN, Action.ANSWER, call)
    assert story.call(BEN, call).state is CallState.ACTIVE


def test_single_step_transfer_that_the_customer_does_not_wait_for(story: Story) -> None:
    call = story.talking()
    story.switch.act(ANNA, Action.TRANSFER_SST, call, to_address=BEN)

    story.switch.party_drop(CUSTOMER, BEN)

    assert story.calls(BEN) == []


def test_single_step_transfer_by_all_leaves_nobody_but_the_rung(story: Story) -> None:
    call = story.dials(ANNA, BEN)
    story.switch.act(BEN, Action.ANSWER, call)
    story.switch.act(ANNA, Action.TRANSFER_SST, call, to_address=CARL)

    story.switch.act(BEN, Action.TRANSFER_SST, call, to_address=COLLEAGUE)

    assert (story.calls(BEN), story.calls(CARL)) == ([], [])


def test_single_step_transfer_that_still_rings_allows_no_joining(story: Story) -> None:
    bens = story.talking(BEN, "+15550101")
    call = story.dials(ANNA, BEN)
    story.switch.act(BEN, Action.ANSWER, call)
    assert set(story.actions(BEN, bens)) >= JOINING

    story.switch.act(ANNA, Action.TRANSFER_SST, call, to_address=CARL)

    assert story.state(BEN, call) is ParticipantState.ACTIVE
    assert not JOINING & set(story.actions(BEN, bens))


@pytest.mark.parametrize(
    ("number", "error_type", "cause"),
    [
        (BUSY, "Call Operation Failure", Cause.BUSY),
        (BAD, "Invalid Destination", Cause.BAD_DESTINATION),
        (CUSTOMER, "Invalid Destination", None),
        (ANNA, "Invalid Destination", None),
    ],
)
def test_single_step_transfer_that_cannot_be(story: Story, number: str, error_type: str, cause: Cause | None) -> None:
    call = story.talking()

    refusal = story.refused(ANNA, Action.TRANSFER_SST, call, to_address=number)

    assert (refusal.error_type, refusal.cause) == (error_type, cause)
