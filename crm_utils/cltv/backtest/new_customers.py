"""Forecasts of the revenue from customers who are not won yet, by simple rules that are combined like the others."""

from collections.abc import Sequence

import numpy as np

from crm_utils.cltv.backtest.candidates import LAST_PERIOD, LAST_YEAR, LAST_YEAR_GROWN
from crm_utils.cltv.backtest.combination import Kinds
from crm_utils.cltv.purchase_log import Purchases
from crm_utils.cltv.seasonality import DAYS_BEFORE_LAST_YEAR, MAX_GROWTH, YEAR_DAYS

COHORTS = "arrivals_and_cohorts"
NEW_CANDIDATES = (COHORTS, LAST_PERIOD, LAST_YEAR, LAST_YEAR_GROWN)
# The least that a candidate can say, because candidates are combined in logarithms. All in all it counts as nothing.
HALF_A_PURCHASE = 0.5
# Prior mean squared log errors.
NEW_KINDS = Kinds(np.array([0.12, 0.16, 0.16, 0.12]), np.ones(4), np.zeros(4, bool))


class NewCustomers:
    """What customers bought who were won within a period.

    Parameters
    ----------
    purchases : Purchases
        The purchases as of a day.
    """

    def __init__(self, purchases: Purchases):
        self.last, self.first = purchases.as_of, int(purchases.day.min())
        self._day, self._revenue = purchases.day, purchases.revenue
        self._won = purchases.first_days()
        self._arrivals = purchases.day[purchases.starts]

    def won_within(self, after: int, until: int) -> np.ndarray:
        """Return purchase days and revenue, in a period, of the customers who were won in it.

        Null unless the history covers the period and the 13 weeks before it, because everybody is new in the first
        weeks of a history.
        """
        if after - DAYS_BEFORE_LAST_YEAR < self.first - 1 or until > self.last:
            return np.full(2, np.nan)
        chosen = (self._won > after) & (self._day <= until)
        return np.array([chosen.sum(), self._revenue[chosen].sum()])

    def arrivals_and_cohorts(self, days: int) -> np.ndarray:
        """Return the arrivals of the last 13 weeks, continued, × what a customer brings up to each age.

        Customers of the last year and the 13 weeks before it are averaged, each age over the customers who are that
        old. At ages that nobody has reached yet, they go on as in the older half of the ages that were reached. Null
        without two times 13 weeks of history.
        """
        start = self.last - DAYS_BEFORE_LAST_YEAR
        if start - DAYS_BEFORE_LAST_YEAR < self.first - 1:
            return np.full(2, np.nan)
        per_day = (self._arrivals > start).sum() / DAYS_BEFORE_LAST_YEAR
        since = max(self.last - YEAR_DAYS - DAYS_BEFORE_LAST_YEAR, self.first + DAYS_BEFORE_LAST_YEAR)
        recent = self._won > since
        ages, revenue = (self._day - self._won)[recent], self._revenue[recent]
        young = ages < days
        arrivals = np.sort(self._arrivals[self._arrivals > since])
        customers = np.searchsorted(arrivals, self.last - np.arange(days), side="right")
        if not per_day:
            return np.zeros(2)
        by_age = np.array(
            [np.bincount(ages[young], minlength=days), np.bincount(ages[young], revenue[young], minlength=days)]
        )
        reached = int((customers > 0).sum())
        older = slice(reached // 2, reached)
        each = by_age / np.maximum(customers, 1)
        each[:, reached:] = (by_age[:, older].sum(axis=1) / customers[older].sum())[:, None]
        return per_day * np.cumsum(each, axis=1).sum(axis=1)

    def at_least(self, total: np.ndarray) -> np.ndarray:
        """Return a forecast, or half an average purchase if it says that nothing will come."""
        return np.where(total == 0, [HALF_A_PURCHASE, HALF_A_PURCHASE * self._revenue.mean()], total)


def forecast_new(known: Purchases, horizons: Sequence[int]) -> np.ndarray:
    """Forecast what customers who are won after a day will buy up to the end of each horizon.

    Parameters
    ----------
    known : Purchases
        The purchases as of the day; one at least.
    horizons : sequence of int
        The lengths in days.

    Returns
    -------
    numpy.ndarray
        Horizon × candidate (`NEW_CANDIDATES`) × (purchase days, revenue); null if a candidate cannot be made. One that
        says that nothing will come is half a purchase, because candidates are combined in logarithms.
    """
    new, origin = NewCustomers(known), known.as_of
    quarters = [new.won_within(end - DAYS_BEFORE_LAST_YEAR, end) for end in (origin, origin - YEAR_DAYS)]
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.clip(quarters[0] / quarters[1], 1 / MAX_GROWTH, MAX_GROWTH)
    rows = []
    for days in horizons:
        year_ago = origin - max(YEAR_DAYS, days)
        same = new.won_within(year_ago, year_ago + days)
        rows.append([new.arrivals_and_cohorts(days), new.won_within(origin - days, origin), same, same * growth])
    return new.at_least(np.array(rows))
