"""Who to write to, and why: the customers of each segment with the reasons for their scores."""

import pandas as pd

from crm_utils.core.formatting import number, plural


def customer_list(customers: pd.DataFrame, segments: pd.DataFrame, n_bins: int) -> pd.DataFrame:
    """One row per customer, the highest revenue of each segment first.

    Returns segment, customer_id, rfm_cell, why_recency, why_frequency, why_money (text), last_order, recency_days,
    orders, revenue, mean_order_value.
    """
    table = customers.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    ages, counts = table.recency_days, table.orders  # of few different values
    days = ages.map({value: f"last order {plural(value, 'day')} ago" for value in ages.unique()})
    orders = counts.map({value: plural(value, "order") for value in counts.unique()})
    money = table.revenue.map(lambda value: f"{number(value, 2)} in all")
    texts = {"recency": days, "frequency": orders, "monetary": money}
    for measure, text in texts.items():
        score = table[f"{measure}_score"].astype("str")
        table[f"why_{measure}"] = text + " (score " + score + f" of {n_bins})"
    table = table.rename(columns={"why_monetary": "why_money"}).assign(last_order=table.last_order.dt.date)
    columns = ["segment", "customer_id", "rfm_cell", "why_recency", "why_frequency", "why_money"]
    columns += ["last_order", "recency_days", "orders", "revenue", "mean_order_value"]
    ranked = table.sort_values(["segment", "revenue", "customer_id"], ascending=[True, False, True], ignore_index=True)
    return ranked[columns].round({"revenue": 2, "mean_order_value": 2})
