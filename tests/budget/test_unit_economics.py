"""What one contact earns: worked by hand, break-even, and inputs that are refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_utils.budget import unit_economics
from crm_utils.config import Campaigns, parse_model
from crm_utils.core.errors import BudgetError, ParamsError
from tests.support.budget_factories import audience_of, campaigns, groups_of, options, people

SHARE = st.floats(0, 1)


def test_a_contact_worked_by_hand():
    """c 0.50, d 5, rho .4, s .9, u .1, p0 .2, g v 30, phi .1: V 27, adds .09 × 27 = 2.43, gives .9 × .3 × 2 = .54."""
    offers = campaigns(
        {"contact_cost": 0.5, "incentive": 5, "redemption_rate": 0.4, "delivery_rate": 0.9, "pull_forward_share": 0.1}
    )
    row = options(offers, ("a", 0, "A", 10, 0.2, 30.0)).iloc[0]
    assert row.margin == pytest.approx(27)
    assert row.incremental_margin == pytest.approx(2.43)
    assert row.incentives_added == pytest.approx(0.18)
    assert row.incentives_to_baseline_buyers == pytest.approx(0.36)
    assert row.spend == pytest.approx(1.04)
    assert row.profit == pytest.approx(1.39)


@given(
    cost=st.floats(0.01, 5),
    given_=st.floats(0, 5),
    redemption=SHARE,
    delivery_rate=st.floats(0.1, 1),
    p0=st.floats(0, 0.6),
    margin=st.floats(1, 100),
)
def test_the_break_even_lift_earns_nothing(cost, given_, redemption, delivery_rate, p0, margin):
    offers = campaigns(
        {"contact_cost": cost, "incentive": given_, "redemption_rate": redemption, "delivery_rate": delivery_rate}
    )
    row = options(offers, ("a", 0, "A", 10, p0, margin))
    lift = unit_economics.break_even_lift(
        offers.iloc[0], p0, row.margin.iloc[0], row.discount.iloc[0], row.discount.iloc[0]
    )
    if np.isnan(lift):
        best = unit_economics.price_options(row.assign(lift=1 - p0), offers)
        assert best.profit.iloc[0] <= 1e-9
    else:
        assert unit_economics.price_options(row.assign(lift=float(lift)), offers).profit.iloc[0] == pytest.approx(
            0, abs=1e-9
        )


def test_a_share_off_and_what_the_won_go_on_to_earn():
    """10 % off 100 at rho .5 costs 5 an order; V 30 × .8 × 1.5 = 36; pi = .1 (36 − 5) − .2 × 5 − 1 = 1.1."""
    offers = campaigns(
        {"incentive_share": 0.1, "redemption_rate": 0.5, "pull_forward_share": 0.2, "follow_on_margin": 0.5}
    )
    row = options(offers, ("a", 0, "A", 10, 0.2, 30.0)).iloc[0]
    assert row.discount == pytest.approx(10)
    assert row.margin == pytest.approx(36)
    assert row.profit == pytest.approx(1.1)


def test_no_lift_can_go_beyond_certainty():
    offers = campaigns({"lift": 0.5})
    row = options(offers, ("a", 0, "A", 1, 0.9, 10.0)).iloc[0]
    assert row.incremental_margin == pytest.approx(0.1 * 10)


def test_a_customers_own_margin_is_used_where_it_is_known():
    customers = pd.DataFrame({"customer_id": ["1", "2"]})
    segments = customers.assign(segment="A")
    cltv = customers.assign(
        expected_revenue_12m=[20.0, 20.0], expected_purchase_days_12m=[2.0, 0.0], mean_purchase_value=[10.0, 40.0]
    )
    features = pd.DataFrame({"customer_id": ["2"], "margin_rate": [0.5]})
    found = unit_economics.customer_economics(customers, segments, cltv, 0.3, features)
    assert found.order_value.tolist() == [10.0, 40.0]
    assert found.order_margin.tolist() == [3.0, 20.0]
    assert found.margin_known.tolist() == [False, True]
    noted = unit_economics.customer_economics(
        customers.assign(memo=0), segments.assign(memo=1, note=1), cltv.assign(note=2), 0.3, features
    )
    assert noted.order_margin.tolist() == [3.0, 20.0], "tables are joined by the id only"
    small = cltv.assign(expected_revenue_12m=0.2, mean_purchase_value=0.0)
    assert unit_economics.customer_economics(customers, segments, small, 0.3, None).order_value.tolist() == [0.1, 0.0]
    for unknown in (None, features[["customer_id"]]):
        of_all = unit_economics.customer_economics(customers, segments, cltv, 0.3, unknown)
        assert of_all.order_margin.tolist() == [3.0, 12.0]
        assert not of_all.margin_known.any()


def test_own_margins_are_held_between_minus_one_and_one():
    customers = pd.DataFrame({"customer_id": ["1", "2", "3"]})
    cltv = customers.assign(
        expected_revenue_12m=20.0, expected_purchase_days_12m=[0.5, 2.0, 4.0], mean_purchase_value=9.0
    )
    features = customers.assign(margin_rate=[3.0, -2.0, None])
    found = unit_economics.customer_economics(customers, customers.assign(segment="A"), cltv, 0.25, features)
    assert found.order_value.tolist() == [40, 10, 5]
    assert found.order_margin.tolist() == [40, -10, 1.25]
    with pytest.raises(BudgetError, match="1 of 3 customers have no segment or no forecast"):
        unit_economics.customer_economics(customers, customers.head(2).assign(segment="A"), cltv, 0.25, None)
    fitted = pd.DataFrame({"model": "CLV", "parameter": ["margin_rate"], "value": [0.4], "note": ["assumption"]})
    assert unit_economics.margin_rate(fitted) == (0.4, False)
    assert unit_economics.margin_rate(fitted.assign(note="from the costs in the data")) == (0.4, True)


@pytest.mark.parametrize(("count", "sizes"), [(39, [39]), (40, [20, 20]), (59, [30, 29]), (230, [46] * 5)])
def test_value_classes_hold_twenty_or_more(count, sizes):
    customers = people(count).assign(segment="A")
    audience = pd.DataFrame({"a": True}, index=customers.customer_id)
    groups = groups_of(customers, audience)
    assert groups.group.value_counts().sort_index().tolist() == sizes
    margins = groups.groupby("group").order_margin.agg(["min", "max"])
    assert (margins["max"][:-1].to_numpy() <= margins["min"][1:].to_numpy()).all()
    assert groups.customer_id.is_monotonic_increasing


def test_options_worked_by_hand():
    """Two windows, two groups; b is open to segment B only."""
    customers = people(4).assign(
        segment=["A", "A", "B", "B"], order_margin=[1.0, 3.0, 5.0, 7.0], order_value=[10.0, 30, 50, 70]
    )
    offers = campaigns({"segments": ["A", "B"], "window_days": 30}, {"segments": ["B"], "lift": 0.2})
    audience = unit_economics.eligible_customers(customers, offers, ["A", "B"])
    probabilities = pd.DataFrame({30: [0.1, 0.3, 0.0, 1.0], 91: [0.2, 0.4, 0.6, 0.8]}, index=customers.customer_id)
    groups = groups_of(customers, audience)
    found = unit_economics.contact_options(groups, audience, offers, probabilities)
    columns = ["campaign", "segment", "customers", "p0", "order_margin", "order_value", "lift"]
    assert found[columns].to_numpy().tolist() == [
        ["a", "A", 2, pytest.approx(0.2), 2, 20, 0.1],
        ["a", "B", 2, pytest.approx(0.5), 6, 60, 0.1],
        ["b", "B", 2, pytest.approx(0.7), 6, 60, 0.2],
    ]
    assert found.group.tolist() == [0, 1, 1]


def test_a_break_even_lift_worked_by_hand():
    """c 1, F/n .5, s .5, p0 .2, ρ .5: ((1.5 ÷ .5) + .2 × .5 × 4) ÷ (12 − .5 × 2) = 3.4 ÷ 11."""
    term = pd.Series({"contact_cost": 1.0, "delivery_rate": 0.5, "redemption_rate": 0.5})
    assert unit_economics.break_even_lift(term, 0.2, 12.0, 2.0, 4.0, 0.5) == pytest.approx(3.4 / 11)
    assert np.isnan(unit_economics.break_even_lift(term, 0.2, 1.0, 2.0, 0.0)), "an order earns what it is given"
    # Three messages that work like 2.5: ((3 + .5) ÷ .5 + .4) ÷ 11 ÷ 2.5
    assert unit_economics.break_even_lift(term, 0.2, 12.0, 2.0, 4.0, 0.5, 3, 2.5) == pytest.approx(7.4 / 11 / 2.5)
    # Without incentives 2 ÷ 2.5 = .8, and .8 is all that is left to win.
    assert unit_economics.break_even_lift(term, 0.2, 2.5, 0.0, 0.0) == pytest.approx(0.8)
    assert np.isnan(unit_economics.break_even_lift(term, 0.2, 2.49, 0.0, 0.0))


def test_groups_are_alike_and_hold_everybody_once():
    customers = people(500)
    audience = pd.DataFrame({"a": customers.segment != "C", "b": customers.order_value > 20}).set_axis(
        customers.customer_id
    )
    groups = groups_of(customers, audience)
    assert sorted(groups.customer_id) == sorted(customers.customer_id)
    open_to = audience.loc[groups.customer_id].set_axis(groups.group.to_numpy())
    assert (open_to.groupby(level=0).nunique() == 1).all(axis=None)
    assert groups.groupby("group").segment.nunique().eq(1).all()


def test_row_order_does_not_change_groups():
    customers = people(300)
    audience = pd.DataFrame({"a": True}, index=customers.customer_id)
    shuffled = customers.sample(frac=1, random_state=1)
    one = groups_of(customers, audience).set_index("customer_id").group
    other = groups_of(shuffled, audience.loc[shuffled.customer_id]).set_index("customer_id").group
    assert one.equals(other.loc[one.index])


def test_customers_of_one_margin_are_grouped_in_the_order_of_their_ids():
    """Forty customers make two classes of twenty: the first twenty ids and the others, in any order of the rows."""
    customers = people(40).assign(segment="A", order_margin=5.0)
    for shown in (customers, customers.iloc[::-1]):
        groups = groups_of(shown, pd.DataFrame({"a": True}, index=shown.customer_id))
        assert groups.customer_id.tolist() == customers.customer_id.tolist()
        assert groups.group.tolist() == [0] * 20 + [1] * 20


@pytest.mark.parametrize("chance", [-0.1, 1.2, np.nan])
def test_a_chance_that_is_no_probability_is_refused(chance):
    customers, offers = people(60), campaigns({})
    audience = pd.DataFrame({"a": True}, index=customers.customer_id)
    probabilities = pd.DataFrame({91: [chance] + [0.1] * 59}, index=customers.customer_id)
    with pytest.raises(BudgetError, match="1 of 60 customers have a probability of buying outside 0–1"):
        unit_economics.contact_options(groups_of(customers, audience), audience, offers, probabilities)


def test_an_unknown_segment_is_named():
    with pytest.raises(BudgetError, match="campaign a: unknown segment Whales; the segment map has A, B"):
        unit_economics.eligible_customers(people(5), campaigns({"segments": ["A", "Whales"]}), ["A", "B"])


def test_a_rule_on_columns_that_are_not_there_is_named():
    with pytest.raises(BudgetError, match="campaign a: where 'spend > 3' is no query on the customers"):
        unit_economics.eligible_customers(people(5), campaigns({"segments": [], "where": "spend > 3"}), ["A"])
    with pytest.raises(
        BudgetError, match="where 'recency_days' is no query on the customers: its result is a number or text"
    ):
        unit_economics.eligible_customers(people(5), campaigns({"segments": [], "where": "recency_days"}), ["A"])


def test_a_campaign_with_nobody_is_left_out_of_the_options():
    customers, offers = people(60), campaigns({}, {"segments": ["Z"]})
    audience = unit_economics.eligible_customers(customers, offers, ["A", "B", "C", "Z"])
    probabilities = pd.DataFrame({91: 0.1}, index=customers.customer_id)
    found = unit_economics.contact_options(groups_of(customers, audience), audience, offers, probabilities)
    assert set(found.campaign) == {"a"}


def test_nobody_at_all_gives_an_empty_table():
    customers, offers = people(60), campaigns({"segments": ["Z"]})
    audience = unit_economics.eligible_customers(customers, offers, ["Z"])
    probabilities = pd.DataFrame({91: 0.1}, index=customers.customer_id)
    assert unit_economics.contact_options(groups_of(customers, audience), audience, offers, probabilities).empty


def test_customers_without_any_value_are_refused():
    customers = pd.DataFrame({"customer_id": ["1", "2"]})
    cltv = customers.assign(expected_revenue_12m=0.0, expected_purchase_days_12m=0.0, mean_purchase_value=0.0)
    with pytest.raises(BudgetError, match="all 2 customers have an order value of 0"):
        unit_economics.customer_economics(customers, customers.assign(segment="A"), cltv, 0.3, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"lift_low": 0.2}, "lift 0.1 must be between lift_low 0.2"),
        ({"min_spend": 5, "max_spend": 2}, "max_spend 2.0 is below min_spend 5.0"),
        ({"redemption_rate": 1.5}, "redemption_rate: Input should be less than or equal to 1"),
        ({"lift": -0.1}, "lift: Input should be greater than or equal to 0"),
        ({"segments": []}, "set segments, where or both"),
        ({"messages": [2, 1]}, r"messages \[2, 1\] must be different numbers, ascending"),
        ({"messages": []}, "messages"),
        ({"not_within": [{"campaign": "z", "days": 30}]}, "not_within names z; there are a"),
    ],
)
def test_wrong_campaigns_are_refused(change, message):
    entry = {"name": "a", "group": "other customers", "action": "x", "segments": ["A"], "contact_cost": 1, "lift": 0.1}
    with pytest.raises(ParamsError, match=message):
        parse_model({"campaigns": [entry | {"window_days": 91} | change]}, Campaigns, "campaigns.yaml")


def test_a_campaign_may_name_segments_and_a_rule():
    customers = people(60)
    offers = campaigns({"segments": ["A"], "where": "order_value > 15"})
    found = unit_economics.eligible_customers(customers, offers, ["A", "B", "C"]).a.to_numpy()
    assert found.tolist() == ((customers.segment == "A") & (customers.order_value > 15)).tolist()
    assert 0 < found.sum() < (customers.segment == "A").sum()


def test_groups_keep_consent_rest_and_who_is_held_out():
    customers = people(90).assign(segment="A")
    ids = customers.customer_id
    consent = pd.Series(np.where(np.arange(90) < 50, "email", ""), index=ids)
    resting = pd.Series(np.arange(90) < 20, index=ids)
    held = pd.Series(np.arange(90) % 10 == 0, index=ids)
    audience = pd.DataFrame({"a": (consent == "email") & ~resting})
    level = pd.Series(1, index=ids)
    known = audience_of(audience, held, consent=consent, resting=resting)
    groups = unit_economics.planning_groups(customers, known, level)
    by_block = groups.groupby("block")
    assert by_block[["consent", "lands"]].nunique().eq(1).all(axis=None)
    assert by_block.size().tolist() == [20, 40, 30] or sorted(by_block.size()) == [20, 30, 40]
    found = unit_economics.contact_options(groups, audience, campaigns({}), pd.DataFrame({91: 0.1}, index=ids))
    assert found.customers.sum() == 30
    assert found.free.sum() == 27, "three of them are held out"


def test_two_campaigns_of_one_name_are_refused():
    entry = {"name": "a", "group": "other customers", "action": "x", "segments": ["A"], "contact_cost": 1, "lift": 0.1}
    with pytest.raises(ParamsError, match="two campaigns are called a"):
        parse_model({"campaigns": [entry | {"window_days": 91}] * 2}, Campaigns, "campaigns.yaml")


def test_groups_are_numbered_by_segment_then_by_value():
    """B has the lower margins and the first ids, but A comes first."""
    customers = people(2).assign(segment=["B", "A"], order_margin=[1.0, 2.0])
    audience = pd.DataFrame({"a": True}, index=customers.customer_id)
    groups = groups_of(customers, audience)
    assert groups.group.tolist() == [1, 0]
    probabilities = pd.DataFrame({91: 0.1}, index=customers.customer_id)
    found = unit_economics.contact_options(groups, audience, campaigns({}), probabilities)
    assert found[["group", "segment"]].to_numpy().tolist() == [[0, "A"], [1, "B"]]
