"""Messages that one reader takes for this and another for that: doubled keys, repairs, numbers beyond all bounds."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.attacks.site import Honest, running
from tests.server.auth.tokens import token
from tests.server.wire import TEXT, frame, publish

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.site import Site
    from tests.server.wire import Wire

HONEST = "5070"


async def gadget(site: Site, *patterns: str) -> Wire:
    """Open a session on the honest people's desk that may publish these patterns, and read nothing."""
    return await site.session(workspace=HONEST, app="notes", roles=None, publish=list(patterns))


async def refusal(wire: Wire, text: str) -> dict[str, Any]:
    """Send a text, and give the body of its refusal: the one answer, before that to a message behind it."""
    wire.send(text, {"channel": "Notes", "topic": "a", "subtopic": "b", "id": "behind"})
    refused, behind = await wire.message(), await wire.message()
    assert refused["subtopic"] == "Rejected", refused
    assert behind["correlationId"] == "behind"
    body: dict[str, Any] = refused["data"]
    return body


REST = '"topic":"test","subtopic":"count","data":0'

DOUBLED = {
    "the channel twice": f'{{"channel":"Notes","channel":"Honest",{REST}}}',
    "the channel twice, the other way round": f'{{"channel":"Honest","channel":"Notes",{REST}}}',
    "the channel far apart": f'{{"channel":"Notes",{REST},"channel":"Honest"}}',
    "a key that is escaped": f'{{"channel":"Notes","ch\\u0061nnel":"Honest",{REST}}}',
    "a key with a blank": f'{{"channel":"Notes","channel ":"Honest",{REST}}}',
    "a key in another case": f'{{"channel":"Notes","Channel":"Honest",{REST}}}',
    "a key that is null first": f'{{"channel":null,"channel":"Honest",{REST}}}',
    "the same twice": f'{{"channel":"Notes","channel":"Notes",{REST}}}',
    "the source twice": f'{{"channel":"Notes","source":"notes","source":"softphone",{REST}}}',
    "the id twice": f'{{"channel":"Notes","id":"a","id":"b",{REST}}}',
    "the topic in two places": f'{{"channel":"Notes","Topic":"x",{REST}}}',
    "data twice": f'{{"channel":"Notes","data":1,{REST}}}',
    "data and DATA": f'{{"channel":"Notes","DATA":1,{REST}}}',
    "a key that no field has": f'{{"channel":"Notes","__proto__":{{"channel":"Honest"}},{REST}}}',
    "a key with a Cyrillic letter": f'{{"channel":"Notes","\u0441hannel":"Honest",{REST}}}',
    "a key with a zero": f'{{"channel":"Notes","channel\\u0000":"Honest",{REST}}}',
}


@pytest.mark.parametrize("name", DOUBLED)
async def test_a_message_that_says_two_things_says_nothing(name: str, site: Site, honest: Honest) -> None:
    wire = await gadget(site, "Notes")

    refused = await refusal(wire, DOUBLED[name])

    assert refused["code"] == "invalid_envelope"
    assert refused["errors"]
    await honest.talk()


async def test_doubled_keys_in_a_command_move_nothing(site: Site, honest: Honest) -> None:
    widget = await site.session(workspace="5071")
    for data in (
        '{"MediaAddress":"5071","CallID":"1","CallID":"2"}',
        '{"MediaAddress":"5071","MediaAddress":"5070","CallID":"1"}',
        '{"MediaAddress":"5071","mediaaddress":"5070","CallID":"1"}',
        '{"MediaAddress":"5071","MediaAddress ":"5070","CallID":"1"}',
        '{"MediaAddress":"5071","CallID":"1","C\\u0061llID":"2"}',
    ):
        text = f'{{"channel":"Cisco","topic":"InboundCall","subtopic":"SetHOLD","data":{data}}}'
        assert (await refusal(widget, text))["code"] == "invalid_data"
    assert site.bridge.calls.outstanding == 0
    await honest.talk()


