"""Customers by when they first bought, and what came of them since."""

from datetime import date

import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.exact_money import exact_sum

MAX_MONTHLY_COHORTS = 18  # beyond that a triangle of months cannot be read: quarters


def compute_cohorts(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """What each group of first buyers did in each period since, complete periods only.

    Returns cohort (first day of its month, or quarter beyond 18 months), period (0 is the first), customers (who
    ordered in it), size (of the cohort), retention (customers ÷ size), revenue, revenue_per_customer (revenue ÷ size),
    unit ('month' or 'quarter').
    """
    first = orders.ordered_at.min().date().execute()
    end = pd.Timestamp(analysis_date) + pd.Timedelta(days=1)
    months = 0 if pd.isna(first) else (end.year - first.year) * 12 + end.month - first.month
    unit, code, letter = ("month", "M", "M") if months <= MAX_MONTHLY_COHORTS else ("quarter", "Q", "Q")
    placed = orders.mutate(period=orders.ordered_at.truncate(letter))
    placed = placed.mutate(cohort=placed.period.min().over(group_by=placed.customer_id))
    sums = placed.group_by("cohort", "period").agg(
        customers=placed.customer_id.nunique(), revenue=exact_sum(placed.revenue).cast("float64")
    )
    table = sums.order_by("cohort", "period").execute()
    last = end.to_period(code) - 1  # the last period that is over
    return _cohort_matrix(table, last, code).assign(unit=unit)


def _cohort_matrix(table: pd.DataFrame, last: pd.Period, code: str) -> pd.DataFrame:
    """Every cohort with every period up to `last`, zeros where nobody came back."""
    numbered = table.assign(cohort=table.cohort.dt.to_period(code), period=table.period.dt.to_period(code))
    numbered = numbered.set_index(["cohort", "period"])
    pairs = [
        (cohort, period)
        for cohort in numbered.index.unique("cohort")
        if cohort <= last
        for period in pd.period_range(cohort, last, freq=code)
    ]
    whole = numbered.reindex(pd.MultiIndex.from_tuples(pairs, names=["cohort", "period"]), fill_value=0).reset_index()
    steps = [int((period - cohort).n) for cohort, period in pairs]
    size = whole.customers.where(pd.Series(steps) == 0).groupby(whole.cohort).transform("max")
    return pd.DataFrame(
        {
            "cohort": [cohort.start_time for cohort, _ in pairs],
            "period": steps,
            "customers": whole.customers.astype(int),
            "size": size.astype(int),
            "retention": whole.customers / size,
            "revenue": whole.revenue.astype(float),
            "revenue_per_customer": whole.revenue / size,
        }
    )
