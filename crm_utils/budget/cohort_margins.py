"""What each quarter's new customers have brought since their first order, and when that paid back what they cost."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.budget.acquisition import MIN_CUSTOMERS, orders_of_cohorts
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.exact_money import exact_sum

AGES = {"margin_30d": 30, "margin_91d": 91, "margin_182d": 182, "margin_365d": 365, "margin_730d": 730}


def cohort_margins(
    orders: ir.Table, analysis_date: date, margin_rate: float, history_complete: bool, costs: Acquisition | None
) -> pd.DataFrame:
    """Compute the mean cumulative margin of each cohort of new customers, by days since the first order.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    analysis_date : datetime.date
        The last day that counts.
    margin_rate : float
        Margin per unit of revenue.
    history_complete : bool
        Whether the data contain everybody's first order. Otherwise customers of the first 90 days do not count as new.
    costs : Acquisition, optional
        What a new customer costs; None if the report does not say.

    Returns
    -------
    pandas.DataFrame
        One row per quarter of the first order with at least `MIN_CUSTOMERS` new customers, the first one on top: cohort
        (such as '2024 Q1'), new_customers, margin_30d, margin_91d, margin_182d, margin_365d, margin_730d (per customer,
        null until everybody in the cohort was observed so long; columns without a value are left out) and, with a
        cost, payback_days (null if the cohort has not brought it yet).
    """
    cost = costs.cost_per_customer if costs is not None else None
    days = orders_of_cohorts(orders, "Q", history_complete)
    sizes = days.group_by("cohort").agg(new_customers=days.customer_id.nunique(), last=days.first_order.max()).execute()
    sums = days.group_by("cohort", "age").agg(revenue=exact_sum(days.revenue).cast("float64")).execute()
    large = sizes[sizes.new_customers >= MIN_CUSTOMERS].sort_values("cohort")
    rows = [
        _cohort(row, sums[sums.cohort == row.cohort], analysis_date, margin_rate, cost) for _, row in large.iterrows()
    ]
    table = pd.DataFrame(rows, columns=["cohort", "new_customers", *AGES, "payback_days"])
    without_value = [name for name in AGES if table[name].isna().all()]
    return table.drop(columns=without_value + (["payback_days"] if cost is None else []))


def _cohort(
    cohort: pd.Series, sums: pd.DataFrame, analysis_date: date, margin_rate: float, cost: float | None
) -> list[str | int | float]:
    """The row of one cohort; `cohort` has cohort, new_customers and last (its last first order)."""
    by_age = sums.set_index("age").revenue.sort_index()
    margin = margin_rate * by_age.cumsum() / cohort.new_customers
    observed = (pd.Timestamp(analysis_date) - pd.Timestamp(cohort["last"])).days + 1
    margins = [float(margin[margin.index < age].iloc[-1]) if age <= observed else np.nan for age in AGES.values()]
    reached = margin.index[(margin >= cost) & (margin.index < observed)] if cost is not None else []
    start = pd.Timestamp(cohort.cohort)
    return [
        f"{start.year} Q{start.quarter}",
        int(cohort.new_customers),
        *margins,
        reached[0] if len(reached) else np.nan,
    ]
