"""The shipped helpers: a desk to act at, a bridge in a thread, and errors that say what happened."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import bridge.testing
from bridge.client import RejectedError, connect
from bridge.testing import BackgroundBridge, Desk, open_desk, running_bridge

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bridge.app import Bridge

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def sat_down() -> AsyncIterator[Desk]:
    async with running_bridge() as running, open_desk(running.url) as desk:
        yield desk


async def test_desk_consults_and_transfers(sat_down: Desk) -> None:
    desk = sat_down
    call = await desk.offer("+15550100", variables={"callVariable1": "gold"})
    assert desk.calls[call]["event"] == "alerting"
    await desk.answer(call)
    consult = await desk.consult(call, to="5070")
    assert desk.calls[call]["event"] == "held"
    await desk.party_answer("5070")
    assert desk.calls[consult]["event"] == "active"
    await desk.transfer(call)
    assert desk.calls == {}


async def test_desk_does_everything_an_agent_can(sat_down: Desk) -> None:
    desk = sat_down
    call = await desk.make_call("5071")
    assert desk.calls[call]["event"] == "initiated"
    await desk.party_answer("5071")
    await desk.hold(call)
    await desk.retrieve(call)
    await desk.send_dtmf(call, "12#")
    consult = await desk.consult(call, to="5072")
    await desk.party_answer("5072")
    await desk.conference(call)
    parties = desk.calls[call]["ResponseActual"]["dialog"]["participants"]
    assert {party["mediaAddress"] for party in parties} == {"5069", "5071", "5072"}
    assert consult not in desk.calls
    await desk.party_drop("5072", call)
    await desk.transfer(call, to="5073")
    assert desk.calls == {}
    other = await desk.offer("+15550101")
    await desk.answer(other)
    await desk.party_drop("+15550101")
    assert desk.calls == {}
    last = await desk.offer("+15550102")
    await desk.answer(last)
    await desk.drop(last)
    assert desk.calls == {}


async def test_desk_raises_what_the_bridge_refuses(sat_down: Desk) -> None:
    with pytest.raises(RejectedError, match="unknown_call"):
        await sat_down.answer("99")


async def test_desk_of_a_workspace_without_agent() -> None:
    async with running_bridge() as running, open_desk(running.url, workspace="empty") as desk:
        with pytest.raises(LookupError, match="nobody is signed in at workspace empty"):
            await desk.answer("1")


async def test_expect_goes_on_from_the_message_expected_last(sat_down: Desk) -> None:
    for text in ("one", "two", "three"):
        await sat_down.client.publish("Notes/Note/Added", text)
    assert (await sat_down.expect("Notes")).data == "one"
    assert (await sat_down.expect(lambda message: message.data == "three" or message.data["x"])).data == "three"
    with pytest.raises(AssertionError, match="what came instead:\n  nothing"):
        await sat_down.expect("Notes", timeout=0.01)


async def test_expect_waits_for_what_has_not_come_yet(sat_down: Desk) -> None:
    waiting = asyncio.create_task(sat_down.expect("Notes/Note/Added"))
    await sat_down.client.publish("Other/Note/Added", 1)
    assert not waiting.done()
    await sat_down.client.publish("Notes/Note/Added", 2)
    assert (await waiting).data == 2


async def test_expect_in_vain_lists_what_came(sat_down: Desk) -> None:
    for number in range(30):
        await sat_down.client.publish("Notes/Note/Added", f"text {number}")
    with pytest.raises(AssertionError) as caught:
        await sat_down.expect("Notes/Note/Removed", timeout=0.01)
    lines = str(caught.value).splitlines()
    assert lines[0] == "Notes/Note/Removed did not come within 0.01 s; what came instead:"
    assert lines[1].strip() == "(12 earlier ones)"
    assert lines[-1].endswith("Notes/Note/Added text 29")


async def test_running_bridge_takes_settings_and_ignores_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_OPEN_CHANNELS", "true")
    async with running_bridge(open_channels=False) as running, connect(running.url) as client:
        with pytest.raises(RejectedError, match="unknown_address"):
            await client.publish("Notes/Note/Added")


def test_background_bridge_serves_any_loop_and_runs_calls_in_its_own() -> None:
    with BackgroundBridge() as running:
        assert running.url == f"ws://127.0.0.1:{running.port}/ws"
        assert running.http_url == f"http://127.0.0.1:{running.port}"
        sent = asyncio.run(_publish(running.url))
        assert running.call(_offset) == sent


async def _publish(url: str) -> int:
    async with connect(url) as client:
        return (await client.publish("Notes/Note/Added")).offset


async def _offset(running: Bridge) -> int:
    room = running.broker.workspaces.find("demo")
    return room.offset if room else -1


def test_background_bridge_that_cannot_start_says_why() -> None:
    with BackgroundBridge() as first, pytest.raises(OSError, match=str(first.port)), BackgroundBridge(port=first.port):
        pass


# The plugin


def example() -> str:
    """The example of the package's text, as a file."""
    text = (bridge.testing.__doc__ or "").split("complete::", 1)[1].split("Without pytest::", 1)[0]
    return "\n".join(line.removeprefix("    ") for line in text.splitlines())


