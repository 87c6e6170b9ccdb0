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
    assert plan.expected_profit.is_monotonic_decreasing and plan.index.tolist() == list(range(len(plan)))
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


@pytest.mark.parametrize(("taken", "of_all"), [(14, False), (15, True)])
def test_whether_a_better_campaign_takes_half_of_the_customers(taken, of_all):
    """30 customers earn 90 with b, more than its fixed 60. The 16 or 15 whom a does not take earn 48 or 45.

    That is the reason if more than half are left. Otherwise those whom a takes are.
    """
    offers = campaigns({"contact_cost": 0.5, "capacity": taken}, {"contact_cost": 1.0, "fixed_cost": 60.0})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("b", 0, "A", 30, 0.1, 40.0)).assign(contacts=[taken, 0])
    reason = lines.build_plan(table, offers, pd.Series(dtype=int)).set_index("campaign").reason["b"]
    assert reason == (
        "another use of the money or of these customers earns more"
        if of_all
        else "its fixed cost would not be earned back by those whom no other campaign serves better"
    )


def test_a_fixed_cost_is_not_earned_back_if_nothing_is_left_of_it():
    """30 customers earn 90 with b, and the 16 whom a does not take 48: exactly the fixed cost is not enough."""
    for fixed_cost, reason in {
        90: "its fixed cost would not be earned back",
        89: "its fixed cost would not be earned back by those whom no other campaign serves better",
        48: "its fixed cost would not be earned back by those whom no other campaign serves better",
        47: "another use of the money or of these customers earns more",
    }.items():
        offers = campaigns({"contact_cost": 0.5, "capacity": 14}, {"contact_cost": 1.0, "fixed_cost": fixed_cost})
        table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("b", 0, "A", 30, 0.1, 40.0)).assign(contacts=[14, 0])
        plan = lines.build_plan(table, offers, pd.Series(dtype=int)).set_index("campaign")
        assert plan.reason["b"] == reason


def test_only_what_earns_can_earn_a_fixed_cost_back():
    """30 in A earn .5 each, 15 in all; 30 in B lose .5 each."""
    for fixed_cost, is_reason in ((15, True), (14.9, False)):
        offers = campaigns({"fixed_cost": fixed_cost, "segments": ["A", "B"]})
        table = options(offers, ("a", 0, "A", 30, 0.1, 15.0), ("a", 1, "B", 30, 0.1, 5.0)).assign(contacts=0)
        reason = lines.build_plan(table, offers, pd.Series(dtype=int)).set_index("segment").reason["A"]
        assert (reason == "its fixed cost would not be earned back") is is_reason


def test_lines_of_one_profit_are_in_the_order_of_their_names():
    offers = campaigns({"segments": ["A", "B"]}, {"segments": ["B", "A"]})
    rows = [(name, place, segment, 9, 0.1, 40.0) for name in "ba" for place, segment in enumerate("BA")]
    plan = lines.build_plan(options(offers, *rows).assign(contacts=0), offers, pd.Series(dtype=int))
    assert (plan.campaign + plan.segment).tolist() == ["aA", "aB", "bA", "bB"]


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
    must = offers.assign(min_spend=[1e6, 0.0])
    held = sensitivity.measured_but_unplanned(table, must, plan, 1000, 0.5)
    assert held[["alone", "low"]].iloc[0].tolist() == pytest.approx([45, 15]), "alone, and half of them are contacted"
    poor = sensitivity.measured_but_unplanned(table, offers, plan, 10, 0.0)
    assert poor.alone.tolist() == pytest.approx([30]), "10 contacts can be paid"
    dear = offers.assign(contact_cost=[9.0, 1.0])
    losing = sensitivity.measured_but_unplanned(unit_economics.price_options(table, dear), dear, plan, 1000, 0.0)
    assert losing.alone.tolist() == [0], "nobody is written to if no contact earns its cost"
    both = offers.assign(evidence="measured")
    assert sensitivity.measured_but_unplanned(table, both, plan, 1000, 0.0).campaign.tolist() == ["a"], "b is planned"
    turned = sensitivity.measured_but_unplanned(table, both.iloc[::-1], plan, 1000, 0.0)
    assert turned.campaign.tolist() == ["a"], "in any order"
    single = plan.assign(contacts=plan.contacts.clip(upper=1))
    assert sensitivity.measured_but_unplanned(table, offers, single, 1000, 0.0).instead.tolist() == [["b"]]
    only_b = table[table.campaign == "b"]
    assert sensitivity.measured_but_unplanned(only_b, both, plan, 1000, 0.0).empty, "a fits nobody"


