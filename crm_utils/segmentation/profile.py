"""Size, revenue and behaviour of each segment."""

import pandas as pd

from crm_utils.core.errors import SegmentError

PROFILE_COLUMNS = [
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


def align_segments(customers: pd.DataFrame, segments: pd.DataFrame) -> pd.Series:
    """Return the segment of each row of `customers`, as a category.

    Parameters
    ----------
    customers, segments : pandas.DataFrame
        Customers with customer_id, and the segment of each.

    Returns
    -------
    pandas.Series
        segment, with the index of `customers`.

    Raises
    ------
    SegmentError
        If a customer has no segment or more than one.
    """
    segment = segments.segment
    if len(customers) != len(segments) or not customers.customer_id.equals(segments.customer_id):
        duplicates = int(segments.customer_id.duplicated().sum())
        if duplicates:
            raise SegmentError(f"{duplicates:,} customers have more than one segment")
        segment = customers.customer_id.map(segments.set_index("customer_id").segment)
    if segment.isna().any():
        raise SegmentError(f"{int(segment.isna().sum()):,} of {len(customers):,} customers have no segment")
    codes, names = pd.factorize(segment, sort=True)
    return pd.Series(pd.Categorical.from_codes(codes, names), index=customers.index, name="segment")


def segment_profile(customers: pd.DataFrame, segments: pd.DataFrame, advice: dict[str, str]) -> pd.DataFrame:
    """Compute size, revenue and behaviour of each segment.

    Parameters
    ----------
    customers, segments : pandas.DataFrame
        Customers as `compute_rfm` returns them, and the segment of each.
    advice : dict of str to str
        What to do for each segment, in the order of the map.

    Returns
    -------
    pandas.DataFrame
        One row per segment in the order of `advice`, including empty ones, followed by an analyst's own segments:
        segment, customers, customer_share, revenue, revenue_share, recency_days and orders (means over customers),
        mean_order_value (revenue ÷ orders), advice.

    Raises
    ------
    SegmentError
        If a customer has no segment or more than one.
    """
    segment = align_segments(customers, segments)
    grouped = customers.groupby(segment)
    table = grouped.agg(
        customers=("revenue", "size"),
        revenue=("revenue", "sum"),
        recency_days=("recency_days", "mean"),
        orders=("orders", "mean"),
    )
    table["mean_order_value"] = table.revenue / (table.orders * table.customers)
    analysts_own = [name for name in table.index if name not in advice]
    table = table.reindex([*advice, *analysts_own]).fillna({"customers": 0, "revenue": 0.0})
    table["customer_share"] = table.customers / table.customers.sum()
    table["revenue_share"] = table.revenue / table.revenue.sum()
    table["advice"] = [advice.get(name, "") for name in table.index]
    return table.rename_axis("segment").reset_index()[PROFILE_COLUMNS].astype({"customers": int})


def segment_limits(customers: pd.DataFrame, segments: pd.DataFrame) -> pd.DataFrame:
    """Find the limits of each segment on this date: the customers at its edges.

    Parameters
    ----------
    customers, segments : pandas.DataFrame
        Customers as `compute_rfm` returns them, and the segment of each.

    Returns
    -------
    pandas.DataFrame
        Indexed by segment, without empty ones: fewest_days and most_days since the last order, fewest_orders and
        most_orders, least_revenue and most_revenue.
    """
    return customers.groupby(align_segments(customers, segments)).agg(
        fewest_days=("recency_days", "min"),
        most_days=("recency_days", "max"),
        fewest_orders=("orders", "min"),
        most_orders=("orders", "max"),
        least_revenue=("revenue", "min"),
        most_revenue=("revenue", "max"),
    )
