"""Recency, frequency and monetary value of each customer."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.scoring import ScoringConfig, Window
from crm_utils.core.exact_money import exact_sum
from crm_utils.core.orders import orders_as_of

PURCHASE_DAY_COLUMNS = ("purchase_days", "window_purchase_days")
UNITS = {
    "recency_days": "day",
    "elapsed_days": "day",
    "recency_weeks": "week",
    "recency_months": "month",
    "orders": "order",
    "window_orders": "order",
    "purchase_days": "purchase day",
    "window_purchase_days": "purchase day",
    "revenue": "money",
    "window_revenue": "money",
    "mean_order_value": "money an order",
    "window_mean_order_value": "money an order",
}


def rfm_as_of(orders: ir.Table, adjustments: ir.Table, day: date, config: ScoringConfig | None = None) -> pd.DataFrame:
    """Compute recency, frequency and monetary value as of a day.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Tables `orders` and `order_adjustments`.
    day : date
        Orders and adjustments until the end of this day count.
    config : ScoringConfig, optional
        See `compute_rfm`.

    Returns
    -------
    pandas.DataFrame
        See `compute_rfm`.
    """
    return compute_rfm(orders_as_of(orders, adjustments, day), day, config)


def compute_rfm(orders: ir.Table, analysis_date: date, config: ScoringConfig | None = None) -> pd.DataFrame:
    """Compute recency, frequency and monetary value of each customer.

    Parameters
    ----------
    orders : ibis.Table
        Orders as known on the analysis date: customer_id, ordered_at, revenue.
    analysis_date : date
        The day from which recency counts back.
    config : ScoringConfig, optional
        Decides which further columns are needed.

    Returns
    -------
    pandas.DataFrame
        One row per customer, sorted by customer_id: customer_id, first_order and last_order (dates), recency_days
        (calendar days from the last order to the analysis date), orders, revenue, mean_order_value. If `config` scores
        them, also recency_weeks, recency_months, elapsed_days, purchase_days and, within 12 months, window_orders,
        window_revenue, window_purchase_days, window_mean_order_value.
    """
    config = config or ScoringConfig()
    placed = orders.mutate(day=orders.ordered_at.date())
    placed = placed.mutate(in_window=_in_window(placed, analysis_date, config.window))
    grouped = placed.group_by("customer_id").agg(
        first_order=placed.day.min(),
        last_order=placed.day.max(),
        last_ordered_at=placed.ordered_at.max(),
        orders=placed.count(),
        revenue=exact_sum(placed.revenue).cast("float64"),
        window_orders=placed.in_window.sum().cast("int64"),
        window_revenue=exact_sum(placed.revenue, where=placed.in_window).fill_null(0).cast("float64"),
        **_window_purchase_days(placed, config),
    )
    recency_days = ibis.literal(analysis_date).delta(grouped.last_order, unit="day")
    frame = grouped.mutate(recency_days=recency_days).order_by("customer_id").execute()
    frame = frame.astype({"first_order": "datetime64[us]", "last_order": "datetime64[us]"})
    columns = ["customer_id", "first_order", "last_order", "recency_days", "orders", "revenue"]
    scored_columns = _scored_columns(frame, pd.Timestamp(analysis_date), config)
    return frame[columns].assign(mean_order_value=frame.revenue / frame.orders, **scored_columns)


def _window_purchase_days(placed: ir.Table, config: ScoringConfig) -> dict[str, ir.IntegerScalar]:
    """Count the days with an order, but only if they are scored, because it takes as long as all other measures."""
    if not set(PURCHASE_DAY_COLUMNS) & set(config.columns.values()):
        return {}
    return {"window_purchase_days": placed.day.nunique(where=placed.in_window)}


def _in_window(placed: ir.Table, analysis_date: date, window: Window) -> ir.BooleanValue:
    """Return whether an order counts: without a window always, else if it is in the last 12 months of the window."""
    if window == Window.TO_ANALYSIS_DATE:
        return placed.day > ibis.literal((pd.Timestamp(analysis_date) - pd.DateOffset(months=12)).date())
    if window == Window.TO_LAST_ORDER:
        last_day = placed.day.max().over(group_by=placed.customer_id)
        return placed.day > last_day - ibis.interval(months=12)
    return ibis.literal(True)


def _scored_columns(frame: pd.DataFrame, day: pd.Timestamp, config: ScoringConfig) -> dict[str, pd.Series]:
    """Return the columns that only some configurations score."""
    available = {
        "recency_weeks": frame.recency_days // 7,
        "recency_months": _full_months(frame.last_order, day),
        # whole 24 hours to midnight of the day, as in the article
        "elapsed_days": (day - frame.last_ordered_at).dt.days,
        "window_mean_order_value": (frame.window_revenue / frame.window_orders.where(frame.window_orders > 0)).fillna(
            0
        ),
    }
    available |= dict.fromkeys(PURCHASE_DAY_COLUMNS, frame.get("window_purchase_days"))
    needed = {column: available[column] for column in config.columns.values() if column in available}
    if config.window != Window.ALL:
        needed |= {"window_orders": frame.window_orders, "window_revenue": frame.window_revenue}
    return needed


def _full_months(last_order: pd.Series, day: pd.Timestamp) -> pd.Series:
    months = (day.year - last_order.dt.year) * 12 + day.month - last_order.dt.month
    return (months - (last_order.dt.day > day.day)).astype("int64")
