"""``finesse-demo`` as a person runs it: start it, sign in, let a customer call, stop it."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.client import CommandFailed, connect
from tests.command_line.terminal import Program, program, run

if TYPE_CHECKING:
    from bridge.client import BridgeClient


def prosody_of(process: asyncio.subprocess.Process) -> Path | None:
    """Find the XMPP server that it has started: its folder in ``/proc``, which is there as long as it lives."""
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()
    folders = [Path("/proc", child) for child in listed]
    return next((folder for folder in folders if b"prosody" in (folder / "cmdline").read_bytes()), None)


async def greeting(demo: Program) -> str:
    lines = [await demo.line()]
    while "Ctrl-C" not in lines[-1]:
        lines.append(await demo.line())
    return "\n".join(lines)


async def signed_in(client: BridgeClient, told: str) -> str:
    """Sign in as the first agent that the greeting names; return its extension."""
    found = re.search(r"^ +(1001001) +(\S+) +(\d+)$", told, re.MULTILINE)
    assert found is not None
    username, password, extension = found.groups()
    user = {"username": username, "password": password, "extension": extension}
    await client.command("Cisco/Agent/SetUserInfo", user)
    return extension


async def test_one_command_starts_all_that_a_consult_needs_and_ctrl_c_ends_it() -> None:
    async with program("finesse-demo", "--port", "0") as demo:
        told = await greeting(demo)
        page = re.search(r"Demo page +http://(127\.0\.0\.1:\d+)/", told)
        assert page is not None
        prosody = prosody_of(demo.process)
        assert prosody is not None
        async with connect(f"ws://{page[1]}/ws") as client:
            with pytest.raises(CommandFailed, match="Finesse refused"):
                await client.command(
                    "Cisco/Agent/SetUserInfo", {"username": "1001001", "password": "wrong", "extension": "1001001"}
                )
            extension = await signed_in(client, told)
            offered = await client.command("Simulator/Call/Offer", {"fromAddress": "+15550100"})
            on_call = {"MediaAddress": extension, "CallID": offered.call}
            await client.command("Cisco/InboundCall/SetANSWER", on_call)
            await client.command("Cisco/InboundCall/SetCONSULT", {**on_call, "toAddress": "5070"})
            with pytest.raises(CommandFailed, match="no call is ringing at 5071"):
                await client.command("Simulator/Party/Answer", {"address": "5071"})
            await client.command("Simulator/Party/Answer", {"address": "5070"})
            await client.command("Simulator/Party/Drop", {"address": "+15550100", "CallID": offered.call})
        demo.interrupt()
        ended = await demo.finished()
    assert (ended.code, ended.err) == (0, "")
    assert not prosody.exists()


async def test_ctrl_c_while_it_starts_leaves_nothing_behind() -> None:
    async with program("finesse-demo", "--port", "0") as demo:
        async with asyncio.timeout(20):
            while (prosody := prosody_of(demo.process)) is None:  # noqa: ASYNC110 another process is looked at
                await asyncio.sleep(0.01)
        demo.interrupt()
        ended = await demo.finished()
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    assert not prosody.exists()


async def test_a_port_in_use_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = await run("finesse-demo", "--port", str(taken.getsockname()[1]))
    assert (ended.code, ended.out) == (1, "")
    assert "error: the port is in use" in ended.err


async def test_a_misspelt_setting_is_told() -> None:
    ended = await run("finesse-demo", BRIDGE_PROT="1")
    assert ended.code == 2
    assert "BRIDGE_PROT is no setting" in ended.err


async def test_without_prosody_it_says_how_to_get_it(tmp_path: Path) -> None:
    ended = await run("finesse-demo", "--port", "0", PATH=str(tmp_path))
    assert ended.code == 1
    assert "apt-get install prosody" in ended.err
