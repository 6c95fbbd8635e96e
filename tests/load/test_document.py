"""The page of benchmarks says what the results say."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from benchmarks.bench import RESULTS
from benchmarks.chart import Bar, bar_chart
from benchmarks.document import CHARTS, DOCUMENT, charts, results, with_results
from benchmarks.measure import Figure
from benchmarks.report import Report, Result
from benchmarks.scenarios import SCENARIOS

SVG = "{http://www.w3.org/2000/svg}"


def report(*, quick: bool = False, load: float = 0.1) -> Report:
    figures = {"bridge": Figure((0.6, 0.7, 0.8)), "plain": Figure((9, 10, 11)), "nats": Figure((1.0, 1.2, 1.6))}
    return Report(
        command="python -m benchmarks.bench --peers all",
        machine={"cpu": "a processor", "cores": 2, "kernel": "6", "python": "3.11"},
        commit="abc",
        packages={"websockets": "17"},
        peers={"bridge": "1", "plain": "17", "nats": "2.15"},
        absent={},
        failures={},
        pinned={"servers": [1], "load": [0]},
        load_average_before=load,
        quick=quick,
        plan={},
        settings={"BRIDGE_PORT": "0"},
        results=[Result("fan-out/burst/cpu", "bursts", "µs CPU/delivery", figures, dict.fromkeys(figures, 0.1))],
    )


def test_page_is_what_the_results_say() -> None:
    if not RESULTS.exists():
        assert "Not measured yet" in DOCUMENT.read_text()
        return
    told = Report.from_json(RESULTS.read_text())

    assert DOCUMENT.read_text() == with_results(DOCUMENT.read_text(), results(told))
    assert {path.name: path.read_text() for path in CHARTS.glob("*.svg")} == charts(told)


def test_page_explains_every_scenario() -> None:
    text = DOCUMENT.read_text()

    assert [key for key in SCENARIOS if f"| `{key}` |" not in text] == []


def test_results_tell_where_they_come_from_and_whether_the_budget_is_met() -> None:
    text = results(report())

    assert "`python -m benchmarks.bench --peers all`, commit `abc`" in text
    assert "nats 2.15" in text
    assert "| bursts | µs CPU/delivery | ≤ 0.5 of nats | 0.583 | **missed** |" in text
    assert "](benchmarks/fan-out-burst-cpu.svg)" in text
    assert "quiet" not in text


def test_results_say_when_they_are_worth_little() -> None:
    assert "The machine was not quiet" in results(report(load=3))
    assert "Only a look" in results(report(quick=True))


def test_what_is_written_by_hand_stays() -> None:
    document = "before\n<!-- results: written by benchmarks.document -->\nold\n<!-- end of results -->\nafter"

    assert with_results(document, "new").split() == (
        [
            "before",
            "<!--",
            "results:",
            "written",
            "by",
            "benchmarks.document",
            "-->",
            "new",
            "<!--",
            "end",
            "of",
            "results",
            "-->",
            "after",
        ]
    )


def test_document_without_a_place_for_results_is_refused() -> None:
    with pytest.raises(ValueError, match="in the document"):
        with_results("no marks", "new")


def test_chart_has_a_bar_of_the_right_length_for_each_subject() -> None:
    title = 'fan-out "x" & more'
    bridge, nats = Bar("bridge", Figure((5,)), mine=True), Bar("nats", Figure((8, 10, 12)), mine=False)

    drawn = ET.fromstring(bar_chart(title, "µs", [bridge, nats]))  # noqa: S314 our own

    bars = drawn.findall(f"{SVG}rect")
    assert [bar.get("class") for bar in bars] == ["bar mine", "bar"]
    assert float(bars[1].get("width", "")) == pytest.approx(2 * float(bars[0].get("width", "")), rel=0.01)
    assert len(drawn.findall(f"{SVG}line")) == 1
    assert [text.text for text in drawn.findall(f"{SVG}text")][:2] == [title, "µs, less is better"]
    assert drawn.get("aria-label") == f"{title}, µs: bridge 5; nats 10"


def test_chart_of_nothing_but_zeros_can_be_drawn() -> None:
    assert "<rect" in bar_chart("none", "s", [Bar("bridge", Figure((0.0,)), mine=True)])
