"""The error of the last tested forecast by past purchases and by segment."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import btyd
from crm_utils.cltv.backtest.rolling_origin import Origin
from crm_utils.config import SegmentRules
from crm_utils.core.orders import orders_as_of
from crm_utils.segmentation import assignment

# Upper limits of the classes of repeat purchase days, and the code of each class.
CLASS_ENDS = [-1, 0, 1, 2, 4, 9, np.inf]
CLASS_CODES = ["0", "1", "2", "3-4", "5-9", "10+"]
SUMS = ["purchase_days_predicted", "purchase_days_actual", "revenue_predicted", "revenue_actual"]
CUSTOMER_COLUMNS = ["customer_id", "repeat_purchase_days", *SUMS]


def last_backtest(orders: ir.Table, adjustments: ir.Table, tested: pd.DataFrame, model: str = "bg_nbd") -> pd.DataFrame:
    """Repeat the last test of a `backtest` table customer by customer.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Orders as placed, and cancellations with their dates.
    tested : pandas.DataFrame
        `rolling_origin_backtest`.
    model : str
        The purchase model: bg_nbd, mbg_nbd or pareto_nbd.

    Returns
    -------
    pandas.DataFrame
        `backtest_by_customer` of the last origin; empty if no forecast could be tested.
    """
    if tested.empty:
        return pd.DataFrame(columns=CUSTOMER_COLUMNS)
    last = tested.iloc[-1]
    return backtest_by_customer(orders, adjustments, last.origin.date(), int(last.horizon_days), model)


def backtest_by_customer(
    orders: ir.Table, adjustments: ir.Table, origin: date, horizon_days: int, model: str = "bg_nbd"
) -> pd.DataFrame:
    """Return our forecast and the actual purchases after an origin, by customer. The season is included if known.

    Returns
    -------
    pandas.DataFrame
        customer_id, repeat_purchase_days (as known on the origin), purchase_days_predicted, purchase_days_actual,
        revenue_predicted, revenue_actual.
    """
    known = Origin.at(orders, adjustments, origin, horizon_days)
    customers = known.customers
    actual, _ = known.actual(orders, adjustments)
    models = btyd.fit_customer_base(customers, model)
    season = known.season()
    expected = models.expected_purchases(customers, [horizon_days])[:, 0]
    return customers[["customer_id", "repeat_purchase_days"]].assign(
        purchase_days_predicted=expected * season.purchase_days_factor,
        purchase_days_actual=actual.purchase_days.to_numpy(float),
        revenue_predicted=expected * models.expected_value(customers) * season.factor,
        revenue_actual=actual.revenue.to_numpy(float),
    )


def backtest_by_frequency(by_customer: pd.DataFrame) -> pd.DataFrame:
    """Add up a test by how often customers had bought again.

    Parameters
    ----------
    by_customer : pandas.DataFrame
        `last_backtest`.

    Returns
    -------
    pandas.DataFrame
        repeat_purchases (a code of `CLASS_CODES`), customers, and purchase days and revenue, predicted and actual.
    """
    classes = pd.cut(by_customer.repeat_purchase_days, CLASS_ENDS, labels=CLASS_CODES).astype(str)
    table = _aggregate(by_customer, classes.rename("repeat_purchases")).set_index("repeat_purchases")
    return table.reindex([code for code in CLASS_CODES if code in table.index]).reset_index()


def backtest_by_segment(by_customer: pd.DataFrame, segments: pd.Series) -> pd.DataFrame:
    """Add up a test by segment.

    Parameters
    ----------
    by_customer : pandas.DataFrame
        `last_backtest`.
    segments : pandas.Series
        Segments by customer_id, as they were on the origin (`segments_as_of`). Customers without one are left out.

    Returns
    -------
    pandas.DataFrame
        segment, customers, and purchase days and revenue, predicted and actual; the highest revenue first.
    """
    table = _aggregate(by_customer, by_customer.customer_id.map(segments).rename("segment"))
    return table.sort_values("revenue_actual", ascending=False, ignore_index=True)


def segments_as_of(
    orders: ir.Table,
    adjustments: ir.Table,
    tested: pd.DataFrame,
    rules: SegmentRules,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
) -> pd.Series:
    """Return the segments as of the last tested origin.

    Parameters
    ----------
    orders : ibis.Table
        Orders as placed.
    adjustments : ibis.Table
        Cancellations, with their dates.
    tested : pandas.DataFrame
        `rolling_origin_backtest`.
    rules : SegmentRules
        How customers are assigned to segments today.
    customers, segments : pandas.DataFrame
        The tables of today. See `segmentation.assignment.segments_as_of`.

    Returns
    -------
    pandas.Series of str
        The segment of each customer (the index is customer_id). Empty if there was no test.
    """
    if tested.empty:
        return pd.Series(dtype="str")
    origin = tested.origin.iloc[-1].date()
    known = orders_as_of(orders, adjustments, origin)
    return assignment.segments_as_of(known, origin, rules, customers, segments)


def _aggregate(by_customer: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    sizes = groups.groupby(groups).size().rename("customers")
    return pd.concat([sizes, by_customer.groupby(groups)[SUMS].sum()], axis=1).reset_index()
