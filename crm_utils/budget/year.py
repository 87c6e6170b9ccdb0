"""The plan for a year as tables: the lines of the budget, the calendar, simple plans beside it, and its range."""

from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import pandas as pd

from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.learning import learning_options
from crm_utils.budget.unit_economics import message_response, reprice
from crm_utils.budget.waves import YearPlan
from crm_utils.core.errors import BudgetError

# Half the width of a 90% interval, in standard errors
Z_90 = 1.6449
# The fatigue is within so much of the assumed one with 90% probability
FATIGUE_RANGE = 0.2

CALENDAR_COLUMNS = [
    "wave",
    "starts_on",
    "campaign",
    "segment",
    "messages",
    "customers",
    "contacts",
    "baseline_probability",
    "added_buyers",
    "incremental_margin",
    "contact_costs",
    "incentives",
    "fixed_costs",
    "spend",
    "expected_profit",
]


class Line(StrEnum):
    """The lines of a year's budget."""

    KEEP = "keep_and_win_back"
    REPEAT = "repeat_measured"
    NEW = "win_new_customers"
    LEARN = "learn"
    RESERVE = "reserve"


def number_of_waves(budget_days: int, wave_days: int) -> int:
    """Return how many whole waves a period has.

    Raises
    ------
    BudgetError
        If the period is shorter than a wave.
    """
    if budget_days < wave_days:
        raise BudgetError(
            f"budget.budget_days: {budget_days} days are shorter than a wave of {wave_days} days (budget.wave_days); "
            "give a longer period or shorter waves"
        )
    return budget_days // wave_days


def calendar(year: YearPlan, analysis_date: date, wave_days: int) -> pd.DataFrame:
    """List what is sent when: one row per wave, campaign, segment and number of messages.

    Parameters
    ----------
    year : YearPlan
        The plan.
    analysis_date : datetime.date
        The day before the first wave.
    wave_days : int
        Days of a wave.

    Returns
    -------
    pandas.DataFrame
        `CALENDAR_COLUMNS`: wave (from 1), starts_on, customers (contacted, expected number), contacts (customers ×
        messages), baseline_probability (mean), added_buyers, and money: spend = contact_costs + incentives +
        fixed_costs, expected_profit = incremental_margin − spend. A campaign's fixed cost of a wave is shared out by
        customers.
    """
    rows = year.contacts
    weighted = {
        name: rows[name] * rows.contacts
        for name in ("incremental_margin", "incentives_added", "incentives_to_baseline_buyers", "contact_costs", "p0")
    }
    table = rows[["wave", "campaign", "segment", "messages"]].assign(
        customers=rows.contacts, added_buyers=rows.contacts * rows.delivered_lift, **weighted
    )
    table = table.groupby(["wave", "campaign", "segment", "messages"]).sum().reset_index()
    fixed = year.running.set_index(["wave", "campaign"]).fixed_cost
    reached = table.groupby(["wave", "campaign"]).customers.transform("sum")
    paid = fixed.reindex(pd.MultiIndex.from_frame(table[["wave", "campaign"]]), fill_value=0.0).to_numpy()
    table["fixed_costs"] = paid * table.customers / reached
    table["contacts"] = table.customers * table.messages
    table["baseline_probability"] = table.p0 / table.customers
    table["incentives"] = table.incentives_added + table.incentives_to_baseline_buyers
    table["spend"] = table.contact_costs + table.incentives + table.fixed_costs
    table["expected_profit"] = table.incremental_margin - table.spend
    first = [analysis_date + timedelta(days=1 + wave_days * int(wave)) for wave in table.wave]
    table["starts_on"] = pd.to_datetime(pd.Series(first, index=table.index, dtype=object))
    table["wave"] += 1
    return table.sort_values(["wave", "expected_profit"], ascending=[True, False], ignore_index=True)[CALENDAR_COLUMNS]


