from __future__ import annotations

from typing import Any

import pytest

from bridge.broker.idempotency import Idempotency, Remembered, fingerprint
from bridge.broker.limits import Limits
from bridge.protocol.address import Address
from bridge.protocol.message import Encoded
from tests.broker.bus import Bus

ADDRESS = Address("Gadget", "a", "b")

ADDRESS = Address("a", "b", "c")


class Ids:
    """Ids under test, each remembered for 300 s from when it was added."""

    def __init__(self, **limits: Any) -> None:
        self.kept = Idempotency(Limits(**limits))

    def add(self, message_id: str, now: float = 0.0, *, command: bool = False, sender: Any = None) -> None:
        self.kept.add(message_id, Remembered(ADDRESS, 1, b"", sender, now + 300), now, command=command)

    def known(self, message_id: str, now: float = 0.0) -> bool:
        return self.kept.find(message_id, now) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1, "b": [1]}, {"b": [1], "a": 1}), (None, None), ("ä", "\u00e4"), ({"a": 2**70}, {"a": 2**70})],
)
def test_fingerprint_of_equal_content(one: Any, other: Any) -> None:
    assert fingerprint(ADDRESS, one) == fingerprint(ADDRESS, other)


@pytest.mark.parametrize(
    ("one", "other"), [(1, True), (None, {}), ([1, 2], [2, 1]), ("1", 1), ({"a": 1}, {"A": 1}), (0, None)]
)
def test_fingerprint_of_other_content(one: Any, other: Any) -> None:
    assert fingerprint(ADDRESS, one) != fingerprint(ADDRESS, other)


def test_fingerprint_of_another_address() -> None:
    assert fingerprint(ADDRESS, 1) != fingerprint(Address("a", "b", "d"), 1)
    assert len(fingerprint(ADDRESS, "x" * 60_000)) == 16


def test_id_is_remembered_for_its_time() -> None:
    ids = Ids()
    ids.add("m")

    assert ids.known("m", now=299.9)
    assert not ids.known("m", now=300)
    assert len(ids.kept) == 0


def test_ids_are_forgotten_oldest_first() -> None:
    ids = Ids(idempotency_messages=2)
    for message_id in "abc":
        ids.add(message_id)

    assert [ids.known(message_id) for message_id in "abc"] == [False, True, True]


def test_command_is_never_forgotten_before_its_outcome() -> None:
    ids = Ids(idempotency_messages=2)
    for message_id in "abc":
        ids.add(message_id, command=True)
    ids.add("message")

    assert [ids.known(message_id, now=10_000) for message_id in "abc"] == [True, True, True]
    assert (ids.kept.pending, len(ids.kept)) == (3, 3)


def test_command_is_remembered_for_its_time_after_the_outcome() -> None:
    ids = Ids(idempotency_seconds=300)
    ids.add("c", command=True)

    ids.kept.settle("c", Encoded(b"{}"), now=1000)

    assert ids.known("c", now=1299)
    assert not ids.known("c", now=1300)


def test_settled_commands_count_among_those_that_may_be_forgotten() -> None:
    ids = Ids(idempotency_messages=1)
    ids.add("a", command=True)
    ids.add("b", command=True)

    ids.kept.settle("a", Encoded(b"{}"), now=1)
    ids.kept.settle("b", Encoded(b"{}"), now=1)

    assert [ids.known(message_id, now=1) for message_id in "ab"] == [False, True]


def test_settle_gives_the_sender_once_and_keeps_the_outcome() -> None:
    ids, session = Ids(), Bus().join().session
    ids.add("c", command=True, sender=session)
    outcome = Encoded(b"{}")
    assert ids.kept.owes("c")

    assert ids.kept.settle("c", outcome, now=1) is session

    assert not ids.kept.owes("c")
    found = ids.kept.find("c", now=1)
    assert found is not None
    assert (found.outcome, found.sender) == (outcome, None)


def test_leave_forgets_the_sender_of_its_own_commands_only() -> None:
    ids, bus = Ids(), Bus()
    one, other = bus.join().session, bus.join().session
    ids.add("mine", command=True, sender=one)
    ids.add("theirs", command=True, sender=other)

    ids.kept.leave(one)

    assert ids.kept.settle("mine", Encoded(b"{}"), now=1) is None
    assert ids.kept.settle("theirs", Encoded(b"{}"), now=1) is other


def test_message_without_outcome_is_not_owed_one() -> None:
    ids = Ids()
    ids.add("m")

    assert not ids.kept.owes("m")
    assert not ids.kept.owes("unknown")
