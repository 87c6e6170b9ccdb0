"""The proof of the year's plan runs: one small shop here, 50 shops in benchmarks/year.py."""

import sys
from dataclasses import replace
from functools import partial

import pytest

from crm_utils.sources.simulated import forward
from tests.support.projects import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import year as bench  # noqa: E402


@pytest.fixture(scope="module")
def case() -> bench.Case:
    drawn = bench.draw_case(2)
    return replace(drawn, shop=drawn.shop.model_copy(update={"customers": 900}), budget=1500.0)


def test_a_plan_run_forward_spends_what_it_may_and_learns(case: bench.Case, monkeypatch: pytest.MonkeyPatch):
    """Two waves. Nobody held out is contacted, and the second plan knows what the first one measured."""
    monkeypatch.setattr(bench, "WAVES", 2)
    future = forward.draw_future(case.shop, case.response, bench.STARTS_ON, bench.WAVE_DAYS, 2)
    decisions, told = [], []

    def planner(*arguments):
        told.append(arguments[-1])
        decisions.append(bench.planned(case, *arguments))
        return decisions[-1]

    result = bench.follow(case, future, planner)
    assert 0 < result.spend < 1.05 * case.budget
    assert told[0] is None
    assert len(told[1]) == len(decisions[0].lists)
    lists = decisions[0].lists
    held = lists.groupby("campaign").group.apply(lambda group: group.eq("control").mean())
    assert held.between(0.05, 0.15).all()
    assert not lists.customer_id.duplicated().any()
    assert "lift_from" in decisions[1].assembled.problem.campaigns
    assert decisions[1].assembled.groups.contact_level.eq(1).sum() == (lists.group == "treatment").sum()
    everybody = bench.follow(case, future, partial(bench.simple, case, "everybody"))
    assert everybody.contacts > result.first.lists.shape[0] / 2
    assert everybody.won == 0
