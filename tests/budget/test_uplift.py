"""What past campaigns earned: a ledger by hand, simulated campaigns with planted lift, and files that are refused."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crm_utils.budget import unit_economics, uplift
from crm_utils.budget.waves import plan_waves
from crm_utils.core import errors
from tests.support.budget_factories import campaigns, options
from tests.support.year_plans import year_problem

DAY = pd.Timestamp("2024-12-31")
OFFERS = campaigns({"contact_cost": 0.5, "lift": 0.05, "lift_low": 0.01, "lift_high": 0.09, "delivery_rate": 0.9})


def simulated(seed: int, lift: float, count: int = 4000, held: float = 0.2, random_groups: bool = True) -> pd.DataFrame:
    """A campaign to customers who differ in how often they buy; `lift` is added where the contact arrives (9 of 10)."""
    random = np.random.default_rng(seed)
    often = random.gamma(2, 1, count)
    chance = 1 - np.exp(-0.08 * often)
    control = random.random(count) < (held if random_groups else held * 4 / (1 + often**2))
    reached = ~control & (random.random(count) < 0.9)
    bought = random.random(count) < np.minimum(chance + lift * reached, 1)
    start = pd.Timestamp("2024-03-01")
    return pd.DataFrame(
        {
            "campaign": "a",
            "customer_id": [str(number) for number in range(count)],
            "contacted_on": start,
            "ends": start + pd.Timedelta(days=91),
            "group": np.where(control, "control", "treatment"),
            "messages": 1,
            "response": 1.0,
            "known": True,
            "days_since": random.integers(1, 300, count),
            "orders_before": random.poisson(3 * often),
            "revenue_before": random.lognormal(4, 1, count),
            "bought": bought.astype(float),
            "revenue": np.where(bought, random.lognormal(3.5, 0.6, count), 0.0),
        }
    )


def one(outcomes: pd.DataFrame) -> pd.Series:
    return uplift.measure_uplift(outcomes, OFFERS, 0.3, DAY).iloc[0]


def test_the_planted_lift_lies_in_the_interval_as_often_as_it_says():
    found = [one(simulated(seed, lift=0.06)) for seed in range(200)]
    assert sum(row.status == "measured" for row in found) >= 195
    covered = np.mean([row.lift_low <= 0.06 * 0.9 <= row.lift_high for row in found])
    assert 0.80 <= covered <= 0.98


def mistaken(seed: int, lift: float, sent: float, by_mistake: float, count: int = 4000) -> pd.DataFrame:
    """A campaign of which only a share of the list was sent, and a share of the control group by mistake."""
    random = np.random.default_rng(seed)
    table = simulated(seed, 0.0, count)
    was_sent = random.random(count) < np.where(table.group == "treatment", sent, by_mistake)
    bought = random.random(count) < 0.15 + lift * was_sent
    export = {"sent": was_sent, "bounced": False, "unsubscribed": False}
    return table.assign(**export, bought=bought.astype(float), revenue=np.where(bought, 30.0, 0.0))


def test_the_effect_of_a_message_is_measured_although_the_groups_were_mixed():
    """Sent to 80% of the list and to 20% of the control group: 60% of the difference is left, so the range is wider."""
    mixed = [one(mistaken(seed, 0.1, 0.8, 0.2)) for seed in range(40)]
    assert sum(row.status == "measured" for row in mixed) >= 38
    assert np.mean([row.lift for row in mixed]) == pytest.approx(0.1, abs=0.012)
    assert np.mean([row.lift_low <= 0.1 <= row.lift_high for row in mixed]) >= 0.75
    clean = one(mistaken(1, 0.1, 1.0, 0.0))
    assert mixed[1].standard_error / clean.standard_error == pytest.approx(1 / 0.6, rel=0.1)


def test_a_mixed_campaign_worked_by_hand():
    """Bought: 30 of 100 and 20 of 100. Sent: 90 and 10. 0.10 / 0.80 is 0.125 a message; without one 0.20 - 0.0125."""
    sent = [True] * 90 + [False] * 10 + [True] * 10 + [False] * 90
    bought = [1.0] * 30 + [0.0] * 70 + [1.0] * 20 + [0.0] * 80
    table = simulated(1, 0, count=200).assign(
        group=["treatment"] * 100 + ["control"] * 100, bought=bought, revenue=40.0
    )
    alike = {"days_since": 5, "orders_before": 1, "revenue_before": 9.0}
    table = table.assign(sent=sent, bounced=[True] * 5 + [False] * 195, unsubscribed=False, **alike)
    offers = campaigns(
        {"contact_cost": 0.5, "fixed_cost": 30, "incentive": 2, "redemption_rate": 0.5, "delivery_rate": 0.9}
    )
    row = uplift.measure_uplift(table, offers, 0.3, DAY).iloc[0]
    assert (row.sent_treated, row.sent_control, row.bounced, row.unsubscribed) == (0.9, 0.1, 0.05, 0.0)
    assert row.lift == pytest.approx(0.125)
    each = 0.125 * (40 * 0.3 - 1) - 0.1875 * 0.9 * 1 - 0.5
    assert row.incremental_profit == pytest.approx(90 * each - 30), "only who was sent a message costs and earns"
    whole = uplift.measure_uplift(table.drop(columns=["sent", "bounced", "unsubscribed"]), offers, 0.3, DAY).iloc[0]
    assert (row.standard_error, row.minimum_detectable_lift) == pytest.approx(
        (whole.standard_error / 0.8, whole.minimum_detectable_lift / 0.8)
    )
    assert whole.lift == pytest.approx(0.1) and np.isnan(whole.sent_control)


@pytest.mark.parametrize(("sent", "by_mistake"), [(0.7, 0.4), (0.3, 0.0), (1.0, 0.7)])
def test_a_campaign_that_was_mixed_too_much_is_not_used(sent, by_mistake):
    row = one(mistaken(1, 0.1, sent, by_mistake))
    assert row.status == "observational"
    assert "of the control group were sent a message: too little difference is left to measure" in row.check
    assert uplift.update_lifts(OFFERS, pd.DataFrame([row])).lift.tolist() == OFFERS.lift.tolist()


def test_outcomes_keep_what_the_export_says():
    past, orders = ledger()
    given = past.assign(sent=[True, False, False, True], bounced=False, unsubscribed=[True, False, False, False])
    found = uplift.campaign_outcomes(given, orders, pd.Series({"a": 91}), past.customer_id)
    assert found[["sent", "unsubscribed"]].to_numpy().tolist() == given[["sent", "unsubscribed"]].to_numpy().tolist()


def test_where_the_planted_lift_is_zero_no_money_is_spent():
    """A test that could have seen the assumed lift and saw none sets the lift to 0, and the plan spends nothing."""

    def contacts(offers: pd.DataFrame) -> float:
        table = options(offers, ("a", 0, "A", 1000, 0.15, 12.0))
        return plan_waves(year_problem(offers, 500, table, waves=1)).contacts.contacts.sum()

    assert contacts(OFFERS) > 0
    kept = []
    for seed in range(60):
        learned = uplift.update_lifts(OFFERS, uplift.measure_uplift(simulated(seed, 0.0, 12_000), OFFERS, 0.3, DAY))
        kept.append(contacts(learned) == 0)
    assert np.mean(kept) >= 0.9


def test_groups_that_were_not_random_are_refused():
    for seed in range(20):
        row = one(simulated(seed, 0.05, random_groups=False))
        assert row.status == "observational"
        assert "orders before differ by" in row.check


def test_random_groups_are_rarely_refused():
    small = [one(simulated(seed, 0.05, count=300)) for seed in range(100)]
    assert np.mean([row.status == "measured" for row in small]) >= 0.95


def ledger() -> tuple[pd.DataFrame, ibis.Table]:
    """Four customers: 1 and 2 contacted on 1 March, 3 and 4 held back; window 91 days, to 31 May."""
    past = pd.DataFrame(
        {
            "campaign": "a",
            "customer_id": ["1", "2", "3", "4"],
            "contacted_on": pd.Timestamp("2024-03-01"),
            "group": ["treatment", "treatment", "control", "control"],
        }
    )
    placed = [("1", "2024-01-30", 10.0), ("1", "2024-03-01", 20.0), ("1", "2024-05-31", 5.0), ("2", "2024-06-01", 40.0)]
    placed += [("3", "2024-02-29", 30.0), ("3", "2024-04-01", 7.0), ("9", "2024-04-01", 99.0)]
    orders = pd.DataFrame(placed, columns=["customer_id", "ordered_at", "revenue"])
    return past, ibis.memtable(orders.assign(ordered_at=pd.to_datetime(orders.ordered_at)))


def test_outcomes_worked_by_hand():
    past, orders = ledger()
    found = uplift.campaign_outcomes(past, orders, pd.Series({"a": 91}), pd.Series(["1", "2", "3"])).set_index(
        "customer_id"
    )
    assert found.bought.tolist() == [1, 0, 1, 0]
    assert found.revenue.tolist() == [25, 0, 7, 0]
    assert found.orders_before.tolist() == [1, 0, 1, 0]
    assert found.revenue_before.tolist() == [10, 0, 30, 0]
    assert found.days_since.tolist()[0] == 31
    assert found.days_since.tolist()[2] == 1
    assert found.known.tolist() == [True, True, True, False]
    assert (found.ends == pd.Timestamp("2024-05-31")).all()
    text = past.assign(contacted_on="2024-03-01")
    from_text = uplift.campaign_outcomes(text, orders, pd.Series({"a": 91}), pd.Series(["1", "2", "3"]))
    assert from_text.set_index("customer_id").equals(found), "days may be text"
    other = uplift.campaign_outcomes(past, orders, pd.Series({"b": 10, "c": 92}), past.customer_id)
    assert (other.ends == pd.Timestamp("2024-06-01")).all(), "the longest window of those that are known"
    assert other.bought.tolist() == [1, 1, 1, 0]


def test_what_was_earned_worked_by_hand():
    """1000 contacted of whom 200 buy, 250 held back of whom 25 do: lift 10 points. Orders of 40 at margin .3: 12 each.
    Earned 1000 × (.1 × 12 − 0.5) = 700; promised at .05 × .9: 1000 × (.045 × 12 − .5) = 40."""
    bought = [1.0] * 200 + [0.0] * 800 + [1.0] * 25 + [0.0] * 225
    table = simulated(1, 0, count=1250).assign(
        group=["treatment"] * 1000 + ["control"] * 250, bought=bought, revenue=[40.0 * b for b in bought]
    )
    row = one(table)
    assert row.lift == pytest.approx(0.1)
    shares = 201 / 1002, 26 / 252  # Agresti & Caffo: a buyer and a non-buyer added to each group
    error = (shares[0] * (1 - shares[0]) / 1002 + shares[1] * (1 - shares[1]) / 252) ** 0.5
    assert row.standard_error == pytest.approx(error)
    assert row.lift_low == pytest.approx(shares[0] - shares[1] - 1.6449 * error, rel=1e-3)
    assert row.lift_high == pytest.approx(shares[0] - shares[1] + 1.6449 * error, rel=1e-3)
    assert row.incremental_profit == pytest.approx(700)
    assert row.forecast_profit == pytest.approx(40)
    assert row.incremental_profit_low < row.incremental_profit < row.incremental_profit_high


def test_what_was_earned_with_incentives_worked_by_hand():
    """Given 2 + 5% of 40 = 4, redeemed by half: 2. V = .3 × 40 × .9 × 1.5 = 16.2; anyway .1 × .8 × 2 = .16.

    200 × (.1 × (16.2 − 2) − .16 − .5) − 30 = 122; promised at .05 × .8: 200 × (.04 × 14.2 − .66) − 30 = −48.4.
    """
    offers = campaigns(
        {"contact_cost": 0.5, "incentive": 2, "incentive_share": 0.05, "redemption_rate": 0.5, "delivery_rate": 0.8,
         "pull_forward_share": 0.1, "follow_on_margin": 0.5, "fixed_cost": 30, "lift": 0.05}
    )  # fmt: skip
    bought = [1.0] * 40 + [0.0] * 160 + [1.0] * 10 + [0.0] * 90
    table = simulated(1, 0, count=300).assign(
        group=["treatment"] * 200 + ["control"] * 100, bought=bought, revenue=[40.0 * b for b in bought]
    )
    row = uplift.measure_uplift(table, offers, 0.3, DAY).iloc[0]
    assert (row.treated, row.control, row.bought_treated, row.bought_control) == (200, 100, 0.2, 0.1)
    assert row.incremental_profit == pytest.approx(122)
    assert row.forecast_profit == pytest.approx(-48.4)
    assert row.incremental_profit_low == pytest.approx(200 * (row.lift_low * 14.2 - 0.66) - 30)
    assert row.incremental_profit_high == pytest.approx(200 * (row.lift_high * 14.2 - 0.66) - 30)
    pooled = 2.8016 * (50 / 300 * 250 / 300 * (1 / 200 + 1 / 100)) ** 0.5
    assert row.minimum_detectable_lift == pytest.approx(pooled)
    unknown = uplift.measure_uplift(table.assign(campaign="other"), offers, 0.3, DAY).iloc[0]
    assert np.isnan(unknown.incremental_profit) and np.isnan(unknown.forecast_profit)
    assert unknown.lift == pytest.approx(0.1)
    nobody = uplift.measure_uplift(table.assign(bought=0.0, revenue=0.0), offers, 0.3, DAY).iloc[0]
    assert nobody.incremental_profit == pytest.approx(200 * -0.5 - 30)


@pytest.mark.parametrize(("treated", "control"), [((2, 2), (0, 2)), ((20, 300), (0, 12)), ((5, 40), (0, 4))])
def test_a_handful_held_back_measures_nothing(treated, control):
    """Fisher's exact test gives p = 0.33, 1 and 1: that nobody of so few bought is no proof."""
    bought = (
        [1.0] * treated[0] + [0.0] * (treated[1] - treated[0]) + [1.0] * control[0] + [0.0] * (control[1] - control[0])
    )
    groups = ["treatment"] * treated[1] + ["control"] * control[1]
    row = one(simulated(1, 0, count=len(groups)).assign(group=groups, bought=bought, revenue=bought))
    assert row.lift_low < 0 < row.lift_high <= 1
    swapped = {"treatment": "control", "control": "treatment"}
    table = simulated(1, 0, count=len(groups)).assign(group=[swapped[name] for name in groups], bought=bought)
    mirrored = one(table.assign(revenue=bought))
    assert (mirrored.lift_low, mirrored.lift_high) == pytest.approx((-row.lift_high, -row.lift_low))


