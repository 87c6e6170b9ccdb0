"""Purchases as of past days, in memory: the same as the tables say."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import forecast
from crm_utils.cltv.purchase_log import DailySums, PurchaseLog, day_number, day_of, purchases_between
from crm_utils.core.orders import orders_as_of


def order(customer: str, number: str, day: str, revenue: float) -> tuple[str, str, pd.Timestamp, float]:
    return customer, number, pd.Timestamp(day), revenue


@pytest.fixture(scope="module")
def tables() -> tuple[ibis.Table, ibis.Table]:
    """a's only first order and b's second are cancelled later, b's first in part."""
    orders = pd.DataFrame(
        [
            order("b", "3", "2011-01-06", 8.0),
            order("b", "4", "2011-01-09 10:00", 5.0),
            order("b", "5", "2011-01-09 20:00", 6.0),
            order("a", "1", "2011-01-01", 10.0),
            order("a", "2", "2011-01-11", 60.0),
            order("c", "6", "2011-02-20", 1.0),
        ],
        columns=["customer_id", "order_id", "ordered_at", "revenue"],
    ).assign(units=1.0, lines=1)
    changes = pd.DataFrame(
        [("a", "1", "2011-01-20", -10.0), ("b", "3", "2011-01-25", -3.0), ("b", None, "2011-01-02", -99.0)],
        columns=["customer_id", "order_id", "adjusted_at", "revenue"],
    )
    changes["adjusted_at"] = pd.to_datetime(changes.adjusted_at)
    return ibis.memtable(orders), ibis.memtable(changes)


@pytest.mark.parametrize("day", ["2011-01-05", "2011-01-19", "2011-01-20", "2011-01-31", "2011-03-01"])
def test_a_past_day_is_that_of_the_tables(tables, day):
    log, past = PurchaseLog.read(*tables), date.fromisoformat(day)
    found = log.as_of(day_number(past)).summary()
    found.insert(0, "customer_id", log.ids[found.pop("customer")])
    expected = forecast.rfm_summary(orders_as_of(*tables, past), past)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)


def test_days_have_numbers():
    assert day_number(date(1970, 1, 6)) == 1 and day_of(1) == date(1970, 1, 6)


def test_one_customer_can_be_left_out(tables):
    rest = PurchaseLog.read(*tables).without("a")
    found = rest.as_of(day_number(date(2011, 3, 1)))
    assert rest.ids[found.customer].tolist() == ["b", "b", "c"]
    assert found.revenue.tolist() == [5, 11, 1]


def test_sums_of_a_period(tables):
    known = PurchaseLog.read(*tables).as_of(day_number(date(2011, 1, 19)))
    sums, start = DailySums(known), day_number(date(2010, 12, 31))
    assert sums.sum_between(start, start + 9).tolist() == [3, 29]
    assert sums.sum_between(start + 1, start + 6).tolist() == [1, 8]
    assert np.isnan(sums.sum_between(start - 1, start + 6)).all(), "before the first order"
    assert np.isnan(sums.sum_between(start + 1, start + 20)).all(), "after the last day"
    only_b = DailySums(known, known.first_days() > start + 1)
    assert only_b.sum_between(start, start + 19).tolist() == [2, 19]


def test_purchases_after_the_start_and_up_to_the_end():
    rows = [
        ("a", "2011-01-01", 1.0),
        ("a", "2011-01-02 10:00", 2.0),
        ("a", "2011-01-02 20:00", 4.0),
        ("a", "2011-01-31 23:00", 8.0),
        ("a", "2011-02-01", 16.0),
        ("new", "2011-01-15", 32.0),
        ("other", "2011-01-15", 0.375),
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    table = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="mixed")))
    ids = pd.Series(["b", "a"], name="customer_id")
    known, others = purchases_between(table, date(2011, 1, 1), date(2011, 1, 31), ids)
    assert known.index.tolist() == ["b", "a"]
    assert known.to_numpy().tolist() == [[0, 0], [2, 14]]
    assert others == 32.38, "in cents"
