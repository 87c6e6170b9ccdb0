"""Lists: everybody once, controls as many as set and always the same, and nobody who may not be contacted."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_utils.budget import audiences, unit_economics
from crm_utils.budget import plan as lines
from crm_utils.budget import year as years
from crm_utils.budget.waves import Search, WaveTerms, YearProblem, plan_waves
from crm_utils.core.errors import BudgetError
from tests.support.budget_factories import campaigns, groups_of, people, resting_flow

DAY = pd.Timestamp("2024-06-30")
OFFERS = campaigns(
    {"segments": ["A", "B"], "lift": 0.2},
    {"segments": ["B", "C"], "lift": 0.25, "contact_cost": 1.5},
    {"segments": [], "where": "order_value > 15", "lift": 0.15, "contact_cost": 0.8},
)


def planned(count: int, budget: float, share: float, seed: int = 0, draw: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups of customers, and what each option does in the first of two waves."""
    customers = people(count, seed)
    audience = unit_economics.eligible_customers(customers, OFFERS, ["A", "B", "C"])
    probabilities = pd.DataFrame({91: 0.1}, index=customers.customer_id)
    groups = groups_of(customers, audience, share, draw)
    options = unit_economics.contact_options(groups, audience, OFFERS, probabilities)
    sizes = groups.groupby("group").held_out.agg(["size", "sum"])
    start = np.zeros((len(sizes), 3))
    start[:, 0] = sizes["size"]
    free = start.copy()
    free[:, 0] -= sizes["sum"]
    flow = resting_flow(sizes["size"].tolist(), 2, start=start, free=free)
    problem = YearProblem(options, OFFERS, flow, WaveTerms(2, 91, 0.8), budget, holdout_share=share)
    return groups, years.first_wave(plan_waves(problem, Search.QUICK), problem)


@settings(deadline=None, max_examples=20)
@given(
    count=st.integers(1, 900),
    budget=st.floats(0, 600),
    share=st.sampled_from([0.0, 0.1, 0.2, 0.5]),
    seed=st.integers(0, 99),
)
def test_lists_hold_the_targeted_customers_once_and_nobody_held_out(count, budget, share, seed):
    groups, first = planned(count, budget, share, seed)
    targets = audiences.assign_audiences(groups, first)
    assert targets.customer_id.is_unique
    held = groups.set_index("customer_id").held_out
    assert ((targets.group == "control") == held[targets.customer_id].to_numpy()).all()
    treated = targets[targets.group == "treatment"].groupby(["campaign", "segment"]).size()
    contacts = first[first.contacts > 0].groupby(["campaign", "segment"]).contacts.sum()
    assert treated.to_dict() == contacts.to_dict()


def test_lists_do_not_depend_on_the_order_of_rows():
    groups, first = planned(800, 500, 0.2)
    once = audiences.assign_audiences(groups, first)
    again = audiences.assign_audiences(groups.sample(frac=1, random_state=3), first.sample(frac=1, random_state=4))
    pd.testing.assert_frame_equal(once, again)


def by_hand(contacts: list[int], held_out: str = "q") -> pd.DataFrame:
    """Lists of (b, a) for group 0 and (b, a) for group 1."""
    groups = pd.DataFrame(
        {
            "customer_id": list("pqrstuv"),
            "segment": ["A"] * 5 + ["B"] * 2,
            "group": [0] * 5 + [1] * 2,
            "contact_level": 0,
            "recency_days": [5, 6, 7, 8, 9, 10, 11],
            "orders": [1, 2, 1, 1, 1, 1, 3],
            "order_margin": [1.0, 5.0, 4.0, 4.0, 2.0, 7.0, 8.126],
        }
    )
    groups["held_out"] = groups.customer_id.isin(list(held_out))
    first = pd.DataFrame(
        {
            "campaign": ["b", "a", "b", "a"],
            "segment": ["A", "A", "B", "B"],
            "group": [0, 0, 1, 1],
            "contact_level": 0,
            "messages": [1, 3, 1, 1],
            "contacts": contacts,
            "profit": [0.5, 0.9, 0.5, 0.9],
        }
    )
    return audiences.assign_audiences(groups, first)


def test_lists_worked_by_hand():
    """Of group 0 a gets the two best who are not held out, b the next. Of group 1 b gets the better one."""
    targets = by_hand([1, 2, 1, 0])
    lists = targets.groupby("campaign").customer_id.agg(list).to_dict()
    assert lists == {"a": ["q", "r", "s"], "b": ["t", "v"]}
    assert targets.set_index("customer_id").group[["q", "r"]].tolist() == ["control", "treatment"]
    assert targets.set_index("customer_id").messages.to_dict() == {"q": 3, "r": 3, "s": 3, "t": 1, "v": 1}
    of_b = targets[targets.campaign == "b"].set_index("customer_id")
    assert of_b.value.to_dict() == {"t": 2.0, "v": 8.13}
    assert of_b.reason.to_dict() == {"t": "A: 1 order, the last 9 days ago", "v": "B: 3 orders, the last 11 days ago"}
    assert audiences.holdout_sizes(targets).to_dict() == {("a", "A"): 1}


