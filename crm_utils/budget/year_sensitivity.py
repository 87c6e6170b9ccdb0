"""How the plan for a year changes with the budget and with what it assumes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from crm_utils.budget.unit_economics import price_messages
from crm_utils.budget.waves import Search, YearPlan, YearProblem, plan_waves
from crm_utils.core.errors import BudgetError

# Of the budget given, and of what the plan spends if that is less
CURVE = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
BELOW_THE_PLAN = (0.25, 0.5, 0.75, 1.0)
# What a scenario may change
KNOBS = ("budget", "margin", "cost", "lift", "preparation", "acquisition_cost")
# Money added to the budget to see what more of it would earn
MORE_MONEY = 1000
# A plan that spends all but this share of the budget is limited by it
NEARLY_ALL = 0.005
# Smaller differences of money are rounding
CENT = 0.01
# What an owner can change, and by how much it is tried
LEVERS: list[dict[str, Any]] = [
    {"name": "twice the budget", "budget": 1.0},
    {"name": "messages at half the price", "cost": -0.5},
    {"name": "preparation at half the price", "preparation": -0.5},
    {"name": "new customers 20% cheaper", "acquisition_cost": -0.2},
]
NO_HOLDOUT = "nobody held out"
BREAK_POINT_COLUMNS = [
    "campaign",
    "waves",
    "lift",
    "lift_low",
    "lift_high",
    "break_point_lift",
    "fixed_cost",
    "break_point_cost",
    "evidence",
]
SCENARIO_COLUMNS = ["scenario", "budget", "contacts_spend", "acquisition_spend", "expected_profit"]


def budget_curve(problem: YearProblem, plan: YearPlan) -> pd.DataFrame:
    """Find the plan at each budget from nothing to twice the budget given.

    Parameters
    ----------
    problem : YearProblem
        What the plan is made from.
    plan : YearPlan
        The plan at the budget given. With a target return, the curve goes up to twice what it spends.

    Returns
    -------
    pandas.DataFrame
        budget, contacts_spend (campaigns with their fixed costs), acquisition_spend, contacts_profit,
        acquisition_profit, expected_profit (both). A larger budget never earns less, because the plan of a smaller one
        remains possible.
    """
    if problem.target_roi is not None:
        problem = replace(problem, target_roi=None, budget=plan.spend)
    least = problem.campaigns.min_spend.sum() * problem.terms.waves
    budgets = [share * problem.budget for share in CURVE]
    limited = _is_limited(problem, plan)
    if not limited:
        budgets += [share * plan.spend for share in BELOW_THE_PLAN]
    rows, best = [], None
    for budget in np.unique(np.round(np.clip(budgets, least, None), 2)):
        known = [best] if best else []
        if plan.spend <= budget + CENT:
            known.append(plan)
        if not known or limited and budget != problem.budget or plan.spend > budget + CENT:
            known.append(plan_waves(replace(problem, budget=float(budget)), search=Search.QUICK))
        best = max(known, key=lambda one: one.expected_profit)
        won = float(best.won.expected_profit.sum())
        rows.append([budget, *_spending(best), best.expected_profit - won, won, best.expected_profit])
    columns = ["contacts_spend", "acquisition_spend", "contacts_profit", "acquisition_profit", "expected_profit"]
    return pd.DataFrame(rows, columns=["budget", *columns])


def compare_scenarios(problem: YearProblem, plan: YearPlan, changes: list[dict[str, Any]]) -> pd.DataFrame:
    """Find the plan as planned and in each scenario.

    Parameters
    ----------
    problem : YearProblem
        What the plan is made from.
    plan : YearPlan
        The plan.
    changes : list of dict
        Relative changes of `KNOBS`: {"name": …, "lift": -0.3} is 30% less lift everywhere.

    Returns
    -------
    pandas.DataFrame
        scenario, budget, contacts_spend, acquisition_spend, expected_profit. Null if the limits cannot all be kept in a
        scenario, for example minimums at half the budget.
    """
    rows = [["as planned", problem.budget, *_spending(plan), plan.expected_profit]]
    for change in changes:
        other = changed(problem, {knob: change.get(knob) or 0.0 for knob in KNOBS})
        rows.append([change["name"], other.budget, *_outcome(other)])
    return pd.DataFrame(rows, columns=SCENARIO_COLUMNS)


def compare_levers(problem: YearProblem, plan: YearPlan) -> pd.DataFrame:
    """Find what the plan would earn if something that an owner can change were better.

    Parameters
    ----------
    problem, plan : YearProblem, YearPlan
        See `compare_scenarios`.

    Returns
    -------
    pandas.DataFrame
        See `compare_scenarios`: as planned, and the levers that change the plan, the best first. Adds gain: what the
        lever adds to the expected profit. The gain of "nobody held out" is the price of the holdout.
    """
    levers = [
        lever
        for lever in LEVERS
        if not (lever.get("acquisition_cost") and not plan.won.customers.sum())
        and not (lever.get("budget") and not _is_limited(problem, plan))
    ]
    table = compare_scenarios(problem, plan, levers)
    if problem.holdout_share:
        flow = replace(problem.flow, free=problem.flow.start)
        everybody = replace(problem, flow=flow, holdout_share=0.0)
        table.loc[len(table)] = [NO_HOLDOUT, problem.budget, *_outcome(everybody)]
    table["gain"] = (table.expected_profit - plan.expected_profit).clip(lower=0.0)
    others = table.iloc[1:].sort_values(["gain", "scenario"], ascending=[False, True])
    return pd.concat([table.iloc[:1], others], ignore_index=True)


def marginal_profit(problem: YearProblem, plan: YearPlan) -> float:
    """Return what `MORE_MONEY` on top of the budget would add to the expected profit.

    Parameters
    ----------
    problem, plan : YearProblem, YearPlan
        What the plan is made from, and the plan.

    Returns
    -------
    float
        Money; 0 if the plan does not use the whole budget, or must earn a target return.
    """
    if not _is_limited(problem, plan):
        return 0.0
    richer = plan_waves(replace(problem, budget=problem.budget + MORE_MONEY), search=Search.QUICK)
    return max(richer.expected_profit - plan.expected_profit, 0.0)


def _is_limited(problem: YearProblem, plan: YearPlan) -> bool:
    """Return whether the plan uses the whole budget. A target return takes the place of a budget."""
    return problem.target_roi is None and plan.spend > problem.budget * (1 - NEARLY_ALL)


def _outcome(problem: YearProblem) -> tuple[float, float, float]:
    """Return what the best plan spends on campaigns and on new customers, and its profit; null if there is none."""
    try:
        found = plan_waves(problem, search=Search.QUICK)
    except BudgetError:
        return np.nan, np.nan, np.nan
    return *_spending(found), found.expected_profit


def changed(problem: YearProblem, change: dict[str, float]) -> YearProblem:
    """Return the problem with `KNOBS` changed by these shares; `cost` is that of a message."""
    factor = {knob: 1 + change.get(knob, 0.0) for knob in KNOBS}
    steps = problem.steps
    if steps is not None:
        brings, spend = steps.profit + steps.spend, steps.spend * factor["acquisition_cost"]
        steps = steps.assign(spend=spend, profit=brings * factor["margin"] - spend)
    campaigns = problem.campaigns
    lifts = {end: (campaigns[end] * factor["lift"]).clip(upper=1.0) for end in ("lift", "lift_low", "lift_high")}
    campaigns = campaigns.assign(
        **lifts,
        contact_cost=campaigns.contact_cost * factor["cost"],
        fixed_cost=campaigns.fixed_cost * factor["preparation"],
    )
    return replace(
        problem,
        options=problem.options.assign(order_margin=problem.options.order_margin * factor["margin"]),
        flow=replace(problem.flow, order_margin=problem.flow.order_margin * factor["margin"]),
        campaigns=campaigns,
        budget=problem.budget * factor["budget"],
        steps=steps,
    )


def break_points(problem: YearProblem, plan: YearPlan) -> pd.DataFrame:
    """Find at which lift of one message, and at which cost of preparation, each campaign enters or leaves the plan.

    What the best plan earns is convex in a campaign's lift. So the tangent from a lift at which the campaign runs meets
    the profit without it at or above the break point: the campaign stays at least down to there.

    Parameters
    ----------
    problem, plan : YearProblem, YearPlan
        What the plan is made from, and the plan.

    Returns
    -------
    pandas.DataFrame
        campaign, waves (in which it runs), lift, lift_low, lift_high, break_point_lift (null if the campaign does not
        run even at the high end of its range), fixed_cost (of a wave), break_point_cost: the cost of preparation above
        which the campaign would not run (null if it does not), evidence.
    """
    waves = plan.running.groupby("campaign").wave.nunique()
    rows = []
    for campaign in problem.campaigns.itertuples():
        number = int(waves.get(campaign.name, 0))
        point = cost = np.nan
        if number:
            without = plan_waves(_without(problem, campaign.name), search=Search.QUICK).expected_profit
            lost = max(plan.expected_profit - without, 0.0)
            point, cost = _tangent(plan, campaign.name, campaign.lift, lost), campaign.fixed_cost + lost / number
        elif _could_enter(problem, campaign, plan):
            at = plan_waves(_with_lift(problem, campaign.name, campaign.lift_high), search=Search.QUICK)
            if campaign.name in set(at.running.campaign):
                gained = max(at.expected_profit - plan.expected_profit, 0.0)
                point = _tangent(at, campaign.name, campaign.lift_high, gained)
        known = [campaign.lift, campaign.lift_low, campaign.lift_high, point]
        rows.append([campaign.name, number, *known, campaign.fixed_cost, cost, campaign.evidence])
    return pd.DataFrame(rows, columns=BREAK_POINT_COLUMNS)


def _tangent(plan: YearPlan, name: str, lift: float, gained: float) -> float:
    """Return the lift at which a campaign that runs at a lift would gain nothing, if its contacts stayed the same."""
    own = plan.contacts[plan.contacts.campaign == name]
    slope = float((own.contacts * (own.incremental_margin - own.incentives_added)).sum()) / lift
    return max(lift - gained / slope, 0.0)


def _could_enter(problem: YearProblem, campaign: Any, plan: YearPlan) -> bool:
    """Return whether a campaign could pay at the high end of its range if it took over the customers it serves better.

    What a customer earns in the plan is the mean of their group.
    """
    own = problem.options[problem.options.campaign == campaign.name]
    if own.empty or campaign.lift_high <= campaign.lift:
        return False
    at = _with_lift(problem, campaign.name, campaign.lift_high).campaigns
    priced = price_messages(own, at, problem.terms.fatigue, 0, problem.terms.max_messages)
    best = priced.groupby("group").profit.max()
    waves, rows = problem.terms.waves, plan.contacts
    earned = (rows.contacts * rows.profit).groupby(rows.group).sum().reindex(best.index, fill_value=0.0) / waves
    free = own.set_index("group").free.loc[best.index]
    return float((best * free - earned).clip(lower=0).sum()) > campaign.fixed_cost


def _without(problem: YearProblem, name: str) -> YearProblem:
    campaigns = problem.campaigns[problem.campaigns.name != name].reset_index(drop=True)
    return replace(problem, campaigns=campaigns, options=problem.options[problem.options.campaign != name])


def _with_lift(problem: YearProblem, name: str, lift: float) -> YearProblem:
    own = problem.campaigns.name == name
    return replace(problem, campaigns=problem.campaigns.assign(lift=problem.campaigns.lift.where(~own, lift)))


def _spending(plan: YearPlan) -> tuple[float, float]:
    """Return what the plan spends on campaigns, and on new customers."""
    won = float(plan.won.spend.sum())
    return plan.spend - won, won