def test_budgets_of_the_curve_worked_by_hand():
    """Up to twice the budget, or twice the best one if that is at most a fifth of it; 25 points and the best."""
    shown = sensitivity.curve_budgets(120.0, 25.0)
    assert (shown[0], shown[1], shown[-1], len(shown)) == (0, 10, 240, 26)
    assert 25.0 in shown
    assert sensitivity.curve_budgets(120.0, 24.0)[-1] == 48, "exactly a fifth is not more than a fifth"
    assert len(sensitivity.curve_budgets(120.0, 500.0)) == 25, "a best budget beyond the curve is not on it"
    assert len(sensitivity.curve_budgets(0.5575, 1.115)) == 25, "a best budget at the end is shown once, as 1.12"
    assert sensitivity.curve_budgets(10.0, 10.0, 50.0) == [50.0]
    assert sensitivity.curve_budgets(100.0, 33.333)[4] == 33.33
    assert len(sensitivity.curve_budgets(100.0, 33.333)) == 25, "the best budget is already on it"
    assert sensitivity.curve_budgets(10.0, 10.0, 50.123) == [50.12]


def test_scenarios_change_what_they_name():
    """30 customers, a contact costs 1 and adds .1 × 40, 20 once: 30 × 3 − 20 = 70."""
    offers = campaigns({"fixed_cost": 20, "lift_low": 0.05, "lift_high": 0.15})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0))
    changes = [
        {"name": "lift", "lift": 0.5},
        {"name": "margin", "margin": -0.1},
        {"name": "cost", "cost": 0.5},
        {"name": "budget", "budget": -0.6},
    ]
    found = sensitivity.compare_scenarios(table, offers, 100, changes, 0.0).set_index("scenario")
    assert found.expected_profit.to_dict() == pytest.approx(
        {"as planned": 70, "lift": 30 * 5 - 20, "margin": 30 * 2.6 - 20, "cost": 30 * 2.5 - 30, "budget": 20 * 3 - 20}
    )
    assert found.budget.to_dict() == pytest.approx(dict.fromkeys(found.index, 100) | {"budget": 40})
    assert found.profit_low["as planned"] == pytest.approx(30 * 1 - 20)
    assert found.profit_high["lift"] == pytest.approx(30 * (0.225 * 40 - 1) - 20)
    assert found.unspent["as planned"] == pytest.approx(50)
    doubled = sensitivity.what_if_doubled(table, offers, 100, 0.0)
    assert doubled.expected_profit.tolist() == pytest.approx(
        [70, 30 * 7 - 20, 30 * 7 - 20, 30 * 3.5 - 10, 30 * 15 - 20]
    )
    few = sensitivity.compare_scenarios(table, offers, 30.5, [], 0.0).iloc[0]
    assert (few.spend, few.unspent, few.expected_profit) == pytest.approx((30, 0.5, 10)), "half a contact is not made"
    split = sensitivity.budget_curve(table, offers, [30.5], 0.0).iloc[0]
    assert (split.spend, split.expected_profit) == pytest.approx((30.5, 11.5)), "along the curve customers are split"
    held = sensitivity.compare_scenarios(table, offers, 100, [], 0.5).iloc[0]
    assert held.expected_profit == pytest.approx(15 * 3 - 20)
    roi = sensitivity.compare_scenarios(table, offers, 0, [], 0.0, target_roi=1.0).iloc[0]
    assert (roi.spend, roi.expected_profit) == pytest.approx((50, 70)), "70 ÷ 50 is more than 1"
    returns = sensitivity.budget_curve(table, offers, [0.0], 0.0, True, target_roi=1.0).iloc[0]
    assert (returns.budget, returns.spend, returns.unspent) == pytest.approx((50, 50, 0))


