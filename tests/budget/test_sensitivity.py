"""How sure the plan is: sums that hold in every scenario, the budget curve, and break points."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import break_points, optimizer, sensitivity, unit_economics
from crm_utils.budget import plan as lines
from crm_utils.core.errors import BudgetError
from tests.support.budget_factories import campaigns, marginal_return, options

CHANGES = [{"name": "half", "budget": -0.5}, {"name": "poor", "margin": -0.2}, {"name": "weak", "lift": -0.3}]


def problem(seed: int = 0, incentive: float = 0.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Three campaigns of different cost for three segments, two of which compete for segment B."""
    random = np.random.default_rng(seed)
    offers = campaigns(
        {"segments": ["A", "B"], "contact_cost": 0.4, "fixed_cost": 20, "lift": 0.03, "incentive": incentive,
         "redemption_rate": 0.5},
        {"segments": ["B"], "contact_cost": 0.9, "fixed_cost": 5, "lift": 0.05},
        {"segments": ["C"], "contact_cost": 0.6, "fixed_cost": 40, "lift": 0.02},
    )  # fmt: skip
    rows = []
    for place, segment in enumerate("ABC"):
        for number, value in enumerate(np.sort(random.uniform(5, 60, 10))):
            chance = random.uniform(0.02, 0.4)
            rows += [
                (name, place * 10 + number, segment, 60, chance, value)
                for name, named in zip(offers.name, offers.segments, strict=True)
                if segment in named
            ]
    return options(offers, *rows), offers


@pytest.mark.parametrize("budget", [0, 37.5, 250, 5000])
def test_spent_and_unspent_are_the_budget_in_every_scenario(budget):
    table, offers = problem()
    found = sensitivity.compare_scenarios(table, offers, budget, CHANGES, 0.1)
    assert found.scenario.tolist() == ["as planned", "half", "poor", "weak"]
    assert (found.spend + found.unspent - found.budget).abs().max() < 0.01
    assert found.budget.tolist() == [budget, budget / 2, budget, budget]
    assert (found.spend <= found.budget + 1e-6).all()
    assert (found.expected_profit[1:] <= found.expected_profit[0] + 1e-6).all()


def test_the_curve_rises_to_the_sensible_budget_and_stays_there():
    table, offers = problem()
    sensible = sensitivity.profit_maximizing_budget(table, offers, 0.1)
    curve = sensitivity.budget_curve(table, offers, sensitivity.curve_budgets(sensible, sensible), 0.1)
    assert (curve.expected_profit.diff().dropna() >= -1e-4).all()
    assert curve.expected_profit[curve.budget >= sensible].round(3).nunique() == 1
    assert curve.expected_profit[curve.budget < sensible - 1].max() < curve.expected_profit.max()
    assert (curve.profit_low <= curve.expected_profit).all()
    assert (curve.profit_high >= curve.expected_profit).all()


def test_the_interval_is_the_plan_at_the_ends_of_the_ranges():
    table, offers = problem()
    planned = optimizer.allocate(table, offers, 300)
    low = unit_economics.price_options(
        planned.assign(lift=planned.campaign.map(offers.set_index("name").lift_low)), offers
    )
    assert sensitivity.profit_interval(planned, offers)[0] == pytest.approx(optimizer.expected_profit(low, offers))


@pytest.mark.parametrize(("seed", "incentive", "budget"), [(0, 0, 5000), (1, 0, 300), (2, 4, 5000), (3, 4, 250)])
def test_a_break_point_changes_the_plan_on_one_side_only(seed, incentive, budget):
    table, offers = problem(seed, incentive)
    planned = optimizer.allocate(table, offers, budget)
    points = break_points.break_points(planned, offers, budget)
    assert points.notna().sum() >= 3
    for line, lift in points.dropna().items():
        rows = (table.campaign == line[0]) & (table.segment == line[1])
        contacts = []
        for side in (0.99, 1.01):
            changed = unit_economics.price_options(table.assign(lift=table.lift.mask(rows, lift * side)), offers)
            contacts.append(optimizer.allocate(changed, offers, budget).contacts[rows].sum())
        assert contacts[0] == 0 < contacts[1], line


def sides(table, offers, lines_and_lifts, *limits, **how) -> list[list[float]]:
    """The contacts of each line when its lift is 1 % below and 1 % above its break point."""
    found = []
    for line, lift in lines_and_lifts:
        rows = (table.campaign == line[0]) & (table.segment == line[1])
        changed = (
            unit_economics.price_options(table.assign(lift=table.lift.mask(rows, lift * side)), offers)
            for side in (0.99, 1.01)
        )
        found.append([optimizer.allocate(each, offers, *limits, **how).contacts[rows].sum() for each in changed])
    return found


