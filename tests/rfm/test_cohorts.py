"""Cohorts: who ordered again in each period, worked by hand."""

from datetime import date

import ibis
import pandas as pd

from crm_utils.rfm import cohorts


def test_a_triangle_worked_by_hand():
    rows = [
        ("a", "2023-01-05", 10),
        ("b", "2023-01-20", 20),
        ("a", "2023-03-01", 5),
        ("c", "2023-02-10", 7),
        ("c", "2023-04-10", 9),
    ]
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"]).astype({"revenue": float})
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))
    found = cohorts.compute_cohorts(orders, date(2023, 4, 15))
    shown = found[["cohort", "period", "customers", "size", "revenue"]].assign(cohort=found.cohort.dt.month)
    # April is not over on the 15th: c's second order is not shown.
    assert shown.to_numpy().tolist() == [
        [1, 0, 2, 2, 30], [1, 1, 0, 2, 0], [1, 2, 1, 2, 5], [2, 0, 1, 1, 7], [2, 1, 0, 1, 0],
    ]  # fmt: skip
    whole = cohorts.compute_cohorts(orders, date(2023, 4, 30))
    assert whole.revenue.sum() == frame.revenue.sum()
    assert cohorts.compute_cohorts(orders, date(2025, 4, 30)).unit.unique().tolist() == ["quarter"]
