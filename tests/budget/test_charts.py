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
