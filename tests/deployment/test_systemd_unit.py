"""The unit for systemd: what `systemd-analyze` says of it, and how it fits the settings."""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.server.files import SPARE_FILES
from bridge.server.pulse import CUT_SECONDS
from bridge.settings import Settings
from tests.command_line.terminal import COMMAND, environment

UNIT = Path(__file__).parents[2] / "docs" / "deployment" / "workspace-bridge.service"
PROGRAM = "/opt/workspace-bridge/bin/workspace-bridge"
PR_SET_MDWE = 65
EXPOSURE = 20
"""Tenths, of 100 at most; below 20 systemd calls a service OK."""


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="systemd is Linux's")


@pytest.fixture(scope="module")
def service() -> dict[str, str]:
    """Give the section of the service; of a repeated name the last line."""
    section = UNIT.read_text(encoding="utf-8").partition("[Service]\n")[2].partition("[Install]\n")[0]
    return dict(re.findall(r"^(\w+)=(.*)$", section, re.MULTILINE))


def default(name: str) -> float:
    return float(Settings.model_fields[name].default)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Give a copy of the unit whose program exists."""
    text = UNIT.read_text(encoding="utf-8")
    assert text.count(f"={PROGRAM} serve --config /etc/workspace-bridge/bridge.toml") == 2
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace(f"={PROGRAM} ", f"={shutil.which('true')} "))
    return copy


def analyze(*arguments: str | Path) -> tuple[int, str]:
    """Give the exit code, and what it complains of."""
    program = shutil.which("systemd-analyze")
    assert program is not None, "Debian's package systemd has it"
    done = subprocess.run(  # noqa: S603 our own unit
        [program, *arguments], capture_output=True, timeout=60, check=False, text=True
    )
    return done.returncode, done.stderr


def test_systemd_finds_nothing_wrong(installed: Path) -> None:
    assert analyze("verify", "--man=no", "--recursive-errors=no", installed) == (0, "")


def test_systemd_would_find_a_misspelt_name(installed: Path) -> None:
    installed.write_text(installed.read_text().replace("NoNewPrivileges", "NoNewPrivilege"))
    code, complaint = analyze("verify", "--man=no", "--recursive-errors=no", installed)
    assert (code, "Unknown key 'NoNewPrivilege'" in complaint) == (1, True)


def test_exposure_is_what_systemd_calls_ok(installed: Path) -> None:
    assert analyze("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", installed)[0] == 0


def test_stop_is_given_more_time_than_it_takes(service: dict[str, str]) -> None:
    assert int(service["TimeoutStopSec"]) >= default("drain_seconds") + 2 * CUT_SECONDS


def test_files_are_enough_for_every_connection_that_is_allowed(service: dict[str, str]) -> None:
    wanted = default("max_sessions") + default("pending_connections") + SPARE_FILES
    assert int(service["LimitNOFILE"]) >= wanted


def test_audit_file_is_in_the_only_folder_that_may_be_written(service: dict[str, str]) -> None:
    assert f"BRIDGE_AUDIT_FILE=%L/{service['LogsDirectory']}/" in UNIT.read_text("utf-8")
    assert service["ProtectSystem"] == "strict"
    assert not {"StateDirectory", "ReadWritePaths"} & set(service)


def test_no_secret_stands_in_the_unit_itself() -> None:
    lines = [line for line in UNIT.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert not [line for line in lines if "SECRET" in line or "TOKEN" in line]


def forbid_writable_code() -> None:
    """Do what ``MemoryDenyWriteExecute=`` does."""
    if ctypes.CDLL(None).prctl(PR_SET_MDWE, 1, 0, 0, 0):
        os._exit(77)


def test_bridge_needs_no_memory_that_is_writable_and_executable() -> None:
    process = subprocess.Popen(  # noqa: S603 our own command
        [*COMMAND, "serve", "--port", "0"],
        preexec_fn=forbid_writable_code,  # noqa: PLW1509 only one system call
        env=environment(BRIDGE_MAX_SESSIONS="100"),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    with process.stderr:
        said = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        said += process.stderr.read()
    code = process.wait(20)
    if code == 77:
        pytest.skip("needs Linux 6.3")
    assert (code, '"event":"started"' in said) == (0, True), said
