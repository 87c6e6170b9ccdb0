"""A simulated shop that is run forward: what is planted comes out, within chance, and nothing else changes."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from crm_utils.config import SimulatedResponse, SimulatedShop
from crm_utils.sources.simulated import forward

SHOP = SimulatedShop(customers=4000, start=date(2022, 1, 1), end=date(2025, 6, 30), guest_share=0, campaign_on=None)
RESPONSE = SimulatedResponse(lifts={"Mail": 0.06}, fatigue=0.5, repeat_response=0.5, acquisition_cost=20)


@pytest.fixture(scope="module")
def future() -> forward.Future:
    return forward.draw_future(SHOP, RESPONSE, date(2024, 1, 1), 91, 2)


def contact(future: forward.Future, position: forward.Position, messages: int = 1) -> pd.DataFrame:
    """One row for each customer who has ordered by now."""
    ids = np.unique(forward.orders_by(future, position).customer_id)
    rows = pd.DataFrame({"customer_id": ids, "campaign": "Mail", "messages": messages})
    return rows.assign(window_days=60, delivery_rate=1.0)


def assert_lift(outcome: pd.DataFrame, expected: float) -> None:
    """Within 3 standard errors."""
    added = outcome.added_revenue > 0
    assert abs(added.mean() - expected) < 3 * np.sqrt(expected / len(added))
    assert (added <= outcome.bought).all()


def test_the_planted_lift_fatigue_and_response_come_out(future: forward.Future):
    """A second message adds half of the first, and customers contacted in the wave before respond half as well."""
    begin = forward.start(future)
    after, one = forward.run_wave(future, begin, contact(future, begin))
    _, two = forward.run_wave(future, begin, contact(future, begin, messages=2))
    assert_lift(one, 0.06)
    assert_lift(two, 0.09)
    again = contact(future, after)
    known = again.customer_id.isin(one.customer_id)
    _, tired = forward.run_wave(future, after, again[known])
    assert_lift(tired, 0.03)


def test_contacts_only_add_orders(future: forward.Future):
    begin = forward.start(future)
    after, outcome = forward.run_wave(future, begin, contact(future, begin))
    without, _ = forward.run_wave(future, begin, contact(future, begin).iloc[:0])
    columns = ["customer_id", "ordered_at", "revenue"]
    more, plain = (forward.orders_by(future, position)[columns] for position in (after, without))
    assert len(more) - len(plain) == (outcome.added_revenue > 0).sum()
    assert more.revenue.sum() - plain.revenue.sum() == pytest.approx(outcome.added_revenue.sum())
    assert more.ordered_at.max() < pd.Timestamp("2024-04-02")
    assert plain.merge(more, how="left", indicator=True)._merge.eq("both").all()


def test_customers_won_are_those_the_cost_curve_says_and_nobody_else_comes(future: forward.Future):
    """By themselves 4000 × 91 / 1276 = 285 come in a wave; as many more cost 20 × 1.5 × 285."""
    money = 20 * 1.5 * 4000 * 91 / (SHOP.end - SHOP.start).days
    begin, seeds = forward.start(future), range(300)
    won = [forward.customers_won(_with_seed(future, seed), 0, money) for seed in seeds]
    assert np.mean(won) == pytest.approx(285, rel=0.02)
    assert np.std(won) > 0.08 * 285
    nobody = contact(future, begin).iloc[:0]
    after, _ = forward.run_wave(future, begin, nobody, money)
    number = forward.customers_won(future, 0, money)
    assert after.present.sum() - begin.present.sum() == number > 0
    alone, _ = forward.run_wave(future, begin, nobody)
    more, plain = (forward.orders_by(future, position).customer_id.nunique() for position in (after, alone))
    assert more - plain == number, "each of them orders within the wave"
    assert forward.first_year_revenue(future, after) > 0 == forward.first_year_revenue(future, alone)


def _with_seed(future: forward.Future, seed: int) -> forward.Future:
    return replace(future, response=RESPONSE.model_copy(update={"seed": seed}))


def test_the_probability_to_order_anyway_is_true(future: forward.Future):
    begin = forward.start(future)
    chance = forward.probability_anyway(future, begin, 0, 60)
    _, outcome = forward.run_wave(future, begin, contact(future, begin).assign(delivery_rate=1e-9))
    row = future.customers.customer_id.isin(outcome.customer_id).to_numpy()
    assert outcome.bought.mean() == pytest.approx(chance[row].mean(), abs=3 * np.sqrt(0.25 / row.sum()))
    assert (chance[~begin.present] == 0).all()


def test_the_same_seed_gives_the_same_future(future: forward.Future):
    again = forward.draw_future(SHOP, RESPONSE, date(2024, 1, 1), 91, 2)
    pd.testing.assert_frame_equal(again.orders, future.orders)
    begin = forward.start(future)
    some = contact(future, begin).iloc[::3]
    alone = forward.run_wave(future, begin, some)[1]
    among = forward.run_wave(again, begin, contact(future, begin))[1].iloc[::3]
    pd.testing.assert_frame_equal(alone, among)