def test_money_that_can_be_used_worked_by_hand():
    """Of 10 customers 9 are free, and the dearer campaign costs 2 a contact. Fixed costs are 3 and 5; c fits nobody."""
    offers = campaigns({"fixed_cost": 3}, {"contact_cost": 2, "fixed_cost": 5}, {"fixed_cost": 11})
    table = options(offers, ("a", 0, "A", 10, 0.1, 40.0), ("b", 0, "A", 10, 0.1, 40.0), ("a", 1, "A", 20, 0.1, 40.0))
    assert sensitivity.max_useful_spend(table, offers, 0.1) == pytest.approx(9 * 2 + 18 * 1 + 3 + 5)
    # a earns 3 a contact and b 2: the best plan has a for all, and its fixed cost.
    assert sensitivity.profit_maximizing_budget(table, offers, 0.1) == pytest.approx(27 + 3)
    planned = optimizer.allocate(table, offers, 13)
    assert sensitivity.marginal_profit(planned, table, offers, 13, 0.0) == pytest.approx(20 * 3)
    held = optimizer.allocate(table, offers, 13, holdout_share=0.5)
    # 10 contacts at 1 and 3 once; half of 10 and of 20 may be contacted at most.
    assert sensitivity.marginal_profit(held, table, offers, 13, 0.5) == pytest.approx(5 * 3)
    many = options(offers, ("a", 0, "A", 5000, 0.1, 40.0))
    assert sensitivity.marginal_profit(many.assign(contacts=0), many, offers, 0, 0.0) == pytest.approx(3 * 997 - 3)
    only = campaigns({"fixed_cost": 3})
    few = options(only, ("a", 0, "A", 10, 0.1, 40.0))
    assert sensitivity.profit_maximizing_budget(few, only, 0.0) == pytest.approx(13), "the fixed cost is in it"
    must = only.assign(min_spend=12.0)
    assert sensitivity.profit_maximizing_budget(few, must, 0.0) == pytest.approx(13)
    everything = optimizer.allocate(table, offers, 1e6)
    assert sensitivity.marginal_profit(everything, table, offers, 1e6, 0.0) == 0


def test_rules_of_thumb_worked_by_hand():
    """The plan spends 16: 5 once for b, and 11 contacts at 1.

    Group 0: 6 customers of A, who spend most; group 1: 10 of B. a (lift .1) fits both, b (.2, 5 once) A only.
    """
    offers = campaigns({}, {"lift": 0.2, "fixed_cost": 5})
    table = options(offers, ("a", 0, "A", 6, 0.1, 40.0), ("b", 0, "A", 6, 0.1, 40.0), ("a", 1, "B", 10, 0.1, 40.0))
    planned = table.assign(contacts=[0, 6, 5])
    ways = sensitivity.benchmark_allocations(planned, offers, pd.Series({0: 90.0, 1: 10.0}), 0.0).set_index("way")
    assert ways.spend.to_dict() == pytest.approx(
        {"this plan": 16, "equal split over campaigns": 8, "top spenders only": 16, "largest segments": 16}
    )
    # a has 8: 6 contacts of group 0 and 2 of group 1. Nobody is left for the 8 of b.
    assert ways.expected_profit["equal split over campaigns"] == pytest.approx(8 * 3)
    assert ways.contacts["equal split over campaigns"] == 8
    assert ways.expected_profit["top spenders only"] == pytest.approx(6 * 7 - 5 + 5 * 3)
    # B first: 10 contacts by a; of the 6 left b takes 5 once and 1 contact.
    assert ways.expected_profit["largest segments"] == pytest.approx(10 * 3 + 7 - 5)
    held = sensitivity.benchmark_allocations(planned, offers, pd.Series({0: 90.0, 1: 10.0}), 0.5).set_index("way")
    assert held.contacts["top spenders only"] == 3 + 5, "half of each group is held out"


