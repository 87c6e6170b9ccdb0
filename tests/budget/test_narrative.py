"""The sentences of 05_budget: their numbers, and which sentence stands when."""

import pandas as pd
import pytest

from crm_utils.budget import findings, narrative, optimizer, sensitivity, verdicts
from crm_utils.budget.acquisition import NewCustomerValue
from crm_utils.budget.calibration import TOLERANCE
from crm_utils.budget.plan import build_plan
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from tests.support.budget_factories import CUSTOMERS_IN_CELLS as CUSTOMERS
from tests.support.budget_factories import LISTED_IN_CELLS as LISTED
from tests.support.budget_factories import campaigns, options

FMT = NumberFormat("GBP")
OFFERS = campaigns({"fixed_cost": 2}, {"segments": ["B"], "contact_cost": 9, "fixed_cost": 7})
TABLE = options(OFFERS, ("a", 0, "A", 30, 0.1, 40.0), ("b", 1, "B", 10, 0.1, 40.0))
NEW, LOYAL = verdicts.TARGET_GROUPS


def plan_at(budget: float) -> pd.DataFrame:
    allocated = optimizer.allocate(TABLE, OFFERS, budget)
    return build_plan(allocated, OFFERS, pd.Series(dtype=int))


def test_the_first_sentence_says_what_for_how_much_and_how_sure():
    said = narrative.recommendation(plan_at(1000), 1000, None, FMT)
    assert said.startswith("Spend £32 of the £1,000 on 1 campaign to 30 customers.")
    assert "£88, between £28 and £148" in said
    assert narrative.ALL_ASSUMED in said


def test_what_the_profit_rests_on():
    plan = plan_at(1000)
    assert narrative.ALL_MEASURED in narrative.recommendation(plan.assign(evidence="measured"), 1000, None, FMT)
    half = pd.concat(
        [plan, plan.assign(evidence="measured", expected_profit=plan.expected_profit / 3)], ignore_index=True
    )
    assert "25% of it rests on measured lifts" in narrative.recommendation(half, 1000, None, FMT)


def test_a_plan_without_a_line_says_why():
    assert narrative.NO_MONEY in narrative.recommendation(plan_at(0), 0, None, FMT)
    assert narrative.EARNS_BACK in narrative.recommendation(plan_at(0), 9, None, FMT)
    assert "earns 20% on what it costs" in narrative.recommendation(plan_at(0), 9, 0.2, FMT)


def test_a_report_with_another_separator_and_currency_writes_all_numbers_so():
    said = narrative.recommendation(plan_at(1000), 1000, None, NumberFormat("EUR", "."))
    assert "€32 of the €1.000" in said


def test_a_campaign_that_nobody_fits_is_named():
    assert narrative.nobody_fits(pd.DataFrame({"a": [True, False], "b": [False, True]})) is None
    said = narrative.nobody_fits(pd.DataFrame({"a": [True, False], "b": [False, False]}))
    assert said == narrative.NOBODY_FITS.format(campaigns="b", them="it")


def test_unspent_money_is_explained():
    assert narrative.CONTACTS_LOSE in narrative.unspent(plan_at(1000), 1000, None, 0.0, [], 5000.0, FMT)
    bound = narrative.unspent(plan_at(20), 20, None, 42.0, ["the budget"], 5000.0, FMT)
    assert "limited by the budget" in bound
    assert "The next £1,000 would earn £42.00 more." in bound
    nothing = narrative.unspent(plan_at(20), 20, None, 0.0, ["the budget"], 5000.0, FMT)
    assert nothing == "The next £1,000 would earn nothing more."
    limited = narrative.unspent(plan_at(20), 20, None, 0.0, ["the capacity of a"], 5000.0, FMT)
    assert "the capacity of a" in limited
    assert narrative.RAISE_LIMITS in limited


def test_money_that_the_campaigns_cannot_use_is_said_with_the_sum_they_could():
    """Everybody at the most expensive: 30 × 1 + 10 × 9, and fixed costs of 2 + 7."""
    most = sensitivity.max_useful_spend(TABLE, OFFERS, 0.0)
    assert most == pytest.approx(129)
    assert "would cost only £129," in narrative.unspent(plan_at(1000), 1000, None, 0.0, [], most, FMT)
    assert "would cost only" not in narrative.unspent(plan_at(100), 100, None, 0.0, [], most, FMT)


