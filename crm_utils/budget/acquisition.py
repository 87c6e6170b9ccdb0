"""What new customers bring, what they may cost, and how many are worth winning."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.config import parse_model
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.errors import BudgetError
from crm_utils.core.exact_money import exact_sum
from crm_utils.rfm.history import FIRST_DAYS

YEAR_DAYS = 365
# With fewer customers observed for a year, no value is given
MIN_CUSTOMERS = 30
# Days of the latest cohort that is shown apart
LAST_COHORT_DAYS = 91
# Linear steps of the cost curve in the program
STEPS = 20
# Name of the channel if the report gives none
NEW_CUSTOMERS = "new customers"
RESAMPLES = 1000
# More customers than this are averaged in so many bags before they are resampled
BAGS = 2000
COST_SHARES = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class NewCustomerValue:
    """What customers won in the past brought within 12 months of their first order.

    Parameters
    ----------
    customers : int
        Customers who were observed for 12 months.
    mean, low, high : float
        Mean margin per customer, and its 90% bootstrap interval; null if `reason` is not empty.
    median : float
        Half of the customers brought less.
    last_cohort : float
        Mean margin of those who came in the last `LAST_COHORT_DAYS` of the days observed.
    per_year : int
        New customers a year: those of the last 12 months, or fewer if the last 91 days brought fewer.
    reason : str
        Why there is no value; empty if there is one.
    """

    customers: int
    mean: float
    low: float
    high: float
    median: float
    last_cohort: float
    per_year: int
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not self.reason


def read_costs(given: dict[str, Any] | None) -> Acquisition | None:
    """Check what a report says new customers cost; None if it says nothing.

    Parameters
    ----------
    given : dict, optional
        The parameter `acquisition` of 05_budget.

    Returns
    -------
    Acquisition or None

    Raises
    ------
    ParamsError
        If a value is wrong.
    """
    return parse_model(given, Acquisition, "budget.acquisition") if given else None


def first_year_margins(
    orders: ir.Table,
    analysis_date: date,
    margin_rate: float,
    features: pd.DataFrame | None,
    history_complete: bool,
) -> pd.DataFrame:
    """Compute the margin of each customer within 12 months of the first order.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date, net of cancellations: customer_id, ordered_at, revenue.
    analysis_date : datetime.date
        The last day that counts.
    margin_rate : float
        Margin per unit of revenue of customers whose own rate is not known.
    features : pandas.DataFrame or None
        The table `customer_features`. If it has margin_rate, that is the customer's own.
    history_complete : bool
        Whether the data contain everybody's first order. Otherwise customers of the first 90 days do not count as new.

    Returns
    -------
    pandas.DataFrame
        One row per new customer: customer_id, first_order, age_days (days observed), margin (of the first 12 months,
        or of the days observed).
    """
    days = orders.mutate(day=orders.ordered_at.date())
    days = days.mutate(first_order=days.day.min().over(group_by=days.customer_id))
    within = days.filter(days.day.delta(days.first_order, unit="day") < YEAR_DAYS)
    sums = within.group_by("customer_id", "first_order").agg(revenue=exact_sum(within.revenue).cast("float64"))
    table = sums.order_by("customer_id").execute()
    table["first_order"] = pd.to_datetime(table.first_order)
    if not history_complete and len(table):
        table = table[table.first_order >= table.first_order.min() + pd.Timedelta(days=FIRST_DAYS)]
    rate = pd.Series(np.nan, index=table.index)
    if features is not None and "margin_rate" in features:
        rate = table.customer_id.map(features.set_index("customer_id").margin_rate)
    table["margin"] = table.revenue * rate.astype(float).fillna(margin_rate).clip(-1, 1)
    table["age_days"] = (pd.Timestamp(analysis_date) - table.first_order).dt.days
    return table[["customer_id", "first_order", "age_days", "margin"]].reset_index(drop=True)


def new_customer_value(margins: pd.DataFrame, seed: int = 1) -> NewCustomerValue:
    """Average what customers brought within 12 months, over all who were observed that long.

    Parameters
    ----------
    margins : pandas.DataFrame
        See `first_year_margins`.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    NewCustomerValue
        Without a value if fewer than `MIN_CUSTOMERS` new customers were observed for 12 months.
    """
    observed = margins[margins.age_days >= YEAR_DAYS - 1]
    in_year, lately = (int((margins.age_days < days).sum()) for days in (YEAR_DAYS, LAST_COHORT_DAYS))
    per_year = min(in_year, round(lately * YEAR_DAYS / LAST_COHORT_DAYS))
    if len(observed) < MIN_CUSTOMERS:
        reason = f"{len(observed)} new customers have been observed for 12 months; at least {MIN_CUSTOMERS} are needed"
        return NewCustomerValue(len(observed), np.nan, np.nan, np.nan, np.nan, np.nan, per_year, reason)
    low, high = _interval_of_mean(observed.margin.to_numpy(), seed)
    last = observed[observed.first_order > observed.first_order.max() - pd.Timedelta(days=LAST_COHORT_DAYS)]
    return NewCustomerValue(
        len(observed), observed.margin.mean(), low, high, observed.margin.median(), last.margin.mean(), per_year
    )


def _interval_of_mean(values: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the 90% bootstrap interval of a mean. Many values are first averaged in `BAGS` random bags."""
    random = np.random.default_rng(seed)
    bags = min(len(values), BAGS)
    bag = random.permutation(len(values)) % bags
    total, size = np.bincount(bag, values, bags), np.bincount(bag, minlength=bags)
    drawn = random.integers(bags, size=(RESAMPLES, bags))
    means = total[drawn].sum(axis=1) / size[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.05, 0.95])
    return float(low), float(high)


