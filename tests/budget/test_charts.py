"""What the figures of the budget show."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from crm_utils.budget import charts

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
    ax = charts.plan(PLAN, "GBP")
    assert texts(ax) == ["earns £20 (−£3 to £40)", "costs £5.00"]
    assert ax.get_xlim()[0] < -3
    assert ax.get_xlim()[1] > 40


def test_the_curve_marks_the_sensible_budget_and_the_budget_only_where_it_lies_on_it():
    curve = pd.DataFrame(
        {"budget": [0, 50, 100], "expected_profit": [0, 9, 9], "profit_low": [0, 1, 1], "profit_high": [0, 20, 20]}
    )
    assert texts(charts.budget_curve(curve, 80, 50, "GBP")) == ["sensible budget", "budget"]
    assert texts(charts.budget_curve(curve, 5000, 50, "GBP")) == ["sensible budget"]


def test_flip_points_stand_beside_the_ranges():
    ax = charts.flip_points(PLAN)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["Mails · Lost", "Cards · Champions"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "assumed range",
        "lift planned with",
        "flip point",
    ]


def test_figures_of_nothing_are_drawn():
    assert charts.plan(PLAN.head(0), "GBP").patches is not None
    assert texts(charts.flip_points(PLAN.head(0))) == []


def test_earned_and_promised_stand_beside_each_other():
    measured = pd.DataFrame(
        {"campaign": ["a", "b"], "earned": [5.0, None], "earned_low": [1.0, None], "earned_high": [9.0, None], "promised": [7.0, None], "use": "measured"}
    )  # fmt: skip
    ax = charts.earned(measured, "GBP")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a"]
