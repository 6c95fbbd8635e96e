"""``workspace-bridge schemas``: write the generated schemas, or compare what is there with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.command_line.exits import Exit, put, stop
from bridge.protocol import typescript
from bridge.protocol.schemas import files

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, types: Path | None = None) -> None:
    """Write every file that is missing or differs, and the TypeScript types; exit 1 where that cannot be done."""
    wanted = files()
    try:
        different = [name for name, content in wanted.items() if _content(folder / name) != content]
        for name in different:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(wanted[name])
            put(f"wrote {name}")
        if types is not None:
            types.write_bytes(typescript.module().encode())
    except OSError as error:
        stop(Exit.REFUSED, f"error: cannot write {error.filename}: {error.strerror}")
    put(f"{len(wanted)} schemas in {folder}, {len(different)} of them written")


def check(folder: Path, types: Path | None = None) -> None:
    """Compare; exit 1 and name each file that differs, is missing, or does not belong there."""
    wanted = files()
    problems = [_problem(folder / name, name, content) for name, content in wanted.items()]
    left_over = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.json"))
    problems += [f"{name} is no schema of this version: delete it" for name in left_over if name not in wanted]
    if types is not None:
        problems.append(_problem(types, types.name, typescript.module().encode()))
    found = [problem for problem in problems if problem]
    if found:
        again = f"run: workspace-bridge schemas {folder}" + (f" --types {types}" if types is not None else "")
        stop(Exit.REFUSED, *found, again)
    put(f"{len(wanted)} schemas in {folder} are up to date")


def _problem(path: Path, name: str, wanted: bytes) -> str | None:
    content = _content(path)
    if content is None:
        return f"{name} is missing"
    return None if content == wanted else f"{name} differs from the models"


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
