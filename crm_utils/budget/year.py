"""The plan for a year as tables: its terms, the first wave, the calendar, the lines of the budget, and its range."""

from datetime import date, timedelta
from enum import StrEnum

import numpy as np
import pandas as pd

from crm_utils.budget.acquisition import NEW_CUSTOMERS, NewCustomerValue
from crm_utils.budget.learning import WORTH, learning_options
from crm_utils.budget.unit_economics import message_response, price_messages, reprice
from crm_utils.budget.waves import WaveTerms, YearPlan, YearProblem
from crm_utils.core.constants import RESERVE
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
    "response",
    "added_buyers",
    "margin",
    "discount",
    "discount_to_baseline_buyers",
    "incremental_margin",
    "contact_costs",
    "incentives_added",
    "incentives",
    "fixed_costs",
    "spend",
    "expected_profit",
]


# Each of the lines is rounded to cents
ROUNDING_OF_LINES = 0.03
MONEY = ("incremental_margin", "incentives_added", "incentives_to_baseline_buyers", "contact_costs")


class Line(StrEnum):
    """The lines of a year's budget."""

    KEEP = "keep_and_win_back"
    REPEAT = "repeat_measured"
    NEW = "win_new_customers"
    LEARN = "learn"
    RESERVE = RESERVE


