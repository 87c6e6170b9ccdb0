"""Value from the past alone, and the churn that it takes."""

from datetime import date

import ibis
import pandas as pd
import pytest

from crm_utils.cltv import historical_clv


def orders(rows: list[tuple[str, str]]) -> ibis.Table:
    return ibis.memtable(
        pd.DataFrame({"customer_id": [who for who, _ in rows], "ordered_at": pd.to_datetime([day for _, day in rows])})
    )


def test_churn_by_hand():
    """a, b, c bought in the 13 weeks before the last, a again in the last; d is new: (2 + 1) ÷ (3 + 2)."""
    rows = [
        ("a", "2011-08-01"),
        ("b", "2011-08-02"),
        ("c", "2011-08-03"),
        ("a", "2011-11-01"),
        ("d", "2011-11-02"),
        ("b", "2010-01-01"),
    ]
    assert historical_clv.quarterly_churn(orders(rows), date(2011, 12, 9)) == pytest.approx(3 / 5)
    assert historical_clv.quarterly_churn(orders([("b", "2010-01-01")]), date(2011, 12, 9)) == 0.5


def test_the_quarters_of_churn_end_on_their_days():
    """91 days are in the last 13 weeks, 0 to 90 days back; 91 to 181 are in the 13 weeks before; 182 are in neither."""
    day = pd.Timestamp("2011-12-09")
    ages = {"a": [0, 91], "b": [90, 181], "c": [182, 5], "d": [91], "e": [90]}
    rows = [(who, str((day - pd.Timedelta(days=days)).date())) for who, all_days in ages.items() for days in all_days]
    # a, b and d bought in the quarter before; a and b stayed.
    assert historical_clv.quarterly_churn(orders([*rows, ("d", "2011-12-10")]), day.date()) == pytest.approx(2 / 5)


def test_value_has_the_right_dimensions():
    """Margin .3 × 50 a day × 4 days in 182 days (2 periods) ÷ churn .5 = 60.

    Money doubles it, another customer does not.
    """
    one = pd.DataFrame({"customer_age_days": [182], "repeat_purchase_days": [3], "mean_purchase_value": [50.0]})
    assert historical_clv.historical_clv(one, 0.3, 0.5).tolist() == [60]
    assert historical_clv.historical_clv(one.assign(mean_purchase_value=100.0), 0.3, 0.5).tolist() == [120]
    assert historical_clv.historical_clv(pd.concat([one, one]), 0.3, 0.5).tolist() == [60, 60]
    newcomer = pd.DataFrame({"customer_age_days": [3], "repeat_purchase_days": [0], "mean_purchase_value": [50.0]})
    assert historical_clv.historical_clv(newcomer, 0.3, 0.5).tolist() == [30]  # one day a period, not 30
