"""Ranges: against exact draws, by hand, and as relations that must hold."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import gammaincinv

from crm_utils.cltv import btyd
from crm_utils.cltv.btyd import gamma_gamma, intervals


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


def test_a_customers_expected_value_lies_in_its_range(models, customers):
    values = models.expected_purchases(customers, [365])[:, 0] * models.expected_value(customers)
    slopes = models.jacobian(customers, [365], np.eye(1))[:, 0, :] / values[:, None]
    low, high = models.expected_interval(values, slopes)
    assert ((low > 0) & (low < values) & (values < high)).all()


def test_a_range_of_expected_values_worked_by_hand():
    """Variance .04 + .5² × .16 = .08 of the logarithm; half of the range is 1.6449 × √.08 (tables: 1.2816 at 80%)."""
    slopes, covariance = np.array([[1.0, 0.5], [0.0, 0.0], [1.0, 0.0]]), np.diag([0.04, 0.16])
    low, high = intervals.confidence_interval(np.array([100.0, 10.0, 1.0]), slopes, covariance)
    half = np.exp(1.6449 * np.sqrt([0.08, 0, 0.04]))
    assert high.tolist() == pytest.approx((np.array([100, 10, 1]) * half).tolist(), rel=1e-4)
    assert low.tolist() == pytest.approx((np.array([100, 10, 1]) / half).tolist(), rel=1e-4)
    _, at_80 = intervals.confidence_interval(np.array([1.0]), np.array([[1.0, 0.0]]), covariance, 0.8)
    assert at_80[0] == pytest.approx(np.exp(1.2816 * 0.2), rel=1e-4)
    rounded = intervals.confidence_interval(np.array([5.0]), np.array([[1.0, 0.0]]), np.diag([-1e-18, 0.0]))
    assert [end[0] for end in rounded] == [5, 5], "rounding may leave a variance just below 0"
    _, unknown = intervals.confidence_interval(np.array([1.0]), np.array([[1e9, 0.0]]), covariance)
    assert unknown[0] == np.exp(700)


def test_probabilities_lie_in_the_middle_of_400_equal_steps():
    grid = gamma_gamma.PROBABILITY_GRID
    assert (len(grid), grid[0], grid[-1]) == (400, pytest.approx(0.00125), pytest.approx(0.99875))
    assert np.diff(grid) == pytest.approx(0.0025)


def test_slopes_of_fixed_parameters_are_0():
    """A total of r × p², moved in the logarithms: slopes r p² and 2 r p²."""
    models = btyd.BgNbd(3.0, 1.0, 1.0, 1.0), btyd.GammaGamma(2.0, 1.0, 1.0)
    free = np.array([True, False, True, True]), np.array([True, True, False])
    found = intervals.jacobian(lambda one, other: np.array([one.r * other.p**2]), models, free)
    assert found.shape == (1, 7)
    assert found[0].tolist() == pytest.approx([12, 0, 0, 0, 24, 0, 0], rel=1e-3)


@pytest.mark.parametrize(
    ("at_bound", "reason", "identified"),
    [((), "", True), (("a",), "", True), (("a", "b"), "", False), ((), "too few", False), (("r", "alpha"), "", True)],
)
def test_dropout_is_identified_unless_both_of_its_parameters_are_on_a_bound(at_bound, reason, identified):
    value = btyd.GammaGamma(2.0, 3.0, 10.0)
    models = btyd.CustomerBaseModel(btyd.BgNbd(1, 1, 1, 1, at_bound=at_bound), value, None, None, 5, reason)
    assert models.identified is identified
    assert models.covariance.tolist() == np.zeros((7, 7)).tolist()


def test_variance_of_a_sum_worked_by_hand():
    """C = 10 + 2 × 5 = 20, D = 3 + 2 × 2 = 7: E[1/ν] = 20 ÷ 6, E[1/ν²] = 400 ÷ 30.

    400 ÷ 30 × (2 × 1.5 + 4 × 4) − (20 ÷ 6 × 2 × 1.5)² = 253.33 − 100.
    """
    value = btyd.GammaGamma(2.0, 3.0, 10.0)
    one = [np.array([number]) for number in (2.0, 5.0, 1.5, 4.0)]
    assert value.variance_of_sum(*one)[0] == pytest.approx(253.3333 - 100, rel=1e-6)
    assert value.expected_value(2, 5.0) == pytest.approx(2 * 20 / 6)
    # D = 2 has no E[1/ν²]: its mean over 400 probabilities is taken instead.
    heavy = btyd.GammaGamma(0.5, 1.0, 10.0).variance_of_sum(*one)[0]
    inverse = 1 / gammaincinv(2.0, gamma_gamma.PROBABILITY_GRID)
    expected = (inverse**2).mean() * (0.5 * 1.5 + 0.25 * 4) - (inverse.mean() * 0.5 * 1.5) ** 2
    assert heavy == pytest.approx(400 * expected)
    light = btyd.GammaGamma(0.5, 1.5, 10.0).variance_of_sum(*one)[0]
    assert light == pytest.approx(400 * (1 / (1.5 * 0.5) * (0.5 * 1.5 + 0.25 * 4) - (0.5 * 1.5 / 1.5) ** 2))
