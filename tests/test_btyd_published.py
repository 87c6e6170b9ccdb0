"""The models against published answers, and against lifetimes as the oracle."""

import numpy as np
import pandas as pd
import pytest
from lifetimes.fitters.beta_geo_fitter import BetaGeoFitter

from crm_utils import btyd

WEEK = 7
CALIBRATION_END = pd.Timestamp("1997-09-30")


@pytest.fixture(scope="module")
def summary(cdnow_sample) -> pd.DataFrame:
    """x, t_x, T in weeks and the mean value of repeat purchase days, of the 2,357 customers to 1997-09-30."""
    days = cdnow_sample[cdnow_sample.date <= CALIBRATION_END]
    first = days.groupby("customer").date.transform("min")
    table = days.groupby("customer").date.agg(first="min", last="max", days="size")
    table["x"] = table.days - 1
    table["t_x"] = (table["last"] - table["first"]).dt.days / WEEK
    table["T"] = (CALIBRATION_END - table["first"]).dt.days / WEEK
    table["value"] = days[days.date > first].groupby("customer").amount.mean()
    return table


@pytest.fixture(scope="module")
def fitted(summary) -> btyd.BgNbd:
    return btyd.fit_bg_nbd(summary.x, summary.t_x, summary["T"])


def test_bg_nbd_on_the_cdnow_sample(fitted):
    """Fader, Hardie & Lee (2005): r .243, alpha 4.414, a .793, b 2.426, LL −9582.4; CLVTools: −9582.429."""
    assert (fitted.r, fitted.alpha, fitted.a, fitted.b) == pytest.approx((0.2426, 4.4136, 0.7929, 2.4259), abs=2e-4)
    assert fitted.log_likelihood == pytest.approx(-9582.4292, abs=1e-3)


def test_gamma_gamma_on_the_repeat_days_of_the_cdnow_sample(summary):
    """Fader & Hardie (2013), note 025: p 6.25, q 3.74, gamma 15.44 over 946 repeat buyers."""
    again = summary[summary.x > 0]
    assert len(again) == 946
    fit = btyd.fit_gamma_gamma(again.x, again.value.round(2))
    assert (fit.p, fit.q, fit.gamma) == pytest.approx((6.25, 3.74, 15.44), abs=0.04)


def test_expected_value_of_the_first_ten_customers():
    """Hardie's sheet to note 025, in the lifetimes tests: 24.65 18.91 35.17 35.17 35.17 71.46 18.91 35.17 27.28 35.17."""
    model = btyd.GammaGamma(6.25, 3.74, 15.44)
    purchases, mean = np.array([2, 1, 0, 7, 1, 1]), np.array([22.35, 11.77, 0, 73.74, 11.77, 12.53])
    expected = model.expected_value(purchases, mean)
    assert expected[[0, 1, 2, 3]] == pytest.approx([24.65, 18.91, 35.17, 71.46], abs=0.07)


def test_expected_orders_of_the_published_customer():
    """Hardie's sheet: E[Y(39) | x = 2, t_x = 30.43, T = 38.86] = 1.226."""
    model = btyd.BgNbd(0.243, 4.414, 0.793, 2.426)
    assert model.expected_orders([2], [30.43], [38.86], 39)[0] == pytest.approx(1.226, abs=5e-4)


def test_lifetimes_agrees_on_fit_p_alive_and_expected_orders(summary, fitted):
    oracle = BetaGeoFitter(penalizer_coef=0).fit(summary.x, summary.t_x, summary["T"])
    assert oracle.params_.to_dict() == pytest.approx(
        {"r": fitted.r, "alpha": fitted.alpha, "a": fitted.a, "b": fitted.b}, rel=2e-3
    )
    oracle.params_[:] = [fitted.r, fitted.alpha, fitted.a, fitted.b]
    x, t_x, T = (summary[column].to_numpy(float) for column in ("x", "t_x", "T"))
    alive = np.asarray(oracle.conditional_probability_alive(x, t_x, T))
    assert fitted.p_alive(x, t_x, T) == pytest.approx(alive, abs=1e-12)
    ahead = np.asarray(oracle.conditional_expected_number_of_purchases_up_to_time(39, x, t_x, T))
    assert fitted.expected_orders(x, t_x, T, 39) == pytest.approx(ahead, abs=1e-9)


def test_the_unit_of_time_changes_no_forecast(summary, fitted):
    days = btyd.fit_bg_nbd(summary.x, summary.t_x * WEEK, summary["T"] * WEEK)
    x, t_x, T = (summary[column].to_numpy(float) for column in ("x", "t_x", "T"))
    assert days.expected_orders(x, t_x * WEEK, T * WEEK, 39 * WEEK) == pytest.approx(
        fitted.expected_orders(x, t_x, T, 39), rel=1e-3
    )


def test_probabilities_and_horizons_are_ordered(fitted, summary):
    x, t_x, T = (summary[column].to_numpy(float) for column in ("x", "t_x", "T"))
    assert ((fitted.p_alive(x, t_x, T) >= 0) & (fitted.p_alive(x, t_x, T) <= 1)).all()
    assert (fitted.expected_orders(x, t_x, T, 26) < fitted.expected_orders(x, t_x, T, 52)).all()
    chance = fitted.purchase_probability(x, t_x, T, 13)
    assert (chance <= fitted.p_alive(x, t_x, T)).all()
    assert (chance <= fitted.expected_orders(x, t_x, T, 13) + 1e-12).all(), "at least one is at most the mean count"


def test_a_history_without_dropout_is_fitted_and_said_so():
    rng = np.random.default_rng(5)
    T = np.full(800, 50.0)
    x = rng.poisson(rng.gamma(2, 1 / 20, 800) * T)
    t_x = np.where(x > 0, T * rng.beta(np.maximum(x, 1), 1), 0)
    model = btyd.fit_bg_nbd(x, t_x, T)
    assert "dropout is not identified" in model.note
    ahead = model.expected_orders(x, t_x, T, 10)
    assert np.isfinite(ahead).all()
    assert ahead.sum() == pytest.approx(x.sum() / 5, rel=0.05)


def test_only_one_time_buyers_are_refused():
    with pytest.raises(btyd.FitError, match="none of the 3 customers bought on a second day"):
        btyd.fit_bg_nbd([0, 0, 0], [0, 0, 0], [9, 8, 7])


@pytest.mark.parametrize("value", [0.0, -5.0, np.nan, np.inf])
def test_values_that_are_no_money_are_refused(value):
    with pytest.raises(btyd.FitError, match="positive and finite"):
        btyd.fit_gamma_gamma([1, 2], [10.0, value])


def test_models_come_back_from_their_table(fitted):
    spend = btyd.GammaGamma(6.25, 3.74, 15.44, -4055.9)
    assumed = pd.DataFrame(
        [{"model": "CLV", "parameter": "margin_rate", "value": 0.3, "standard_error": np.nan, "note": "assumption"}]
    )
    assert btyd.from_table(btyd.table(fitted, spend, assumed)) == (fitted, spend)
