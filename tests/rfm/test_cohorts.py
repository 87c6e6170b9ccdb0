"""Cohorts: who ordered again in each period, worked by hand."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.rfm import cohorts

ROWS = [
    ("a", "2023-01-05", 10),
    ("b", "2023-01-20", 20),
    ("a", "2023-03-01", 5),
    ("a", "2023-03-02", 1),
    ("c", "2023-02-10", 7),
    ("c", "2023-04-10", 9),
]


def placed(rows: list[tuple[str, str, float]]) -> ibis.Table:
    frame = pd.DataFrame(rows, columns=["customer_id", "ordered_at", "revenue"]).astype({"revenue": float})
    return ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at)))


def test_months_worked_by_hand():
    # April is not over on the 15th: c's second order is not shown.
    found = cohorts.compute_cohorts(placed(ROWS), date(2023, 4, 15))
    january, february = pd.Timestamp("2023-01-01"), pd.Timestamp("2023-02-01")
    rows = [
        (january, 0, 2, 2, 1.0, 30.0, 15.0, "month"),
        (january, 1, 0, 2, 0.0, 0.0, 0.0, "month"),
        (january, 2, 1, 2, 0.5, 6.0, 3.0, "month"),
        (february, 0, 1, 1, 1.0, 7.0, 7.0, "month"),
        (february, 1, 0, 1, 0.0, 0.0, 0.0, "month"),
    ]
    pd.testing.assert_frame_equal(found, pd.DataFrame(rows, columns=found.columns), check_dtype=False)
    whole = cohorts.compute_cohorts(placed(ROWS), date(2023, 4, 30))
    assert whole.revenue.sum() == 52, "on the last day of a month its orders are shown"


def test_quarters_worked_by_hand():
    found = cohorts.compute_cohorts(placed([*ROWS, ("d", "2024-12-31", 4)]), date(2024, 12, 31))
    assert found.unit.unique().tolist() == ["quarter"]
    first = found[found.cohort == "2023-01-01"]
    assert first.period.tolist() == list(range(8))
    assert first.customers.tolist() == [3, 1, 0, 0, 0, 0, 0, 0]
    assert first.revenue_per_customer.tolist() == [43 / 3, 3, 0, 0, 0, 0, 0, 0]
    last = found[found.cohort != "2023-01-01"]
    assert last[["cohort", "period", "retention"]].to_numpy().tolist() == [[pd.Timestamp("2024-10-01"), 0, 1]]


@pytest.mark.parametrize(
    ("day", "unit"),
    [(date(2023, 1, 31), "month"), (date(2024, 7, 30), "month"), (date(2024, 7, 31), "quarter")],
)
def test_eighteen_whole_months_are_the_last_shown_as_months(day, unit):
    # From January 2023 to June 2024 there are 18 months; July 2024, the 19th, is over on its last day.
    assert cohorts.compute_cohorts(placed(ROWS), day).unit.unique().tolist() == [unit]


def test_cohorts_are_those_of_a_plain_count():
    draw = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "customer_id": [f"{number:02d}" for number in draw.integers(0, 40, 200)],
            "ordered_at": pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 365, 200), unit="D"),
            "revenue": draw.integers(1, 100, 200).astype(float),
        }
    )
    found = cohorts.compute_cohorts(ibis.memtable(frame), date(2023, 12, 31)).set_index(["cohort", "period"])
    month = frame.ordered_at.dt.month
    joined = month.groupby(frame.customer_id).transform("min")
    for (cohort, period), row in found.iterrows():
        buyers = frame[(joined == cohort.month) & (month == cohort.month + period)]
        size = frame[joined == cohort.month].customer_id.nunique()
        assert (row.customers, row["size"], row.revenue) == (buyers.customer_id.nunique(), size, buyers.revenue.sum())
        assert row.retention == buyers.customer_id.nunique() / size
        assert row.revenue_per_customer == buyers.revenue.sum() / size
    assert found.revenue.sum() == frame.revenue.sum()
