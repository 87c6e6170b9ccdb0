"""Figures of 04_cltv: where bars and markers stand, and what is written on them."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from crm_utils.cltv import charts
from crm_utils.cltv.backtest import COMBINATION
from crm_utils.cltv.backtest.candidates import LAST_PERIOD
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("USD")


def letters(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def past_forecasts() -> pd.DataFrame:
    """Two tests, each with our forecast and a rule; the first has no range yet."""
    rows = [
        (pd.Timestamp(origin), model, predicted, 100.0, *ends)
        for origin, ends in (("2011-04-01", (70.0, 150.0)), ("2011-01-01", (np.nan, np.nan)))
        for model, predicted in ((COMBINATION, 90.0), (LAST_PERIOD, 120.0))
    ]
    columns = ["origin", "model", "revenue_predicted", "revenue_actual", "revenue_low", "revenue_high"]
    return pd.DataFrame(rows, columns=columns)


def test_each_model_has_its_place_beside_what_came():
    ax = charts.plot_past_forecasts(past_forecasts(), FMT)
    markers = {
        points.get_label(): points.get_offsets().tolist() for points in ax.collections if len(points.get_offsets())
    }
    assert markers["Our forecast"] == [[pytest.approx(0.865), 90], [pytest.approx(-0.135), 90]]
    assert markers["Same as the last period"] == [[pytest.approx(0.955), 120], [pytest.approx(-0.045), 120]]
    assert ax.get_ylim()[1] == pytest.approx(150)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1 Jan\n2011", "1 Apr\n2011"]
    ranges = [lines for lines in ax.collections if lines.get_label() == "_nolegend_" or "line" in lines.get_label()]
    spans = [segment[:, 1].tolist() for lines in ranges for segment in lines.get_segments()]
    assert spans.count([70, 150]) == 1, "only our forecasts have a range, once earlier ones were tested"
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        "Our forecast",
        "Same as the last period",
        "Same period last year",
        "Last year’s retention",
        "Actual",
    }
    assert "from 1 April 2011 forecast $90.00, actual $100; 1 more" in charts.alt_text_past_forecasts(
        past_forecasts(), FMT
    )


def test_purchase_days_per_customer_by_how_often_they_bought():
    table = pd.DataFrame(
        {
            "repeat_purchases": ["0", "1"],
            "customers": [4, 2],
            "purchase_days_predicted": [2.0, 3.0],
            "purchase_days_actual": [1.0, 4.0],
        }
    )
    ax = charts.plot_backtest_by_frequency(table, FMT)
    assert [bar.get_height() for bar in ax.patches] == [0.5, 1.5, 0.25, 2.0]
    assert letters(ax) == ["0.50", "1.50", "0.25", "2.00"]
    described = charts.alt_text_backtest_by_frequency(table, FMT)
    assert "0.50 and 0.25" in described and "1.50 and 2.00" in described


def test_revenue_of_the_last_test_by_segment():
    table = pd.DataFrame({"segment": ["A", "B"], "revenue_predicted": [10.0, 20.0], "revenue_actual": [30.0, 40.0]})
    ax = charts.plot_backtest_by_segment(table, FMT)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["B", "A"]
    assert [bar.get_width() for bar in ax.patches] == [20, 10, 40, 30]


def grid() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "repeat_purchase_days": [1, 1, 2, 2],
            "silent_days": [0, 30, 0, 30],
            "p_alive": [0.61, 0.25, 0.6, 0.1],
            "expected_purchase_days_12m": [1.0, 0.5, 4.0, 2.5],
        }
    )


def test_maps_of_a_customer_who_first_bought_a_year_ago():
    ax = charts.plot_p_alive_grid(grid())
    assert letters(ax) == ["61", "25", "60", "10"]
    assert [to_hex(text.get_color()) == "#ffffff" for text in ax.texts] == [True, False, False, False]
    assert ax.texts[1].get_position() == (1.5, 0.5)
    assert "After the longest silence it is 25%" in charts.alt_text_p_alive_grid(grid(), FMT)
    assert "10% for 2 times" in charts.alt_text_p_alive_grid(grid(), FMT)
    purchases = charts.plot_expected_purchases_grid(grid())
    assert letters(purchases) == ["1.0", "0.5", "4.0", "2.5"]
    assert [to_hex(text.get_color()) == "#ffffff" for text in purchases.texts] == [False, False, True, True]
    described = charts.alt_text_expected_purchases_grid(grid(), FMT)
    assert "from 0.5 to 4.0. The highest value is after 2 repeat purchase days and 0 days" in described


@pytest.mark.parametrize("tenths", [1, 2, 10])
def test_tenths_of_value(tenths):
    deciles = pd.DataFrame({"decile": range(1, tenths + 1), "clv_share": np.full(tenths, 1 / tenths)})
    ax = charts.plot_value_deciles(deciles)
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["top\ntenth", *map(str, range(2, tenths)), "last\ntenth"][:tenths]
    assert len({to_hex(bar.get_facecolor()) for bar in ax.patches}) == min(tenths, 2), "the first stands out"


def test_expected_revenue_of_segments_with_customers():
    table = pd.DataFrame(
        {
            "segment": ["A", "B", "C"],
            "customers": [2, 0, 1],
            "expected_revenue_12m": [100.0, 0.0, 50.0],
            "revenue_low": [80.0, 0, 40],
            "revenue_high": [200.0, 0, 60],
        }
    )
    ax = charts.plot_segment_revenue(table, FMT)
    assert [segment[:, 0].tolist() for lines in ax.collections for segment in lines.get_segments()] == [
        [40, 60],
        [80, 200],
    ]
    without = charts.plot_segment_revenue(table.drop(columns=["revenue_low", "revenue_high"]), FMT)
    assert not without.collections and without.get_xlim() == (0, pytest.approx(115))
    assert [bar.get_width() for bar in ax.patches] == [50, 100]
    assert ax.get_xlim() == (0, pytest.approx(230))
