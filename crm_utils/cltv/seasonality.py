"""The season of a period, estimated from the same weeks of all past years."""

import numpy as np

from crm_utils.cltv.purchase_log import DailySums

# Whole weeks, so that weekdays agree.
YEAR_DAYS = 364
# How much history there must be before the weeks of a past year.
DAYS_BEFORE_LAST_YEAR = 91
# A year's growth is assumed to lie between a half and this factor.
MAX_GROWTH = 2.0
# A past year counts n ÷ (n + 16), where n are the purchase days in its weeks.
SHRINK_PURCHASE_DAYS = 16
# Past years that are used.
MAX_YEARS = 5


def log_season(sums: DailySums, origin: int, horizon_days: int) -> np.ndarray:
    """Estimate the logarithm of the season of the days after an origin, for purchase days and for revenue.

    The factor of a past year is the total of the same days ÷ the mean total of that many days in that year, without
    growth. The years' logarithms are shrunk towards 0 by the number of purchase days behind them, and averaged.

    Parameters
    ----------
    sums : DailySums
        Purchase days and revenue as of the origin.
    origin : int
        The number of the day of the forecast.
    horizon_days : int
        The length of the forecast. From 52 weeks on the season is 0, because they contain every season.

    Returns
    -------
    numpy.ndarray of float
        For purchase days and revenue: the logarithm of the factor; null if the history does not contain the same days
        of a past year and the 13 weeks before them.

    Notes
    -----
    The same days of a past year are early in the 52 weeks, so a growing shop would always seem to have a low season.
    They are therefore scaled to the middle of the year by the growth of the year, which is its last 13 weeks ÷ the 13
    weeks before it, bounded by `MAX_GROWTH`.
    """
    if horizon_days >= YEAR_DAYS:
        return np.zeros(2)
    years = []
    for back in range(1, MAX_YEARS + 1):
        start = origin - back * YEAR_DAYS
        same = sums.sum_between(start, start + horizon_days)
        usual = sums.sum_between(start, start + YEAR_DAYS) * horizon_days / YEAR_DAYS
        before = sums.sum_between(start - DAYS_BEFORE_LAST_YEAR, start)
        now = sums.sum_between(start + YEAR_DAYS - DAYS_BEFORE_LAST_YEAR, start + YEAR_DAYS)
        if not (np.minimum(np.minimum(same, usual), np.minimum(before, now)) > 0).all():
            continue
        growth = np.log(np.clip(now / before, 1 / MAX_GROWTH, MAX_GROWTH))
        trusted = same[0] / (same[0] + SHRINK_PURCHASE_DAYS)
        years.append(trusted * (np.log(same / usual) + growth * (YEAR_DAYS - horizon_days) / 2 / YEAR_DAYS))
    return np.mean(years, axis=0) if years else np.full(2, np.nan)
