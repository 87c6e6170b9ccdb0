"""Figures of 01_cleaning: the bars of months."""

import pandas as pd
import pytest

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


def test_a_waterfall_of_what_the_rules_took_worked_by_hand():
    """100 read; 30 are taken, 10 come back, and one rule takes nothing: 80."""
    ledger = pd.DataFrame(
        {
            "rule": ["read", "unknown_customer", "non_positive_quantity", "cancellation"],
            "revenue_removed": [0.0, 30.0, 0.004, -10.0],
            "revenue_left": [100.0, 70.0, 70.0, 80.0],
        }
    )
    ax = charts.plot_waterfall(ledger, FMT)
    assert [(bar.get_x(), bar.get_width()) for bar in ax.patches] == [(0, 100), (100, -30), (70, 10), (0, 80)]
    assert [text.get_text() for text in ax.texts] == ["£100", "−£30", "+£10", "£80"]
    assert [text.xy[0] for text in ax.texts] == [100, 100, 80, 80]
    colours = [bar.get_facecolor() for bar in ax.patches]
    assert colours[0] == colours[3] and len(set(colours)) == 3
    assert ax.get_xlim() == (0, pytest.approx(115)) and ax.yaxis_inverted()
    described = charts.alt_text_waterfall(ledger, FMT)
    assert described.startswith("Waterfall from £100 read to £80.00 of sales: ")
    assert "−£30.00" in described and "+£10.00" in described
    assert charts.plot_waterfall(ledger.head(1), FMT) is None