def orders_of_cohorts(orders: ir.Table, unit: Literal["M", "Q"], history_complete: bool) -> ir.Table:
    """Add to each order of a new customer when the customer was won.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    unit : str
        Length of a cohort: M (month) or Q (quarter).
    history_complete : bool
        Whether the data contain everybody's first order. Otherwise customers of the first 90 days do not count as new.

    Returns
    -------
    ibis.Table
        The orders with day, first_order (a day), cohort (the first day of the month or quarter of it) and age (days
        since it).
    """
    days = orders.mutate(day=orders.ordered_at.date())
    days = days.mutate(first_order=days.day.min().over(group_by=days.customer_id))
    if not history_complete:
        days = days.filter(days.first_order >= days.day.min().over() + ibis.interval(days=FIRST_DAYS))
    return days.mutate(cohort=days.first_order.truncate(unit), age=days.day.delta(days.first_order, unit="day"))


def payback_curve(orders: ir.Table, analysis_date: date, margin_rate: float, history_complete: bool) -> pd.DataFrame:
    """Compute the mean cumulative margin of a new customer by days since the first order.

    Each day counts the monthly cohorts that were observed for so many days.

    Parameters
    ----------
    orders, analysis_date, margin_rate, history_complete
        See `first_year_margins`.

    Returns
    -------
    pandas.DataFrame
        day (0 to 364), customers, margin (mean, cumulative). Days that no cohort reached are left out.
    """
    days = orders_of_cohorts(orders, "M", history_complete)
    sizes = days.group_by("cohort").agg(customers=days.customer_id.nunique(), last=days.first_order.max()).execute()
    within = days.filter(days.age < YEAR_DAYS)
    sums = within.group_by("cohort", "age").agg(revenue=exact_sum(within.revenue).cast("float64")).execute()
    if sums.empty:
        return pd.DataFrame({"day": [], "customers": [], "margin": []})
    by_day = sums.pivot_table(index="age", columns="cohort", values="revenue", aggfunc="sum")
    cumulative = by_day.reindex(range(YEAR_DAYS)).fillna(0.0).cumsum()
    sizes = sizes.set_index("cohort").loc[cumulative.columns]
    observed_days = (pd.Timestamp(analysis_date) - pd.to_datetime(sizes["last"])).dt.days
    seen = cumulative.index.to_numpy()[:, None] <= observed_days.to_numpy()
    customers = seen @ sizes.customers.to_numpy(float)
    with np.errstate(invalid="ignore"):
        mean = margin_rate * (cumulative.to_numpy() * seen).sum(axis=1) / customers
    table = pd.DataFrame({"day": cumulative.index, "customers": customers.astype(int), "margin": mean})
    return table[table.customers > 0].reset_index(drop=True)


