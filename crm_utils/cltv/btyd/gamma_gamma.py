"""Gamma-Gamma: what a purchase day is worth, and how much that differs between customers.

Source: Fader & Hardie (2013), "The Gamma-Gamma model of monetary value", brucehardie.com/notes/025. Published fits use
only repeat days, so every one-time buyer gets the population's mean. This fit uses all purchase days, so the model also
learns from the first basket.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaincinv, gammaln, psi

from crm_utils.cltv.btyd.fit import Covariance, covariance_at, fit_mle, on_bound
from crm_utils.core.errors import FitError

# Probabilities at which a heavy tail is evaluated.
PROBABILITY_GRID = (np.arange(400) + 0.5) / 400
# At q ≤ 1 the population has no mean purchase value.
MIN_Q = 1.01


@dataclass(frozen=True)
class GammaGamma:
    """Values of purchase days are Gamma(p, ν), with ν ~ Gamma(q, gamma) across customers.

    `note` holds the warnings of the fit. `at_bound` lists the parameters that the data do not identify.
    """

    p: float
    q: float
    gamma: float
    log_likelihood: float = float("nan")
    note: str = ""
    at_bound: tuple[str, ...] = ()

    name: ClassVar[str] = "Gamma-Gamma"
    parameters: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")

    def expected_value(self, purchases: np.ndarray, mean_purchase_value: np.ndarray) -> np.ndarray:
        """Return E[value of a purchase day | `purchases` days observed with mean `mean_purchase_value`], in money."""
        return self.p * (self.gamma + purchases * mean_purchase_value) / (self.p * purchases + self.q - 1)

    def variance_of_sum(
        self,
        purchases: np.ndarray,
        mean_purchase_value: np.ndarray,
        future: np.ndarray,
        future_squared: np.ndarray,
    ) -> np.ndarray:
        """Return Var[value of all future purchase days], given the first two moments of their number.

        For a heavy tail (D = q + p × purchases ≤ 2) the variance is infinite. It is then computed only at the
        probabilities of `PROBABILITY_GRID`.
        """
        C = self.gamma + purchases * mean_purchase_value
        D = self.q + self.p * purchases
        # E[1/ν] and E[1/ν²] at C = 1.
        first = 1 / (D - 1)
        second = 1 / ((D - 1) * np.where(D > 2, D - 2, 1))
        for shape in np.unique(D[D <= 2]):
            heavy = shape == D
            inverse = 1 / gammaincinv(shape, PROBABILITY_GRID)
            first[heavy] = inverse.mean()
            second[heavy] = (inverse**2).mean()
        return C**2 * (second * (self.p * future + self.p**2 * future_squared) - (first * self.p * future) ** 2)


def fit_gamma_gamma(purchases: ArrayLike, mean_purchase_value: ArrayLike) -> GammaGamma:
    """Fit Gamma-Gamma by maximum likelihood.

    Parameters
    ----------
    purchases : array-like of int
        Observed purchase days of each customer.
    mean_purchase_value : array-like of float
        Mean value of these days, above 0, in money.

    Returns
    -------
    GammaGamma
        q stays above 1, so that the mean purchase value of the population exists. If q ends on that bound, the note
        says so.
    """
    n, mean = _checked(purchases, mean_purchase_value)
    middle = float(np.median(mean))
    starts: list[tuple[float, ...]] = [(6, 4, middle), (2, 3, 2 * middle), (1, 1.5, middle)]
    bounds = [(-8, 10), (np.log(MIN_Q), 10), (np.log(middle) - 10, np.log(middle) + 14)]
    theta, value = fit_mle(log_likelihood, (n, mean), np.ones(len(n)), starts, bounds)
    at_bound = tuple(np.array(GammaGamma.parameters)[on_bound(theta, bounds)].tolist())
    note = "a few purchases are very large, so the tail is limited to q above 1" if "q" in at_bound else ""
    if not note and at_bound:
        note = "purchase values hardly differ within or between customers, so some parameters are not identified"
    p, q, gamma = theta.tolist()
    return GammaGamma(p, q, gamma, value, note, at_bound)


def value_covariance(model: GammaGamma, purchases: ArrayLike, mean_purchase_value: ArrayLike) -> Covariance:
    """Return the covariance of the log parameters, on the customers the model was fitted to."""
    free = np.array([name not in model.at_bound for name in model.parameters])
    n, mean = _checked(purchases, mean_purchase_value)
    return covariance_at(log_likelihood, (n, mean), np.ones(len(n)), [model.p, model.q, model.gamma], free)


def log_likelihood(p: float, q: float, gamma: float, n: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of each customer and its gradient by p, q and gamma (one row a parameter)."""
    counts, which = np.unique(n, return_inverse=True)
    shape = p * n + q
    inner = gamma + n * mean
    log_mean = np.log(mean)
    log_inner = np.log(inner)
    by_count = (
        gammaln(p * counts + q) - gammaln(p * counts) - gammaln(q) + q * np.log(gamma) + p * counts * np.log(counts)
    )
    value = by_count[which] + (p * n - 1) * log_mean - shape * log_inner
    by_p = (counts * (psi(p * counts + q) - psi(p * counts) + np.log(counts)))[which] + n * (log_mean - log_inner)
    by_q = (psi(p * counts + q) - psi(q) + np.log(gamma))[which] - log_inner
    return value, np.array([by_p, by_q, q / gamma - shape / inner])


def _checked(purchases: ArrayLike, mean_purchase_value: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    n = np.asarray(purchases, float)
    mean = np.asarray(mean_purchase_value, float)
    bad = ~(np.isfinite(mean) & (mean > 0) & (n > 0))
    if not len(mean) or bad.any():
        raise FitError(
            "purchase values must be positive and finite, and there must be at least one customer: "
            f"{bad.sum():,} of {len(mean):,} are not"
        )
    return n, mean
