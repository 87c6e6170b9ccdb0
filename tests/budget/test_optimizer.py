"""The plan is the best one, within every limit."""

import itertools
import os

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
    offers = campaigns({"min_spend": 4}, {"min_spend": 3}, {})
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
    little = options(offers, ("a", 0, "A", 20, 0.1, 12.0)).assign(contacts=19)
    assert optimizer.binding_constraints(little, offers, 21) == ["the budget"], "a fifth is worth waiting for"
    assert binding(10, 50, capacity=10) == ["the capacity of a"]
    assert binding(10, 50, capacity=11) == []
    assert binding(0, 50, capacity=0) == []
    assert binding(10, 50, max_spend=12.99) == ["the maximum of a"]
    assert binding(10, 50, max_spend=13) == []
    assert binding(10, 50, min_spend=11.01) == ["the minimum of a"]
    assert binding(10, 50, min_spend=11) == []
    assert binding(0, 50, min_spend=0.5) == ["the minimum of a"]
    unused = campaigns({"fixed_cost": 2}, {"max_spend": 0.5})
    assert optimizer.binding_constraints(table.assign(contacts=[10, 0]), unused, 50) == [], "b fits nobody"


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


def test_the_program_worked_by_hand():
    """Campaign a for both groups, b (2 a contact, 5 once) for the second; of 4 and 10 customers 3 and 9 are free."""
    offers = campaigns({"capacity": 7}, {"contact_cost": 2, "fixed_cost": 5, "max_spend": 30, "min_spend": 6})
    table = options(offers, ("a", 5, "A", 4, 0.1, 40.0), ("a", 8, "B", 10, 0.1, 40.0), ("b", 8, "B", 10, 0.1, 30.0))
    milp = optimizer.build_milp(table, offers, 50, None, 0.1)
    assert milp.profit.tolist() == pytest.approx([3, 3, 1, 0, -5])
    assert milp.rows.toarray().tolist() == [
        [1, 1, 2, 0, 5],  # all money
        [1, 0, 0, 0, 0],  # group 5
        [0, 1, 1, 0, 0],  # group 8
        [1, 0, 0, -3, 0],  # contacts only if the campaign runs
        [0, 1, 0, -9, 0],
        [0, 0, 1, 0, -9],
        [1, 1, 0, 0, 0],  # contacts of a and b
        [0, 0, 1, 0, 0],
        [1, 1, 0, 0, 0],  # money of a and b
        [0, 0, 2, 0, 5],
    ]
    none = np.inf
    assert milp.high.tolist() == [50, 3, 9, 0, 0, 0, 7, none, none, 30]
    assert milp.low.tolist() == [-none] * 9 + [6]
    assert milp.upper.tolist() == [3, 9, 9, 1, 1]
    assert milp.campaign.tolist() == [0, 0, 1]
    assert (milp.opened, milp.money, milp.options, milp.target_roi) == (slice(3, 6), 8, 3, None)
    assert milp._limits.tolist() == [True] * 3 + [False] * 3 + [True] * 4


def test_a_target_return_replaces_the_budget_in_the_program():
    """The last row is profit − 2 × spend, which may not be below 0."""
    offers = campaigns({}, {"contact_cost": 2, "fixed_cost": 5})
    table = options(offers, ("a", 5, "A", 4, 0.1, 40.0), ("b", 8, "B", 10, 0.1, 30.0))
    milp = optimizer.build_milp(table, offers, 50, 2.0, 0.0)
    assert milp.high[0] == np.inf
    assert milp.rows.toarray()[-1].tolist() == pytest.approx([3 - 2 * 1, 1 - 2 * 2, 0, -5 - 2 * 5])
    assert (milp.low[-1], milp.high[-1]) == (0, np.inf)
    profit, rows = milp.change_of(np.array([1]), np.array([10.0]), np.array([3.0]))
    assert profit.tolist() == [0, 10, 0, 0]
    # The options' money counts in all money, in that of campaign b, and twice in the row of the target.
    changed = {place: value for place, value in enumerate(rows.toarray()[:, 1]) if value}
    assert changed == {0: 3, milp.money + 1: 3, len(milp.high) - 1: 10 - 2 * 3}
    assert rows.nnz == 3


def test_the_relaxation_worked_by_hand():
    """Group 8: a earns 3 for 1, b 4.5 for 2. With 20, 5 of them once: 4 + 7 by a is 11, and 4 are left for 2 by b.

    Money: a has the 4 of group 5. In group 8 each customer who gets b in place of a earns 1.5 more for 1 more.
    """
    offers = campaigns({}, {"contact_cost": 2, "fixed_cost": 5, "lift": 0.1})
    table = options(offers, ("a", 5, "A", 4, 0.1, 40.0), ("a", 8, "B", 10, 0.1, 40.0), ("b", 8, "B", 10, 0.1, 65.0))
    milp = optimizer.build_milp(table, offers, 20, None, 0.0)
    found = milp.solve_relaxation(np.array([True, True]))
    # 15 of money after the fixed cost: 4 for group 5, 10 for a in group 8, and 1 to raise one of them to b.
    assert found.contacts.tolist() == pytest.approx([4, 9, 1])
    assert found.profit == pytest.approx(4 * 3 + 9 * 3 + 4.5 - 5)
    assert found.shadow_prices[[0, 2]].tolist() == pytest.approx([1.5, 3 - 1.5])
    only_a = milp.solve_relaxation(np.array([True, False]))
    assert only_a.contacts.tolist() == pytest.approx([4, 10, 0])
    assert only_a.profit == pytest.approx(14 * 3)
    assert only_a.shadow_prices[0] == pytest.approx(0)
    poor = optimizer.build_milp(table, offers, 4, None, 0.0).solve_relaxation(np.array([True, True]))
    assert poor.profit == -np.inf, "the fixed cost is above the budget"
    assert poor.contacts.tolist() == [0, 0, 0] and not poor.shadow_prices.any()


def test_what_must_be_spent_has_a_price():
    """b loses 1 a contact of 2 and must spend 6: each unit more of its minimum costs .5."""
    offers = campaigns({}, {"contact_cost": 2, "min_spend": 6})
    table = options(offers, ("a", 5, "A", 4, 0.1, 40.0), ("b", 8, "B", 10, 0.1, 10.0))
    found = optimizer.build_milp(table, offers, 20, None, 0.0).solve_relaxation(np.array([True, True]))
    assert found.contacts.tolist() == pytest.approx([4, 3])
    assert found.shadow_prices[-1] == pytest.approx(-0.5)


def test_what_the_solver_prints_is_discarded(capfd):
    with optimizer.silence_stdout():
        os.write(1, b"debug")
        os.write(2, b"error")
    os.write(1, b"after")
    assert capfd.readouterr() == ("after", "error")


def test_a_minimum_of_less_than_one_is_spent():
    """A contact of .25 loses .15; two of them spend the minimum of .5."""
    offers = campaigns({"contact_cost": 0.25, "min_spend": 0.5})
    table = options(offers, ("a", 0, "A", 9, 0.1, 1.0))
    assert optimizer.allocate(table, offers, 10).contacts.tolist() == [2]
