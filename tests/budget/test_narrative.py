"""The sentences of 05_budget: their numbers, and which sentence stands when."""

from dataclasses import replace

import pandas as pd
import pytest

from crm_utils.budget import gates, learning, narrative, verdicts, year_sensitivity
from crm_utils.budget.calibration import TOLERANCE
from crm_utils.budget.plan import LATER
from crm_utils.budget.simple_plans import CURRENT_SPENDING
from crm_utils.config.acquisition import Acquisition
from crm_utils.core.display.paragraphs import NotApplicable
from crm_utils.core.formatting import NumberFormat
from tests.support.budget_factories import CUSTOMERS_IN_CELLS as CUSTOMERS
from tests.support.budget_factories import LISTED_IN_CELLS as LISTED
from tests.support.budget_factories import campaigns
from tests.support.year_plans import DAY, TOO_YOUNG, VALUE, year_plan, year_problem

FMT = NumberFormat("GBP")
NAN = float("nan")
NEW, LOYAL = verdicts.TARGET_GROUPS
COSTS = Acquisition(cost_per_customer=80.0, cost_from="an example")
OFFERS = campaigns({"name": "Mail"}, {"name": "Card"}, {"name": "News"}).assign(
    evidence=["measured", "published", "assumed"]
)
# 190 on contacts, 50 on preparation, 1,600 on new customers; earns 400 − 50 + 400
YEAR = year_plan(
    [(0, "Mail", 100, 1.0, 2.0), (1, "Mail", 50, 1.0, 2.0), (0, "Card", 20, 2.0, 5.0)],
    [(10, 800.0, 200.0), (10, 800.0, 200.0)],
    {"Mail": 25.0},
    bound=765.0,
)
ONLY_NEW = year_plan([], [(10, 800.0, 200.0), (1, 9.5, 5.0)])
NOTHING = year_plan([])


def recommended(year, budget=5000.0, target_roi=None, value=VALUE, costs=COSTS, fmt=FMT) -> str:
    problem = year_problem(OFFERS, budget, target_roi=target_roi)
    return narrative.recommendation(year, (500.0, 900.0), problem, value, costs, DAY, fmt)


def test_the_first_sentence_says_what_until_when_for_how_much_and_how_sure():
    said = recommended(YEAR)
    assert said.startswith("From 1 October 2024 to 31 March 2025 (2 waves of 91 days), spend £1,840 of the £5,000: ")
    assert "£240 on 2 campaigns to customers and £1,600 to win 20 new customers." in said
    assert "£750, between £500 and £900" in said


def test_the_decision_in_brief_has_two_sentences():
    problem = year_problem(OFFERS, 5000.0)
    said = narrative.decision_in_brief(YEAR, (500.0, 900.0), problem, DAY, FMT)
    assert recommended(YEAR).startswith(said.split(" Expected")[0]), "the same first sentence as on page 05"
    assert said.endswith(narrative.EXPECTED_PROFIT_BRIEF.format(profit="£750", low="£500", high="£900"))
    idle = narrative.decision_in_brief(NOTHING, (0.0, 0.0), problem, DAY, FMT)
    assert idle == recommended(NOTHING, costs=None, value=TOO_YOUNG).split(" What a new customer")[0]


def test_a_plan_of_one_kind_names_only_that():
    without = recommended(ONLY_NEW)
    assert "spend £810 of the £5,000 to win 11 new customers." in without
    small = recommended(year_plan([(0, "Mail", 1, 1.5, 2.0)]))
    assert "spend £1.50 of the £5,000 on 1 campaign to customers." in small