def lifts_to_learn(year: YearPlan, campaigns: pd.DataFrame, waves: int) -> pd.DataFrame:
    """Judge for each planned campaign whether its lift is worth measuring (`learning.learning_options`).

    Parameters
    ----------
    year : YearPlan
        The plan.
    campaigns : pandas.DataFrame
        One row per campaign.
    waves : int
        Waves of the plan.

    Returns
    -------
    pandas.DataFrame
        See `learning.learning_options`. break_even_lift is the lift of one message at which the campaign's whole plan
        earns nothing.
    """
    rows = year.contacts
    terms = campaigns.set_index("name")
    money = {
        name: rows[name] * rows.contacts
        for name in ("incremental_margin", "incentives_added", "incentives_to_baseline_buyers", "contact_costs")
    }
    sums = rows.assign(
        **money, listed=rows.contacts, p0=rows.p0 * rows.contacts, delivered_lift=rows.delivered_lift * rows.contacts
    )
    numbers = ["listed", "p0", "delivered_lift", *money]
    table = sums.groupby("campaign")[numbers].sum()
    running = year.running.groupby("campaign").agg(fixed=("fixed_cost", "sum"), waves=("wave", "nunique"))
    table = table.join(running)
    for name in ("lift", "lift_low", "lift_high", "evidence"):
        table[name] = terms[name].reindex(table.index)
    gained = table.incremental_margin - table.incentives_added
    table["profit_per_lift"] = gained / table.lift
    given = table.incentives_to_baseline_buyers + table.contact_costs + table.fixed
    table["break_even_lift"] = given / table.profit_per_lift
    table["customers"] = table.listed / table.waves
    table["baseline_probability"] = table.p0 / table.listed
    table["profit"] = (gained - given) / table.listed
    table["delivered_lift"] /= table.listed
    return learning_options(table.reset_index(), waves)


def budget_lines(year: YearPlan, learning: pd.DataFrame, campaigns: pd.DataFrame, budget: float) -> pd.DataFrame:
    """Split the budget into five lines that add up to it.

    Campaigns whose lift is worth measuring are the line `learn`: their first wave is their test. The others are
    `repeat_measured` or `keep_and_win_back`. What is not spent is the reserve.

    Parameters
    ----------
    year : YearPlan
        The plan.
    learning : pandas.DataFrame
        See `lifts_to_learn`.
    campaigns : pandas.DataFrame
        One row per campaign.
    budget : float
        The budget; with a target return, what the plan spends.

    Returns
    -------
    pandas.DataFrame
        line (a `Line`), spend and expected_profit, in cents. The spend of the five lines is the budget.
    """
    evidence = campaigns.set_index("name").evidence
    tested = set(learning.campaign[learning.verdict == "worth measuring"])

    def line_of(campaign: str) -> Line:
        if campaign in tested:
            return Line.LEARN
        return Line.REPEAT if evidence[campaign] == "measured" else Line.KEEP

    rows = year.contacts
    table = pd.DataFrame(
        {
            "line": [*rows.campaign.map(line_of), *year.running.campaign.map(line_of), *[Line.NEW] * len(year.won)],
            "spend": [*(rows.contacts * rows.spend), *year.running.fixed_cost, *year.won.spend],
            "expected_profit": [
                *(rows.contacts * rows.profit),
                *(-year.running.fixed_cost),
                *year.won.expected_profit,
            ],
        }
    )
    sums = table.groupby("line")[["spend", "expected_profit"]].sum().reindex(list(Line), fill_value=0.0).round(2)
    sums.loc[Line.RESERVE, "spend"] = round(budget - sums.spend.sum(), 2)
    return sums.rename_axis("line").reset_index()


