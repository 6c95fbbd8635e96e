"""What an auditor reads: who did what to whose calls, who was refused, and no secret."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.identity import Identity
from bridge.protocol.address import Address
from bridge.protocol.errors import CloseCode, Code, Rejection
from bridge.protocol.message import Message
from bridge.server.audit.trail import STRANGERS_PER_SECOND, Trail
from bridge.server.audit.writer import encoded
from bridge.server.opening import Applicant, Opening
from tests.broker.bus import HOLD, SIGN_IN, StandingClock

FIELDS = [
    "time", "kind", "workspace", "subject", "app", "source", "origin", "from", "address", "id", "call", "destination",
    "decision", "rule", "outcome", "error", "seconds",
]  # fmt: skip

ALICE = Identity(app="desk", subject="alice", address="192.0.2.1", origin="https://desk.example.com")


class Kept:
    """Keeps the lines."""

    lost = 0

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def write(self, line: dict[str, Any]) -> None:
        self.lines.append(line)

    def close(self) -> None:
        """Keep what there is."""


def trail() -> tuple[Trail, Kept, StandingClock]:
    kept, clock = Kept(), StandingClock()
    return Trail(kept, clock), kept, clock


def refused(address: str, data: Any, *, rule: str | None = None, source: str | None = None) -> dict[str, Any]:
    """Let a message be refused; give its line."""
    written, kept, _ = trail()
    details = {} if rule is None else {"rule": rule}
    rejection = Rejection(Code.NOT_PERMITTED, "no", details=details)
    written.rejected("demo", ALICE, rejection, Message(Address.parse(address), source, data, "c1"))
    (line,) = kept.lines
    return line


def test_a_refused_command_has_a_line_that_names_the_rule() -> None:
    line = refused(HOLD, {"MediaAddress": "5069", "CallID": "1", "toAddress": "5070"}, rule="default", source="notes")

    assert list(line) == FIELDS
    assert line | {"time": ""} == {
        "time": "",
        "kind": "command",
        "workspace": "demo",
        "subject": "alice",
        "app": "desk",
        "source": "notes",
        "origin": "https://desk.example.com",
        "from": "192.0.2.1",
        "address": HOLD,
        "id": "c1",
        "call": "1",
        "destination": "5070",
        "decision": "refused",
        "rule": "default",
        "outcome": None,
        "error": "not_permitted",
        "seconds": None,
    }


def test_of_a_sign_in_the_name_is_written_and_nothing_secret() -> None:
    line = refused(SIGN_IN, {"username": "alice", "password": "geheim", "token": "geheim", "extension": "5069"})

    assert line["destination"] == "alice"
    assert "geheim" not in str(line)


def test_what_is_no_command_has_no_line() -> None:
    written, kept, _ = trail()
    rejection = Rejection(Code.NOT_PERMITTED, "no")

    written.rejected("demo", ALICE, rejection, Message(Address("Notes", "a", "b")))
    written.rejected("demo", ALICE, rejection, Message(Address("Bridge", "Subscription", "Subscribe")))
    written.rejected("demo", ALICE, rejection, None)

    assert kept.lines == []


def test_a_flood_of_strangers_leaves_few_lines_and_their_number() -> None:
    written, kept, clock = trail()
    stranger = Applicant(Opening("demo", None), "192.0.2.9", None, secure=True)

    for _ in range(1000):
        written.sign_in_refused(stranger, CloseCode.UNAUTHENTICATED, "the token is malformed")
    clock.now += 1
    written.sign_in_refused(stranger, CloseCode.UNAUTHENTICATED, "the token is malformed")
    written.signed_in("demo", ALICE)

    assert [line["kind"] for line in kept.lines] == ["session"] * STRANGERS_PER_SECOND + ["left_out"] + ["session"] * 2
    assert kept.lines[STRANGERS_PER_SECOND]["sign_ins"] == 1000 - STRANGERS_PER_SECOND
    first, last = kept.lines[0], kept.lines[-1]
    assert (first["decision"], first["error"]) == ("refused", "unauthenticated: the token is malformed")
    assert (first["subject"], first["app"], first["from"]) == (None, None, "192.0.2.9")
    assert (last["decision"], last["subject"]) == ("allowed", "alice")


@given(st.text(), st.text(), st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v, max_size=3)))
def test_whatever_a_client_sends_its_line_is_one_line_of_json(source: str, call: str, destination: Any) -> None:
    line = refused(HOLD, {"CallID": call, "toAddress": destination}, source=source)

    text = encoded(line)
    assert text.splitlines() == [text]
    assert text.isascii()
    assert all(len(value) <= 128 for value in json.loads(text).values() if isinstance(value, str))
