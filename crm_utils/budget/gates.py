"""Rules, written before the start, that say when the next money is released; and what has happened so far."""

from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import pandas as pd

from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.uplift import CampaignStatus
from crm_utils.budget.waves import YearPlan, YearProblem
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.constants import RESERVE

# A new customer may cost this share of what one brings before the next money for new ones is released
COST_SHARE = 0.8
# Of the plan's profit: a smaller campaign gets no gate of its own, and a smaller line is shown with others
SMALL = 0.02
COLUMNS = ["gate", "campaign", "decide_on", "limit", "releases", "observed", "state"]


class Gate(StrEnum):
    """What a gate asks."""

    # does a new customer cost little enough?
    NEW_CUSTOMERS = "cost_of_a_new_customer"
    # is the lift of a campaign above its break-even lift?
    LIFT = "lift_of_a_campaign"
    # would the next money of the reserve earn a profit?
    RESERVE = "profit_of_the_next_money"


class GateState(StrEnum):
    """Whether a gate is open."""

    OPEN = "open"
    CLOSED = "closed"
    # nothing has been measured yet
    WAITING = "not known yet"


def find_gates(
    year: YearPlan,
    problem: YearProblem,
    learning: pd.DataFrame,
    value: NewCustomerValue,
    past: pd.DataFrame,
    costs: Acquisition | None,
    next_profit: float,
    lines: pd.DataFrame,
    analysis_date: date,
) -> pd.DataFrame:
    """List the gates of a plan, each with what the data say about it today.

    Parameters
    ----------
    year, problem : YearPlan, YearProblem
        The plan, and what it was made from.
    learning : pandas.DataFrame
        See `year.lifts_to_learn`: the break-even lift of each campaign.
    value : NewCustomerValue
        What a new customer brings.
    past : pandas.DataFrame
        What past campaigns did (`uplift.measure_campaigns`).
    costs : Acquisition, optional
        What new customers cost, and what was spent on them in the last 12 months.
    next_profit : float
        What the next money would earn (`year_sensitivity.marginal_profit`).
    lines : pandas.DataFrame
        See `year.budget_lines`.
    analysis_date : datetime.date
        The day before the first wave.

    Returns
    -------
    pandas.DataFrame
        gate (a `Gate`), campaign (or empty), decide_on (the end of the first wave), limit (the most that a new customer
        may cost; the least lift of one message; the least profit), releases (money of later waves; the reserve),
        observed (null if not known), state (a `GateState`).
    """
    spent = costs.spent if costs is not None else None
    after, rows = analysis_date + timedelta(days=problem.terms.wave_days), []
    if year.won.customers.sum() > 0:
        limit, released = COST_SHARE * value.mean, float(year.won.spend[year.won.wave > 0].sum())
        cost = spent / value.per_year if spent is not None and value.per_year else np.nan
        rows.append([Gate.NEW_CUSTOMERS, "", after, limit, released, cost])
    measured = past[past.status == CampaignStatus.MEASURED] if len(past) else past
    delivered = problem.campaigns.set_index("name").delivery_rate
    lifts = pd.Series(dtype=float)
    if len(measured):
        seen = measured.set_index("campaign")
        lifts = seen.lift / (delivered.reindex(seen.index).fillna(1.0) * seen.response)
    profit = year.contacts.profit * year.contacts.contacts
    by_campaign = profit.groupby(year.contacts.campaign).sum()
    later = year.contacts[year.contacts.wave > 0]
    money = (later.contacts * later.spend).groupby(later.campaign).sum()
    for row in learning.itertuples():
        if by_campaign.get(row.campaign, 0.0) < SMALL * year.expected_profit or not np.isfinite(row.break_even_lift):
            continue
        lift = float(lifts.get(row.campaign, np.nan))
        rows.append([Gate.LIFT, row.campaign, after, row.break_even_lift, float(money.get(row.campaign, 0.0)), lift])
    reserve = float(lines.spend[lines.line == RESERVE].sum())
    if reserve > 0:
        rows.append([Gate.RESERVE, "", after, 0.0, reserve, next_profit])
    table = pd.DataFrame(rows, columns=COLUMNS[:-1])
    return _with_states(table.assign(decide_on=pd.to_datetime(table.decide_on).astype("datetime64[us]")))


def judge_gates(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Judge the gates of an earlier plan by what a later date knows.

    Parameters
    ----------
    then, now : pandas.DataFrame
        The gates of both dates (`find_gates`).

    Returns
    -------
    pandas.DataFrame
        The gates of the earlier date, with observed of the later one and the state that follows. A campaign that the
        later plan does not run has no observed lift.
    """
    keys = ["gate", "campaign"]
    table = then.drop(columns=["observed", "state"]).merge(now[[*keys, "observed"]], on=keys, how="left")
    return _with_states(table)


def _with_states(table: pd.DataFrame) -> pd.DataFrame:
    """Add the state of each gate: what was observed against its limit."""
    observed, limit = table.observed.astype(float), table.limit.astype(float)
    passed = {
        Gate.NEW_CUSTOMERS: observed <= limit,
        Gate.LIFT: observed >= limit,
        Gate.RESERVE: observed > limit,
    }
    is_open = np.select([table.gate == gate for gate in passed], list(passed.values()), False)
    states = np.where(is_open, GateState.OPEN, GateState.CLOSED)
    return table.assign(state=np.where(np.isfinite(observed), states, GateState.WAITING))[COLUMNS]
