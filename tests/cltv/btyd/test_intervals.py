"""Ranges: against exact draws, by hand, and as relations that must hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crm_utils.cltv import btyd
from crm_utils.cltv.btyd import intervals
from crm_utils.cltv.btyd.intervals import ForecastErrorModel


@pytest.fixture(scope="module")
def customers(cdnow_sample) -> pd.DataFrame:
    """The published sample to 1997-09-30, days."""
    log = cdnow_sample[(cdnow_sample.date <= "1997-09-30") & (cdnow_sample.amount > 0)]
    grouped = log.groupby("customer")
    first, last = grouped.date.min(), grouped.date.max()
    return pd.DataFrame(
        {
            "customer_id": first.index,
            "repeat_purchase_days": (grouped.size() - 1).to_numpy(),
            "last_purchase_age_days": (last - first).dt.days.to_numpy(),
            "customer_age_days": (pd.Timestamp("1997-09-30") - first).dt.days.to_numpy(),
            "mean_purchase_value": grouped.amount.mean().to_numpy(),
        }
    )


@pytest.fixture(scope="module")
def models(customers) -> btyd.CustomerBaseModel:
    return btyd.fit_customer_base(customers)


def draw(
    models: btyd.CustomerBaseModel, customers: pd.DataFrame, t: float, rng: np.random.Generator, draws: int
) -> np.ndarray:
    """Exact draws of the total (methods §4): parameters, who is alive, rates, dropout, purchases, values."""
    names = [(m, name) for m in (models.purchase, models.value) for name in m.parameters]
    centre = np.log([getattr(model, name) for model, name in names])
    totals = []
    x, t_x, T = (
        customers[name].to_numpy(float)
        for name in ("repeat_purchase_days", "last_purchase_age_days", "customer_age_days")
    )
    n, z = x + 1, customers.mean_purchase_value.to_numpy()
    for r, alpha, a, b, p, q, gamma in np.exp(rng.multivariate_normal(centre, models.covariance, draws)):
        alive = rng.random(len(x)) < btyd.BgNbd(r, alpha, a, b).probability_alive(x, t_x, T)
        orders = rng.poisson(rng.gamma(r + x, 1 / (alpha + T)) * t)
        orders = np.where(alive, np.minimum(orders, rng.geometric(np.maximum(rng.beta(a, b + x), 1e-12))), 0)
        scale = rng.gamma(q + p * n, 1 / (gamma + n * z))
        totals.append(np.where(orders > 0, rng.gamma(p * np.maximum(orders, 1), 1 / scale), 0).sum())
    return np.array(totals)


def test_moments_agree_with_exact_draws(models, customers):
    """50 × 8 exact draws of the next 39 weeks: mean and spread of the total."""
    total = models.totals(customers, [273], pd.Series("all", index=customers.index)).iloc[0]
    drawn = draw(models, customers, 273, np.random.default_rng(3), 400)
    spread = np.sqrt(total.relative_variance) * total.revenue
    assert drawn.mean() == pytest.approx(total.revenue, abs=4 * spread / np.sqrt(400))
    assert drawn.std() == pytest.approx(spread, rel=0.12)


def test_the_jacobian_is_that_of_the_whole_forecast(models, customers):
    """A parameter moved by 1 % moves the total as the slope says."""
    slope = models.jacobian(customers, [273], np.eye(1))[:, 0, :].sum(axis=0)
    everyone = pd.Series("all", index=customers.index)
    for place, name in enumerate(models.purchase.parameters):
        moved = replace(models, purchase=replace(models.purchase, **{name: getattr(models.purchase, name) * 1.01}))
        change = (
            moved.totals(customers, [273], everyone).revenue[0] - models.totals(customers, [273], everyone).revenue[0]
        )
        assert slope[place] * np.log(1.01) == pytest.approx(change, rel=0.02)


def test_groups_add_up_to_all(models, customers):
    halves = pd.Series(np.where(customers.repeat_purchase_days > 0, "again", "once"), index=customers.index)
    parts = models.totals(customers, [30, 91], halves)
    whole = models.totals(customers, [30, 91], pd.Series("all", index=customers.index))
    assert parts.groupby("days").revenue.sum().tolist() == pytest.approx(whole.revenue.tolist())


def test_without_past_error_the_range_is_normal():
    low, high = ForecastErrorModel(0.0, 5).interval(100.0, np.expm1(0.01))
    assert (low[0], high[0]) == pytest.approx((100 * np.exp(-0.16449), 100 * np.exp(0.16449)), rel=1e-4)


def test_with_past_error_alone_it_is_student():
    """τ 0.1 and 3 assumed origins: t with 3 degrees of freedom has its 95 % point at 2.3534 (tables)."""
    _, high = ForecastErrorModel(0.1, 0).interval(1.0, 0.0)
    assert high[0] == pytest.approx(np.exp(0.23534), rel=2e-3)


def test_past_error_by_hand():
    """Misses of e^±0.3 with a variance of the log of 0.01: τ² = (3 × 0.01 + 2 × (0.09 − 0.01)) ÷ 5 = 0.038."""
    forecasts = np.array([2.0, 50.0])
    error = intervals.fit_forecast_error(forecasts * np.exp([0.3, -0.3]), forecasts, np.full(2, np.expm1(0.01)))
    assert (error.tau**2, error.origins) == pytest.approx((0.038, 2))
    assert intervals.fit_forecast_error([0.0], [1.0], [0.01]) == ForecastErrorModel()


def test_a_heavy_tail_has_a_range_that_holds(customers):
    """A sum may have no variance (D = 1.6 + 0.3 ≤ 2): of 400 exact draws about 90 % lie in the range."""
    few = customers[customers.repeat_purchase_days == 0].head(200)
    values = btyd.GammaGamma(0.3, 1.6, 20.0)
    low, high = ForecastErrorModel(0.0, 0).interval(
        (values.expected_value(np.ones(len(few)), few.mean_purchase_value.to_numpy())).sum(),
        values.variance_of_sum(np.ones(len(few)), few.mean_purchase_value.to_numpy(), 1.0, 1.0).sum()
        / values.expected_value(np.ones(len(few)), few.mean_purchase_value.to_numpy()).sum() ** 2,
    )
    rng = np.random.default_rng(5)
    scale = rng.gamma(1.9, 1 / (20 + few.mean_purchase_value.to_numpy()), (400, len(few)))
    drawn = rng.gamma(0.3, 1 / scale).sum(axis=1)
    assert 0.8 < ((drawn > low) & (drawn < high)).mean() < 0.99


def test_a_forecast_of_next_to_nothing_has_a_range(models, customers):
    """Frequent buyers who have been silent for decades: nothing is expected, and nothing is in the range."""
    gone = customers.head(3).assign(repeat_purchase_days=400, last_purchase_age_days=400, customer_age_days=40_000)
    total = models.totals(gone, [91], pd.Series("gone", index=gone.index))
    low, high = ForecastErrorModel(0.1, 0).interval(total.revenue.to_numpy(), total.relative_variance.to_numpy())
    assert np.isfinite([low, high]).all()
    assert 0 <= low[0] <= total.revenue[0] <= high[0] < 0.01


def test_worse_pasts_and_higher_levels_widen():
    ends = [
        ForecastErrorModel(tau, 3).interval(1.0, 0.001, level)[1][0]
        for tau, level in ((0.1, 0.8), (0.1, 0.9), (0.3, 0.9))
    ]
    assert ends == sorted(ends)


def test_a_customers_expected_value_lies_in_its_range(models, customers):
    values = models.expected_purchases(customers, [365])[:, 0] * models.expected_value(customers)
    slopes = models.jacobian(customers, [365], np.eye(1))[:, 0, :] / values[:, None]
    low, high = models.expected_interval(values, slopes)
    assert ((low > 0) & (low < values) & (values < high)).all()