def test_what_would_change_how_much_is_worth_spending():
    """Campaign b pays once its lift or margin is doubled: 10 × (8 − 9) still loses, 10 × (16 − 9) − 7 does not."""
    found = sensitivity.what_if_doubled(TABLE, OFFERS, 1000, 0.0).set_index("scenario")
    assert found.spend["as planned"] == found.spend["lifts twice as high"] == pytest.approx(32)
    assert found.spend["contacts and fixed costs at half the price"] == pytest.approx(16)
    assert found.spend["lifts and margin both twice as high"] == pytest.approx(32 + 90 + 7)
    assert found.expected_profit.iloc[-1] == pytest.approx(30 * 15 - 2 + 10 * (16 - 9) - 7)
    said = narrative.what_if_doubled(found.reset_index(), 1000, None, FMT)
    assert "would use only £129 of the £1,000" in said
    assert "lifts twice as high would earn £208 instead of £88" in said
    whole = narrative.what_if_doubled(found.assign(unspent=0.0).reset_index(), 1000, None, FMT)
    assert narrative.TOGETHER_USE_ALL in whole
    assert "£129" not in narrative.what_if_doubled(found.reset_index(), 1000, 0.2, FMT)


def test_scenarios_name_the_hardest_and_what_the_plan_earns_at_the_low_ends():
    table = pd.DataFrame(
        {"scenario": ["as planned", "lifts low", "margin high"], "expected_profit": [88.0, 40.0, 100.0]}
    )
    plan = plan_at(1000)
    said = narrative.scenarios(table, plan, FMT)
    assert "“lifts low”" in said
    assert "£40.00 instead of £88.00" in said
    assert "earns £28.00 if every lift is at the low end" in said
    assert narrative.SAFE_LINES.format(safe=1, lines="1 line") in said
    doubtful = narrative.scenarios(table.iloc[[0, 2]], plan.assign(profit_low=-5.0), FMT)
    assert doubtful.startswith(narrative.NO_WORSE_SCENARIO)
    assert "loses £5.00" in doubtful
    assert narrative.NO_SAFE_LINE in doubtful


def test_a_measured_campaign_that_is_left_out_is_set_beside_what_is_planned():
    found = pd.DataFrame(
        {"campaign": ["a"], "alone": 90.0, "low": 30.0, "instead": [["b"]], "instead_earns": 210.0, "assumed": True}
    )
    said = narrative.measured_but_unplanned(found, FMT)
    assert "£90.00 (£30.00 at the low end" in said
    assert "b is expected to earn £210, which rests on assumed lifts." in said
    assert narrative.measured_but_unplanned(found.iloc[:0], FMT) == ""
    assert narrative.measured_but_unplanned(found.assign(alone=-1.0), FMT) == ""


FORECAST = pd.DataFrame({"segment": ["all", "A", "all"], "months": [12, 3, 3], "revenue": [900.0, 50.0, 200.0]})


def test_what_comes_anyway_stands_beside_what_the_plan_adds():
    forecast = FORECAST
    plan = plan_at(1000).assign(incentives_to_baseline_buyers=[1.5, 0.75])
    said = narrative.baseline_and_increment(plan, forecast, 0.3, True, FMT)
    assert "£60.00 of margin" in said and "(£200 of revenue at a margin of 30%, from the costs in the data)" in said
    assert "adds £88.00" in said and "£2.25 of what it costs" in said
    empty = narrative.baseline_and_increment(plan_at(0), forecast, 0.3, False, FMT)
    assert empty.endswith("30%, an assumption).")
    too_short = narrative.baseline_and_increment(plan_at(0), forecast[forecast.months == 12], 0.3, False, FMT)
    assert too_short == narrative.NO_BASELINE


def test_the_best_budget_is_compared_with_the_one_given():
    curve = pd.DataFrame({"budget": [0.0, 50.0, 100.0], "expected_profit": [0.0, 60.0, 80.0]})
    assert "£100, less than the £500" in narrative.best_budget(curve, 500, 100, FMT)
    assert "£100, the whole of the £100" in narrative.best_budget(curve, 100, 100, FMT)
    assert "£100, more than the £50 given" in narrative.best_budget(curve, 50, 100, FMT)
    assert "75% of the profit" in narrative.best_budget(curve, 500, 100, FMT)
    assert "of the profit" not in narrative.best_budget(curve.iloc[2:], 500, 100, FMT)
    assert narrative.best_budget(curve.assign(expected_profit=0.0), 500, 0, FMT) == narrative.NO_BUDGET_PAYS


