"""What is another agent's and what never was get the same answers, byte for byte, and as many frames."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.attacks.site import running
from tests.server.auth.tokens import token
from tests.server.wire import TEXT, publish, subscribe

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.attacks.site import Honest, Site
    from tests.server.wire import Wire

VICTIM, STRANGER = "5070", "5071"
NEVER = "90000000"
"""As long as a call's id."""


def message(address: str, id_: str, **data: Any) -> dict[str, Any]:
    channel, topic, subtopic = address.split("/")
    return {"channel": channel, "topic": topic, "subtopic": subtopic, "id": id_, "data": data}


async def victims_call(site: Site) -> str:
    """Let a customer call the victim; give the call's id."""
    desk = await site.session(workspace=VICTIM)
    desk.send(message("Simulator/Call/Offer", "victims-offer", fromAddress="+15550100"))
    while (reply := await desk.message())["subtopic"] != "Completed":
        pass
    call: str = reply["data"]["call"]
    return call


async def frames(wire: Wire, sent: dict[str, Any]) -> list[bytes]:
    """Send a message, and give every frame that comes until a message behind it is answered."""
    wire.send(sent, publish(0, "Marker", id="marker"))
    got = []
    while b'"marker"' not in (received := await wire.frame()).payload:
        assert received.opcode == TEXT
        got.append(received.payload)
    return got


def without(payloads: list[bytes], *names: str) -> list[bytes]:
    """Make the names that were asked for the same."""
    for name in names:
        payloads = [payload.replace(name.encode(), b"#" * 8) for payload in payloads]
    return payloads


CALL_COMMANDS: dict[str, dict[str, str]] = {
    "SetANSWER": {}, "SetHOLD": {}, "SetRETRIEVE": {}, "SetDROP": {}, "SetTRANSFER": {}, "SetCONFERENCE": {},
    "SetCONSULT": {"toAddress": "5072"}, "SetTRANSFER_SST": {"toAddress": "5072"}, "SetSEND_DTMF": {"digits": "1"},
}  # fmt: skip


@pytest.mark.parametrize("topic", ["InboundCall", "OutboundCall"])
async def test_a_call_of_another_desk_and_one_that_never_was(topic: str, site: Site, honest: Honest) -> None:
    call = await victims_call(site)
    watcher = await site.session(workspace=VICTIM)
    await watcher.subscribe("*")
    stranger = await site.session(workspace=STRANGER)
    assert len(call) == len(NEVER)

    for subtopic, more in CALL_COMMANDS.items():
        for media in (STRANGER, VICTIM, "5999"):
            theirs, never = [
                without(
                    await frames(
                        stranger,
                        message(f"Cisco/{topic}/{subtopic}", f"i-{each}", MediaAddress=media, CallID=each, **more),
                    ),
                    each,
                )
                for each in (call, NEVER)
            ]
            assert theirs == never
            assert len(theirs) == 1
            assert (b"unknown_call" if media == STRANGER else b"wrong_extension") in theirs[0]
    variables = {"callVariables": {"callVariable1": "mine"}}
    answers = [
        without(
            await frames(
                stranger, message(f"Cisco/{topic}/SetUPDATE_CALL_DATA", f"u-{each}", CallID=each, **variables)
            ),
            each,
        )
        for each in (call, NEVER)
    ]
    assert answers[0] == answers[1]
    await honest.talk(5)
    heard = [await watcher.message() for _ in range(5)]
    assert {each["channel"] for each in heard} == {"Honest"}  # of all that was tried nothing reached the desk


async def test_an_extension_of_another_desk_and_one_that_never_was(site: Site, honest: Honest) -> None:
    await victims_call(site)
    stranger = await site.session(workspace=STRANGER)

    theirs, never = [
        without(
            await frames(stranger, message("Cisco/InboundCall/SetHOLD", f"x-{each}", MediaAddress=each, CallID=NEVER)),
            each,
        )
        for each in (VICTIM, "5999")
    ]

    assert theirs == never
    assert b"wrong_extension" in theirs[0]
    await honest.talk()


async def test_over_http_they_are_the_same_too(site: Site, honest: Honest) -> None:
    call = await victims_call(site)
    await site.session(workspace=STRANGER)

    async def asked(workspace: str, body: str, method: str = "POST", path: str = "messages") -> tuple[int, Any, bytes]:
        wire = await site.wire()
        lines = f"Host: localhost\nContent-Type: application/json\nContent-Length: {len(body)}\n"
        bearer = f"Authorization: Bearer {token(workspace=STRANGER)}\n\n"
        head = f"{method} /api/v1/workspaces/{workspace}/{path} HTTP/1.1\n{lines}{bearer}"
        status, headers, answer = await wire.request(head, body.encode())
        headers.pop("date")
        return status, headers, answer

    holds = [message("Cisco/InboundCall/SetHOLD", each, MediaAddress=STRANGER, CallID=each) for each in (call, NEVER)]
    theirs, never = [await asked(STRANGER, json.dumps(hold)) for hold in holds]
    assert (theirs[0], without([theirs[2]], call)) == (404, without([never[2]], NEVER))
    assert theirs[1] == never[1]
    note = '{"channel":"Notes","topic":"a","subtopic":"b","id":"same"}'
    for method, path, body in (("POST", "messages", note), ("POST", "messages", "{"), ("GET", "events?pattern=*", "")):
        there, nowhere = [await asked(each, body, method, path) for each in (VICTIM, "5999")]
        assert (there[0], there[1]) == (nowhere[0], nowhere[1])
        assert without([there[2]], VICTIM) == without([nowhere[2]], "5999")
        assert there[0] == (400 if body == "{" else 403)
    await honest.talk()