def test_who_is_held_out_belongs_to_the_list_they_would_have_been_on():
    assert by_hand([2, 2, 0, 0], "p").set_index("customer_id").campaign["p"] == "b", "the last of the whole group"
    assert "p" not in by_hand([1, 2, 0, 0], "p").customer_id.tolist(), "beyond the last one contacted"
    assert by_hand([1, 2, 0, 0], "s").set_index("customer_id").campaign["s"] == "b", "the next one is on b"
    assert by_hand([0, 0, 0, 0]).empty
    assert by_hand([0, 0, 0, 0], "pqrstuv").empty


def test_the_last_day_of_rest_and_of_a_window():
    """Fourteen days before 30 June is 16 June: who was contacted then has rested, on the 17th not yet."""
    contacts = CONTACTS[CONTACTS.customer_id == "4"]
    audience = pd.DataFrame({"mail": True}, index=["4"])
    rested = [
        audiences.may_be_contacted(
            audience, contacts.assign(last_contacted=day), pd.Series({"mail": "e mail"}), DAY, 14
        ).mail.iloc[0]
        for day in ("2024-06-16", "2024-06-17")
    ]
    assert rested == [True, False]
    past = pd.DataFrame({"campaign": ["a", "x"], "customer_id": ["1", "2"], "group": "control"})
    past = past.assign(contacted_on=["2024-06-20", "2024-06-20"])
    both = pd.DataFrame({"a": True}, index=["1", "2"])
    # Ten days from 20 June end on 30 June, and are over; the unknown campaign x has the longest window, eleven days.
    left = audiences.in_holdout_window(both, past, DAY, pd.Series({"a": 10, "b": 11}))
    assert left.a.tolist() == [True, False]


def test_all_rules_on_contacts_together():
    audience = pd.DataFrame({"a": True}, index=["1", "3", "4"])
    offers = campaigns({"channel": "sms"})
    assert audiences.contactable(audience, None, None, offers, DAY, 14) is audience
    allowed = audiences.contactable(audience, CONTACTS, None, offers, DAY, 14)
    assert allowed.a.tolist() == [False, True, False]
    past = pd.DataFrame({"campaign": "a", "customer_id": ["3"], "contacted_on": ["2024-06-29"], "group": ["control"]})
    assert not audiences.contactable(audience, CONTACTS, past, offers, DAY, 14).any(axis=None)
    assert audiences.contactable(audience, CONTACTS, past.head(0), offers, DAY, 14).equals(allowed)
    reach = audiences.reach_by_campaign(audience.assign(none=False), allowed.assign(none=False))
    assert reach.share.tolist()[0] == pytest.approx(1 / 3)
    assert pd.isna(reach.share[1])
    assert reach.customers.tolist() == [3, 0]


def test_controls_are_like_the_contacted():
    groups, first = planned(6000, 1e6, 0.2)
    targets = audiences.assign_audiences(groups, first)
    value = targets.groupby("group").value.agg(["mean", "std"])
    assert abs(value["mean"].diff().iloc[1]) < 0.1 * value["std"].max()


def test_detectable_lift_of_the_published_example():
    """474 at-risk customers, p0 .31, 20 % held back: at least 14.9 points (methods §8)."""
    seen = lines.minimum_detectable_lift(pd.Series([0.31]), pd.Series([379]), pd.Series([95]))
    assert seen.iloc[0] == pytest.approx(0.149, abs=0.0005)


def test_a_lift_that_is_just_detectable_will_be_seen():
    row = {"campaign": "a", "contacts": 400, "holdout_customers": 100, "baseline_probability": 0.2}
    seen = lines.minimum_detectable_lift(pd.Series([0.2]), pd.Series([400]), pd.Series([100]))[0]
    verdicts = [
        lines.power_by_campaign(pd.DataFrame([row | {"lift": lift, "minimum_detectable_lift": seen}])).verdict[0]
        for lift in (seen * 1.0001, seen * 0.9999)
    ]
    assert verdicts == ["will be seen if it is there", "cannot be measured: pool or repeat"]
    mixed = pd.DataFrame([row, row | {"baseline_probability": 0.5, "contacts": 1200, "holdout_customers": 300}])
    each = lines.minimum_detectable_lift(mixed.baseline_probability, mixed.contacts, mixed.holdout_customers)
    pooled = lines.power_by_campaign(mixed.assign(lift=0.1, minimum_detectable_lift=each)).iloc[0]
    p0 = (0.2 * 400 + 0.5 * 1200) / 1600
    assert (pooled.contacts, pooled.holdout_customers) == (1600, 400)
    assert pooled.minimum_detectable_lift == pytest.approx(2.8016 * (p0 * (1 - p0) * (1 / 1600 + 1 / 400)) ** 0.5)


def test_without_controls_nothing_can_be_seen():
    assert lines.minimum_detectable_lift(pd.Series([0.3]), pd.Series([100]), pd.Series([0])).isna().all()


