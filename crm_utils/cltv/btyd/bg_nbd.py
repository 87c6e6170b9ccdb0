"""BG/NBD and MBG/NBD: customers buy at a steady rate and may drop out after a purchase.

x is the number of repeat purchase days, t_x the age at the last of them, T the age today. Both ages count from the
first purchase, in one time unit. Sources: Fader, Hardie & Lee (2005), Marketing Science 24(2), for BG/NBD; Batislam,
Denizel & Filiztekin (2007), International Journal of Research in Marketing 24(3), for MBG/NBD; Ehrenberg (1959),
Applied Statistics 8(1), for NBD, the model without dropout.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import gammaln, psi

from crm_utils.cltv.btyd.quadrature import beta_nodes

Integrand = Callable[[np.ndarray, float, np.ndarray], np.ndarray]

# Below this, a series replaces the exact bracket of the second moment, which would lose all digits to rounding.
SERIES_BELOW = 1e-3


@dataclass(frozen=True)
class BgNbd:
    """Customers buy at a rate of Gamma(r, alpha) and drop out after each repeat purchase with probability Beta(a, b).

    `note` holds the warnings of the fit. `at_bound` lists the parameters that the history does not identify.
    """

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    note: str = ""
    at_bound: tuple[str, ...] = ()

    name: ClassVar[str] = "BG/NBD"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    alive_formula: ClassVar[str] = "1 ÷ (1 + a ÷ (b + x − 1) × ((α + T) ÷ (α + t_x))^(r + x))"
    purchases_formula: ClassVar[str] = (
        "P × (a + b + x − 1) ÷ (a − 1) × (1 − ((α + T) ÷ (α + T + t))^(r + x) "
        "× ₂F₁(r + x, b + x; a + b + x − 1; t ÷ (α + T + t)))"
    )
    # The number of chances to drop out at the first purchase.
    initial_dropout_chances: ClassVar[int] = 0

    def probability_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return P(the customer has not dropped out by T).

        BG/NBD gives one-time buyers 1 by construction, which is not a finding about them.
        """
        chances = np.asarray(x) + self.initial_dropout_chances
        log_ratio = (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        with np.errstate(over="ignore"):
            odds = self.a / (self.b + np.maximum(chances, 1) - 1) * np.exp(log_ratio)
        return 1 / (1 + np.where(chances > 0, odds, 0))

    def expected_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float | np.ndarray) -> np.ndarray:
        """Return E[purchase days in (T, T + t]]; several t give one column each."""
        times = np.atleast_1d(np.asarray(t, float))

        def purchases(p: np.ndarray, k: float, A: np.ndarray) -> np.ndarray:
            return -np.expm1(-k * np.log1p(p * times[:, None] / A)) / p

        while_alive = self._average_over_dropout(x, T, purchases, len(times))
        alive = self.probability_alive(*(np.asarray(values, float) for values in (x, t_x, T)))
        expected = alive[:, None] * while_alive
        return expected if np.ndim(t) else expected[:, 0]

    def expected_squared_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return E[Y²] of the purchase days Y in (T, T + t]."""

        def squared(p: np.ndarray, k: float, A: np.ndarray) -> np.ndarray:
            share = p * t / A
            no_purchase = np.exp(-k * np.log1p(share))
            exact = 1 - no_purchase - k * share * no_purchase / (1 + share)
            series = k * (k + 1) * share**2 / 2 * (1 - 2 * (k + 2) * share / 3)
            bracket = np.where(share * (k + 2) < SERIES_BELOW, series, exact)
            return (1 - no_purchase) / p + 2 * (1 - p) * bracket / p**2

        alive = self.probability_alive(*(np.asarray(values, float) for values in (x, t_x, T)))
        return alive * self._average_over_dropout(x, T, squared, 1)[:, 0]

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return P(at least one purchase in (T, T + t])."""
        return self.probability_alive(x, t_x, T) * -np.expm1(-(self.r + x) * np.log1p(t / (self.alpha + T)))

    def _average_over_dropout(self, x: np.ndarray, T: np.ndarray, integrand: Integrand, n_columns: int) -> np.ndarray:
        """integrand(p, k, A) averaged over p ~ Beta(a, b + chances), k = r + x, A = α + T: once per distinct (x, T)."""
        pairs = pd.DataFrame({"x": np.asarray(x, float), "T": np.asarray(T, float)}).groupby(["x", "T"])
        distinct = pairs.size().index
        repeats = distinct.get_level_values("x").to_numpy()
        ages = distinct.get_level_values("T").to_numpy()
        result = np.empty((len(distinct), n_columns))
        for repeat in np.unique(repeats):
            same = repeats == repeat
            nodes, weights = beta_nodes(self.a, self.b + repeat + self.initial_dropout_chances)
            result[same] = integrand(nodes, self.r + repeat, self.alpha + ages[same, None, None]) @ weights
        return result[pairs.ngroup().to_numpy()]