def test_what_the_profit_rests_on_the_largest_share_first():
    """New customers earn 400 of 750, the measured mail 300 − 50, the card of a published experiment 100."""
    said = recommended(YEAR)
    names = [narrative.EVIDENCE_NAMES[kind].format(cost_from="an example") for kind in ("new", "measured", "published")]
    assert f"53% rests on {names[0]}, 33% on {names[1]} and 13% on {names[2]}." in said
    assert narrative.EVIDENCE_NAMES["assumed"] not in said, "it has no share"
    assumed = recommended(year_plan([(0, "News", 10, 1.0, 2.0)]))
    assert f"100% rests on {narrative.EVIDENCE_NAMES['assumed']}." in assumed
    loses = recommended(year_plan([(0, "News", 10, 1.0, -2.0)]))
    assert "rests on" not in loses


def test_a_return_on_the_money_replaces_the_budget():
    said = recommended(YEAR, target_roi=0.2)
    assert "£5,000" not in said
    assert "spend £1,840 (for a profit of 20% on it): " in said


def test_a_plan_without_any_campaign_says_why():
    assert recommended(NOTHING, 0.0).endswith(f"spend none of the £0: {narrative.NO_MONEY}.")
    assert narrative.EARNS_BACK in recommended(NOTHING, 9.0)
    assert "earns 20% on what it costs" in recommended(NOTHING, 0.0, 0.2)


def test_the_one_number_that_is_missing_is_asked_for():
    asked = narrative.COST_MISSING.format(value="£100.00")
    assert recommended(YEAR, costs=None).endswith(asked)
    assert recommended(NOTHING, costs=None).endswith(asked)
    assert asked not in recommended(YEAR)
    assert recommended(YEAR, value=TOO_YOUNG).endswith(narrative.COST_MISSING_YOUNG.format(reason="too few"))
    closed = replace(VALUE, per_year=0)
    assert recommended(YEAR, value=closed, costs=None).endswith(narrative.COST_MISSING_CLOSED)


def test_a_report_with_another_separator_and_currency_writes_all_numbers_so():
    assert "€1.840 of the €5.000: €240 on" in recommended(YEAR, fmt=NumberFormat("EUR", "."))


def reserved(year, budget: float, next_profit: float = 0.0, target_roi: float | None = None) -> str:
    return narrative.reserve(year, year_problem(OFFERS, budget, target_roi=target_roi), next_profit, FMT)


def test_money_that_is_left_is_explained():
    said = reserved(YEAR, 5000.0)
    assert said.startswith(narrative.STAYS_UNSPENT.format(left="£3,160"))
    assert narrative.MESSAGE_OR_CUSTOMER in said
    only_mail = reserved(year_plan([(0, "Mail", 100, 1.0, 2.0)]), 105.0)
    assert only_mail.startswith(narrative.STAYS_UNSPENT.format(left="£5.00"))
    assert narrative.MESSAGE_OR_CUSTOMER not in only_mail


def test_a_plan_that_spends_nothing_says_only_what_is_left():
    assert reserved(NOTHING, 5000.0) == narrative.STAYS_UNSPENT.format(left="£5,000")


def test_a_plan_that_uses_the_budget_says_what_more_would_earn():
    said = reserved(YEAR, 1850.0, 42.0)
    assert said == f"{narrative.USES_ALL} The next £1,000 would earn £42.00 more."
    assert reserved(YEAR, 1840.0) == f"{narrative.USES_ALL} The next £1,000 would earn nothing more."
    assert reserved(NOTHING, 0.0, 42.0) == "The next £1,000 would earn £42.00 more."
    assert reserved(YEAR, 5000.0, 42.0, target_roi=0.2) == ""


def test_a_campaign_that_nobody_fits_is_named():
    assert narrative.nobody_fits(pd.DataFrame({"a": [True, False], "b": [False, True]})) is None
    said = narrative.nobody_fits(pd.DataFrame({"a": [True, False], "b": [False, False]}))
    assert said == narrative.NOBODY_FITS.format(campaigns="b", them="it")


