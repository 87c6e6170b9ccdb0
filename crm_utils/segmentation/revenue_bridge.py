"""What customers spent since the earlier date, beside a period as long: from whom the difference comes."""

from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.exact_money import exact_sum


class Periods(NamedTuple):
    """Two periods of as many days; `is_year_before` tells whether they are the same days of two years."""

    start: date
    end: date
    start_before: date
    end_before: date
    is_year_before: bool


class Bridge(NamedTuple):
    """From the revenue of the earlier period to that of the later one."""

    before: float
    new: float
    more: float
    less: float
    lost: float

    @property
    def now(self) -> float:
        """The revenue of the later period."""
        return self.before + self.new + self.more + self.less + self.lost


def comparable_periods(since: date | None, analysis_date: date, first_day: date) -> Periods | None:
    """Return the period since the earlier date, and the one to compare it with.

    Parameters
    ----------
    since : date, optional
        The earlier date.
    analysis_date : date
        The date of the report.
    first_day : date
        The day of the first order.

    Returns
    -------
    Periods or None
        The same days a year before if the history covers them, because of the season; else the days just before. None
        without an earlier date, or if the history covers neither.
    """
    if since is None:
        return None
    start, days = since + timedelta(days=1), (analysis_date - since).days
    end_before = (pd.Timestamp(analysis_date) - pd.DateOffset(years=1)).date()
    start_before = end_before - timedelta(days=days - 1)
    if start_before >= first_day and end_before < start:
        return Periods(start, analysis_date, start_before, end_before, is_year_before=True)
    start_before = start - timedelta(days=days)
    return Periods(start, analysis_date, start_before, since, False) if start_before >= first_day else None


def compute_bridge(orders: ir.Table, periods: Periods | None) -> Bridge | None:
    """Split the difference between the revenue of two periods by what customers did.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    periods : Periods, optional
        See `comparable_periods`.

    Returns
    -------
    Bridge or None
        new (from customers won after the earlier period), more (from known customers who spent more), less and lost
        (negative: from those who spent less, and from those who ordered in the earlier period only). They add up. None
        without periods.
    """
    if periods is None:
        return None
    placed = orders.select("customer_id", "revenue", day=orders.ordered_at.date())
    before, now = (
        placed.day.between(*days) for days in ((periods.start_before, periods.end_before), (periods.start, periods.end))
    )
    spent = placed.group_by("customer_id").agg(
        first_order=placed.day.min(),
        before=exact_sum(placed.revenue, where=before).fill_null(0).cast("float64"),
        now=exact_sum(placed.revenue, where=now).fill_null(0).cast("float64"),
        ordered_now=now.any(),
    )
    table = spent.filter((spent.before != 0) | spent.ordered_now).order_by("customer_id").execute()
    new = pd.to_datetime(table.first_order) > pd.Timestamp(periods.end_before)
    change = table.now - table.before
    lost = ~table.ordered_now
    known = ~new & ~lost
    return Bridge(
        before=table.before.sum(),
        new=table.now[new].sum(),
        more=change[known & (change > 0)].sum(),
        less=change[known & (change <= 0)].sum(),
        lost=change[lost].sum(),
    )


def first_order_day(orders: ir.Table) -> date:
    """Return the day of the first order.

    Parameters
    ----------
    orders : ibis.Table
        Orders with ordered_at.

    Returns
    -------
    date
        The first day of the history.
    """
    return pd.Timestamp(orders.ordered_at.min().execute()).date()