class MbgNbd(BgNbd):
    """BG/NBD in which customers may drop out after their first purchase too, so one-time buyers have a P(alive)."""

    name: ClassVar[str] = "MBG/NBD"
    alive_formula: ClassVar[str] = "1 ÷ (1 + a ÷ (b + x) × ((α + T) ÷ (α + t_x))^(r + x))"
    purchases_formula: ClassVar[str] = (
        "P × (a + b + x) ÷ (a − 1) × (1 − ((α + T) ÷ (α + T + t))^(r + x) "
        "× ₂F₁(r + x, b + x + 1; a + b + x; t ÷ (α + T + t)))"
    )
    initial_dropout_chances: ClassVar[int] = 1


def distinct_histories(
    x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return the distinct (x, t_x, T) and how many customers have each."""
    counts = pd.DataFrame({"x": x, "t_x": t_x, "T": T}, dtype=float).value_counts(sort=False)
    columns = [counts.index.get_level_values(name).to_numpy() for name in ("x", "t_x", "T")]
    return (columns[0], columns[1], columns[2]), counts.to_numpy(float)


def log_likelihood(
    r: float,
    alpha: float,
    a: float,
    b: float,
    x: np.ndarray,
    t_x: np.ndarray,
    T: np.ndarray,
    initial_dropout_chances: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of each history and its gradient by r, alpha, a and b (one row per parameter)."""
    repeats, which = np.unique(x, return_inverse=True)
    chances = repeats + initial_dropout_chances
    log_T = np.log(alpha + T)
    log_t = np.log(alpha + t_x)
    purchase_term = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
    dropout_term = gammaln(a + b) + gammaln(b + chances) - gammaln(b) - gammaln(a + b + chances)
    risk = np.where(chances > 0, np.log(a) - np.log(b + np.maximum(chances, 1) - 1), -np.inf)
    power = r + x
    # The log odds of having dropped out at t_x against being active at T.
    log_odds = risk[which] + power * (log_T - log_t)
    either = np.logaddexp(0, log_odds)
    share = np.exp(log_odds - either)
    value = (purchase_term + dropout_term)[which] - power * log_T + either
    by_r = (psi(r + repeats) - psi(r) + np.log(alpha))[which] - log_T + share * (log_T - log_t)
    by_alpha = r / alpha - power * ((1 - share) / (alpha + T) + share / (alpha + t_x))
    by_a = (psi(a + b) - psi(a + b + chances))[which] + share / a
    by_b = (psi(a + b) + psi(b + chances) - psi(b) - psi(a + b + chances))[which]
    by_b -= share / (b + np.maximum(chances, 1) - 1)[which]
    return value, np.array([by_r, by_alpha, by_a, by_b])


def mbg_log_likelihood(
    r: float, alpha: float, a: float, b: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return MBG/NBD's log-likelihood of each history and its gradient by r, alpha, a and b."""
    return log_likelihood(r, alpha, a, b, x, t_x, T, initial_dropout_chances=1)


def nbd_log_likelihood(
    r: float, alpha: float, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log-likelihood of each history without any dropout (NBD) and its gradient by r and alpha."""
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)
    by_r = psi(r + x) - psi(r) + np.log(alpha) - np.log(alpha + T)
    return value, np.array([by_r, r / alpha - (r + x) / (alpha + T)])
