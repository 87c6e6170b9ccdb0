"""What the figures of the budget show."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from crm_utils.budget import charts
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")

PLAN = pd.DataFrame(
    {
        "campaign": ["Cards", "Mails"],
        "segment": ["Champions", "Lost"],
        "contacts": [10, 0],
        "spend": [5.0, 0.0],
        "expected_profit": [20.0, 0.0],
        "profit_low": [-3.0, 0.0],
        "profit_high": [40.0, 0.0],
        "lift": [0.02, 0.01],
        "lift_low": [0.01, 0.0],
        "lift_high": [0.04, 0.02],
        "break_point_lift": [0.015, float("nan")],
    }
)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(ax) -> list[str]:
    return [text.get_text().strip() for text in ax.texts]


def test_the_plan_shows_planned_lines_with_their_money_and_interval():
    ax = charts.plot_plan(PLAN, FMT)
    assert texts(ax) == ["earns £20 (−£3 to £40)", "costs £5.00"]
    assert ax.get_xlim()[0] < -3
    assert ax.get_xlim()[1] > 40


def test_the_curve_marks_the_sensible_budget_and_the_budget_only_where_it_lies_on_it():
    curve = pd.DataFrame(
        {"budget": [0, 50, 100], "expected_profit": [0, 9, 9], "profit_low": [0, 1, 1], "profit_high": [0, 20, 20]}
    )
    assert texts(charts.plot_budget_curve(curve, 80, 50, FMT)) == ["sensible budget", "budget"]
    assert texts(charts.plot_budget_curve(curve, 5000, 50, FMT)) == ["sensible budget"]


def test_break_points_stand_beside_the_ranges():
    ax = charts.plot_break_points(PLAN)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Mails · Lost", "Cards · Champions"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "assumed range",
        "lift planned with",
        "break point",
    ]


def test_nothing_is_drawn_of_nothing():
    assert charts.plot_plan(PLAN.assign(contacts=0), FMT) is None
    assert charts.plot_break_points(PLAN.head(0)) is None
    assert charts.plot_past_campaigns(MEASURED.iloc[1:], FMT) is None
    assert not plt.get_fignums()


MEASURED = pd.DataFrame(
    {
        "campaign": ["a", "b"],
        "status": "measured",
        "incremental_profit": [5.0, None],
        "incremental_profit_low": [1.0, None],
        "incremental_profit_high": [9.0, None],
        "forecast_profit": [7.0, None],
    }
)


def test_only_campaigns_with_known_costs_are_drawn():
    ax = charts.plot_past_campaigns(MEASURED, FMT)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a"]
    assert charts.alt_text_past_campaigns(MEASURED, FMT).endswith("a earned £5.00 (£1.00 to £9.00), promised £7.00.")


def bars(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


def test_the_first_line_of_the_plan_stands_on_top():
    both = PLAN.assign(contacts=[10, 5], spend=[5.0, 3.0])
    ax = charts.plot_plan(both, FMT)
    assert bars(ax) == [0, 20, 3, 5]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Mails\nLost", "Cards\nChampions"]
    assert ax.get_xlim() == (pytest.approx(-3.3), pytest.approx(70))
    gains = charts.plot_plan(PLAN.assign(profit_low=1.0), FMT)
    assert gains.get_xlim()[0] == 0
    assert charts.alt_text_plan(PLAN, FMT).endswith("Cards to Champions costs £5.00, earns £20.00.")


def test_a_budget_at_the_end_of_the_curve_is_marked():
    curve = pd.DataFrame(
        {"budget": [0, 25, 50, 75, 100], "expected_profit": range(5), "profit_low": range(5), "profit_high": range(5)}
    )
    assert texts(charts.plot_budget_curve(curve, 100, 101, FMT)) == ["budget"]
    described = charts.alt_text_budget_curve(curve, FMT)
    shown = [money for money in ("£0.00", "£25.00", "£50.00", "£75.00", "£100") if f"{money} earns" in described]
    assert shown == ["£0.00", "£25.00", "£50.00", "£100"]


def test_break_points_and_ranges_are_drawn_where_they_are():
    ax = charts.plot_break_points(PLAN)
    ranges, lifts, points = ax.collections
    assert [segment[:, 0].tolist() for segment in ranges.get_segments()] == [[0.0, 0.02], [0.01, 0.04]]
    assert lifts.get_offsets()[:, 0].tolist() == [0.01, 0.02]
    assert points.get_offsets()[1, 0] == 0.015
    assert len({tuple(colour) for colour in lifts.get_facecolors()}) == 2, "lines that are not planned are grey"
    assert ax.get_xlim() == (0, pytest.approx(0.044))
    described = charts.alt_text_break_points(PLAN, FMT)
    assert "Cards to Champions: range 1.0 points to 4.0 points, break point 1.5 points" in described
    assert described.endswith("Mails to Lost: range 0.0 points to 2.0 points.")
    assert ax.xaxis.get_major_formatter()(0.02) == "2", "in percentage points"
    legend = ax.get_legend().get_bbox_to_anchor().transformed(ax.transAxes.inverted())
    assert legend.y0 == pytest.approx(-0.55 / (0.36 * 2 + 0.3)), "below the axis, whatever the number of lines"


def test_nothing_is_described_of_nothing():
    assert charts.alt_text_break_points(PLAN.head(0), FMT).endswith(" No line.")
    assert charts.alt_text_past_campaigns(MEASURED.iloc[1:], FMT).endswith(" none.")
    assert charts.alt_text_plan(PLAN.assign(contacts=0), FMT) != charts.alt_text_plan(PLAN, FMT)


def test_campaigns_whose_groups_were_not_random_are_grey():
    both = MEASURED.assign(status=["measured", "observational"]).ffill()
    ax = charts.plot_past_campaigns(both, FMT)
    earned = ax.collections[1]
    assert len({tuple(colour) for colour in earned.get_facecolors()}) == 2
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
