"""The picture of an agent's calls under notifications that come twice, late and in another order."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

from bridge.calls.finesse.notifications import DialogEvent
from bridge.calls.finesse.picture import REMEMBERED, Difference, Picture
from bridge.calls.model import Action, Call, CallState, Participant, ParticipantState

AGENT = "1001001"


def call(
    call_id: str = "1",
    state: ParticipantState = ParticipantState.ACTIVE,
    at: int = 1,
    *,
    actions: tuple[Action, ...] = (),
    others: tuple[Participant, ...] = (),
) -> Call:
    own = Participant(AGENT, state, actions, is_agent=True, state_change_time=time(at))
    return Call(call_id, CallState.ACTIVE, "+1555", AGENT, "PREROUTE_ACD_IN", (own, *others))


def time(at: int) -> str:
    return f"2026-01-05T09:00:00.{at:03d}Z" if at else ""


def other(address: str, at: int) -> Participant:
    return Participant(address, ParticipantState.ACTIVE, state_change_time=time(at))


def test_new_call_and_its_changes_are_differences() -> None:
    picture = Picture()
    ringing, active = call(state=ParticipantState.ALERTING, at=1), call(at=2)
    assert picture.notice(DialogEvent.POST, ringing) == (Difference(None, ringing, ended=False), False)
    assert picture.notice(DialogEvent.PUT, active) == (Difference(ringing, active, ended=False), False)
    assert picture.calls == {"1": active}


def test_equal_notification_changes_nothing() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call())
    assert picture.notice(DialogEvent.POST, call()) == (None, False)


def test_older_notification_changes_nothing_and_leaves_a_doubt() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call(at=2))
    assert picture.notice(DialogEvent.PUT, call(state=ParticipantState.ALERTING, at=1)) == (None, True)
    assert picture.notice(DialogEvent.DELETE, call(state=ParticipantState.DROPPED, at=1)) == (None, True)
    assert picture.calls == {"1": call(at=2)}


def test_party_that_leaves_takes_its_time_along_without_making_the_call_look_old() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call(at=1, others=(other("5070", 9),)))
    assert picture.notice(DialogEvent.PUT, call(at=1)).difference is not None


def test_call_that_looks_as_before_is_taken_and_checked() -> None:
    picture = Picture()
    plain, joinable = call(actions=(Action.RETRIEVE,)), call(actions=(Action.RETRIEVE, Action.TRANSFER))
    for each in (plain, joinable):
        assert picture.notice(DialogEvent.PUT, each).doubtful is False
    assert picture.notice(DialogEvent.PUT, plain) == (Difference(joinable, plain, ended=False), True)


def test_deleted_call_stays_deleted_whatever_comes_late() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call(at=1))
    gone = call(state=ParticipantState.DROPPED, at=2)
    assert picture.notice(DialogEvent.DELETE, gone) == (Difference(call(at=1), gone, ended=True), False)
    for event in DialogEvent:
        assert picture.notice(event, call(at=1)) == (None, False)
        assert picture.notice(event, gone) == (None, False)
    assert picture.calls == {}


def test_call_that_is_transferred_back_is_the_agents_again() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call(at=1))
    picture.notice(DialogEvent.DELETE, call(state=ParticipantState.DROPPED, at=2))
    assert picture.notice(DialogEvent.PUT, call(at=3)) == (None, True)
    assert picture.notice(DialogEvent.POST, call(at=3)) == (Difference(None, call(at=3), ended=False), False)


def test_without_times_the_end_is_checked() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call(at=0))
    picture.notice(DialogEvent.DELETE, call(at=0))
    assert picture.notice(DialogEvent.POST, call(at=0)) == (None, True)


def test_reading_replaces_the_picture() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call("1"))
    picture.notice(DialogEvent.POST, call("2"))
    changed = call("2", ParticipantState.HELD, at=5)
    differences = picture.reconcile(picture.mark(), [changed, call("3")])
    assert differences == [
        Difference(call("1"), replace(call("1"), state=CallState.DROPPED), ended=True),
        Difference(call("2"), changed, ended=False),
        Difference(None, call("3"), ended=False),
    ]
    assert picture.calls == {"2": changed, "3": call("3")}


def test_what_was_told_during_a_reading_is_newer_than_the_reading() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call("1"))
    picture.notice(DialogEvent.POST, call("2", at=1))
    mark = picture.mark()
    picture.notice(DialogEvent.DELETE, call("1", ParticipantState.DROPPED, at=2))
    picture.notice(DialogEvent.PUT, call("2", ParticipantState.HELD, at=2))
    picture.notice(DialogEvent.POST, call("3"))
    assert picture.reconcile(mark, [call("1"), call("2", at=1)]) == []
    assert list(picture.calls) == ["2", "3"]


def test_consult_call_that_finesse_shows_as_a_plain_one_is_shown_as_consult() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call("2"))
    shown = picture.consulted(call("2"), "1")
    assert (shown.associated, shown.call_type) == ("1", "CONSULT")
    assert picture.notice(DialogEvent.PUT, call("2")) == (None, False)
    merged = replace(call("2", at=2), secondary_id="1", call_type="CONFERENCE")
    assert picture.notice(DialogEvent.PUT, merged).difference == (shown, merged, False)


def test_memory_of_deleted_calls_is_bounded() -> None:
    picture = Picture()
    for number in range(3 * REMEMBERED):
        picture.notice(DialogEvent.POST, call(str(number)))
        picture.notice(DialogEvent.DELETE, call(str(number)))
    assert len(picture._gone) == len(picture._touched) == REMEMBERED
    assert not picture._past
    assert not picture._origins


def test_call_in_which_one_party_moved_on_and_another_seems_older_is_taken() -> None:
    picture = Picture()
    picture.notice(DialogEvent.POST, call(at=1, others=(other("5070", 5),)))
    moved = call(state=ParticipantState.HELD, at=6, others=(other("5070", 4),))
    assert picture.notice(DialogEvent.PUT, moved).difference is not None


def memory(calls: int) -> int:
    """Give how many bytes a picture takes that has seen so many consult calls begin and end."""
    picture = Picture()
    tracemalloc.start()
    try:
        for number in range(calls):
            data = {f"user.{index}": f"{number}" * 50 for index in range(20)}
            consult = replace(call(str(number)), variables=data)
            picture.notice(DialogEvent.POST, consult)
            picture.consulted(consult, "1")
            picture.notice(DialogEvent.DELETE, consult)
            picture.consulted(consult, "1")
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_what_is_over_leaves_little_behind() -> None:
    shift, week = memory(2 * REMEMBERED), memory(8 * REMEMBERED)

    assert shift < 2000 * REMEMBERED
    assert week < 1.2 * shift
