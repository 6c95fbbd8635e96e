"""The tests that SECURITY.md names are there: a defence without its test is a claim."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
NAMED = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "SECURITY.md").read_text("utf-8"))


@pytest.mark.parametrize(("file", "test"), NAMED, ids="::".join)
def test_named_test_exists(file: str, test: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert not test or f"def {test}(" in text


def test_every_threat_names_a_test() -> None:
    rows = re.findall(r"^\| (?!threat|-)(.*) \|$", (ROOT / "SECURITY.md").read_text("utf-8"), re.MULTILINE)
    assert len(rows) > 20
    assert all("`tests/" in row for row in rows)
