"""Whatever text a client sends, decode, repair, validate and route answer it: with a refusal, or by doing it.

The corpus are the documented examples of every message, changed as bytes and as JSON.
"""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.broker.identity import Identity, Role
from bridge.protocol import examples
from bridge.protocol.catalogue import ENTRIES
from bridge.protocol.errors import Rejection
from tests.broker.bus import Bus, Recorder, Widget, grant

CORPUS: list[dict[str, Any]] = [examples.message(entry) for entry in ENTRIES] + [examples.FREE]
ODD: list[Any] = [
    None, True, 0, -1, 1 << 70, 1e308, "", " ", "\u0000", "\u202e", "x" * 70, "*", "/", [], {}, [[]], {"": None},
]  # fmt: skip
KEYS = ["channel", "Channel ", "CHANNEL", "topic", "subtopic", "data", "DATA", "id", "source", "offset", "", "\ud800"]

leaves = st.sampled_from(ODD) | st.text(max_size=8) | st.integers() | st.floats(allow_nan=False)
values = st.recursive(
    leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=4), v, max_size=3)
).map(copy.deepcopy)  # they are changed in turn


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Name every place in a value."""
    found = [path] if path else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        found += places(each, (*path, key))
    return found


@st.composite
def changed_messages(draw: st.DrawFn) -> str:
    """Take an example and change it here and there, as JSON."""
    message = copy.deepcopy(draw(st.sampled_from(CORPUS)))
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(places(message)))
        parent = message
        for key in path:
            parent = parent[key]
        change = draw(st.sampled_from(["replace", "remove", "rename", "add"]))
        if change == "replace":
            parent[last] = draw(values)
        elif change == "remove" and isinstance(parent, dict):
            del parent[last]
        elif change == "rename" and isinstance(parent, dict):
            parent[draw(st.sampled_from(KEYS)) if not path else str(last).upper() + " "] = parent.pop(last)
        elif isinstance(parent, dict):
            parent[draw(st.sampled_from(KEYS))] = draw(values)
        if not places(message):
            break
    return json.dumps(message)


@st.composite
def changed_texts(draw: st.DrawFn) -> str:
    """Take the text of an example and cut, double or overwrite a piece of it."""
    text = draw(changed_messages())
    begin = draw(st.integers(0, len(text)))
    end = draw(st.integers(begin, min(len(text), begin + 20)))
    pieces = ["", text[begin:end] * 2, "{", '"', ",", "\\u0000", "NaN", "-", "1e999"]
    piece = draw(st.sampled_from(pieces) | st.text(max_size=4))
    return text[:begin] + piece + text[end:]


texts = changed_messages() | changed_texts() | st.text(max_size=50)

GRANTS = [
    None,
    grant(),
    grant(publish=["Notes", "Cisco/*/SetHOLD"], subscribe=["Notes"]),
    grant(roles=frozenset({Role.WIDGET}), extension="5069"),
    grant(roles=frozenset({Role.GADGET, Role.HOST}), app="Notes", apps=frozenset({"a"})),
    grant(roles=frozenset({Role.SUPERVISOR})),
    grant(roles=frozenset({Role.SERVER})),
]


def sent_id(text: str) -> str | None:
    """Give the id under which a message is answered, if it can be read at all."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return fields.get("id") if isinstance(fields, dict) and isinstance(fields.get("id"), str) else None


def answers(widget: Widget) -> list[dict[str, Any]]:
    """Give what came back, without what others or the session itself published."""
    return [message for message in widget.read() if "offset" not in message]


@given(texts=st.lists(texts, min_size=1, max_size=6), strict=st.booleans(), chosen=st.sampled_from(GRANTS))
def test_every_text_is_answered_and_disturbs_nobody(texts: list[str], strict: bool, chosen: Any) -> None:  # noqa: FBT001
    bus = Bus(strict=strict)
    attacker, honest = bus.join(grant=chosen), bus.join("other")
    honest.subscribe("*")

    for text in texts:
        bus.broker.receive(attacker.session, text)
        replies = answers(attacker)
        assert len(replies) <= 1
        assert {reply["channel"] for reply in replies} <= {"Bridge"}

    assert honest.read() == []
    assert attacker.closed == []
    assert honest.ask("Notes/a/b", id="still here")["subtopic"] == "Accepted"


@given(text=texts, chosen=st.sampled_from(GRANTS), everywhere=st.booleans())
def test_every_text_without_a_session_is_taken_or_refused(text: str, chosen: Any, everywhere: bool) -> None:  # noqa: FBT001
    bus = Bus()
    bus.join("other")
    guest = Identity(app="server", grant=chosen)

    with suppress(Rejection):
        if everywhere:
            notice = bus.broker.announce(guest, text)
            while notice.go_on():
                pass
            assert notice.workspaces <= 1
        else:
            _, accepted = bus.broker.publish("demo", guest, text)
            assert accepted["offset"] >= 0


@given(text=texts)
def test_a_message_with_an_id_has_one_answer(text: str) -> None:
    bus = Bus()
    recorder = Recorder()
    session = bus.broker.open("demo", Identity(app="w"), recorder)
    widget = Widget(bus, session, recorder)
    widget.read()

    bus.broker.receive(session, text)

    replies = answers(widget)
    readable = sent_id(text)
    if readable is not None and 0 < len(readable) <= 64 and readable.isascii() and readable.isprintable():
        assert len(replies) == 1
    for reply in replies:
        assert reply.get("correlationId") in {readable, None}