REPAIRED = [
    {"channel": "Cisco", "topic": "inboundcall", "subtopic": "setdrop"},
    {"channel": "Cisco", "topic": "INBOUNDCALL", "subtopic": "SETDROP"},
    {"Channel ": "Cisco", " topic": "InboundCall", "SUBTOPIC": "SetDROP"},
    {"channel": "Cisco", "topic": "InboundCall", "subtopic": "SetCONSULT_CALL"},
    {"channel": "Cisco", "topic": "InboundCall", "subtopic": "setconsult_call"},
    {"channel": "Simulator", "topic": "call", "subtopic": "offer"},
]


@pytest.mark.parametrize("sent", REPAIRED, ids=str)
async def test_what_is_repaired_is_judged_by_what_it_becomes(sent: dict[str, str], site: Site, honest: Honest) -> None:
    as_sent = "/".join(sent.values())
    wire = await gadget(site, "Notes", "Cisco/InboundCall/SetHOLD", "*/inboundcall/setdrop", as_sent.lower())
    data = {"MediaAddress": HONEST, "CallID": "1", "toAddress": "5072", "fromAddress": "1"}

    refused = await refusal(wire, json.dumps({**sent, "data": data}))

    assert (refused["code"], refused["rule"]) == ("not_permitted", "default")
    await honest.talk()


LARGE: dict[str, str] = {
    "1e400": "1e400",
    "-1e400": "-1e400",
    "1e400 in a list": "[[1e400]]",
    "digits, then an exponent": "1" + "0" * 400 + "e1",
    "4301 digits": "9" * 4301,
    "a negative one": "-" + "9" * 60_000,
    "60,000 of a fraction, and out of range": "1." + "9" * 60_000 + "e999",
    "a leading zero": "012",
    "hexadecimal": "0x10",
    "a plus": "+1",
    "not a number": "NaN",
    "infinity": "-Infinity",
    "half an escape": '"\\u12"',
    "half a pair": '"\\ud83d"',
    "a raw line feed": '"a\nb"',
    "a zero byte": '"a\0b"',
    "a comment": "1/**/",
    "a comma too many": "[1,]",
    "65 lists": "[" * 64 + "]" * 64,
    "thousands of half lists": "[" * 60_000,
    "thousands of half objects": '{"a":' * 12_000,
    "half a string": '"' + "\\" * 60_000,
    "escaped quotes": '"' + '\\"' * 30_000,
}


@pytest.mark.parametrize("name", LARGE)
async def test_what_readers_differ_on_is_malformed_and_the_answer_is_short(
    name: str, site: Site, honest: Honest
) -> None:
    wire = await gadget(site, "Notes")

    refused = await refusal(wire, f'{{"channel":"Notes","topic":"a","subtopic":"b","data":{LARGE[name]}}}')

    assert refused["code"] == "malformed_json"
    assert {"line", "column"} <= refused.keys()
    assert len(json.dumps(refused)) < 500
    await honest.talk()


SMALL: dict[str, str] = {
    "almost nothing": "1e-400",
    "the most that is finite": "1.7976931348623157e308",
    "4300 digits": "9" * 4300,
    "60,000 digits behind the point": "0." + "3" * 60_000,
    "zero, sixty thousand times": "0." + "0" * 60_000,
    "less than nothing": "-0",
}


@pytest.mark.parametrize("name", SMALL)
async def test_what_is_taken_comes_to_the_readers_as_json(name: str, site: Site, honest: Honest) -> None:
    reader = await site.session(workspace="5071")
    await reader.subscribe("Notes")
    writer = await site.session(workspace="5071")

    writer.send(f'{{"channel":"Notes","topic":"a","subtopic":"b","id":"n","data":{SMALL[name]}}}')

    assert (await writer.message())["subtopic"] == "Accepted"
    got = (await reader.message())["data"]
    assert got == json.loads(SMALL[name])
    await honest.talk()


async def test_a_hundred_thousand_digits_are_too_big_for_a_message(site: Site, honest: Honest) -> None:
    digits = '{"channel":"Notes","topic":"a","subtopic":"b","data":' + "9" * 100_000 + "}"
    wire = await site.session(workspace="5071")
    wire.send(digits)
    assert (await wire.closed())[0] == 1009

    http = await site.wire()
    head = "POST /api/v1/workspaces/5071/messages HTTP/1.1\nHost: localhost\nContent-Type: application/json\n"
    bearer = f"Authorization: Bearer {token(workspace='5071')}\nContent-Length: {len(digits)}\n\n"
    assert (await http.request(head + bearer, digits.encode()))[0] == 413
    await honest.talk()


