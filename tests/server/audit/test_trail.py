"""What an auditor reads: who did what to whose calls, who was refused, and no secret."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.gate import Command
from bridge.broker.identity import Identity
from bridge.broker.tokens import RefusedToken
from bridge.calls.adapter import Failure
from bridge.protocol import catalogue
from bridge.protocol.address import Address
from bridge.protocol.errors import CloseCode, Code, Rejection
from bridge.protocol.message import Message
from bridge.server.audit.trail import STRANGERS_PER_SECOND, Trail
from bridge.server.audit.writer import encoded
from bridge.server.opening import Applicant, Opening
from tests.broker.bus import HOLD, SIGN_IN, Bus, StandingClock

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


def settled(body: Any, outcome: str = "Completed", failure: Failure | None = None, **fields: Any) -> dict[str, Any]:
    """Let a command end; give its line."""
    written, kept, _ = trail()
    usual: dict[str, Any] = {"workspace": "demo", "id": "c1", "identity": ALICE, "warnings": [], "rule": "widget"}
    address = Address.parse(fields.pop("address", HOLD))
    written.settled(Command(address=address, body=body, **{**usual, **fields}), outcome, 0.04149, failure)
    (line,) = kept.lines
    return line


def body_of(address: str, **data: Any) -> Any:
    return catalogue.BY_ADDRESS[Address.parse(address)].body.model_validate(data)


def test_a_command_has_one_line_with_its_outcome() -> None:
    consult = body_of("Cisco/InboundCall/SetCONSULT", MediaAddress="5069", CallID="1", toAddress="5070")
    line = settled(consult, source="notes", address="Cisco/InboundCall/SetCONSULT")

    assert list(line) == FIELDS
    assert line == {
        "time": "2026-01-01T00:00:40.000Z",
        "kind": "command",
        "workspace": "demo",
        "subject": "alice",
        "app": "desk",
        "source": "notes",
        "origin": "https://desk.example.com",
        "from": "192.0.2.1",
        "address": "Cisco/InboundCall/SetCONSULT",
        "id": "c1",
        "call": "1",
        "destination": "5070",
        "decision": "allowed",
        "rule": "widget",
        "outcome": "Completed",
        "error": None,
        "seconds": 0.041,
    }


def test_a_command_that_failed_says_why() -> None:
    hold = body_of(HOLD, MediaAddress="5069", CallID="1")

    assert settled(hold, "Failed", Failure("Invalid State", "text", "CAUSE"))["error"] == "CAUSE"
    assert settled(hold, "Failed", Failure("Invalid State", "text"))["error"] == "Invalid State"


@pytest.mark.parametrize("secret", ["password", "token"])
def test_of_a_sign_in_that_was_allowed_the_name_is_written_and_nothing_secret(secret: str) -> None:
    line = settled(body_of(SIGN_IN, username="alice", extension="5069", **{secret: "geheim"}), address=SIGN_IN)

    assert (line["destination"], line["address"]) == ("alice", SIGN_IN)
    assert "geheim" not in str(line)


def test_the_source_is_told_only_where_it_is_not_the_app() -> None:
    assert settled(body_of(HOLD, MediaAddress="5069", CallID="1"), source="desk")["source"] is None


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


def test_strangers_that_were_left_out_are_told_by_whatever_comes_next_and_at_the_end() -> None:
    stranger = Applicant(Opening("demo", None), "192.0.2.9", None, secure=True)
    written, kept, clock = trail()
    for _ in range(2):
        for _ in range(STRANGERS_PER_SECOND + 3):
            written.sign_in_refused(stranger, CloseCode.UNAUTHENTICATED, "the token is malformed")
        written.signed_in("demo", ALICE)
        clock.now += 1
        written.signed_in("demo", ALICE)
        written.signed_in("demo", ALICE)
    for _ in range(STRANGERS_PER_SECOND + 3):
        written.sign_in_refused(stranger, CloseCode.UNAUTHENTICATED, "the token is malformed")
    written.close()

    second = ["session"] * (STRANGERS_PER_SECOND + 1) + ["left_out", "session", "session"]
    assert [line["kind"] for line in kept.lines] == second * 2 + ["session"] * STRANGERS_PER_SECOND + ["left_out"]
    assert [line["sign_ins"] for line in kept.lines if line["kind"] == "left_out"] == [3, 3, 3]


@pytest.mark.parametrize(
    ("refusal", "decision", "error"),
    [
        (None, "allowed", None),
        (RefusedToken(CloseCode.FORBIDDEN, "a refresh keeps the app"), "refused", "forbidden: a refresh keeps the app"),
    ],
)
def test_a_newer_token_has_a_line(refusal: RefusedToken | None, decision: str, error: str | None) -> None:
    written, kept, _ = trail()

    written.refreshed(Bus().join().session, refusal)

    (line,) = kept.lines
    assert list(line) == FIELDS
    assert (line["kind"], line["workspace"], line["decision"], line["error"]) == ("refresh", "demo", decision, error)


def one_line(line: dict[str, Any]) -> None:
    """Check that nobody can take it for more, or for something else, than it is."""
    text = encoded(line)
    assert text.isascii()
    assert text.splitlines() == [text]
    assert json.loads(text) == line
    assert list(json.loads(text, object_pairs_hook=lambda pairs: [name for name, _ in pairs])) == FIELDS
    texts = [value for value in line.values() if isinstance(value, str)]
    assert all(len(each) <= 128 for each in texts)
    assert "".join(texts).encode(), "there is no half of a surrogate pair"
    assert len(text) < 65536


@pytest.mark.parametrize("letter", ["a", "é", "😀"])
def test_a_text_is_cut_at_128_characters(letter: str) -> None:
    line = refused(HOLD, {"CallID": letter * 128, "toAddress": letter * 129})

    assert (line["call"], line["destination"]) == (letter * 128, letter * 128)


anything = st.text(st.characters(codec=None, exclude_categories=())) | st.text(
    '\u2028\r\n\x00\x7f"\\{}, ', max_size=300
)
words = st.none() | anything


@given(anything, words, words, words, anything, anything, words, anything)
def test_whatever_stands_in_an_allowed_command_its_line_is_one_line_of_json(
    app: str,
    subject: str | None,
    origin: str | None,
    source: str | None,
    call: str,
    to: str,
    cause: str | None,
    id_: str,
) -> None:
    identity = Identity(app=app, subject=subject, origin=origin, address=source)
    body = SimpleNamespace(CallID=call, toAddress=to)

    one_line(settled(body, "Failed", Failure(app, "", cause), identity=identity, source=source, id=id_, rule=app))


@given(words, words, anything)
def test_whatever_a_stranger_sends_its_line_is_one_line_of_json(
    workspace: str | None, origin: str | None, reason: str
) -> None:
    written, kept, _ = trail()
    stranger = Applicant(Opening(workspace, reason), origin, origin, secure=True)
    written.sign_in_refused(stranger, CloseCode.UNAUTHENTICATED, reason)

    one_line(kept.lines[0])


@given(anything, anything, st.recursive(st.text() | st.integers() | st.none(), lambda v: st.lists(v, max_size=3)))
def test_whatever_a_client_sends_its_line_is_one_line_of_json(source: str, call: str, destination: Any) -> None:
    line = refused(HOLD, {"CallID": call, "toAddress": destination}, source=source)

    one_line(line)
