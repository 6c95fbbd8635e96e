"""The report's arithmetic: medians, ratios, budgets, and that nothing gets lost on the way to the file."""

from __future__ import annotations

import pytest

from benchmarks.budget import BUDGETS, Bound, Budget, verdicts
from benchmarks.measure import Figure, Span, percentile
from benchmarks.report import Report, Result
from benchmarks.scenarios import SCENARIOS
from benchmarks.tables import notes, number, shown, tables


def result(key: str = "fan-out/burst/cpu", unit: str = "µs", load: float = 0.1, **figures: list[float]) -> Result:
    rounds = {name.replace("_", ","): Figure.of(values) for name, values in figures.items()}
    return Result(key, "a title", unit, rounds, dict.fromkeys(rounds, load))


def report(*results: Result) -> Report:
    return Report(
        command="python -m benchmarks.bench",
        machine={"cpu": "a processor", "cores": 2, "kernel": "6", "python": "3.11"},
        commit="abc",
        packages={"websockets": "17"},
        peers={"bridge": "1", "plain": "17", "nats": "2"},
        absent={"nchan": "apt-get install libnginx-mod-nchan"},
        failures={"site/nats": "messages were lost"},
        pinned={"servers": [1], "load": [0]},
        load_average_before=0.1,
        quick=False,
        plan={"rounds": 3},
        settings={"BRIDGE_PORT": "0"},
        results=list(results),
    )


def test_span_gives_rate_shares_and_cpu_per_message() -> None:
    span = Span(count=1000, seconds=2, server_cpu=0.5, load_cpu=1.0)

    assert (span.rate, span.cpu_us, span.server_share, span.load_share) == (500, 500, 0.25, 0.5)


def test_figure_is_the_median_and_how_far_rounds_lie_apart() -> None:
    figure = Figure.of([10, 12, 30])

    assert figure.median == 12
    assert figure.spread == pytest.approx(20 / 12)


def test_ratio_is_taken_round_by_round() -> None:
    mine, other = Figure.of([1, 2, 9]), Figure.of([2, 2, 3])

    assert mine.over(other).rounds == (0.5, 1, 3)


def test_percentile_is_exceeded_by_no_more_than_the_rest() -> None:
    assert percentile([float(value) for value in range(1, 101)], 0.99) == 100
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_budget_is_a_ratio_to_the_peer_where_it_was_measured() -> None:
    budget = Budget("k", (Bound(0.5, "nats"), Bound(0.068, "plain")), "why")

    verdict = budget.judge(result(bridge=[1, 1], plain=[20, 20], nats=[4, 2]))

    assert verdict is not None
    assert (verdict.bound.of, verdict.value, verdict.met) == ("nats", 0.375, True)


def test_budget_is_a_ratio_to_the_plain_server_where_the_peer_was_not() -> None:
    budget = Budget("k", (Bound(0.5, "nats"), Bound(0.068, "plain")), "why")

    verdict = budget.judge(result(bridge=[2], plain=[20]))

    assert verdict is not None
    assert (verdict.bound.of, verdict.value, verdict.met) == ("plain", 0.1, False)


def test_budget_that_is_a_floor_is_met_above_it() -> None:
    budget = Budget("k", (Bound(0.75, "nats", at_least=True),), "why")

    verdict = budget.judge(result(bridge=[80], nats=[100]))

    assert verdict is not None
    assert verdict.met


def test_budget_of_every_round_is_missed_by_one() -> None:
    budget = Budget("k", (Bound(5, every_round=True),), "why")

    verdict = budget.judge(result(bridge=[1, 1, 6]))

    assert verdict is not None
    assert (verdict.value, verdict.met) == (6, False)


def test_budget_says_nothing_about_what_was_not_measured() -> None:
    budget = Budget("k", (Bound(0.5, "nats"),), "why")

    assert budget.judge(result(bridge=[1])) is None
    assert budget.judge(result(nats=[1])) is None


def test_every_budget_is_about_a_figure_that_a_scenario_gives() -> None:
    keys = {
        f"{scenario.key}/{part.key}/{metric.key}"
        for scenario in SCENARIOS.values()
        for part in scenario.parts
        for metric in part.metrics
    }

    assert {budget.key for budget in BUDGETS} <= keys


def test_report_survives_the_file() -> None:
    told = report(result(bridge=[1, 2], nats=[3, 4]))

    assert Report.from_json(told.as_json()) == told


def test_rate_at_the_limit_of_the_load_is_marked_and_explained() -> None:
    told = report(result("fan-out/burst/rate", unit="deliveries/s", load=0.95, bridge=[1000], nats=[900]))

    (table,) = tables(told)

    assert table.lines[1] == ("a title", "deliveries/s", "1,000*", "", "900*", "", "")
    assert any("lower bound" in note for note in notes(told))
    assert "The load used of its core, a title: bridge 95%, nats 95%." in notes(told)


def test_tables_of_peers_and_of_variants_stand_apart() -> None:
    told = report(
        result(bridge=[1, 1], plain=[20, 20], nats=[4, 4]),
        Result(
            "workspaces/publish/cpu",
            "publish",
            "µs",
            {"10": Figure((10,)), "10,000": Figure((13,))},
            {"10": 0, "10,000": 0},
        ),
    )

    peers, variants = tables(told)

    assert peers.lines[0] == ("what", "unit", "bridge", "plain", "nats", "budget", "reached")
    assert peers.lines[1][-2:] == ("≤ 0.5 of nats", "0.25, met")
    assert variants.lines[0] == ("what", "unit", "10", "10,000", "budget", "reached")
    assert variants.lines[1][-2:] == ("≤ 1.2 of 10", "1.3, MISSED")


def test_notes_say_what_is_absent_and_what_failed() -> None:
    told = " ".join(notes(report()))

    assert "apt-get install libnginx-mod-nchan" in told
    assert "site/nats: messages were lost" in told


def test_verdicts_are_by_key() -> None:
    assert set(verdicts([result(bridge=[1], plain=[9]), result("other/other/other", bridge=[1])])) == {
        "fan-out/burst/cpu"
    }


@pytest.mark.parametrize(("value", "text"), [(0.6123, "0.612"), (12.34, "12.3"), (123.4, "123"), (28412.0, "28,412")])
def test_number_has_three_digits_that_count(value: float, text: str) -> None:
    assert number(value) == text


def test_wide_spread_is_told_as_a_range() -> None:
    assert shown(Figure.of([1, 1.1, 1.2])) == "1.1 ±9%"
    assert shown(Figure.of([1, 2, 9])) == "2 (1 to 9)"
    assert shown(Figure.of([5])) == "5"
