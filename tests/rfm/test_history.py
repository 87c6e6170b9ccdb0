"""The course of the business: like periods, counted by hand."""

from datetime import date

import ibis
import pandas as pd
import pytest

from crm_utils.rfm.history import compute_history, top_tenth_share, value_and_year_before

DAY = date(2024, 6, 30)


def orders(*rows: tuple[str, str, float]) -> ibis.expr.types.Table:
    table = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"])
    return ibis.memtable(table.assign(ordered_at=pd.to_datetime(table.ordered_at)))


ORDERS = orders(
    ("a", "2022-05-01 10:00", 10.0),
    ("b", "2023-04-02 10:00", 20.0),  # the first of the 90 days to 30 June 2023
    ("a", "2023-06-30 23:59", 30.0),
    ("c", "2024-04-01 10:00", 7.0),  # a day before the 90 days to 30 June 2024
    ("a", "2024-04-02 10:00", 40.0),
    ("d", "2024-06-30 10:00", 5.0),
)


def test_each_row_counts_its_90_days():
    found = compute_history(ORDERS, DAY, history_complete=True).set_index("last_day")
    assert len(found) == 8, "the 90 days to 30 June 2022 began before the first order"
    now, before = found.loc["2024-06-30"], found.loc["2023-06-30"]
    assert now[["active_customers", "new_customers", "revenue"]].tolist() == [2, 1, 45]
    assert before[["active_customers", "new_customers", "revenue"]].tolist() == [2, 1, 50]
    assert (now.revenue_12m, before.revenue_12m) == (52, 50)
    assert now.top_tenth_share == pytest.approx(40 / 52)
    assert found.revenue_12m.isna().sum() == 3, "no 12 months before 2023-03-31"
    assert value_and_year_before(found.reset_index(), "revenue") == (45, 50)
    assert found.index[-1] == pd.Timestamp(DAY)


def test_what_the_history_does_not_cover_is_left_out():
    short = orders(("a", "2024-06-01", 5.0), ("b", "2024-06-20", 5.0))
    found = compute_history(short, DAY, history_complete=False)
    assert len(found) == 1
    assert found[["active_customers", "revenue"]].iloc[0].tolist() == [2, 10]
    assert found[["new_customers", "revenue_12m", "top_tenth_share"]].isna().all(axis=None)
    assert value_and_year_before(found, "new_customers") == (None, None)
    assert compute_history(short, DAY, history_complete=True).new_customers.tolist() == [2]


def test_the_top_tenth_is_at_least_one_customer():
    assert top_tenth_share(pd.Series([1.0, 3.0])) == 0.75
    assert top_tenth_share(pd.Series([10.0] + [1.0] * 19)) == pytest.approx(11 / 29)
    assert pd.isna(top_tenth_share(pd.Series([0.0])))
