"""Customer lifetime value: what each customer is expected to order and to be worth."""

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

HORIZONS = {1: "_1m", 3: "_3m", 6: "_6m", 12: ""}  # months ahead and how the columns are suffixed


def summary(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """What the models see of each customer, from orders as known on the analysis date.

    Returns customer_id, repeat_orders (purchase days after the first), last_order_age and age (days from the first
    purchase to the last and to the analysis date), mean_value (revenue per purchase day). Orders of one day are one.
    """
    days = (
        orders.mutate(day=orders.ordered_at.date())
        .group_by("customer_id", "day")
        .agg(revenue=lambda t: t.revenue.cast("decimal(38, 4)").sum())
    )
    grouped = days.group_by("customer_id").agg(
        repeat_orders=days.count() - 1,
        first=days.day.min(),
        last=days.day.max(),
        revenue=days.revenue.sum().cast("float64"),
    )
    table = grouped.mutate(
        last_order_age=grouped["last"].delta(grouped["first"], unit="day"),
        age=ibis.literal(analysis_date).delta(grouped["first"], unit="day"),
        mean_value=grouped.revenue / (grouped.repeat_orders + 1),
    )
    return (
        table.select("customer_id", "repeat_orders", "last_order_age", "age", "mean_value")
        .order_by("customer_id")
        .execute()
    )


def behaviour(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, t_x and T of the customers, as the models take them."""
    return tuple(customers[column].to_numpy(float) for column in ("repeat_orders", "last_order_age", "age"))


def days_ahead(analysis_date: date, months: int) -> int:
    """Calendar days from the analysis date to the same day `months` later."""
    return (pd.Timestamp(analysis_date) + pd.DateOffset(months=months) - pd.Timestamp(analysis_date)).days


def forecast(customers: pd.DataFrame, bg_nbd, gamma_gamma, analysis_date: date) -> pd.DataFrame:
    """The summary with p_alive (null for one-time buyers: not known) and what is expected in 1, 3, 6 and 12 months.

    Adds expected_orders and expected_revenue (12 months; shorter ones suffixed _1m, _3m, _6m), before margin and undiscounted.
    """
    x, t_x, T = behaviour(customers)
    value = gamma_gamma.expected_value(x + 1, customers.mean_value.to_numpy())
    columns = {"p_alive": np.where(x > 0, bg_nbd.p_alive(x, t_x, T), np.nan)}
    for months, suffix in HORIZONS.items():
        columns[f"expected_orders{suffix}"] = bg_nbd.expected_orders(x, t_x, T, days_ahead(analysis_date, months))
        columns[f"expected_revenue{suffix}"] = columns[f"expected_orders{suffix}"] * value
    return customers.assign(**columns)


def lifetime_value(
    customers: pd.DataFrame,
    bg_nbd,
    gamma_gamma,
    analysis_date: date,
    margin_rate: float,
    discount_rate: float,
    months: int,
) -> pd.DataFrame:
    """The customers with clv: expected profit of the next `months` months, discounted.

    clv = margin_rate × value of a purchase × Σ expected purchases in month m ÷ (1 + discount_rate)^(m / 12);
    discount_rate is annual, months are calendar months. Acquisition cost and past purchases are not in it.
    """
    x, t_x, T = behaviour(customers)
    ends = [bg_nbd.expected_orders(x, t_x, T, days_ahead(analysis_date, month)) for month in range(1, months + 1)]
    per_month = np.diff(np.array([np.zeros(len(customers)), *ends]), axis=0)
    discount = (1 + discount_rate) ** (-np.arange(1, months + 1) / 12)
    value = gamma_gamma.expected_value(x + 1, customers.mean_value.to_numpy())
    return customers.assign(clv=margin_rate * value * (discount @ per_month))


def assumptions(margin_rate: float, discount_rate: float, months: int) -> pd.DataFrame:
    """What the CLV assumes, as rows of the model table: model, parameter, value, standard_error, note."""
    values = {"margin_rate": margin_rate, "discount_rate": discount_rate, "horizon_months": months}
    return pd.DataFrame(
        [
            {"model": "CLV", "parameter": name, "value": float(value), "standard_error": np.nan, "note": "assumption"}
            for name, value in values.items()
        ]
    )


def totals(customers: pd.DataFrame, analysis_date: date) -> pd.DataFrame:
    """What all customers together are expected to bring: horizon, days, orders, revenue."""
    return pd.DataFrame(
        [
            {
                "horizon": f"{months} month{'s' if months > 1 else ''}",
                "days": days_ahead(analysis_date, months),
                "orders": customers[f"expected_orders{suffix}"].sum(),
                "revenue": customers[f"expected_revenue{suffix}"].sum(),
            }
            for months, suffix in HORIZONS.items()
        ]
    )


def by_segment(customers: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Per segment, the most valuable first: segment, customers, expected_orders, expected_revenue, clv, clv_per_customer."""
    joined = customers.merge(segments, on="customer_id", validate="one_to_one")
    table = joined.groupby("segment").agg(
        customers=("clv", "size"),
        expected_orders=("expected_orders", "sum"),
        expected_revenue=("expected_revenue", "sum"),
        clv=("clv", "sum"),
        clv_per_customer=("clv", "mean"),
    )
    return table.sort_values("clv", ascending=False).reset_index()


def deciles(customers: pd.DataFrame) -> pd.DataFrame:
    """Share of all CLV in each tenth of customers, the most valuable first: decile, customers, clv_share."""
    place = customers.clv.rank(method="first", ascending=False).sub(1) * 10 // len(customers) + 1
    table = (
        customers.groupby(place.astype(int))
        .clv.agg(customers="size", clv_share="sum")
        .rename_axis("decile")
        .reset_index()
    )
    return table.assign(clv_share=table.clv_share / customers.clv.sum())