def test_rules_of_thumb_are_given_the_plans_money():
    table = pd.DataFrame(
        {
            "way": ["this plan", "equal split"],
            "spend": [30.0, 29.0],
            "contacts": [30, 29],
            "expected_profit": [88.0, 20.0],
        }
    )
    said = narrative.benchmarks(table, FMT)
    assert "(equal split) would earn £20.00" in said
    assert "The plan earns £88.00 on £30.00." in said
    assert "would lose £20.00" in narrative.benchmarks(table.assign(expected_profit=[88.0, -20.0]), FMT)
    assert narrative.benchmarks(table.assign(expected_profit=88.0), FMT).startswith("Equal split would earn as much")
    assert narrative.benchmarks(table.assign(contacts=0), FMT) == ""


def test_break_points_inside_the_ranges_are_to_be_measured_first():
    plan = plan_at(1000).assign(break_point_lift=[0.06, 0.3])
    seen = pd.DataFrame({"campaign": ["a"], "minimum_detectable_lift": [0.05], "lift": [0.1]})
    said = narrative.break_points(plan, seen, FMT)
    assert said == narrative.DECISIONS_CHANGE.format(inside=1, decisions="2 decisions", campaigns="a")
    assert narrative.break_points(plan, seen.assign(minimum_detectable_lift=0.2), FMT).endswith(
        narrative.LISTS_TOO_SMALL
    )
    nowhere = plan.assign(break_point_lift=float("nan"))
    assert narrative.break_points(nowhere, seen, FMT) == narrative.NO_DECISION_CHANGES


def groups_said(plan: pd.DataFrame, audience: pd.DataFrame, listed: list[str]) -> str:
    offers = pd.DataFrame({"name": ["Mail"], "group": [NEW]})
    targets = pd.DataFrame({"customer_id": pd.Series(listed, dtype=str)})
    return narrative.target_groups(plan, offers, audience, targets, FMT)


def test_the_plan_for_each_of_the_two_groups():
    plan = pd.DataFrame(
        {"campaign": ["Mail"], "segment": ["A"], "contacts": [10], "spend": [50.0], "expected_profit": [20.0]}
    )
    ten = pd.DataFrame({"Mail": [True] * 10}, index=[str(number) for number in range(10)])
    said = groups_said(plan, ten, [])
    assert "of 10 customers who may be contacted, contact 10 with Mail for £50.00, for a profit of £20.00." in said
    assert said.endswith(narrative.NO_CAMPAIGN_FOR_GROUP.format(group=LOYAL.capitalize()))
    nobody = groups_said(plan, ten & False, [])
    assert narrative.NOBODY_IN_GROUP.format(group=NEW.capitalize(), campaigns="1 campaign", are="is") in nobody
    unplanned = plan.assign(contacts=0)
    assert "2 of them are on the lists of other campaigns." in groups_said(unplanned, ten, ["3", "7", "x"])
    assert "lists of other campaigns" not in groups_said(unplanned, ten, ["x"])


def test_strategy_cells_say_what_is_empty_and_what_is_left_alone():
    said = narrative.strategy_cells(verdicts.strategy_cells(CUSTOMERS, LISTED, 5), FMT)
    assert "nobody is in 413 and 355 today" in said
    assert "has 3 customers; 1 of them is on a list, because" in said
    spared = narrative.strategy_cells(verdicts.strategy_cells(CUSTOMERS, LISTED.iloc[:0], 5), FMT)
    assert spared.endswith("has 3 customers; none of them is on a list.")
    without = narrative.strategy_cells(verdicts.strategy_cells(CUSTOMERS.iloc[[0, 3]], LISTED, 5), FMT)
    assert "leaves alone" not in without


def test_with_other_score_classes_no_cell_is_shown():
    none = verdicts.strategy_cells(CUSTOMERS, LISTED, 10)
    assert narrative.strategy_cells(none, FMT) is None
    offers = pd.DataFrame({"name": ["Mail"], "group": [NEW]})
    audience = pd.DataFrame({"Mail": [False]}, index=["b"])
    assert findings.target_groups(plan_at(1000), offers, audience, LISTED, none, FMT).table is None


def test_segments_of_low_potential_are_named_with_what_they_would_lose():
    table = pd.DataFrame(
        {"segment": ["A", "B", "C"], "verdict": ["worthwhile", *["low potential"] * 2], "eligible": [9, 11, 4],
         "cost_of_contacting_all": [float("nan"), -55.0, -22.0]}
    )  # fmt: skip
    said = narrative.low_potential(table, FMT)
    assert "on B and C: for the 15 customers" in said
    assert said.endswith("would lose £77.00.")
    assert narrative.low_potential(table.iloc[:1], FMT) == narrative.NOTHING_TO_LEAVE_OUT


NOT_OBSERVED = NewCustomerValue(3, *[float("nan")] * 5, per_year=10, reason="too few")


