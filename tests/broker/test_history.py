from __future__ import annotations

import pytest

from bridge.broker.history import History
from bridge.broker.limits import Limits
from bridge.protocol.address import Address, Pattern
from bridge.protocol.message import Published

EVERYTHING = [Pattern.parse("*")]


def stored(offset: int, at: float = 0.0, size: int = 10, address: str = "a/b/c") -> Published:
    published = Published(Address.parse(address), "me", None, "i", "t", offset, at)
    published.payload = b"x" * size
    return published


def filled(count: int, limits: Limits | None = None, *, size: int = 10) -> History:
    history = History(limits or Limits())
    for offset in range(1, count + 1):
        history.append(stored(offset, at=offset, size=size))
    return history


def offsets(found: list[Published] | None) -> list[int] | None:
    return None if found is None else [message.offset for message in found]


@pytest.mark.parametrize("since", range(6))
def test_since_gives_everything_after_an_offset(since: int) -> None:
    assert offsets(filled(5).since(since, EVERYTHING, now=5)) == list(range(since + 1, 6))


def test_since_of_an_empty_history_is_complete() -> None:
    assert History(Limits()).since(0, EVERYTHING, now=0) == []


def test_since_gives_what_matches_any_of_the_patterns() -> None:
    history = History(Limits())
    for offset, address in enumerate(["a/b/c", "x/y/z", "a/q/c", "x/b/z"], start=1):
        history.append(stored(offset, address=address))

    assert offsets(history.since(0, [Pattern.parse("a/b"), Pattern.parse("*/*/z")], now=0)) == [1, 2, 4]
    assert offsets(history.since(2, [Pattern.parse("a")], now=0)) == [3]


def test_append_keeps_so_many() -> None:
    history = filled(7, Limits(history_messages=3))

    assert len(history) == 3
    assert offsets(history.since(4, EVERYTHING, now=7)) == [5, 6, 7]
    assert history.since(3, EVERYTHING, now=7) is None


def test_append_keeps_so_many_bytes() -> None:
    history = filled(7, Limits(history_bytes=35))

    assert history.bytes == 30
    assert offsets(history.since(4, EVERYTHING, now=7)) == [5, 6, 7]
    assert history.since(3, EVERYTHING, now=7) is None


def test_append_of_a_message_larger_than_all_that_may_be_kept() -> None:
    history = filled(1, Limits(history_bytes=9))

    assert (len(history), history.bytes) == (0, 0)
    assert history.since(0, EVERYTHING, now=1) is None
    assert history.since(1, EVERYTHING, now=1) == []


def test_expire_lets_go_of_what_is_too_old() -> None:
    history = filled(5, Limits(history_seconds=10))

    history.expire(now=13)

    assert offsets(history.since(2, EVERYTHING, now=13)) == [3, 4, 5]
    assert history.since(1, EVERYTHING, now=13) is None


def test_since_looks_at_the_clock_itself() -> None:
    assert filled(5, Limits(history_seconds=10)).since(1, EVERYTHING, now=13) is None


def test_since_the_last_message_is_complete_though_nothing_is_kept() -> None:
    history = filled(5, Limits(history_seconds=10))

    assert history.since(5, EVERYTHING, now=1000) == []
    assert (len(history), history.bytes) == (0, 0)


@pytest.mark.parametrize(("count", "complete"), [(3, True), (4, False)])
def test_since_gives_so_many_in_one_answer_or_none(count: int, *, complete: bool) -> None:
    history = filled(count, Limits(recovery_messages=3))

    assert offsets(history.since(0, EVERYTHING, now=0)) == (list(range(1, count + 1)) if complete else None)


@pytest.mark.parametrize(("size", "complete"), [(10, True), (11, False)])
def test_since_gives_so_many_bytes_in_one_answer_or_none(size: int, *, complete: bool) -> None:
    found = filled(3, Limits(recovery_bytes=30), size=size).since(0, EVERYTHING, now=0)

    assert (found is not None) is complete


def test_since_counts_only_what_matches() -> None:
    history = filled(5, Limits(recovery_messages=1))
    history.append(stored(6, at=6, address="x/y/z"))

    assert offsets(history.since(0, [Pattern.parse("x")], now=6)) == [6]
