"""The file holds whole lines only, for its owner's eyes, and whatever has happened to it."""

from __future__ import annotations

import os
import resource
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bridge.server.audit.file import check_file, open_file
from bridge.settings import SettingsError
from tests.server.audit.lines import lines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LARGE = 1 << 20


def line(number: int, filler: str = "") -> str:
    return f'{{"time":"","number":{number},"filler":"{filler}"}}'


def numbers(path: Path) -> list[int]:
    return [each["number"] for each in lines(path)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def write(path: Path, *texts: str, most_bytes: int = LARGE, files: int = 3) -> None:
    file = open_file(path, most_bytes, files)
    for text in texts:
        file.put(text)
    file.abandon()


def test_only_its_owner_may_read_it_and_what_it_was_renamed_to(path: Path) -> None:
    write(path, *[line(number, "x" * 500) for number in range(5)], most_bytes=1000)

    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
    assert len(list(path.parent.iterdir())) == 4


def test_it_goes_on_behind_what_there_was(path: Path) -> None:
    write(path, line(0))
    write(path, line(1))

    assert numbers(path) == [0, 1]


def test_a_full_file_is_renamed_and_so_many_are_kept(path: Path) -> None:
    write(path, *[line(number, "x" * 50) for number in range(500)], most_bytes=1000, files=2)

    assert {each.name for each in path.parent.iterdir()} == {"audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"}
    kept = [number for name in (".2", ".1", "") for number in numbers(path.with_name(path.name + name))]
    assert kept == list(range(kept[0], 500))
    assert all(each.stat().st_size <= 1000 for each in path.parent.iterdir())


def test_a_file_that_was_moved_away_is_made_anew(path: Path) -> None:
    moved = path.with_name("yesterday.jsonl")
    file = open_file(path, LARGE, 3)
    file.put(line(0))
    path.rename(moved)
    file.put(line(1))
    file.abandon()

    assert (numbers(moved), numbers(path)) == ([0], [1])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none/audit.jsonl", "No such file or directory"),
        ("file/audit.jsonl", "Not a directory"),
        (".", "Is a directory"),
    ],
)
def test_a_file_that_cannot_be_is_told_at_the_start_and_by_a_check(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=f"AUDIT_FILE: .*: {problem}"):
        open_file(tmp_path / name, LARGE, 3)
    with pytest.raises(SettingsError, match=f"AUDIT_FILE: .*: {problem}"):
        check_file(tmp_path / name)


def test_rights_that_are_missing_are_found_by_a_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def none(asked_for: Path, _mode: int) -> bool:
        asked.append(asked_for)
        return False

    monkeypatch.setattr(os, "access", none)
    with pytest.raises(SettingsError, match="Permission denied"):
        check_file(path)
    path.touch()
    with pytest.raises(SettingsError, match="Permission denied"):
        check_file(path)
    assert asked == [path.parent, path]


def test_a_check_makes_no_file(path: Path) -> None:
    check_file(path)

    assert not path.exists()


@pytest.mark.parametrize("rest", ['{"time":"2026', '{"ti', line(1)])
def test_half_a_line_of_a_process_that_was_killed_is_cut_off(path: Path, rest: str) -> None:
    path.write_text(f"{line(0)}\n{rest}")

    write(path, line(2))

    assert numbers(path) == [0, 2]


@pytest.mark.parametrize("before", ["", "a\n"])
def test_what_is_none_of_ours_stays_and_gets_an_end(path: Path, before: str) -> None:
    path.write_text(f"{before}somebody's")

    write(path, line(0))

    assert path.read_text() == f"{before}somebody's\n{line(0)}\n"


LIMITED = 1000


@contextmanager
def limited() -> Iterator[None]:
    """Let no file grow over so many bytes: as on a full disk, the last write is taken in part.

    It holds for the whole process, so only for as long as nobody else writes: the test's own report may go to a file.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMITED, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_line_that_was_taken_in_part_is_not_there_at_all(path: Path) -> None:
    file = open_file(path, LARGE, 3)
    for number in range(2):
        file.put(line(number, "x" * 400))
    with pytest.raises(OSError, match="File too large"), limited():
        file.put(line(2, "x" * 400))
    assert path.stat().st_size == LIMITED, "it was taken in part"
    with limited():
        file.put(line(3))
    file.abandon()

    assert numbers(path) == [0, 1, 3]


def test_a_line_that_there_is_room_for_again_is_not_doubled(path: Path) -> None:
    file = open_file(path, LARGE, 3)
    with pytest.raises(OSError, match="File too large"), limited():
        file.put(line(0, "x" * LIMITED))
    file.put(line(0, "x" * LIMITED))
    file.abandon()

    assert numbers(path) == [0]


def test_a_rotation_that_fails_is_an_error_and_works_later(path: Path) -> None:
    in_the_way = path.with_name("audit.jsonl.1")
    (in_the_way / "deep").mkdir(parents=True)
    file = open_file(path, 1000, 1)
    file.put(line(0, "x" * 900))
    for _ in range(2):
        with pytest.raises(OSError, match="directory"):
            file.put(line(1, "x" * 900))
    in_the_way.rename(path.with_name("elsewhere"))
    file.put(line(2, "x" * 900))
    file.abandon()

    assert (numbers(in_the_way), numbers(path)) == ([0], [2])
