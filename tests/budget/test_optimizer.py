"""The plan is the best one, within every limit."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils.budget import optimizer
from crm_utils.core.errors import BudgetError
from tests.support.budget_factories import campaigns, marginal_return, options, small_problem


def best_by_trying_everything(table: pd.DataFrame, offers: pd.DataFrame, budget: float) -> float:
    """The highest expected profit over all whole-number plans that honour the limits."""
    plans = np.array(list(itertools.product(*(range(size + 1) for size in table.customers))), dtype=float)
    fine = np.ones(len(plans), dtype=bool)
    for group in table.group.unique():
        own = (table.group == group).to_numpy()
        fine &= plans[:, own].sum(axis=1) <= table.customers[own].iloc[0]
    money, profit = np.zeros(len(plans)), plans @ table.profit.to_numpy()
    for term in offers.itertuples():
        own = (table.campaign == term.name).to_numpy()
        runs = plans[:, own].any(axis=1)
        cost = plans[:, own] @ table.spend[own].to_numpy() + term.fixed_cost * runs
        for limit, used in ((term.max_spend, cost), (term.capacity, plans[:, own].sum(axis=1))):
            fine &= ~(used > limit + 1e-9)
        money, profit = money + cost, profit - term.fixed_cost * runs
    return profit[fine & (money <= budget + 1e-9)].max()


@pytest.mark.parametrize("first", range(0, 100, 25))
def test_exact_against_trying_everything(first):
    for seed in range(first, first + 25):
        table, offers, budget = small_problem(seed)
        planned = optimizer.allocate(table, offers, budget)
        assert optimizer.expected_profit(planned, offers) == pytest.approx(
            best_by_trying_everything(table, offers, budget), abs=1e-5
        )
        assert optimizer.spend(planned, offers) <= budget + 1e-6


def many_classes() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two campaigns for two segments of their own, values falling smoothly over 400 groups of 50 customers."""
    offers = campaigns({"contact_cost": 0.5}, {"contact_cost": 1.0, "segments": ["B"], "lift": 0.2})
    rows = [
        ("ab"[side], side * 200 + place, "AB"[side], 50, 0.1, 40.0 - 0.15 * place)
        for side in (0, 1)
        for place in range(200)
    ]
    return options(offers, *rows), offers


def test_marginal_returns_are_equal():
    """At the best plan the last money of each line earns the same, which is the budget's dual."""
    table, offers = many_classes()
    planned = optimizer.allocate(table, offers, 9000)
    rate = table.profit / table.spend
    last = rate[planned.contacts > 0].groupby(planned.campaign).min()
    dual = marginal_return(planned, offers, 9000)
    assert last.to_numpy() == pytest.approx(dual, rel=0.01)


def test_the_dual_is_what_more_money_earns():
    table, offers = many_classes()
    planned = optimizer.allocate(table, offers, 9000)
    richer = optimizer.allocate(table, offers, 9050)
    gain = optimizer.expected_profit(richer, offers) - optimizer.expected_profit(planned, offers)
    assert gain / 50 == pytest.approx(marginal_return(planned, offers, 9000), rel=0.01)


def test_the_relaxation_is_an_upper_bound():
    table, offers, budget = small_problem(3)
    whole = optimizer.expected_profit(optimizer.allocate(table, offers, budget), offers)
    split = optimizer.expected_profit(optimizer.allocate(table, offers, budget, whole=False), offers)
    assert split >= whole - 1e-6


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), more=st.floats(0, 20))
def test_more_money_never_earns_less(seed, more):
    table, offers, budget = small_problem(seed)
    earned = [
        optimizer.expected_profit(optimizer.allocate(table, offers, money), offers) for money in (budget, budget + more)
    ]
    assert earned[1] >= earned[0] - 1e-5


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 10_000), more=st.floats(0, 2), which=st.sampled_from(["contact_cost", "fixed_cost"]))
def test_a_higher_cost_never_earns_more(seed, more, which):
    from crm_utils.budget.unit_economics import price_options

    table, offers, budget = small_problem(seed)
    dearer = offers.assign(**{which: offers[which] + more})
    before = optimizer.expected_profit(optimizer.allocate(table, offers, budget), offers)
    after = optimizer.expected_profit(optimizer.allocate(price_options(table, dearer), dearer, budget), dearer)
    assert after <= before + 1e-5


def test_one_campaign_a_customer_and_the_control_share_stays_free():
    table, offers = (
        options(campaigns({}, {}), ("a", 0, "A", 25, 0.1, 40.0), ("b", 0, "A", 25, 0.1, 40.0)),
        campaigns({}, {}),
    )
    assert optimizer.allocate(table, offers, 1e6, holdout_share=0.1).contacts.sum() == 22


def test_limits_are_kept_and_named():
    offers = campaigns({"capacity": 7, "fixed_cost": 3}, {"min_spend": 4, "segments": ["B"]})
    table = options(offers, ("a", 0, "A", 20, 0.1, 40.0), ("b", 1, "B", 20, 0.1, 5.0))
    planned = optimizer.allocate(table, offers, 20)
    assert planned.contacts.tolist() == [7, 4]
    assert optimizer.spend(planned, offers) == pytest.approx(7 + 3 + 4)
    assert optimizer.binding_constraints(planned, offers, 20) == ["the capacity of a", "the minimum of b"]


