"""Sessions with tokens that come and go, for seconds: nothing is missed, doubled or left behind."""

from __future__ import annotations

from benchmarks.churn import Churn, churn


async def test_churn_of_seconds_leaves_nothing_behind() -> None:
    plan = Churn(sessions=150, workspaces=30, messages=100, seconds=3, rounds=1, seed=1)

    (figures,) = await churn(plan)

    assert figures.reconnects > plan.sessions
    assert figures.delivered > 200
