"""The SDK: its own tests on Node's runner, its types, its size as served, and the bridge in earnest."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest

from bridge.protocol import typescript
from bridge.protocol.errors import TERMINAL_CLOSE_CODES
from bridge.testing import BackgroundBridge

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SDK = ROOT / "sdk"
SIZE_LIMIT = 8_000
"""Bytes of the compressed file as the bridge serves it."""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    assert found, "node is missing: `make` installs it"
    assert (HERE / "node_modules").is_dir(), "run `npm ci --prefix tests/sdk`, or `make`"
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)  # noqa: S603 ours
    assert done.returncode == 0, done.stdout + done.stderr


SUITES = sorted(str(path.relative_to(HERE)) for folder in (HERE, HERE / "gateway") for path in folder.glob("*.test.js"))


@pytest.mark.parametrize("name", SUITES)
def test_on_nodes_test_runner(node: str, name: str) -> None:
    run(node, "--test", str(HERE / name))


@pytest.mark.parametrize("project", ["tsconfig.json", "demo_page.tsconfig.json"])
def test_types_of_the_sources_of_a_widget_and_of_the_demo_page(node: str, project: str) -> None:
    run(node, str(HERE / "node_modules" / "typescript" / "bin" / "tsc"), "-p", str(HERE / project))


def test_types_of_the_messages_are_what_the_models_give() -> None:
    assert (SDK / "messages.d.ts").read_text(encoding="utf-8") == typescript.module(), "run `make schemas`"


def test_final_close_codes_are_those_of_the_protocol() -> None:
    found = re.search(r"const FINAL = \[(.*?)\]", (SDK / "closing.js").read_text(encoding="utf-8"))
    assert found is not None
    assert {int(code) for code in found[1].split(",")} == {int(code) for code in TERMINAL_CLOSE_CODES}


def test_package_has_the_version_of_the_bridge() -> None:
    package = json.loads((SDK / "package.json").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert package["version"] == project["project"]["version"]
    assert "dependencies" not in package


def test_size_as_served() -> None:
    with BackgroundBridge() as bridge:
        url = f"{bridge.http_url.rstrip('/')}/sdk/workspace-bridge.js"
        with httpx.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
            packed = b"".join(answer.iter_raw())
    served = gzip.decompress(packed).decode()
    assert re.findall(r"^\s*(?:import|export)\b[^;]*? from .*", served, re.MULTILINE) == []  # nothing more to load
    assert len(packed) < SIZE_LIMIT


def test_real_bridge_recovers_after_a_cut_and_says_so_after_a_restart(node: str) -> None:
    with BackgroundBridge() as first:
        command = [node, str(HERE / "real.mjs"), first.url]
        script = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 ours
        assert script.stdout is not None
        begun = script.stdout.readline()
    with BackgroundBridge(port=first.port):
        _, complaints = script.communicate(timeout=60)
    assert (begun, script.returncode) == ("restart me\n", 0), complaints


def test_real_bridge_with_tokens_goes_on_with_newer_ones_and_holds_a_host_page_to_its_names(node: str) -> None:
    secret = "of-32-characters-or-more-for-tests"
    with BackgroundBridge(jwt_secret=secret) as bridge:
        run(node, str(HERE / "tokens.mjs"), bridge.url, secret)
