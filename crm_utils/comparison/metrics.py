"""Two dates of a report beside each other: key figures, segments, and forecasts made then against what came."""

import pandas as pd

from crm_utils.cltv.forecast import ALL
from crm_utils.core.constants import RECENT_DAYS

COUNTED, MONEY = "count", "money"


def key_figures(then: dict[str, pd.DataFrame], now: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The figures that stand for a date, on both dates: figure, unit (count or money), then, now, change.

    `then` and `now` hold the tables customers, cltv, forecast and budget of a date by name.
    """
    first, last = _figures(then), _figures(now)
    table = pd.DataFrame([(name, unit, value, last[name][1]) for name, (unit, value) in first.items()])
    table.columns = ["figure", "unit", "then", "now"]
    return table.assign(change=table.now - table["then"])


def _figures(tables: dict[str, pd.DataFrame]) -> dict[str, tuple[str, float]]:
    customers, outlook, plan = tables["customers"], tables["forecast"], tables["budget"]
    year = outlook[(outlook.segment == ALL) & (outlook.months == 12)].iloc[0]
    return {
        "Customers": (COUNTED, len(customers)),
        "Orders": (COUNTED, customers.orders.sum()),
        "Revenue so far": (MONEY, customers.revenue.sum()),
        f"Ordered in the last {RECENT_DAYS} days": (COUNTED, (customers.recency_days < RECENT_DAYS).sum()),
        "Revenue expected in 12 months": (MONEY, year.revenue),
        "Its range, low end": (MONEY, year.revenue_low),
        "Its range, high end": (MONEY, year.revenue_high),
        "Customer lifetime value": (MONEY, tables["cltv"].clv.sum()),
        "Spend recommended": (MONEY, plan.spend.sum()),
        "Profit expected of it": (MONEY, plan.expected_profit.sum()),
    }


def compare_segments(then: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """Each segment on both dates: segment, customers_then, customers, customers_change, revenue_then, revenue, revenue_change.

    In the order of `now`, a `segment_profile`; segments of `then` alone come last.
    """
    columns = ["segment", "customers", "revenue"]
    both = now[columns].merge(then[columns], on="segment", how="outer", suffixes=("", "_then"), sort=False)
    order = list(dict.fromkeys([*now.segment, *then.segment]))
    both = (
        both.set_index("segment").loc[order].fillna(0).reset_index().astype({"customers": int, "customers_then": int})
    )
    both["customers_change"] = both.customers - both.customers_then
    both["revenue_change"] = both.revenue - both.revenue_then
    return both[["segment", *(f"{name}{end}" for name in ("customers", "revenue") for end in ("_then", "", "_change"))]]


def forecast_outcomes(forecast: pd.DataFrame, actual: dict[int, tuple[pd.DataFrame, float]]) -> pd.DataFrame:
    """The forecasts made then whose time is over, against what came: months, revenue, revenue_low, revenue_high, revenue_actual, miss, held, revenue_new.

    `actual` holds for a number of months the revenue of the customers known then (a row each) and that of later ones.
    miss is forecast ÷ actual − 1 (null where nothing came), held whether the range held what came.
    """
    made = forecast[(forecast.segment == ALL) & forecast.months.isin(actual)].sort_values("months", ignore_index=True)
    table = made[["months", "revenue", "revenue_low", "revenue_high"]].copy()
    table["revenue_actual"] = [float(actual[months][0].revenue.sum()) for months in table.months]
    table["revenue_new"] = [float(actual[months][1]) for months in table.months]
    return _judged(table)


def forecast_outcomes_by_segment(
    forecast: pd.DataFrame, actual: dict[int, tuple[pd.DataFrame, float]], segments: pd.DataFrame
) -> pd.DataFrame:
    """`outcomes` of the longest of these forecasts, by the segment each customer was in then: segment, customers, revenue, …"""
    longest = max(actual)
    came = segments.set_index("customer_id").segment.to_frame().join(actual[longest][0].revenue)
    sums = came.groupby("segment").revenue.agg(customers="size", revenue_actual="sum").reset_index()
    made = forecast[(forecast.months == longest) & (forecast.segment != ALL)]
    table = made[["segment", "revenue", "revenue_low", "revenue_high"]].merge(sums, on="segment")
    columns = ["segment", "customers", "revenue", "revenue_low", "revenue_high", "revenue_actual"]
    return _judged(table[columns].sort_values("revenue", ascending=False, kind="stable", ignore_index=True))


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    actual = table.revenue_actual
    return table.assign(
        miss=table.revenue / actual.where(actual > 0) - 1,
        held=(table.revenue_low <= actual) & (actual <= table.revenue_high),
    )
