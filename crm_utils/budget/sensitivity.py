"""How sure the plan is: budget curve, scenarios, and rules of thumb as benchmarks."""

from typing import Any

import numpy as np
import pandas as pd

from crm_utils.budget import optimizer
from crm_utils.budget.unit_economics import price_options
from crm_utils.core.errors import BudgetError

# Money added to the budget to see what more of it would earn
MORE_MONEY = 1000
CURVE_POINTS = 25
# The curve ends at twice the budget, or, if the best budget is less than this share of it, at twice the best one.
FAR_BELOW = 1 / 5
# What a scenario may change
KNOBS = ("budget", "margin", "cost", "lift")
DOUBLED: list[dict[str, Any]] = [
    {"name": "lifts twice as high", "lift": 1},
    {"name": "margin of an added order twice as high", "margin": 1},
    {"name": "contacts and fixed costs at half the price", "cost": -0.5},
    {"name": "lifts and margin both twice as high", "lift": 1, "margin": 1},
]


def profit_interval(allocated: pd.DataFrame, campaigns: pd.DataFrame) -> tuple[float, float]:
    """Return the expected profit of these contacts with every lift at its low end, and with every lift at its high end.

    If each range holds its lift 90 times of 100, this interval holds the plan's expected profit 90 times of 100 if
    lifts are high or low together, and more often if they are not.
    """
    ranged = campaigns.set_index("name")

    def profit_at(end: str) -> float:
        lifts = allocated.campaign.map(ranged[end])
        return optimizer.expected_profit(price_options(allocated.assign(lift=lifts), campaigns), campaigns)

    return profit_at("lift_low"), profit_at("lift_high")


