"""The parts that wait: presences, queues, and the carrier of notices."""

from __future__ import annotations

import re
from functools import partial

import pytest

from bridge.calls.finesse.xml import element
from bridge.finesse_simulator.carrier import Carrier
from bridge.finesse_simulator.faults import Effect, Faults, RequestIds, Rule
from bridge.finesse_simulator.lanes import Lanes, Later
from bridge.finesse_simulator.notices import Notice
from bridge.finesse_simulator.presences import Presences
from tests.finesse_simulator.timers import Time

A, B = "1001001", "1001002"


class Watch:
    """Presences with a time-out of 60 seconds."""

    def __init__(self) -> None:
        self.time = Time()
        self.out: list[str] = []
        self.presences = Presences(call_later=self.time.call_later, seconds=60.0, force_out=self.out.append)


def test_agent_is_out_a_minute_after_the_last_session_went() -> None:
    watch = Watch()
    for node in (0, 1):
        watch.presences.changed(node, A, "r", True)
    watch.presences.changed(0, A, "r", False)
    watch.time.pass_by(100)
    assert watch.out == []

    watch.presences.changed(1, A, "r", False)
    watch.time.pass_by(59.9)
    assert watch.out == []
    watch.time.pass_by(0.2)
    assert watch.out == [A]


def test_agent_who_comes_back_in_time_stays_and_has_a_whole_minute_again() -> None:
    watch = Watch()
    watch.presences.changed(0, A, "r", True)
    watch.presences.changed(0, A, "r", False)
    watch.time.pass_by(59)
    watch.presences.changed(1, A, "s", True)
    watch.time.pass_by(59)
    watch.presences.changed(1, A, "s", False)
    watch.time.pass_by(59)
    assert watch.out == []

    watch.time.pass_by(1)
    assert watch.out == [A]


def test_nobody_is_put_out_after_the_end() -> None:
    watch = Watch()
    watch.presences.changed(0, A, "r", True)
    watch.presences.changed(0, A, "r", False)
    watch.presences.stop()
    watch.time.pass_by(100)

    assert watch.out == []


# Queues


def test_request_begins_when_the_one_before_for_the_same_object_is_done() -> None:
    time = Time()
    lanes = Lanes(Later(time.call_later))
    done: list[tuple[float, str]] = []

    def do(name: str) -> None:
        done.append((time.now, name))

    for lane, name, seconds in (("a", "first", 1.0), ("a", "second", 1.0), ("b", "other", 1.5)):
        lanes.add(lane, seconds, partial(do, name))
    time.pass_by(10)

    assert done == [(1.0, "first"), (1.5, "other"), (2.0, "second")]


def test_request_that_fails_holds_nobody_up() -> None:
    time = Time()
    lanes = Lanes(Later(time.call_later))
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError

    lanes.add("a", 1.0, fail)
    lanes.add("a", 1.0, lambda: done.append("second"))
    with pytest.raises(RuntimeError):
        time.pass_by(10)
    time.pass_by(10)

    assert done == ["second"]


# The carrier


class Round:
    """A carrier, and what it has delivered."""

    def __init__(self, **faults: object) -> None:
        self.time = Time()
        self.faults = Faults()
        for name, value in faults.items():
            setattr(self.faults, name, value)
        self.delivered: list[str] = []
        self.carrier = Carrier(faults=self.faults, later=Later(self.time.call_later), deliver=self._deliver)

    def _deliver(self, _user: str, _node: str, payload: str) -> None:
        found = re.search(r"<source>(.*?)</source>", payload)
        assert found is not None
        self.delivered.append(found[1])

    def carry(self, *subjects: str, user: str = A) -> None:
        """Carry a notice about each; a subject's first letter is its dialog."""
        notices = [
            Notice(user, "node", "PUT", subject, element("dialog"), subject[0], at_once=True) for subject in subjects
        ]
        self.carrier.carry(notices)


def test_notices_go_at_once_and_in_order() -> None:
    rounds = Round()
    rounds.carry("o1", "k1", "o2")

    assert rounds.delivered == ["o1", "k1", "o2"]


def test_every_notice_goes_twice() -> None:
    rounds = Round(duplicates=True)
    rounds.carry("o1", "k1")

    assert rounds.delivered == ["o1", "o1", "k1", "k1"]


def test_notices_go_later_in_order() -> None:
    rounds = Round(delay_seconds=1.0)
    rounds.carry("o1")
    rounds.time.pass_by(0.5)
    rounds.carry("o2")
    rounds.time.pass_by(0.6)
    assert rounds.delivered == ["o1"]

    rounds.time.pass_by(1.0)
    assert rounds.delivered == ["o1", "o2"]


def test_dialogs_change_places_but_each_stays_in_order() -> None:
    rounds = Round(reorder_seconds=1.0)
    rounds.carry("o1", "k1")
    rounds.time.pass_by(0.5)
    rounds.carry("k2", "o2", "k3")
    assert rounds.delivered == []

    rounds.time.pass_by(1.0)
    assert rounds.delivered == ["k1", "k2", "k3", "o1", "o2"]
    rounds.carry("o3")
    rounds.time.pass_by(1.0)
    assert rounds.delivered[-1] == "o3"


@pytest.mark.parametrize(
    ("wanted", "at_once", "told"),
    [
        (RequestIds.ALL, True, True),
        (RequestIds.ALL, False, True),
        (RequestIds.FIRST, True, True),
        (RequestIds.FIRST, False, False),
        (RequestIds.LOST, True, False),
    ],
)
def test_request_id_comes_back_as_far_as_wanted(wanted: RequestIds, at_once: bool, told: bool) -> None:  # noqa: FBT001
    payloads: list[str] = []
    carrier = Carrier(
        faults=Faults(request_ids=wanted),
        later=Later(Time().call_later),
        deliver=lambda _user, _node, payload: payloads.append(payload),
    )
    carrier.carry([Notice(A, "node", "PUT", "source", element("dialog"), "1", "mine", at_once=at_once)])

    assert ("<requestId>mine</requestId>" in payloads[0]) is told


def test_payload_is_escaped_twice_where_wanted() -> None:
    payloads: list[str] = []
    carrier = Carrier(
        faults=Faults(escapes=2),
        later=Later(Time().call_later),
        deliver=lambda _user, _node, payload: payloads.append(payload),
    )
    carrier.carry([Notice(A, "node", "PUT", "a<b", element("dialog"), "1")])

    assert payloads[0].startswith("&lt;Update&gt;")
    assert "&lt;source&gt;a&amp;lt;b&lt;/source&gt;" in payloads[0]


# Rules


def test_rule_is_used_up_and_fits_whom_and_what_it_names() -> None:
    faults = Faults(rules=[Rule(Effect.IGNORE, "HOLD", A, 2), Rule(Effect.DELAY, times=None)])

    def effects(action: str, user: str) -> list[Effect]:
        return [rule.effect for rule in faults.take(action, user)]

    assert effects("HOLD", B) == [Effect.DELAY]
    assert effects("DROP", A) == [Effect.DELAY]
    assert effects("HOLD", A) == [Effect.IGNORE, Effect.DELAY]
    assert effects("HOLD", A) == [Effect.IGNORE, Effect.DELAY]
    assert effects("HOLD", A) == [Effect.DELAY]


def test_one_rule_of_an_effect_is_used_at_a_time() -> None:
    faults = Faults(rules=[Rule(Effect.REFUSE, status=500), Rule(Effect.REFUSE, status=503)])

    assert [[rule.status for rule in faults.take("HOLD", A)] for _ in range(3)] == [[500], [503], []]
