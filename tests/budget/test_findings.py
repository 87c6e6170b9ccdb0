"""The findings of 05_budget: sentence, figure and table of each answer, and what is left out if there is nothing."""

import pandas as pd
import pytest
from matplotlib import pyplot as plt

from crm_utils.budget import findings, narrative, tables, verdicts
from crm_utils.budget.gates import Gate, GateState
from crm_utils.budget.plan import build_plan
from crm_utils.budget.unit_economics import price_messages
from crm_utils.budget.year import Line
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from tests.support.budget_factories import LISTED_IN_CELLS as LISTED
from tests.support.budget_factories import audience_of, campaigns, options
from tests.support.page_tables import cell_texts
from tests.support.year_plans import DAY, TOO_YOUNG, VALUE, year_plan, year_problem

FMT = NumberFormat("GBP")
OFFERS = campaigns({"name": "Mail"}, {"name": "Card"})
OPTIONS = price_messages(options(OFFERS, ("Mail", 0, "A", 3, 0.1, 40.0)), OFFERS, 0.8, 0, 1)
YEAR = year_plan([(0, "Mail", 100, 1.0, 2.0), (1, "Card", 20, 2.0, 5.0)], fixed={"Mail": 25.0})
FORECAST = pd.DataFrame({"segment": ["all"], "months": [12], "revenue": [900.0]})
LIMIT = verdicts.acquisition_limit(20.0, 30.0, 1.5, 0.3)
PAYBACK = pd.DataFrame({"day": [0, 100], "margin": [60.0, 81.0]})
WON = pd.DataFrame({"wave": [1], "customers_won": [0.0], "spend": [0.0]})


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_the_recommendation_has_its_lines_as_figure_and_table():
    lines = pd.DataFrame({"line": list(Line), "spend": [165.0, 0, 0, 0, 835.0], "expected_profit": [275.0, 0, 0, 0, 0]})
    problem = year_problem(OFFERS, 1000.0)
    shown = findings.recommendation(YEAR, lines, (100.0, 400.0), problem, VALUE, None, 0.0, DAY, FMT)
    assert "spend £165 of the £1,000" in shown.sentence
    assert narrative.STAYS_UNSPENT.format(left="£835") in shown.sentence
    assert narrative.COST_MISSING.format(value="£100.00") in shown.sentence
    assert shown.figure is not None
    assert cell_texts(tables.budget_lines(lines, FMT))[-1][:2] == ["Total", "£1,000"]
    nothing = lines.assign(spend=0.0, expected_profit=0.0)
    none = findings.recommendation(
        year_plan([]), nothing, (0.0, 0.0), year_problem(OFFERS, 0.0), VALUE, None, 0.0, DAY, FMT
    )
    assert none.figure is None


def test_the_change_from_today_is_drawn_only_if_todays_spending_is_known():
    today = pd.DataFrame({"campaign": ["Mail"], "spend": [90.0], "expected_profit": [70.0]})
    shown = findings.change_from_today(today, YEAR, FMT)
    assert "£70.00" in shown.sentence and "£275" in shown.sentence
    assert [label.get_text() for label in shown.ax.get_yticklabels()] == ["Today", "Mail", "Card", "Plan"]
    unknown = findings.change_from_today(today.iloc[:0], YEAR, FMT)
    assert isinstance(unknown.sentence, NotApplicable)
    assert unknown.figure is None


def test_the_budget_curve_of_the_plan_given():
    curve = pd.DataFrame({"budget": [0.0, 500.0, 1000.0, 2000.0], "contacts_profit": [0.0, 275, 275, 275]})
    curve = curve.assign(acquisition_profit=0.0, expected_profit=curve.contacts_profit)
    simple = pd.DataFrame({"plan": ["nothing"], "contacts": 0.0, "spend": 0.0, "expected_profit": 0.0})
    shown = findings.budget_curve(curve, simple, YEAR, year_problem(OFFERS, 1000.0), FMT)
    assert shown.sentence == narrative.CURVE_FLAT.format(spend="£165", half="£0.00")
    assert shown.figure is not None


def test_lists_gates_and_lifts_are_one_answer_and_what_is_empty_is_left_out():
    lifts = pd.DataFrame({"campaign": ["Mail"], "customers": [90.0], "waves": [1.0], "verdict": ["measured"]})
    gates = pd.DataFrame(
        {"gate": [Gate.RESERVE], "campaign": "", "decide_on": pd.Timestamp(DAY), "limit": 0.0, "releases": 835.0,
         "observed": 0.0, "state": GateState.CLOSED}
    )  # fmt: skip
    nobody = LISTED.iloc[:0].assign(segment="")
    plan = build_plan(OPTIONS.assign(contacts=0), OFFERS, pd.Series(dtype=int))
    audience = audience_of(pd.DataFrame({"Mail": True}, index=list("abc")), pd.Series([True, False, False]))
    left_alone = pd.DataFrame(
        {"customer_id": ["a", "b", "c"], "reason": ["no consent", "no consent", "contacted lately"]}
    )
    shown = findings.lists(nobody, plan, audience, left_alone, lifts, gates, 2.5, FMT)
    counted = "3 customers may not be contacted in this wave: no consent (2) and contacted lately (1)."
    for said in (narrative.NO_LISTS, "1 of 3 customers is", "£2.50", "0 open, 1 closed", counted):
        assert said in shown.sentence
    assert len(shown.table.contents) == 2, "the gates and the lifts; no list will show anything"
    nothing = findings.lists(nobody, plan, audience, left_alone.iloc[:0], lifts.iloc[:0], gates.iloc[:0], 2.5, FMT)
    assert narrative.NO_GATES in nothing.sentence
    assert nothing.table is None


NO_COHORTS = pd.DataFrame({"cohort": []})


def test_a_young_shop_has_no_payback_curve():
    known = findings.acquisition(LIMIT, VALUE, PAYBACK, NO_COHORTS, None, WON, FORECAST, True, FMT)
    assert known.figure is not None and known.table is not None
    young = findings.acquisition(LIMIT, TOO_YOUNG, PAYBACK, NO_COHORTS, None, WON, FORECAST, True, FMT)
    assert young.figure is None and young.table is None
    assert "£18.00" in young.sentence
    nothing = findings.acquisition(LIMIT, TOO_YOUNG, PAYBACK, NO_COHORTS, None, WON, FORECAST.iloc[:0], True, FMT)
    assert isinstance(nothing.sentence, NotApplicable)


def test_a_short_history_says_that_nothing_was_checked():
    nothing = pd.DataFrame()
    shown = findings.calibration(nothing, nothing, FMT)
    assert shown.sentence == f"{narrative.HISTORY_TOO_SHORT} {narrative.SIZES_UNKNOWN}"
    assert shown.table is None