async def test_bombs_one_after_the_other_keep_nobody_waiting(record_property: Callable[[str, object], None]) -> None:
    async with running() as site:
        honest = await Honest.join(site)
        bombs = [f'{{"channel":"Notes","topic":"a","subtopic":"b","data":{text}}}' for text in LARGE.values()]

        async def attack() -> int:
            wire = await site.session(workspace="5071")
            size = 0
            for _ in range(5):
                wire.send(*bombs)
                for _ in bombs:
                    received = await wire.frame()
                    assert received.opcode == TEXT
                    size += len(received.payload)
            return size

        begun = asyncio.ensure_future(attack())
        await honest.beside(begun)
        record_property("honest_p99_ms", round(honest.p99_ms, 2))
        assert begun.result() < 5 * len(bombs) * 500


async def test_texts_that_are_no_utf8_or_no_text_end_the_session_alone(site: Site, honest: Honest) -> None:
    for sent, code in (
        (frame(TEXT, b'{"channel":"\xc1\x83isco"}'), 1007),
        (frame(TEXT, b"\xed\xa0\x80"), 1007),
        (frame(TEXT, b"\xff\xfe{\x00}\x00"), 1007),
        (frame(2, json.dumps(publish(1)).encode()), 1003),
    ):
        wire = await site.session(workspace="5071")
        wire.send(sent)
        assert (await wire.closed())[0] == code
    await honest.talk()


async def test_the_name_in_the_token_is_the_source_whatever_the_url_and_the_message_say(
    site: Site, honest: Honest
) -> None:
    reader = await site.session(workspace="5071")
    await reader.subscribe("Notes")
    wire = await site.enter(token(workspace="5071", app="notes"), "?app=softphone")
    assert (await wire.message())["data"]["identity"]["app"] == "notes"
    note = {"channel": "Notes", "topic": "a", "subtopic": "b", "source": "workspace-bridge"}
    wire.send(note)
    body = json.dumps(note)
    http = await site.wire()
    head = "POST /api/v1/workspaces/5071/messages?app=softphone HTTP/1.1\nHost: localhost\n"
    lines = f"Content-Type: application/json\nContent-Length: {len(body)}\n"
    bearer = f"Authorization: Bearer {token(workspace='5071', app='notes')}\n\n"
    assert (await http.request(head + lines + bearer, body.encode()))[0] == 202
    host = await site.session(workspace="5071", app="host", roles=["host"], apps=["one"], publish=["Notes"])
    for claimed in ("two", "One", "one ", "workspace-bridge", "one"):
        host.send({**note, "source": claimed})

    heard = [(await reader.message())["source"] for _ in range(7)]

    assert heard == ["notes", "notes", "host", "host", "host", "host", "one"]
    await honest.talk()


async def test_an_id_of_the_bridges_own_message_is_nobodys_to_answer_to(site: Site, honest: Honest) -> None:
    widget = await site.session(workspace="5071")
    await widget.subscribe("Cisco", "Bridge/Command")
    widget.send(
        {"channel": "Simulator", "topic": "Call", "subtopic": "Offer", "id": "o", "data": {"fromAddress": "+15550100"}}
    )
    while (heard := await widget.message())["subtopic"] != "Completed":
        pass
    forger = await site.session(workspace="5071")
    fake = {**heard, "correlationId": "o"}

    assert (await refusal(forger, json.dumps(fake)))["code"] == "reserved_channel"
    fake = {"channel": "Notes", "topic": "Command", "subtopic": "Completed", "correlationId": "o", "id": heard["id"]}
    await widget.subscribe("Notes")
    forger.send(fake)
    while (heard := await widget.message())["subtopic"] != "Completed":
        pass
    assert heard["channel"] == "Notes"
    assert "correlationId" not in heard
    await honest.talk()
