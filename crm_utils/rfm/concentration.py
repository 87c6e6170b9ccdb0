"""How much of revenue depends on few customers: in the last 12 months, and in the 12 months before."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.core.exact_money import exact_sum

TOP_SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)


def top_revenue_shares(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """Compute the share of revenue of the customers who spent most.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    analysis_date : date
        The last day that counts.

    Returns
    -------
    pandas.DataFrame
        One row for each of `TOP_SHARES`: top_share (of the customers of the last 12 months), customers (at least one),
        revenue_share (what they brought of these months' revenue), revenue_share_before (the same of the 12 months
        before; null if the history does not cover them). Empty without revenue in the last 12 months.
    """
    first_day = pd.Timestamp(orders.ordered_at.min().execute()).normalize()
    end = pd.Timestamp(analysis_date)
    middle, start = end - pd.DateOffset(months=12), end - pd.DateOffset(months=24)
    now = _spent_most(orders, middle, end)
    if not now.sum() > 0:
        return pd.DataFrame(columns=["top_share", "customers", "revenue_share", "revenue_share_before"])
    before = _spent_most(orders, start, middle) if first_day <= start + pd.Timedelta(days=1) else np.array([])
    rows = [
        {
            "top_share": share,
            "customers": max(int(share * len(now)), 1),
            "revenue_share": share_of_top(now, share),
            "revenue_share_before": share_of_top(before, share),
        }
        for share in TOP_SHARES
    ]
    return pd.DataFrame(rows)


def _spent_most(orders: ir.Table, after: pd.Timestamp, until: pd.Timestamp) -> np.ndarray:
    """The revenue of each customer of a period, the highest first."""
    day = orders.ordered_at.date()
    period = orders.filter((day > after.date()) & (day <= until.date()))
    spent = period.group_by("customer_id").agg(revenue=exact_sum(period.revenue).cast("float64")).revenue.execute()
    return np.sort(spent.to_numpy(float))[::-1]


def share_of_top(falling: np.ndarray, share: float) -> float:
    """Return the share of revenue that the customers brought who spent most; null without revenue.

    Parameters
    ----------
    falling : numpy.ndarray
        Revenue of each customer, the highest first.
    share : float
        Share of customers; at least one counts.

    Returns
    -------
    float
        Between 0 and 1 if no revenue is negative.
    """
    total = falling.sum()
    return float(falling[: max(int(share * len(falling)), 1)].sum() / total) if total > 0 else np.nan
