"""Checks of the data before a number is believed. Nothing here changes a figure."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import nan

import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import PastTotals
from crm_utils.core.constants import MIN_DATA
from crm_utils.core.formatting import MESSAGES, percent

# Days in a window of first purchases
WINDOW_DAYS = 30
# The history seems cut off if the first window has this many times the usual number of first purchases.
CUT_OFF_RATIO = 1.5
# Days without an order that are not worth a warning
MAX_QUIET_DAYS = 7
# Orders per day, this many times those of the month before (or the inverse), are a jump.
JUMP_RATIO = 2.5
# Gaps between purchases are regular if their standard deviation ÷ mean is at most this; it is 1 for random purchases.
REGULAR_VARIATION = 0.3
# Gaps between purchase days that a customer needs before we can tell whether they are regular
MIN_GAPS = 3
# Purchases are a subscription if this share of frequent buyers buy at regular intervals.
SUBSCRIPTION_SHARE = 0.5
# Regular gaps up to this many days are called a subscription, longer ones are a habit: a holiday, a season.
SUBSCRIPTION_DAYS = 100
# A large account brings this share of revenue, and so many times the mean of all customers.
LARGE_SHARE, LARGE_TIMES_MEAN = 0.1, 10
# Lines of one order that lie further apart are several orders.
ORDER_MAX_DAYS = 27

TOO_FEW = "there {are} {found}, but a model needs {needed}"
SUBSCRIPTION = "{share} of frequent buyers buy at nearly equal intervals, as in a subscription"
EQUAL_GAPS = "{share} of frequent buyers buy at nearly equal intervals, about {days} apart"
NOUNS = {"customers": ("customer",), "repeat_buyers": ("repeat buyer",), "days": ("day of history", "days of history")}


class Check(StrEnum):
    """What is checked."""

    HISTORY = "history"
    LAST_MONTH = "last_month"
    END = "end"
    GAP = "gap"
    VOLUME = "volume"
    ENOUGH_DATA = "enough_data"
    REGULARITY = "regularity"
    NOBODY_IDS = "nobody_ids"
    HEAVY_IDS = "heavy_ids"
    SHORTENED_IDS = "shortened_ids"
    LEADING_ZEROS = "leading_zeros"
    ORDER_IDS = "order_ids"
    IDS_CHANGED = "ids_changed"
    LARGE_ACCOUNT = "large_account"
    EMAIL_IDS = "email_ids"
    SHARED_EMAILS = "shared_emails"
    PAST = "past"


@dataclass(frozen=True)
class DataSummary:
    """What a purchase model would have to work with.

    Parameters
    ----------
    customers, repeat_buyers : int
        All customers, and those with orders on two days or more.
    days : int
        Days from the first order to the analysis date, both included.
    frequent_buyers : int
        Customers with enough gaps between purchase days to tell whether they are regular.
    regular_share : float
        Share of the frequent buyers whose gaps are nearly equal.
    regular_gap_days : float
        Mean gap of those whose gaps are nearly equal.
    """

    customers: int
    repeat_buyers: int
    days: int
    frequent_buyers: int = 0
    regular_share: float = 0.0
    regular_gap_days: float = 0.0

    @property
    def is_regular(self) -> bool:
        """Whether most frequent buyers buy at regular intervals. Models of random purchases do not hold then."""
        return self.frequent_buyers >= MIN_DATA["repeat_buyers"] and self.regular_share >= SUBSCRIPTION_SHARE

    @property
    def is_subscription(self) -> bool:
        """Whether these intervals are as short as those of a subscription."""
        return self.is_regular and self.regular_gap_days <= SUBSCRIPTION_DAYS


@dataclass(frozen=True)
class CheckResult:
    """What one check found.

    Parameters
    ----------
    check : Check
        What was checked.
    passed : bool
        False is a warning.
    value, reference : float
        The figure found, and the one it is compared with; NaN if the check has none.
    day : pandas.Timestamp, optional
        The day or month that the check is about.
    names : tuple of str
        The first of the ids that the check is about.
    past : tuple of PastTotals, optional
        What the published pages of the date say, and what counts now.
    """

    check: Check
    passed: bool
    value: float = nan
    reference: float = nan
    day: pd.Timestamp | None = None
    names: tuple[str, ...] = ()
    past: tuple[PastTotals, PastTotals] | None = None


def is_large_account(share: float, customers: int) -> bool:
    """Return whether a customer with this share of the revenue of so many customers is a large account."""
    return share >= max(LARGE_SHARE, LARGE_TIMES_MEAN / customers)


def summarize_data(orders: ir.Table, analysis_date: date) -> DataSummary:
    """Summarize what a purchase model would have to work with.

    Parameters
    ----------
    orders : ibis.Table
        Orders as of the analysis date (see `orders_as_of`).
    analysis_date : datetime.date
        The last day of the history.

    Returns
    -------
    DataSummary
        Customers, repeat buyers, days of history, and how regular purchases are.
    """
    bought = orders.select("customer_id", day=orders.ordered_at.date()).distinct()
    before = bought.day.lag().over(group_by="customer_id", order_by="day")
    gaps = bought.mutate(gap=bought.day.delta(before, unit="day").cast("float64"))
    of_each = gaps.group_by("customer_id").agg(
        gaps=gaps.gap.count(), mean=gaps.gap.mean(), square=(gaps.gap * gaps.gap).mean(), first=gaps.day.min()
    )
    variance = of_each.square - of_each["mean"] * of_each["mean"]
    limit = REGULAR_VARIATION * of_each["mean"]
    frequent = of_each.gaps >= MIN_GAPS
    is_regular = frequent & (variance <= limit * limit)
    totals = of_each.aggregate(
        customers=of_each.count(),
        repeat_buyers=(of_each.gaps > 0).sum(),
        frequent=frequent.sum(),
        regular=is_regular.sum(),
        regular_gap=of_each["mean"].mean(where=is_regular),
        first=of_each["first"].min(),
    )
    found = totals.execute().iloc[0]
    days = (pd.Timestamp(analysis_date) - pd.Timestamp(found["first"])).days + 1 if found.customers else 0
    return DataSummary(
        customers=int(found.customers),
        repeat_buyers=int(found.repeat_buyers or 0),
        days=days,
        frequent_buyers=int(found.frequent or 0),
        regular_share=float(found.regular / found.frequent) if found.frequent else 0.0,
        regular_gap_days=float(found.regular_gap) if found.regular else 0.0,
    )


def unmet_requirements(customers: int, repeat_buyers: int, days: int) -> list[str]:
    """Return why data of this size are too little for a purchase model.

    Parameters
    ----------
    customers, repeat_buyers, days : int
        See `DataSummary`.

    Returns
    -------
    list of str
        One reason for each minimum that is not reached (see `MIN_DATA`).
    """
    found = {"customers": customers, "repeat_buyers": repeat_buyers, "days": days}
    return [
        TOO_FEW.format(
            are="is" if found[name] == 1 else "are", found=MESSAGES.plural(found[name], *NOUNS[name]), needed=needed
        )
        for name, needed in MIN_DATA.items()
        if found[name] < needed
    ]


def forecast_blockers(summary: DataSummary) -> list[str]:
    """Return why a purchase model cannot forecast from these data.

    Parameters
    ----------
    summary : DataSummary
        See `summarize_data`.

    Returns
    -------
    list of str
        The reasons; empty if a forecast can be made. Customers who buy at equal gaps are reason enough.
    """
    if summary.is_regular:
        template = SUBSCRIPTION if summary.is_subscription else EQUAL_GAPS
        gap = MESSAGES.plural(round(summary.regular_gap_days), "day")
        return [template.format(share=percent(summary.regular_share), days=gap)]
    return unmet_requirements(summary.customers, summary.repeat_buyers, summary.days)


def daily_orders(orders: ir.Table) -> pd.DataFrame:
    """Count orders and new customers by day.

    Parameters
    ----------
    orders : ibis.Table
        Orders as they were placed.

    Returns
    -------
    pandas.DataFrame
        One row per day with an order: day, orders, new_customers.
    """
    first = orders.group_by("customer_id").agg(day=orders.ordered_at.min().date())
    won = first.group_by("day").agg(new_customers=first.count())
    placed = orders.mutate(day=orders.ordered_at.date())
    days = placed.group_by("day").agg(orders=placed.count()).left_join(won, "day").drop("day_right")
    frame = days.order_by("day").execute().fillna({"new_customers": 0})
    return frame.astype({"day": "datetime64[us]", "orders": int, "new_customers": int})


def run_checks(
    days: pd.DataFrame, summary: DataSummary, analysis_date: date, history_complete: bool = False
) -> list[CheckResult]:
    """Check whether the data are complete and enough for a forecast.

    Parameters
    ----------
    days : pandas.DataFrame
        See `daily_orders`.
    summary : DataSummary
        See `summarize_data`.
    analysis_date : datetime.date
        The last day of the history.
    history_complete : bool
        True if the report says that the history starts with the first order of every customer.

    Returns
    -------
    list of CheckResult
        One result for each `Check` of the history, in its order; `run_id_checks` makes those of ids.
    """
    unmet = unmet_requirements(summary.customers, summary.repeat_buyers, summary.days)
    return [
        _check_history(days, history_complete),
        _check_last_month(analysis_date),
        _check_end(days, analysis_date),
        _check_gap(days),
        _check_volume(days, analysis_date),
        CheckResult(Check.ENOUGH_DATA, not unmet),
        CheckResult(Check.REGULARITY, not summary.is_regular, summary.regular_share, float(summary.frequent_buyers)),
    ]


def _check_history(days: pd.DataFrame, complete: bool) -> CheckResult:
    """Compare the first purchases of the first window with the median of the three windows that follow."""
    window = (days.day - days.day.min()).dt.days // WINDOW_DAYS
    won = days.new_customers.groupby(window).sum().reindex(range(4), fill_value=0)
    usual = won.iloc[1:].median()
    has_four_windows = window.max() >= 4
    passed = complete or not has_four_windows or won.iloc[0] <= CUT_OFF_RATIO * max(usual, 1)
    return CheckResult(Check.HISTORY, bool(passed), won.iloc[0], usual, days.day.min())


def _check_last_month(analysis_date: date) -> CheckResult:
    last = pd.Timestamp(analysis_date)
    is_whole = last == last + pd.offsets.MonthEnd(0)
    return CheckResult(Check.LAST_MONTH, is_whole, last.day, last.days_in_month, last)


def _check_end(days: pd.DataFrame, analysis_date: date) -> CheckResult:
    quiet = (pd.Timestamp(analysis_date) - days.day.max()).days
    return CheckResult(Check.END, bool(quiet <= _usual_gap(days)), quiet, day=days.day.max())


def _check_gap(days: pd.DataFrame) -> CheckResult:
    quiet = days.day.diff().dt.days.fillna(1) - 1
    longest = quiet.max()
    before = days.day.shift().loc[quiet.idxmax()]
    return CheckResult(Check.GAP, bool(longest <= _usual_gap(days)), longest, day=before)


def _usual_gap(days: pd.DataFrame) -> float:
    return max(MAX_QUIET_DAYS, 3 * days.day.diff().dt.days.median()) if len(days) > 1 else MAX_QUIET_DAYS


def _check_volume(days: pd.DataFrame, analysis_date: date) -> CheckResult:
    """Compare the orders per day of each whole month with those of the month before."""
    month = days.day.dt.to_period("M")
    orders = days.orders.groupby(month).sum()
    orders = orders.reindex(pd.period_range(orders.index.min(), orders.index.max(), freq="M"), fill_value=0)
    whole = orders[
        (orders.index.end_time.normalize() <= pd.Timestamp(analysis_date))
        & (orders.index.start_time >= days.day.min().replace(day=1))
    ]
    if days.day.min().day > MAX_QUIET_DAYS:
        whole = whole.iloc[1:]
    rate = whole / whole.index.days_in_month
    change = (rate / rate.shift()).replace([float("inf"), 0], float("nan")).dropna()
    if change.empty:
        return CheckResult(Check.VOLUME, True)
    largest = change.where(change >= 1, 1 / change).idxmax()
    passed = bool(1 / JUMP_RATIO < change[largest] < JUMP_RATIO)
    return CheckResult(Check.VOLUME, passed, change[largest], day=largest.start_time)
