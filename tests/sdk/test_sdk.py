"""The SDK: its own tests on Node's runner, its types, its size as served, and the bridge in earnest."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from bridge.protocol import typescript
from bridge.protocol.errors import TERMINAL_CLOSE_CODES
from bridge.testing import BackgroundBridge

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SDK = ROOT / "sdk"
SIZE_LIMIT = 16 * 1024
"""The aim is 8 KiB: it may shrink, and must not grow."""


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    assert found, "node is missing: `make` installs it"
    assert (HERE / "node_modules").is_dir(), "run `npm ci --prefix tests/sdk`, or `make`"
    return found


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)  # noqa: S603 ours
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(path.name for path in HERE.glob("*.test.js")))
def test_on_nodes_test_runner(node: str, name: str) -> None:
    run(node, "--test", str(HERE / name))


def test_types_of_the_sources_and_of_a_widget(node: str) -> None:
    run(node, str(HERE / "node_modules" / "typescript" / "bin" / "tsc"), "-p", str(HERE))


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


def statically_loaded(name: str, found: dict[str, bytes]) -> dict[str, bytes]:
    """Give what a browser loads for an import: the module itself, and all that it imports at its beginning."""
    if name not in found:
        found[name] = (SDK / name).read_bytes()
        imports = re.findall(r'^(?:import|export) [^;]*?"\./([a-z-]+\.js)";', found[name].decode(), re.MULTILINE)
        for other in imports:
            statically_loaded(other, found)
    return found


def test_size_as_served() -> None:
    modules = statically_loaded("workspace-bridge.js", {})
    size = sum(len(gzip.compress(source, 9)) for source in modules.values())
    assert "shared.js" not in modules
    assert size < SIZE_LIMIT, f"{size} bytes: {sorted(modules)}"


def test_real_bridge_recovers_after_a_cut_and_says_so_after_a_restart(node: str) -> None:
    with BackgroundBridge() as first:
        command = [node, str(HERE / "real.mjs"), first.url]
        script = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 ours
        assert script.stdout is not None
        begun = script.stdout.readline()
    with BackgroundBridge(port=first.port):
        _, complaints = script.communicate(timeout=60)
    assert (begun, script.returncode) == ("restart me\n", 0), complaints