FORECAST = pd.DataFrame({"segment": ["all", "A", "all"], "months": [12, 3, 3], "revenue": [900.0, 50.0, 200.0]})
CALENDAR = pd.DataFrame(
    {
        "wave": [1, 1, 2],
        "starts_on": pd.to_datetime(["2024-10-01", "2024-10-01", "2024-12-31"]),
        "customers": [100.0, 20.0, 50.0],
        "contacts": [100.0, 40.0, 50.0],
        "spend": [125.0, 40.0, 75.0],
        "incentives": [3.0, 0.0, 2.0],
        "incentives_added": [1.0, 0.0, 1.75],
    }
)
WON = pd.DataFrame({"wave": [1, 2], "customers_won": [10.2, 10.0], "spend": [800.0, 800.0]})
NOBODY_WON = WON.assign(customers_won=0.0, spend=0.0)


def calendar_said(table=CALENDAR, won=WON, forecast=FORECAST, margin_known=True) -> str:
    return narrative.calendar(table, won, forecast, 0.3, margin_known, FMT)


def test_the_calendar_says_what_the_first_wave_does():
    said = calendar_said()
    assert "1 October 2024: 140 messages to 120 customers for £165." in said
    assert narrative.WON_IN_WAVE_ONE.format(spend="£800", customers="10 new customers") in said
    assert narrative.LATER_WAVES in said
    assert said.endswith(narrative.INCENTIVES_ANYWAY.format(incentives="£2.25"))
    without = calendar_said(CALENDAR.assign(incentives=CALENDAR.incentives_added), NOBODY_WON)
    assert "new customers" not in without and "anyway" not in without


def test_the_calendar_of_later_waves_only_and_of_none():
    assert calendar_said(CALENDAR.iloc[2:], NOBODY_WON).startswith(narrative.WAVE_ONE_NOTHING)
    assert narrative.LATER_WAVES not in calendar_said(CALENDAR.iloc[:2], WON.iloc[:1]), "there is one wave"
    nothing = calendar_said(CALENDAR.iloc[:0], NOBODY_WON)
    assert nothing.startswith(narrative.WAVE_ONE_NOTHING)
    assert narrative.LATER_WAVES not in nothing
    new_ones = calendar_said(CALENDAR.iloc[:0], WON)
    assert "£800 wins 10 new customers" in new_ones and narrative.LATER_WAVES in new_ones


def test_what_comes_anyway_is_said_for_the_longest_horizon_up_to_a_year():
    said = calendar_said()
    assert "£270 of margin in the next 12 months (£900 of revenue at a margin of 30%, from the costs" in said
    longer = FORECAST.assign(months=[24, 3, 3])
    assumed = calendar_said(forecast=longer, margin_known=False)
    assert "£60.00 of margin in the next 3 months (£200 of revenue at a margin of 30%, an assumption)" in assumed
    assert narrative.NO_BASELINE in calendar_said(forecast=FORECAST.iloc[1:2])


CURVE = pd.DataFrame({"budget": [0.0, 400.0, 1000.0, 2000.0, 4000.0], "expected_profit": [0.0, 300, 500, 750, 800]})
SIMPLE = pd.DataFrame(
    {
        "plan": ["the same message to everybody", "top spenders only", CURRENT_SPENDING, "nothing"],
        "spend": [600.0, 200.0, 900.0, 0.0],
        "expected_profit": [-40.0, 90.0, -70.0, 0.0],
    }
)


def curve_said(curve=CURVE, simple=SIMPLE, year=YEAR, budget=2000.0) -> str:
    return narrative.budget_curve(curve, simple, year, budget, FMT)


def test_other_budgets_are_compared_with_the_one_given():
    used = "The budget given earns £750 in the period, half of it £300, twice as much £800."
    assert curve_said(budget=1840.0).startswith(used)
    left = "Half of the £1,840 planned would earn £300. Beyond £1,840, more money earns nothing more."
    assert curve_said().startswith(left)
    assert curve_said(curve=CURVE.assign(expected_profit=0.0)) == narrative.NO_BUDGET_PAYS
    assert curve_said(curve=CURVE.iloc[:1], year=NOTHING, budget=0.0) == narrative.NO_BUDGET


