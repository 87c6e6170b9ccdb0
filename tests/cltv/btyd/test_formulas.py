"""Expectations of the purchase models, compared with their printed formulas and with SciPy's integrals."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1
from scipy.stats import beta as beta_distribution

from crm_utils.cltv import btyd
from crm_utils.cltv.btyd import quadrature

# (x, t_x, T): never again, active, bought last on the last day, long silent
HISTORIES = [(0.0, 0.0, 30.0), (3.0, 20.0, 31.0), (5.0, 40.0, 40.0), (7.0, 8.0, 90.0)]
BG = btyd.MODELS["bg_nbd"].model(0.6, 9.0, 1.7, 2.5)
MBG = btyd.MODELS["mbg_nbd"].model(0.6, 9.0, 1.7, 2.5)
PARETO = btyd.ParetoNbd(0.6, 9.0, 1.7, 30.0)
MODELS = [BG, MBG, PARETO]


def columns(history: tuple[float, float, float]) -> list[np.ndarray]:
    return [np.array([value]) for value in history]


def chance_alive(model, x: float, t_x: float, T: float) -> float:
    """The formula printed in 04_cltv."""
    if isinstance(model, btyd.ParetoNbd):
        r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
        integral = quad(lambda y: (alpha + y) ** -(r + x) * (beta + y) ** -(s + 1), t_x, T, epsabs=0)[0]
        return 1 / (1 + s * (alpha + T) ** (r + x) * (beta + T) ** s * integral)
    if model is BG and x == 0:
        return 1.0
    divisor = model.b + x - 1 if model is BG else model.b + x
    return 1 / (1 + model.a / divisor * ((model.alpha + T) / (model.alpha + t_x)) ** (model.r + x))


def mean_purchases(model, x: float, t_x: float, T: float, t: float) -> float:
    """The formula printed in 04_cltv, with ₂F₁."""
    alive = chance_alive(model, x, t_x, T)
    if isinstance(model, btyd.ParetoNbd):
        r, alpha, s, beta = model.r, model.alpha, model.s, model.beta
        rate = (r + x) * (beta + T) / ((alpha + T) * (s - 1))
        return alive * rate * (1 - ((beta + T) / (beta + T + t)) ** (s - 1))
    r, alpha, a, b = model.r, model.alpha, model.a, model.b
    chances = x - 1 if model is BG else x
    series = hyp2f1(r + x, b + chances + 1, a + b + chances, t / (alpha + T + t))
    bracket = 1 - ((alpha + T) / (alpha + T + t)) ** (r + x) * series
    return alive * (a + b + chances) / (a - 1) * bracket


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("history", HISTORIES)
def test_expectations_are_those_of_the_printed_formulas(model, history):
    assert model.probability_alive(*columns(history))[0] == pytest.approx(chance_alive(model, *history), rel=1e-3)
    for t in (1.0, 30.0, 365.0):
        expected = mean_purchases(model, *history, t)
        assert model.expected_purchases(*columns(history), t)[0] == pytest.approx(expected, rel=1e-3)


def purchases_until(model, x: float, T: float, t: float) -> tuple[float, float]:
    """E[Y] and E[Y²] of a customer who is active, by integrals over dropout and rate."""
    k, A = model.r + x, model.alpha + T
    if isinstance(model, btyd.ParetoNbd):
        B, s = model.beta + T, model.s
        stays = [quad(lambda y, power=power: y**power * (1 + y / B) ** -s, 0, t)[0] for power in (0, 1)]
        return k / A * stays[0], k / A * stays[0] + k * (k + 1) / A**2 * 2 * stays[1]
    p = beta_distribution(model.a, model.b + x + model.initial_dropout_chances)

    def squared(share: float) -> float:
        """With N ~ Poisson(λ t) and geometric dropout, E[Y²] = Σ (2n − 1) P(Y ≥ n), averaged over Gamma rates."""
        z = share * t / A
        none = (1 + z) ** -k
        return (1 - none) / share + 2 * (1 - share) * (1 - none - k * z * none / (1 + z)) / share**2

    once = quad(lambda share: (1 - (1 + share * t / A) ** -k) / share * p.pdf(share), 0, 1)[0]
    return once, quad(lambda share: squared(share) * p.pdf(share), 0, 1)[0]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("history", HISTORIES)
def test_moments_are_those_of_scipys_integrals(model, history):
    x, _, T = history
    alive = model.probability_alive(*columns(history))[0]
    for t in (20.0, 200.0):
        once, twice = purchases_until(model, x, T, t)
        assert model.expected_purchases(*columns(history), t)[0] == pytest.approx(alive * once, rel=1e-4)
        assert model.expected_squared_purchases(*columns(history), t)[0] == pytest.approx(alive * twice, rel=1e-4)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_several_horizons_and_customers_at_once(model):
    """A table of customer × horizon, in the order of the customers, is what each gives alone."""
    together = model.expected_purchases(*np.array(HISTORIES + HISTORIES[:1]).T, np.array([30.0, 365.0]))
    assert together.shape == (5, 2)
    for row, history in zip(together, HISTORIES + HISTORIES[:1], strict=True):
        alone = [model.expected_purchases(*columns(history), t)[0] for t in (30.0, 365.0)]
        assert row.tolist() == pytest.approx(alone)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@pytest.mark.parametrize("history", HISTORIES)
def test_the_chance_of_a_purchase(model, history):
    """An active customer buys unless no purchase comes before t, or before dropping out (Pareto/NBD)."""
    x, _, T = history
    k, A = model.r + x, model.alpha + T
    for t in (1.0, 30.0, 365.0):
        if isinstance(model, btyd.ParetoNbd):
            B, s = model.beta + T, model.s
            buys = quad(lambda y: k / A * (1 + y / A) ** (-k - 1) * (1 + y / B) ** -s, 0, t)[0]  # noqa: B023
        else:
            buys = 1 - (A / (A + t)) ** k
        alive = model.probability_alive(*columns(history))[0]
        assert model.purchase_probability(*columns(history), t)[0] == pytest.approx(alive * buys, rel=1e-3)


@pytest.mark.parametrize(("a", "b"), [(0.8, 2.5), (2.0, 3.0), (1.0, 1.0), (0.3, 400.0)])
def test_nodes_integrate_over_a_beta_distribution(a, b):
    """Moments of Beta(a, b): E[p] = a ÷ (a + b), E[p²] = a (a + 1) ÷ ((a + b) (a + b + 1)), and so on."""
    nodes, weights = quadrature.beta_nodes(a, b)
    assert len(nodes) == 48 and weights.sum() == pytest.approx(1)
    moment = 1.0
    for power in range(1, 8):
        moment *= (a + power - 1) / (a + b + power - 1)
        assert weights @ nodes**power == pytest.approx(moment)


def test_nodes_of_the_unit_interval():
    """24 nodes integrate powers up to 47 exactly."""
    assert len(quadrature.UNIT_NODES) == 24
    for power in (0, 1, 2, 10, 47):
        assert quadrature.UNIT_WEIGHTS @ quadrature.UNIT_NODES**power == pytest.approx(1 / (power + 1))