def test_a_measured_lift_is_pulled_towards_the_assumed_one():
    measured = uplift.measure_uplift(simulated(3, 0.08, 8000), OFFERS, 0.3, DAY)
    raw = measured.lift.iloc[0] / 0.9
    learned = uplift.update_lifts(OFFERS, measured).iloc[0]
    assert min(raw, 0.05) < learned.lift < max(raw, 0.05)
    assert abs(learned.lift - raw) < abs(learned.lift - 0.05)
    assert learned.evidence == "measured"
    assert learned.lift_low < learned.lift < learned.lift_high


def measured_as(lift: float, error: float, low: float, detectable: float) -> pd.DataFrame:
    row = {"campaign": "a", "status": "measured", "lift": lift, "standard_error": error, "lift_low": low}
    row["response"] = 1.0
    return pd.DataFrame([row | {"minimum_detectable_lift": detectable}, row | {"campaign": "unknown"}])


def test_the_pull_towards_an_assumed_range_worked_by_hand():
    """Assumed .05 (.01 to .09): ω = .08 ÷ (2 × 1.6449) = .024317. Measured .09 and .009, ÷ .9: .1 and .01.

    Weight .024317² ÷ (.024317² + .01²) = .85536, so .85536 × .1 + .14464 × .05 = .092768, and half of the interval is
    1.6449 × .024317 × √.14464 = .015213.
    """
    row = uplift.update_lifts(OFFERS, measured_as(0.09, 0.009, 0.05, 1.0)).iloc[0]
    assert row.lift == pytest.approx(0.092768, abs=1e-6)
    assert (row.lift_low, row.lift_high) == pytest.approx((0.092768 - 0.015213, 0.092768 + 0.015213), abs=1e-6)
    assert (row.evidence, row.lift_from) == ("measured", "measured, shrunk")