def test_how_far_the_plan_can_be_from_the_best_one():
    """765 is 2% above 750."""
    assert curve_said().endswith(narrative.WITHIN.format(gap="2.0%"))
    assert "over" not in curve_said(year=replace(YEAR, bound=750.5))


def test_the_best_simple_plan_stands_beside_the_plan():
    said = curve_said()
    own = YEAR.expected_profit - YEAR.won.expected_profit.sum(), YEAR.spend - YEAR.won.spend.sum()
    assert f"would earn £90.00 on £200; the plan’s campaigns earn {FMT.money(own[0])} on {FMT.money(own[1])}." in said
    assert 0 < own[0] < YEAR.expected_profit, "new customers, which no simple plan wins, are left out"
    assert "Today's spending of £900 would lose £70.00" in said
    loses = curve_said(simple=SIMPLE.assign(expected_profit=[-40.0, -90.0, 70.0, 0.0]))
    assert "(the same message to everybody) would lose £40.00 on £600" in loses
    assert "Today's spending of £900 would earn £70.00" in loses
    as_good = curve_said(
        simple=SIMPLE.assign(expected_profit=[YEAR.expected_profit - YEAR.won.expected_profit.sum(), 90.0, 900.0, 0.0])
    )
    assert narrative.SIMPLE_AS_GOOD.format(name="The same message to everybody") in as_good
    unknown = curve_said(simple=SIMPLE[SIMPLE.plan != CURRENT_SPENDING])
    assert "Today's" not in unknown
    assert "simple plan" not in curve_said(simple=SIMPLE.iloc[2:])


def test_the_change_from_today():
    planned = pd.DataFrame({"campaign": ["Mail", "Card"], "expected_profit": [250.0, 100.0]})
    today = pd.DataFrame({"campaign": ["Mail"], "spend": [900.0], "expected_profit": [-70.0]})
    said = narrative.change_from_today(today, planned, FMT)
    assert said == narrative.CHANGE.format(spend="£900", today="−£70.00", planned="£350")
    unknown = narrative.change_from_today(today.iloc[:0], planned, FMT)
    assert isinstance(unknown, NotApplicable)


def test_whether_later_waves_follow_past_moves():
    judged = pd.DataFrame({"error": [2.0, 3.0], "error_no_change": [4.0, 5.0]})
    moves = narrative.segment_sizes(judged, FMT)
    assert moves == narrative.SIZES_MOVE.format(error="2.5", no_change="4.5")
    stay = narrative.segment_sizes(judged.assign(error_no_change=1.0), FMT)
    assert stay == narrative.SIZES_STAY.format(error="2.5", no_change="1.0")
    assert narrative.segment_sizes(judged.iloc[:0], FMT) == narrative.SIZES_UNKNOWN


def test_scenarios_name_the_hardest():
    table = pd.DataFrame(
        {"scenario": ["as planned", "no plan", "lifts low", "margin high"], "expected_profit": [88.0, NAN, 40.0, 100.0]}
    )
    said = narrative.scenarios(table, FMT)
    assert "“lifts low”" in said
    assert "£40.00 instead of £88.00" in said
    assert narrative.scenarios(table.iloc[[0, 1, 3]], FMT) == narrative.NO_WORSE_SCENARIO
    nothing = table.assign(expected_profit=[0.0, NAN, 0.0, 50.0])
    assert narrative.scenarios(nothing, FMT) == narrative.NOTHING_TO_LOSE