def test_break_points_of_large_plans_split_customers(monkeypatch):
    monkeypatch.setattr(break_points, "WHOLE_UP_TO", 0)
    table, offers = problem(5, incentive=4)
    planned = optimizer.allocate(table, offers, 600, holdout_share=0.1)
    points = break_points.break_points(planned, offers, 600, 0.1).dropna()
    assert len(points) >= 3
    for below, above in sides(table, offers, points.items(), 600, None, 0.1, whole=False):
        assert below < 1e-6 < above


def test_break_points_under_a_target_return():
    table, offers = problem(6)
    planned = optimizer.allocate(table, offers, 0, target_roi=0.8)
    points = break_points.break_points(planned, offers, 0, target_roi=0.8).dropna()
    assert len(points) >= 3
    for below, above in sides(table, offers, points.items(), 0, 0.8):
        assert below == 0 < above


def test_a_break_point_is_where_profit_per_money_meets_the_dual():
    """Without fixed costs or rivals for the customers, the line's best money earns what the plan's last money earns."""
    offers = campaigns({"contact_cost": 0.5}, {"contact_cost": 0.5, "segments": ["B"]})
    rows = [
        ("ab"[side], side * 50 + n, "AB"[side], 40, 0.1, 30 - 0.3 * n - 6 * side) for side in (0, 1) for n in range(50)
    ]
    table = options(offers, *rows)
    planned = optimizer.allocate(table, offers, 500)
    lift = break_points.break_points(planned, offers, 500)["b", "B"]
    at_flip = unit_economics.price_options(table.assign(lift=table.lift.mask(table.segment == "B", lift)), offers)
    best = (at_flip.profit / at_flip.spend)[at_flip.segment == "B"].max()
    replanned = optimizer.allocate(at_flip, offers, 500)
    assert best == pytest.approx(marginal_return(replanned, offers, 500), rel=0.02)


def test_the_next_money_is_what_a_larger_budget_earns():
    table, offers = problem()
    planned = optimizer.allocate(table, offers, 100)
    richer = optimizer.expected_profit(optimizer.allocate(table, offers, 1100), offers)
    gain = sensitivity.marginal_profit(planned, table, offers, 100, 0.0)
    assert gain == pytest.approx(richer - optimizer.expected_profit(planned, offers))


@pytest.mark.parametrize("budget", [60, 400, 5000])
def test_no_rule_of_thumb_beats_the_plan(budget):
    table, offers = problem()
    planned = optimizer.allocate(table, offers, budget)
    ways = sensitivity.benchmark_allocations(planned, offers, table.groupby("group").order_margin.mean(), 0.0)
    assert len(ways) == 4
    assert (ways.expected_profit[1:] <= ways.expected_profit[0] + 1e-6).all()
    assert (ways.spend <= ways.spend[0] + 1e-6).all(), "no rule is given more money than the plan spends"


def test_the_budget_table_adds_up_with_a_calculator():
    table, offers = problem(2, incentive=4)
    planned = optimizer.allocate(table, offers, 300)
    plan = lines.build_plan(planned, offers, pd.Series(dtype=int))
    assert plan.spend.sum() == pytest.approx(optimizer.spend(planned, offers))
    assert plan.expected_profit.sum() == pytest.approx(optimizer.expected_profit(planned, offers))
    assert plan[["profit_low", "profit_high"]].sum().tolist() == pytest.approx(
        sensitivity.profit_interval(planned, offers)
    )
    term = offers.set_index("name").loc[plan.campaign].reset_index(drop=True)
    given = term.redemption_rate * term.incentive
    each = (
        term.delivery_rate * (plan.lift * (plan.margin - given) - plan.baseline_probability * given) - term.contact_cost
    )
    assert (each * plan.contacts - plan.fixed_costs).to_numpy() == pytest.approx(plan.expected_profit.to_numpy())
    chosen = plan[plan.contacts > 0]
    assert (
        (chosen.max_cost_per_contact - term.contact_cost[chosen.index]) * chosen.contacts
    ).to_numpy() == pytest.approx(chosen.expected_profit.to_numpy())


def test_a_fixed_cost_that_those_who_pay_cannot_earn_back_is_the_reason():
    """30 in A earn .1 × 40 − 1 = 3 each, 300 in B nothing: 90 is less than the fixed 100.

    Shared by all 330 it seems to pay in A.
    """
    offers = campaigns({"contact_cost": 1.0, "fixed_cost": 100.0, "segments": ["A", "B"]})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("a", 1, "B", 300, 0.1, 5.0))
    plan = lines.build_plan(optimizer.allocate(table, offers, 1e4), offers, pd.Series(dtype=int)).set_index("segment")
    assert plan.break_even_lift["A"] < plan.lift["A"]
    assert plan.reason["A"] == "its fixed cost would not be earned back"


