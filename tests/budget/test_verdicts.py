"""The counts of the date behind what the strategy says."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import verdicts
from tests.support.budget_factories import CUSTOMERS_IN_CELLS as CUSTOMERS
from tests.support.budget_factories import LISTED_IN_CELLS as LISTED
from tests.support.budget_factories import campaigns, options

PROFILE = pd.DataFrame({"segment": ["A", "B", "C", "D"], "customers": [30, 10, 5, 0]})
CALENDAR = pd.DataFrame(
    {
        "segment": ["A", "A"],
        "wave": [1, 2],
        "contacts": [30.0, 25.5],
        "spend": [32.0, 27.5],
        "expected_profit": [88.0, 74.5],
    }
)


def test_the_plan_of_all_waves_and_what_spending_on_low_potential_would_lose():
    """B: 10 contacts at 9 each add .1 × 40 = 4 a contact, less 7 once: 10 × (4 − 9) − 7 = −57."""
    offers = campaigns({"fixed_cost": 2}, {"segments": ["B"], "contact_cost": 9, "fixed_cost": 7})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0), ("b", 1, "B", 10, 0.1, 40.0))
    found = verdicts.segment_verdicts(CALENDAR, table, offers, PROFILE).set_index("segment")
    assert found.verdict.to_dict() == {"A": "worthwhile", "B": "low potential", "C": "no campaign", "D": "empty"}
    assert found.cost_of_contacting_all["B"] == pytest.approx(-57)
    assert found.cost_of_contacting_all.drop("B").isna().all()
    assert found.eligible.to_dict() == {"A": 30, "B": 10, "C": 0, "D": 0}
    assert found.contacts.to_dict() == {"A": 55.5, "B": 0, "C": 0, "D": 0}
    assert found[["spend", "expected_profit"]].loc["A"].tolist() == pytest.approx([59.5, 162.5])
    later = verdicts.segment_verdicts(CALENDAR.iloc[1:], table, offers, PROFILE)
    assert later.verdict.tolist() == ["worthwhile", "low potential", "no campaign", "empty"]


def test_a_segment_whose_customers_come_only_in_later_waves_is_worthwhile():
    """Nobody of C may be contacted today; those who move there are contacted in the second wave."""
    offers = campaigns({})
    table = options(offers, ("a", 0, "A", 30, 0.1, 40.0))
    found = verdicts.segment_verdicts(CALENDAR.assign(segment=["A", "C"]), table, offers, PROFILE)
    assert found.set_index("segment").verdict["C"] == "worthwhile"


def test_a_plan_of_nothing_finds_only_low_potential():
    offers = campaigns({"segments": ["A", "B"]})
    table = options(offers, ("a", 0, "A", 30, 0.1, 5.0), ("a", 1, "B", 10, 0.1, 5.0))
    found = verdicts.segment_verdicts(CALENDAR.iloc[:0], table, offers, PROFILE)
    assert found.verdict.tolist() == ["low potential", "low potential", "no campaign", "empty"]
    assert found[["contacts", "spend", "expected_profit"]].eq(0).all(axis=None)


def test_a_campaign_that_would_lose_nothing_has_no_loss():
    """A contact costs 4 and adds .1 × 40 = 4."""
    offers = campaigns({"segments": ["B"], "contact_cost": 4})
    table = options(offers, ("a", 1, "B", 10, 0.1, 40.0))
    found = verdicts.segment_verdicts(CALENDAR, table, offers, PROFILE[PROFILE.segment == "B"])
    assert found.verdict.tolist() == ["low potential"]
    assert found.cost_of_contacting_all.isna().all()


def test_the_campaign_that_fits_most_of_a_segment_is_judged_and_set_up_once():
    """Mail (9 a contact, 4 back, 7 once) to 10 of B and 4 of C: 50 and 20 lost by contacts, and the 7 shared 5 to 2.

    Call fits one customer of B only: that it would lose less says nothing of the others.
    """
    offers = campaigns(
        {"segments": ["B", "C"], "contact_cost": 9, "fixed_cost": 7}, {"segments": ["B"], "contact_cost": 4.5}
    )
    table = options(offers, ("a", 0, "B", 10, 0.1, 40.0), ("b", 1, "B", 1, 0.1, 40.0), ("a", 2, "C", 4, 0.1, 40.0))
    profile = pd.DataFrame({"segment": ["B", "C"], "customers": [12, 4]})
    found = verdicts.segment_verdicts(CALENDAR, table, offers, profile)
    assert found.campaign.tolist() == [offers.name[0]] * 2
    assert found.cost_of_contacting_all.tolist() == pytest.approx([-55, -22])


def test_strategy_cells_have_the_counts_of_the_date_and_what_the_plan_does():
    found = verdicts.strategy_cells(CUSTOMERS, LISTED, 5).set_index("cell")
    assert found.in_cell.to_dict() == {"514": 1, "413": 0, "355": 0, "444": 1, "111": 3}
    assert found.contacts.to_dict() == {"514": 0, "413": 0, "355": 0, "444": 1, "111": 1}
    assert found.loc["111", ["segment", "campaigns"]].tolist() == ["Lost, Asleep", "Mail"]


@pytest.mark.parametrize(
    ("n_bins", "cells"), [(4, ["413", "312", "244", "333", "111"]), (3, ["313", "312", "233", "333", "111"])]
)
def test_the_cells_are_those_of_the_score_classes(n_bins, cells):
    assert verdicts.strategy_cells(CUSTOMERS, LISTED, n_bins).cell.tolist() == cells


def test_a_new_customers_first_basket_is_that_of_the_first_day():
    """First days bring 10 + 20 (a) and 40 (b): 35 on average. A year brings 2 days of 7: .5 × (35 + 14)."""
    rows = [("a", "2024-01-02 09:00", 10.0), ("a", "2024-01-02 18:00", 20.0), ("a", "2024-02-01", 99.0)]
    frame = pd.DataFrame([*rows, ("b", "2024-01-05", 40.0)], columns=["customer_id", "ordered_at", "revenue"])
    orders = ibis.memtable(frame.assign(ordered_at=pd.to_datetime(frame.ordered_at, format="mixed")))

    class Purchases:
        def expected_purchases(self, x, t_x, T, days):
            return np.array([2.0]) * (days == 365) * (x == 0) * (t_x == 0) * (T == 0)

    class Values:
        def expected_value(self, purchases, mean):
            return np.array([7.0]) * (purchases == 0) * (mean == 0)

    found = verdicts.max_acquisition_cost(orders, Purchases(), Values(), 0.5)
    assert found.to_numpy().tolist() == [[35.0, 2.0, 7.0, 0.5, 24.5]]


def test_what_one_may_pay_for_a_new_customer():
    limit = verdicts.acquisition_limit(order_value=20.0, first_basket=30.0, purchase_days_12m=1.5, margin_rate=0.3)
    assert limit.most_to_pay.iloc[0] == pytest.approx(0.3 * (30 + 1.5 * 20))
