"""What the figures of the budget show."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from crm_utils.budget import charts
from crm_utils.budget.tables import LINE_NAMES
from crm_utils.budget.year import Line
from crm_utils.core.formatting import NumberFormat

FMT = NumberFormat("GBP")
NAN = float("nan")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def texts(ax) -> list[str]:
    return [text.get_text().strip() for text in ax.texts]


def ticks(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def widths(ax) -> list[float]:
    return [bar.get_width() for bar in ax.patches]


LINES = pd.DataFrame(
    {"line": list(Line), "spend": [5.0, 0.0, 60.0, 2.0, 33.0], "expected_profit": [20.0, 0.0, 40.0, -3.0, 0.0]}
)


def test_lines_with_money_are_drawn_the_first_on_top_and_the_reserve_earns_nothing():
    ax = charts.plot_lines(LINES, FMT)
    assert ticks(ax) == [LINE_NAMES[line] for line in (Line.RESERVE, Line.LEARN, Line.NEW, Line.KEEP)]
    assert widths(ax) == [0, -3, 40, 20, 33, 2, 60, 5], "first what they earn, then the money"
    assert texts(ax) == [
        "£33.00", "profit −£3.00", "£2.00", "profit £40.00", "£60.00", "profit £20.00", "£5.00"
    ]  # fmt: skip
    assert ax.get_xlim() == (pytest.approx(-3.3), pytest.approx(60 * charts.ROOM_FOR_LABELS))
    described = charts.alt_text_lines(LINES, FMT)
    assert f"{LINE_NAMES[Line.NEW]}: £60.00, profit £40.00" in described


CALENDAR = pd.DataFrame({"wave": [1, 1, 3], "spend": [100.0, 50.0, 30.0]})
WON = pd.DataFrame(
    {
        "wave": [1, 2, 3],
        "starts_on": pd.to_datetime(["2024-10-01", "2024-12-31", "2025-04-01"]),
        "spend": [800.0, 700.0, 0.0],
    }
)


def test_each_wave_shows_its_money_also_one_without_a_campaign():
    ax = charts.plot_calendar(CALENDAR, WON, FMT)
    assert [bar.get_height() for bar in ax.patches] == [150, 0, 30, 800, 700, 0]
    assert [bar.get_y() for bar in ax.patches] == [0, 0, 0, 150, 0, 30], "new customers stand on the campaigns"
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels == ["Wave 1\n1 October 2024", "Wave 2\n31 December 2024", "Wave 3\n1 April 2025"]
    assert ax.get_legend() is not None
    described = charts.alt_text_calendar(CALENDAR, WON, FMT)
    assert "wave 2 £0.00 and £700" in described
    assert "wave 3 £30.00 and £0.00" in described


def test_waves_without_new_customers_have_bars_of_one_kind():
    ax = charts.plot_calendar(CALENDAR, WON.assign(spend=0.0), FMT)
    assert [bar.get_height() for bar in ax.patches] == [150, 0, 30]
    assert ax.get_legend() is None


CURVE = pd.DataFrame(
    {
        "budget": [0.0, 25.0, 50.0, 75.0, 100.0],
        "contacts_profit": [0.0, 9.0, 9.0, 9.0, 9.0],
        "acquisition_profit": [0.0, 0.0, 4.0, 6.0, 7.0],
        "expected_profit": [0.0, 9.0, 13.0, 15.0, 16.0],
    }
)
SIMPLE = pd.DataFrame({"plan": ["a", "b"], "spend": [40.0, 400.0], "expected_profit": [5.0, 90.0]})


def test_the_curve_stacks_campaigns_and_new_customers_and_marks_the_budget():
    ax = charts.plot_budget_curve(CURVE, SIMPLE, 50.0, FMT)
    campaigns, customers, dots = ax.collections
    assert campaigns.get_paths()[0].vertices[:, 1].max() == 9
    assert customers.get_paths()[0].vertices[:, 1].max() == 16
    assert dots.get_offsets().tolist() == [[40, 5]], "a plan beyond the curve is not drawn"
    assert texts(ax) == ["budget"]
    assert ax.texts[0].get_position()[0] == 50
    assert ax.get_xlim() == (0, 100)
    described = charts.alt_text_budget_curve(CURVE, FMT)
    for point in ("£0.00 earns £0.00", "£25.00 earns £9.00", "£50.00 earns £13.00", "£100 earns £16.00"):
        assert point in described
    assert "£75.00" not in described


def test_a_budget_of_nothing_has_a_curve_of_one_point():
    assert charts.plot_budget_curve(CURVE.iloc[:1], SIMPLE, 0.0, FMT).get_xlim() == (0, 1)


TODAY = pd.DataFrame({"campaign": ["Mail", "Post"], "expected_profit": [10.0, -30.0]})
PLANNED = pd.DataFrame({"campaign": ["Mail", "Card"], "expected_profit": [4.0, 50.0]})


def test_the_waterfall_leads_from_today_to_the_plan():
    """−20, then 50 for the cards, 30 for no more post, −6 for the mails: 54."""
    ax = charts.plot_change(TODAY, PLANNED, FMT)
    assert ticks(ax) == ["Today", "Card", "Post", "Mail", "Plan"]
    assert widths(ax) == [-20, 50, 30, -6, 54]
    assert [bar.get_x() for bar in ax.patches] == [0, -20, 30, 60, 0], "each step starts where the one before ends"
    assert texts(ax) == ["−£20.00", "£50.00", "£30.00", "−£6.00", "£54.00"]
    low, high = ax.get_xlim()
    assert low <= -20 and high >= 60
    described = charts.alt_text_change(TODAY, PLANNED, FMT)
    assert "earns −£20.00" in described and "earns £54.00" in described


def test_what_stays_as_it_is_has_no_step():
    assert ticks(charts.plot_change(TODAY, TODAY, FMT)) == ["Today", "Plan"]


POINTS = pd.DataFrame(
    {
        "campaign": ["Cards", "Mails", "Calls"],
        "waves": [2, 0, 0],
        "lift": [0.02, 0.01, 0.03],
        "lift_low": [0.01, 0.0, 0.02],
        "lift_high": [0.04, 0.02, 0.05],
        "break_point_lift": [0.015, 0.018, NAN],
    }
)


def test_break_points_and_ranges_are_drawn_where_they_are():
    """Calls would not run anywhere in their range, so they are left out."""
    ax = charts.plot_break_points(POINTS)
    ranges, lifts, points = ax.collections
    assert ticks(ax) == ["Mails", "Cards"]
    assert [segment[:, 0].tolist() for segment in ranges.get_segments()] == [[0.0, 0.02], [0.01, 0.04]]
    assert lifts.get_offsets()[:, 0].tolist() == [0.01, 0.02]
    assert points.get_offsets()[:, 0].tolist() == [0.018, 0.015]
    assert len({tuple(colour) for colour in lifts.get_facecolors()}) == 2, "campaigns that are not planned are grey"
    assert ax.get_xlim() == (0, pytest.approx(0.044))
    assert ax.xaxis.get_major_formatter()(0.02) == "2", "in percentage points"
    legend = ax.get_legend().get_bbox_to_anchor().transformed(ax.transAxes.inverted())
    assert legend.y0 == pytest.approx(-0.55 / (0.36 * 2 + 0.3)), "below the axis, whatever the number of campaigns"
    described = charts.alt_text_break_points(POINTS, FMT)
    assert "Cards: range 1.0 points to 4.0 points, break point 1.5 points" in described
    assert "Calls" not in described
    certain = POINTS.iloc[:1].assign(break_point_lift=NAN)
    assert charts.alt_text_break_points(certain, FMT).endswith("Cards: range 1.0 points to 4.0 points.")


PAYBACK = pd.DataFrame({"day": [0, 100, 200, 300], "margin": [60.0, 81.0, 90.0, 99.0]})


def test_the_payback_curve_has_a_line_at_the_cost_if_it_is_known():
    ax = charts.plot_payback(PAYBACK, 120.0, FMT)
    curve, cost = ax.lines
    assert curve.get_ydata().tolist() == PAYBACK.margin.tolist()
    assert set(cost.get_ydata()) == {120.0}
    assert ax.get_ylim() == (0, pytest.approx(138))
    unknown = charts.plot_payback(PAYBACK, None, FMT)
    assert len(unknown.lines) == 1 and not unknown.texts
    assert unknown.get_ylim() == (0, pytest.approx(99 * 1.15))
    assert "day 100 £81.00" in charts.alt_text_payback(PAYBACK, FMT)


def test_nothing_is_drawn_of_nothing():
    assert charts.plot_lines(LINES.assign(spend=0.0, expected_profit=0.0), FMT) is None
    assert charts.plot_calendar(CALENDAR.iloc[:0], WON.assign(spend=0.0), FMT) is None
    assert charts.plot_change(TODAY.iloc[:0], PLANNED, FMT) is None
    assert charts.plot_break_points(POINTS.iloc[2:]) is None
    assert charts.plot_payback(PAYBACK.iloc[:1], 55.0, FMT) is None
    assert charts.plot_past_campaigns(MEASURED.iloc[1:], FMT) is None
    assert not plt.get_fignums()


def test_nothing_is_described_of_nothing():
    assert charts.alt_text_break_points(POINTS.iloc[2:], FMT).endswith(" No campaign.")
    assert charts.alt_text_payback(PAYBACK.iloc[:1], FMT) == "No days were observed."
    assert charts.alt_text_past_campaigns(MEASURED.iloc[1:], FMT).endswith(" none.")


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


def test_campaigns_whose_groups_were_not_random_are_grey():
    both = MEASURED.assign(status=["measured", "observational"]).ffill()
    ax = charts.plot_past_campaigns(both, FMT)
    earned = ax.collections[1]
    assert len({tuple(colour) for colour in earned.get_facecolors()}) == 2
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]
