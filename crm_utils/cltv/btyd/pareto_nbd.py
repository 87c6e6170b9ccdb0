"""Pareto/NBD: customers buy at a steady rate until they stop, at any time.

Source: Schmittlein, Morrison & Colombo (1987), Management Science 33(1). The integrals are computed by quadrature
instead of ₂F₁.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import gammaln, psi

from crm_utils.cltv.btyd.quadrature import UNIT_NODES, UNIT_WEIGHTS, power_decay, power_decay_gradient


@dataclass(frozen=True)
class ParetoNbd:
    """Customers buy at a rate of Gamma(r, alpha) and stop at a rate of Gamma(s, beta).

    `note` holds the warnings of the fit. `at_bound` lists the parameters that the history does not identify.
    """

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float = float("nan")
    note: str = ""
    at_bound: tuple[str, ...] = ()

    name: ClassVar[str] = "Pareto/NBD"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    alive_formula: ClassVar[str] = (
        "1 ÷ (1 + s (α + T)^(r + x) (β + T)^s ∫ (α + y)^−(r + x) (β + y)^−(s + 1) dy, y from t_x to T)"
    )
    purchases_formula: ClassVar[str] = "P × (r + x) (β + T) ÷ ((α + T) (s − 1)) × (1 − ((β + T) ÷ (β + T + t))^(s − 1))"

    def probability_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return P(the customer has not stopped by T)."""
        x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
        alive = -(self.r + x) * np.log(self.alpha + T) - self.s * np.log(self.beta + T)
        stopped = np.log(self.s) + power_decay(self.r + x, self.s, self.alpha, self.beta, t_x, T)
        return np.exp(alive - np.logaddexp(alive, stopped))

    def expected_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float | np.ndarray) -> np.ndarray:
        """Return E[purchase days in (T, T + t]]; several t give one column each."""
        x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
        rate = self.probability_alive(x, t_x, T) * (self.r + x) / (self.alpha + T)
        expected = rate[:, None] * self._active_time(T, np.atleast_1d(t), 0)
        return expected if np.ndim(t) else expected[:, 0]

    def expected_squared_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return E[Y²] of the purchase days Y in (T, T + t]."""
        x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
        k = self.r + x
        A = self.alpha + T
        once, twice = (self._active_time(T, np.array([t]), power)[:, 0] for power in (0, 1))
        return self.probability_alive(x, t_x, T) * (k / A * once + k * (k + 1) / A**2 * 2 * twice)

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return P(at least one purchase in (T, T + t])."""
        x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
        k = self.r + x
        A = self.alpha + T
        B = self.beta + T
        none = np.exp(-k * np.log1p(t / A) - self.s * np.log1p(t / B))
        stopped = power_decay(k, self.s, self.alpha, self.beta, T, T + t)
        none += np.exp(np.log(self.s) + self.s * np.log(B) + k * np.log(A) + stopped)
        return self.probability_alive(x, t_x, T) * (1 - np.minimum(none, 1))

    def _active_time(self, T: np.ndarray, times: np.ndarray, power: int) -> np.ndarray:
        """∫ y^power P(still active y after T) dy from 0 to each time, by Gauss–Legendre on a log scale of β + T + y."""
        B = (self.beta + T)[:, None]
        span = np.log1p(times / B)
        total = np.zeros(span.shape)
        for node, weight in zip(UNIT_NODES, UNIT_WEIGHTS, strict=True):
            y = B * np.expm1(span * node)
            total += weight * span * (B + y) * y**power * np.exp(-self.s * span * node)
        return total


def log_likelihood(
    r: float, alpha: float, s: float, beta: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of each history and its gradient by r, alpha, s and beta (one row per parameter)."""
    k = r + x
    log_alive = -k * np.log(alpha + T) - s * np.log(beta + T)
    decay, (by_k, by_alpha, by_s, by_beta) = power_decay_gradient(k, s, alpha, beta, t_x, T)
    log_stopped = np.log(s) + decay
    either = np.logaddexp(log_alive, log_stopped)
    alive = np.exp(log_alive - either)
    stopped = np.exp(log_stopped - either)
    value = gammaln(k) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + either
    slope_r = psi(k) - psi(r) + np.log(alpha) - alive * np.log(alpha + T) + stopped * by_k
    slope_alpha = r / alpha - alive * k / (alpha + T) + stopped * by_alpha
    slope_s = np.log(beta) - alive * np.log(beta + T) + stopped * (1 / s + by_s)
    slope_beta = s / beta - alive * s / (beta + T) + stopped * by_beta
    return value, np.array([slope_r, slope_alpha, slope_s, slope_beta])