CONTACTS = pd.DataFrame(
    {
        "customer_id": ["1", "1", "2", "3", "4"],
        "channel": ["E-Mail", "sms", "email", "sms", "Email"],
        "consent": [True, False, False, True, True],
        "last_contacted": [None, None, None, None, "2024-06-25"],
        "external_id": ["x1", "x1", "=2", "x3", "x4"],
    }
)


def test_only_who_agreed_and_rested_is_planned_for():
    audience = pd.DataFrame({"mail": True, "any": True}, index=["1", "2", "3", "4"])
    channels = pd.Series({"mail": "email", "any": None})
    allowed = audiences.may_be_contacted(audience, CONTACTS, channels, DAY, 14)
    assert allowed.mail.tolist() == [True, False, False, False]
    assert allowed["any"].tolist() == [True, False, True, False]
    assert audiences.may_be_contacted(audience, CONTACTS, channels, DAY, 5).mail.tolist() == [True, False, False, True]
    reach = audiences.reach_by_campaign(audience, allowed).set_index("campaign")
    assert reach.reachable.to_dict() == {"mail": 1, "any": 2}


def test_contacts_without_consent_or_of_strangers_are_refused():
    audience = pd.DataFrame({"mail": True}, index=["1"])
    with pytest.raises(BudgetError, match="table contacts has no column consent: without it nobody may be contacted"):
        audiences.may_be_contacted(audience, CONTACTS.drop(columns="consent"), pd.Series({"mail": "email"}), DAY, 14)
    strangers = CONTACTS.assign(customer_id="C-" + CONTACTS.customer_id)
    with pytest.raises(BudgetError, match="contacts: none of its . customers has ordered; its ids look like 'C-"):
        audiences.may_be_contacted(audience, strangers, pd.Series({"mail": "email"}), DAY, 14)
    nobody = audiences.may_be_contacted(audience, CONTACTS.iloc[:0], pd.Series({"mail": "email"}), DAY, 14)
    assert not nobody.any(axis=None)  # an empty table: nobody has agreed


def test_controls_of_a_running_campaign_stay_out_of_all_campaigns():
    audience = pd.DataFrame({"a": True, "b": True}, index=["1", "2", "3"])
    past = pd.DataFrame(
        {
            "campaign": ["a", "a", "a"],
            "customer_id": ["1", "2", "3"],
            "contacted_on": ["2024-06-01", "2024-06-01", "2024-01-01"],
            "group": ["control", "treatment", "control"],
        }
    )
    left = audiences.in_holdout_window(audience, past, DAY, pd.Series({"a": 91, "b": 91}))
    assert left.a.tolist() == left.b.tolist() == [False, True, True]


def test_segments_of_a_campaign_are_pooled_to_measure_it():
    plan = pd.DataFrame(
        {
            "campaign": ["a", "a", "b"],
            "contacts": [900, 2700, 0],
            "holdout_customers": [100, 300, 0],
            "lift": 0.06,
            "baseline_probability": [0.2, 0.2, 0.1],
        }
    )
    plan["minimum_detectable_lift"] = (
        lines.minimum_detectable_lift(plan.baseline_probability, plan.contacts, plan.holdout_customers) / 0.5
    )
    pooled = lines.power_by_campaign(plan)
    expected = 2.8016 * (0.2 * 0.8 * (1 / 3600 + 1 / 400)) ** 0.5 / 0.5
    assert pooled.minimum_detectable_lift.tolist() == pytest.approx([expected])
    assert pooled.verdict.tolist() == ["cannot be measured: pool or repeat"]
    assert lines.power_by_campaign(plan.assign(contacts=0)).empty


def test_customers_of_one_value_are_listed_in_the_order_of_their_ids():
    groups = pd.DataFrame({"customer_id": list("qsprt"), "segment": "A", "group": 0, "recency_days": 5, "orders": 1})
    groups = groups.assign(order_margin=[1.0, 1, 1, 1, 2], contact_level=0, held_out=False)
    first = pd.DataFrame({"campaign": ["b", "a"], "segment": "A", "group": 0, "contacts": [1, 2]})
    listed = audiences.assign_audiences(groups, first.assign(profit=1.0, contact_level=0, messages=1))
    found = listed[["campaign", "customer_id"]].to_numpy().tolist()
    assert found == [["a", "p"], ["a", "t"], ["b", "q"]], "campaigns of one profit choose in the order of their names"


def test_customers_of_a_contact_level_get_what_was_planned_for_it():
    groups = pd.DataFrame({"customer_id": list("pqrs"), "segment": "A", "group": 0, "recency_days": 5, "orders": 1})
    groups = groups.assign(order_margin=[4.0, 3, 2, 1], contact_level=[0, 2, 0, 2], held_out=False)
    first = pd.DataFrame({"campaign": ["a", "b"], "segment": "A", "group": 0, "contact_level": [0, 2]})
    listed = audiences.assign_audiences(groups, first.assign(profit=1.0, messages=1, contacts=[2, 1]))
    assert listed.groupby("campaign").customer_id.agg(list).to_dict() == {"a": ["p", "r"], "b": ["q"]}
