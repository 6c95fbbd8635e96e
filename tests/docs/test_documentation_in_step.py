"""What the documentation says of the code is so: tables, diagrams, settings, codes, metrics, examples."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.app import Bridge
from bridge.calls.simulator.arguments import CALL_VARIABLE_BYTES, ECC_BYTES, FAILING
from bridge.calls.simulator.exchange import CALLS_PER_AGENT, FIRST_ID
from bridge.calls.simulator.roster import DEMO_EXTENSION, DEMO_WORKSPACE
from bridge.calls.simulator.switch import PARTIES_PER_CALL
from bridge.calls.states import mermaid
from bridge.protocol.errors import REFUSALS, TERMINAL_CLOSE_CODES, CloseCode, Code
from bridge.settings import CLIENT_NAMES, PREFIX, Settings, load
from tests.docs import generated_docs

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("part", "make"), generated_docs.PARTS.items(), ids=lambda part: "-".join(part) if isinstance(part, tuple) else ""
)
def test_generated_part_is_what_the_code_gives(part: tuple[str, str], make: Callable[[], str]) -> None:
    assert generated_docs.stored(*part) == make(), "run `python -m tests.docs.generated_docs`"


def test_architecture_draws_the_state_table() -> None:
    assert f"```mermaid\n{mermaid()}```" in page("docs/architecture.md")


@pytest.mark.parametrize("name", Settings.model_fields)
def test_setting_is_documented_for_operators(name: str) -> None:
    assert f"| `BRIDGE_{name.upper()}` |" in page("docs/operations.md")


def test_settings_that_the_documentation_names_exist() -> None:
    known = {name.upper() for name in Settings.model_fields} | {name.removeprefix(PREFIX) for name in CLIENT_NAMES}
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("**/*.md")]
    named = {name for page in pages for name in re.findall(r"\bBRIDGE_([A-Z_]+[A-Z])\b", page.read_text("utf-8"))}
    assert named <= known


@pytest.mark.parametrize("name", ["docs/wire-protocol.md", "docs/errors/README.md"])
def test_table_of_refusals_tells_status_and_whether_to_try_again(name: str) -> None:
    rows = re.findall(r"^\| \[`(\w+)`\]\([^)]*\) \| (\d+) \| (yes|no) \|", page(name), re.MULTILINE)
    assert rows == [(code.value, str(it.status), "yes" if it.temporary else "no") for code, it in REFUSALS.items()]
    assert [code for code, _, _ in rows] == [code.value for code in Code], "in the order of the checks"


def test_close_codes_are_all_documented_with_whether_to_reconnect() -> None:
    rows = re.findall(r"^\| (\d{4}) \| ([^|]+) \| .* \| (yes|no)[^|]* \|$", page("docs/close-codes.md"), re.MULTILINE)
    assert [int(code) for code, _, _ in rows] == [code.value for code in CloseCode]
    assert {int(code) for code, _, reconnect in rows if reconnect == "no"} == set(TERMINAL_CLOSE_CODES)


def test_metrics_are_all_documented() -> None:
    text = Bridge(load(environment={})).metrics().decode()
    names = {name for name in re.findall(r"^# TYPE (\w+)", text, re.MULTILINE) if not name.endswith("_created")}
    documented = set(re.findall(r"`(bridge_\w+)[`{]", page("docs/operations.md")))
    assert documented == names


def test_log_events_are_all_documented() -> None:
    sources = "\n".join(source.read_text("utf-8") for source in (ROOT / "bridge").rglob("*.py"))
    events = set(re.findall(r"\blog\.(?:debug|info|warning|error|exception)\(\s*\"(\w+)\"", sources))
    assert events
    assert events <= set(re.findall(r"`(\w+)`", page("docs/operations.md")))


def test_simulator_page_tells_the_numbers_that_there_are() -> None:
    text = page("docs/simulator.md")
    assert f"| `{DEMO_WORKSPACE}` | `demo` | `{DEMO_EXTENSION}` |" in text
    for number, cause in FAILING.items():
        assert re.search(rf"\| `{number}` \|.*`{cause}`", text)
    for bound in (CALL_VARIABLE_BYTES, ECC_BYTES, CALLS_PER_AGENT, PARTIES_PER_CALL):
        assert str(bound) in text


def test_tour_of_the_readme_uses_the_first_call_of_a_fresh_bridge() -> None:
    assert set(re.findall(r"\b1678\d{4}\b", page("README.md"))) == {str(FIRST_ID)}
