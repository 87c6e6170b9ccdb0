"""What changed between two dates of a report: key figures, segments, and past forecasts against what happened."""

from collections.abc import Mapping
from enum import StrEnum

import pandas as pd

from crm_utils.core.constants import ALL, RECENT_DAYS, RESERVE

# Revenue of each customer known at the forecast's date, and the revenue from customers won later.
Actual = tuple[pd.DataFrame, float]


class KeyFigure(StrEnum):
    """The figures that describe a date."""

    CUSTOMERS = "customers"
    ORDERS = "orders"
    REVENUE = "revenue"
    RECENT_CUSTOMERS = "recent_customers"
    RECENT_REVENUE = "recent_revenue"
    EXPECTED_REVENUE = "expected_revenue_12m"
    EXPECTED_REVENUE_LOW = "expected_revenue_12m_low"
    EXPECTED_REVENUE_HIGH = "expected_revenue_12m_high"
    CLV = "clv"
    SPEND = "spend"
    EXPECTED_PROFIT = "expected_profit"


SO_FAR = (KeyFigure.ORDERS, KeyFigure.REVENUE)  # they can only rise, so a page does not compare them
COUNTS = (KeyFigure.CUSTOMERS, KeyFigure.ORDERS, KeyFigure.RECENT_CUSTOMERS)


def key_figures(then: Mapping[str, pd.DataFrame], now: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Compare the figures that describe a date.

    Parameters
    ----------
    then, now : dict of str to pandas.DataFrame
        The tables `customers`, `history`, `cltv`, `forecast` and `budget_lines` of the earlier and of the later date.

    Returns
    -------
    pandas.DataFrame
        One row per `KeyFigure`: figure (its code), then, now, change. Counts are numbers, all others are amounts.
    """
    table = pd.DataFrame({"then": _figures_of_date(then), "now": _figures_of_date(now)})
    table["change"] = table.now - table["then"]
    table = table.dropna()  # a history that is too short has no forecast of 12 months
    return table.rename_axis("figure").reset_index()


def _figures_of_date(tables: Mapping[str, pd.DataFrame]) -> dict[str, float]:
    customers, forecast, plan = tables["customers"], tables["forecast"], tables["budget_lines"]
    year = forecast[(forecast.segment == ALL) & (forecast.months == 12)].mean(numeric_only=True)
    return {
        KeyFigure.CUSTOMERS: len(customers),
        KeyFigure.ORDERS: customers.orders.sum(),
        KeyFigure.REVENUE: customers.revenue.sum(),
        KeyFigure.RECENT_CUSTOMERS: (customers.recency_days < RECENT_DAYS).sum(),
        KeyFigure.RECENT_REVENUE: tables["history"].revenue.iloc[-1],
        KeyFigure.EXPECTED_REVENUE: year.revenue,
        KeyFigure.EXPECTED_REVENUE_LOW: year.revenue_low,
        KeyFigure.EXPECTED_REVENUE_HIGH: year.revenue_high,
        KeyFigure.CLV: tables["cltv"].clv.sum(),
        KeyFigure.SPEND: plan.spend[plan.line != RESERVE].sum(),
        KeyFigure.EXPECTED_PROFIT: plan.expected_profit.sum(),
    }


def compare_segments(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Compare the size and the revenue of each segment.

    Parameters
    ----------
    then, now : pandas.DataFrame
        The table `segment_profile` of the earlier and of the later date.

    Returns
    -------
    pandas.DataFrame
        segment, customers_then, customers, customers_change, revenue_then, revenue, revenue_change. In the order of
        `now`, followed by segments that only `then` has. A segment that a date does not have counts as 0.
    """
    columns = ["segment", "customers", "revenue"]
    both = now[columns].merge(then[columns], on="segment", how="outer", suffixes=("", "_then"), sort=False)
    order = list(dict.fromkeys([*now.segment, *then.segment]))
    both = both.set_index("segment").loc[order].fillna(0).reset_index()
    both = both.astype({"customers": int, "customers_then": int})
    both["customers_change"] = both.customers - both.customers_then
    both["revenue_change"] = both.revenue - both.revenue_then
    return both[["segment", *(f"{name}{end}" for name in ("customers", "revenue") for end in ("_then", "", "_change"))]]


def forecast_outcomes(forecast: pd.DataFrame, actual: Mapping[int, Actual]) -> pd.DataFrame:
    """Compare forecasts whose period is over with what happened.

    Parameters
    ----------
    forecast : pandas.DataFrame
        The table `forecast` of the earlier date.
    actual : dict of int to (pandas.DataFrame, float)
        By horizon in months: `revenue` of each customer known at the earlier date (indexed by customer_id), and the
        revenue from customers won later.

    Returns
    -------
    pandas.DataFrame
        One row per horizon in `actual`, the shortest first: months, revenue (the forecast), revenue_low, revenue_high,
        revenue_actual, revenue_new (from customers won later), miss (forecast ÷ actual − 1, null if there was no
        revenue), held (whether the actual revenue is within the range).
    """
    made = forecast[(forecast.segment == ALL) & forecast.months.isin(actual)].sort_values("months", ignore_index=True)
    table = made[["months", "revenue", "revenue_low", "revenue_high"]].copy()
    table["revenue_actual"] = [float(actual[months][0].revenue.sum()) for months in table.months]
    table["revenue_new"] = [float(actual[months][1]) for months in table.months]
    return _add_errors(table)


def forecast_outcomes_by_segment(
    forecast: pd.DataFrame, actual: Mapping[int, Actual], segments: pd.DataFrame
) -> pd.DataFrame:
    """Compare the longest of these forecasts with what happened, by the customers' segment at the earlier date.

    Parameters
    ----------
    forecast, actual
        As in `forecast_outcomes`; `actual` holds at least one horizon.
    segments : pandas.DataFrame
        The table `segments` of the earlier date.

    Returns
    -------
    pandas.DataFrame
        One row per segment, the largest forecast first: segment, customers, revenue (the forecast), revenue_low,
        revenue_high, revenue_actual, miss, held.
    """
    longest = max(actual)
    customers = segments.set_index("customer_id").segment.to_frame().join(actual[longest][0].revenue)
    sums = customers.groupby("segment").revenue.agg(customers="size", revenue_actual="sum").reset_index()
    made = forecast[(forecast.months == longest) & (forecast.segment != ALL)]
    table = made[["segment", "revenue", "revenue_low", "revenue_high"]].merge(sums, on="segment")
    columns = ["segment", "customers", "revenue", "revenue_low", "revenue_high", "revenue_actual"]
    return _add_errors(table[columns].sort_values("revenue", ascending=False, kind="stable", ignore_index=True))


def _add_errors(table: pd.DataFrame) -> pd.DataFrame:
    actual = table.revenue_actual
    return table.assign(
        miss=table.revenue / actual.where(actual > 0) - 1,
        held=(table.revenue_low <= actual) & (actual <= table.revenue_high),
    )
