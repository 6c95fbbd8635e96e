"""The command line of the benchmark."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from benchmarks import bench
from benchmarks.peers import PEERS
from benchmarks.plan import QUICK, Plan
from benchmarks.report import Report

if TYPE_CHECKING:
    from pathlib import Path


def test_all_scenarios_and_the_servers_at_home_are_the_default() -> None:
    chosen = bench.options().parse_args([])

    assert chosen.scenario == []
    assert chosen.peers == ["bridge", "plain"]
    assert bench.the_plan(chosen) == Plan()
    assert chosen.output != bench.RESULTS


def test_rounds_may_be_fewer() -> None:
    plan = bench.the_plan(bench.options().parse_args(["--quick", "--rounds", "1"]))

    assert (plan.rounds, plan.listeners) == (1, QUICK.listeners)


def test_unknown_scenario_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.options().parse_args(["fan-in"])

    assert "fan-in" in capsys.readouterr().err


def test_too_few_files_are_told_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench"])
    monkeypatch.setattr(bench, "raise_file_limit", lambda: 1024)

    with pytest.raises(SystemExit):
        bench.main()

    assert "12512 open files are needed" in capsys.readouterr().err


async def test_report_tells_versions_and_what_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(PEERS["nchan"]), "installed", lambda _: False)
    monkeypatch.setattr(bench, "SCENARIOS", {})
    monkeypatch.setattr("benchmarks.measure.Cores.pin_load", lambda _: None)
    chosen = bench.options().parse_args(["--quick"])

    told = await bench.measure(chosen, [PEERS["bridge"], PEERS["nchan"]])

    assert list(told.peers) == ["bridge"]
    assert told.absent == {"nchan (nginx)": "apt-get install libnginx-mod-nchan"}
    assert told.quick
    assert Report.from_json(told.as_json()).plan["listeners"] == QUICK.listeners


def test_what_was_measured_is_printed_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new" / "bench.json"
    monkeypatch.setattr(sys, "argv", ["bench", "recovery", "--quick", "--rounds", "1", "--output", str(output)])
    monkeypatch.setattr("benchmarks.measure.Cores.pin_load", lambda _: None)

    bench.main()

    (half, *_) = Report.from_json(output.read_text()).results
    assert half.key == "recovery/recovery/p50"
    printed = capsys.readouterr().out
    assert "all come back at once" in printed
    assert str(output) in printed
