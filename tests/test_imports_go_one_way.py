"""The rooms of the house: each may know only those that the architecture lets it know, type annotations included."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(__file__).parent.parent / "bridge"

ALLOWED: dict[str, set[str]] = {
    "protocol": set(),
    "broker": {"protocol"},
    "settings": {"protocol", "broker"},
    "calls": {"protocol", "broker", "settings"},
    "server": {"protocol", "broker", "settings"},
    "client": {"protocol"},
    "finesse_simulator": {"protocol", "calls"},
    "telemetry": {"protocol", "broker", "calls", "server", "settings"},
    "audited": {"protocol", "broker", "calls", "server", "telemetry"},
    "app": {"protocol", "broker", "calls", "server", "settings", "telemetry", "audited"},
    "testing": {"protocol", "broker", "calls", "settings", "app", "client"},
    "command_line": {"protocol", "broker", "server", "settings", "telemetry", "app", "client", "finesse_simulator"},
    "cli": {"protocol", "settings", "app", "client", "command_line"},
}
"""Room to the rooms that it may import from, beside itself. ``bridge`` itself (the version) is for everyone."""


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str | None:
    """Name the room in which a module of ours is; ``None`` for ``bridge`` itself and for what is not ours."""
    parts = module.split(".")
    return parts[1] if parts[0] == "bridge" and len(parts) > 1 else None


def imported(source: str, module: str, *, is_package: bool) -> Iterator[str]:
    """Name every module that a source imports, wherever the import stands; names that may be modules count too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: len(module.split(".")) - node.level + is_package]
                base = ".".join([*above, *([base] if base else [])])
            yield from ([f"bridge.{alias.name}" for alias in node.names] if base == "bridge" else [base])


def rooms_known_by(path: Path) -> set[str]:
    names = imported(path.read_text(), module_name(path), is_package=path.name == "__init__.py")
    known = {room(name) for name in names} & set(ALLOWED)
    return {name for name in known if name is not None}


@pytest.mark.parametrize("path", modules(), ids=module_name)
def test_module_imports_from_rooms_that_it_may_know_only(path: Path) -> None:
    here = room(module_name(path))
    allowed = {here, *ALLOWED.get(here, ())} if here is not None else set()

    assert rooms_known_by(path) <= allowed


def test_every_room_has_its_rule() -> None:
    assert {found for path in modules() if (found := room(module_name(path))) is not None} <= set(ALLOWED)


def test_rules_have_no_circle() -> None:
    settled: set[str] = set()
    while new := {name for name, may in ALLOWED.items() if may <= settled} - settled:
        settled |= new

    assert settled == set(ALLOWED)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import bridge.calls.model", {"bridge.calls.model"}),
        ("from bridge.calls import model", {"bridge.calls"}),
        ("from bridge import calls", {"bridge.calls"}),
        ("from bridge.calls.model import Call", {"bridge.calls.model"}),
        ("from . import gate", {"bridge.broker"}),
        ("from .gate import Gate", {"bridge.broker.gate"}),
        ("from ..calls import model", {"bridge.calls"}),
        ("from .. import calls", {"bridge.calls"}),
        ("if TYPE_CHECKING:\n    from bridge.calls import model", {"bridge.calls"}),
        ("def f():\n    import bridge.app", {"bridge.app"}),
    ],
)
def test_imports_are_found_however_they_are_written(source: str, expected: set[str]) -> None:
    assert set(imported(source, "bridge.broker.broker", is_package=False)) == expected


def test_imports_of_a_package_are_counted_from_the_package() -> None:
    assert set(imported("from .gate import Gate", "bridge.broker", is_package=True)) == {"bridge.broker.gate"}
