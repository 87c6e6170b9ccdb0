"""A year's plan at other budgets, in scenarios, and with dearer campaigns."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from crm_utils.budget import year_sensitivity
from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.waves import CustomerFlow, WaveTerms, YearPlan, YearProblem, plan_waves
from crm_utils.config.acquisition import Acquisition
from tests.support.budget_factories import campaigns, options

VALUE = NewCustomerValue(500, 100.0, 90.0, 115.0, 80.0, 95.0, 400)


def shop(budget: float = 20_000.0, **terms) -> tuple[YearProblem, YearPlan]:
    """Two waves for 1,000 customers of A, whose mail earns 3 − 1, and new customers at 80 and more."""
    offers = campaigns({"name": "Mail", "fixed_cost": 50, **terms}, {"name": "Post", "contact_cost": 2.5})
    table = options(offers, ("Mail", 0, "A", 1000, 0.2, 30.0), ("Post", 0, "A", 1000, 0.2, 30.0))
    flow = CustomerFlow(
        customers=np.array([1000.0]),
        baseline=np.full((2, 1), 0.2),
        if_bought=csr_array(np.eye(1)),
        if_silent=csr_array(np.eye(1)),
        arrivals=np.zeros((2, 1)),
        newcomers=np.zeros(1),
        order_margin=np.array([30.0]),
    )
    steps = cost_steps(Acquisition(cost_per_customer=80), VALUE, 0.5)
    problem = YearProblem(table, offers, flow, WaveTerms(2, 91), budget, steps=steps)
    return problem, plan_waves(problem)


def test_curve_by_hand():
    """1,000 mails and 50 in each of two waves earn 3,900. New customers then earn n0 (V − c)² / (2 c)."""
    problem, plan = shop(10_000.0)
    curve = year_sensitivity.budget_curve(problem, plan)
    assert curve.budget.tolist() == pytest.approx(np.linspace(0, 20_000, 9))
    assert curve.iloc[0].tolist() == [0, 0, 0, 0]
    assert curve.expected_profit.is_monotonic_increasing
    # 2,500 pay for 2,100 of mails, and the rest for new customers who bring 100 for a little over 80
    assert curve.contacts_spend[1] == pytest.approx(2100)
    assert curve.acquisition_spend[1] == pytest.approx(400)
    assert curve.expected_profit[1] == pytest.approx(3900 + 400 / 80 * 20, rel=0.01)
    last = curve.iloc[-1]
    assert last.acquisition_spend == pytest.approx(80 * (50 + 50**2 / (2 * 200)))
    assert last.expected_profit == pytest.approx(3900 + 200 * 20**2 / (2 * 80))


def test_scenarios_by_hand():
    problem, plan = shop()
    changes = [
        {"name": "lifts lower", "lift": -0.5},
        {"name": "dearer", "cost": 0.5},
        {"name": "new customers dearer", "acquisition_cost": 0.5},
        {"name": "no money", "budget": -1},
        {"name": "margin higher", "margin": 0.1},
    ]
    table = year_sensitivity.compare_scenarios(problem, plan, changes).set_index("scenario")
    won = 200 * 20**2 / 160
    assert table.expected_profit["as planned"] == pytest.approx(3900 + won)
    assert table.expected_profit["lifts lower"] == pytest.approx(2 * (1500 - 1000 - 50) + won)
    assert table.expected_profit["dearer"] == pytest.approx(2 * (3000 - 1500 - 75) + won)
    assert table.expected_profit["new customers dearer"] == pytest.approx(3900)
    assert table.acquisition_spend["new customers dearer"] == 0
    assert table.loc["no money"].tolist() == [0, 0, 0, 0]
    assert table.contacts_spend["margin higher"] == pytest.approx(2100)
    assert table.expected_profit["margin higher"] == pytest.approx(2 * (3300 - 1050) + won + 10 * 50)


def test_a_scenario_whose_limits_cannot_be_kept_is_empty():
    problem, plan = shop(2200.0, min_spend=1000)
    table = year_sensitivity.compare_scenarios(problem, plan, [{"name": "half", "budget": -0.5}])
    assert np.isnan(table.expected_profit[1])
    assert table.expected_profit[0] > 0


def test_break_point_of_preparation():
    """Without the mail the post would earn 0.5 a contact: the mail's preparation may cost 1,500 more a wave."""
    problem, plan = shop()
    found = year_sensitivity.preparation_break_points(problem, plan).iloc[0]
    assert (found.campaign, found.waves, found.fixed_cost) == ("Mail", 2, 50)
    assert found.break_point == pytest.approx(50 + 1950 - 500)
    for fixed, runs in ((found.break_point - 1, True), (found.break_point + 1, False)):
        dearer = problem.campaigns.assign(fixed_cost=[fixed, 0.0])
        planned = plan_waves(replace(problem, campaigns=dearer))
        assert (planned.running.campaign == "Mail").any() == runs
