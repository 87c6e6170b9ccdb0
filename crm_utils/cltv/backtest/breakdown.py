"""The error of the last tested forecast by past purchases and by segment."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv.backtest.rolling_origin import Backtest
from crm_utils.cltv.purchase_log import day_of
from crm_utils.config import SegmentRules
from crm_utils.core.orders import orders_as_of
from crm_utils.segmentation import assignment

# Upper limits of the classes of repeat purchase days, and the code of each class.
CLASS_ENDS = [-1, 0, 1, 2, 4, 9, np.inf]
CLASS_CODES = ["0", "1", "2", "3-4", "5-9", "10+"]
SUMS = ["purchase_days_predicted", "purchase_days_actual", "revenue_predicted", "revenue_actual"]
CUSTOMER_COLUMNS = ["customer_id", "repeat_purchase_days", *SUMS]


def last_backtest(past: Backtest) -> pd.DataFrame:
    """Return the last test of `holdout_days`, customer by customer.

    Customers are ranked and valued by the purchase model without season, then scaled to the combined total.

    Parameters
    ----------
    past : Backtest
        The past forecasts.

    Returns
    -------
    pandas.DataFrame
        customer_id, repeat_purchase_days (as known on the origin), purchase_days_predicted, purchase_days_actual,
        revenue_predicted, revenue_actual. Empty if no forecast could be tested.
    """
    origin = past.last_test()
    forecast = past.forecast(origin.day) if origin else None
    outcome = origin.outcomes[past.tested] if origin else None
    if origin is None or forecast is None or outcome is None:
        return pd.DataFrame(columns=CUSTOMER_COLUMNS)
    expected = origin.forecasts.expected
    predicted = expected / expected.sum(axis=0) * forecast.totals[past.tested]
    customers = origin.forecasts.customers
    return pd.DataFrame(
        {
            "customer_id": past.log.ids[customers.customer],
            "repeat_purchase_days": customers.repeat_purchase_days,
            "purchase_days_predicted": predicted[:, 0],
            "purchase_days_actual": outcome.by_customer[:, 0],
            "revenue_predicted": predicted[:, 1],
            "revenue_actual": outcome.by_customer[:, 1],
        }
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
    past: Backtest,
    rules: SegmentRules,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
) -> pd.Series:
    """Return the segments as of the origin of the last test of `holdout_days`.

    Parameters
    ----------
    orders : ibis.Table
        Orders as placed.
    adjustments : ibis.Table
        Cancellations, with their dates.
    past : Backtest
        The past forecasts.
    rules : SegmentRules
        How customers are assigned to segments today.
    customers, segments : pandas.DataFrame
        The tables of today. See `segmentation.assignment.segments_as_of`.

    Returns
    -------
    pandas.Series of str
        The segment of each customer (the index is customer_id). Empty if there was no test.
    """
    last = past.last_test()
    if last is None:
        return pd.Series(dtype="str")
    origin = day_of(last.day)
    known = orders_as_of(orders, adjustments, origin)
    return assignment.segments_as_of(known, origin, rules, customers, segments)


def _aggregate(by_customer: pd.DataFrame, groups: pd.Series) -> pd.DataFrame:
    sizes = groups.groupby(groups).size().rename("customers")
    return pd.concat([sizes, by_customer.groupby(groups)[SUMS].sum()], axis=1).reset_index()
