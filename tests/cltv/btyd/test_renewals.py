"""Renewals and churn: by hand, and against simulated subscriptions."""

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv.backtest import COMBINATION, Backtest, list_tests
from crm_utils.cltv.backtest.candidates import RENEWALS
from crm_utils.cltv.btyd import Renewals, fit_customer_base, fit_renewals, models_from_table
from crm_utils.cltv.purchase_log import PurchaseLog, day_of

MONTHLY = Renewals(gap_days=30, first_churn=0.2, churn=0.1)


def one(x: float, t_x: float, T: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([x]), np.array([t_x]), np.array([T])


def test_a_year_by_hand():
    """Ten days after the third renewal the next is due in 20 days, then every 30: at 20, 50 and 80 of 91 days."""
    after_third = one(3, 90, 100)
    assert MONTHLY.expected_purchases(*after_third, 91)[0] == pytest.approx(0.9 + 0.9**2 + 0.9**3)
    squared = 0.9 + 3 * 0.9**2 + 5 * 0.9**3
    assert MONTHLY.expected_squared_purchases(*after_third, 91)[0] == pytest.approx(squared)
    assert MONTHLY.purchase_probability(*after_third, 19)[0] == 0
    assert MONTHLY.purchase_probability(*after_third, 20)[0] == pytest.approx(0.9)
    several = MONTHLY.expected_purchases(*after_third, np.array([19.0, 20.0, 50.0]))
    assert several.tolist() == [[0, pytest.approx(0.9), pytest.approx(0.9 + 0.81)]]


def test_the_first_renewal_has_a_churn_of_its_own():
    assert MONTHLY.expected_purchases(*one(0, 0, 10), 60)[0] == pytest.approx(0.8 + 0.8 * 0.9)


@pytest.mark.parametrize(("silence", "alive"), [(30, 1), (37.5, 0.5), (45, 0), (99, 0)])
def test_who_is_late_by_half_a_gap_has_cancelled(silence, alive):
    late = one(3, 90, 90 + silence)
    assert MONTHLY.probability_alive(*late)[0] == alive
    assert MONTHLY.purchase_probability(*late, 0)[0] == pytest.approx(0.9 * alive), "a late renewal is due now"
    assert MONTHLY.expected_purchases(*late, 0)[0] == pytest.approx(0.9 * alive)


def test_churn_is_cancellations_by_chances_to_renew():
    """Renewals: 3 − 1 and 5 − 1 after the first; one of the two cancelled later. One of three left at once."""
    x, t_x, T = np.array([3.0, 5, 0, 0]), np.array([90.0, 150, 0, 0]), np.array([200.0, 160, 100, 20])
    fitted = fit_renewals(x, t_x, T)
    assert fitted.gap_days == 30
    assert fitted.churn == pytest.approx((1 + 0.5) / (6 + 1 + 1.5))
    assert fitted.first_churn == pytest.approx((1 + 0.5) / (2 + 1 + 1.5))


def subscriptions(months: int = 36, seed: int = 1) -> PurchaseLog:
    """Eight customers begin each month, pay 20 every 30 days, and cancel with 5 % at each renewal."""
    rng = np.random.default_rng(seed)
    begins = np.repeat(np.arange(months) * 30, 8) + rng.integers(0, 30, months * 8)
    paid = [np.arange(begin, months * 30, 30)[: rng.geometric(0.05)] for begin in begins]
    customer = np.repeat(np.arange(len(begins)), [len(days) for days in paid])
    day = np.concatenate(paid) + 10_000
    none = np.empty(0, int)
    ids = np.array([f"c{number}" for number in range(len(begins))])
    return PurchaseLog(ids, customer.astype(np.int32), day.astype(np.int32), np.full(len(day), 20.0), none, none, none)


def test_subscriptions_are_forecast_by_renewals_and_churn():
    log = subscriptions()
    past = Backtest(log, day_of(int(log.day.max())), with_models=False, regular=True)
    tests = list_tests(past)
    tests = tests.assign(error=(tests.revenue_predicted / tests.revenue_actual - 1).abs())
    error = tests.groupby(["horizon_days", "model"]).error.mean().unstack()
    assert (error[RENEWALS] < [0.05, 0.05, 0.08, 0.13]).all()
    assert (error[COMBINATION] < 0.5 * error["past_average_rate"]).all()
    newest = tests[(tests.model == RENEWALS) & (tests.origin == tests.origin.max())]
    assert (newest.weight > 0.5).all()


def test_regular_customers_are_valued_by_what_is_due():
    log = subscriptions()
    customers = log.as_of(int(log.day.max())).summary()
    fitted = fit_customer_base(customers, obstacles=["all buy at equal gaps"], regular=True)
    assert fitted.tells_customers_apart and not fitted.identified
    assert fitted.purchase.churn == pytest.approx(0.05, abs=0.01)
    expected = fitted.expected_purchases(customers, [182])[:, 0]
    silence = customers.customer_age_days - customers.last_purchase_age_days
    assert (expected[silence > 45] == 0).all() and (expected[silence < 30] > 4).all()
    same = fit_customer_base(customers, obstacles=["too few"])
    assert not same.tells_customers_apart


def test_the_model_is_read_back():
    log = subscriptions(12)
    customers = log.as_of(int(log.day.max())).summary()
    fitted = fit_customer_base(customers, obstacles=["all buy at equal gaps"], regular=True)
    table = fitted.table(pd.DataFrame(columns=["model", "parameter", "value", "standard_error", "note"]))
    read, _ = models_from_table(table, customers, ".")
    assert isinstance(read, Renewals)
    assert [getattr(read, name) for name in Renewals.parameters] == [
        getattr(fitted.purchase, name) for name in Renewals.parameters
    ]
