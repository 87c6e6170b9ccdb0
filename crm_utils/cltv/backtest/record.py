"""How accurate the forecasts of each length were in all tests, and how often their ranges held."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from crm_utils.cltv.backtest.rolling_origin import COMBINATION, Backtest
from crm_utils.cltv.forecast import horizons_within
from crm_utils.cltv.purchase_log import day_number, day_of


def record_by_horizon(tests: pd.DataFrame, whole: bool = False) -> pd.DataFrame:
    """Summarize the tests of our forecast by their length.

    Parameters
    ----------
    tests : pandas.DataFrame
        `backtest.list_tests`.
    whole : bool
        Judge the forecast of the whole business, new customers included.

    Returns
    -------
    pandas.DataFrame
        horizon_days, tests, mean_error (mean absolute error of revenue as a share, in tests with revenue), ranges
        (tests with a range), ranges_held (ranges that contained the actual revenue), mean_width (of the ranges, as a
        share of the forecast).
    """
    ours = tests[tests.model == COMBINATION]
    if whole:
        ours = ours.assign(
            revenue_predicted=ours.revenue_predicted + ours.revenue_new_predicted,
            revenue_actual=ours.revenue_actual + ours.revenue_new,
            revenue_low=ours.whole_low,
            revenue_high=ours.whole_high,
        )
    ours = ours[ours.revenue_predicted.notna()]
    given = ours.revenue_low.notna()
    judged = ours.assign(
        error=(ours.revenue_predicted / ours.revenue_actual.where(ours.revenue_actual > 0) - 1).abs(),
        given=given,
        held=(ours.revenue_low <= ours.revenue_actual) & (ours.revenue_actual <= ours.revenue_high),
        width=(ours.revenue_high - ours.revenue_low) / ours.revenue_predicted.where(given, np.nan),
    )
    return (
        judged.groupby("horizon_days")
        .agg(
            tests=("origin", "size"),
            mean_error=("error", "mean"),
            ranges=("given", "sum"),
            ranges_held=("held", "sum"),
            mean_width=("width", "mean"),
        )
        .reset_index()
    )


def count_held(forecasts: pd.DataFrame) -> int:
    """Return how many ranges contain the actual revenue; columns revenue_low, revenue_high and revenue_actual."""
    held = (forecasts.revenue_low <= forecasts.revenue_actual) & (forecasts.revenue_actual <= forecasts.revenue_high)
    return int(held.sum())


def separate_tests(tests: pd.DataFrame, horizon_days: int, at_most: int = 12) -> pd.DataFrame:
    """Return the last tests of a length that do not overlap, the newest included, the oldest first."""
    chosen = tests[tests.horizon_days == horizon_days]
    kept: list[pd.Timestamp] = []
    for origin in sorted(chosen.origin.unique(), reverse=True):
        if len(kept) < at_most and (not kept or origin + pd.Timedelta(days=horizon_days) <= kept[-1]):
            kept.append(origin)
    return chosen[chosen.origin.isin(kept)].sort_values("origin", kind="stable")


def track_record(past: Backtest, earlier_dates: Sequence[date]) -> pd.DataFrame:
    """Compare the forecasts of a report's earlier analysis dates with what happened.

    Each forecast is made anew from what was known on its date, which gives the same figures.

    Parameters
    ----------
    past : Backtest
        The past forecasts.
    earlier_dates : sequence of datetime.date
        Analysis dates of the report before this one.

    Returns
    -------
    pandas.DataFrame
        One row for each date and horizon that is over: made_on, months, revenue_predicted, revenue_low and revenue_high
        (null if no range was given), revenue_actual.
    """
    rows = []
    for made_on in earlier_dates:
        day = day_number(made_on)
        known = past.log.as_of(day)
        days = horizons_within(made_on, day_of(known.day.min()) if len(known.day) else made_on)
        forecast = past.forecast(day, list(days.values())) if days else None
        if forecast is None:
            continue
        for position, (months, length) in enumerate(days.items()):
            if day + length <= past.last_day:
                half, total = past.half_width(forecast.errors, length), forecast.totals[position, 1]
                actual = past.bought_by(known, day, day + length)
                rows.append((pd.Timestamp(made_on), months, total, total * np.exp(-half), total * np.exp(half), actual))
    columns = ["made_on", "months", "revenue_predicted", "revenue_low", "revenue_high", "revenue_actual"]
    return pd.DataFrame(rows, columns=columns)
