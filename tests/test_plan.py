"""The budget: break-even by the formula, limits that hold, and the best plan found."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils import budget
from crm_utils.params import Campaigns, parse

TERMS = {
    "name": "Mail",
    "group": "other customers",
    "action": "-",
    "contact_cost": 0.5,
    "lift": 0.1,
    "window_days": 30,
    "segments": ["A"],
}


def offers(*changes: dict) -> pd.DataFrame:
    campaigns = parse({"campaigns": [TERMS | change for change in changes]}, Campaigns, "campaigns").campaigns
    return pd.DataFrame([campaign.model_dump() for campaign in campaigns])


def people(segments: str = "AAAB", order_value: float | list = 20.0, **columns) -> pd.DataFrame:
    ids = [f"c{n}" for n in range(len(segments))]
    return pd.DataFrame({"customer_id": ids, "segment": list(segments), "order_value": order_value} | columns)


def plan_for(customers: pd.DataFrame, campaigns: pd.DataFrame, money: float, chance: float = 0.2, margin: float = 0.5):
    eligible = budget.audiences(customers, campaigns, sorted(set(customers.segment)))
    chances = pd.DataFrame(chance, index=customers.customer_id, columns=campaigns.window_days.unique())
    options = budget.groups(customers, eligible, campaigns, chances, margin)
    return budget.plan(budget.allocate(options, campaigns, money), campaigns)


def test_one_line_worked_by_hand():
    """V = 0.5 × 20 = 10; profit a contact = 0.1 × (10 − 1) − 0.2 × 1 − 0.5 = 0.2; break-even (0.5 + 0.2) ÷ 9."""
    plan = plan_for(people(), offers({"incentive": 2, "redemption": 0.5}), 1000).iloc[0]
    assert (plan.customers, plan.contacts) == (3, 3)
    assert plan.expected_profit == pytest.approx(3 * 0.2)
    assert plan.spend == pytest.approx(3 * (0.5 + 1 * 0.3)), "contacts, and the incentives redeemed by 20 % + 10 %"
    assert plan.break_even_lift == pytest.approx(0.7 / 9)
    assert plan.max_cost_per_contact == pytest.approx(0.7)
    assert (plan.basis, plan.reason) == ("assumed", "earns more than it costs")


terms = st.fixed_dictionaries(
    {
        "contact_cost": st.floats(0.01, 2),
        "incentive": st.floats(0, 4),
        "redemption": st.floats(0, 1),
        "delivered": st.floats(0.2, 1),
        "pulled_forward": st.floats(0, 0.5),
        "fixed_cost": st.floats(0, 5),
    }
)


@settings(deadline=None, max_examples=60)
@given(terms, st.floats(0, 0.6))
def test_at_its_break_even_lift_a_line_earns_nothing(change, chance):
    line = plan_for(people(), offers(change | {"lift": 1.0}), 1e6, chance).iloc[0]
    if line.contacts and np.isfinite(line.break_even_lift):
        customers, campaigns = people(), offers(change | {"lift": min(line.break_even_lift, 1.0)})
        eligible = budget.audiences(customers, campaigns, ["A", "B"])
        chances = pd.DataFrame(chance, index=customers.customer_id, columns=[30])
        at_break_even = budget.groups(customers, eligible, campaigns, chances, 0.5)
        earned = (at_break_even.profit * at_break_even.customers).sum() - change["fixed_cost"]
        assert earned == pytest.approx(0, abs=1e-9)


def test_an_incentive_larger_than_the_margin_never_pays():
    line = plan_for(people(), offers({"incentive": 30, "redemption": 1}), 1000).iloc[0]
    assert np.isnan(line.break_even_lift)
    assert line.contacts == 0
    assert line.reason.startswith("never pays")


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 60), st.floats(0, 60), st.integers(0, 3))
def test_a_larger_budget_never_earns_less_and_no_budget_is_overspent(one, other, seed):
    rng = np.random.default_rng(seed)
    customers = people("AAAABBBBCC", rng.uniform(5, 60, 10))
    campaigns = offers(
        {"segments": ["A", "B"], "fixed_cost": 2},
        {"name": "Call", "segments": ["B", "C"], "contact_cost": 2, "lift": 0.3},
    )
    small, large = sorted([one, other])
    plans = [plan_for(customers, campaigns, money) for money in (small, large)]
    assert plans[0].spend.sum() <= small + 1e-6
    assert plans[1].spend.sum() <= large + 1e-6
    assert plans[0].expected_profit.sum() <= plans[1].expected_profit.sum() * (1 + 1e-6) + 1e-9


def test_the_best_of_all_plans_is_found():
    """Three customers, two campaigns that both want them: every assignment is tried by hand."""
    customers = people("ABC", [10.0, 30.0, 50.0])
    campaigns = offers(
        {"segments": ["A", "B", "C"], "fixed_cost": 0.4},
        {"name": "Call", "segments": ["A", "B", "C"], "contact_cost": 2, "lift": 0.25},
    )
    earns = {"Mail": [0.1 * 0.5 * v - 0.5 for v in (10, 30, 50)], "Call": [0.25 * 0.5 * v - 2 for v in (10, 30, 50)]}
    costs = {"Mail": 0.5, "Call": 2.0, None: 0.0}
    best = {}
    for money in (0.8, 2.5, 3.1, 5.0):
        profits = []
        for choice in itertools.product(["Mail", "Call", None], repeat=3):
            fixed = 0.4 if "Mail" in choice else 0
            if sum(costs[c] for c in choice) + fixed <= money:
                profits.append(sum(earns[c][n] for n, c in enumerate(choice) if c) - fixed)
        best[money] = max(profits)
        assert plan_for(customers, campaigns, money).expected_profit.sum() == pytest.approx(best[money], abs=1e-6)


def test_nobody_gets_two_campaigns():
    plan = plan_for(people("AAAA"), offers({}, {"name": "Post", "contact_cost": 0.6}), 1000)
    assert plan.contacts.sum() == 4


def test_a_zero_budget_plans_nothing_and_says_why():
    plan = plan_for(people(), offers({}), 0)
    assert plan.contacts.sum() == 0
    assert plan.reason.iloc[0] == "another use of the money or of these customers earns more"


def test_an_unknown_segment_is_named_with_those_there_are():
    with pytest.raises(budget.BudgetError, match="campaign Mail: unknown segment Z; the segment map has A, B"):
        budget.audiences(people(), offers({"segments": ["Z"]}), ["A", "B"])


def test_a_query_that_does_not_fit_is_named():
    with pytest.raises(budget.BudgetError, match="campaign Mail: where 'spend > 3' is no query on the customers"):
        budget.audiences(people(), offers({"segments": [], "where": "spend > 3"}), ["A", "B"])


def test_a_campaign_for_nobody_leaves_no_line():
    customers = people("AAA", recency_score=1)
    campaigns = offers({"segments": [], "where": "recency_score >= 4"}, {"name": "Post"})
    assert plan_for(customers, campaigns, 100).campaign.tolist() == ["Post"]


def test_segments_without_a_planned_contact_have_low_potential():
    profile = pd.DataFrame({"segment": ["A", "B", "C"], "customers": [3, 1, 0]})
    verdicts = budget.segment_verdicts(plan_for(people(), offers({}), 100), profile)
    assert verdicts.set_index("segment").verdict.to_dict() == {"A": "worthwhile", "B": "low potential", "C": "empty"}
