"""How sure the plan is: budget curve, scenarios, rules of thumb beside it."""

import numpy as np
import pandas as pd

from crm_utils.budget import optimizer
from crm_utils.budget.unit_economics import price_options
from crm_utils.core.errors import BudgetError


def profit_interval(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> tuple[float, float]:
    """Expected profit of these contacts with every lift at its lift_low, and at its lift_high.

    If each range holds its lift 90 times of 100, this holds the plan's expected profit 90 times of 100 where lifts
    are high or low together, and more often where they are not.
    """
    ranged = campaigns.set_index("name")
    ends = (
        price_options(allocated.assign(lift=allocated.campaign.map(ranged[end])), campaigns)
        for end in ("lift_low", "lift_high")
    )
    return tuple(optimizer.expected_profit(at_end, campaigns) for at_end in ends)


def budget_curve(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budgets: list[float],
    holdout_share: float,
    whole: bool = False,
    target_roi: float | None = None,
) -> pd.DataFrame:
    """The best plan of each budget: budget, spend, unspent, expected_profit, profit_low, profit_high (given the ranges).

    Customers may be split where the budget ends, unless `whole`: that is many times faster and less than a contact off.
    With a `target_roi` each budget is what the plan spends.
    """
    rows = []
    for budget in budgets:
        allocated = optimizer.allocate(options, campaigns, budget, target_roi, holdout_share, whole)
        spent = optimizer.spend(allocated, campaigns)
        profit = optimizer.expected_profit(allocated, campaigns)
        budget = budget if target_roi is None else spent
        rows.append([budget, spent, budget - spent, profit, *profit_interval(allocated, campaigns)])
    return pd.DataFrame(rows, columns=["budget", "spend", "unspent", "expected_profit", "profit_low", "profit_high"])


def profit_maximizing_budget(options: pd.DataFrame, campaigns: pd.DataFrame, holdout_share: float) -> float:
    """What the best plan without a budget spends: above it no contact earns its cost."""
    most = (options.spend * options.customers).sum() + campaigns.fixed_cost.sum() + campaigns.min_spend.sum()
    return optimizer.spend(optimizer.allocate(options, campaigns, most, holdout_share=holdout_share), campaigns)


def max_useful_spend(options: pd.DataFrame, campaigns: pd.DataFrame, holdout_share: float) -> float:
    """What it would cost to run every campaign and to contact everybody with the dearest one open to them."""
    by_group = options.groupby("group")
    room = np.floor(by_group.customers.first() * (1 - holdout_share) + 1e-9)
    running = campaigns.fixed_cost[campaigns.name.isin(options.campaign)]
    return float((room * by_group.spend.max()).sum() + running.sum())


def curve_budgets(budget: float, sensible: float, least: float = 0) -> list[float]:
    """Budgets from 0, or what campaigns must spend at `least`, to 2 × the budget; where the sensible budget is far below, to 2 × that,
    since the curve is flat beyond.
    """
    end = max(2 * (budget if sensible > budget / 5 else sensible), least)
    shown = {*np.linspace(0, end, 25).round(2).tolist(), *([round(sensible, 2)] if sensible < end else [])}
    return sorted({*(money for money in shown if money > least), round(least, 2)})


def marginal_profit(
    allocated: pd.DataFrame, options: pd.DataFrame, campaigns: pd.DataFrame, budget: float, holdout_share: float
) -> float:
    """What 1,000 of money on top of the budget would add to the expected profit."""
    richer = optimizer.allocate(options, campaigns, budget + 1000, holdout_share=holdout_share)
    gain = optimizer.expected_profit(richer, campaigns) - optimizer.expected_profit(allocated, campaigns)
    return max(gain, 0.0)


def compare_scenarios(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    changes: list[dict],
    holdout_share: float,
    target_roi: float | None = None,
) -> pd.DataFrame:
    """The best plan as planned and in each scenario: scenario, budget, spend, unspent, contacts, expected_profit, profit_low, profit_high.

    A change names relative changes of `budget`, `margin`, `cost` (of a contact, and fixed) and `lift`: {name: …, lift: -0.3}
    is 30 % less lift everywhere. Null where limits cannot all be honoured then, as minimums at half the budget.
    """
    rows = []
    for change in [{"name": "as planned"}, *changes]:
        factor = {knob: 1 + (change.get(knob) or 0) for knob in ("budget", "margin", "cost", "lift")}
        lifts = {end: campaigns[end] * factor["lift"] for end in ("lift", "lift_low", "lift_high")}
        costs = {cost: campaigns[cost] * factor["cost"] for cost in ("contact_cost", "fixed_cost")}
        changed = campaigns.assign(**lifts, **costs)
        weighed = options.assign(
            lift=options.lift * factor["lift"], order_margin=options.order_margin * factor["margin"]
        )
        money = [budget * factor["budget"]]
        rows.append({"scenario": change["name"]})
        try:
            rows[-1] |= (
                budget_curve(price_options(weighed, changed), changed, money, holdout_share, True, target_roi)
                .iloc[0]
                .to_dict()
            )
        except BudgetError:
            if len(rows) == 1:
                raise
    return pd.DataFrame(rows)


def what_if_doubled(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    holdout_share: float,
    target_roi: float | None = None,
) -> pd.DataFrame:
    """How much would be worth spending if one thing were twice as good: the columns of `scenarios`, the plan first."""
    changes = [
        {"name": "lifts twice as high", "lift": 1},
        {"name": "margin of an added order twice as high", "margin": 1},
        {"name": "contacts and fixed costs at half the price", "cost": -0.5},
        {"name": "lifts and margin both twice as high", "lift": 1, "margin": 1},
    ]
    return compare_scenarios(options, campaigns, budget, changes, holdout_share, target_roi)


def measured_but_unplanned(
    options: pd.DataFrame, campaigns: pd.DataFrame, plan: pd.DataFrame, budget: float, holdout_share: float
) -> pd.DataFrame:
    """The campaigns whose lift is measured but which the plan leaves out, one row each.

    Returns campaign, alone (the profit it would earn if there were no other), low (if its lift is at the low end),
    instead and instead_earns (the planned campaigns for its segments, and the profit expected of them there), assumed
    (whether that rests on assumed lifts).
    """
    rows = []
    for name in campaigns.name[campaigns.evidence == "measured"]:
        own, offer = options[options.campaign == name], campaigns[campaigns.name == name]
        if plan.contacts[plan.campaign == name].any() or own.empty:
            continue
        alone = optimizer.allocate(own, offer.assign(min_spend=0.0), budget, holdout_share=holdout_share)
        there = plan[plan.segment.isin(own.segment) & (plan.contacts > 0)]
        earns = optimizer.expected_profit(alone, offer), profit_interval(alone, offer)[0]
        planned = there.campaign.unique().tolist(), there.expected_profit.sum(), (there.evidence == "assumed").any()
        rows.append([name, *earns, *planned])
    return pd.DataFrame(rows, columns=["campaign", "alone", "low", "instead", "instead_earns", "assumed"])


def benchmark_allocations(
    allocated: pd.DataFrame, campaigns: pd.DataFrame, revenue: pd.Series, holdout_share: float
) -> pd.DataFrame:
    """The plan beside three ways to spend the same money: way, spend, contacts, expected_profit.

    equal split: each campaign gets the same amount; top spenders only: groups by revenue a customer (`revenue`, by
    group), each with the campaign of the highest lift; largest segments: the same, segments by size. All stop when
    the money is gone, and none asks whether a contact pays.
    """
    budget = optimizer.spend(allocated, campaigns)
    by_lift = allocated.sort_values(["lift", "campaign"], ascending=[False, True])
    spenders = by_lift.assign(rank=by_lift.group.map(revenue))
    sizes = allocated.groupby("group").agg(segment=("segment", "first"), customers=("customers", "first"))
    largest = by_lift.assign(rank=by_lift.segment.map(sizes.groupby("segment").customers.sum()))
    ways = {
        "this plan": allocated,
        "equal split over campaigns": _allocate_greedily(
            allocated, campaigns, dict.fromkeys(campaigns.name, budget / len(campaigns)), budget, holdout_share
        ),
        "top spenders only": _allocate_greedily(
            spenders.sort_values(["rank", "lift"], ascending=False), campaigns, {}, budget, holdout_share
        ),
        "largest segments": _allocate_greedily(
            largest.sort_values(["rank", "lift"], ascending=False), campaigns, {}, budget, holdout_share
        ),
    }
    return pd.DataFrame(
        [
            [
                way,
                optimizer.spend(filled, campaigns),
                int(filled.contacts.sum()),
                optimizer.expected_profit(filled, campaigns),
            ]
            for way, filled in ways.items()
        ],
        columns=["way", "spend", "contacts", "expected_profit"],
    )


def _allocate_greedily(
    ordered: pd.DataFrame, campaigns: pd.DataFrame, shares: dict[str, float], budget: float, holdout_share: float
):
    """Contacts given in this order until the money, or each campaign's share of it, is gone."""
    left, own, taken, fixed = budget, dict(shares), {}, campaigns.set_index("name").fixed_cost
    contacts, running = [], set()
    for row in ordered.itertuples():
        start = 0.0 if row.campaign in running else fixed[row.campaign]
        money = min(left, own.get(row.campaign, left)) - start
        room = int(row.customers * (1 - holdout_share) + 1e-9) - taken.get(row.group, 0)
        number = max(min(room, int(money / row.spend) if row.spend else room), 0) if money > 0 else 0
        if number:
            running.add(row.campaign)
            cost = start + number * row.spend
            left, taken[row.group] = left - cost, taken.get(row.group, 0) + number
            own[row.campaign] = own.get(row.campaign, np.inf) - cost
        contacts.append(number)
    return ordered.assign(contacts=contacts)
