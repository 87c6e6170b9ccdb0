"""Segments: a name for every customer, and a profile of each name."""

import pandas as pd


class SegmentError(ValueError):
    """The segment map does not fit the scored customers; the message says why and what to do."""


def assign(customers: pd.DataFrame, cells: dict[str, str], bins: int) -> pd.DataFrame:
    """The segment of each customer: customer_id, segment.

    `cells` names the segment of every RFM cell of `bins` classes. Raises `SegmentError` where the customers were
    scored in another number of classes, or a customer's cell has no segment.
    """
    scored_in = customers.attrs.get("bins", bins)
    if scored_in != bins:
        raise SegmentError(
            f"the segment map is made for {bins} score classes, the customers were scored in {scored_in}: set rfm.bins to {bins}, or name a map for {scored_in} classes in segmentation.segment_map"
        )
    segment = customers.rfm_cell.map(cells)
    if segment.isna().any():
        lost = customers.rfm_cell[segment.isna()]
        raise SegmentError(
            f"{len(lost):,} customers are in cells the segment map does not name: {', '.join(sorted(lost.unique())[:10])}"
        )
    return customers[["customer_id"]].assign(segment=segment)


def profile(customers: pd.DataFrame, segments: pd.DataFrame, advice: dict[str, str]) -> pd.DataFrame:
    """One row per segment, in the order of `advice`, empty segments included.

    Returns segment, customers, customer_share, revenue, revenue_share, recency_days, orders, mean_order_value (means
    over the segment's customers; mean_order_value is revenue ÷ orders), advice.
    """
    joined = customers.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    if len(joined) != len(customers):
        raise SegmentError(f"{len(customers) - len(joined):,} of {len(customers):,} customers have no segment")
    grouped = joined.groupby("segment")
    table = grouped.agg(
        customers=("revenue", "size"),
        revenue=("revenue", "sum"),
        recency_days=("recency_days", "mean"),
        orders=("orders", "mean"),
    )
    table["mean_order_value"] = table.revenue / grouped.orders.sum()
    unnamed = [name for name in table.index if name not in advice]  # an analyst's own segments come last
    table = table.reindex([*advice, *unnamed]).fillna({"customers": 0, "revenue": 0.0})
    table["customer_share"] = table.customers / table.customers.sum()
    table["revenue_share"] = table.revenue / table.revenue.sum()
    table["advice"] = [advice.get(name, "") for name in table.index]
    columns = [
        "segment",
        "customers",
        "customer_share",
        "revenue",
        "revenue_share",
        "recency_days",
        "orders",
        "mean_order_value",
        "advice",
    ]
    return table.rename_axis("segment").reset_index()[columns].astype({"customers": int})