def budget_curve(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budgets: list[float],
    holdout_share: float,
    whole: bool = False,
    target_roi: float | None = None,
) -> pd.DataFrame:
    """Find the best plan at each budget.

    Parameters
    ----------
    options, campaigns : pandas.DataFrame
        See `optimizer.allocate`.
    budgets : list of float
        Money that may be spent.
    holdout_share, target_roi : float
        See `optimizer.allocate`. With a `target_roi` each budget is what the plan spends.
    whole : bool
        Plan whole customers. Otherwise customers may be split where the budget ends: that is many times faster, and
        wrong by less than one contact.

    Returns
    -------
    pandas.DataFrame
        budget, spend, unspent, expected_profit, profit_low, profit_high (see `profit_interval`).
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
    """Return what the best plan without a budget spends: beyond it no contact earns its cost.

    Parameters
    ----------
    options, campaigns : pandas.DataFrame
        See `optimizer.allocate`.
    holdout_share : float
        Share of each group that is not contacted.

    Returns
    -------
    float
        In the report's currency.
    """
    most = (options.spend * options.customers).sum() + campaigns.fixed_cost.sum() + campaigns.min_spend.sum()
    return optimizer.spend(optimizer.allocate(options, campaigns, most, holdout_share=holdout_share), campaigns)


def max_useful_spend(options: pd.DataFrame, campaigns: pd.DataFrame, holdout_share: float) -> float:
    """Return what it costs to run every campaign and contact everybody with the most expensive one open to them.

    Parameters
    ----------
    options, campaigns : pandas.DataFrame
        See `optimizer.allocate`.
    holdout_share : float
        Share of each group that is not contacted.

    Returns
    -------
    float
        In the report's currency.
    """
    by_group = options.groupby("group")
    free = optimizer.free_customers(by_group.customers.first(), holdout_share)
    running = campaigns.fixed_cost[campaigns.name.isin(options.campaign)]
    return float((free * by_group.spend.max()).sum() + running.sum())


def curve_budgets(budget: float, best: float, least: float = 0) -> list[float]:
    """Choose the budgets of the curve.

    Parameters
    ----------
    budget, best : float
        The budget given, and the profit-maximizing one. Both are on the curve if it reaches them.
    least : float
        What campaigns must spend.

    Returns
    -------
    list of float
        Ascending, from `least`. The curve is flat beyond its end.
    """
    end = max(2 * (budget if best > budget * FAR_BELOW else best), least)
    shown = {*np.linspace(0, end, CURVE_POINTS).round(2).tolist(), *([round(best, 2)] if best < end else [])}
    return sorted({*(money for money in shown if money > least), round(least, 2)})


def marginal_profit(
    allocated: pd.DataFrame, options: pd.DataFrame, campaigns: pd.DataFrame, budget: float, holdout_share: float
) -> float:
    """Return what `MORE_MONEY` on top of the budget would add to the expected profit.

    Parameters
    ----------
    allocated, options, campaigns : pandas.DataFrame
        The plan at the budget, and what it was made from (`optimizer.allocate`).
    budget, holdout_share : float
        See `optimizer.allocate`.

    Returns
    -------
    float
        In the report's currency.
    """
    richer = optimizer.allocate(options, campaigns, budget + MORE_MONEY, holdout_share=holdout_share)
    gain = optimizer.expected_profit(richer, campaigns) - optimizer.expected_profit(allocated, campaigns)
    return max(gain, 0.0)


def compare_scenarios(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    changes: list[dict[str, Any]],
    holdout_share: float,
    target_roi: float | None = None,
) -> pd.DataFrame:
    """Find the best plan as planned and in each scenario.

    Parameters
    ----------
    options, campaigns : pandas.DataFrame
        See `optimizer.allocate`.
    budget, holdout_share, target_roi : float
        See `optimizer.allocate`.
    changes : list of dict
        Relative changes of budget, margin, cost (per contact, and fixed) and lift: {"name": …, "lift": -0.3} is 30%
        less lift everywhere.

    Returns
    -------
    pandas.DataFrame
        scenario, and the columns of `budget_curve`. Null if the limits cannot all be kept in a scenario, for example
        minimums at half the budget.

    Raises
    ------
    BudgetError
        If the limits cannot be kept as planned.
    """
    rows: list[dict[str, Any]] = []
    for change in [{"name": "as planned"}, *changes]:
        factor = {knob: 1 + (change.get(knob) or 0) for knob in KNOBS}
        changed = scale_campaigns(campaigns, factor["lift"], factor["cost"])
        priced = price_options(
            options.assign(lift=options.lift * factor["lift"], order_margin=options.order_margin * factor["margin"]),
            changed,
        )
        rows.append({"scenario": change["name"]})
        try:
            curve = budget_curve(priced, changed, [budget * factor["budget"]], holdout_share, True, target_roi)
            rows[-1] |= curve.iloc[0].to_dict()
        except BudgetError:
            if len(rows) == 1:
                raise
    return pd.DataFrame(rows)


def scale_campaigns(campaigns: pd.DataFrame, lift: float, cost: float) -> pd.DataFrame:
    """Return the campaigns with lifts and their ranges, and costs per contact and fixed, multiplied by factors."""
    lifts = {end: campaigns[end] * lift for end in ("lift", "lift_low", "lift_high")}
    return campaigns.assign(**lifts, **{name: campaigns[name] * cost for name in ("contact_cost", "fixed_cost")})


def what_if_doubled(
    options: pd.DataFrame,
    campaigns: pd.DataFrame,
    budget: float,
    holdout_share: float,
    target_roi: float | None = None,
) -> pd.DataFrame:
    """Find how much would be worth spending if one thing were twice as good.

    Parameters
    ----------
    options, campaigns : pandas.DataFrame
        See `optimizer.allocate`.
    budget, holdout_share, target_roi : float
        See `optimizer.allocate`.

    Returns
    -------
    pandas.DataFrame
        See `compare_scenarios`; the plan first, lifts and margin both doubled last.
    """
    return compare_scenarios(options, campaigns, budget, DOUBLED, holdout_share, target_roi)


def measured_but_unplanned(
    options: pd.DataFrame, campaigns: pd.DataFrame, plan: pd.DataFrame, budget: float, holdout_share: float
) -> pd.DataFrame:
    """Find what campaigns would earn whose lift is measured but which the plan leaves out.

    Parameters
    ----------
    options, campaigns : pandas.DataFrame
        See `optimizer.allocate`.
    plan : pandas.DataFrame
        See `plan.build_plan`.
    budget, holdout_share : float
        See `optimizer.allocate`.

    Returns
    -------
    pandas.DataFrame
        campaign, alone (its profit if there were no other campaign), low (if its lift is at the low end), instead and
        instead_earns (the campaigns planned for its segments, and their expected profit there), assumed (whether that
        rests on assumed lifts).
    """
    rows = []
    for name in campaigns.name[campaigns.evidence == "measured"]:
        own, only = options[options.campaign == name], campaigns[campaigns.name == name]
        if plan.contacts[plan.campaign == name].any() or own.empty:
            continue
        alone = optimizer.allocate(own, only.assign(min_spend=0.0), budget, holdout_share=holdout_share)
        there = plan[plan.segment.isin(own.segment) & (plan.contacts > 0)]
        earns = optimizer.expected_profit(alone, only), profit_interval(alone, only)[0]
        planned = there.campaign.unique().tolist(), there.expected_profit.sum(), (there.evidence == "assumed").any()
        rows.append([name, *earns, *planned])
    return pd.DataFrame(rows, columns=["campaign", "alone", "low", "instead", "instead_earns", "assumed"])


def benchmark_allocations(
    allocated: pd.DataFrame, campaigns: pd.DataFrame, revenue: pd.Series, holdout_share: float
) -> pd.DataFrame:
    """Compare the plan with three simple ways to spend the same money.

    Equal split: each campaign gets the same amount. Top spenders only: groups by revenue per customer, each with the
    campaign of the highest lift. Largest segments: the same, segments by size. All stop when the money is gone, and
    none asks whether a contact pays.

    Parameters
    ----------
    allocated, campaigns : pandas.DataFrame
        The options with their contacts (`optimizer.allocate`), and the campaigns.
    revenue : pandas.Series
        Revenue per customer, by group.
    holdout_share : float
        Share of each group that is not contacted.

    Returns
    -------
    pandas.DataFrame
        way, spend, contacts, expected_profit; the plan first.
    """
    budget = optimizer.spend(allocated, campaigns)
    by_lift = allocated.sort_values(["lift", "campaign"], ascending=[False, True])
    sizes = allocated.groupby("group").agg(segment=("segment", "first"), customers=("customers", "first"))
    ranks = {
        "top spenders only": by_lift.group.map(revenue),
        "largest segments": by_lift.segment.map(sizes.groupby("segment").customers.sum()),
    }
    equal = dict.fromkeys(campaigns.name, budget / len(campaigns))
    ways = {
        "this plan": allocated,
        "equal split over campaigns": _allocate_greedily(allocated, campaigns, equal, budget, holdout_share),
    }
    for way, rank in ranks.items():
        ordered = by_lift.assign(rank=rank).sort_values(["rank", "lift"], ascending=False)
        ways[way] = _allocate_greedily(ordered, campaigns, {}, budget, holdout_share)
    rows = [
        [way, optimizer.spend(way_plan, campaigns), int(way_plan.contacts.sum()),
         optimizer.expected_profit(way_plan, campaigns)]
        for way, way_plan in ways.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["way", "spend", "contacts", "expected_profit"])


def _allocate_greedily(
    ordered: pd.DataFrame, campaigns: pd.DataFrame, shares: dict[str, float], budget: float, holdout_share: float
) -> pd.DataFrame:
    """Give contacts in this order until the money, or each campaign's share of it, is gone."""
    left, own, fixed = budget, dict(shares), campaigns.set_index("name").fixed_cost
    taken: dict[int, int] = {}
    running: set[str] = set()
    contacts = []
    for row in ordered.itertuples():
        start = 0.0 if row.campaign in running else fixed[row.campaign]
        money = min(left, own.get(row.campaign, left)) - start
        free = int(row.customers * (1 - holdout_share) + optimizer.ROUNDING) - taken.get(row.group, 0)
        number = max(min(free, int(money / row.spend) if row.spend else free), 0) if money > 0 else 0
        if number:
            running.add(row.campaign)
            cost = start + number * row.spend
            left, taken[row.group] = left - cost, taken.get(row.group, 0) + number
            own[row.campaign] = own.get(row.campaign, np.inf) - cost
        contacts.append(number)
    return ordered.assign(contacts=contacts)
