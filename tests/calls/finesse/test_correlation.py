"""Which request caused a change, with Finesse's ``requestId`` and without it."""

from __future__ import annotations

import pytest

from bridge.calls.adapter import CallRequest, ChangeStatus, SignIn
from bridge.calls.finesse.correlation import COPY_SECONDS, OPEN_REQUESTS, OPEN_SECONDS, TONES_SECONDS, Correlation
from bridge.calls.finesse.picture import Difference
from bridge.calls.model import Action, Agent, AgentStatus, Call, CallState, Participant, ParticipantState

ME = "1001001"
S = ParticipantState


class Desk:
    """One agent's open requests, on a clock of the test's own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.correlation = Correlation(ME, lambda: self.now)

    def ask(self, request_id: str, action: Action, call_id: str | None = None, to: str | None = None) -> None:
        variables = {"callVariable1": "gold"} if action is Action.UPDATE_CALL_DATA else {}
        self.correlation.expect(CallRequest(request_id, "desk", action, call_id, to, variables=variables))

    def cause(
        self, before: Call | None, after: Call | None = None, *, ended: bool = False, told: str | None = None
    ) -> str | None:
        last = after or before
        assert last is not None
        return self.correlation.cause_of_call(told, Difference(before, last, ended=ended))


def call(
    call_id: str,
    state: ParticipantState,
    whole: CallState = CallState.ACTIVE,
    *,
    caller: str = "+1555",
    to: str = "",
    associated: str | None = None,
    secondary: str | None = None,
    variables: dict[str, str] | None = None,
) -> Call:
    parties = (Participant(caller, S.ACTIVE), Participant(ME, state, is_agent=True))
    return Call(call_id, whole, caller, to, "OUT", parties, associated, secondary, variables or {})


@pytest.mark.parametrize(
    ("action", "before", "after", "ended"),
    [
        (Action.ANSWER, S.ALERTING, S.ACTIVE, False),
        (Action.HOLD, S.ACTIVE, S.HELD, False),
        (Action.RETRIEVE, S.HELD, S.ACTIVE, False),
        (Action.CONSULT_CALL, S.ACTIVE, S.HELD, False),
        (Action.DROP, S.ACTIVE, S.DROPPED, False),
        (Action.DROP, S.ACTIVE, S.WRAP_UP, False),
        (Action.DROP, S.ACTIVE, S.DROPPED, True),
        (Action.TRANSFER, S.HELD, S.DROPPED, True),
        (Action.TRANSFER_SST, S.ACTIVE, S.DROPPED, True),
    ],
)
def test_change_that_an_open_request_asks_for_is_its_doing(
    *, action: Action, before: ParticipantState, after: ParticipantState, ended: bool
) -> None:
    desk = Desk()
    desk.ask("r1", action, "1", "5070")
    assert desk.cause(call("2", before), call("2", after), ended=ended) is None
    assert desk.cause(call("1", before), call("1", after), ended=ended) == "r1"


def test_touch_tones_and_foreign_states_are_nobodys() -> None:
    desk = Desk()
    desk.ask("r1", Action.SEND_DTMF, "1")
    desk.ask("r2", Action.HOLD, "1")
    assert desk.cause(call("1", S.ACTIVE), call("1", S.DROPPED)) is None


def test_call_data_is_the_doing_of_who_set_it() -> None:
    desk = Desk()
    desk.ask("r1", Action.UPDATE_CALL_DATA, "1")
    before = call("1", S.ACTIVE)
    assert desk.cause(before, call("1", S.ACTIVE, variables={"callVariable1": "silver"})) is None
    assert desk.cause(before, call("1", S.ACTIVE, variables={"callVariable1": "gold"})) == "r1"


def test_request_id_decides_where_it_comes_back() -> None:
    desk = Desk()
    desk.ask("r1", Action.HOLD, "1")
    desk.ask("r2", Action.RETRIEVE, "1")
    held = call("1", S.ACTIVE), call("1", S.HELD)
    assert desk.cause(*held, told="r2") == "r2"
    assert desk.cause(*held, told="of another program") is None


def test_consult_call_is_found_without_any_hint_and_followed_until_it_rings() -> None:
    desk = Desk()
    desk.ask("r1", Action.CONSULT_CALL, "1", "5070")
    dialling = call("2", S.INITIATING, CallState.INITIATING, caller=ME)
    assert desk.cause(None, dialling) == "r1"
    assert desk.correlation.origin_of("2") == "1"
    dialled = call("2", S.INITIATED, CallState.INITIATED, caller=ME, to="5070")
    rings = call("2", S.INITIATED, CallState.ALERTING, caller=ME, to="5070")
    assert desk.cause(dialling, dialled) == "r1"
    assert desk.cause(dialled, rings) == "r1"
    assert desk.cause(rings, call("2", S.ACTIVE, caller=ME, to="5070")) is None


def test_new_call_belongs_to_who_dialled_last() -> None:
    """The refusal of the first was lost: it has timed out, and the person tries again."""
    desk = Desk()
    desk.ask("r1", Action.CONSULT_CALL, "1", "5070")
    desk.ask("r2", Action.CONSULT_CALL, "1", "5070")
    dialling = call("2", S.INITIATING, CallState.INITIATING, caller=ME, associated="1")
    rings = call("2", S.INITIATED, CallState.ALERTING, caller=ME, to="5070", associated="1")
    assert desk.cause(None, dialling) == "r2"
    assert desk.cause(dialling, rings) == "r2"
    desk.ask("r3", Action.MAKE_CALL, None, "5070")
    desk.ask("r4", Action.MAKE_CALL, None, "5070")
    assert desk.cause(None, call("3", S.INITIATING, CallState.INITIATING, caller=ME)) == "r4"


def test_call_to_another_number_or_from_another_call_is_not_the_consult() -> None:
    desk = Desk()
    desk.ask("r1", Action.CONSULT_CALL, "1", "5070")
    assert desk.cause(None, call("2", S.INITIATED, CallState.INITIATED, caller=ME, to="5071")) is None
    assert desk.cause(None, call("3", S.INITIATED, CallState.INITIATED, caller=ME, associated="9")) is None
    assert desk.cause(None, call("4", S.ALERTING, CallState.ALERTING, to=ME)) is None


def test_new_call_is_of_who_makes_one_rather_than_of_a_consult_that_never_showed() -> None:
    desk = Desk()
    desk.ask("lost", Action.CONSULT_CALL, "1", "5070")
    desk.ask("r1", Action.MAKE_CALL, None, "5070")
    assert desk.cause(None, call("2", S.INITIATING, CallState.INITIATING, caller=ME)) == "r1"


def test_answer_explains_that_the_other_call_is_held() -> None:
    desk = Desk()
    desk.ask("r1", Action.ANSWER, "2")
    assert desk.cause(call("1", S.ACTIVE), call("1", S.HELD)) == "r1"
    assert desk.cause(call("1", S.HELD), call("1", S.ACTIVE)) is None


@pytest.mark.parametrize("action", [Action.TRANSFER, Action.CONFERENCE])
def test_joining_explains_that_the_other_call_ends(action: Action) -> None:
    desk = Desk()
    desk.ask("r1", action, "1")
    assert desk.cause(call("2", S.ACTIVE), ended=True) == "r1"


def test_conference_explains_the_joined_call() -> None:
    desk = Desk()
    desk.ask("r1", Action.CONFERENCE, "1")
    assert desk.cause(call("1", S.HELD), call("1", S.HELD)) is None
    assert desk.cause(call("1", S.HELD), call("1", S.ACTIVE, secondary="2")) == "r1"


def test_same_action_twice_is_told_apart_by_order() -> None:
    desk = Desk()
    active, held = call("1", S.ACTIVE), call("1", S.HELD)
    desk.ask("r1", Action.HOLD, "1")
    desk.ask("r2", Action.RETRIEVE, "1")
    desk.ask("r3", Action.HOLD, "1")
    assert [desk.cause(active, held), desk.cause(held, active), desk.cause(active, held)] == ["r1", "r2", "r3"]


def test_refused_and_old_requests_explain_nothing() -> None:
    desk = Desk()
    held = call("1", S.ACTIVE), call("1", S.HELD)
    desk.ask("r1", Action.HOLD, "1")
    desk.correlation.forget("r1")
    assert desk.cause(*held) is None
    desk.ask("r2", Action.HOLD, "1")
    desk.now = OPEN_SECONDS + 1
    assert desk.cause(*held) is None


def test_open_requests_are_bounded() -> None:
    desk = Desk()
    for number in range(3 * OPEN_REQUESTS):
        desk.ask(f"r{number}", Action.HOLD, str(number))
    assert len(desk.correlation._open) == OPEN_REQUESTS
    assert desk.cause(call("0", S.ACTIVE), call("0", S.HELD)) is None


def test_states_of_the_agent() -> None:
    correlation = Desk().correlation
    ready = Agent(ME, ME, ME, AgentStatus.READY)
    correlation.expect(SignIn("in", "desk", ME, ME))
    correlation.expect(ChangeStatus("ready", "desk", AgentStatus.READY))
    assert correlation.cause_of_agent(None, Agent(ME, ME, ME, AgentStatus.NOT_READY)) == "in"
    assert correlation.cause_of_agent(None, ready) == "ready"
    assert correlation.cause_of_agent(None, Agent(ME, ME, ME, AgentStatus.LOGOUT)) is None
    assert correlation.cause_of_agent("in", ready) == "in"
    assert correlation.cause_of_agent("of another program", ready) is None


def test_asynchronous_error_goes_to_who_asked_for_it() -> None:
    desk = Desk()
    desk.ask("r1", Action.SEND_DTMF, "1")
    desk.ask("r2", Action.TRANSFER, "1")
    desk.ask("r3", Action.MAKE_CALL, None, "5070")
    cause = desk.correlation.cause_of_error
    assert cause(None, "1", "INVALID_ACTION TRANSFER on extension 1001001") == "r2"
    assert cause(None, "1", "CF_GENERIC_OPERATION (1)") == "r1"
    assert cause(None, None, "CF_INVALID_CALLED_DEVICE (6)") == "r3"
    assert cause(None, "7", "CF_GENERIC_OPERATION (1)") is None
    assert cause(None, "1", "INVALID_ACTION HOLD on extension 1001001") is None
    desk.now = TONES_SECONDS + 1
    assert cause(None, "1", "CF_GENERIC_OPERATION (1)") == "r2"
    assert cause("r3", "1", "") == "r3"
    assert cause("of another program", "1", "") is None


def test_error_never_goes_to_a_request_whose_result_has_shown() -> None:
    desk = Desk()
    desk.ask("r1", Action.HOLD, "1")
    desk.cause(call("1", S.ACTIVE), call("1", S.HELD))
    assert desk.correlation.cause_of_error(None, "1", "INVALID_ACTION HOLD on extension 1001001") is None


def test_error_that_repeats_the_last_one_refuses_nobody_else() -> None:
    desk = Desk()
    desk.ask("r1", Action.RETRIEVE, "1")
    desk.ask("r2", Action.RETRIEVE, "1")
    error = (None, "1", "INVALID_ACTION RETRIEVE on extension 1001001")
    assert desk.correlation.cause_of_error(*error) == "r1"
    desk.correlation.forget("r1")
    assert desk.correlation.cause_of_error(*error) is None
    desk.now += COPY_SECONDS
    assert desk.correlation.cause_of_error(*error) == "r2"


def test_error_never_goes_to_a_consult_whose_call_is_there() -> None:
    desk = Desk()
    desk.ask("r1", Action.CONSULT_CALL, "1", "5070")
    desk.ask("r2", Action.DROP, "1")
    assert desk.cause(None, call("2", S.INITIATING, caller="1001001", to="", associated="1")) == "r1"
    assert desk.correlation.cause_of_error(None, "1", "CF_OBJECT_NOT_KNOWN (4)") == "r2"


def test_what_follows_a_shown_result_still_belongs_to_it() -> None:
    """A transfer ends two calls; the second notification comes when the first has shown the result."""
    desk = Desk()
    desk.ask("r1", Action.TRANSFER, "1")
    assert desk.cause(call("1", S.HELD), ended=True) == "r1"
    assert desk.cause(call("2", S.ACTIVE), ended=True) == "r1"


def test_consult_holds_its_call_once() -> None:
    """Taken back and put on hold again by telephone, while the consult still dials: that was not the consult."""
    desk = Desk()
    desk.ask("r1", Action.CONSULT_CALL, "1", "5070")
    active, held = call("1", S.ACTIVE), call("1", S.HELD)
    assert desk.cause(active, held) == "r1"
    assert desk.cause(held, active) is None
    assert desk.cause(active, held) is None