def test_a_measured_lift_stays_between_none_and_all():
    wide = OFFERS.assign(lift=0.5, lift_low=0.0, lift_high=1.0)
    high = uplift.update_lifts(wide, measured_as(0.89, 0.2, 0.01, 1.0)).iloc[0]
    low = uplift.update_lifts(wide.assign(lift=0.01), measured_as(0.01, 0.2, 0.001, 1.0)).iloc[0]
    assert high.lift_high == 1 and low.lift_low == 0
    certain = uplift.update_lifts(OFFERS.assign(lift_low=0.05, lift_high=0.05), measured_as(0.09, 0.01, 0.05, 1.0))
    assert certain.lift[0] == pytest.approx(0.05), "an assumption without a range is not moved"


@pytest.mark.parametrize(("detectable", "lift"), [(0.045, 0.0), (0.0451, 0.05)])
def test_a_test_that_could_have_seen_the_assumed_lift_sets_it_to_none(detectable, lift):
    """Of everybody listed .045 is detectable: of those reached (9 of 10) .05, which is what was assumed."""
    row = uplift.update_lifts(OFFERS, measured_as(0.009, 0.018, -0.02, detectable)).iloc[0]
    assert row.lift == lift
    if not lift:
        assert (row.lift_low, row.lift_high) == (0, pytest.approx(0.01 + 1.6449 * 0.02))
        assert (row.evidence, row.lift_from) == ("measured", "measured: no effect could be told from none")
    exactly = uplift.update_lifts(OFFERS.assign(delivery_rate=1.0), measured_as(0.009, 0.018, -0.02, 0.05)).iloc[0]
    assert exactly.lift == 0, "the assumed lift itself could have been seen"
    none = uplift.update_lifts(OFFERS, measured_as(-0.09, 0.009, -0.1, 0.01)).iloc[0]
    assert none.lift_high == 0
    barely = uplift.update_lifts(OFFERS, measured_as(0.09, 0.009, 0.0, 1.0)).iloc[0]
    assert barely.lift_from == "assumed: the test was too small to tell", "an interval from 0 holds no effect"
    unknown_first = measured_as(0.09, 0.009, 0.05, 1.0).iloc[::-1]
    assert uplift.update_lifts(OFFERS, unknown_first).lift_from.tolist() == ["measured, shrunk"]
    assert uplift.update_lifts(OFFERS, pd.DataFrame()).lift_from.tolist() == ["assumed"]
    published = OFFERS.assign(evidence="published")
    assert uplift.update_lifts(published, pd.DataFrame()).lift_from.tolist() == ["published"]
    observed = measured_as(0.09, 0.009, 0.05, 1.0).assign(status="observational")
    assert uplift.update_lifts(OFFERS, observed).lift_from.tolist() == ["assumed"]


