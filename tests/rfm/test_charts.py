"""Figures of 02_rfm: where histograms are cut, and what stands on the heat maps."""

import matplotlib.colors
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crm_utils.config import ScoringConfig
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


def test_distributions_show_the_limits_of_classes_with_customers():
    """The lowest class needs no line. Only counts and money are on a logarithmic scale."""
    scored = pd.DataFrame({"recency_days": [3, 40, 90], "orders": [1, 2, 30], "revenue": [5.0, 60.5, 700.0]})
    rows = [("recency", 1, 90.0, 90.0, 1), ("recency", 2, 40.0, 40.0, 1), ("recency", 3, 3.0, 3.0, 1)]
    rows += [("frequency", 1, 1.0, 2.0, 2), ("frequency", 2, 4.0, 4.0, 0), ("frequency", 3, 30.0, 30.0, 1)]
    rows += [("monetary", 1, 5.0, 5.0, 1), ("monetary", 2, 60.5, 60.5, 1), ("monetary", 3, 700.0, 700.0, 1)]
    limits = pd.DataFrame(rows, columns=["measure", "score", "lowest", "highest", "customers"])
    limits["unit"] = limits.measure.map({"recency": "day", "frequency": "order", "monetary": "money"})
    ax = charts.plot_distributions(scored, limits, ScoringConfig(), FMT)
    panels = ax.figure.axes
    assert [panel.get_xscale() for panel in panels] == ["linear", "log", "log"]
    assert [[line.get_xdata()[0] for line in panel.lines] for panel in panels] == [[40, 90], [30], [60.5, 700]]
    assert [panel.get_xlabel() for panel in panels] == ["Days since last order", "Orders", "Revenue, USD"]
    assert [sum(bar.get_height() for bar in panel.patches) for panel in panels] == [3, 3, 3]
    described = charts.alt_text_distributions(limits, FMT)
    assert "3 to 90 days since the last order, 1 to 30 orders, $5.00 to $700 of revenue" in described
    assert described.endswith("cut into 3, 2 and 3 score classes.")
    per_order = limits.assign(unit=limits.unit.replace("money", "money an order"))
    assert "$700 of revenue an order, cut" in charts.alt_text_distributions(per_order, FMT)


@pytest.mark.parametrize(("periods", "size"), [(10, 9), (11, 6.5)])
def test_letters_of_cohorts_are_smaller_from_eleven_periods(periods, size):
    """The revenue of later periods is at most half of that of the first. The best of them has white letters."""
    rows = [("2023-01", period, 40 if period == 0 else 5 + period, 40) for period in range(periods)]
    table = pd.DataFrame(rows, columns=["cohort", "period", "customers", "size"])
    table = table.assign(cohort=pd.to_datetime(table.cohort), unit="month", retention=table.customers / 40)
    ax = charts.plot_cohorts(table.assign(revenue_per_customer=table.retention * 100), FMT)
    revenue = ax.figure.axes[1]
    assert {text.get_fontsize() for text in revenue.texts} == {size}
    light = [matplotlib.colors.to_hex(text.get_color()) == "#ffffff" for text in revenue.texts]
    best = max(5 + period for period in range(periods) if period)
    # White from .6 × 1.2 times the best
    assert light == [True] + [5 + period > 0.72 * best for period in range(1, periods)]


def test_no_cohort_is_large_enough():
    small = cohorts().assign(size=29)
    assert charts.plot_cohorts(small, FMT) is None
    assert charts.alt_text_cohorts(small, FMT).startswith("Two heat maps of 0 cohorts of no first-time buyers")
