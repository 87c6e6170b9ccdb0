"""Contact lists: the customers of each segment with the reasons for their scores."""

from collections.abc import Callable

import pandas as pd

from crm_utils.core.formatting import NumberFormat

COLUMNS = [
    "segment",
    "customer_id",
    "rfm_cell",
    "why_recency",
    "why_frequency",
    "why_money",
    "last_order",
    "recency_days",
    "orders",
    "revenue",
    "mean_order_value",
]


def customer_list(customers: pd.DataFrame, segments: pd.DataFrame, n_bins: int, fmt: NumberFormat) -> pd.DataFrame:
    """List the customers of each segment with the reasons for their scores.

    Parameters
    ----------
    customers : pandas.DataFrame
        Scored customers.
    segments : pandas.DataFrame
        customer_id, segment.
    n_bins : int
        Number of score classes.
    fmt : NumberFormat
        How the report writes numbers.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by segment and falling revenue: segment, customer_id, rfm_cell, why_recency,
        why_frequency, why_money (text), last_order (date), recency_days, orders, revenue, mean_order_value.
    """
    table = customers.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    reasons = {
        "recency": _once_per_value(table.recency_days, lambda days: f"last order {fmt.plural(days, 'day')} ago"),
        "frequency": _once_per_value(table.orders, lambda orders: fmt.plural(orders, "order")),
        "monetary": table.revenue.map(lambda revenue: f"{fmt.number(revenue, 2)} in all"),
    }
    for measure, reason in reasons.items():
        score = table[f"{measure}_score"].astype("str")
        table[f"why_{measure}"] = reason + " (score " + score + f" of {n_bins})"
    table = table.rename(columns={"why_monetary": "why_money"}).assign(last_order=table.last_order.dt.date)
    ranked = table.sort_values(["segment", "revenue", "customer_id"], ascending=[True, False, True], ignore_index=True)
    return ranked[COLUMNS].round({"revenue": 2, "mean_order_value": 2})


def _once_per_value(values: pd.Series, write: Callable[[int], str]) -> pd.Series:
    """Write each different value only once, because there are few of them."""
    return values.map({value: write(value) for value in values.unique()})
