"""Advice with the counts of the day, and the sentences on the page."""

import pandas as pd
import pytest

from crm_utils.budget import narrative, optimizer, sensitivity, spending_narrative, uplift_narrative
from crm_utils.budget import plan as lines
from crm_utils.budget import verdicts as advice
from tests.support.budget_factories import campaigns, options

OFFERS = campaigns({"fixed_cost": 2}, {"segments": ["B"], "contact_cost": 9, "fixed_cost": 7})
TABLE = options(OFFERS, ("a", 0, "A", 30, 0.1, 40.0), ("b", 1, "B", 10, 0.1, 40.0))
PROFILE = pd.DataFrame({"segment": ["A", "B", "C", "D"], "customers": [30, 10, 5, 0]})


def plan_at(budget: float) -> pd.DataFrame:
    allocated = optimizer.allocate(TABLE, OFFERS, budget)
    return lines.build_plan(allocated, OFFERS, pd.Series(dtype=int))


def test_what_spending_on_low_potential_would_lose():
    """B: 10 contacts at 9 each add .1 × 40 = 4 a contact, less 7 once: 10 × (4 − 9) − 7 = −57."""
    found = advice.segment_verdicts(plan_at(1000), TABLE, OFFERS, PROFILE).set_index("segment")
    assert found.verdict.to_dict() == {"A": "worthwhile", "B": "low potential", "C": "no campaign", "D": "empty"}
    assert found.cost_of_contacting_all["B"] == pytest.approx(-57)
    assert found.cost_of_contacting_all.drop("B").isna().all()
    assert found.eligible.to_dict() == {"A": 30, "B": 10, "C": 0, "D": 0}


def test_the_campaign_that_fits_most_of_a_segment_is_judged_and_set_up_once():
    """Mail (9 a contact, 4 back, 7 once) to 10 of B and 4 of C: 50 and 20 lost by contacts, and the 7 shared 5 to 2.

    Call fits one customer of B only: that it would lose less says nothing of the others.
    """
    offers = campaigns(
        {"segments": ["B", "C"], "contact_cost": 9, "fixed_cost": 7}, {"segments": ["B"], "contact_cost": 4.5}
    )
    table = options(offers, ("a", 0, "B", 10, 0.1, 40.0), ("b", 1, "B", 1, 0.1, 40.0), ("a", 2, "C", 4, 0.1, 40.0))
    profile = pd.DataFrame({"segment": ["B", "C"], "customers": [12, 4]})
    plan = lines.build_plan(optimizer.allocate(table, offers, 1000), offers, pd.Series(dtype=int))
    verdicts = advice.segment_verdicts(plan, table, offers, profile)
    assert verdicts.campaign.tolist() == [offers.name[0]] * 2
    assert verdicts.cost_of_contacting_all.tolist() == pytest.approx([-55, -22])
    assert narrative.low_potential(verdicts, "GBP") == (
        "Spend nothing on B and C: for the 15 customers of them who may be contacted no campaign earns back its cost. "
        "Sending each segment the campaign that fits most of its customers would lose £77.00."
    )


def test_named_cells_with_the_counts_of_the_day_and_what_the_plan_does():
    customers = pd.DataFrame(
        {
            "customer_id": list("abcde"),
            "rfm_cell": ["514", "111", "111", "444", "111"],
            "segment": ["Recent", "Lost", "Lost", "Loyal", "Asleep"],
        }
    )
    targets = pd.DataFrame(
        {
            "customer_id": ["b", "c", "d"],
            "campaign": ["Mail", "Mail", "Post"],
            "group": ["treatment", "control", "treatment"],
        }
    )
    found = advice.strategy_cells(customers, targets).set_index("cell")
    assert found.in_cell.to_dict() == {"514": 1, "413": 0, "355": 0, "444": 1, "111": 3}
    assert found.contacts.to_dict() == {"514": 0, "413": 0, "355": 0, "444": 1, "111": 1}
    assert found.loc["111", ["segment", "campaigns"]].tolist() == ["Lost, Asleep", "Mail"]
    assert narrative.named_cells(found.reset_index()) == (
        "Campaigns address the two groups by rule, since single cells are narrow: nobody is in 413 and 355 today. "
        "Cell 111, which the strategy leaves alone, has 3 customers; 1 of them is on a list, since the message costs less than it is expected to bring."
    )
    spared = advice.strategy_cells(customers, targets.iloc[:0]).reset_index()
    assert narrative.named_cells(spared).endswith("has 3 customers; none of them is on a list.")


