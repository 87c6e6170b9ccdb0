"""The chance to buy again: a life table by hand, and its mean with the model."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd, chance
from crm_utils.cltv.backtest import Backtest
from crm_utils.cltv.purchase_log import PurchaseLog, day_of
from tests.support.factories import three_hundred

LAST = 364


def log(days: dict[str, list[int]]) -> PurchaseLog:
    """Orders for 10 on the given days of each customer."""
    ids = np.array(sorted(days))
    rows = [(place, day) for place, name in enumerate(ids) for day in sorted(days[name])]
    customer, day = np.array(rows, np.int32).T
    none = np.empty(0, int)
    return PurchaseLog(ids, customer, day, np.full(len(day), 10.0), none, none, np.empty(0))


@pytest.fixture(scope="module")
def shop() -> PurchaseLog:
    """300 customers who buy every 28 days, and 300 who bought twice in the first weeks and never again."""
    regular = {f"a{n:03}": list(range(n % 28, LAST + 1, 28)) for n in range(300)}
    return log(regular | {f"b{n:03}": [n % 28, n % 28 + 7] for n in range(300)})


def test_those_who_come_back_and_those_who_do_not(shop):
    """A customer with many purchases who bought lately comes back; one of two purchases and a long silence does not."""
    shares = chance.return_shares(shop, LAST)
    assert shares.shape == (len(chance.CLASSES), chance.MAX_SILENCE)
    often, twice = 5, 1
    assert shares[often, 0] > 0.9
    assert shares[twice, 6] < 0.1
    assert ((shares >= 0) & (shares <= 1)).all()


def test_nothing_after_the_day_counts(shop):
    later = log({shop.ids[code]: shop.day[shop.customer == code].tolist() for code in range(len(shop.ids))})
    before = chance.return_shares(later, 200)
    cut = shop.day <= 200
    none = np.empty(0, int)
    past = PurchaseLog(shop.ids, shop.customer[cut], shop.day[cut], shop.revenue[cut], none, none, np.empty(0))
    np.testing.assert_array_equal(before, chance.return_shares(past, 200))


def test_a_history_of_four_weeks_has_no_life_table(shop):
    assert chance.return_shares(shop, 27) is None
    assert chance.return_shares(shop, 60) is not None


def customers_now(shop: PurchaseLog) -> pd.DataFrame:
    customers = shop.as_of(LAST).summary()
    return customers.assign(customer_id=shop.ids[customers.customer])


def test_the_chance_is_the_mean_of_model_and_life_table(shop):
    customers = customers_now(shop)
    models = btyd.fit_customer_base(customers)
    shares = chance.return_shares(shop, LAST)
    both, model = (chance.add_chances(customers, models, table) for table in (shares, None))
    x, t_x, T = btyd.to_xtT(customers)
    np.testing.assert_allclose(model.chance_6m, models.purchase.purchase_probability(x, t_x, T, 182.0))
    table = 2 * both.chance_6m - model.chance_6m
    assert table.between(0, 1).all()
    assert (both.chance_12m >= both.chance_6m).all()
    # Six and a half steps of four weeks from a silence of 12 steps, two purchases
    first = customers.customer_id == "b000"
    expected = 1 - np.prod(1 - shares[1, 12:18]) * (1 - shares[1, 18]) ** 0.5
    assert table[first].iloc[0] == pytest.approx(expected)


def test_without_a_model_the_life_table_stands_alone(shop):
    customers = customers_now(shop)
    none = btyd.fit_customer_base(customers, obstacles=["regular"])
    found = chance.add_chances(customers, none, chance.return_shares(shop, LAST))
    regular = found.customer_id < "b"
    assert (found.chance_12m[regular] > 0.99).all() and (found.chance_6m[~regular] < 0.3).all()
    assert chance.add_chances(three_hundred(), none, None).chance_12m.between(0, 1).all()


def test_what_became_of_the_last_list():
    """Half a year ago 30 customers had spent most and were silent for long; 12 of them came back."""
    regular = {f"a{n:03}": list(range(n % 28, 729, 28)) for n in range(300)}
    quiet = {f"q{n:03}": [n, n + 1, *([700] if n < 12 else [])] for n in range(30)}
    orders = log(regular | quiet)
    spent = np.where(orders.customer >= 300, 1000.0, 10.0)
    past = PurchaseLog(orders.ids, orders.customer, orders.day, spent, *([np.empty(0, int)] * 2), np.empty(0))
    record = chance.judge_last_list(Backtest(past, day_of(728)))
    assert (record.customers, record.came_back) == (30, pytest.approx(0.4))
    assert 0 < record.expected < 0.5
    assert chance.judge_last_list(Backtest(past, day_of(200))) is None
