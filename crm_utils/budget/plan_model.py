"""What the plan costs and earns if an assumption differs and everybody is contacted as planned.

The money of a contact is linear in the lift as long as lift × response stays below 1 − p0. So contacts of the same
campaign, segment, number of messages and contact level are summed up: their number, their margins and order values,
those who would buy anyway. Contacts that could reach 1 − p0 keep rows of their own, so every row is exact. The workbook
computes the same with live formulas.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.unit_economics import message_response
from crm_utils.budget.waves import YearPlan, YearProblem
from crm_utils.budget.year import Line, line_by_campaign
from crm_utils.config.acquisition import Acquisition

CAMPAIGN_ASSUMPTIONS = [
    "lift",
    "contact_cost",
    "fixed_cost",
    "incentive",
    "incentive_share",
    "redemption_rate",
    "delivery_rate",
    "pull_forward_share",
    "follow_on_margin",
]
SHARES = ("incentive_share", "redemption_rate", "delivery_rate", "pull_forward_share")
KEYS = ["wave", "campaign", "segment", "messages", "contact_level"]
# A lift may be changed up to so many times the high end of its range, and at least up to the smallest limit
LIFT_ROOM = 2.0
SMALLEST_LIFT_LIMIT = 0.01


@dataclass(frozen=True)
class PlanAssumptions:
    """What the money of a plan rests on.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        `CAMPAIGN_ASSUMPTIONS` by campaign name (index), of the campaigns that the plan uses.
    fatigue, carryover : float
        See `waves.WaveTerms`.
    margin_rate : float
        Margin per unit of revenue. If the data have costs, each customer's own rate changes in proportion.
    value_per_customer : float
        Margin that a new customer brings in 12 months; 0 if nobody is won.
    customer_costs : pandas.Series
        Cost of a new customer by name: one cost of today, or one for each channel or step of a response curve.
    budget : float
        Money of the period. With a target return, what the plan spends.
    """

    campaigns: pd.DataFrame
    fatigue: float
    carryover: float
    margin_rate: float
    value_per_customer: float
    customer_costs: pd.Series
    budget: float


@dataclass(frozen=True)
class PlanModel:
    """The quantities that the plan decided, and the assumptions it was made with.

    Parameters
    ----------
    contacts : pandas.DataFrame
        One row per `KEYS` (wave from 1), sorted by line and campaign: line, customers, sums over them: order_margin,
        order_value, baseline_buyers, baseline_order_value (of those who buy anyway), later_margin (what a buyer brings
        more until the end than one who does not buy); room (the largest lift possible), and preparation_share (of the
        campaign's fixed cost of the wave).
    won : pandas.DataFrame
        One row per wave (from 1) and step of the cost curve with customers: customer_cost (a name in the assumptions),
        customers, multiple (of that cost).
    assumptions : PlanAssumptions
        As planned.
    lift_limits : pandas.Series
        The largest lift by campaign for which the rows are exact.
    evidence : pandas.DataFrame
        lift_low, lift_high, lift_from and costs_from by campaign.
    cost_from : str
        Where the cost of a new customer comes from.
    margin_known : bool
        Whether the margin comes from the costs in the data.
    wave_days : int
        Days of a wave.
    has_budget : bool
        Whether the plan keeps to a budget. Otherwise it earns a target return.
    """

    contacts: pd.DataFrame
    won: pd.DataFrame
    assumptions: PlanAssumptions
    lift_limits: pd.Series
    evidence: pd.DataFrame
    cost_from: str
    margin_known: bool
    wave_days: int
    has_budget: bool


def build_model(
    year: YearPlan,
    problem: YearProblem,
    learning: pd.DataFrame,
    value: NewCustomerValue,
    costs: Acquisition | None,
    margin_rate: float,
    margin_known: bool,
) -> PlanModel:
    """Take the quantities out of a plan.

    Parameters
    ----------
    year, problem : YearPlan, YearProblem
        The plan, and what it was made from.
    learning : pandas.DataFrame
        See `year.lifts_to_learn`.
    value : NewCustomerValue
        What a new customer brings.
    costs : Acquisition, optional
        What a new customer costs.
    margin_rate, margin_known : float, bool
        Margin per unit of revenue, and whether it comes from the costs in the data.

    Returns
    -------
    PlanModel
    """
    terms, used = problem.terms, problem.campaigns.set_index("name")
    used = used[used.index.isin(year.contacts.campaign)]
    limits = (used[["lift", "lift_high"]].max(axis=1) * LIFT_ROOM).clip(lower=SMALLEST_LIFT_LIMIT, upper=1.0)
    won, customer_costs = _won_by_step(year, costs)
    assumptions = PlanAssumptions(
        used[CAMPAIGN_ASSUMPTIONS].astype(float),
        terms.fatigue,
        terms.carryover,
        margin_rate,
        value.mean if len(won) else 0.0,
        customer_costs,
        problem.budget if problem.target_roi is None else year.spend,
    )
    contacts = _sum_contacts(year, problem, limits)
    contacts["line"] = contacts.campaign.map(line_by_campaign(problem.campaigns, learning))
    contacts = contacts.sort_values(["line", "campaign", "wave"], kind="stable", ignore_index=True)
    evidence = used[["lift_low", "lift_high", "lift_from", "costs_from"]]
    cost_from = costs.cost_from if costs else ""
    has_budget = problem.target_roi is None
    return PlanModel(contacts, won, assumptions, limits, evidence, cost_from, margin_known, terms.wave_days, has_budget)


def evaluate_contacts(model: PlanModel, assumptions: PlanAssumptions) -> pd.DataFrame:
    """Compute what the contacts of a plan cost and earn under other assumptions.

    Parameters
    ----------
    model : PlanModel
        The quantities.
    assumptions : PlanAssumptions
        What holds instead. Lifts must be within `lift_limits`.

    Returns
    -------
    pandas.DataFrame
        The rows of `contacts` with response, added_share (s u, of a customer), added_buyers, and money:
        incremental_margin, contact_costs, incentives, fixed_costs, spend (the last three), expected_profit.
    """
    rows = model.contacts
    term = assumptions.campaigns.loc[rows.campaign].reset_index(drop=True).set_index(rows.index)
    margin = _margin_factor(model, assumptions)
    response = message_response(rows.contact_level, rows.messages, assumptions.fatigue)
    added = term.delivery_rate * np.minimum(term.lift * response, rows.room)
    own = (1 - term.pull_forward_share) * (1 + term.follow_on_margin) * rows.order_margin
    by_buyers = term.incentive * rows.customers + term.incentive_share * rows.order_value
    anyway = term.incentive * rows.baseline_buyers + term.incentive_share * rows.baseline_order_value
    table = rows.assign(
        response=response,
        added_share=added,
        added_buyers=added * rows.customers,
        incremental_margin=added * margin * (own + assumptions.carryover * rows.later_margin),
        contact_costs=term.contact_cost * rows.messages * rows.customers,
        incentives=term.redemption_rate * (added * by_buyers + term.delivery_rate * anyway),
        fixed_costs=term.fixed_cost * rows.preparation_share,
    )
    table["spend"] = table.contact_costs + table.incentives + table.fixed_costs
    return table.assign(expected_profit=table.incremental_margin - table.spend)


def evaluate_won(model: PlanModel, assumptions: PlanAssumptions) -> pd.DataFrame:
    """Compute what the new customers of a plan cost and bring under other assumptions.

    Parameters
    ----------
    model, assumptions : PlanModel, PlanAssumptions
        See `evaluate_contacts`.

    Returns
    -------
    pandas.DataFrame
        The rows of `won` with incremental_margin, spend and expected_profit.
    """
    rows = model.won
    value = assumptions.value_per_customer * _margin_factor(model, assumptions)
    cost = rows.customer_cost.map(assumptions.customer_costs).astype(float) * rows.multiple
    table = rows.assign(incremental_margin=rows.customers * value, spend=rows.customers * cost)
    return table.assign(expected_profit=table.incremental_margin - table.spend)


def evaluate_plan(model: PlanModel, assumptions: PlanAssumptions) -> pd.DataFrame:
    """Compute the lines of the budget under other assumptions; who is contacted stays as planned.

    Parameters
    ----------
    model, assumptions : PlanModel, PlanAssumptions
        See `evaluate_contacts`.

    Returns
    -------
    pandas.DataFrame
        line, spend and expected_profit as in `year.budget_lines`, not rounded. The reserve is negative if the plan
        would cost more than the budget.
    """
    money = ["spend", "expected_profit"]
    rows = [evaluate_contacts(model, assumptions)[["line", *money]]]
    rows.append(evaluate_won(model, assumptions)[money].assign(line=Line.NEW))
    sums = pd.concat(rows).groupby("line")[money].sum().reindex(list(Line), fill_value=0.0)
    sums.loc[Line.RESERVE, "spend"] = assumptions.budget - sums.spend.sum()
    return sums.rename_axis("line").reset_index()


def _margin_factor(model: PlanModel, assumptions: PlanAssumptions) -> float:
    """Return the margin rate as a share of the one planned with."""
    planned = model.assumptions.margin_rate
    return assumptions.margin_rate / planned if planned else 1.0


def _sum_contacts(year: YearPlan, problem: YearProblem, limits: pd.Series) -> pd.DataFrame:
    """Sum up the contacts by `KEYS`. Rows in which a lift within its limit could reach 1 − p0 stay alone."""
    rows, terms = year.contacts, problem.terms
    ahead = problem.flow.value_of_moving(terms.waves)[rows.wave, rows.group]
    sums = {
        "customers": rows.contacts,
        "order_margin": rows.contacts * rows.order_margin,
        "order_value": rows.contacts * rows.order_value,
        "baseline_buyers": rows.contacts * rows.p0,
        "baseline_order_value": rows.contacts * rows.p0 * rows.order_value,
        "later_margin": rows.contacts * ahead,
    }
    # With a fatigue of 1, messages have at most the response of as many first ones
    may_reach = rows.campaign.map(limits).astype(float) * rows.messages > 1 - rows.p0
    alone = np.where(may_reach, np.arange(len(rows)), -1)
    table = rows[KEYS].assign(alone=alone, room=1 - rows.p0, **sums)
    pooled = table.groupby([*KEYS, "alone"], sort=True).agg({"room": "min"} | dict.fromkeys(sums, "sum")).reset_index()
    reached = pooled.groupby(["wave", "campaign"]).customers.transform("sum")
    runs = pd.MultiIndex.from_frame(pooled[["wave", "campaign"]]).isin(
        pd.MultiIndex.from_frame(year.running[["wave", "campaign"]])
    )
    pooled["preparation_share"] = np.where(runs, pooled.customers / reached, 0.0)
    return pooled.drop(columns="alone").assign(wave=pooled.wave + 1)


def _won_by_step(year: YearPlan, costs: Acquisition | None) -> tuple[pd.DataFrame, pd.Series]:
    """Return the customers won by wave and step, and the cost that each step is a multiple of."""
    rows = year.won_by_step
    table = pd.DataFrame({"wave": rows.wave + 1, "customers": rows.customers})
    if costs is None or rows.empty:
        none = table.assign(customer_cost=pd.Series(dtype=object), multiple=pd.Series(dtype=float))
        return none, pd.Series(dtype=float)
    if costs.cost_per_customer is not None:
        named = pd.Series({"One more new customer today": costs.cost_per_customer})
        return table.assign(customer_cost=named.index[0], multiple=rows.spend / costs.cost_per_customer), named
    names = rows.channel if costs.channels else rows.channel + ", step " + (rows.step + 1).astype(str)
    named = rows.spend.groupby(names.to_numpy(), sort=False).first()
    return table.assign(customer_cost=names, multiple=1.0), named
