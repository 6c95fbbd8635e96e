"""The soak in a form of seconds; and that its checks do see what they are there for."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.soak import Soak, check_log, check_memory, soak
from benchmarks.soak_figures import Figures
from benchmarks.soak_ledger import BrokenPromiseError, Ledger
from benchmarks.soak_session import SoakSession

SHORT = Soak(seconds=3, rounds=2, desks=6, sessions=3, seed=1)


async def test_soak_of_seconds_every_promise_is_kept() -> None:
    rounds = await soak(SHORT)

    assert len(rounds) == SHORT.rounds
    for figures in rounds:
        assert figures.delivered > 100
        assert figures.reconnects > SHORT.desks * SHORT.sessions
        assert figures.ended


def ledger() -> Ledger:
    noted: list[dict[str, Any]] = []
    return Ledger("2000", on_message=noted.append)


def said(offset: int, text: str = "hello") -> dict[str, object]:
    return {"channel": "Notes", "topic": "Text", "subtopic": "Said", "data": text, "offset": offset}


def completed(offset: int, command: str) -> dict[str, object]:
    return {
        "channel": "Bridge",
        "topic": "Command",
        "subtopic": "Completed",
        "correlationId": command,
        "offset": offset,
    }


def test_ledger_two_messages_at_one_offset_are_seen() -> None:
    book = ledger()
    book.saw(said(1))
    book.saw(said(1))

    with pytest.raises(BrokenPromiseError, match="two messages have offset 1"):
        book.saw(said(1, "something else"))


def test_ledger_second_outcome_is_seen() -> None:
    book = ledger()
    book.saw(completed(1, "c1"))

    with pytest.raises(BrokenPromiseError, match="second outcome"):
        book.saw(completed(2, "c1"))


def test_ledger_missing_outcome_is_seen() -> None:
    book = ledger()
    book.accepted.add("c1")

    with pytest.raises(BrokenPromiseError, match="no outcome for"):
        book.close()


def test_ledger_outcome_of_nothing_is_seen() -> None:
    book = ledger()
    book.saw(completed(1, "c1"))

    with pytest.raises(BrokenPromiseError, match="never accepted"):
        book.close()


def test_ledger_new_epoch_is_seen() -> None:
    book = ledger()
    book.enter("aaaaaaaa")

    with pytest.raises(BrokenPromiseError, match="the epoch changed"):
        book.enter("bbbbbbbb")


@pytest.mark.parametrize("offset", [7, 5, 4])
def test_session_gap_or_repeat_is_seen(offset: int) -> None:
    session = SoakSession(0, "widget", ledger(), Figures())
    session.last = 4

    if offset == session.last + 1:
        session.take(said(offset))
        assert session.last == offset
    else:
        with pytest.raises(BrokenPromiseError, match=f"{offset} came after 4"):
            session.take(said(offset))


def test_log_with_a_fault_is_seen() -> None:
    check_log('{"event":"session_opened"}')

    with pytest.raises(BrokenPromiseError, match="fault"):
        check_log('{"event":"fault","where":"tick"}\nTraceback (most recent call last):')


def test_memory_that_grows_is_seen() -> None:
    check_memory([Figures(held=1000), Figures(held=1040)])

    with pytest.raises(BrokenPromiseError, match="memory grew"):
        check_memory([Figures(held=1000), Figures(held=1060)])
