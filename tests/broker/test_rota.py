from __future__ import annotations

import pytest

from bridge.broker.rota import Rota


@pytest.mark.parametrize("slots", [1, 2, 25])
def test_member_is_due_once_per_interval_and_first_after_a_whole_one(slots: int) -> None:
    rota: Rota[str] = Rota(slots)
    rota.join("a")

    due = [tuple(rota.tick()) for _ in range(3 * slots)]

    assert [number for number, members in enumerate(due, start=1) if members] == [slots, 2 * slots, 3 * slots]


def test_members_are_due_in_the_seconds_in_which_they_joined() -> None:
    rota: Rota[str] = Rota(3)
    rota.join("a")
    rota.tick()
    rota.join("b")
    rota.join("c")

    assert [tuple(rota.tick()) for _ in range(4)] == [(), ("a",), ("b", "c"), ()]


def test_member_that_left_is_never_due() -> None:
    rota: Rota[str] = Rota(1)
    rota.join("a")
    rota.join("b")

    rota.leave("a")
    rota.leave("nobody")

    assert tuple(rota.tick()) == ("b",)
    assert len(rota) == 1


def test_interval_of_nothing_is_taken_as_one() -> None:
    rota: Rota[str] = Rota(0)
    rota.join("a")

    assert tuple(rota.tick()) == ("a",)
