"""Models and schemas accept and refuse the same messages, as they are sent by a client of a ``strict`` bridge."""

from __future__ import annotations

import copy
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from bridge.protocol import catalogue, control, examples, schemas
from bridge.protocol.address import Pattern
from bridge.protocol.catalogue import ENTRIES, Entry
from bridge.protocol.errors import Rejection
from bridge.protocol.message import decode

if TYPE_CHECKING:
    from collections.abc import Iterator

FROM_CLIENT = [entry for entry in ENTRIES if entry.from_client]
GENERATED = schemas.files()


def _ecma_pattern(_: Any, pattern: str, instance: Any, __: Any) -> Iterator[ValidationError]:
    """Match as ECMA 262 does: there ``$`` is the very end, in Python also the place before a last newline."""
    if isinstance(instance, str) and not re.search(re.sub(r"\$$", r"\\Z", pattern), instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = extend(Draft202012Validator, {"pattern": _ecma_pattern})  # type: ignore[no-untyped-call] # so the stubs


@cache
def validator(name: str) -> Any:
    return Validator(json.loads(GENERATED[name]))


def schema_accepts(name: str, message: Any) -> bool:
    return bool(validator(name).is_valid(message))


def models_accept(entry: Entry | None, message: Any) -> bool:
    try:
        decoded = decode(json.dumps(message), strict=True)
        found = catalogue.entry(decoded)
        if entry is None:
            return True
        if found is not entry:
            return False
        body = catalogue.check_body(entry, decoded, strict=True)
        if isinstance(body, control.Subscribe | control.Unsubscribe):
            for pattern in body.patterns:
                Pattern.parse(pattern)
    except (Rejection, ValueError):
        return False
    return True


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
near_text = st.sampled_from(
    ["", " ", "5069", "5069\n", " 5069", "5" * 64, "5" * 65, "167-86_021", "a/b", "*", "Cisco/*", "*/*/*/*", "42#", "ä"]
)
numbers = st.integers(-3, 10**16) | st.just(0.5)
scalars = st.none() | st.booleans() | numbers | text | near_text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text | near_text, inner, max_size=3)
)
ENVELOPE_KEYS = ["channel", "topic", "subtopic", "source", "data", "id", "time", "offset", "correlationId"]


@st.composite
def altered(draw: st.DrawFn, message: dict[str, Any], keys: list[str]) -> dict[str, Any]:
    """Give a message with up to three fields set, or left out, in the envelope or in the body."""
    message = copy.deepcopy(message)
    for _ in range(draw(st.integers(1, 3))):
        inside = message.get("data")
        place = inside if isinstance(inside, dict) and draw(st.booleans()) else message
        known = keys if place is inside else ENVELOPE_KEYS
        key = draw(st.sampled_from(["surplus", *known, *place]) | text)
        if draw(st.booleans()):
            place.pop(key, None)
        else:
            place[key] = draw(values)
    return message


@pytest.mark.parametrize("entry", FROM_CLIENT, ids=schemas.file_name)
@given(data=st.data())
def test_models_and_schema_agree_about_altered_messages(entry: Entry, data: st.DataObject) -> None:
    message = data.draw(altered(examples.message(entry), list(entry.body.model_fields)))
    assert schema_accepts(schemas.file_name(entry), message) == models_accept(entry, message)


@given(message=altered(examples.FREE, ["customer"]))
def test_models_and_schema_agree_about_envelopes(message: dict[str, Any]) -> None:
    assert schema_accepts(schemas.ENVELOPE, message) == models_accept(None, message)


CONSULT = "Cisco/InboundCall/SetCONSULT.json"
SIGN_IN = "Cisco/Agent/SetUserInfo.json"
SUBSCRIBE = "Bridge/Subscription/Subscribe.json"
NOT_READY = "Cisco/Agent/SetNotReadyState.json"
_call = {"MediaAddress": "5069", "toAddress": "5070", "CallID": "16786021"}
_agent = {"username": "jdoe", "extension": "5064"}


@pytest.mark.parametrize(
    ("name", "data", "good"),
    [
        (CONSULT, _call, True),
        (CONSULT, {"MediaAddress": "5069", "CallID": "16786021"}, False),
        (CONSULT, _call | {"toAddress": 5070}, False),
        (CONSULT, _call | {"toAddress": ""}, False),
        (CONSULT, _call | {"CallID": "1" * 64}, True),
        (CONSULT, _call | {"CallID": "1" * 65}, False),
        (CONSULT, _call | {"CallID": "16786021\n"}, False),
        (CONSULT, _call | {"digits": "1"}, False),
        (CONSULT, None, False),
        (CONSULT, [], False),
        (SIGN_IN, _agent | {"password": "secret"}, True),
        (SIGN_IN, _agent | {"token": "secret"}, True),
        (SIGN_IN, _agent | {"password": "secret", "token": None}, True),
        (SIGN_IN, _agent | {"password": "secret", "token": "secret"}, False),
        (SIGN_IN, _agent, False),
        (SIGN_IN, _agent | {"password": ""}, False),
        (SUBSCRIBE, {"patterns": ["Cisco/InboundCall", "*"]}, True),
        (SUBSCRIBE, {"patterns": ["Cisco/*/SetHOLD"], "echo": True, "recover": {"epoch": "e", "offset": 0}}, True),
        (SUBSCRIBE, {"patterns": []}, False),
        (SUBSCRIBE, {"patterns": ["a/b/c/d"]}, False),
        (SUBSCRIBE, {"patterns": ["a//c"]}, False),
        (SUBSCRIBE, {"patterns": "Cisco"}, False),
        (SUBSCRIBE, {"patterns": ["Cisco"], "recover": {"epoch": "e", "offset": -1}}, False),
        (NOT_READY, {}, True),
        (NOT_READY, None, True),
        (NOT_READY, {"ReasonCodeId": "-1"}, True),
        (NOT_READY, {"ReasonCodeId": "lunch"}, False),
        ("Cisco/InboundCall/SetSEND_DTMF.json", {"MediaAddress": "5069", "CallID": "1", "digits": "12E"}, False),
        ("Simulator/Party/Drop.json", {"address": "5070", "CallID": "16786021"}, True),
        ("Simulator/Party/Drop.json", {"CallID": "16786021"}, False),
        ("Simulator/Call/Offer.json", {"fromAddress": "+15550100", "variables": {"": "x"}}, False),
    ],
)
def test_models_and_schema_agree_about_known_bodies(name: str, data: Any, good: bool) -> None:  # noqa: FBT001 a verdict
    entry = next(entry for entry in FROM_CLIENT if schemas.file_name(entry) == name)
    message = examples.message(entry) | {"data": data}
    assert schema_accepts(name, message) is good
    assert models_accept(entry, message) is good


def test_alias_is_accepted_by_models_and_schema() -> None:
    entry = next(entry for entry in FROM_CLIENT if schemas.file_name(entry) == CONSULT)
    message = examples.message(entry) | {"subtopic": "SetCONSULT_CALL"}
    assert schema_accepts(CONSULT, message)
    assert models_accept(entry, message)


def test_fields_that_the_bridge_sets_are_accepted_from_clients() -> None:
    message = examples.FREE | {"time": "yesterday", "offset": -1, "correlationId": None}
    assert schema_accepts(schemas.ENVELOPE, message)
    assert models_accept(None, message)