def test_the_doubts_in_brief_are_the_largest_assumption_and_the_worst_scenario():
    table = pd.DataFrame({"scenario": ["as planned", "lifts low"], "expected_profit": [750.0, 40.0]})
    said = narrative.doubts_in_brief(table, YEAR, OFFERS, COSTS, FMT)
    assert said.startswith("53% of the expected profit rests on new customers (their cost: ")
    assert said.endswith(narrative.WORST_IN_BRIEF.format(scenario="lifts low", profit="£40"))
    fine = narrative.doubts_in_brief(table.iloc[:1], YEAR, OFFERS, COSTS, FMT)
    assert fine.endswith(narrative.NO_WORSE_SCENARIO)
    assert narrative.doubts_in_brief(table, NOTHING, OFFERS, None, FMT) == narrative.NOTHING_TO_LOSE


LEVERS = pd.DataFrame(
    {
        "scenario": ["as planned", year_sensitivity.NO_HOLDOUT, "twice the budget", "cheaper"],
        "expected_profit": [1000.0, 1110.0, 1200.0, 1005.0],
        "gain": [0.0, 110.0, 200.0, 5.0],
    }
)


def test_the_lever_that_would_earn_most_is_named_and_what_the_holdout_costs():
    said = narrative.best_lever(LEVERS, FMT)
    assert said.startswith(narrative.LEVER.format(lever="twice the budget", gain="£200"))
    assert said.endswith(narrative.HOLDOUT_PRICE.format(price="£110"))


def test_a_lever_that_earns_hardly_more_is_none():
    """5 is less than 1% of 1,000. Nobody held out is no lever: that would leave nothing to compare with."""
    assert narrative.best_lever(LEVERS.iloc[[0, 3]], FMT) == narrative.NO_LEVER
    assert narrative.best_lever(LEVERS.iloc[[0, 1]], FMT).startswith(narrative.NO_LEVER)
    assert narrative.best_lever(LEVERS.iloc[:1], FMT) == narrative.NO_LEVER
    impossible = LEVERS.iloc[[0, 2]].assign(gain=[0.0, NAN])
    assert narrative.best_lever(impossible, FMT) == narrative.NO_LEVER


POINTS = pd.DataFrame(
    {
        "campaign": ["Mail", "Card", "News"],
        "waves": [2, 1, 0],
        "lift": [0.02, 0.03, 0.01],
        "lift_low": [0.01, 0.02, 0.005],
        "lift_high": [0.04, 0.05, 0.02],
        "break_point_lift": [0.01, 0.019, 0.015],
        "fixed_cost": [50.0, 100.0, 10.0],
        "break_point_cost": [500.0, 300.0, NAN],
    }
)


def test_break_points_inside_the_ranges_are_named():
    """The break point of the mail is the low end of its range, that of the card lies below."""
    said = narrative.break_points(POINTS, FMT)
    two = {"inside": 2, "campaigns": "3 campaigns", "names": "Mail and News", "decided": narrative.DECISIONS}
    assert said.startswith(narrative.DECISIONS_CHANGE.format(**two))
    one = narrative.break_points(POINTS.assign(break_point_lift=[NAN, NAN, 0.015]), FMT)
    assert "1 of 3 campaigns" in one and narrative.ONE_DECISION in one
    nowhere = narrative.break_points(POINTS.assign(break_point_lift=[0.009, 0.019, NAN]), FMT)
    assert nowhere.startswith(narrative.NO_DECISION_CHANGES)


def test_what_decides_in_brief_is_the_missing_number_or_what_to_measure():
    missing = narrative.what_decides_in_brief(POINTS, VALUE, None, FMT)
    assert missing == narrative.COST_MISSING_BRIEF.format(value="£100.00")
    two = narrative.what_decides_in_brief(POINTS, VALUE, COSTS, FMT)
    assert two == narrative.DECISIONS_IN_BRIEF.format(inside="2 campaigns", names="Mail and News")
    many = pd.concat([POINTS, POINTS.assign(campaign=["Mail 2", "Card 2", "News 2"])])
    assert narrative.what_decides_in_brief(many, VALUE, COSTS, FMT).endswith("Mail, News and 2 more.")
    nowhere = narrative.what_decides_in_brief(POINTS.assign(break_point_lift=NAN), VALUE, COSTS, FMT)
    assert nowhere == narrative.NO_DECISION_CHANGES


