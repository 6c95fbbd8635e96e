"""Who waits longest makes room, and only who waits."""

from __future__ import annotations

import pytest

from bridge.server.pending import Pending
from tests.server.bus import Recorder


class Client:
    """A connection that notes whether it was cut."""

    def __init__(self) -> None:
        self.was_cut = False

    def cut(self) -> None:
        self.was_cut = True


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def pending(recorder: Recorder) -> Pending:
    return Pending(3, recorder)


def joined(pending: Pending, count: int) -> list[Client]:
    clients = [Client() for _ in range(count)]
    for number, client in enumerate(clients):
        pending.join(client, f"192.0.2.{number}")
    return clients


def test_as_many_as_may_wait_are_left_alone(pending: Pending, recorder: Recorder) -> None:
    clients = joined(pending, 3)
    assert (len(pending), [client.was_cut for client in clients]) == (3, [False] * 3)
    assert recorder.limits == []


def test_one_more_cuts_the_one_that_has_waited_longest_and_tells_its_address(
    pending: Pending, recorder: Recorder
) -> None:
    clients = joined(pending, 5)
    assert [client.was_cut for client in clients] == [True, True, False, False, False]
    assert recorder.limits == [("pending_connections", {"address": f"192.0.2.{number}"}) for number in range(2)]
    assert len(pending) == 3


def test_who_has_left_is_not_cut(pending: Pending) -> None:
    first, second, _ = joined(pending, 3)
    pending.leave(first)
    joined(pending, 2)
    assert (first.was_cut, second.was_cut) == (False, True)


def test_who_joins_again_has_waited_since_the_first_time(pending: Pending) -> None:
    first, *_ = joined(pending, 3)
    pending.join(first, None)
    joined(pending, 1)
    assert first.was_cut


def test_who_left_and_joins_is_the_last(pending: Pending) -> None:
    first, second, _ = joined(pending, 3)
    pending.leave(first)
    pending.leave(first)
    pending.join(first, None)
    joined(pending, 1)
    assert (first.was_cut, second.was_cut) == (False, True)