def test_a_target_return_is_reached_in_place_of_a_budget():
    table, offers = many_classes()
    planned = optimizer.allocate(table, offers, 0, target_roi=5)
    reached = optimizer.expected_profit(planned, offers) / optimizer.spend(planned, offers)
    assert 5 <= reached < 5.01
    assert optimizer.binding_constraints(planned, offers, 0, 5) == ["the target return"]


def test_no_money_and_enormous_money():
    table, offers = many_classes()
    assert optimizer.allocate(table, offers, 0).contacts.sum() == 0
    assert optimizer.allocate(table, offers, 1e15).equals(optimizer.allocate(table, offers, 1e6))


@pytest.mark.parametrize("budget", [-1.0, float("nan"), float("inf")])
def test_a_budget_that_is_no_money_is_refused(budget):
    table, offers = many_classes()
    with pytest.raises(BudgetError, match="is no amount of money"):
        optimizer.allocate(table, offers, budget)


def test_minimums_that_exceed_the_budget_are_named():
    offers = campaigns({"min_spend": 4}, {"min_spend": 3})
    with pytest.raises(BudgetError, match=r"minimums \(a 4.00, b 3.00\) come to 7.00, the budget is 5.00"):
        optimizer.allocate(options(offers, ("a", 0, "A", 20, 0.1, 40.0)), offers, 5)


def test_a_minimum_for_nobody_is_named():
    offers = campaigns({}, {"min_spend": 3})
    with pytest.raises(BudgetError, match="campaign b: its minimum of 3.00 cannot be spent on 0 eligible customers"):
        optimizer.allocate(options(offers, ("a", 0, "A", 20, 0.1, 40.0)), offers, 5)


def test_a_minimum_that_can_just_be_spent_is_no_fault():
    """Nine of ten may be contacted, at 1 each, and 2 once: 11."""
    table = options(campaigns({"fixed_cost": 2}), ("a", 0, "A", 10, 0.1, 40.0))
    for least, fits in ((11, True), (11.01, False)):
        offers = campaigns({"fixed_cost": 2, "min_spend": least})
        if fits:
            assert optimizer.allocate(table, offers, 20, holdout_share=0.1).contacts.tolist() == [9]
        else:
            with pytest.raises(BudgetError, match=r"on 10 eligible customers \(at most 11.00\)"):
                optimizer.allocate(table, offers, 20, holdout_share=0.1)
    assert optimizer.allocate(table, campaigns({"min_spend": 5}), 5).contacts.tolist() == [5], "a minimum may be all"


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_holdout_share_that_is_none_is_refused(share):
    table, offers = many_classes()
    with pytest.raises(BudgetError, match="is no share of a list"):
        optimizer.allocate(table, offers, 5, holdout_share=share)


def test_what_binds_worked_by_hand():
    """A contact costs 1 and earns 3; 20 customers, and 2 once for the campaign."""
    offers = campaigns({"fixed_cost": 2})
    table = options(offers, ("a", 0, "A", 20, 0.1, 40.0), ("a", 1, "A", 20, 0.1, 5.0))

    def binding(contacts: int, budget: float, **limits: float) -> list[str]:
        return optimizer.binding_constraints(table.assign(contacts=[contacts, 0]), offers.assign(**limits), budget)

    assert binding(10, 12) == binding(10, 12.99) == ["the budget"]
    assert binding(10, 13) == [], "one more contact could be paid"
    assert binding(20, 22) == [], "nobody is waiting whose contact would earn anything"
    assert binding(10, 50, capacity=10) == ["the capacity of a"]
    assert binding(10, 50, capacity=11) == []
    assert binding(0, 50, capacity=0) == []
    assert binding(10, 50, max_spend=12.99) == ["the maximum of a"]
    assert binding(10, 50, max_spend=13) == []
    assert binding(10, 50, min_spend=11.01) == ["the minimum of a"]
    assert binding(10, 50, min_spend=11) == []


def test_money_of_a_plan_worked_by_hand():
    offers = campaigns({"fixed_cost": 5, "contact_cost": 0.5}, {"fixed_cost": 7})
    planned = options(offers, ("a", 0, "A", 9, 0.1, 40.0), ("b", 0, "A", 9, 0.1, 40.0)).assign(contacts=[2, 0])
    assert optimizer.spend(planned, offers) == pytest.approx(2 * 0.5 + 5)
    assert optimizer.expected_profit(planned, offers) == pytest.approx(2 * (0.1 * 40 - 0.5) - 5)


def test_only_options_that_earn_or_must_spend_are_used():
    offers = campaigns({}, {"min_spend": 1})
    table = options(offers, ("a", 0, "A", 1, 0.1, 10.0), ("a", 1, "A", 1, 0.1, 10.1), ("b", 0, "A", 1, 0.1, 1.0))
    assert optimizer.is_useful(table, offers).tolist() == [False, True, True]


def test_split_customers_are_rounded_to_a_millionth():
    offers = campaigns({})
    table = options(offers, ("a", 0, "A", 20, 0.1, 40.0))
    assert optimizer.allocate(table, offers, 10 / 3, whole=False).contacts.tolist() == [3.333333]
    assert optimizer.allocate(table, offers, 10 / 3).contacts.tolist() == [3]
