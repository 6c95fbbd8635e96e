from __future__ import annotations

import pytest

from bridge.broker.broker import RefusedError
from bridge.broker.directory import SWEPT_AT_ONCE
from bridge.protocol.errors import CloseCode
from tests.broker.bus import CALL_EVENT, HOLD, ON_CALL, Bus


def test_workspace_is_made_and_attached_when_the_first_session_comes() -> None:
    bus = Bus()

    bus.join("demo")
    bus.join("demo")
    bus.join("other")

    assert bus.gate.attached == ["demo", "other"]
    assert [room.name for room in bus.broker.workspaces] == ["demo", "other"]


def test_call_control_may_tell_the_state_while_it_is_attached() -> None:
    bus = Bus()
    offsets: list[int] = []
    bus.gate.attach = lambda workspace: offsets.append(bus.call("1", workspace=workspace))  # type: ignore[method-assign]

    assert [message["offset"] for message in bus.join().subscribe("Cisco")["snapshot"]] == offsets == [1]


def test_workspace_that_is_idle_too_long_is_forgotten() -> None:
    bus = Bus(workspace_idle_seconds=60)
    widget = bus.join()
    bus.wait(1000)
    widget.leave()

    bus.wait(59)
    assert len(bus.broker.workspaces) == 1
    bus.wait(1)

    assert len(bus.broker.workspaces) == 0
    assert bus.gate.detached == ["demo"]
    assert bus.broker.emit("demo", CALL_EVENT, {}) is None


def test_workspace_that_comes_again_has_a_new_epoch() -> None:
    bus = Bus(workspace_idle_seconds=60)
    widget = bus.join()
    before = widget.subscribe("Cisco")["epoch"]
    widget.leave()
    bus.wait(60)

    again = bus.join().subscribe("Cisco", recover={"epoch": before, "offset": 0})

    assert again["epoch"] != before
    assert (again["offset"], again["recovered"], again["messages"]) == (0, False, [])


def test_workspace_with_a_session_is_never_forgotten() -> None:
    bus = Bus(workspace_idle_seconds=60)
    widget = bus.join()
    bus.join().leave()

    bus.wait(10_000)

    widget.subscribe("Cisco")
    assert len(bus.broker.workspaces) == 1


def test_workspace_with_a_call_is_kept_until_a_while_after_it_is_over() -> None:
    bus = Bus(workspace_idle_seconds=60)
    bus.join().leave()
    bus.gate.in_use.add("demo")

    bus.wait(60)
    bus.gate.in_use.clear()
    bus.wait(59)
    assert len(bus.broker.workspaces) == 1
    bus.wait(1)

    assert len(bus.broker.workspaces) == 0


def test_workspace_that_owes_an_outcome_is_kept() -> None:
    bus = Bus(workspace_idle_seconds=60)
    widget = bus.join()
    widget.say(HOLD, ON_CALL, id="c1")
    widget.leave()

    bus.wait(60)
    assert len(bus.broker.workspaces) == 1
    bus.complete("c1")
    bus.wait(60)

    assert len(bus.broker.workspaces) == 0


def test_workspace_idle_longest_makes_room() -> None:
    bus = Bus(max_workspaces=2)
    for workspace in ("first", "second"):
        bus.join(workspace).leave()
        bus.wait(1)
    bus.join("first").leave()

    bus.join("third")

    assert [room.name for room in bus.broker.workspaces] == ["first", "third"]


def test_workspaces_that_are_all_in_use_leave_no_room() -> None:
    bus = Bus(max_workspaces=2)
    bus.join("occupied")
    bus.join("on a call").leave()
    bus.gate.in_use.add("on a call")

    with pytest.raises(RefusedError, match="MAX_WORKSPACES") as refused:
        bus.join("third")

    assert refused.value.code is CloseCode.TOO_MANY
    assert len(bus.broker.workspaces) == 2


def test_sweep_lets_the_histories_of_all_workspaces_expire_in_their_turn() -> None:
    bus = Bus(history_seconds=10, idempotency_seconds=10)
    workspaces = [f"w{number}" for number in range(3 * SWEPT_AT_ONCE + 5)]
    for workspace in workspaces:
        bus.join(workspace).say("Gadget/a/b", id="x")
    bus.clock.now += 11

    for _ in range(6):
        bus.broker.tick()

    assert sum(len(room.history) + len(room.ids) for room in bus.broker.workspaces) == 0


def test_sweep_looks_at_so_many_workspaces_at_once() -> None:
    bus = Bus(workspace_idle_seconds=1)
    for number in range(SWEPT_AT_ONCE + 5):
        bus.join(f"w{number}").leave()

    bus.wait(1)
    assert len(bus.broker.workspaces) == 5
    bus.wait(1)

    assert len(bus.broker.workspaces) == 0


def test_call_control_is_told_when_the_last_session_leaves_and_the_first_one_comes() -> None:
    bus = Bus()
    first, second = bus.join(), bus.join()
    first.leave()
    assert bus.gate.presence == [("demo", True)]
    second.leave()
    bus.join()
    assert bus.gate.presence == [("demo", True), ("demo", False), ("demo", True)]
