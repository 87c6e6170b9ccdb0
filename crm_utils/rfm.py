"""Recency, frequency and monetary value: measures, scores, cells."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.params import cell_name

MEASURES = {"recency": "recency_days", "frequency": "orders", "monetary": "revenue"}
SCORES = [f"{measure}_score" for measure in MEASURES]


class ScoringError(ValueError):
    """Customers cannot be scored; the message says why."""


def measures(orders: ir.Table, analysis_date: date) -> pd.DataFrame:
    """One row per customer, from orders as known on the analysis date.

    Returns customer_id, first_order and last_order (dates), recency_days (calendar days from the last order to the
    analysis date), orders, revenue, mean_order_value.
    """
    grouped = orders.group_by("customer_id").agg(
        first_order=orders.ordered_at.min().date(),
        last_order=orders.ordered_at.max().date(),
        orders=orders.count(),
        revenue=orders.revenue.cast("decimal(38, 4)").sum().cast("float64"),
    )
    days = ibis.literal(analysis_date).delta(grouped.last_order, unit="day")
    customers = grouped.mutate(recency_days=days, mean_order_value=grouped.revenue / grouped.orders)
    columns = ["customer_id", "first_order", "last_order", "recency_days", "orders", "revenue", "mean_order_value"]
    return (
        customers.select(columns)
        .order_by("customer_id")
        .execute()
        .astype({"first_order": "datetime64[us]", "last_order": "datetime64[us]"})
    )


def quantile_score(values: pd.Series, bins: int, low_is_best: bool = False) -> pd.Series:
    """Score 1 (worst) to `bins` (best) of each value: 1 + floor(bins × share of customers strictly worse).

    Equal values get equal scores and row order never matters. Where many values are equal a class can stay empty.
    Raises `ScoringError` for missing or infinite values.
    """
    if not values.map(pd.notna).all() or values.abs().eq(float("inf")).any():
        raise ScoringError(
            f"{values.name}: {values.isna().sum() + values.abs().eq(float('inf')).sum():,} of {len(values):,} values are missing or infinite"
        )
    strictly_worse = values.rank(method="min", ascending=not low_is_best).astype(int) - 1
    return 1 + (bins * strictly_worse) // len(values)


def score(customers: pd.DataFrame, bins: int = 5) -> pd.DataFrame:
    """The customers with recency_score, frequency_score, monetary_score (1 to `bins`, best last) and rfm_cell ('514')."""
    scored = customers.assign(
        **{
            f"{measure}_score": quantile_score(customers[column], bins, low_is_best=measure == "recency")
            for measure, column in MEASURES.items()
        }
    )
    scored["rfm_cell"] = [cell_name(*scores) for scores in zip(*(scored[column] for column in SCORES), strict=True)]
    scored.attrs["bins"] = bins  # travels with the saved table: a segment map must be made for as many classes
    return scored


def cut_points(scored: pd.DataFrame, bins: int = 5) -> pd.DataFrame:
    """The limits of each score class: measure, score, lowest, highest, customers. Empty classes have 0 customers."""
    tables = [
        scored.groupby(f"{measure}_score")[column]
        .agg(lowest="min", highest="max", customers="size")
        .reindex(range(1, bins + 1))
        .assign(measure=measure)
        for measure, column in MEASURES.items()
    ]
    table = pd.concat(tables).rename_axis("score").reset_index()
    return table.fillna({"customers": 0}).astype({"customers": int})[
        ["measure", "score", "lowest", "highest", "customers"]
    ]


def grid(scored: pd.DataFrame, bins: int = 5) -> pd.DataFrame:
    """Customers and revenue of each recency × frequency class: recency_score, frequency_score, customers, revenue."""
    cells = pd.MultiIndex.from_product([range(1, bins + 1)] * 2, names=["recency_score", "frequency_score"])
    sums = scored.groupby(["recency_score", "frequency_score"]).agg(
        customers=("revenue", "size"), revenue=("revenue", "sum")
    )
    return sums.reindex(cells, fill_value=0).reset_index()
