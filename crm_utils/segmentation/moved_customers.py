"""Who moved from one segment to another since the earlier date, and the largest moves."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config import SegmentRules
from crm_utils.core.exact_money import exact_sum
from crm_utils.core.orders import orders_as_of
from crm_utils.segmentation.assignment import segments_as_of

MOVED_COLUMNS = [
    "customer_id",
    "previous_segment",
    "new_segment",
    "moved_after",
    "last_order",
    "recency_days",
    "orders",
    "revenue_12m",
]
LARGEST = 5


def list_moved_customers(
    orders: ir.Table,
    adjustments: ir.Table,
    rules: SegmentRules,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    since: date | None,
    analysis_date: date,
) -> pd.DataFrame:
    """List the customers of the earlier date who are in another segment now.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Tables `orders` and `order_adjustments`.
    rules : SegmentRules
        The rules of today; the earlier date is scored and assigned by them.
    customers, segments : pandas.DataFrame
        The scored customers of today, and the segment of each.
    since : date, optional
        The earlier date.
    analysis_date : date
        The date of the report.

    Returns
    -------
    pandas.DataFrame
        One row per customer who moved, sorted by new segment and falling revenue: customer_id, previous_segment,
        new_segment, moved_after (the earlier date: the move came after it), last_order (date), recency_days, orders,
        revenue_12m (of the last 12 months, which is what is at stake). Empty without an earlier date.
    """
    if since is None:
        return pd.DataFrame(columns=MOVED_COLUMNS)
    previous = segments_as_of(orders_as_of(orders, adjustments, since), since, rules, customers, segments)
    both = customers.merge(segments[["customer_id", "segment"]], on="customer_id", validate="one_to_one")
    both["previous_segment"] = both.customer_id.map(previous)
    moved = both[both.previous_segment.notna() & (both.previous_segment != both.segment)]
    spent = _revenue_of_year(orders_as_of(orders, adjustments, analysis_date), analysis_date)
    table = moved.rename(columns={"segment": "new_segment"}).assign(
        moved_after=since,
        last_order=moved.last_order.dt.date,
        revenue_12m=moved.customer_id.map(spent).fillna(0.0).round(2),
    )
    order = ["new_segment", "revenue_12m", "customer_id"]
    return table.sort_values(order, ascending=[True, False, True], ignore_index=True)[MOVED_COLUMNS]


def _revenue_of_year(known_orders: ir.Table, day: date) -> pd.Series:
    """The revenue of each customer in the 12 months to a day."""
    start = (pd.Timestamp(day) - pd.DateOffset(months=12)).date()
    year = known_orders.filter(known_orders.ordered_at.date() > ibis.literal(start))
    spent = year.group_by("customer_id").agg(revenue=exact_sum(year.revenue).cast("float64")).execute()
    return spent.set_index("customer_id").revenue


def largest_moves(moved: pd.DataFrame, number: int = LARGEST) -> pd.DataFrame:
    """Add up the moves from one segment to another, and return the largest.

    Parameters
    ----------
    moved : pandas.DataFrame
        See `list_moved_customers`.
    number : int
        How many.

    Returns
    -------
    pandas.DataFrame
        previous_segment, new_segment, customers, revenue_12m; the move of most customers first, of equally large ones
        that with more revenue.
    """
    moves = moved.groupby(["previous_segment", "new_segment"]).revenue_12m.agg(customers="size", revenue_12m="sum")
    ranked = moves.reset_index().sort_values(["customers", "revenue_12m"], ascending=False, kind="stable")
    return ranked.head(number).reset_index(drop=True)