def test_a_test_too_small_to_tell_leaves_the_assumption():
    small = simulated(5, 0.0, 200)
    learned = uplift.update_lifts(OFFERS, uplift.measure_uplift(small, OFFERS, 0.3, DAY)).iloc[0]
    assert (learned.lift, learned.evidence) == (0.05, "assumed")
    assert learned.lift_from == "assumed: the test was too small to tell"


def wrong(change: str) -> pd.DataFrame:
    table = simulated(1, 0.05, 600)
    if change == "both":
        return pd.concat([table, table.iloc[[0]].assign(group="control")])
    if change == "unknown":
        return table.assign(known=table.index >= 60)
    if change == "no control":
        return table.assign(group="treatment")
    return table.assign(ends=DAY + pd.Timedelta(days=3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("both", "1 of 600 customers are listed again within the window, or in both"),
        ("unknown", "60 of 600 customers are not among the known ones"),
        ("no control", "600 treated and 0 held back"),
        ("open", "its window is open until 2025-01-03"),
    ],
)
def test_results_that_cannot_be_used_say_why(change, message):
    row = one(wrong(change))
    assert row.status == "observational"
    assert message in row.check


def groups(count: int = 400) -> pd.DataFrame:
    """Half treated, half held back, alike in all that was before the contact."""
    pairs = np.arange(count) // 2
    return simulated(1, 0.05, count).assign(
        group=["treatment", "control"] * (count // 2),
        days_since=pairs % 50 + 1.0,
        orders_before=pairs % 7,
        revenue_before=pairs % 11 * 10.0,
    )


def test_limits_of_the_check_for_random_groups():
    assert uplift.randomization_check(groups(), DAY) == ""
    known = groups().known
    assert uplift.randomization_check(groups().assign(known=known.index >= 4), DAY) == "", "4 of 400 are 1%"
    assert "5 of 400 customers are not among" in uplift.randomization_check(
        groups().assign(known=known.index >= 5), DAY
    )
    assert uplift.randomization_check(groups().assign(ends=DAY), DAY) == "", "its last day is over"
    assert "is open" in uplift.randomization_check(groups().assign(ends=DAY + pd.Timedelta(days=1)), DAY)
    one_held = groups(4).assign(group=["treatment", "treatment", "treatment", "control"])
    assert "3 treated and 1 held back" in uplift.randomization_check(one_held, DAY)
    assert uplift.randomization_check(groups(4), DAY) == "", "two and two can be compared"


def test_a_difference_counts_if_it_is_large_and_no_chance():
    """Days since the last order, ± 5: a shift of 3 is .6 standard deviations; of .4, .08."""
    near, far = (np.where(groups().group == "control", shift, 0.0) for shift in (0.4, 3.0))
    spread = np.tile([5.0, 5.0, -5.0, -5.0], 100)
    alike, apart = (groups().assign(days_since=20 + spread + shift) for shift in (near, far))
    assert uplift.randomization_check(alike, DAY) == ""
    assert "days since the last order differ by 0.60 standard deviations" in uplift.randomization_check(apart, DAY)
    # Of 400 it is .1. A shift of 1.4 is .28 standard deviations and of 1.75 is .35: within and beyond three of them.
    for shift, refused in ((1.4, False), (1.75, True)):
        shifted = np.where(groups().group == "control", shift, 0.0)
        check = uplift.randomization_check(groups().assign(days_since=20 + spread + shifted), DAY)
        assert bool(check) is refused
    # Of 40 customers the standard error is .316, so .6 is within three of them.
    assert uplift.randomization_check(apart.head(40), DAY) == ""


def test_a_difference_in_standard_deviations_worked_by_hand():
    one_group, other = pd.Series([1.0, 2.0, 3.0]), pd.Series([1.0, 5.0])
    # Variances 1 and 8: √4.5 = 2.1213; (2 − 3) ÷ 2.1213.
    difference, error = uplift._standardized_mean_difference(one_group, other)
    assert (difference, error) == pytest.approx((-1 / 4.5**0.5, (1 / 3 + 1 / 2) ** 0.5))
    assert uplift._standardized_mean_difference(other, one_group) == pytest.approx((-difference, error))
    for few in ((one_group, other.head(1)), (other.head(1), one_group)):
        assert uplift._standardized_mean_difference(*few) == (0.0, np.inf)
    assert uplift._standardized_mean_difference(one_group * 0, other * 0)[0] == 0


def test_a_sample_ratio_worked_by_hand():
    """Two days of 100: held back 50 and 50 + n. Chi² with one degree of freedom is too large from 1 + 5√2 = 8.07."""

    def uneven(more: int) -> bool:
        group = ["control"] * 50 + ["treatment"] * 50 + ["control"] * (50 + more) + ["treatment"] * (50 - more)
        days = pd.to_datetime(["2024-03-01"] * 100 + ["2024-03-02"] * 100)
        return uplift._sample_ratio_mismatch(pd.DataFrame({"contacted_on": days, "group": group}))

    # 50 and 70 instead of 60 of each 100: 2 × 10² ÷ 60 + 2 × 10² ÷ 40 = 8.33. With 69 it is 7.5.
    assert [uneven(more) for more in (0, 19, 20)] == [False, False, True]


@pytest.mark.parametrize(("held", "refused"), [(70, False), (72, True)])
def test_a_sample_ratio_of_three_days(held, refused):
    """Two degrees of freedom: too large from 2 + 5√4 = 12. Held back are 50, 50 and 70 or 72 of 100.

    70: (2 × 6.67² + 13.33²) ÷ (100 × .5667 × .4333) = 10.9; 72: (2 × 7.33² + 14.67²) ÷ (100 × .5733 × .4267) = 13.2.
    """
    group = [name for count in (50, 50, held) for name in ["control"] * count + ["treatment"] * (100 - count)]
    days = pd.to_datetime(["2024-03-01", "2024-03-02", "2024-03-03"]).repeat(100)
    assert uplift._sample_ratio_mismatch(pd.DataFrame({"contacted_on": days, "group": group})) is refused


def test_uneven_control_shares_are_refused():
    table = simulated(2, 0.05, 2000)
    later = table.index % 2 == 1
    table.loc[later & (np.arange(2000) % 3 == 0), "group"] = "control"
    table["contacted_on"] = np.where(later, pd.Timestamp("2024-03-02"), pd.Timestamp("2024-03-01"))
    assert "share held back differs between contact days" in one(table).check


def test_files_that_are_no_results_are_refused():
    past, orders = ledger()
    with pytest.raises(errors.UpliftError, match="has no column group"):
        uplift.campaign_outcomes(past.drop(columns="group"), orders, pd.Series({"a": 91}), past.customer_id)
    with pytest.raises(errors.UpliftError, match="4 rows are neither treatment nor control, for example 'x'"):
        uplift.campaign_outcomes(past.assign(group="x"), orders, pd.Series({"a": 91}), past.customer_id)


def test_no_past_campaigns_leave_the_assumptions():
    none = uplift.measure_campaigns(None, ledger()[1], pd.Series(["1"]), OFFERS, 0.3, DAY)
    learned = uplift.update_lifts(OFFERS, none)
    assert learned.lift.equals(OFFERS.lift)
    assert learned.lift_from.tolist() == ["assumed"]
    past = ledger()[0]
    assert uplift.measure_campaigns(past.head(0), ledger()[1], past.customer_id, OFFERS, 0.3, DAY).empty
    measured = uplift.measure_campaigns(past, ledger()[1], past.customer_id, OFFERS, 0.3, DAY)
    assert list(none.columns) == list(measured.columns)


def test_from_orders_to_what_was_earned():
    past, orders = ledger()
    found = uplift.measure_campaigns(past, orders, past.customer_id, OFFERS, 0.3, DAY)
    assert found[["treated", "control", "bought_treated", "bought_control"]].iloc[0].tolist() == [2, 2, 0.5, 0.5]


def test_past_campaigns_are_in_the_order_of_their_names():
    both = pd.concat([simulated(1, 0.05, 40).assign(campaign="b"), simulated(1, 0.05, 40)])
    assert uplift.measure_uplift(both, OFFERS, 0.3, DAY).campaign.tolist() == ["a", "b"]


def test_a_customer_who_is_listed_twice_has_the_same_orders_in_both_rows():
    past, orders = ledger()
    twice = pd.concat([past, past.head(1)])
    found = uplift.campaign_outcomes(twice, orders, pd.Series({"a": 91}), past.customer_id)
    assert found[found.customer_id == "1"].revenue.tolist() == [25, 25]
    assert found.orders_before.tolist() == [1, 0, 1, 0, 1]


def waves(seed: int, count: int, waves: int) -> pd.DataFrame:
    """The same customers in several waves, in the same group each time. Half of them always buy, the others never."""
    one_wave = simulated(seed, 0.0, count)
    always = np.random.default_rng(seed).random(count) < 0.5
    start = pd.Timestamp("2024-01-01")
    parts = []
    for wave in range(waves):
        day = start + pd.Timedelta(days=91 * wave)
        parts.append(one_wave.assign(contacted_on=day, ends=day + pd.Timedelta(days=91), bought=always.astype(float)))
    return pd.concat(parts, ignore_index=True)


def test_waves_of_the_same_customers_tell_no_more_than_one():
    """If customers do the same in each wave, two waves are as uncertain as one."""
    single, both = one(waves(1, 2000, 1)), one(waves(1, 2000, 2))
    assert both.treated == 2 * single.treated
    assert both.standard_error == pytest.approx(single.standard_error, rel=0.01)


def test_a_wave_that_is_not_over_is_left_out():
    late = one(waves(1, 2000, 4).assign(contacted_on=lambda table: table.contacted_on + pd.Timedelta(days=20)))
    assert late.status == "measured"
    table = waves(1, 2000, 4)
    last = table.contacted_on == table.contacted_on.max()
    table.loc[last, "ends"] = DAY + pd.Timedelta(days=1)
    assert one(table).treated == one(table[~last]).treated


def test_customers_listed_again_within_the_window_are_refused():
    table = waves(1, 600, 2)
    again = table.contacted_on.where(table.contacted_on == table.contacted_on.min(), pd.Timestamp("2024-03-01"))
    row = one(table.assign(contacted_on=again))
    assert row.status == "observational"
    assert "600 of 600 customers are listed again within the window" in row.check


def test_response_of_past_contacts_by_hand():
    """Two messages keep 1 + 0.5; a customer contacted in the wave before responds half as well."""
    rows = [("a", "1", "2024-01-01", "treatment", 1), ("a", "1", "2024-04-01", "treatment", 2),
            ("a", "2", "2024-04-01", "treatment", 2), ("b", "1", "2024-07-01", "control", 1)]  # fmt: skip
    past = pd.DataFrame(rows, columns=["campaign", "customer_id", "contacted_on", "group", "messages"])
    found = uplift.add_response(past.assign(contacted_on=pd.to_datetime(past.contacted_on)), 0.5, 91)
    assert found.response.tolist() == pytest.approx([1.0, 0.5 * 1.5, 1.5, 0.25])


def test_a_lift_of_several_messages_is_one_of_each():
    """Measured 0.09 with two messages that work 1.5 times as well as one, of which 0.9 arrive."""
    found = measured_as(0.09, 0.009, 0.05, 1.0)
    single, double = (uplift.update_lifts(OFFERS, found.assign(response=value)).iloc[0] for value in (1.0, 1.5))
    assert double.lift < single.lift
    assert double.lift == pytest.approx(0.06 / 0.9, abs=0.003)


def test_a_measured_campaign_is_weighed_for_the_segments_it_was_measured_on():
    """Of 100 customers of the test 60 are in A, 36 in B and 4, under a twentieth, in C."""
    ids = [f"{number:03}" for number in range(300)]
    people = pd.DataFrame({"customer_id": ids, "segment": ["A"] * 100 + ["B"] * 100 + ["C"] * 100})
    listed = [*ids[:60], *ids[100:136], *ids[200:204]]
    past = pd.DataFrame({"campaign": "Mail", "customer_id": listed, "group": "treatment"})
    results = pd.DataFrame({"campaign": ["Mail", "Post"], "status": ["measured", "observational"]})
    found = uplift.measured_audience(past, results, people)
    assert found.columns.tolist() == ["Mail"]
    assert found.Mail.tolist() == [True] * 200 + [False] * 100
    assert uplift.measured_audience(None, results, people).shape == (300, 0)
    offers = campaigns({"name": "Mail", "segments": ["C"]}, {"name": "Post", "segments": ["C"]})
    may = unit_economics.eligible_customers(people, offers, ["A", "B", "C"], found)
    assert may.sum().tolist() == [300, 100]