def wave_terms(
    budget_days: int, wave_days: int, fatigue: float, carryover: float, max_contacts: dict[str, int]
) -> WaveTerms:
    """Cut a period into whole waves.

    Parameters
    ----------
    budget_days, wave_days : int
        Days of the period, and of a wave.
    fatigue, carryover : float
        See `WaveTerms`.
    max_contacts : dict of str to int
        number and days: the most messages to a customer in any so many days. A wave then has at most
        number × wave_days / days messages, sent at equal distances.

    Returns
    -------
    WaveTerms

    Raises
    ------
    BudgetError
        If the period is shorter than a wave, or not one message fits into a wave.
    """
    if budget_days < wave_days:
        raise BudgetError(
            f"budget.budget_days: {budget_days} days are shorter than a wave of {wave_days} days (budget.wave_days); "
            "give a longer period or shorter waves"
        )
    messages = max_contacts["number"] * wave_days // max_contacts["days"]
    if not messages:
        raise BudgetError(
            f"budget.max_contacts: {max_contacts['number']} in {max_contacts['days']} days is less than one message in "
            f"a wave of {wave_days} days; allow more, or give longer waves"
        )
    return WaveTerms(budget_days // wave_days, wave_days, fatigue, carryover, messages)


def first_wave(year: YearPlan, problem: YearProblem) -> pd.DataFrame:
    """Return what each option does in the first wave, the wave whose lists are written.

    Parameters
    ----------
    year, problem : YearPlan, YearProblem
        The plan, and what it was made from.

    Returns
    -------
    pandas.DataFrame
        The columns of `unit_economics.reprice` with contacts (customers). One row per option that is not used, with its
        smallest number of messages, and one per option and number of messages that is.
    """
    planned = year.contacts[year.contacts.wave == 0]
    used = pd.MultiIndex.from_frame(planned[["campaign", "group"]])
    others = problem.options[~pd.MultiIndex.from_frame(problem.options[["campaign", "group"]]).isin(used)]
    fewest = problem.campaigns.assign(messages=[[min(numbers)] for numbers in problem.campaigns.messages])
    rest = price_messages(others, fewest, problem.terms.fatigue, 0, problem.terms.max_messages)
    rest = rest.assign(contact_level=0, contacts=0)
    table = pd.concat([planned[rest.columns], rest], ignore_index=True)
    return table.astype({"contacts": int})


def later_lines(year: YearPlan) -> pd.MultiIndex:
    """Return campaign and segment of the contacts after the first wave.

    Parameters
    ----------
    year : YearPlan
        The plan.

    Returns
    -------
    pandas.MultiIndex
        Campaign and segment, as often as there are contacts.
    """
    return pd.MultiIndex.from_frame(year.contacts.loc[year.contacts.wave > 0, ["campaign", "segment"]])


def calendar(year: YearPlan, campaigns: pd.DataFrame, analysis_date: date, wave_days: int) -> pd.DataFrame:
    """List what is sent when: one row per wave, campaign, segment and number of messages.

    Parameters
    ----------
    year : YearPlan
        The plan.
    campaigns : pandas.DataFrame
        One row per campaign.
    analysis_date : datetime.date
        The day before the first wave.
    wave_days : int
        Days of a wave.

    Returns
    -------
    pandas.DataFrame
        `CALENDAR_COLUMNS`: wave (from 1), starts_on, customers (contacted, expected number), contacts = customers ×
        messages, baseline_probability (mean), added_buyers = customers × delivery_rate × lift × response, and money:
        incremental_margin = added_buyers × margin, contact_costs = contacts × contact_cost, incentives =
        redemption_rate × (added_buyers × discount + customers × delivery_rate × baseline_probability ×
        discount_to_baseline_buyers), spend = contact_costs + incentives + fixed_costs, expected_profit =
        incremental_margin − spend. A campaign's fixed cost of a wave is shared out by customers.
    """
    rows = year.contacts
    weighted = {name: rows[name] * rows.contacts for name in (*MONEY, "p0", "delivered_lift")}
    anyway = rows.p0 * rows.discount * rows.contacts
    table = rows[["wave", "campaign", "segment", "messages"]].assign(customers=rows.contacts, anyway=anyway, **weighted)
    table = table.groupby(["wave", "campaign", "segment", "messages"]).sum().reset_index()
    fixed = year.running.set_index(["wave", "campaign"]).fixed_cost
    reached = table.groupby(["wave", "campaign"]).customers.transform("sum")
    paid = fixed.reindex(pd.MultiIndex.from_frame(table[["wave", "campaign"]]), fill_value=0.0).to_numpy()
    table["fixed_costs"] = paid * table.customers / reached
    table["contacts"] = table.customers * table.messages
    table["baseline_probability"] = table.p0 / table.customers
    term = campaigns.set_index("name").loc[table.campaign].reset_index(drop=True)
    table["added_buyers"] = table.delivered_lift
    added = table.added_buyers.where(table.added_buyers > 0)
    table["response"] = (added / (table.customers * term.delivery_rate * term.lift)).fillna(0.0)
    table["margin"] = (table.incremental_margin / added).fillna(0.0)
    table["discount"] = (table.incentives_added / (added * term.redemption_rate)).fillna(0.0)
    table["discount_to_baseline_buyers"] = (table.anyway / table.p0.where(table.p0 > 0)).fillna(0.0)
    table["incentives"] = table.incentives_added + table.incentives_to_baseline_buyers
    table["spend"] = table.contact_costs + table.incentives + table.fixed_costs
    table["expected_profit"] = table.incremental_margin - table.spend
    first = [analysis_date + timedelta(days=1 + wave_days * int(wave)) for wave in table.wave]
    table["starts_on"] = pd.to_datetime(pd.Series(first, index=table.index, dtype=object)).astype("datetime64[us]")
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
    money = {name: rows[name] * rows.contacts for name in MONEY}
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


def budget_lines(year: YearPlan, problem: YearProblem, learning: pd.DataFrame) -> pd.DataFrame:
    """Split the budget into five lines that add up to it.

    Campaigns whose lift is worth measuring are the line `learn`: their first wave is their test. The others are
    `repeat_measured` or `keep_and_win_back`. What is not spent is the reserve.

    Parameters
    ----------
    year, problem : YearPlan, YearProblem
        The plan, and what it was made from.
    learning : pandas.DataFrame
        See `lifts_to_learn`.

    Returns
    -------
    pandas.DataFrame
        line (a `Line`), spend and expected_profit, in cents. The spend of the five lines is the budget; with a target
        return it is what the plan spends.
    """
    budget = problem.budget if problem.target_roi is None else year.spend
    lines, money = line_by_campaign(problem.campaigns, learning), money_by_campaign(year)
    sums = money.groupby(money.index.map(lines)).sum().reindex(list(Line), fill_value=0.0).round(2)
    left = round(budget - sums.spend.sum(), 2)
    if abs(left) < ROUNDING_OF_LINES:  # the lines were rounded, the budget is used up
        sums.loc[sums.spend.idxmax(), "spend"] = round(sums.spend.max() + left, 2)
    else:
        sums.loc[Line.RESERVE, "spend"] = left
    return sums.rename_axis("line").reset_index()


def line_by_campaign(campaigns: pd.DataFrame, learning: pd.DataFrame) -> dict[str, Line]:
    """Return the line of the budget for each campaign, and for new customers.

    Parameters
    ----------
    campaigns : pandas.DataFrame
        One row per campaign.
    learning : pandas.DataFrame
        See `lifts_to_learn`.

    Returns
    -------
    dict of str to Line
        By campaign, or "new customers".
    """
    tested = set(learning.campaign[learning.verdict == WORTH])
    lines = {
        name: Line.REPEAT if evidence == "measured" else Line.KEEP
        for name, evidence in zip(campaigns.name, campaigns.evidence, strict=True)
    }
    return lines | dict.fromkeys(tested, Line.LEARN) | {NEW_CUSTOMERS: Line.NEW}


def acquisition_table(year: YearPlan, value: NewCustomerValue, analysis_date: date, wave_days: int) -> pd.DataFrame:
    """List how many new customers are won in each wave, beyond those who come anyway.

    Parameters
    ----------
    year : YearPlan
        The plan.
    value : NewCustomerValue
        What a new customer brings.
    analysis_date, wave_days : datetime.date, int
        See `calendar`.

    Returns
    -------
    pandas.DataFrame
        wave (from 1), starts_on, customers_won, spend, value_per_customer (null if not known), expected_profit =
        customers_won × value_per_customer − spend.
    """
    first = [analysis_date + timedelta(days=1 + wave_days * int(wave)) for wave in year.won.wave]
    return pd.DataFrame(
        {
            "wave": year.won.wave + 1,
            "starts_on": pd.to_datetime(pd.Series(first, dtype=object)).astype("datetime64[us]"),
            "customers_won": year.won.customers,
            "spend": year.won.spend,
            "value_per_customer": value.mean,
            "expected_profit": year.won.expected_profit,
        }
    )


def money_by_campaign(year: YearPlan) -> pd.DataFrame:
    """Sum up the whole plan by campaign.

    Parameters
    ----------
    year : YearPlan
        The plan.

    Returns
    -------
    pandas.DataFrame
        campaign (or "new customers", if some are won; index), spend and expected_profit.
    """
    rows = year.contacts
    table = pd.DataFrame(
        {
            "campaign": [*rows.campaign, *year.running.campaign, *[NEW_CUSTOMERS] * len(year.won)],
            "spend": [*(rows.contacts * rows.spend), *year.running.fixed_cost, *year.won.spend],
            "expected_profit": [
                *(rows.contacts * rows.profit),
                *(-year.running.fixed_cost),
                *year.won.expected_profit,
            ],
        }
    )
    sums = table.groupby("campaign")[["spend", "expected_profit"]].sum()
    return sums[(sums.index != NEW_CUSTOMERS) | (sums.spend > 0)]


def evidence_shares(year: YearPlan, campaigns: pd.DataFrame) -> pd.Series:
    """Return on what the expected profit rests, as shares of it.

    Parameters
    ----------
    year : YearPlan
        The plan.
    campaigns : pandas.DataFrame
        One row per campaign, with evidence.

    Returns
    -------
    pandas.Series
        new (customers won), measured, published, assumed. All 0 if the plan earns nothing.
    """
    evidence = campaigns.set_index("name").evidence
    profit = money_by_campaign(year).expected_profit.rename(evidence.to_dict() | {NEW_CUSTOMERS: "new"})
    shares = profit.groupby(level=0).sum().reindex(["new", "measured", "published", "assumed"], fill_value=0.0)
    return shares / year.expected_profit if year.expected_profit > 0 else shares * 0.0


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