def test_scenarios_name_the_hardest_and_what_the_plan_earns_at_the_low_ends():
    table = pd.DataFrame(
        {"scenario": ["as planned", "lifts low", "margin high"], "expected_profit": [88.0, 40.0, 100.0]}
    )
    plan = plan_at(1000)
    assert narrative.scenarios(table, plan, "GBP") == (
        "Of these scenarios “lifts low” costs most: a plan made for it would earn £40.00 instead of £88.00. "
        "The plan as it stands earns £28.00 if every lift is at the low end of its range; 1 of its 1 line is safe from a loss there."
    )
    doubtful = plan.assign(profit_low=-5.0)
    assert narrative.scenarios(table.iloc[[0, 2]], doubtful, "GBP") == (
        "None of the scenarios earns less than the plan. "
        "The plan as it stands loses £5.00 if every lift is at the low end of its range; no line of it is safe from a loss there."
    )


def test_what_one_may_pay_for_a_new_customer():
    limit = advice.acquisition_limit(orders_value=20.0, first_basket=30.0, orders_12m=1.5, margin=0.3)
    assert limit.most_to_pay.iloc[0] == pytest.approx(0.3 * (30 + 1.5 * 20))
    assert "up to £18.00" in narrative.acquisition(limit, False, "GBP")


def test_the_first_sentence_says_what_for_how_much_and_how_sure():
    assert narrative.recommendation(plan_at(1000), 1000, None, "GBP") == (
        "Spend £32 of the £1,000 on 1 campaign to 30 customers. Expected profit: £88, between £28 and £148 given the assumed ranges. "
        "All of it rests on assumed lifts, none on measured ones."
    )
    assert narrative.recommendation(plan_at(0), 0, None, "GBP") == "Spend none of the £0: there is no money to spend."
    assert "no campaign earns back its cost" in narrative.recommendation(plan_at(0), 9, None, "GBP")


def test_a_campaign_that_nobody_fits_is_named():
    assert spending_narrative.nobody(pd.DataFrame({"a": [True, False], "b": [False, True]})) is None
    said = spending_narrative.nobody(pd.DataFrame({"a": [True, False], "b": [False, False]}))
    assert said == "Nobody fits b on this date, so nothing is weighed for it."


def test_unspent_money_is_explained():
    assert "Better unspent than wasted" in spending_narrative.unspent(plan_at(1000), 1000, None, 0.0, [], 5000.0, "GBP")
    bound = spending_narrative.unspent(plan_at(20), 20, None, 42.0, ["the budget"], 5000.0, "GBP")
    assert bound == "What binds is the budget. The next £1,000 would earn £42.00 more."
    none = spending_narrative.unspent(plan_at(20), 20, None, 0.0, ["the budget"], 5000.0, "GBP")
    assert none == "The next £1,000 would earn nothing more."


def test_money_that_the_campaigns_cannot_use_is_said_with_the_sum_they_could():
    """Everybody at the dearest: 30 × 1 + 10 × 9, and fixed costs of 2 + 7."""
    most = sensitivity.max_useful_spend(TABLE, OFFERS, 0.0)
    assert most == pytest.approx(129)
    said = spending_narrative.unspent(plan_at(1000), 1000, None, 0.0, [], most, "GBP")
    assert "with the dearest one for every customer who may get it, would cost only £129," in said
    assert "these campaigns cannot use it" not in spending_narrative.unspent(
        plan_at(100), 100, None, 0.0, [], most, "GBP"
    )


