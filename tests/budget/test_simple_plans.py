"""Simple plans, worked by hand, and never better than the best plan."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from crm_utils.budget import simple_plans
from crm_utils.budget.acquisition import NewCustomerValue, cost_steps
from crm_utils.budget.waves import CustomerFlow, WaveTerms, YearProblem, plan_waves
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.errors import BudgetError
from tests.support.budget_factories import campaigns, options, resting_flow, small_problem


def shop(waves: int = 2, **flow_changes) -> tuple[pd.DataFrame, pd.DataFrame, CustomerFlow]:
    """A dear and a cheap campaign for 100 customers with orders of 40, and the cheap one for 400 with orders of 10."""
    offers = campaigns({"name": "Post", "contact_cost": 2.0, "lift": 0.2}, {"name": "Mail", "contact_cost": 0.5})
    table = options(
        offers, ("Post", 0, "A", 100, 0.1, 40.0), ("Mail", 0, "A", 100, 0.1, 40.0), ("Mail", 1, "B", 400, 0.1, 10.0)
    )
    return table, offers, resting_flow([100, 400], waves, order_margin=np.array([40.0, 10.0]), **flow_changes)


def compare(waves=2, budget=10_000.0, fatigue=1.0, current_spend=None, **flow_changes) -> pd.DataFrame:
    table, offers, flow = shop(waves, **flow_changes)
    problem = YearProblem(table, offers, flow, WaveTerms(waves, 91, fatigue), budget)
    found = simple_plans.compare_simple_plans(problem, current_spend or {})
    return found.set_index("plan")


def test_the_same_message_to_everybody_by_hand():
    """500 mails a wave at 0.50. Lift 0.1: 100 × 4 + 400 × 1 a wave."""
    found = compare().loc["the same message to everybody"]
    assert found.tolist() == pytest.approx([1000, 500, 2 * (400 + 400) - 500])


def test_top_spenders_by_hand():
    """A fifth of 500 customers are the 100 of A. The dear campaign earns 8 − 2 with each."""
    found = compare().loc["top spenders only"]
    assert found.tolist() == pytest.approx([200, 400, 200 * 6])


def test_fatigue_of_a_plan_by_hand():
    """With a fatigue of 0.5 the second wave keeps half of the lift."""
    found = compare(fatigue=0.5).loc["top spenders only"]
    assert found.expected_profit == pytest.approx(100 * 6 + 100 * 2)
    third = compare(waves=4, fatigue=0.5).loc["top spenders only"]
    assert third.expected_profit == pytest.approx(100 * (6 + 2 + 2 * (0.25 * 8 - 2))), "the level stays at two"


def test_a_small_budget_scales_a_plan_down():
    found = compare(budget=100.0).loc["top spenders only"]
    assert (found.contacts, found.spend) == pytest.approx((50, 100))


def test_todays_spending_by_hand():
    """300 for the mail in two waves: 150 a wave pay for 300 of the 500 customers, of both groups alike."""
    found = compare(current_spend={"Mail": 300.0}).loc["today's spending"]
    assert (found.contacts, found.spend) == pytest.approx((600, 300))
    assert found.expected_profit == pytest.approx(2 * 0.6 * 800 - 300)
    assert "today's spending" not in compare().index


def test_nobody_gets_two_messages_if_todays_spending_pays_for_more():
    found = compare(current_spend={"Mail": 100_000.0, "Post": 100_000.0}, budget=1e9).loc["today's spending"]
    assert found.contacts == pytest.approx(2 * 500)


def test_spending_for_an_unknown_campaign_is_refused():
    with pytest.raises(BudgetError, match="there is no campaign or channel Fax; there are Post, Mail"):
        compare(current_spend={"Fax": 5.0})


def test_customers_who_arrive_are_contacted_too():
    arrivals = np.array([[0.0, 0.0], [0.0, 100.0]])
    found = compare(arrivals=arrivals).loc["the same message to everybody"]
    assert found.contacts == pytest.approx(1100)


@pytest.mark.parametrize("seed", range(12))
def test_never_better_than_the_best_plan(seed):
    random = np.random.default_rng(seed)
    table, offers, _ = small_problem(seed)
    offers = offers.assign(messages=[[1]] * len(offers), capacity=np.nan, max_spend=np.nan)
    table = table.assign(customers=table.customers * 50)
    shares = random.dirichlet(np.ones(3), (2, 3))
    by_group = table.groupby("group")[["customers", "p0", "order_margin"]].first().reindex(range(3), fill_value=0)
    flow = resting_flow(
        by_group.customers.tolist(), 3, 0.1, baseline=np.tile(by_group.p0, (3, 1)), if_bought=csr_array(shares[0]),
        if_silent=csr_array(shares[1]), arrivals=np.full((3, 3), 5.0), newcomers=np.ones(3) / 3,
        order_margin=by_group.order_margin.to_numpy(float),
    )  # fmt: skip
    terms = WaveTerms(3, 91, fatigue=0.8, carryover=0.2)
    problem = YearProblem(table, offers, flow, terms, 200.0, holdout_share=0.1)
    best = plan_waves(problem)
    simple = simple_plans.compare_simple_plans(problem, {"a": 100.0})
    assert (simple.expected_profit <= best.expected_profit * (1 + 2e-4) + 1e-6).all()
    assert (simple.spend <= 200 + 1e-6).all()


def test_todays_spending_on_channels_by_hand():
    """Two channels for customers who bring 50: 100 at 10 and 100 at 20; money fills each channel's own customers."""
    table, offers, flow = shop()
    channels = [{"name": "search", "cost_per_customer": 10, "customers": 100}] + [
        {"name": "partners", "cost_per_customer": 20, "customers": 100}
    ]
    value = NewCustomerValue(500, 50.0, 45.0, 55.0, 40.0, 50.0, 300)
    steps = cost_steps(Acquisition(channels=channels), value, 1.0)
    problem = YearProblem(table, offers, flow, WaveTerms(2, 91), 10_000.0, steps=steps)
    found = simple_plans.follow_spending(problem, {"search": 400.0, "partners": 5000.0, "Mail": 300.0})
    found = found.set_index("campaign")
    assert found.spend.to_dict() == pytest.approx({"Mail": 300, "search": 400, "partners": 2000})
    assert found.expected_profit["search"] == pytest.approx(40 * 40)
    assert found.expected_profit["partners"] == pytest.approx(100 * 30)
    assert simple_plans.follow_spending(problem, {}).empty