async def test_a_workspace_with_people_in_it_and_an_empty_one_are_closed_alike(site: Site, honest: Honest) -> None:
    told = []
    for workspace in (VICTIM, "5999", "x" * 64):
        wire = await site.enter(token(workspace=STRANGER), f"?workspace={workspace}")
        received = await wire.frame()
        told.append((received.opcode, received.payload))
    assert len(set(told)) == 1
    assert site.bridge.broker.workspaces.find("5999") is None
    await honest.talk()


async def test_an_id_that_another_desk_used_and_one_that_nobody_used(site: Site, honest: Honest) -> None:
    await victims_call(site)
    await honest.talk()  # ids h1, h2, … of the honest
    stranger = await site.session(workspace=STRANGER)

    for used, free in (("victims-offer", "nobodys-offer"), ("h1", "z1")):
        status = [
            without(await frames(stranger, message("Bridge/Command/Status", f"s-{each}", id=each)), each)
            for each in (used, free)
        ]
        assert status[0] == status[1]
        taken = [await frames(stranger, message("Notes/a/b", each)) for each in (used, free)]
        assert [len(each) for each in taken] == [1, 1]
        assert all(b'"duplicate":false' in each[0] for each in taken)
    await honest.talk()


RECOVER: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "at the beginning": lambda theirs: {"epoch": theirs["epoch"], "offset": 0},
    "at their place": lambda theirs: {"epoch": theirs["epoch"], "offset": theirs["offset"]},
    "in the future": lambda theirs: {"epoch": theirs["epoch"], "offset": theirs["offset"] + 100},
}


@pytest.mark.parametrize("name", RECOVER)
async def test_the_epoch_of_another_desk_and_one_that_never_was(name: str, site: Site, honest: Honest) -> None:
    await victims_call(site)
    victim = await site.session(workspace=VICTIM)
    theirs = await victim.subscribe("*")
    stranger = await site.session(workspace=STRANGER)
    place = RECOVER[name](theirs)

    foreign = await frames(stranger, subscribe("Cisco", "Simulator", "Notes", recover=place))
    never = await frames(
        stranger, subscribe("Cisco", "Simulator", "Notes", recover={**place, "epoch": "A" * len(place["epoch"])})
    )

    cut = [payload.partition(b'"snapshot"')[0] for payload in foreign]
    assert [payload.partition(b'"snapshot"')[0].partition(b'"offset"')[0] for payload in never] == [
        payload.partition(b'"offset"')[0] for payload in cut
    ]
    assert all(b'"recovered":false,"messages":[]' in payload for payload in foreign + never)
    assert theirs["epoch"].encode() not in b"".join(foreign)
    assert b"+15550100" not in b"".join(foreign + never)
    await honest.talk()


async def test_the_place_of_another_desk_gives_an_event_stream_nothing(site: Site, honest: Honest) -> None:
    await victims_call(site)
    victim = await site.session(workspace=VICTIM)
    theirs = await victim.subscribe("*")
    wire = await site.wire()
    lines = (
        f"Host: localhost\nAuthorization: Bearer {token(workspace=STRANGER)}\nLast-Event-ID: {theirs['epoch']}:0\n\n"
    )

    status, _, _ = await wire.request(f"GET /api/v1/workspaces/{STRANGER}/events?pattern=* HTTP/1.1\n{lines}")

    assert status == 200
    first = await wire.reader.readuntil(b"\n\n")
    assert b'"recovered":false,"messages":[]' in first
    assert b"+15550100" not in first
    await honest.talk()


async def test_a_gadget_is_told_the_same_of_addresses_that_exist_and_of_such_that_do_not(
    site: Site, honest: Honest
) -> None:
    gadget = await site.session(workspace=VICTIM, roles=["gadget"], app="mine")
    await victims_call(site)

    told = [
        without(await frames(gadget, message(f"{channel}/test/count", f"g-{channel}")), channel)
        for channel in ("Honest", "Nobody")
    ]
    assert told[0] == told[1]
    read = [without(await frames(gadget, subscribe(channel)), channel) for channel in ("Honest", "Nobody")]
    assert read[0] == read[1]
    known = [
        without(await frames(gadget, message("Bridge/Command/Status", f"s-{each}", id=each)), each)
        for each in ("victims-offer", "nobodys-offer")
    ]
    assert known[0] == known[1]
    assert b'"known":false' in known[1][0]
    await honest.talk()


async def test_the_host_rule_does_not_tell_which_paths_there_are() -> None:
    async with running(jwt_secret=None) as site:
        answers = set()
        for path in ("/", "/nowhere", "/metrics", "/api/v1/workspaces/5070/events", "/problems/unknown_call"):
            wire = await site.wire()
            status, _, body = await wire.request(f"GET {path} HTTP/1.1\nHost: evil.example\n\n")
            answers.add((status, body))
        assert len(answers) == 1
