"""Whatever a server does, its process and its files are gone afterwards, and its log has said why."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.load import LoadError
from benchmarks.processes import cpu_of, memory_of, tree
from benchmarks.server import Program, Server, free_port

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import sys; b = bytearray(32 << 20); print(1); sys.stdin.read()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print(1, flush=True)
time.sleep(60)
"""


def program(code: str, **fields: object) -> Program:
    return Program((sys.executable, "-c", code), **fields)  # type: ignore[arg-type]


def folder_of(server: Server) -> Path:
    """Find the folder of the file that is the last word of the command."""
    words = Path(f"/proc/{server.pid}/cmdline").read_text().rstrip("\0").split("\0")
    return Path(words[-1]).parent


async def test_program_that_ends_at_once_is_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LoadError, match="did not start"):
        async with Server(program("raise SystemExit('no licence')")):
            pass

    assert "no licence" in capsys.readouterr().err


async def test_program_that_ends_before_it_listens_is_no_server() -> None:
    with pytest.raises(LoadError, match="did not start"):
        async with Server(program("pass", port=free_port())):
            pass


async def test_program_that_does_not_exist_is_told() -> None:
    with pytest.raises(FileNotFoundError):
        async with Server(Program(("no-such-program",))):
            pass


async def test_configuration_is_written_where_the_command_finds_it_and_goes_afterwards() -> None:
    code = "import sys, pathlib, time; p = pathlib.Path(sys.argv[1]); print(p.read_text(), flush=True); time.sleep(60)"
    command = (sys.executable, "-c", code, "{folder}/port")

    async with Server(Program(command, files={"port": "4711"})) as server:
        folder = folder_of(server)
        assert server.port == 4711
        assert folder.exists()

    assert not folder.exists()


async def test_what_a_server_has_started_counts_as_its_own() -> None:
    async with Server(program(PARENT)) as server:
        members = tree(server.pid)

        assert len(members) == 2
        assert server.memory() > 32 << 20 > memory_of(server.pid)
        assert server.cpu() > cpu_of(server.pid)


async def test_server_runs_where_it_is_told_from_the_first_instruction_on() -> None:
    core = max(os.sched_getaffinity(0))
    code = "import os, time; print(*os.sched_getaffinity(0), flush=True); time.sleep(60)"

    async with Server(program(code), cores={core}) as server:
        assert server.port == core

    assert core in os.sched_getaffinity(0)


def test_process_that_has_ended_has_no_tree() -> None:
    assert tree(2**22 + 1) == []
