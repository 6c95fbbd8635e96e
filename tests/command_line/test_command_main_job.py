"""The main job on the command line: serve, listen, publish, consult, as real processes."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
import socket
from typing import TYPE_CHECKING

import pytest

from bridge.testing import BackgroundBridge
from tests.client.scripted import outcome, scripted_bridge
from tests.command_line.terminal import COMMAND, environment, program, run, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

OFFER = ("publish", "Simulator/Call/Offer", '{"fromAddress":"+15550100"}', "--wait")


@pytest.fixture
def live() -> Iterator[BackgroundBridge]:
    with BackgroundBridge() as running:
        yield running


async def test_the_whole_story() -> None:
    async with serving() as (bridge, url), program("listen", "Cisco/InboundCall", BRIDGE_URL=url) as listening:
        offered = await run(*OFFER, BRIDGE_URL=url)
        assert offered.code == 0
        assert [reply["subtopic"] for reply in offered.replies] == ["Accepted", "Completed"]
        call = offered.replies[1]["data"]["call"]
        assert (await listening.message())["data"]["call"]["event"] == "alerting"

        answer = f'{{"MediaAddress":"5069","CallID":"{call}"}}'
        answered = await run("publish", "Cisco/InboundCall/SetANSWER", "-", "--wait", "--url", url, given=answer)
        assert answered.code == 0
        assert (await listening.message())["subtopic"] == "SetANSWER"

        consulted = await run("consult", "--call", call, "--to", "5070", "--url", url)
        assert consulted.code == 0
        lines = consulted.out.splitlines()
        assert lines[0] == f"extension 5069 consults 5070 about call {call}"
        assert lines[1] == f"  call {call}: held"
        assert lines[-2].endswith(": ringing")
        assert lines[-1].startswith("completed: the consult call to 5070 is ")

        again = await run("consult", "--call", call, "--to", "5070", "--url", url)
        assert again.code == 1
        assert again.err.startswith("refused (illegal_state): ")
        assert "allowed now: " in again.err
        assert "SetRETRIEVE" in again.err

        listening.interrupt()
        assert (await listening.finished()).code == 0
        bridge.process.send_signal(signal.SIGTERM)
        assert (await bridge.finished()).code == 0


async def test_consult_that_fails_or_finds_nothing(live: BackgroundBridge) -> None:
    call = (await run(*OFFER, BRIDGE_URL=live.url)).replies[1]["data"]["call"]
    data = f'{{"MediaAddress":"5069","CallID":"{call}"}}'
    await run("publish", "Cisco/InboundCall/SetANSWER", data, "--wait", BRIDGE_URL=live.url)
    busy = await run("consult", "--call", call, "--to", "5090", BRIDGE_URL=live.url)
    assert (busy.code, "(BUSY)" in busy.err) == (1, True), busy.err
    unknown = await run("consult", "--call", "99", "--to", "5070", BRIDGE_URL=live.url)
    assert (unknown.code, f"calls: {call}" in unknown.err) == (1, True), unknown.err
    nobody = await run("consult", "--call", call, "--to", "5070", "--workspace", "nobody", BRIDGE_URL=live.url)
    assert (nobody.code, nobody.err) == (1, "nobody is signed in at workspace nobody, so it has no calls\n")


async def test_publish_tells_a_refusal_as_the_bridge_put_it(live: BackgroundBridge) -> None:
    data = '{"MediaAddress ":"5069","CallID":"16786021"}'
    refused = await run("publish", "Cisco/InboundCall/SetCONSULT", data, "--id", "c1", BRIDGE_URL=live.url)
    (reply,) = refused.replies
    assert refused.code == 1
    assert (reply["subtopic"], reply["correlationId"], reply["data"]["code"]) == ("Rejected", "c1", "invalid_data")
    assert reply["data"]["errors"][0]["pointer"] == "/data/toAddress"


async def test_publish_wait_for_what_has_no_outcome(live: BackgroundBridge) -> None:
    sent = await run("publish", "Notes/Note/Added", '"héllo"', "--wait", "--app", "notes", BRIDGE_URL=live.url)
    assert sent.code == 0
    assert [reply["subtopic"] for reply in sent.replies] == ["Accepted"]
    assert "is no command" in sent.err


async def test_publish_wait_for_a_command_that_fails() -> None:
    async with (
        scripted_bridge() as script,
        program("publish", *OFFER[1:], "--id", "c1", BRIDGE_URL=script.url) as sending,
    ):
        talk = await script.conversation()
        await talk.begin()
        await talk.accept(await talk.hear_about("Offer"))
        await talk.send(outcome("c1", 2, "Failed", errorType="Generic Error", message="no"))
        sent = await sending.finished()
    assert sent.code == 1
    assert [reply["subtopic"] for reply in sent.replies] == ["Accepted", "Failed"]


async def test_publish_gives_up_waiting() -> None:
    async with scripted_bridge() as script, program(*OFFER, "--timeout", "0.05", BRIDGE_URL=script.url) as sending:
        await (await script.conversation()).begin()
        sent = await sending.finished()
    assert sent.code == 1
    assert "no outcome came within 0.05 s" in sent.err


@pytest.mark.parametrize("command", [("listen",), OFFER, ("consult", "--call", "1", "--to", "5070")])
async def test_without_a_bridge_it_says_what_to_do(command: tuple[str, ...]) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{reserved.getsockname()[1]}/ws"
        ended = await run(*command, BRIDGE_URL=url)
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.splitlines() == [
        f"error: cannot connect to {url}: nobody listens there",
        "is the bridge running? start it with: workspace-bridge serve",
    ]


async def test_listen_refused_by_the_bridge_does_not_advise_to_start_it() -> None:
    async with scripted_bridge() as script, program("listen", BRIDGE_URL=script.url) as listening:
        await (await script.conversation()).close(4403, "not this workspace")
        ended = await listening.finished()
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert "4403 forbidden: not this workspace" in ended.err


async def test_listen_with_a_bad_pattern(live: BackgroundBridge) -> None:
    ended = await run("listen", "a/b/c/d", BRIDGE_URL=live.url)
    assert (ended.code, ended.err) == (2, "error: a pattern has at most three segments; this has 4\n")


async def test_listen_tells_a_lost_connection_and_what_is_lost_for_good() -> None:
    async with scripted_bridge() as script, program("listen", "Notes", BRIDGE_URL=script.url) as listening:
        talk = await script.conversation()
        await talk.begin()
        await talk.subscribed(7)
        talk.cut()
        await listening.complaint(r"the connection was lost; connecting again in \d\.\d s")
        again = await script.conversation()
        await again.hello()
        await again.subscribed(900, recovered=False, messages=[])
        await listening.complaint("connected again")
        await listening.complaint(r"after offset 7 could not be recovered \(too much was missed\)")
        await again.close(1000, "enough")
        ended = await listening.finished()
    assert (ended.code, ended.err) == (1, "error: the bridge ended the session: 1000 normal closure: enough\n")


async def test_listen_ends_quietly_when_its_reader_leaves(live: BackgroundBridge) -> None:
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "listen", stdout=writing, stderr=asyncio.subprocess.PIPE, env=environment(BRIDGE_URL=live.url)
    )
    os.close(writing)
    first = await asyncio.to_thread(os.read, reading, 10)
    os.close(reading)
    _, err = await asyncio.wait_for(process.communicate(), 20)
    assert first == b'{"channel"'
    assert (process.returncode, err) == (0, b"")


async def test_serve_on_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = await run("serve", "--port", str(port), BRIDGE_MAX_SESSIONS="100")
    assert ended.code == 1
    assert ended.err.startswith(f"error: port {port} on 127.0.0.1 is in use: stop what listens there, or choose ")
    assert ended.err.count("\n") == 1


async def test_serve_greets_a_person_on_a_terminal() -> None:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "serve", "--port", "0", stdout=theirs, stderr=asyncio.subprocess.DEVNULL, env=environment()
    )
    os.close(theirs)
    text = b""
    while b"Ctrl-C" not in text:
        text += await asyncio.wait_for(asyncio.to_thread(os.read, ours, 1000), 20)
    process.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(process.wait(), 20) == 0
    os.close(ours)
    for part in (b"Demo page  http://127.0.0.1:", b"WebSocket  ws://127.0.0.1:", b"Adapter    simulator"):
        assert part in text
