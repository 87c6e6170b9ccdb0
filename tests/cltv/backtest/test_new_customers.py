"""The revenue of customers who are not won yet: rules by hand."""

import numpy as np
import pytest

from crm_utils.cltv.backtest.new_customers import COHORTS, NEW_CANDIDATES, NewCustomers, forecast_new
from crm_utils.cltv.purchase_log import Purchases

LAST = 1000


def one_a_day(first: int = 0) -> Purchases:
    """One customer is won every day, and buys for 10 on that day and for 5 ten days later."""
    won = np.arange(first, LAST + 1)
    again = won[won + 10 <= LAST]
    customer, day = np.concatenate([won, again]), np.concatenate([won, again + 10])
    revenue = np.concatenate([np.full(len(won), 10.0), np.full(len(again), 5.0)])
    order = np.lexsort((day, customer))
    return Purchases(LAST, customer[order] - first, day[order], revenue[order])


def test_customers_won_within_a_period():
    """30 days: 30 first purchases, and 20 customers who come back within it."""
    new = NewCustomers(one_a_day())
    assert new.won_within(LAST - 30, LAST).tolist() == [50, 400]
    assert np.isnan(new.won_within(89, 120)).all(), "everybody is new in the first 13 weeks"
    assert np.isfinite(new.won_within(90, 120)).all()
    assert np.isnan(new.won_within(LAST - 1, LAST + 1)).all()


@pytest.mark.parametrize("days", [30, 91, 365])
def test_all_rules_agree_if_every_day_is_alike(days):
    expected = [days + days - 10, 10 * days + 5 * (days - 10)]
    for rule, found in zip(NEW_CANDIDATES, forecast_new(one_a_day(), [days])[0], strict=True):
        assert found == pytest.approx(expected, rel=1e-6), rule


def test_growth_shows_in_the_arrivals():
    """Nobody was won in the last 13 weeks: the cohorts bring half a purchase, the same period last year all of it."""
    all_days = one_a_day()
    kept = all_days.customer <= LAST - 91
    known = Purchases(LAST, all_days.customer[kept], all_days.day[kept], all_days.revenue[kept])
    found = forecast_new(known, [30])[0]
    assert found[NEW_CANDIDATES.index(COHORTS)] == pytest.approx([0.5, 0.5 * known.revenue.mean()])
    assert found[NEW_CANDIDATES.index("same_period_last_year")].tolist() == [50, 400]


def test_a_year_of_new_customers_from_half_a_year_of_history():
    """Nobody is older than 90 days. Each brings 15 in ten days and nothing later: the older ages go on with nothing."""
    found = forecast_new(one_a_day(LAST - 182), [364])[0]
    assert found[NEW_CANDIDATES.index(COHORTS)] == pytest.approx([364 + 354, 3640 + 5 * 354])
    assert np.isnan(found[1:]).all()


def test_ages_that_nobody_has_reached_go_on_as_the_older_ones():
    """One customer is won every day and buys for 10 every day: 1 + 2 + … + 364 purchases in a year."""
    won = np.arange(LAST - 182, LAST + 1)
    customer = np.repeat(won, LAST + 1 - won)
    day = np.concatenate([np.arange(first, LAST + 1) for first in won])
    known = Purchases(LAST, customer - won[0], day, np.full(len(day), 10.0))
    total = 364 * 365 / 2
    assert forecast_new(known, [364])[0, NEW_CANDIDATES.index(COHORTS)] == pytest.approx([total, 10 * total])


def test_a_short_history_says_nothing():
    assert np.isnan(forecast_new(one_a_day(LAST - 100), [30, 91])).all()
