"""The season: the same weeks of last year, or none, with the reason."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import seasonality

ORIGIN = date(2011, 9, 9)
AGES = pd.Series([10, 500])


def revenue(first: str, high_from: str = "2010-09-10", high_to: str = "2010-12-10") -> pd.DataFrame:
    """100 a day, 300 in last year's weeks."""
    days = pd.date_range(first, ORIGIN)
    values = np.where((days > high_from) & (days <= high_to), 300.0, 100.0)
    return pd.DataFrame({"revenue": values, "purchase_days": np.sqrt(values)}, index=days)


def test_by_hand():
    """91 days at 300 against 91 × (91 × 300 + 273 × 100) ÷ 364 = 150 a day: twice the usual."""
    found = seasonality.estimate_seasonality(revenue("2010-01-01"), ORIGIN, 91, AGES)
    assert found.known and found.factor == pytest.approx(2)
    # days of purchase: 17.32 a day instead of 10: 91 × (91 × 17.32 + 273 × 10) ÷ 364 = 11.83 a day
    assert found.purchase_days_factor == pytest.approx(300**0.5 / (0.25 * 300**0.5 + 7.5))


def test_growth_is_no_season():
    """A shop that doubles every year and has no season: last year's weeks are low only because they came first."""
    days = pd.date_range("2010-01-01", ORIGIN)
    values = 100 * 2.0 ** (np.arange(len(days)) / 364)
    growing = pd.DataFrame({"revenue": values, "purchase_days": values}, index=days)
    for length in (30, 91, 182):
        assert seasonality.estimate_seasonality(growing, ORIGIN, length, AGES).factor == pytest.approx(1, abs=0.025)
    assert seasonality.estimate_seasonality(growing * revenue("2010-01-01") / 100, ORIGIN, 91, AGES).factor > 1.5


def test_a_year_holds_every_season():
    for days in (364, 365):
        assert seasonality.estimate_seasonality(revenue("2011-09-01"), ORIGIN, days, AGES) == seasonality.Seasonality()
    assert not seasonality.estimate_seasonality(revenue("2011-09-01"), ORIGIN, 363, AGES).known


@pytest.mark.parametrize("first, known", [("2010-06-11", True), ("2010-06-12", False), ("2011-09-01", False)])
def test_none_where_last_year_is_not_in_the_history(first, known):
    """The origin less 364 days is 2010-09-10, less 91 more 2010-06-11."""
    found = seasonality.estimate_seasonality(revenue(first), ORIGIN, 91, AGES)
    assert found.known == known
    assert known or (found.factor == 1 and "the same weeks of last year" in found.unavailable_reason)


def test_none_where_nobody_arrives():
    found = seasonality.estimate_seasonality(revenue("2010-01-01"), ORIGIN, 91, pd.Series([500] * 99 + [10]))
    assert not found.known and "hardly any new customers" in found.unavailable_reason


@pytest.mark.parametrize("ages, known", [([500] * 19 + [363], True), ([500] * 19 + [364], False)])
def test_one_newcomer_of_twenty_customers_is_enough(ages, known):
    assert seasonality.estimate_seasonality(revenue("2010-01-01"), ORIGIN, 91, pd.Series(ages)).known == known


def test_growth_by_hand():
    """The last 91 days bring 200 a day, all others 100: twice the same days a year before.

    The 30 days after the origin brought 3,000 last year, 30 usual days (273 × 100 + 91 × 200) ÷ 364 × 30 = 3,750. Last
    year's days lie (364 − 30) ÷ 2 days before the middle of the year: 0.8 × 2^(167 ÷ 364).
    """
    days = pd.date_range("2010-01-01", ORIGIN)
    values = np.where(days > pd.Timestamp(ORIGIN) - pd.Timedelta(days=91), 200.0, 100.0)
    daily = pd.DataFrame({"revenue": values, "purchase_days": 10.0}, index=days)
    found = seasonality.estimate_seasonality(daily, ORIGIN, 30, AGES)
    assert found.factor == pytest.approx(0.8 * 2 ** (167 / 364))
    assert found.purchase_days_factor == pytest.approx(1)


def test_each_horizon_has_its_season():
    daily = revenue("2010-01-01")
    found = seasonality.seasonality_by_horizon(daily, ORIGIN, AGES, {1: 30, 6: 182, 12: 365})
    assert found == {
        months: seasonality.estimate_seasonality(daily, ORIGIN, days, AGES)
        for months, days in ((1, 30), (6, 182), (12, 365))
    }
    assert found[1].factor > found[6].factor > found[12].factor == 1


def test_none_where_nothing_was_sold():
    silent = revenue("2010-01-01") * (revenue("2010-01-01") != 300)
    assert "nothing was sold" in seasonality.estimate_seasonality(silent, ORIGIN, 91, AGES).unavailable_reason


def test_nothing_after_the_origin_counts():
    later = pd.concat(
        [revenue("2010-01-01"), pd.DataFrame({"revenue": 1e9, "purchase_days": 9}, index=[pd.Timestamp("2011-09-10")])]
    )
    assert seasonality.estimate_seasonality(later, ORIGIN, 91, AGES) == seasonality.estimate_seasonality(
        revenue("2010-01-01"), ORIGIN, 91, AGES
    )


def test_daily_fills_days_without_orders():
    orders = ibis.memtable(
        pd.DataFrame(
            {
                "ordered_at": pd.to_datetime(["2011-01-01 10:00", "2011-01-03 09:00", "2011-01-03 11:00"]),
                "revenue": [1.0, 2.0, 3.0],
                "customer_id": ["a", "b", "b"],
            }
        )
    )
    assert seasonality.daily_totals(orders).values.tolist() == [[1, 1], [0, 0], [5, 1]]
