"""The examples of the documentation run, and do what the text says."""

from __future__ import annotations

import ast
import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridge.client import connect

if TYPE_CHECKING:
    import pytest

    from bridge.testing import BackgroundBridge, Desk

ROOT = Path(__file__).parents[2]


def source(page: str, name: str) -> str:
    """Give the Python example that stands behind a comment with its name."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.search(rf"<!-- {name} -->\n```python\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found.group(1)


def loaded(page: str, name: str) -> dict[str, Any]:
    """Run an example up to its last line, which would start it."""
    tree = ast.parse(source(page, name))
    assert ast.unparse(tree.body.pop()) == "asyncio.run(main())"
    namespace: dict[str, Any] = {}
    exec(compile(tree, page, "exec"), namespace)  # noqa: S102 our own documentation
    return namespace


async def test_python_gadget_of_the_readme_answers_a_call(bridge: BackgroundBridge, desk: Desk) -> None:
    example = loaded("README.md", "client")
    example["connect"] = lambda **more: connect(bridge.url, **more)
    gadget = asyncio.create_task(example["main"]())
    call = await desk.offer("+15550100")
    await desk.expect(lambda message: message.data["call"]["id"] == call and message.data["call"]["event"] == "active")
    gadget.cancel()


def test_tests_of_a_gadget_pass_as_they_are_shown(tmp_path: Path) -> None:
    (tmp_path / "test_gadget.py").write_text(source("docs/testing-gadgets.md", "test"), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 our own documentation
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


async def test_scripted_fault_makes_the_command_fail(capsys: pytest.CaptureFixture[str]) -> None:
    async with asyncio.timeout(20):
        await loaded("docs/testing-gadgets.md", "faults")["main"]()
    assert "the line is out of order" in capsys.readouterr().out


async def test_look_alike_is_started_as_the_documentation_shows(capsys: pytest.CaptureFixture[str]) -> None:
    async with asyncio.timeout(30):
        await loaded("docs/finesse.md", "look-alike")["main"]()
    assert "https://localhost:" in capsys.readouterr().out


def test_tour_of_the_readme_leads_to_its_end(bridge: BackgroundBridge) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    steps = [step for step in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) if "listen" not in step]
    environment = os.environ | {
        "BRIDGE_URL": bridge.url,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = ["bash", "-e", "-c", "".join(steps)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 our own README
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = [line for line in done.stdout.splitlines() if "Bridge" in line and "Completed" in line]
    assert "SetTRANSFER" in outcomes[-1]