def test_the_limit_for_a_new_customer_by_the_models():
    limit = verdicts.acquisition_limit(20.0, 30.0, 1.5, 0.3)
    said = narrative.acquisition(limit, NOT_OBSERVED, FORECAST, False, FMT)
    assert "up to £18.00: at a margin of 30% (an assumption)" in said
    short = FORECAST[FORECAST.months < 12]
    assert isinstance(narrative.acquisition(limit, NOT_OBSERVED, short, False, FMT), NotApplicable)


def test_the_limit_for_a_new_customer_by_what_earlier_ones_brought():
    """What was observed comes first, and the models' value beside it if there is one."""
    limit = verdicts.acquisition_limit(20.0, 30.0, 1.5, 0.3)
    value = NewCustomerValue(2591, 400.0, 360.0, 452.0, 180.0, 300.0, 1200)
    said = narrative.acquisition(limit, value, FORECAST, False, FMT)
    for number in ("up to £400.00", "2,591 customers", "£360.00 to £452.00", "30%", "£180.00 or less", "£300.00"):
        assert number in said
    assert said.endswith("The models expect £18.00.")
    assert "models" not in narrative.acquisition(limit, value, FORECAST[FORECAST.months < 12], False, FMT)


def test_lists_and_who_is_held_back():
    targets = pd.DataFrame({"campaign": "a", "segment": ["A", "A", "B", "B"], "group": ["control", *["treatment"] * 3]})
    assert "2 lists hold 4 customers, each of them once. 1 of them (25%)" in narrative.lists(targets, FMT)
    assert narrative.lists(targets.iloc[:0], FMT) == narrative.NO_LISTS


def test_power_names_the_campaigns_that_cannot_be_measured():
    table = pd.DataFrame({"campaign": ["a", "b"], "lift": 0.05, "minimum_detectable_lift": [0.04, float("nan")]})
    assert "The lift of b is" in narrative.power(table)
    assert narrative.power(table.iloc[:1]) == narrative.ALL_MEASURABLE
    assert narrative.power(table.iloc[:0]) == ""


def test_reach_names_the_campaign_that_reaches_the_fewest():
    table = pd.DataFrame({"campaign": ["a", "b"], "customers": [10, 10], "reachable": [9, 2], "share": [0.9, 0.2]})
    said = narrative.reach_by_campaign(table, pd.DataFrame())
    assert "55%" in said and "b (20%)" in said
    assert narrative.reach_by_campaign(table, None) == narrative.NO_CONTACTS_TABLE


PAST = pd.DataFrame(
    {
        "campaign": ["Spring", "Summer", "Autumn"],
        "status": ["measured", "measured", "observational"],
        "incremental_profit": [300.0, float("nan"), 900.0],
        "incremental_profit_low": [-50.0, float("nan"), 0.0],
        "incremental_profit_high": [650.0, float("nan"), 0.0],
        "forecast_profit": [200.0, float("nan"), 100.0],
    }
)


def test_past_campaigns_in_one_sentence():
    said = narrative.past_campaigns(PAST, FMT)
    assert said.startswith("Spring,")
    assert "earned £300 (90% interval: −£50.00 to £650)" in said
    assert "promised £200" in said
    assert said.endswith(narrative.OBSERVATIONAL.format(campaigns="1 campaign", are="is"))
    several = narrative.past_campaigns(PAST.assign(status="measured"), FMT)
    assert "2 measured campaigns" in several and "earned £1,200" in several and "promised £300" in several
    assert narrative.NONE_MEASURABLE in narrative.past_campaigns(PAST.iloc[2:], FMT)
    assert "1 past campaign can be measured, but its costs" in narrative.past_campaigns(PAST.iloc[1:2], FMT)
    assert isinstance(narrative.past_campaigns(PAST.iloc[:0], FMT), NotApplicable)


def test_calibration_names_the_segments_it_misses():
    held_out = pd.DataFrame({"segment": ["A", "B", "C"], "error": [0.2 * TOLERANCE, -1.2 * TOLERANCE, 4 * TOLERANCE]})
    assert "within 5 points in 1 of 2 segments; not in B" in narrative.calibration(held_out.iloc[:2], FMT)
    assert "in only 1 of 3 segments: A" in narrative.calibration(held_out, FMT)
    assert "in none of 2 segments" in narrative.calibration(held_out.iloc[1:], FMT)
    assert narrative.calibration(held_out.iloc[:1], FMT).endswith("in 1 of 1 segment.")
    assert narrative.calibration(held_out.iloc[:0], FMT) == narrative.HISTORY_TOO_SHORT
