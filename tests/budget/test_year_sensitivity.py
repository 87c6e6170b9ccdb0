"""A year's plan at other budgets, in scenarios, and with dearer campaigns."""

from dataclasses import replace

import numpy as np
import pytest

from crm_utils.budget import year_sensitivity
from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.waves import WaveTerms, YearPlan, YearProblem, plan_waves
from crm_utils.config.acquisition import Acquisition
from tests.support.budget_factories import campaigns, options, resting_flow

VALUE = NewCustomerValue(500, 100.0, 90.0, 115.0, 80.0, 95.0, 400)


def shop(budget: float = 20_000.0, **terms) -> tuple[YearProblem, YearPlan]:
    """Two waves for 1,000 customers of A, whose mail earns 3 − 1, and new customers at 80 and more."""
    offers = campaigns({"name": "Mail", "fixed_cost": 50, **terms}, {"name": "Post", "contact_cost": 2.5})
    table = options(offers, ("Mail", 0, "A", 1000, 0.2, 30.0), ("Post", 0, "A", 1000, 0.2, 30.0))
    flow = resting_flow([1000], 2, baseline=np.full((2, 1), 0.2))
    steps = cost_steps(Acquisition(cost_per_customer=80), VALUE, 0.5)
    problem = YearProblem(table, offers, flow, WaveTerms(2, 91), budget, steps=steps)
    return problem, plan_waves(problem)


def test_curve_by_hand():
    """1,000 mails and 50 in each of two waves earn 3,900. New customers then earn n0 (V − c)² / (2 c)."""
    problem, plan = shop(10_000.0)
    curve = year_sensitivity.budget_curve(problem, plan)
    won = 80 * (50 + 50**2 / (2 * 200))
    spent = 2100 + won
    assert curve.budget.tolist() == pytest.approx(
        sorted([0, 2500, 5000, 7500, 10_000, 15_000, 20_000, *(spent * share for share in (0.25, 0.5, 0.75, 1))]),
        abs=0.01,
    )
    assert curve.iloc[0].tolist() == [0, 0, 0, 0, 0, 0]
    assert curve.expected_profit.is_monotonic_increasing
    # 2,500 pay for 2,100 of mails, and the rest for new customers who bring 100 for a little over 80
    at = curve.set_index(curve.budget.round()).loc[2500]
    assert at.contacts_spend == pytest.approx(2100)
    assert at.acquisition_spend == pytest.approx(400)
    assert at.expected_profit == pytest.approx(3900 + 400 / 80 * 20, rel=0.01)
    assert (at.contacts_profit, at.acquisition_profit) == pytest.approx((3900, at.expected_profit - 3900))
    last = curve.iloc[-1]
    assert last.acquisition_spend == pytest.approx(won)
    assert last.expected_profit == pytest.approx(3900 + 200 * 20**2 / (2 * 80))


def test_scenarios_by_hand():
    problem, plan = shop()
    changes = [
        {"name": "lifts lower", "lift": -0.5},
        {"name": "dearer", "cost": 0.5},
        {"name": "new customers dearer", "acquisition_cost": 0.5},
        {"name": "no money", "budget": -1},
        {"name": "margin higher", "margin": 0.1},
        {"name": "preparation", "preparation": 9},
    ]
    table = year_sensitivity.compare_scenarios(problem, plan, changes).set_index("scenario")
    won = 200 * 20**2 / 160
    assert table.expected_profit["as planned"] == pytest.approx(3900 + won)
    assert table.expected_profit["lifts lower"] == pytest.approx(2 * (1500 - 1000 - 50) + won)
    assert table.expected_profit["dearer"] == pytest.approx(2 * (3000 - 1500 - 50) + won)
    assert table.expected_profit["new customers dearer"] == pytest.approx(3900)
    assert table.acquisition_spend["new customers dearer"] == 0
    assert table.loc["no money"].tolist() == [0, 0, 0, 0]
    assert table.expected_profit["preparation"] == pytest.approx(2 * (2000 - 500) + won)
    assert table.contacts_spend["margin higher"] == pytest.approx(2100)
    assert table.expected_profit["margin higher"] == pytest.approx(2 * (3300 - 1050) + 200 * 30**2 / 160)


def test_a_scenario_whose_limits_cannot_be_kept_is_empty():
    problem, plan = shop(2200.0, min_spend=1000)
    table = year_sensitivity.compare_scenarios(problem, plan, [{"name": "half", "budget": -0.5}])
    assert np.isnan(table.expected_profit[1])
    assert table.expected_profit[0] > 0


def test_break_points_by_hand():
    """Without the mail the post would earn 0.5 a contact: 1,000 in both waves, where the mail earns 3,900.

    So each wave's preparation may cost 1,450 more. A point of lift is worth 2 × 1,000 × 0.3.
    """
    problem, plan = shop()
    found = year_sensitivity.break_points(problem, plan).set_index("campaign")
    mail = found.loc["Mail"]
    assert (mail.waves, mail.fixed_cost) == (2, 50)
    assert mail.break_point_cost == pytest.approx(50 + 1450)
    assert mail.break_point_lift == pytest.approx(0.1 - 2900 / 60_000)
    for lift, runs in ((mail.break_point_lift + 0.001, True), (mail.break_point_lift - 0.001, False)):
        other = problem.campaigns.assign(lift=[lift, 0.1])
        assert (plan_waves(replace(problem, campaigns=other)).running.campaign == "Mail").any() == runs
    for fixed, runs in ((mail.break_point_cost - 1, True), (mail.break_point_cost + 1, False)):
        dearer = problem.campaigns.assign(fixed_cost=[fixed, 0.0])
        assert (plan_waves(replace(problem, campaigns=dearer)).running.campaign == "Mail").any() == runs
    assert found.loc["Post", ["break_point_lift", "break_point_cost"]].isna().tolist() == [False, True]
    # At 15 points the post earns 4.5 − 2.5 a contact, the mail 2 − 0.05: it enters where it earns 1.95
    assert found.break_point_lift["Post"] == pytest.approx((1.95 + 2.5) / 30)


def test_a_campaign_that_cannot_enter_has_no_break_point():
    problem, plan = shop()
    weak = problem.campaigns.assign(lift_high=[0.15, 0.11], lift=[0.1, 0.1])
    found = year_sensitivity.break_points(replace(problem, campaigns=weak), plan).set_index("campaign")
    assert np.isnan(found.break_point_lift["Post"])


def test_levers_by_hand():
    problem, plan = shop()
    held = replace(problem, flow=resting_flow([1000], 2, 0.1, baseline=np.full((2, 1), 0.2)), holdout_share=0.1)
    table = year_sensitivity.compare_levers(held, plan_waves(held)).set_index("scenario")
    assert table.gain["as planned"] == 0
    assert table.gain["messages at half the price"] == pytest.approx(2 * 900 * 0.5)
    assert table.gain["preparation at half the price"] == pytest.approx(50)
    assert table.gain[year_sensitivity.NO_HOLDOUT] == pytest.approx(2 * 100 * 2)
    cheaper = 200 * (100 - 64) ** 2 / (2 * 64)
    assert table.gain["new customers 20% cheaper"] == pytest.approx(cheaper - 200 * 20**2 / 160, rel=0.02)
    assert "twice the budget" not in table.index, "the budget does not limit the plan"
    assert year_sensitivity.marginal_profit(problem, plan) == 0
    assert table.iloc[1:].gain.is_monotonic_decreasing
    tight = replace(problem, budget=600.0, steps=None)
    assert year_sensitivity.marginal_profit(tight, plan_waves(tight)) > 0
