"""Gamma-Gamma: what a purchase day is worth, and how much that differs between customers.

Source: Fader & Hardie (2013), note 025. Published fits use repeat days only, so every one-time buyer is given the
population's mean. Given all purchase days the model also learns from the first basket.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import gammaincinv, gammaln, psi

from crm_utils.cltv.btyd.intervals import GRID
from crm_utils.cltv.btyd.max_likelihood import Covariance, at_bound, covariance, fit_mle
from crm_utils.core.errors import FitError

LOWEST_Q = 1.01  # at q ≤ 1 the population has no mean purchase value


@dataclass(frozen=True)
class GammaGamma:
    """Purchase values are Gamma(p, ν) with ν ~ Gamma(q, gamma)."""

    p: float
    q: float
    gamma: float
    log_likelihood: float = float("nan")
    note: str = ""
    fixed: tuple[str, ...] = ()

    name: ClassVar[str] = "Gamma-Gamma"
    parameters: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")

    def expected_value(self, purchases: np.ndarray, mean_purchase_value: np.ndarray) -> np.ndarray:
        """E[value of a purchase | `purchases` observed with mean `mean_purchase_value`], money."""
        return self.p * (self.gamma + purchases * mean_purchase_value) / (self.p * purchases + self.q - 1)

    def variance_of_sum(
        self, purchases: np.ndarray, mean_purchase_value: np.ndarray, orders, orders_squared
    ) -> np.ndarray:
        """Var[value of all purchases], for E[orders] and E[orders²].

        Where few values tell of a heavy tail (D = q + p × purchases ≤ 2) it is infinite: there it is taken at the probabilities of `GRID`.
        """
        C, D = self.gamma + purchases * mean_purchase_value, self.q + self.p * purchases
        first, second = 1 / (D - 1), 1 / ((D - 1) * np.where(D > 2, D - 2, 1))  # E[1/ν] and E[1/ν²] at C = 1
        for shape in np.unique(D[D <= 2]):
            heavy, inverse = shape == D, 1 / gammaincinv(shape, GRID)
            first[heavy], second[heavy] = inverse.mean(), (inverse**2).mean()
        return C**2 * (second * (self.p * orders + self.p**2 * orders_squared) - (first * self.p * orders) ** 2)


def fit_gamma_gamma(purchases: pd.Series, mean_purchase_value: pd.Series) -> GammaGamma:
    """Maximum likelihood over customers with `purchases` observed values of mean `mean_purchase_value` (> 0).

    q stays above 1, so that the mean purchase value of the population exists; the note says where that bound binds.
    """
    n, mean = _checked(purchases, mean_purchase_value)
    middle = float(np.median(mean))
    starts = [(6, 4, middle), (2, 3, 2 * middle), (1, 1.5, middle)]
    bounds = [(-8, 10), (np.log(LOWEST_Q), 10), (np.log(middle) - 10, np.log(middle) + 14)]
    theta, value = fit_mle(log_likelihood, (n, mean), np.ones(len(n)), starts, bounds)
    fixed = tuple(np.array(GammaGamma.parameters)[at_bound(theta, bounds)].tolist())
    note = "a few very large purchases: the tail is held so that a mean exists (q above 1)" if "q" in fixed else ""
    if not note and fixed:
        note = "purchase values hardly differ, within customers or between them: some parameters are not identified"
    return GammaGamma(*theta.tolist(), value, note, fixed)


def value_covariance(model: GammaGamma, purchases: pd.Series, mean_purchase_value: pd.Series) -> Covariance:
    """Of the log parameters, on the customers the model was fitted to."""
    free = np.array([name not in model.fixed for name in model.parameters])
    n, mean = _checked(purchases, mean_purchase_value)
    return covariance(log_likelihood, (n, mean), np.ones(len(n)), [model.p, model.q, model.gamma], free)


def log_likelihood(p, q, gamma, n, mean) -> tuple[np.ndarray, np.ndarray]:
    """Per customer: the log-likelihood and its gradient by p, q, gamma."""
    counts, which = np.unique(n, return_inverse=True)
    shape, inner, log_mean = p * n + q, gamma + n * mean, np.log(mean)
    scale = np.log(inner)
    by_count = (
        gammaln(p * counts + q) - gammaln(p * counts) - gammaln(q) + q * np.log(gamma) + p * counts * np.log(counts)
    )
    value = by_count[which] + (p * n - 1) * log_mean - shape * scale
    by_p = (counts * (psi(p * counts + q) - psi(p * counts) + np.log(counts)))[which] + n * (log_mean - scale)
    by_q = (psi(p * counts + q) - psi(q) + np.log(gamma))[which] - scale
    return value, np.array([by_p, by_q, q / gamma - shape / inner])


def _checked(purchases: pd.Series, mean_purchase_value: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    n, mean = np.asarray(purchases, float), np.asarray(mean_purchase_value, float)
    bad = ~(np.isfinite(mean) & (mean > 0) & (n > 0))
    if not len(mean) or bad.any():
        raise FitError(
            f"purchase values must be positive and finite, of at least one customer: {bad.sum():,} of {len(mean):,} are not"
        )
    return n, mean