def test_a_line_of_the_plan_worked_by_hand():
    """a: 2 of 4 at lift .1 in A, 1 of 5 in B, 6 once, so 2 a contact. A: V 40, p0 .2; d 3, redeemed by half, s .8."""
    offers = campaigns(
        {
            "incentive": 3,
            "redemption_rate": 0.5,
            "delivery_rate": 0.8,
            "fixed_cost": 6,
            "lift_low": 0.05,
            "lift_high": 0.2,
        }
    )
    table = options(offers, ("a", 0, "A", 4, 0.2, 40.0), ("a", 1, "B", 5, 0.2, 40.0)).assign(contacts=[2, 1])
    held = pd.Series({("a", "A"): 1})
    row = lines.build_plan(table, offers, held).set_index("segment").loc["A"]
    assert row.fixed_costs == pytest.approx(4)
    assert row.incremental_margin == pytest.approx(2 * 0.8 * 0.1 * 40)
    assert row.incentives_added == pytest.approx(2 * 0.8 * 0.1 * 1.5)
    assert row.incentives_to_baseline_buyers == pytest.approx(2 * 0.8 * 0.2 * 1.5)
    assert row.spend == pytest.approx(2 + 0.24 + 0.48 + 4)
    assert row.expected_profit == pytest.approx(6.4 - 6.72)
    assert row.profit_low == pytest.approx(2 * (0.8 * (0.05 * 38.5 - 0.2 * 1.5) - 1) - 4)
    assert row.profit_high == pytest.approx(2 * (0.8 * (0.2 * 38.5 - 0.2 * 1.5) - 1) - 4)
    assert row.roi == pytest.approx(-0.32 / 6.72)
    assert row.break_even_lift == pytest.approx(((1 + 2) / 0.8 + 0.3) / 38.5)
    assert row.max_cost_per_contact == pytest.approx(0.8 * (0.1 * 38.5 - 0.3) - 2)
    assert (row.baseline_probability, row.margin, row.discount) == pytest.approx((0.2, 40, 3))
    assert (row.customers, row.contacts, row.holdout_customers) == (4, 2, 1)
    assert row.minimum_detectable_lift == pytest.approx(2.8016 * (0.16 * 1.5) ** 0.5 / 0.8)


def test_means_are_those_of_the_contacts_or_of_all_without_any():
    """Given 10% of 100 and of 300: planned 3 and 1, eligible 5 and 5."""
    offers = campaigns({"incentive_share": 0.1, "redemption_rate": 1})
    table = options(offers, ("a", 0, "A", 5, 0.1, 30.0), ("a", 1, "A", 5, 0.4, 90.0))
    planned = lines.build_plan(table.assign(contacts=[3, 1]), offers, pd.Series(dtype=int)).iloc[0]
    assert (planned.margin, planned.baseline_probability) == pytest.approx((45, 0.175))
    assert planned.discount == pytest.approx(15)
    assert planned.discount_to_baseline_buyers == pytest.approx((3 * 0.1 * 10 + 0.4 * 30) / (3 * 0.1 + 0.4))
    single = lines.build_plan(table.assign(contacts=[1, 0]), offers, pd.Series(dtype=int)).iloc[0]
    assert (single.margin, single.baseline_probability) == pytest.approx((30, 0.1))
    idle = lines.build_plan(table.assign(contacts=0), offers, pd.Series(dtype=int)).iloc[0]
    assert (idle.margin, idle.baseline_probability) == pytest.approx((60, 0.25))
    assert idle.discount_to_baseline_buyers == pytest.approx((0.1 * 10 + 0.4 * 30) / 0.5)
    nobody = lines.build_plan(table.assign(contacts=0, p0=0.0), offers, pd.Series(dtype=int)).iloc[0]
    assert nobody.discount_to_baseline_buyers == pytest.approx(20), "if nobody buys anyway, that of an added order"


