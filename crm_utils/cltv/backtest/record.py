"""How accurate the forecasts of each length were in all tests, and how often their ranges held."""

import numpy as np
import pandas as pd

from crm_utils.cltv.backtest.rolling_origin import COMBINATION


def record_by_horizon(tests: pd.DataFrame) -> pd.DataFrame:
    """Summarize the tests of our forecast by their length.

    Parameters
    ----------
    tests : pandas.DataFrame
        `Backtest.tests`.

    Returns
    -------
    pandas.DataFrame
        horizon_days, tests, mean_error (mean absolute error of revenue as a share, in tests with revenue), ranges
        (tests with a range), ranges_held (ranges that contained the actual revenue), mean_width (of the ranges, as a
        share of the forecast).
    """
    ours = tests[tests.model == COMBINATION]
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


def separate_tests(tests: pd.DataFrame, horizon_days: int, at_most: int = 12) -> pd.DataFrame:
    """Return the last tests of a length that do not overlap, the newest included, the oldest first."""
    chosen = tests[tests.horizon_days == horizon_days]
    kept: list[pd.Timestamp] = []
    for origin in sorted(chosen.origin.unique(), reverse=True):
        if len(kept) < at_most and (not kept or origin + pd.Timedelta(days=horizon_days) <= kept[-1]):
            kept.append(origin)
    return chosen[chosen.origin.isin(kept)].sort_values("origin", kind="stable")
