"""The example for containers. It is not built here: nothing but its structure is checked."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from bridge.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]

_known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "ENV", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}


@pytest.fixture(scope="module")
def instructions() -> list[tuple[str, str]]:
    """Give each instruction with its arguments, continued lines joined."""
    text = (ROOT / "docs" / "deployment" / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)).splitlines()
    found = [tuple(line.split(maxsplit=1)) for line in lines if line]
    assert {name for name, _ in found} == _known
    return found  # type: ignore[return-value]  # each has two parts, else the names would not be known ones


def arguments(instructions: list[tuple[str, str]], name: str) -> list[str]:
    return [rest for found, rest in instructions if found == name]


def test_everything_that_is_packed_is_copied_and_nothing_else(instructions: list[tuple[str, str]]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", project["project"]["readme"], *project["project"]["license-files"]}
    needed |= {*wheel["packages"], *wheel["force-include"]}
    copied = {source for line in arguments(instructions, "COPY")[:-1] for source in line.split()[:-1]}
    assert copied == needed
    assert all((ROOT / source).exists() for source in copied)


def test_it_runs_as_nobody_in_particular(instructions: list[tuple[str, str]]) -> None:
    names = [name for name, _ in instructions]
    (user,) = arguments(instructions, "USER")
    assert all(int(number) > 999 for number in user.split(":"))
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "RUN" not in names[names.index("USER") :]


def test_environment_holds_settings_and_no_secret(instructions: list[tuple[str, str]]) -> None:
    (line,) = arguments(instructions, "ENV")
    names = [pair.partition("=")[0] for pair in line.split()]
    set_here = {name.removeprefix(PREFIX).lower() for name in names if name.startswith(PREFIX)}
    assert set_here == {"host", "port", "log_format"}
    assert set_here <= set(Settings.model_fields)


def test_health_is_asked_at_the_port_that_is_served(instructions: list[tuple[str, str]]) -> None:
    (check,) = arguments(instructions, "HEALTHCHECK")
    command = json.loads(check.partition("CMD ")[2])
    compile(command[2], "HEALTHCHECK", "exec")
    (port,) = arguments(instructions, "EXPOSE")
    assert f"http://127.0.0.1:{port}/healthz" in command[2]
    assert f"{PREFIX}PORT={port}" in arguments(instructions, "ENV")[0]


def test_program_gets_the_signal_itself(instructions: list[tuple[str, str]]) -> None:
    """In the form of a list there is no shell in between."""
    assert json.loads(arguments(instructions, "ENTRYPOINT")[0]) == ["workspace-bridge"]
    assert json.loads(arguments(instructions, "CMD")[0]) == ["serve"]
    assert arguments(instructions, "STOPSIGNAL") == ["SIGTERM"]
