"""Whatever becomes of the notifications on their way, an agent's picture ends up as the switch has it.

A pure switch is the truth. Its notifications are lost, repeated, delayed, and taken out of order between calls; the
view asks for a reading where it is in doubt, and one always comes at the end, as after a reconnect. With nothing lost
and nothing reordered no reading is needed at all.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.adapter import AgentChanged, CallChanged, CallEnded, CallRequest
from bridge.calls.finesse.notifications import DialogEvent, DialogNotice, UserNotice
from bridge.calls.finesse.view import View
from bridge.calls.model import Action, Agent, AgentStatus, Call, CallState, Participant, ParticipantState
from bridge.calls.requests import DIALS
from bridge.calls.simulator.errors import SwitchError
from bridge.calls.simulator.switch import Switch

if TYPE_CHECKING:
    from typing import Any

    Draw = Any  # hypothesis' ``data.draw`` has no name for its type
    from bridge.calls.adapter import Change
    from bridge.calls.simulator.desks import Notification

ME = "1001001"
COLLEAGUE = "1001002"
PLACES = ("5070", "5090", COLLEAGUE)
AGENT = Agent(ME, ME, ME, AgentStatus.NOT_READY)


class Story:
    """A switch with two agents, and what the view of one of them has made of it."""

    def __init__(self) -> None:
        ticks, self.ids = count(), count()
        self.switch = Switch(now=lambda: f"2026-01-05T09:{(tick := next(ticks)) // 60:02d}:{tick % 60:02d}.000Z")
        for extension in (ME, COLLEAGUE):
            self.switch.sign_in(extension)
        self.view = View("desk", ME, lambda: 0.0)
        self.known: dict[str, Call] = {}
        self.told: list[Change] = []
        self.doubtful = False

    def act(
        self, extension: str, action: Action, call: Call | None, place: str, *, asked: bool
    ) -> tuple[str, list[Notification]]:
        """Do something as an agent; give its id and my notifications. Nothing happens if it is illegal.

        What is ``asked`` goes by the bridge, the rest is done by telephone.
        """
        request = CallRequest(f"r{next(self.ids)}", "desk", action, call.id if call else None, place)
        try:
            told = list(
                self.switch.act(
                    extension,
                    action,
                    request.call,
                    to_address=place if action in DIALS else None,
                    digits="1",
                    variables={"callVariable1": request.id} if action is Action.UPDATE_CALL_DATA else None,
                )
            )
        except SwitchError:
            return request.id, []
        if asked:
            self.view.correlation.expect(
                replace(request, variables={"callVariable1": request.id})
                if action is Action.UPDATE_CALL_DATA
                else request
            )
        return request.id, [notification for notification in told if notification.extension == ME]

    def deliver(self, notification: Notification, request_id: str | None) -> list[Change]:
        notice = DialogNotice(
            DialogEvent(notification.event.value), (notification.call,), request_id, "/finesse/api/User/1001001/Dialogs"
        )
        changes, doubtful = self.view.dialogs(notice)
        self.doubtful = self.doubtful or doubtful
        self.hear(changes)
        return changes

    def hear(self, changes: list[Change]) -> None:
        """Keep the calls as a desktop does, by what it is told."""
        for change in changes:
            match change:
                case CallChanged(call=call):
                    assert self.known.get(call.id) != call, "an event that changes nothing"
                    self.known[call.id] = call
                case CallEnded(call=call):
                    assert self.known.pop(call.id, None) is not None, "an end of a call that nobody knows"
        self.told += changes

    def read(self) -> None:
        mark = self.view.mark()
        self.hear(self.view.reading(mark, AGENT, self.switch.calls_of(ME)))
        self.doubtful = False

    def truth(self) -> dict[str, Call]:
        return {call.id: call for call in self.switch.calls_of(ME)}


def things_to_do(draw: Draw, story: Story) -> tuple[str | None, list[Notification]]:
    """Let one thing happen; give the id of my request behind it, ``None`` where it was not mine."""
    kind = draw(st.sampled_from(("offer", "me", "me", "me", "phone", "colleague", "party", "dial on")))
    place = draw(st.sampled_from(PLACES))
    request: str | None = None
    told: list[Notification] = []
    if kind in {"me", "phone", "colleague"}:
        extension = COLLEAGUE if kind == "colleague" else ME
        call = draw(st.sampled_from([*story.switch.calls_of(extension), None]))
        part = call.participant(extension) if call is not None else None
        action = draw(st.sampled_from(part.actions if part is not None and part.actions else (Action.MAKE_CALL,)))
        if action is Action.MAKE_CALL:
            call = None
        done, told = story.act(extension, action, call, place, asked=kind == "me")
        request = done if kind == "me" else None
    else:
        told = [each for each in outside(draw, story, kind, place) if each.extension == ME]
    return request, told


def outside(draw: Draw, story: Story, kind: str, place: str) -> tuple[Notification, ...]:
    switch = story.switch
    try:
        if kind == "offer":
            return switch.offer(draw(st.sampled_from((ME, COLLEAGUE))), "+15550100")
        if kind == "party":
            answers = draw(st.booleans())
            return switch.party_answer(place, ME) if answers else switch.party_drop(place, ME)
        dialling = sorted(switch.dialling)
        return switch.advance(draw(st.sampled_from(dialling))) if dialling else ()
    except SwitchError:
        return ()


@given(st.data())
def test_with_every_notification_in_order_no_reading_is_needed(data: st.DataObject) -> None:
    draw, story = data.draw, Story()
    echoes, repeats = draw(st.booleans()), draw(st.booleans())
    for _ in range(draw(st.integers(1, 25))):
        request, told = things_to_do(draw, story)
        for notification in told:
            changes = story.deliver(notification, request if echoes else None)
            if request is None:
                assert all(is_past(story, change) for change in changes)
            elif echoes:
                assert {change.cause for change in changes} <= {request}
            if repeats:
                assert story.deliver(notification, request if echoes else None) == []
        assert story.known == story.view.picture.calls == story.truth()


def is_past(story: Story, change: Change) -> bool:
    """Say whether a change has no cause, or one whose result has shown, or goes on with what a request dialled."""
    if change.cause is None:
        return True
    assert isinstance(change, CallChanged | CallEnded)
    cause = story.view.correlation._open[change.cause]
    return cause.shown or cause.dialled == change.call.id


@given(st.data())
def test_with_notifications_late_repeated_swapped_and_lost_with_the_line_it_ends_up_true(data: st.DataObject) -> None:
    """What is on its way comes in order for each call, or is lost with the line, and then everything is read."""
    draw, story = data.draw, Story()
    on_the_way: list[tuple[Notification, str | None]] = []
    delivered: list[tuple[Notification, str | None]] = []
    for _ in range(draw(st.integers(1, 25))):
        request, told = things_to_do(draw, story)
        on_the_way += [(notification, request) for notification in told]
        for fate in draw(st.lists(st.sampled_from(("deliver", "deliver", "repeat", "cut")), max_size=6)):
            if fate == "deliver" and on_the_way:
                call_id = draw(st.sampled_from([notification.call.id for notification, _ in on_the_way]))
                first = next(each for each in on_the_way if each[0].call.id == call_id)
                on_the_way.remove(first)
                delivered.append(first)
                story.deliver(*first)
            elif fate == "repeat" and delivered:
                story.deliver(*draw(st.sampled_from(delivered)))
            elif fate == "cut":
                on_the_way.clear()
                story.read()
                assert story.known == story.truth()
        assert story.known == story.view.picture.calls
    story.read()
    for notification, cause in on_the_way:
        story.deliver(notification, cause)
    if story.doubtful:
        story.read()
    assert story.known == story.view.picture.calls == story.truth()


@given(st.data())
def test_swapped_between_calls_only_is_told_by_the_picture_itself_when_it_is_in_doubt(data: st.DataObject) -> None:
    """Order within a call holds, as it does at Finesse: then what is not in doubt is true."""
    draw, story = data.draw, Story()
    for _ in range(draw(st.integers(1, 20))):
        _, told = things_to_do(draw, story)
        by_call: dict[str, list[Notification]] = {}
        for notification in told:
            by_call.setdefault(notification.call.id, []).append(notification)
        for call_id in draw(st.permutations(sorted(by_call))):
            for notification in by_call[call_id]:
                story.deliver(notification, None)
        if story.doubtful:
            story.read()
        assert story.known == story.truth()


def test_state_that_was_told_during_a_reading_is_newer_than_the_reading() -> None:
    view = View("desk", ME, lambda: 0.0)
    mark = view.mark()
    ready = replace(AGENT, status=AgentStatus.READY)
    view.user(UserNotice(ready, None))
    assert view.reading(mark, AGENT, ()) == []
    assert view.agent == ready
    assert view.agent_reading(view.mark(), AGENT) == [AgentChanged("desk", AGENT)]


def test_agent_without_an_extension_has_the_one_of_the_desk() -> None:
    view = View("desk", ME, lambda: 0.0)
    (change,) = view.user(UserNotice(replace(AGENT, extension=""), None))
    assert change == AgentChanged("desk", AGENT)


def test_state_that_is_told_again_changes_nothing() -> None:
    view = View("desk", ME, lambda: 0.0)
    assert view.user(UserNotice(AGENT, None)) == [AgentChanged("desk", AGENT)]
    assert view.user(UserNotice(AGENT, None)) == []


def test_consult_that_finesse_shows_as_a_plain_call_is_told_as_a_consult_from_its_first_event_on() -> None:
    view = View("desk", ME, lambda: 0.0)
    view.correlation.expect(CallRequest("r1", "desk", Action.CONSULT_CALL, "1", "5070"))
    own = Participant(ME, ParticipantState.INITIATING, is_agent=True)
    plain = Call("2", CallState.INITIATING, ME, "", "OUT", (own,))
    (change,), _ = view.dialogs(DialogNotice(DialogEvent.POST, (plain,), None, ""))
    assert isinstance(change, CallChanged)
    assert (change.call.call_type, change.call.associated, change.cause) == ("CONSULT", "1", "r1")
    assert view.calls == (change.call,)