def test_reasons_for_whole_and_partial_lines():
    offers = campaigns({})
    table = options(offers, ("a", 0, "A", 100, 0.1, 40.0))

    def reason(contacts: int, held: int) -> str:
        return lines.build_plan(table.assign(contacts=contacts), offers, pd.Series({("a", "A"): held})).reason[0]

    assert reason(89, 10) == "earns more than it costs"
    assert reason(88, 10) == "only the customers where it earns most"
    none = offers.assign(lift=0.0, evidence="measured")
    free = options(none, ("a", 0, "A", 100, 0.1, 40.0)).assign(contacts=0)
    reasons = lines.build_plan(free, none, pd.Series(dtype=int)).reason
    assert reasons.tolist() == ["measured: no effect could be told from none"]
    weak = options(campaigns({"lift": 0.02}), ("a", 0, "A", 100, 0.1, 40.0)).assign(contacts=0)
    assert lines.build_plan(weak, campaigns({"lift": 0.02}), pd.Series(dtype=int)).reason.tolist() == [
        "break-even lift is above the lift expected"
    ]


def test_lines_whose_decision_could_change():
    plan = pd.DataFrame(
        {
            "contacts": [1, 0, 0, 0],
            "break_point_lift": [np.nan, 0.2, 0.21, np.nan],
            "lift_high": [0.1, 0.1, 0.1, 0.1],
        }
    )
    assert break_points.sensitive_lines(plan).index.tolist() == [0, 1]
    assert len(break_points.sensitive_lines(pd.concat([plan.head(1)] * 20))) == 14


def test_rules_of_thumb_pay_each_contact():
    """The plan spends 5 × 3 + 4 once = 19. A contact of a costs 3 (4 once), one of b 2 (7 once)."""
    offers = campaigns({"contact_cost": 3, "fixed_cost": 4}, {"contact_cost": 2, "fixed_cost": 7, "lift": 0.05})
    table = options(offers, ("a", 0, "A", 4, 0.1, 90.0), ("a", 1, "B", 9, 0.1, 90.0), ("b", 1, "B", 9, 0.1, 90.0))
    planned = table.assign(contacts=[4, 1, 0])
    ways = sensitivity.benchmark_allocations(planned, offers, pd.Series({0: 90.0, 1: 10.0}), 0.0).set_index("way")
    # 9.5 for each: a has 5.5 after 4 once, so 1 contact; b has 2.5 after 7 once, so 1 contact.
    assert ways.loc["equal split over campaigns"].tolist() == pytest.approx([7 + 9, 2, (9 - 3 - 4) + (4.5 - 2 - 7)])
    # a first: 15 are left for contacts, 4 to group 0 and 1 to group 1.
    assert ways.loc["top spenders only"].tolist() == pytest.approx([19, 5, 5 * 6 - 4])
    # The larger B first: 5 contacts by a.
    assert ways.loc["largest segments"].tolist() == pytest.approx([19, 5, 5 * 6 - 4])
    assert ways.loc["this plan"].tolist() == pytest.approx([19, 5, 5 * 6 - 4])


def test_a_line_of_one_contact_that_costs_little():
    """A contact of .2 that earns .1 × 40: 3.8 ÷ .2 = 19. One of two customers is held out."""
    offers = campaigns({"contact_cost": 0.2, "lift": 0.1}, {"segments": ["B"]})
    table = options(offers, ("a", 0, "A", 2, 0.2, 40.0), ("b", 1, "B", 9, 0.0, 40.0)).assign(contacts=[1, 0])
    plan = lines.build_plan(table, offers, pd.Series({("a", "A"): 1})).set_index("campaign")
    assert plan.roi["a"] == pytest.approx(19) and np.isnan(plan.roi["b"])
    assert plan.minimum_detectable_lift["a"] == pytest.approx(2.8016 * (0.16 * 2) ** 0.5)
    assert np.isnan(plan.minimum_detectable_lift["b"])
    assert plan.holdout_customers.to_dict() == {"a": 1, "b": 0}
    assert plan.break_point_lift.isna().all()
    assert lines.power_by_campaign(plan.reset_index()).contacts.tolist() == [1]
    points = pd.Series({("b", "B"): 0.07, ("a", "A"): 0.02})
    assert lines.build_plan(table, offers, pd.Series(dtype=int), points).break_point_lift.tolist() == [0.02, 0.07]


def test_what_a_holdout_shows_needs_contacts_holdouts_and_buyers():
    seen = lines.minimum_detectable_lift(
        pd.Series([0.3, 0.3, 0.0, 0.5]), pd.Series([0, 9, 9, 1]), pd.Series([9, 0, 9, 1])
    )
    assert seen.isna().tolist() == [True, True, True, False]
    assert seen[3] == pytest.approx(2.8016 * 0.5 * 2**0.5)


