"""Lines reach their file, whatever it does; and where they cannot, that is told."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bridge.server.audit.file import open_file
from bridge.server.audit.writer import FileWriter, LogWriter
from bridge.telemetry import configure_logging
from tests.broker.bus import StandingClock
from tests.server.audit.lines import lines, until

if TYPE_CHECKING:
    from collections.abc import Iterator


FULL = OSError(28, "No space left on device")


class Disk:
    """A file that stalls or refuses when told to."""

    def __init__(self) -> None:
        self.written: list[Any] = []
        self.refused: list[Any] = []
        self.error: Exception | None = None
        self.asked = threading.Event()
        self.answers = threading.Event()
        self.answers.set()
        self.ended = False

    def put(self, text: str) -> None:
        self.asked.set()
        assert self.answers.wait(10)
        read = [json.loads(line) for line in text.split("\n")]
        if self.error is not None:
            self.refused += read
            raise self.error
        self.written += read

    def abandon(self) -> None:
        self.ended = True

    def stall(self, writer: FileWriter) -> None:
        """Keep the thread in the middle of writing line 0."""
        self.answers.clear()
        writer.write({"number": 0})
        assert self.asked.wait(10)


def gap(count: int, time: str = "2026-01-01T00:00:40.000Z") -> dict[str, Any]:
    return {"time": time, "kind": "gap", "lost": count}


def numbered(*numbers: int) -> list[dict[str, Any]]:
    return [{"number": number} for number in numbers]


def told(logs: list[Any]) -> list[tuple[str, int, str]]:
    return [(line["event"], line["lost"], line["why"]) for line in logs]


def test_every_line_is_in_the_file_when_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    writer = FileWriter(open_file(path, 1 << 20, 3), StandingClock())

    for number in range(1000):
        writer.write({"number": number})
    writer.close()

    assert lines(path) == numbered(*range(1000))
    assert writer.lost == 0


def test_a_gap_stands_where_the_lines_are_missing_that_found_no_room() -> None:
    disk, clock = Disk(), StandingClock()
    writer = FileWriter(disk, clock, waiting=10)
    disk.stall(writer)
    with structlog.testing.capture_logs() as logs:
        for number in range(1, 16):
            writer.write({"number": number})
    disk.answers.set()
    until(lambda: len(disk.written) == 11)
    writer.write({"number": 16})
    writer.close()

    assert disk.written == [*numbered(*range(11)), gap(5), *numbered(16)]
    assert writer.lost == 5
    assert told(logs) == [("audit_lost", 1, "the disk is too slow")]


def test_a_gap_at_the_end_is_marked_when_it_is_closed() -> None:
    disk = Disk()
    writer = FileWriter(disk, StandingClock(), waiting=1)
    disk.stall(writer)
    for number in range(1, 4):
        writer.write({"number": number})
    disk.answers.set()
    until(lambda: len(disk.written) == 2)
    with structlog.testing.capture_logs() as logs:
        writer.close()

    assert disk.written == [*numbered(0, 1), gap(2)]
    assert disk.ended
    assert told(logs) == [("audit_lost", 2, "the disk is too slow")], "the second was not told before"


def test_a_gap_stands_where_a_full_disk_took_nothing() -> None:
    disk = Disk()
    writer = FileWriter(disk, StandingClock())
    writer.write({"number": 0})
    until(lambda: len(disk.written) == 1)
    disk.error = FULL
    for number in range(1, 4):
        writer.write({"number": number})
    until(lambda: writer.lost == 3)
    disk.error = None
    writer.write({"number": 4})
    writer.close()

    assert disk.written == [*numbered(0), gap(3), *numbered(4)]
    assert writer.lost == 3


def test_lost_lines_are_told_once_a_minute_with_their_number() -> None:
    disk, clock = Disk(), StandingClock()
    disk.error = FULL
    writer = FileWriter(disk, clock)
    with structlog.testing.capture_logs() as logs:
        for number in range(100):
            writer.write({"number": number})
        until(lambda: writer.lost == 100)
        clock.now += 60
        disk.error = None
        writer.write({"number": 100})

    assert told(logs) == [("audit_lost", count, "No space left on device") for count in (1, 100)]
    writer.close()


def test_a_disk_that_does_not_answer_holds_up_the_end_for_a_bounded_time() -> None:
    disk = Disk()
    writer = FileWriter(disk, StandingClock(), close=0.01)
    disk.stall(writer)
    for number in range(1, 4):
        writer.write({"number": number})
    with structlog.testing.capture_logs() as logs:
        writer.close()
    disk.answers.set()

    assert told(logs) == [("audit_lost", 4, "the disk does not answer")]
    assert writer.lost == 4


def test_the_same_where_not_even_the_end_finds_room() -> None:
    disk = Disk()
    writer = FileWriter(disk, StandingClock(), waiting=1, close=0.01)
    disk.stall(writer)
    writer.write({"number": 1})
    with structlog.testing.capture_logs() as logs:
        writer.close()
    disk.answers.set()
    until(lambda: len(disk.written) == 2)

    assert told(logs) == [("audit_lost", 2, "the disk does not answer")]


STALLED = """
import os, sys
from pathlib import Path
from bridge.broker.clock import SystemClock
from bridge.server.audit.file import open_file
from bridge.server.audit.writer import FileWriter

