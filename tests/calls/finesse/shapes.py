"""The fixtures of Finesse's shapes: written by us, one thing in each."""

from __future__ import annotations

from pathlib import Path

from bridge.calls.finesse.xml import Element, parse

FIXTURES = Path(__file__).parent / "fixtures"


def fixture_names() -> list[str]:
    return sorted(path.name for path in FIXTURES.iterdir())


def fixture_bytes(name: str) -> bytes:
    return (FIXTURES / name).read_bytes()


def fixture(name: str) -> Element:
    return parse(fixture_bytes(f"{name}.xml"))
