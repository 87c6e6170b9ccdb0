"""Figures of 01_cleaning: the bars of months."""

import pandas as pd

from crm_utils.cleaning import charts
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")


def months(count: int) -> pd.DataFrame:
    frame = pd.DataFrame({"month": pd.date_range("2010-11-01", periods=count, freq="MS"), "revenue": 10.0})
    return frame.assign(complete=frame.index < count - 1)


def tick_labels(ax) -> list[str]:
    return [label.get_text() for label in ax.get_xticklabels()]


def test_an_incomplete_month_is_hatched_and_each_year_is_named_once():
    ax = charts.plot_revenue_by_month(months(4), FMT)
    assert [bar.get_hatch() for bar in ax.patches] == [None, None, None, "///"]
    assert tick_labels(ax) == ["Nov\n2010", "Dec", "Jan\n2011", "Feb"]
    assert charts.alt_text_revenue_by_month(months(4), FMT).startswith("Bar chart of revenue in 4 months, from £10.00")


def test_of_many_months_about_nine_are_named():
    ax = charts.plot_revenue_by_month(months(25), FMT)
    assert ax.get_xticks().tolist() == list(range(0, 25, 3))
    assert tick_labels(ax)[:3] == ["Nov\n2010", "Feb\n2011", "May"]
