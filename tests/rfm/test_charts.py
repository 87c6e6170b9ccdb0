"""Figures of 02_rfm: where histograms are cut, and what stands on the heat maps."""

import matplotlib.colors
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crm_utils.core.formatting import NumberFormat
from crm_utils.rfm import charts

FMT = NumberFormat("USD")


def test_bins_of_days_are_equally_wide():
    edges = charts._bin_edges(pd.Series([0.0, 47.0]), logarithmic=False)
    assert edges.tolist() == list(range(0, 49, 2))
    assert charts._bin_edges(pd.Series([24.0, 47.0]), logarithmic=False)[0] == 24


def test_bins_of_counts_hold_each_small_count_alone():
    edges = charts._bin_edges(pd.Series([1.0, 2.0, 999.0]), logarithmic=True)
    assert edges[:10].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5]
    assert edges[-1] == 1000.5
    assert (edges % 1 == 0.5).all(), "a count never lies on an edge"
    wide = [round(10.5 * (1000 / 10.5) ** (step / 11)) + 0.5 for step in range(12)]
    assert edges[10:].tolist() == wide, "from 10.5 to 1,000 eleven bins grow by the same factor"
    few = charts._bin_edges(pd.Series([1.0, 2.0]), logarithmic=True)
    assert few[-1] == 12.5


def test_bins_of_money_grow_by_the_same_factor():
    edges = charts._bin_edges(pd.Series([1.5, 1500.0]), logarithmic=True)
    assert (edges[0], edges[-1]) == (1.5, pytest.approx(1500))
    assert (edges[1:] / edges[:-1]).tolist() == pytest.approx([1000 ** (1 / 24)] * 24)
    assert charts._bin_edges(pd.Series([0.5, 0.5]), logarithmic=True)[-1] == pytest.approx(0.55)
    assert charts._bin_edges(pd.Series([0.0, 0.5]), logarithmic=True)[0] == pytest.approx(0.01)


def cohorts(unit: str = "month") -> pd.DataFrame:
    """Two cohorts that are large enough, and one that is not."""
    rows = [("2023-01", 0, 30, 30), ("2023-01", 1, 15, 30), ("2023-04", 0, 40, 40), ("2023-05", 0, 29, 29)]
    table = pd.DataFrame(rows, columns=["cohort", "period", "customers", "size"])
    table = table.assign(cohort=pd.to_datetime(table.cohort), unit=unit, retention=table.customers / table["size"])
    return table.assign(revenue=table.customers * 10.0, revenue_per_customer=table.retention * 10)


def letters(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_cohorts_of_thirty_or_more_are_drawn():
    ax = charts.plot_cohorts(cohorts(), FMT)
    retention, revenue = ax.figure.axes
    assert [label.get_text() for label in retention.get_yticklabels()] == ["Jan 2023"]
    assert [label.get_text() for label in revenue.get_yticklabels()] == ["Jan 2023", "Apr 2023"]
    assert letters(retention) == ["50%"], "in its first period everybody of a cohort orders"
    assert letters(revenue) == ["$10", "$5", "$10"]
    assert charts.alt_text_cohorts(cohorts(), FMT).startswith(
        "Two heat maps of 2 cohorts of 30 to 40 first-time buyers"
    )
    assert charts.plot_cohorts(cohorts()[lambda t: t.period == 0], FMT) is None
    quarters = charts.plot_cohorts(cohorts("quarter"), FMT).figure.axes[1]
    assert [label.get_text() for label in quarters.get_yticklabels()] == ["2023Q1", "2023Q2"]


def test_the_grid_has_the_best_recency_on_top_and_light_letters_on_dark_cells():
    grid = pd.DataFrame(
        {
            "recency_score": [1, 1, 2, 2],
            "frequency_score": [1, 2, 1, 2],
            "customers": [10, 0, 5, 7],
            "revenue": [1.0, 0.0, 2.0, 300.0],
        }
    )
    ax = charts.plot_rf_grid(grid, FMT)
    assert letters(ax) == ["5", "7", "10", "–"]
    light = [matplotlib.colors.to_hex(text.get_color()) == "#ffffff" for text in ax.texts]
    assert light == [False, True, True, False], "letters are white from 6.9 of 10 customers"
    described = charts.alt_text_rf_grid(grid, FMT)
    assert "Most customers, 10, are at recency 1, frequency 1; most revenue is at recency 2, frequency 2" in described


def test_small_amounts_keep_their_decimals_on_a_logarithmic_axis():
    ax = plt.subplots()[1]
    charts._plot_histogram(ax, pd.Series([0.05, 5000.0]), True, FMT)
    write = ax.xaxis.get_major_formatter()
    assert [write(value) for value in (0.1, 1, 1000)] == ["0.1", "1", "1,000"]
    assert ax.xaxis.get_minor_formatter()(2.0) == ""
    assert ax.get_xscale() == "log"
    charts._plot_histogram(ax, pd.Series([0.0, 47.0]), False, FMT)
    plt.close("all")