def test_campaigns_are_measured_in_the_order_of_the_plan():
    plan = pd.DataFrame({"campaign": ["b", "a", "b"], "contacts": 9, "holdout_customers": 1, "lift": [0.3, 0.1, 0.3]})
    plan = plan.assign(baseline_probability=0.2, minimum_detectable_lift=0.5)
    assert lines.power_by_campaign(plan).campaign.tolist() == ["b", "a"]


def test_money_of_a_campaign_is_spent_if_no_contact_more_can_be_paid():
    """12 of 30 are contacted, at 1 each: a maximum of 12.99 is spent, of 13 not. With 10 once, 10.5 pays nobody."""
    for most, spent in ((12.99, True), (13.0, False)):
        offers = campaigns({"max_spend": most, "segments": ["A", "B"]})
        table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("a", 1, "B", 30, 0.1, 40.0)).assign(contacts=[12, 0])
        reason = lines.build_plan(table, offers, pd.Series(dtype=int)).set_index("segment").reason["B"]
        assert (reason == "its campaign may spend no more") is spent
    offers = campaigns({"max_spend": 10.5, "fixed_cost": 10.0})
    plan = lines.build_plan(
        options(offers, ("a", 0, "A", 30, 0.1, 40.0)).assign(contacts=0), offers, pd.Series(dtype=int)
    )
    assert plan.reason.tolist() == ["its campaign may spend no more"]


def test_options_that_earn_nothing_get_no_contacts():
    offers = campaigns({}, {"contact_cost": 9, "segments": ["B"]})
    table = options(offers, ("a", 0, "A", 3, 0.1, 40.0), ("b", 1, "B", 3, 0.1, 40.0))
    assert optimizer.allocate(table, offers, 100).contacts.tolist() == [3, 0]
    assert optimizer.allocate(table[1:], offers, 100).contacts.tolist() == [0]
    assert optimizer.allocate(table[::-1], offers, 100).contacts.tolist() == [0, 3]
    assert optimizer.allocate(table, offers, 2.5, whole=False).contacts.tolist() == [2.5, 0]


def greedy(table: pd.DataFrame, offers: pd.DataFrame, budget: float, **shares: float) -> list[int]:
    return sensitivity._allocate_greedily(table, offers, shares, budget, 0.0).contacts.tolist()


def test_money_given_out_in_order_worked_by_hand():
    """4 customers: a has money for 3 contacts, and b has the last customer."""
    offers = campaigns({}, {})
    table = options(offers, ("a", 0, "A", 4, 0.1, 40.0), ("b", 0, "A", 4, 0.1, 40.0))
    assert greedy(table, offers, 6.0, a=3.0, b=3.0) == [3, 1]
    assert greedy(table, offers, 3.0) == [3, 0], "no money is left"
    cheap = campaigns({"contact_cost": 0.25}, {})
    assert greedy(options(cheap, ("a", 0, "A", 4, 0.1, 40.0)), cheap, 0.5) == [2]
    free = campaigns({"contact_cost": 0.0, "fixed_cost": 5})
    gift = options(free, ("a", 0, "A", 4, 0.1, 40.0))
    assert greedy(gift, free, 6.0) == [4] and greedy(gift, free, 3.0) == [0], "its fixed cost must be paid"


def test_of_equal_lifts_the_first_campaign_by_name_is_sent():
    """The rules of thumb do not ask that a contact of b costs less: 6 of money pay 3 contacts of a."""
    offers = campaigns({"contact_cost": 2}, {})
    table = options(offers, ("b", 0, "A", 9, 0.1, 40.0), ("a", 0, "A", 9, 0.1, 40.0))
    planned = table.assign(contacts=[6, 0])
    ways = sensitivity.benchmark_allocations(planned, offers, pd.Series({0: 9.0}), 0.0).set_index("way")
    assert ways.contacts.to_dict() == {
        "this plan": 6,
        "equal split over campaigns": 1 + 3,
        "top spenders only": 3,
        "largest segments": 3,
    }