def test_preparation_matters_most_where_least_more_would_stop_the_campaign():
    """Ten times the preparation of the mail, three times that of the card."""
    said = narrative.break_points(POINTS, FMT)
    assert said.endswith(narrative.PREPARATION.format(campaign="Card", cost="£300"))
    free = narrative.break_points(POINTS.assign(fixed_cost=0.0, break_point_lift=NAN), FMT)
    assert free == narrative.NO_DECISION_CHANGES
    idle = narrative.break_points(POINTS.assign(waves=0, break_point_lift=NAN), FMT)
    assert idle == narrative.NO_DECISION_CHANGES


LIFTS = pd.DataFrame(
    {
        "campaign": ["Mail", "Card", "News"],
        "verdict": ["measured", learning.WORTH, learning.CANNOT],
        "waves": [1.0, 2.0, 7.0],
    }
)
NO_GATES = pd.DataFrame({"state": []})


def learned(table=LIFTS, rules=NO_GATES, held=100, effect=2.5) -> str:
    return narrative.learning(table, rules, held, 1000, effect, FMT)


def test_what_the_holdout_will_show():
    assert learned().startswith(
        narrative.PROGRAMME.format(held="100", customers="1,000 customers", are="are", effect="£2.50")
    )
    assert "1 of 1,000 customers is" in learned(held=1)
    for nobody in (learned(LIFTS.iloc[:1], held=0), learned(LIFTS.iloc[:1], effect=float("inf"))):
        assert nobody.startswith(narrative.NO_HOLDOUT)
    assert narrative.COMPARE_ALL not in learned(LIFTS.iloc[:1], held=0), "there is nobody to compare with"


def test_which_lifts_are_worth_a_test_and_which_cannot_be_measured():
    said = learned()
    assert narrative.WORTH_MEASURING.format(campaigns="Card") in said
    assert narrative.CANNOT_BE_MEASURED.format(campaigns="News", waves="7 waves or more") in said
    assert narrative.COMPARE_ALL not in said
    none = learned(LIFTS.iloc[:1])
    assert f"{narrative.NOTHING_WORTH_MEASURING} {narrative.COMPARE_ALL}" in none
    assert "cannot be measured" not in none
    never = learned(LIFTS.assign(waves=float("inf")))
    assert "cannot be measured" not in never, "no number of waves would do"


@pytest.mark.parametrize(
    ("states", "said"),
    [
        (["open"], "1 open, 0 closed, 0 not known yet"),
        (["closed", "closed", "open"], "1 open, 2 closed, 0 not known yet"),
        (["not known yet"] * 2, "0 open, 0 closed, 2 not known yet"),
    ],
)
def test_gates_are_counted_by_their_state(states, said):
    table = pd.DataFrame({"state": [gates.GateState(state) for state in states]})
    number = FMT.plural(len(states), "gate")
    assert learned(rules=table).endswith(narrative.GATES.format(gates=number, state=said))


def test_a_plan_without_a_campaign_has_nothing_to_learn():
    assert learned(LIFTS.iloc[:0]) == narrative.NO_GATES
    table = pd.DataFrame({"state": [gates.GateState.CLOSED]})
    said = "0 open, 1 closed, 0 not known yet"
    assert learned(LIFTS.iloc[:0], table) == narrative.GATES.format(gates="1 gate", state=said)


def groups_said(plan: pd.DataFrame, audience: pd.DataFrame, listed: list[str]) -> str:
    offers = pd.DataFrame({"name": ["Mail"], "group": [NEW]})
    targets = pd.DataFrame({"customer_id": pd.Series(listed, dtype=str)})
    return narrative.target_groups(plan, offers, audience, targets, FMT)


