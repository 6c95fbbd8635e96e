"""Several modules as one: the same names, the same behaviour, and no guess about what is not known."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from bridge.server.bundle import bundle

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, **modules: str) -> Path:
    for name, source in modules.items():
        (folder / f"{name}.js").write_text(source)
    return folder / "entry.js"


def test_modules_stand_before_those_that_import_them_and_once(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        entry='import { b } from "./b.js";\nimport {\n  a,\n} from "./a.js";\n\nexport { a } from "./a.js";\n\n'
        "/** Says it. */\nexport const say = () => a + b; // and no more\n",
        b='import { a } from "./a.js";\n// Longer.\nexport const b = a + "b";\n',
        a='export const a = "a";',
    )
    joined = bundle(entry)
    assert joined == 'const a = "a";\nconst b = a + "b";\nexport { a };\nexport const say = () => a + b;\n'


def test_texts_that_look_like_comments_stay_and_it_runs(tmp_path: Path) -> None:
    entry = written(
        tmp_path,
        entry='import { url } from "./a.js";\nif (url !== "https://localhost/ // *" || /\\/\\*/.test(url)) {\n'
        "  throw new Error(url);\n}\nexport {};\n".replace("export {};\n", ""),
        a='export const url = "https://localhost/ // *";\n',
    )
    (tmp_path / "out.mjs").write_text(bundle(entry))
    node = shutil.which("node")
    assert node
    done = subprocess.run([node, str(tmp_path / "out.mjs")], capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('import a from "./a.js";\n', 'entry.js: import a from "./a.js";'),
        ('import * as a from "./a.js";\n', "import \\* as a"),
        ('import "./a.js";\n', 'import "./a.js"'),
        ("export default 1;\n", "export default"),
        ('import { a } from "./a.js";\nconst a = 1;\n', "declared more than once at the top level: a"),
        ("const text = `one\ntwo`;\n", "a text over several lines"),
        ('import { b } from "./b.js";\n', "entry.js imports itself by way of b.js"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, source: str, problem: str) -> None:
    circle = 'import { c } from "./entry.js";\nexport const b = 1;\n'
    entry = written(tmp_path, entry=source, a="export const a = 1;\n", b=circle)
    with pytest.raises(ValueError, match=problem):
        bundle(entry)


def test_missing_module_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        bundle(written(tmp_path, entry='import { a } from "./a.js";\n'))
