"""How the plan for a year changes with the budget and with what it assumes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from crm_utils.budget import sensitivity
from crm_utils.budget.sensitivity import scale_campaigns
from crm_utils.budget.waves import YearPlan, YearProblem, plan_waves
from crm_utils.core.errors import BudgetError

CURVE_POINTS = 9
# What a scenario may change
KNOBS = (*sensitivity.KNOBS, "acquisition_cost")


def budget_curve(problem: YearProblem, plan: YearPlan) -> pd.DataFrame:
    """Find the plan at each budget from nothing to twice the budget given.

    Parameters
    ----------
    problem : YearProblem
        What the plan is made from.
    plan : YearPlan
        The plan at the budget given.

    Returns
    -------
    pandas.DataFrame
        budget, contacts_spend (campaigns with their fixed costs), acquisition_spend, expected_profit. A larger budget
        never earns less, because the plan of a smaller one remains possible.
    """
    least = problem.campaigns.min_spend.sum() * problem.terms.waves
    budgets = np.unique(np.linspace(0, 2 * problem.budget, CURVE_POINTS).clip(min=least))
    rows, best = [], None
    for budget in budgets:
        found = plan_waves(replace(problem, budget=float(budget)), exact=False)
        known = [found, *([plan] if plan.spend <= budget + 1e-6 else []), *([best] if best else [])]
        best = max(known, key=lambda one: one.expected_profit)
        rows.append([budget, *_spending(best), best.expected_profit])
    return pd.DataFrame(rows, columns=["budget", "contacts_spend", "acquisition_spend", "expected_profit"])


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
        try:
            found = plan_waves(other, exact=False)
        except BudgetError:
            rows.append([change["name"], other.budget, np.nan, np.nan, np.nan])
        else:
            rows.append([change["name"], other.budget, *_spending(found), found.expected_profit])
    columns = ["scenario", "budget", "contacts_spend", "acquisition_spend", "expected_profit"]
    return pd.DataFrame(rows, columns=columns)


def changed(problem: YearProblem, change: dict[str, float]) -> YearProblem:
    """Return the problem with budget, margin, cost, lift and acquisition_cost changed by these shares."""
    factor = {knob: 1 + share for knob, share in change.items()}
    steps = problem.steps
    if steps is not None:
        brings, spend = steps.profit + steps.spend, steps.spend * factor["acquisition_cost"]
        steps = steps.assign(spend=spend, profit=brings * factor["margin"] - spend)
        steps = steps[steps.profit > 0].reset_index(drop=True)
    return replace(
        problem,
        options=problem.options.assign(order_margin=problem.options.order_margin * factor["margin"]),
        flow=replace(problem.flow, order_margin=problem.flow.order_margin * factor["margin"]),
        campaigns=scale_campaigns(problem.campaigns, factor["lift"], factor["cost"]),
        budget=problem.budget * factor["budget"],
        steps=steps,
    )


def preparation_break_points(problem: YearProblem, plan: YearPlan) -> pd.DataFrame:
    """Find the fixed cost per wave above which each campaign of the plan would not run.

    Parameters
    ----------
    problem : YearProblem
        What the plan is made from.
    plan : YearPlan
        The plan.

    Returns
    -------
    pandas.DataFrame
        campaign, waves (in which it runs), fixed_cost (per wave), break_point: the fixed cost plus what the plan would
        lose per wave without the campaign.
    """
    rows = []
    for name, own in plan.running.groupby("campaign", sort=False):
        others = problem.campaigns[problem.campaigns.name != name]
        options = problem.options[problem.options.campaign != name]
        without = plan_waves(replace(problem, campaigns=others, options=options), exact=False)
        lost = max(plan.expected_profit - without.expected_profit, 0.0)
        rows.append([name, len(own), own.fixed_cost.iloc[0], own.fixed_cost.iloc[0] + lost / len(own)])
    return pd.DataFrame(rows, columns=["campaign", "waves", "fixed_cost", "break_point"])


def _spending(plan: YearPlan) -> tuple[float, float]:
    """Return what the plan spends on campaigns, and on new customers."""
    won = float(plan.won.spend.sum())
    return plan.spend - won, won