def test_the_plan_for_each_of_the_two_groups():
    plan = pd.DataFrame(
        {
            "campaign": ["Mail"],
            "segment": ["A"],
            "contacts": [10],
            "spend": [50.0],
            "expected_profit": [20.0],
            "reason": ["earns more than it costs"],
        }
    )
    ten = pd.DataFrame({"Mail": [True] * 10}, index=[str(number) for number in range(10)])
    said = groups_said(plan, ten, [])
    assert (
        "of 10 customers who may be contacted, contact 10 in the first wave with Mail for £50.00, for a profit of "
        "£20.00." in said
    )
    assert said.endswith(narrative.NO_CAMPAIGN_FOR_GROUP.format(group=LOYAL.capitalize()))
    nobody = groups_said(plan, ten & False, [])
    assert narrative.NOBODY_IN_GROUP.format(group=NEW.capitalize(), campaigns="1 campaign", are="is") in nobody
    unplanned = plan.assign(contacts=0)
    assert "2 of them are on the lists of other campaigns." in groups_said(unplanned, ten, ["3", "7", "x"])
    assert "lists of other campaigns" not in groups_said(unplanned, ten, ["x"])
    later = groups_said(unplanned.assign(reason=LATER), ten, ["3"])
    assert later.startswith(narrative.GROUP_LATER.format(group=NEW.capitalize(), customers="10 customers"))


def test_strategy_cells_say_what_is_empty_and_what_is_left_alone():
    said = narrative.strategy_cells(verdicts.strategy_cells(CUSTOMERS, LISTED, 5), FMT)
    assert "nobody is in 413 and 355 today" in said
    assert "has 3 customers; 1 of them is on a list, because" in said
    spared = narrative.strategy_cells(verdicts.strategy_cells(CUSTOMERS, LISTED.iloc[:0], 5), FMT)
    assert spared.endswith("has 3 customers; none of them is on a list.")
    without = narrative.strategy_cells(verdicts.strategy_cells(CUSTOMERS.iloc[[0, 3]], LISTED, 5), FMT)
    assert "leaves alone" not in without


def test_segments_of_low_potential_are_named_with_what_they_would_lose():
    table = pd.DataFrame(
        {"segment": ["A", "B", "C"], "verdict": ["worthwhile", *["low potential"] * 2], "eligible": [9, 11, 4],
         "cost_of_contacting_all": [float("nan"), -55.0, -22.0]}
    )  # fmt: skip
    said = narrative.low_potential(table, FMT)
    assert "on B and C: for the 15 customers" in said
    assert said.endswith("would lose £77.00.")
    assert narrative.low_potential(table.iloc[:1], FMT) == narrative.NOTHING_TO_LEAVE_OUT


LIMIT = verdicts.acquisition_limit(20.0, 30.0, 1.5, 0.3)
PAYBACK = pd.DataFrame({"day": [0, 100, 200], "margin": [60.0, 81.0, 90.0]})
SHORT = FORECAST[FORECAST.months < 12]


def acquisition_said(value=VALUE, costs=COSTS, won=WON, forecast=FORECAST, payback=PAYBACK):
    return narrative.acquisition(LIMIT, value, payback, costs, won, forecast, False, FMT)


def test_the_limit_for_a_new_customer_by_the_models():
    assert "up to £18.00: at a margin of 30% (an assumption)" in acquisition_said(TOO_YOUNG)
    assert isinstance(acquisition_said(TOO_YOUNG, forecast=SHORT), NotApplicable)


def test_the_limit_for_a_new_customer_by_what_earlier_ones_brought():
    """What was observed comes first, and the models' value beside it if there is one."""
    said = acquisition_said()
    for number in ("up to £100.00", "500 customers", "£90.00 to £115.00", "30%", "£80.00 or less", "£95.00"):
        assert number in said
    assert narrative.MODELLED_VALUE.format(limit="£18.00") in said
    assert "models" not in acquisition_said(forecast=SHORT)


