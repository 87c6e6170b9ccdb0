"""For whom the last tested forecast was off: expected and realised by how often customers had bought, and by segment."""

from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import btyd, forecast, seasonality
from crm_utils.cltv.backtest.rolling_origin import purchases_between
from crm_utils.config import SegmentRules
from crm_utils.core.orders import orders_as_of
from crm_utils.segmentation import assignment

CLASSES = [-1, 0, 1, 2, 4, 9, np.inf]  # repeat purchase days, upper ends
CLASS_NAMES = ["never", "once", "twice", "3–4 times", "5–9 times", "10 times or more"]
SUMS = ["purchase_days_predicted", "purchase_days_actual", "revenue_predicted", "revenue_actual"]
CUSTOMER_COLUMNS = ["customer_id", "repeat_purchase_days", *SUMS]


def last_backtest(orders: ir.Table, adjustments: ir.Table, tested: pd.DataFrame, model: str = "bg_nbd") -> pd.DataFrame:
    """`by_customer` of the last origin of a `rolling` table; no row where it has none."""
    if tested.empty:
        return pd.DataFrame(columns=CUSTOMER_COLUMNS)
    last = tested.iloc[-1]
    return backtest_by_customer(orders, adjustments, last.origin.date(), int(last.horizon_days), model)


def backtest_by_customer(
    orders: ir.Table, adjustments: ir.Table, origin: date, horizon_days: int, model: str = "bg_nbd"
) -> pd.DataFrame:
    """Our forecast from an origin, customer by customer, and what came.

    Returns customer_id, repeat_purchase_days (as known on the origin), purchase_days_predicted and purchase_days_actual (purchase days), revenue_predicted
    and revenue_actual; with the season where one is known.
    """
    before, end = orders_as_of(orders, adjustments, origin), origin + timedelta(days=horizon_days)
    customers = forecast.rfm_summary(before, origin)
    actual, _ = purchases_between(orders_as_of(orders, adjustments, end), origin, end, customers.customer_id)
    models = btyd.fit_customer_base(customers, model)
    found = seasonality.estimate_seasonality(
        seasonality.daily_totals(before), origin, horizon_days, customers.customer_age_days
    )
    expected = models.expected_purchases(customers, [horizon_days])[:, 0]
    return customers[["customer_id", "repeat_purchase_days"]].assign(
        purchase_days_predicted=expected * found.days_factor,
        purchase_days_actual=actual.purchase_days.to_numpy(float),
        revenue_predicted=expected * models.expected_value(customers) * found.factor,
        revenue_actual=actual.revenue.to_numpy(float),
    )


def backtest_by_frequency(judged: pd.DataFrame) -> pd.DataFrame:
    """`by_customer` added up by how often customers had bought again: bought_again, customers, and the four sums."""
    classes = pd.cut(judged.repeat_purchase_days, CLASSES, labels=CLASS_NAMES).astype(str)
    table = _aggregate(judged, classes.rename("bought_again"))
    return table.set_index("bought_again").reindex([name for name in CLASS_NAMES if name in set(classes)]).reset_index()


def backtest_by_segment(judged: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """`by_customer` added up by segment, the highest revenue first: segment, customers, and the four sums.

    `segments` by customer_id, as they were on the origin; customers without one are left out.
    """
    table = _aggregate(judged, judged.customer_id.map(segments).rename("segment"))
    return table.sort_values("revenue_actual", ascending=False, ignore_index=True)


def segments_as_of(
    orders: ir.Table,
    adjustments: ir.Table,
    tested: pd.DataFrame,
    rules: SegmentRules,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
) -> pd.Series:
    """The segments as they were at the last origin of a `rolling` table, by customer_id: scored on what was known then.

    `rules`, `customers` and `segments` of today: see `segmentation.assignment.segments_as_of`.
    """
    if tested.empty:
        return pd.Series(dtype="str")
    origin = tested.origin.iloc[-1].date()
    known = orders_as_of(orders, adjustments, origin)
    return assignment.segments_as_of(known, origin, rules, customers, segments)


def _aggregate(judged: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    sizes = groups.groupby(groups).size().rename("customers")
    return pd.concat([sizes, judged.groupby(groups)[SUMS].sum()], axis=1).reset_index()
