"""Call control under trouble: every accepted command ends in exactly one outcome, whatever the switch does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.calls.adapter import CallRequest, ConnectionChanged, Failure, SignIn
from bridge.calls.model import Action, Connection
from bridge.calls.service import QUEUE_LIMIT, READ_SECONDS
from bridge.calls.simulator.script import FAULTLESS, Script
from tests.calls.world import Widget, World, is_outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.calls.adapter import Adapter, Request


def scripted(action: Action, script: Script) -> World:
    """A world in which one kind of action goes wrong."""

    def decide(request: Request) -> Script:
        return script if isinstance(request, CallRequest) and request.action is action else FAULTLESS

    return World(script=decide)


def test_request_that_is_never_answered_times_out_after_a_reread() -> None:
    world = scripted(Action.HOLD, Script(lose=True))
    desk = world.widget()
    call = desk.active_call()
    hold = desk.act("SetHOLD", call)
    world.time.advance(9.9)
    assert desk.outcomes(hold) == []
    done = desk.finish(hold)
    assert done["subtopic"] == "TimedOut"
    assert done["data"] == {"address": "Cisco/InboundCall/SetHOLD", "call": call, "afterMs": 10020}


def test_command_whose_answer_was_lost_is_judged_by_what_the_switch_shows() -> None:
    world = scripted(Action.HOLD, Script(mute=True))
    desk = world.widget()
    call = desk.active_call()
    hold = desk.act("SetHOLD", call)
    world.time.advance(0.1)
    assert desk.outcome(hold)["subtopic"] == "Completed"


def test_command_behind_one_whose_answer_was_lost_need_not_wait() -> None:
    world = scripted(Action.SEND_DTMF, Script(mute=True))
    desk = world.widget()
    call = desk.active_call()
    tones, hold = desk.act("SetSEND_DTMF", call, digits="1"), desk.act("SetHOLD", call)
    world.time.advance(0.1)
    assert desk.outcome(hold)["subtopic"] == "Completed"
    # The switch never confirms tones: without its answer nobody knows whether they were sent.
    assert desk.finish(tones, seconds=12)["subtopic"] == "TimedOut"


def test_commands_behind_a_lost_one_still_get_their_turn() -> None:
    world = scripted(Action.HOLD, Script(lose=True))
    desk = world.widget()
    call = desk.active_call()
    hold, ready = desk.act("SetHOLD", call), desk.send("Cisco/Agent/SetReadyState", {})
    world.time.advance(10.5)
    assert desk.outcome(hold)["subtopic"] == "TimedOut"
    # It waited as long as it may: it was not given to the switch, and says so.
    assert desk.outcome(ready)["data"]["errorType"] == "Not Sent"
    assert desk.finish(desk.send("Cisco/Agent/SetReadyState", {}))["subtopic"] == "Completed"


def test_asynchronous_refusal_fails_the_command() -> None:
    failure = Failure("Generic Error", "INVALID_ACTION HOLD on extension 5069")
    world = scripted(Action.HOLD, Script(refuse_late=failure))
    desk = world.widget()
    call = desk.active_call()
    hold = desk.act("SetHOLD", call)
    done = desk.finish(hold)
    assert (done["subtopic"], done["data"]["errorType"]) == ("Failed", "Generic Error")
    world.time.advance(60)
    assert len(desk.outcomes(hold)) == 1


def test_doubled_notifications_change_nothing_twice() -> None:
    world = scripted(Action.HOLD, Script(duplicate=True))
    desk = world.widget()
    call = desk.active_call()
    hold = desk.act("SetHOLD", call)
    desk.finish(hold)
    assert len([m for m in desk.call_events() if m.get("correlationId") == hold]) == 1


def test_consult_that_dials_for_ever_times_out_and_its_late_events_keep_its_id() -> None:
    world = scripted(Action.CONSULT_CALL, Script(delay=31))
    desk = world.widget()
    call = desk.active_call()
    consult = desk.act("SetCONSULT", call, toAddress="5070")
    done = desk.finish(consult, 30.5)
    assert done["subtopic"] == "TimedOut"
    world.time.advance(5)
    late = [m for m in desk.call_events() if m["offset"] > done["offset"]]
    assert late
    assert {m["correlationId"] for m in late} == {consult}
    assert len(desk.outcomes(consult)) == 1


def test_reread_on_timeout_publishes_what_is_true_before_the_outcome() -> None:
    class Deaf:
        """Tells nothing of the hold but what a re-read shows."""

        def __init__(self, adapter: Any) -> None:
            self._adapter = adapter

        def __getattr__(self, name: str) -> Any:
            return getattr(self._adapter, name)

        def start(self, events: Any) -> None:
            self._events = events
            self._adapter.start(self)

        def changed(self, changes: Any) -> None:
            if not world.deaf:
                self._events.changed(changes)

        def taken(self, request: str) -> None:
            self._events.taken(request)

        def refused(self, request: str, failure: Failure) -> None:
            self._events.refused(request, failure)

        def reread(self, *truth: Any) -> None:
            self._events.reread(*truth)

    class DeafWorld(World):
        deaf = False

    world = DeafWorld(wrap=Deaf)
    desk = world.widget()
    call = desk.active_call()
    world.deaf = True
    hold = desk.act("SetHOLD", call)
    done = desk.finish(hold, 11)
    # The state shows it after all: that is the truth, and a better answer than not knowing.
    assert done["subtopic"] == "Completed"
    assert desk.calls()[call]["event"] == "held"
    (shown,) = [m for m in desk.call_events() if m.get("correlationId") == hold]
    assert shown["offset"] < done["offset"]


def test_adapter_that_raises_fails_the_command_and_nothing_else() -> None:
    class Broken:
        def __init__(self, adapter: Any) -> None:
            self._adapter = adapter

        def __getattr__(self, name: str) -> Any:
            return getattr(self._adapter, name)

        def submit(self, request: Request) -> None:
            if isinstance(request, CallRequest) and request.action is Action.HOLD:
                raise RuntimeError("the adapter has a fault")
            self._adapter.submit(request)

    world = World(wrap=Broken)
    desk = world.widget()
    call = desk.active_call()
    hold = desk.act("SetHOLD", call)
    assert desk.outcome(hold)["data"]["errorType"] == "Internal Server Error"
    assert desk.finish(desk.act("SetDROP", call))["subtopic"] == "Completed"


def test_adapter_that_cannot_reread_does_not_keep_the_outcome() -> None:
    class Mute:
        def __init__(self, adapter: Any) -> None:
            self._adapter = adapter

        def __getattr__(self, name: str) -> Any:
            return getattr(self._adapter, name)

        def read(self, workspace: str) -> None:
            raise RuntimeError(workspace)

    world = World(wrap=Mute, script=lambda request: Script(lose=isinstance(request, CallRequest)))
    desk = world.widget()
    call = desk.offer()
    answer = desk.act("SetANSWER", call)
    assert desk.finish(answer, 10 + READ_SECONDS)["subtopic"] == "TimedOut"


def test_publisher_that_leaves_does_not_cancel_its_command() -> None:
    world = World()
    desk, leaver = world.widget(), world.widget()
    call = desk.offer()
    answer = leaver.act("SetANSWER", call)
    leaver.leave()
    assert desk.finish(answer)["subtopic"] == "Completed"
    assert leaver.outcomes(answer) == []


def test_queue_of_one_agent_is_bounded() -> None:
    world = World(script=lambda _: Script(lose=True))
    desk = world.widget()
    desk.session.bucket._rate = 0
    for _ in range(QUEUE_LIMIT):
        desk.send("Cisco/Agent/GetAgentState", {})
    refused = desk.reply(desk.send("Cisco/Agent/GetAgentState", {}))
    assert refused["data"]["code"] == "unavailable"
    assert refused["data"]["temporary"] is True
    world.time.advance(15)
    assert world.calls.outstanding == 0
    assert len([m for m in desk.messages if is_outcome(m)]) == QUEUE_LIMIT


def test_end_all_ends_what_is_under_way_as_timed_out() -> None:
    world = scripted(Action.HOLD, Script(lose=True))
    desk = world.widget()
    call = desk.active_call()
    hold, drop = desk.act("SetHOLD", call), desk.act("SetDROP", call)
    idle: list[str] = []
    world.calls.when_idle(lambda: idle.append("idle"))
    assert idle == []
    world.calls.end_all()
    assert desk.outcome(hold)["subtopic"] == "TimedOut"
    assert desk.outcome(drop)["subtopic"] in {"TimedOut", "Failed"}
    assert idle == ["idle"]
    world.calls.when_idle(lambda: idle.append("at once"))
    assert idle[-1] == "at once"


@pytest.mark.parametrize(
    ("send", "code", "more"),
    [
        (lambda d: d.send("Cisco/InboundCall/SetHOLD", {"MediaAddress": "5070", "CallID": "1"}), "wrong_extension", {}),
        (
            lambda d: d.send("Cisco/InboundCall/SetHOLD", {"MediaAddress": "5069", "CallID": "1"}),
            "unknown_call",
            {"calls": []},
        ),
    ],
)
def test_refusals_that_name_what_is_wrong(send: Callable[[Widget], str], code: str, more: dict[str, Any]) -> None:
    desk = World().widget()
    body = desk.reply(send(desk))["data"]
    assert body["code"] == code
    assert body.items() >= more.items()
    assert body["address"] == "Cisco/InboundCall/SetHOLD"


def test_workspace_without_an_agent_is_not_signed_in_until_somebody_signs_in() -> None:
    world = World()
    desk = world.widget("alice")
    (status,) = desk.subscribe("Cisco/Connection")["data"]["snapshot"]
    assert status["data"]["status"] == "signed_out"
    assert desk.reply(desk.send("Cisco/Agent/SetReadyState", {}))["data"]["code"] == "not_signed_in"
    sign_in = desk.send("Cisco/Agent/SetUserInfo", {"username": "alice", "password": "s3cret", "extension": "6001"})
    assert desk.finish(sign_in)["subtopic"] == "Completed"
    assert world.calls.extension("alice") == "6001"
    assert desk.finish(desk.send("Cisco/Agent/SetReadyState", {}))["subtopic"] == "Completed"
    assert all("s3cret" not in str(m) for m in desk.messages)
    assert all(m["subtopic"] != "SetUserInfo" for m in desk.messages)
    assert desk.finish(desk.send("Cisco/Connection/Logout", {}))["subtopic"] == "Completed"
    assert desk.messages[-2]["data"]["status"] == "signed_out"


def test_sign_in_of_an_agent_who_sits_elsewhere_is_refused() -> None:
    world = World()
    world.widget("5070")
    desk = world.widget("alice")
    sign_in = desk.send("Cisco/Agent/SetUserInfo", {"username": "alice", "password": "x", "extension": "5070"})
    assert desk.reply(sign_in)["data"]["code"] == "illegal_state"


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("Cisco/InboundCall/SetMakeCall", {"toAddress": "5071"}),
        ("Cisco/InboundCall/SetHOLD", {"MediaAddress": "5069", "CallID": "1"}),
        ("Cisco/Agent/SetReadyState", {}),
        ("Cisco/Connection/Logout", {}),
        ("Cisco/Agent/SetUserInfo", {"username": "demo", "password": "x", "extension": "5069"}),
    ],
)
def test_a_token_for_another_extension_moves_nothing(address: str, data: dict[str, str]) -> None:
    world = World()
    world.widget().active_call()
    stranger = world.widget(extension="5070")

    assert stranger.reply(stranger.send(address, data))["data"]["code"] == "wrong_extension"


def test_a_token_for_the_own_extension_moves_calls() -> None:
    desk = World().widget(extension="5069")

    assert desk.finish(desk.act("SetHOLD", desk.active_call()))["subtopic"] == "Completed"


def test_secrets_never_show_in_a_request() -> None:
    seen: list[Request] = []

    def watch(request: Request) -> Script:
        seen.append(request)
        return FAULTLESS

    world = World(script=watch)
    desk = world.widget("alice")
    desk.send("Cisco/Agent/SetUserInfo", {"username": "alice", "password": "s3cret", "extension": "6001"})
    world.time.advance(1)
    (request,) = [r for r in seen if isinstance(r, SignIn)]
    assert "s3cret" not in repr(request)
    assert request.password is not None
    assert request.password.get_secret_value() == "s3cret"


def test_agent_state_is_published_anew_when_asked_for() -> None:
    desk = World().widget()
    asked = desk.send("Cisco/Agent/GetAgentState", {})
    desk.finish(asked)
    (state,) = [m for m in desk.messages if m["subtopic"] == "SetAgentState"]
    assert state["correlationId"] == asked
    assert (state["data"]["extension"], state["data"]["state"]) == ("5069", "NOT_READY")


def test_touch_tones_complete_when_taken() -> None:
    desk = World().widget()
    call = desk.active_call()
    done = desk.finish(desk.act("SetSEND_DTMF", call, digits="12#"))
    assert done["subtopic"] == "Completed"


def test_call_data_completes_when_the_call_shows_it() -> None:
    desk = World().widget()
    call = desk.active_call()
    data = {"CallID": call, "callVariables": {"callVariable1": "gold"}}
    assert desk.finish(desk.send("Cisco/InboundCall/SetUPDATE_CALL_DATA", data))["subtopic"] == "Completed"
    shown = desk.calls()[call]["ResponseActual"]["dialog"]["mediaProperties"]["callvariables"]
    assert shown == {"callVariable1": "gold"}


def test_simulator_beside_another_adapter_is_unavailable() -> None:
    class Real:
        name = "finesse"
        offers_simulator = False

        def __init__(self, adapter: Adapter) -> None:
            self._adapter = adapter

        def __getattr__(self, name: str) -> Any:
            return getattr(self._adapter, name)

    desk = World(wrap=Real).widget()
    body = desk.reply(desk.send("Simulator/Call/Offer", {"fromAddress": "+15550100"}))["data"]
    assert (body["code"], body["temporary"]) == ("unavailable", True)


def test_single_step_transfer_completes_when_the_leg_has_ended() -> None:
    desk = World().widget()
    call = desk.active_call()
    done = desk.finish(desk.act("SetTRANSFER_SST", call, toAddress="5070"))
    assert done["subtopic"] == "Completed"
    assert desk.calls() == {}


class Watched:
    """The simulated switch, which notes what it is given and never answers a sign-in."""

    def __init__(self, adapter: Any) -> None:
        self._adapter = adapter
        self.given: list[Request] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adapter, name)

    def submit(self, request: Request) -> None:
        self.given.append(request)
        if not isinstance(request, SignIn):
            self._adapter.submit(request)


def watched_world(**more: Any) -> tuple[World, Watched]:
    seen: list[Watched] = []

    def wrap(adapter: Adapter) -> Any:
        seen.append(Watched(adapter))
        return seen[0]

    return World(wrap=wrap, **more), seen[0]


def test_new_credentials_are_not_good_because_the_agent_is_signed_in() -> None:
    world, adapter = watched_world()
    desk = world.widget()
    renewal = desk.send("Cisco/Agent/SetUserInfo", {"username": "demo", "password": "x", "extension": "5069"})
    world.switch.read("demo")
    world.time.advance(1)
    assert desk.outcomes(renewal) == []
    world.calls.refused(adapter.given[-1].id, Failure("Authorization Failure", "UNAUTHORIZED"))
    assert desk.outcome(renewal)["subtopic"] == "Failed"


def test_new_credentials_of_which_nothing_was_heard_are_not_good_when_their_time_is_over() -> None:
    world, _ = watched_world()
    desk = world.widget()
    renewal = desk.send("Cisco/Agent/SetUserInfo", {"username": "demo", "password": "x", "extension": "5069"})
    assert desk.finish(renewal, 10 + READ_SECONDS)["subtopic"] == "TimedOut"


def test_what_waits_its_turn_is_not_given_to_the_switch_when_all_ends() -> None:
    world, adapter = watched_world(script=lambda request: Script(lose=getattr(request, "action", "") is Action.HOLD))
    desk = world.widget()
    call = desk.active_call()
    hold, drop = desk.act("SetHOLD", call), desk.act("SetDROP", call)
    world.calls.end_all()
    assert [desk.outcome(command)["subtopic"] for command in (hold, drop)] == ["TimedOut"] * 2
    assert [request.action for request in adapter.given if isinstance(request, CallRequest)][-1] is Action.HOLD


@pytest.mark.parametrize("subtopic", ["SetDROP", "SetHOLD"])
def test_end_of_the_session_is_no_result_of_a_command(subtopic: str) -> None:
    world = World(script=lambda request: Script(lose=getattr(request, "action", "") in {Action.DROP, Action.HOLD}))
    desk = world.widget()
    call = desk.active_call()
    command = desk.act(subtopic, call)
    (pending,) = world.calls._pending.values()
    world.calls.taken(pending.request.id)
    world.calls.changed([ConnectionChanged("demo", Connection.SIGNED_OUT)])
    assert desk.outcomes(command) == []
    assert desk.finish(command, 10 + READ_SECONDS)["subtopic"] == "TimedOut"


def test_workspace_is_not_kept_for_calls_that_nobody_follows() -> None:
    world = World()
    desk = world.widget()
    desk.active_call()
    assert world.calls.busy("demo")
    world.calls.changed([ConnectionChanged("demo", Connection.SIGNED_OUT)])
    assert not world.calls.busy("demo")