def test_new_customers_at_the_cost_given():
    """1,600 for 20.2 of them is 79.21 each; the mean new customer has brought that by day 100."""
    said = acquisition_said()
    assert said.endswith(
        narrative.WON.format(
            cost_from="an example",
            customers="20 new customers",
            mean="£79.21",
            payback=narrative.PAID_BACK.format(days="100 days"),
        )
    )
    assert acquisition_said(payback=PAYBACK.iloc[:1]).endswith(f"{narrative.NOT_PAID_BACK}.")
    assert acquisition_said(won=NOBODY_WON).endswith(narrative.NOBODY_WON.format(cost_from="an example"))


def test_new_customers_whose_cost_is_not_known():
    assert acquisition_said(costs=None).endswith(narrative.COST_MISSING.format(value="£100.00"))


def test_lists_and_who_is_held_back():
    targets = pd.DataFrame({"campaign": "a", "segment": ["A", "A", "B", "B"], "group": ["control", *["treatment"] * 3]})
    assert "2 lists hold 4 customers, each of them once. 1 of them (25%)" in narrative.lists(targets, FMT)
    assert narrative.lists(targets.iloc[:0], FMT) == narrative.NO_LISTS


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
        "sent_treated": float("nan"),
        "sent_control": float("nan"),
    }
)


MEANT_FOR = pd.DataFrame({PAST.campaign[0]: [True, True, False]})


def test_what_was_sent_by_mistake_is_said():
    mixed = PAST.assign(sent_treated=[0.9, 1.0, 0.6], sent_control=[0.0, 0.001, 0.3])
    said = narrative.past_campaigns(mixed, MEANT_FOR, FMT)
    spring = narrative.WHAT_WAS_SENT.format(campaign="Spring", treated="90%", control="0%")
    autumn = narrative.WHAT_WAS_SENT.format(campaign="Autumn", treated="60%", control="30%")
    assert narrative.SENT_BY_MISTAKE.format(campaigns=spring) in said, "not Summer, which was sent as planned"
    assert narrative.TOO_MIXED.format(campaigns=autumn) in said
    assert "of its list" not in narrative.past_campaigns(PAST, MEANT_FOR, FMT)


def test_past_campaigns_in_one_sentence():
    said = narrative.past_campaigns(PAST, MEANT_FOR, FMT)
    assert said.startswith("Spring,")
    assert "earned £300 (90% interval: −£50.00 to £650)" in said
    assert "promised £200" in said
    assert said.endswith(narrative.OBSERVATIONAL.format(campaigns="1 campaign", are="is"))
    several = narrative.past_campaigns(PAST.assign(status="measured"), MEANT_FOR, FMT)
    assert "2 measured campaigns" in several and "earned £1,200" in several and "promised £300" in several
    assert narrative.NONE_MEASURABLE in narrative.past_campaigns(PAST.iloc[2:], MEANT_FOR, FMT)
    assert "1 past campaign can be measured, but its costs" in narrative.past_campaigns(PAST.iloc[1:2], MEANT_FOR, FMT)
    assert isinstance(narrative.past_campaigns(PAST.iloc[:0], MEANT_FOR, FMT), NotApplicable)


def test_calibration_names_the_segments_it_misses():
    held_out = pd.DataFrame({"segment": ["A", "B", "C"], "error": [0.2 * TOLERANCE, -1.2 * TOLERANCE, 4 * TOLERANCE]})
    assert "within 5 points in 1 of 2 segments; not in B" in narrative.calibration(held_out.iloc[:2], FMT)
    assert "in only 1 of 3 segments: A" in narrative.calibration(held_out, FMT)
    assert "in none of 2 segments" in narrative.calibration(held_out.iloc[1:], FMT)
    assert narrative.calibration(held_out.iloc[:1], FMT).endswith("in 1 of 1 segment.")
    assert narrative.calibration(held_out.iloc[:0], FMT) == narrative.HISTORY_TOO_SHORT