path = Path(sys.argv[1])
os.mkfifo(path)
reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # and nobody reads from it
writer = FileWriter(open_file(path, 1 << 20, 3), SystemClock(), waiting=100, close=0.1)
for _ in range(1000):
    writer.write({"filler": "x" * 4000})
writer.close()
assert writer.lost > 0
"""


def test_a_process_ends_though_its_disk_does_not_answer(tmp_path: Path) -> None:
    ended = subprocess.run(  # noqa: S603 our own process
        [sys.executable, "-c", STALLED, str(tmp_path / "stalled")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "the disk does not answer" in ended.stdout


def test_a_disk_that_is_really_full_ends_nothing() -> None:
    writer = FileWriter(open_file(Path("/dev/full"), 1 << 20, 0), StandingClock())
    for number in range(3):
        writer.write({"number": number})
    writer.close()

    assert writer.lost == 3


def test_an_error_that_nobody_expected_ends_nothing() -> None:
    disk = Disk()
    writer = FileWriter(disk, StandingClock())
    disk.error = MemoryError()
    writer.write({"number": 0})
    writer.write({"number": {1}})
    until(lambda: writer.lost == 2)
    disk.error = None
    writer.write({"number": 2})
    writer.close()

    assert disk.written == [gap(2), *numbered(2)]


class Log(io.StringIO):
    """A log on a disk that may be full."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)

    def told(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.getvalue().split("\n")[:-1]]
        return [line for line in lines if line["event"] == event]


@pytest.fixture
def process_log() -> Iterator[Log]:
    handlers = logging.getLogger().handlers[:]
    written = Log()
    configure_logging("info", "json", written)
    yield written
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


def test_where_the_log_is_on_the_same_full_disk_lines_are_told_when_there_is_room_again(process_log: Log) -> None:
    disk, clock = Disk(), StandingClock()
    disk.error = FULL
    writer = FileWriter(disk, clock)
    writer.write({"number": 0})
    until(lambda: writer.lost == 1)
    disk.error, process_log.full = None, False
    clock.now += 60
    writer.write({"number": 1})
    writer.close()

    assert disk.written == [gap(1, clock.timestamp()), *numbered(1)]
    assert [line["lost"] for line in process_log.told("audit_lost")] == [1]


def test_a_log_of_an_embedding_program_may_raise_anything(process_log: Log) -> None:
    def fault(*_: Any) -> Any:
        raise RuntimeError

    del process_log
    structlog.configure(processors=[fault])
    disk = Disk()
    disk.error = FULL
    writer, in_log = FileWriter(disk, StandingClock()), LogWriter(StandingClock())
    writer.write({"number": 0})
    until(lambda: writer.lost == 1)
    disk.error = None
    writer.write({"number": 1})
    writer.close()
    in_log.write({"number": 0})

    assert disk.written == [gap(1), *numbered(1)]
    assert in_log.lost == 1


def test_without_a_file_a_gap_stands_in_the_log_where_lines_are_missing(process_log: Log) -> None:
    writer = LogWriter(StandingClock())
    for number in range(2):
        writer.write({"number": number})
    process_log.full = False
    for number in range(2, 4):
        writer.write({"number": number})
    process_log.full = True
    writer.write({"number": 4})
    process_log.full = False
    writer.close()

    told = [(line.get("lost"), line.get("number")) for line in process_log.told("audit")]
    assert told == [(2, None), (None, 2), (None, 3), (1, None)]
    assert writer.lost == 3


@given(st.text(st.characters(codec="utf-8")) | st.text('\u2028\u2029\x85\x9b\r\n\x00\x7f"\\{}, '))
def test_whatever_stands_in_a_line_in_the_log_it_is_one_line_of_json(text: str) -> None:
    handlers, written = logging.getLogger().handlers[:], io.StringIO()
    configure_logging("info", "json", written)
    try:
        LogWriter(StandingClock()).write({"call": text})
    finally:
        structlog.reset_defaults()
        logging.getLogger().handlers[:] = handlers

    assert written.getvalue().splitlines(keepends=True) == [written.getvalue()]
    assert json.loads(written.getvalue())["call"] == text


@pytest.mark.parametrize("level", ["info", "error"])
def test_without_a_file_the_lines_are_in_the_log_whatever_its_level(level: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    try:
        with structlog.testing.capture_logs() as logs:
            LogWriter(StandingClock()).write({"kind": "command", "from": "127.0.0.1"})
            structlog.get_logger().log(logging.INFO, "something else")
    finally:
        structlog.reset_defaults()

    assert logs[0] == {"event": "audit", "log_level": "info", "kind": "command", "from": "127.0.0.1"}
    assert len(logs) == (2 if level == "info" else 1)
