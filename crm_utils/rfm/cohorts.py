"""Cohorts: customers grouped by the period of their first order, and their later orders."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.exact_money import exact_sum

# If there are more months than this, cohorts are quarters, because a larger triangle cannot be read.
MAX_MONTHLY_COHORTS = 18
# Smaller cohorts are not shown.
MIN_COHORT_CUSTOMERS = 30


def compute_cohorts(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """Return what each cohort did in each complete period since its first orders.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date.
    analysis_date : date
        The last day that counts.

    Returns
    -------
    pandas.DataFrame
        One row per cohort and period: cohort (first day of its month, or of its quarter if there are more than 18
        months), period (0 is the first), customers (who ordered in it), size (of the cohort), retention (customers ÷
        size), revenue, revenue_per_customer (revenue ÷ size), unit ('month' or 'quarter').
    """
    first_day = orders.ordered_at.min().date().execute()
    end = pd.Timestamp(analysis_date) + pd.Timedelta(days=1)
    months = 0 if pd.isna(first_day) else (end.year - first_day.year) * 12 + end.month - first_day.month
    unit, code = ("month", "M") if months <= MAX_MONTHLY_COHORTS else ("quarter", "Q")
    placed = orders.mutate(period=orders.ordered_at.truncate(code))
    placed = placed.mutate(cohort=placed.period.min().over(group_by=placed.customer_id))
    sums = placed.group_by("cohort", "period").agg(
        customers=placed.customer_id.nunique(), revenue=exact_sum(placed.revenue).cast("float64")
    )
    table = sums.order_by("cohort", "period").execute()
    last_complete_period = end.to_period(code) - 1
    return _cohort_matrix(table, last_complete_period, code).assign(unit=unit)


def _cohort_matrix(table: pd.DataFrame, last: pd.Period, code: str) -> pd.DataFrame:
    """Return every cohort with every period until `last`; zeros if nobody ordered."""
    sums = table.assign(cohort=table.cohort.dt.to_period(code), period=table.period.dt.to_period(code))
    sums = sums.set_index(["cohort", "period"])
    pairs = [
        (cohort, period)
        for cohort in sums.index.unique("cohort")
        if cohort <= last
        for period in pd.period_range(cohort, last, freq=code)
    ]
    complete = sums.reindex(pd.MultiIndex.from_tuples(pairs, names=["cohort", "period"]), fill_value=0).reset_index()
    periods_since = [int((period - cohort).n) for cohort, period in pairs]
    in_first_period = complete.customers.where(pd.Series(periods_since) == 0)
    size = in_first_period.groupby(complete.cohort).transform("max")
    return pd.DataFrame(
        {
            "cohort": [cohort.start_time for cohort, _ in pairs],
            "period": periods_since,
            "customers": complete.customers.astype(int),
            "size": size.astype(int),
            "retention": complete.customers / size,
            "revenue": complete.revenue.astype(float),
            "revenue_per_customer": complete.revenue / size,
        }
    )