def test_whom_a_better_campaign_takes_is_not_there_to_earn_a_fixed_cost():
    """b earns .1 × 40 − 1 = 3 in A and in B, 30 customers each: 180 pay its fixed 100.

    But a takes A, and the 90 of B alone do not.
    """
    offers = campaigns({"contact_cost": 0.5}, {"contact_cost": 1.0, "fixed_cost": 100.0, "segments": ["A", "B"]})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("b", 0, "A", 30, 0.1, 40.0), ("b", 1, "B", 30, 0.1, 40.0))
    plan = lines.build_plan(optimizer.allocate(table, offers, 1e4), offers, pd.Series(dtype=int))
    assert plan.set_index(["campaign", "segment"]).reason.to_dict() == {
        ("a", "A"): "earns more than it costs",
        ("b", "A"): "another use of the money or of these customers earns more",
        ("b", "B"): "its fixed cost would not be earned back by those whom no other campaign serves better",
    }


def test_nothing_planned_has_reasons():
    offers = campaigns({"contact_cost": 50.0}, {"contact_cost": 1.0, "fixed_cost": 1e5, "segments": ["B"]})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("b", 1, "B", 30, 0.1, 40.0))
    plan = lines.build_plan(optimizer.allocate(table, offers, 100), offers, pd.Series(dtype=int))
    assert plan.contacts.sum() == 0
    assert plan.reason.tolist() == ["never pays: an added order earns less than it costs to win"] * 2


def test_minimums_bound_the_curve_and_the_scenarios_that_cannot_be():
    """40 must be spent on a: the curve begins there, and half of 60 is too little for it."""
    offers = campaigns({"min_spend": 40.0})
    table = options(offers, ("a", 0, "A", 100, 0.1, 40.0))
    shown = sensitivity.curve_budgets(60.0, 100.0, offers.min_spend.sum())
    assert shown[0] == 40.0 and shown == sorted(set(shown))
    assert sensitivity.budget_curve(table, offers, shown, 0.0).expected_profit.is_monotonic_increasing
    found = sensitivity.compare_scenarios(
        table, offers, 60.0, [{"name": "half", "budget": -0.5}, {"name": "more", "budget": 0.5}], 0.0
    )
    assert found.spend.isna().tolist() == [False, True, False]
    with pytest.raises(BudgetError, match="minimums"):
        sensitivity.compare_scenarios(table, offers, 30.0, [], 0.0)


def test_limits_of_a_campaign_are_reasons():
    offers = campaigns({"capacity": 10}, {"max_spend": 12.0, "segments": ["B"]}, {"capacity": 0, "segments": ["C"]})
    table = options(offers, *((name, place, name.upper(), 30, 0.1, 40.0) for place, name in enumerate("abc")))
    more = options(offers, ("a", 3, "D", 30, 0.1, 40.0), ("b", 4, "E", 30, 0.1, 40.0))
    both = pd.concat([table, more], ignore_index=True)
    plan = lines.build_plan(optimizer.allocate(both, offers, 1e4), offers, pd.Series(dtype=int))
    said = plan[plan.contacts == 0].groupby("campaign").reason.unique().map(list).to_dict()
    assert said == {
        "a": ["its campaign may reach no more customers"],
        "b": ["its campaign may spend no more"],
        "c": ["its campaign may reach no more customers"],
    }


def test_a_measured_campaign_that_is_left_out_is_set_beside_what_is_planned_for_its_customers():
    """One contact costs 1: a earns 30 × (.1 × 40 − 1) = 90 alone, b on an assumed .2 earns 30 × (8 − 1) = 210."""
    offers = campaigns({"lift_low": 0.05, "lift_high": 0.15}, {"lift": 0.2, "lift_low": 0.1, "lift_high": 0.3}).assign(
        evidence=["measured", "assumed"]
    )
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("b", 0, "A", 30, 0.1, 40.0))
    planned = optimizer.allocate(table, offers, 1000)
    plan = lines.build_plan(planned, offers, pd.Series(dtype=int))
    found = sensitivity.measured_but_unplanned(table, offers, plan, 1000, 0.0)
    assert found.campaign.tolist() == ["a"]
    assert found[["alone", "low", "instead_earns"]].iloc[0].tolist() == pytest.approx([90, 30, 210])
    assert found[["instead", "assumed"]].iloc[0].tolist() == [["b"], True]
    assert sensitivity.measured_but_unplanned(table, offers.assign(evidence="assumed"), plan, 1000, 0.0).empty
