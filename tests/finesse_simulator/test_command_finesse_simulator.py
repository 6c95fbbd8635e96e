"""The command ``finesse-simulator`` from its start to its end, as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.command_line.terminal import LIMIT, program, run

if TYPE_CHECKING:
    from tests.command_line.terminal import Program

COMMAND = "finesse-simulator"


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


async def gone(pids: list[int]) -> None:
    """Wait until these processes are no more."""
    async with asyncio.timeout(LIMIT):
        while any(_alive(pid) for pid in pids):  # noqa: ASYNC110 nobody tells of other people's children
            await asyncio.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


async def ready(running: Program) -> dict[str, Any]:
    return await running.message()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_command_says_where_it_is_and_leaves_nothing_behind(how: signal.Signals) -> None:
    async with program(COMMAND, "--json", "--pair", "--agents", "2", "--profile", "ccx") as running:
        told = await ready(running)
        started = children(running.process.pid)
        context = ssl.create_default_context(cafile=told["ca_file"])
        async with httpx.AsyncClient(verify=context) as client:
            infos = [(await client.get(f"{url}/finesse/api/SystemInfo")).text for url in told["rest"]]
            offer = await client.post(f"{told['control']}/offer", json={"to": "1001001", "from": "1"})
        running.process.send_signal(how)
        finished = await running.finished()

    assert (finished.code, finished.out, finished.err) == (0, "", "")
    assert len(started) == 2
    await gone(started)
    assert not Path(told["ca_file"]).parent.exists()
    assert set(told) == {"rest", "xmpp", "xmpp_nodes", "xmpp_tcp", "ca_file", "agents", "control"}
    assert all("<deploymentType>UCCX</deploymentType>" in info for info in infos)
    assert told["xmpp"] == told["xmpp_nodes"][0]
    assert [len(told[name]) for name in ("rest", "xmpp_nodes", "xmpp_tcp", "agents")] == [2, 2, 2, 2]
    assert [agent["username"] for agent in told["agents"]] == ["1001001", "1001002"]
    assert told["agents"][0].keys() == {"username", "password", "extension", "token"}
    assert offer.status_code == 409  # nobody is signed in


async def test_children_do_not_outlive_a_killed_command(tmp_path: Path) -> None:
    async with program(COMMAND, "--json", "--directory", str(tmp_path)) as running:
        await ready(running)
        started = children(running.process.pid)
        running.process.kill()
        await running.process.wait()

    assert len(started) == 1
    await gone(started)


async def test_command_tells_people_how_to_start_a_bridge_at_it() -> None:
    async with program(COMMAND, "--agents", "7") as running:
        lines = []
        while "Ctrl-C stops it." not in lines:
            lines.append(await running.line())
        running.interrupt()
        finished = await running.finished()

    text = "\n".join(lines)
    assert finished.code == 0
    for part in ("BRIDGE_FINESSE_URLS=", "BRIDGE_FINESSE_XMPP_URLS=", "BRIDGE_FINESSE_CA_FILE=", "--adapter finesse"):
        assert part in text
    assert "and 2 more" in text


async def test_given_ports_and_directory_are_used(tmp_path: Path) -> None:
    first = 20_000 + os.getpid() % 10_000
    async with program(COMMAND, "--json", "--port", str(first), "--directory", str(tmp_path)) as running:
        told = await ready(running)
        second = await run(COMMAND, "--port", str(first))
        running.process.terminate()
        await running.finished()

    assert told["rest"] == [f"https://localhost:{first}"]
    assert told["xmpp_nodes"] == [f"wss://localhost:{first + 1}/ws/"]
    assert told["xmpp_tcp"] == [f"xmpps://localhost:{first + 2}"]
    assert told["control"] == f"http://127.0.0.1:{first + 6}"
    assert Path(told["ca_file"]) in {*tmp_path.rglob("*.pem")}  # noqa: ASYNC240 a directory of ours
    assert second.code == 1
    assert second.err.startswith("error: a port is in use")
    assert second.err.count("\n") == 1


async def test_missing_prosody_is_said_in_one_line() -> None:
    finished = await run(COMMAND, PATH="/nonexistent")

    assert finished.code == 1
    assert finished.err == "error: Prosody, the XMPP server, is not installed: apt-get install prosody\n"


@pytest.mark.parametrize("missing", ["slixmpp", "trustme"])
async def test_missing_package_is_said_in_one_line(tmp_path: Path, missing: str) -> None:
    (tmp_path / f"{missing}.py").write_text(f"raise ModuleNotFoundError('gone', name={missing!r})\n")
    finished = await run(COMMAND, PYTHONPATH=str(tmp_path))

    assert finished.code == 1
    assert finished.err.startswith(f"error: {missing} is not installed: pip install")
    assert finished.err.count("\n") == 1