def test_what_would_change_how_much_is_worth_spending():
    """Campaign b pays once its lift or margin is doubled: 10 × (8 − 9) still loses, 10 × (16 − 9) − 7 does not."""
    found = sensitivity.what_if_doubled(TABLE, OFFERS, 1000, 0.0).set_index("scenario")
    assert found.spend["as planned"] == found.spend["lifts twice as high"] == pytest.approx(32)
    assert found.spend["contacts and fixed costs at half the price"] == pytest.approx(16)
    assert found.spend["lifts and margin both twice as high"] == pytest.approx(32 + 90 + 7)
    assert found.expected_profit.iloc[-1] == pytest.approx(30 * 15 - 2 + 10 * (16 - 9) - 7)
    said = spending_narrative.levers(found.reset_index(), 1000, "GBP")
    assert "would use only £129 of the £1,000" in said
    assert said.startswith(
        "Nothing alone would make more worth spending: lifts twice as high would earn £208 instead of £88 with"
    )
    assert "would use the whole budget" in spending_narrative.levers(
        found.assign(unspent=0.0).reset_index(), 1000, "GBP"
    )


def test_flip_points_inside_the_ranges_are_to_be_measured_first():
    plan = plan_at(1000).assign(break_point_lift=[0.06, 0.3])
    seen = pd.DataFrame({"campaign": ["a"], "minimum_detectable_lift": [0.05], "lift": [0.1]})
    assert narrative.flips(plan, seen) == "1 of 2 decisions could change within the assumed ranges. Measure first: a."
    assert narrative.flips(plan, seen.assign(minimum_detectable_lift=0.2)) == (
        "1 of 2 decisions could change within the assumed ranges. Measure first: a. "
        "This plan's lists are too small for that: pool several months, or hold back more."
    )
    nowhere = plan.assign(break_point_lift=float("nan"))
    assert narrative.flips(nowhere, seen) == "No decision changes anywhere within the assumed ranges."


def test_what_does_not_apply_says_so():
    none = pd.DataFrame({"use": [], "earned": [], "promised": []})
    assert 'class="nothing"' in uplift_narrative.measured(none, "GBP")._repr_html_()
    assert 'class="nothing"' in uplift_narrative.reach(pd.DataFrame(), contacts=None)._repr_html_()


def test_calibration_names_the_segments_it_misses():
    held_out = pd.DataFrame({"segment": ["A", "B"], "error": [0.01, -0.09]})
    assert uplift_narrative.calibration(held_out, 0.05).endswith("within 5 points in 1 of 2 segments; not in B.")
    three = pd.DataFrame({"segment": ["A", "B", "C"], "error": [0.01, -0.09, 0.2]})
    assert uplift_narrative.calibration(three, 0.05).endswith("within 5 points in only 1 of 3 segments: A.")
    assert uplift_narrative.calibration(three.iloc[1:], 0.05).endswith("within 5 points in none of 2 segments.")
    assert uplift_narrative.calibration(three.iloc[:1], 0.05).endswith("within 5 points in 1 of 1 segment.")
    assert "unchecked" in uplift_narrative.calibration(held_out.head(0), 0.05)


def test_past_campaigns_in_one_sentence():
    found = pd.DataFrame(
        {
            "campaign": ["Spring", "Summer", "Autumn"],
            "use": ["measured", "measured", "observational, not used"],
            "earned": [300.0, float("nan"), 900.0],
            "earned_low": [-50.0, float("nan"), 0.0],
            "earned_high": [650.0, float("nan"), 0.0],
            "promised": [200.0, float("nan"), 100.0],
        }
    )
    assert uplift_narrative.measured(found, "GBP") == (
        "Spring, the one past campaign that was measured and whose costs are known, earned £300 (between −£50.00 and £650, "
        "as far as chance allows to say); its assumed lift had promised £200. 1 campaign without groups that were random and complete is observational and not used."
    )


def test_rules_of_thumb_are_given_the_plans_money():
    table = pd.DataFrame(
        {
            "way": ["this plan", "equal split"],
            "spend": [30.0, 29.0],
            "contacts": [30, 29],
            "expected_profit": [88.0, 20.0],
        }
    )
    assert narrative.ways(table, "GBP") == (
        "The best rule of thumb (equal split) would earn £20.00 with the same money; the plan earns £88.00 on £30.00."
    )
    assert "would lose £20.00" in narrative.ways(table.assign(expected_profit=[88.0, -20.0]), "GBP")
    assert "would earn as much" in narrative.ways(table.assign(expected_profit=[88.0, 88.0]), "GBP")
    assert narrative.ways(table.assign(contacts=0), "GBP").startswith("Nothing is planned")
