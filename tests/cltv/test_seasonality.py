"""The season: the same weeks of all past years, bounded and shrunk, or none."""

import numpy as np
import pytest

from crm_utils.cltv.purchase_log import DailySums, Purchases
from crm_utils.cltv.seasonality import log_season

ORIGIN = 2000


def sums(first: int, per_day: int = 100, high: int = 300, year: int = 1, growth: float = 1.0) -> DailySums:
    """Purchase days of one unit of money: 300 a day in the 91 days that begin a year before, else 100."""
    days = np.arange(first, ORIGIN + 1)
    start = ORIGIN - 364 * year
    counts = np.where((days > start) & (days <= start + 91), high, per_day)
    counts = np.where(days > ORIGIN - 91, counts * growth, counts).astype(int)
    day = np.repeat(days, counts)
    return DailySums(Purchases(ORIGIN, np.arange(len(day)), day, np.full(len(day), 2.0)))


def test_one_year_by_hand():
    """91 days at 300 against 91 × (91 × 300 + 273 × 100) ÷ 364 = 150 a day: twice the usual."""
    trusted = 27_300 / 27_316
    assert log_season(sums(ORIGIN - 364 - 91), ORIGIN, 91) == pytest.approx([trusted * np.log(2)] * 2)


def test_all_past_years_count_alike():
    """The year before last had no season: the same days brought as much as any, ÷ 1 − and no growth."""
    one, two = (log_season(sums(ORIGIN - 364 * years - 91), ORIGIN, 91)[1] for years in (1, 2))
    assert two == pytest.approx(one / 2)


def test_few_purchases_are_trusted_less():
    """Three a day: 273 purchase days count 273 ÷ 289."""
    found = log_season(sums(ORIGIN - 364 - 91, per_day=1, high=3), ORIGIN, 91)
    assert found == pytest.approx([273 / 289 * np.log(2)] * 2)


def test_growth_is_bounded():
    """The last 13 weeks bring ten times as much: growth counts as 2, over (364 − 91) ÷ 2 ÷ 364 of a year."""
    grown = sums(ORIGIN - 364 - 91, growth=10.0)
    usual = (91 * 300 + 182 * 100 + 91 * 1000) / 364
    expected = np.log(300 / usual) + np.log(2) * 273 / 728
    assert log_season(grown, ORIGIN, 91)[0] == pytest.approx(27_300 / 27_316 * expected)


def test_history_must_hold_last_year_and_the_quarter_before_it():
    assert np.isfinite(log_season(sums(ORIGIN - 364 - 90), ORIGIN, 91)).all()
    assert np.isnan(log_season(sums(ORIGIN - 364 - 89), ORIGIN, 91)).all()


def test_a_year_holds_every_season():
    assert log_season(sums(ORIGIN - 50), ORIGIN, 364).tolist() == [0, 0]
