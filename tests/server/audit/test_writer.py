"""Lines reach their file, whatever it does; and where they cannot, that is told."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
import structlog

from bridge.server.audit.writer import FileWriter, LogWriter
from bridge.settings import SettingsError


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_every_line_is_in_the_file_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writer = FileWriter(path, 1 << 20, 3)

    for number in range(1000):
        writer.write({"number": number})
    writer.close()

    assert [line["number"] for line in lines(path)] == list(range(1000))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert writer.lost == 0


def test_it_goes_on_behind_what_there_was(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    for number in range(2):
        writer = FileWriter(path, 1 << 20, 3)
        writer.write({"number": number})
        writer.close()

    assert [line["number"] for line in lines(path)] == [0, 1]


def test_a_full_file_is_renamed_and_so_many_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writer = FileWriter(path, 1000, 2)

    for number in range(500):
        writer.write({"number": number, "filler": "x" * 50})
    writer.close()

    assert {each.name for each in tmp_path.iterdir()} == {"audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"}
    kept = [line["number"] for name in (".2", ".1", "") for line in lines(path.with_name(path.name + name))]
    assert kept == list(range(kept[0], 500))
    assert all(each.stat().st_size <= 1000 for each in tmp_path.iterdir())


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    path, moved = tmp_path / "audit.jsonl", tmp_path / "yesterday.jsonl"
    writer = FileWriter(path, 1 << 20, 3)
    writer.write({"number": 1})
    _written(path, 1)
    path.rename(moved)
    writer.write({"number": 2})
    writer.close()

    assert ([line["number"] for line in lines(moved)], [line["number"] for line in lines(path)]) == ([1], [2])


def _written(path: Path, count: int) -> None:
    """Wait until so many lines are in the file."""
    for _ in range(10_000):
        if path.exists() and len(path.read_bytes().splitlines()) >= count:
            return
        threading.Event().wait(0.001)
    raise AssertionError("nothing was written")


def test_a_directory_that_does_not_exist_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"AUDIT_FILE: .*No such file or directory"):
        FileWriter(tmp_path / "none" / "audit.jsonl", 1 << 20, 3)


def test_lines_for_which_there_is_no_room_are_counted_and_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.jsonl"
    writer = FileWriter(path, 1 << 20, 3, waiting=10, monotonic=lambda: 0.0)
    stalled, go_on = threading.Event(), threading.Event()
    put = writer._file.put

    def slow(text: str) -> None:
        stalled.set()
        assert go_on.wait(10)
        put(text)

    monkeypatch.setattr(writer._file, "put", slow)
    writer.write({"number": 0})
    assert stalled.wait(10)
    with structlog.testing.capture_logs() as logs:
        for number in range(1, 16):
            writer.write({"number": number})
    go_on.set()
    writer.close()

    assert [line.get("number") for line in lines(path)] == [0, None, *range(1, 11)]
    assert (lines(path)[1]["kind"], lines(path)[1]["lost"]) == ("gap", 5)
    assert writer.lost == 5
    assert [(line["event"], line["lost"]) for line in logs] == [("audit_lost", 1)]


def test_lines_that_a_full_disk_did_not_take_are_counted_and_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "audit.jsonl"
    writer = FileWriter(path, 1 << 20, 3, monotonic=lambda: 0.0)
    put, full = writer._file.put, [True]

    def refusing(text: str) -> None:
        if full[0] and "number" in text:
            raise OSError(28, "No space left on device")
        put(text)

    monkeypatch.setattr(writer._file, "put", refusing)
    for number in range(3):
        writer.write({"number": number})
    for _ in range(10_000):
        if writer.lost == 3:
            break
        threading.Event().wait(0.001)
    full[0] = False
    writer.write({"number": 3})
    writer.close()

    assert writer.lost == 3
    assert sum(line["lost"] for line in lines(path) if line.get("kind") == "gap") == 3
    assert lines(path)[-1] == {"number": 3}


def test_a_disk_that_is_really_full_ends_nothing() -> None:
    writer = FileWriter(Path("/dev/full"), 1 << 20, 0)
    for number in range(3):
        writer.write({"number": number})
    writer.close()

    assert writer.lost == 3


def test_without_a_file_the_lines_are_in_the_log() -> None:
    with structlog.testing.capture_logs() as logs:
        LogWriter().write({"kind": "command", "from": "127.0.0.1"})

    assert logs == [{"event": "audit", "log_level": "info", "kind": "command", "from": "127.0.0.1"}]
