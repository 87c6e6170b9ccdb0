"""The course of the business in periods that can be compared: 90 days each, a quarter apart."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.core.constants import RECENT_DAYS
from crm_utils.core.exact_money import exact_sum
from crm_utils.rfm.concentration import share_of_top

# Points: the analysis date and eight quarters before it, so that two years are seen and each has its year before.
QUARTERS = 8
MONTHS_APART = 3
# At the start of a history that is cut off, most customers who look new are older.
FIRST_DAYS = 90
TOP_SHARE = 0.1


def compute_history(orders: ir.Table, analysis_date: date, history_complete: bool) -> pd.DataFrame:
    """Count customers and revenue of the 90 days before the analysis date and before each quarter day until then.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    analysis_date : date
        The last day that counts.
    history_complete : bool
        Whether the data contain everybody's first order.

    Returns
    -------
    pandas.DataFrame
        One row per day, the last one the analysis date: last_day, active_customers (who ordered in the 90 days to
        it), new_customers (who ordered for the first time in them; null if older customers cannot be told from new
        ones), revenue (of the 90 days), revenue_12m and top_tenth_share (revenue of the 12 months to it, and the share
        of the tenth of their customers who spent most; null if the history does not cover them). Days whose 90 days
        are not covered are left out, but the last.
    """
    placed = orders.select("customer_id", "revenue", day=orders.ordered_at.date())
    by_day = _by_day(placed)
    first_day = by_day.index.min()
    last_days = [pd.Timestamp(analysis_date) - pd.DateOffset(months=MONTHS_APART * n) for n in range(QUARTERS, -1, -1)]
    starts = [day - pd.Timedelta(days=RECENT_DAYS - 1) for day in last_days]
    covered = [
        (start, day) for start, day in zip(starts, last_days, strict=True) if start >= first_day or day == last_days[-1]
    ]
    known_from = first_day + pd.Timedelta(days=FIRST_DAYS)
    rows = [
        {
            "last_day": day,
            "active_customers": _count_customers(placed, start, day),
            "new_customers": by_day.new[start:day].sum() if start >= known_from or history_complete else np.nan,
            "revenue": by_day.revenue[start:day].sum(),
            **_year(placed, by_day, first_day, day),
        }
        for start, day in covered
    ]
    table = pd.DataFrame(rows).astype({"active_customers": int, "new_customers": float})
    return table.astype({"last_day": "datetime64[us]"})


def value_and_year_before(history: pd.DataFrame, column: str) -> tuple[float | None, float | None]:
    """Return the newest value of a column, and the value a year before.

    Parameters
    ----------
    history : pandas.DataFrame
        See `compute_history`.
    column : str
        One of its columns.

    Returns
    -------
    float or None, float or None
        None where the value is not known.
    """
    values = history.set_index("last_day")[column].dropna()
    newest = history.last_day.iloc[-1]
    now, before = (values.get(day) for day in (newest, newest - pd.DateOffset(months=12)))
    return now, before


def _by_day(placed: ir.Table) -> pd.DataFrame:
    """Revenue and first orders of each day with an order."""
    revenue = placed.group_by("day").agg(revenue=exact_sum(placed.revenue).cast("float64")).execute()
    first = placed.group_by("customer_id").agg(day=placed.day.min())
    new = first.group_by("day").agg(new=first.count()).execute()
    table = revenue.merge(new, on="day", how="left").fillna({"new": 0})
    return table.assign(day=pd.to_datetime(table.day)).set_index("day").sort_index()


def _count_customers(placed: ir.Table, start: pd.Timestamp, day: pd.Timestamp) -> int:
    return int(placed.filter(placed.day.between(start.date(), day.date())).customer_id.nunique().execute())


def _year(placed: ir.Table, by_day: pd.DataFrame, first_day: pd.Timestamp, day: pd.Timestamp) -> dict[str, float]:
    """Revenue of the 12 months to a day, and the share of it that the top tenth of their customers brought."""
    start = day - pd.DateOffset(months=12) + pd.Timedelta(days=1)
    if start < first_day:
        return {"revenue_12m": np.nan, "top_tenth_share": np.nan}
    year = placed.filter(placed.day.between(start.date(), day.date()))
    spent = year.group_by("customer_id").agg(revenue=exact_sum(year.revenue).cast("float64")).revenue.execute()
    return {"revenue_12m": by_day.revenue[start:day].sum(), "top_tenth_share": top_tenth_share(spent)}


def top_tenth_share(spent: pd.Series) -> float:
    """Return the share of revenue that the tenth of customers brought who spent most; null without revenue.

    Parameters
    ----------
    spent : pandas.Series
        Revenue of each customer.

    Returns
    -------
    float
        At least one customer counts as the top tenth.
    """
    return share_of_top(np.sort(spent.to_numpy(float))[::-1], TOP_SHARE)
