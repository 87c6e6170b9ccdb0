"""Customer value from past orders alone, without a model."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

# 13 weeks.
QUARTER_DAYS = 91


def quarterly_churn(orders: ir.Table, analysis_date: date) -> float:
    """Estimate churn in a period of 13 weeks.

    It is the share of customers who bought in the previous 13 weeks, but not in the last 13 weeks. One customer who
    left and one who stayed are added (Laplace), so it is never 0 or 1. Without any customer it is ½.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the date: customer_id, ordered_at.
    analysis_date : datetime.date
        The last day that counts.

    Returns
    -------
    float
        The share of customers who leave in 13 weeks.
    """
    days_ago = ibis.literal(analysis_date).delta(orders.ordered_at.date(), unit="day")
    dated = orders.mutate(days_ago=days_ago)
    recent = dated.filter((dated.days_ago >= 0) & (dated.days_ago < 2 * QUARTER_DAYS))
    by_customer = recent.group_by("customer_id").agg(
        before=(recent.days_ago >= QUARTER_DAYS).any(), after=(recent.days_ago < QUARTER_DAYS).any()
    )
    counts = by_customer.aggregate(
        base=by_customer.before.sum().fill_null(0), stayed=(by_customer.before & by_customer.after).sum().fill_null(0)
    ).execute()
    base = int(counts.base.iloc[0])
    stayed = int(counts.stayed.iloc[0])
    return (base - stayed + 1) / (base + 2)


def historical_clv(customers: pd.DataFrame, margin_rate: float, churn: float) -> pd.Series:
    """Compute each customer's value from past orders alone.

    historical_clv = margin rate × mean value of a purchase day × purchase days per quarter ÷ churn per quarter.

    Parameters
    ----------
    customers : pandas.DataFrame
        customer_age_days, repeat_purchase_days and mean_purchase_value.
    margin_rate : float
        Profit as a share of revenue.
    churn : float
        Per 13 weeks (see `quarterly_churn`).

    Returns
    -------
    pandas.Series
        In the report's currency, not discounted and without a time limit. Rates are computed over at least one quarter,
        so that a customer who first bought last week is not taken for a weekly buyer.
    """
    quarters = np.maximum(customers.customer_age_days / QUARTER_DAYS, 1)
    return margin_rate * customers.mean_purchase_value * (customers.repeat_purchase_days + 1) / quarters / churn
