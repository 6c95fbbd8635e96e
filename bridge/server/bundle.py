"""A JavaScript module and all that it imports as one file, without comments: one request in place of a dozen.

This is made when it is first asked for, from modules of our own as they stand in their folder, so that nobody has to
build anything. It knows the few forms that they use, and refuses the others rather than guess:

* ``import { a, b } from "./other.js";`` and ``export { a } from "./other.js";``, at the beginning of a line;
* ``export`` before a declaration;
* names that are declared at the top level once among all the modules;
* no text over several lines: lines lose their indentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_import = re.compile(r'^import \{[^}]*\} from "(?P<path>\./[\w./-]+\.js)";\n', re.MULTILINE)
_export_from = re.compile(r'^export (?P<names>\{[^}]*\}) from "(?P<path>\./[\w./-]+\.js)";\n', re.MULTILINE)
_export = re.compile(r"^export (?=(?:async |const |class |function ))", re.MULTILINE)
_declared = re.compile(r"^(?:export )?(?:async )?(?:const|let|class|function\*?) (?P<name>\w+)", re.MULTILINE)
_left = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)

_block_comment = re.compile(r"/\*\*.*?\*/ ?", re.DOTALL)
_line_comment = re.compile(r"(?:^|(?<=[;{}(,])) *// [^\n]*$", re.MULTILINE)
_indentation = re.compile(r"^[ \n]+", re.MULTILINE)


def bundle(entry: Path) -> str:
    """Join a module with what it imports, each before whoever imports it.

    Raises:
        OSError: A module cannot be read.
        ValueError: A form that is not known, a name declared twice, or modules that import each other.
    """
    modules = _modules(entry.resolve(), {}, ())
    names = [found["name"] for source in modules.values() for found in _declared.finditer(source)]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"declared more than once at the top level: {', '.join(sorted(twice))}")
    *others, last = modules.values()
    joined = "".join(_export.sub("", _export_from.sub("", source)) for source in others)
    return _bare(joined + _export_from.sub(r"export \g<names>;\n", last))


def _modules(path: Path, found: dict[Path, str], importers: tuple[Path, ...]) -> dict[Path, str]:
    """Give the sources without their imports."""
    if path in importers:
        raise ValueError(f"{path.name} imports itself by way of {importers[-1].name}")
    if path not in found:
        source = path.read_text(encoding="utf-8")
        for pattern in (_import, _export_from):
            for imported in pattern.finditer(source):
                _modules((path.parent / imported["path"]).resolve(), found, (*importers, path))
        found[path] = _without_imports(path, source)
    return found


def _without_imports(path: Path, source: str) -> str:
    source = _import.sub("", source)
    if any(line.count("`") % 2 for line in source.splitlines()):
        raise ValueError(f"{path.name}: a text over several lines")
    unknown = _left.search(_export.sub("", _export_from.sub("", source)))
    if unknown is not None:
        raise ValueError(f"{path.name}: {unknown[0]}")
    return source if source.endswith("\n") else f"{source}\n"


def _bare(source: str) -> str:
    return _indentation.sub("", _line_comment.sub("", _block_comment.sub("", source)))