def profit_range(
    year: YearPlan, campaigns: pd.DataFrame, value: NewCustomerValue, size_error: float, fatigue: float
) -> tuple[float, float]:
    """Return the range that holds what the plan will earn with 90% probability, given the assumed ranges.

    Lifts are low or high together. Fatigue, the value of a new customer, the sizes of later waves, and chance (who of
    the customers contacted buys, and what new customers buy) err independently of them, so the distances from the
    expected profit are added as squares. If lifts err together only in part, the range is a little too wide; a range
    for a correlation of a half was too narrow in simulated shops of unknown correlation (`benchmarks/year.py`).

    Parameters
    ----------
    year : YearPlan
        The plan.
    campaigns : pandas.DataFrame
        One row per campaign, with lift_low and lift_high.
    value : NewCustomerValue
        With low and high.
    size_error : float
        Mean error of a segment's size one wave ahead, as a share of it.
    fatigue : float
        The fatigue of the plan. Its range is `FATIGUE_RANGE` to both sides, up to 1.

    Returns
    -------
    float, float
        Low and high end.
    """
    parts = range_parts(year, campaigns, value, size_error, fatigue)
    low, high = np.sqrt((parts**2).sum(axis=0))
    return year.expected_profit - float(low), year.expected_profit + float(high)


def range_parts(
    year: YearPlan, campaigns: pd.DataFrame, value: NewCustomerValue, size_error: float, fatigue: float
) -> pd.DataFrame:
    """Return how far each source of doubt moves the profit to the low and the high end of its 90% range.

    Parameters
    ----------
    year, campaigns, value, size_error, fatigue
        See `profit_range`.

    Returns
    -------
    pandas.DataFrame
        lifts, fatigue, value_of_new_customers, segment_sizes, chance (index) × low, high: distances in money.
    """
    terms, won = campaigns.set_index("name"), float(year.won.customers.sum())
    later = year.contacts[year.contacts.wave > 0]
    by_size, by_chance = size_error * float((later.contacts * later.profit).sum()), _by_chance(year, value)
    # What a lift earns is compared at equal contacts; what buyers bring later is left as it is
    planned = _profit_at(year.contacts, campaigns, terms.lift, fatigue)
    columns = {}
    for end, sign in (("low", -1), ("high", 1)):
        by_lift = _profit_at(year.contacts, campaigns, terms[f"lift_{end}"], fatigue) - planned
        other = min(max(fatigue + sign * FATIGUE_RANGE, 0.0), 1.0)
        by_fatigue = _profit_at(year.contacts, campaigns, terms.lift, other) - planned
        by_value = won * (getattr(value, end) - value.mean) if won else 0.0
        columns[end] = [sign * by_lift, sign * by_fatigue, sign * by_value, by_size, by_chance]
    names = ["lifts", "fatigue", "value_of_new_customers", "segment_sizes", "chance"]
    return pd.DataFrame(columns, index=names)


def _profit_at(contacts: pd.DataFrame, campaigns: pd.DataFrame, lifts: pd.Series, fatigue: float) -> float:
    """Return what contacts earn at other lifts and another fatigue."""
    response = message_response(contacts.contact_level, contacts.messages, fatigue)
    priced = reprice(contacts.assign(response=response), campaigns, lifts)
    return float((priced.contacts * priced.profit).sum())


def _by_chance(year: YearPlan, value: NewCustomerValue) -> float:
    """Return half of the width of a 90% interval for chance alone.

    Added orders are rare and independent, so the variance of their margin is the expected square of an order's margin:
    twice the squared mean if orders differ as much as exponential ones. New customers likewise, with the variance of
    what a customer brought in the past (from the interval of its mean).
    """
    rows = year.contacts
    orders = float((rows.contacts * rows.delivered_lift * 2 * rows.margin**2).sum())
    won = float(year.won.customers.sum())
    customers = 0.0
    if won:
        deviation = (value.high - value.low) / (2 * Z_90) * np.sqrt(value.customers)
        customers = won * (deviation**2 + value.mean**2)
    return float(Z_90 * np.sqrt(orders + customers))