def payback_day(curve: pd.DataFrame, cost: float) -> int | None:
    """Return the first day on which a new customer has brought what they cost; None if that takes over a year."""
    reached = curve.day[curve.margin >= cost]
    return int(reached.iloc[0]) if len(reached) else None


def cost_steps(terms: Acquisition | None, value: NewCustomerValue, years: float) -> pd.DataFrame:
    """Return what customers more cost over the whole plan, as linear steps, the cheapest first.

    With a cost per customer c0, the n-th customer more in a year costs c0 (1 + n / n0), where n0 is the number of new
    customers a year today. The shape is an assumption. A response curve or channels replace it.

    Parameters
    ----------
    terms : Acquisition or None
        What the report says about costs.
    value : NewCustomerValue
        What a new customer brings.
    years : float
        Length of the plan.

    Returns
    -------
    pandas.DataFrame
        channel, customers (of the step), spend and profit per customer. Without a row if the cost or the value is not
        known. The last steps cost more than they bring: a plan leaves them out, unless they become cheaper.

    Raises
    ------
    BudgetError
        If the cost is given for data without new customers.
    """
    table = pd.DataFrame({"channel": [], "customers": [], "spend": [], "profit": []})
    if terms is None:
        return table
    if not value.per_year and terms.cost_per_customer is not None:
        raise BudgetError(
            "budget.acquisition: no new customer came in the last 12 months, so it is not known how many more can be "
            "won at this cost. Give acquisition.response (customers and their cost), or remove acquisition"
        )
    if not value.known:
        return table
    if terms.cost_per_customer is not None:
        table = _rising_cost(terms.cost_per_customer, value.per_year * years, value.mean)
    elif terms.response:
        points = [(0.0, 0.0), *((point.customers * years, point.spend * years) for point in terms.response)]
        number, money = np.diff(np.array(points), axis=0).T
        table = pd.DataFrame({"channel": NEW_CUSTOMERS, "customers": number, "spend": money / number})
    else:
        rows = [(channel.name, channel.customers * years, channel.cost_per_customer) for channel in terms.channels]
        table = pd.DataFrame(rows, columns=["channel", "customers", "spend"]).sort_values("spend", kind="stable")
    return table.assign(profit=value.mean - table.spend)


def _rising_cost(cost: float, at_present: float, value: float) -> pd.DataFrame:
    """Return the steps of spend c0 (n + n² / (2 n0)) until the next customer costs twice what they bring."""
    edges = [0.0]
    for most in (value, 2 * value):  # an edge where a customer costs what they bring
        best = max(at_present * (most / cost - 1), edges[-1])
        edges += np.linspace(edges[-1], best, STEPS + 1)[1:].tolist()
    number = np.array(edges)
    size = np.diff(number)
    spend = cost * (number + number**2 / (2 * at_present))
    each = np.diff(spend) / np.where(size > 0, size, 1)
    return pd.DataFrame({"channel": NEW_CUSTOMERS, "customers": size, "spend": each})[size > 0]


def break_even_costs(value: NewCustomerValue, years: float) -> pd.DataFrame:
    """Show how many customers more would be worth winning at some costs per customer, and what they would bring.

    Parameters
    ----------
    value : NewCustomerValue
        What a new customer brings.
    years : float
        Length of the plan.

    Returns
    -------
    pandas.DataFrame
        cost_per_customer (a quarter, half, three quarters and all of the value), customers, spend, expected_profit.
        Empty if the value is not known or hardly any new customers come.
    """
    rows = []
    if not value.known or value.per_year < MIN_CUSTOMERS:
        return pd.DataFrame(columns=["cost_per_customer", "customers", "spend", "expected_profit"])
    for share in COST_SHARES:
        steps = _rising_cost(share * value.mean, value.per_year * years, value.mean)
        steps = steps[steps.spend < value.mean]
        spend = float((steps.customers * steps.spend).sum())
        rows.append([share * value.mean, steps.customers.sum(), spend, steps.customers.sum() * value.mean - spend])
    return pd.DataFrame(rows, columns=["cost_per_customer", "customers", "spend", "expected_profit"])