def run_pytest(folder: Path, *options: str, plugins: tuple[str, ...] = ("pytest_asyncio.plugin",)) -> str:
    """Run a developer's own suite with the plugin, whether this project is installed or not."""
    scope = "asyncio_default_fixture_loop_scope = function"
    (folder / "pytest.ini").write_text(f"[pytest]\nfilterwarnings = error\n{scope if plugins else ''}\n")
    chosen = [part for plugin in (*plugins, "bridge.testing") for part in ("-p", plugin)]
    done = subprocess.run(  # noqa: S603 our own Python
        [sys.executable, "-m", "pytest", "-q", *chosen, *options],
        cwd=folder,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "BRIDGE_STRICT": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["auto", "strict"])
def test_the_documented_example_passes(tmp_path: Path, mode: str) -> None:
    (tmp_path / "test_example.py").write_text(example())
    assert "1 passed" in run_pytest(tmp_path, f"--asyncio-mode={mode}")


def test_the_documented_example_fails_when_the_gadget_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "test_example.py").write_text(example().replace("{caller} rings", "{caller} calls"))
    assert "1 failed" in run_pytest(tmp_path)


def test_fixtures_can_be_configured_and_make_clients(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        """
import pytest
from bridge.client import RejectedError


@pytest.fixture
def bridge_settings():
    return {"open_channels": False}


@pytest.mark.asyncio
async def test_closed_channels(bridge_client):
    one, other = await bridge_client(app="one"), await bridge_client(workspace="5071")
    assert other.extension == "5071"
    with pytest.raises(RejectedError, match="unknown_address"):
        await one.publish("Notes/Note/Added")
"""
    )
    assert "1 passed" in run_pytest(tmp_path)


def test_the_bridge_alone_needs_no_plugin_for_asyncio(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        """
from urllib.request import urlopen


def test_health(bridge):
    assert urlopen(bridge.http_url + "/healthz").status == 200
"""
    )
    assert "1 passed" in run_pytest(tmp_path, plugins=())


def test_the_plugin_is_registered_and_cheap() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"workspace_bridge": "bridge.testing"}
    code = "import bridge.testing, sys; print([m for m in sys.modules if m.split('.')[0] in ('pydantic', 'uvicorn')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 our own Python
    assert done.stdout == "[]\n"


def test_the_package_works_without_pytest() -> None:
    code = "import sys; sys.modules['pytest'] = None; from bridge.testing import running_bridge; print('fine')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 our own Python
    assert done.stdout == "fine\n"


def test_the_package_has_what_it_promises_and_nothing_else() -> None:
    module = importlib.import_module("bridge.testing")
    assert all(getattr(module, name) for name in module.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = module.nothing
