"""BG/NBD and MBG/NBD: customers buy at a steady rate and may drop out after any purchase.

x: repeat purchase days, t_x: age at the last of them, T: age; both ages since the first purchase, in one time unit.
Sources: Fader, Hardie & Lee (2005), Marketing Science 24(2); Batislam, Denizel & Filiztekin (2007), IJRM 24(3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import betaln, gammaln, psi
from scipy.stats import nbinom

from crm_utils.cltv.btyd.quadrature import beta_nodes


@dataclass(frozen=True)
class BgNbd:
    """Purchase rates are Gamma(r, alpha), dropout probabilities Beta(a, b) after each repeat purchase."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")
    note: str = ""
    fixed: tuple[str, ...] = ()  # parameters the history does not identify

    name: ClassVar[str] = "BG/NBD"
    parameters: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    alive_formula: ClassVar[str] = "1 ÷ (1 + a ÷ (b + x − 1) × ((α + T) ÷ (α + t_x))^(r + x))"
    orders_formula: ClassVar[str] = (
        "P × (a + b + x − 1) ÷ (a − 1) × (1 − ((α + T) ÷ (α + T + t))^(r + x) × ₂F₁(r + x, b + x; a + b + x − 1; t ÷ (α + T + t)))"
    )
    chances_at_first: ClassVar[int] = 0  # to drop out right after the first purchase

    def p_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """P(the customer has not dropped out at T). 1 by construction for BG/NBD's one-time buyers: not a finding."""
        chances = np.asarray(x) + self.chances_at_first
        rest = (self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x))
        with np.errstate(over="ignore"):
            odds = self.a / (self.b + np.maximum(chances, 1) - 1) * np.exp(rest)
        return 1 / (1 + np.where(chances > 0, odds, 0))

    def expected_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float | np.ndarray) -> np.ndarray:
        """E[purchase days in (T, T + t]]; several t give one column each."""
        times = np.atleast_1d(np.asarray(t, float))

        def bought(p, k, A):
            return -np.expm1(-k * np.log1p(p * times[:, None] / A)) / p

        while_alive = self._over_dropout(x, T, bought, len(times))
        expected = self.p_alive(*(np.asarray(values, float) for values in (x, t_x, T)))[:, None] * while_alive
        return expected if np.ndim(t) else expected[:, 0]

    def second_moment(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """E[Y²] of the purchase days Y in (T, T + t]."""

        def squared(p, k, A):
            share = p * t / A
            missed = np.exp(-k * np.log1p(share))
            exact = 1 - missed - k * share * missed / (1 + share)
            bracket = np.where(
                share * (k + 2) < 1e-3, k * (k + 1) * share**2 / 2 * (1 - 2 * (k + 2) * share / 3), exact
            )
            return (1 - missed) / p + 2 * (1 - p) * bracket / p**2

        alive = self.p_alive(*(np.asarray(values, float) for values in (x, t_x, T)))
        return alive * self._over_dropout(x, T, squared, 1)[:, 0]

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """P(at least one purchase in (T, T + t])."""
        return self.p_alive(x, t_x, T) * -np.expm1(-(self.r + x) * np.log1p(t / (self.alpha + T)))

    def count_probability(self, n: np.ndarray, t: float) -> np.ndarray:
        """P(a new customer makes n repeat purchases in a time t)."""
        n = np.asarray(n)
        chances, start = n + self.chances_at_first, betaln(self.a, self.b)
        rate = nbinom(self.r, self.alpha / (self.alpha + t))
        stays = np.exp(betaln(self.a, self.b + chances) - start) * rate.pmf(n)
        drops = np.exp(betaln(self.a + 1, self.b + np.maximum(chances, 1) - 1) - start) * rate.sf(n - 1)
        return stays + np.where(chances > 0, drops, 0)

    def _over_dropout(self, x: np.ndarray, T: np.ndarray, integrand: Callable, columns: int) -> np.ndarray:
        """integrand(p, k, A) averaged over p ~ Beta(a, b + chances), k = r + x, A = α + T: once per distinct (x, T)."""
        pairs = pd.DataFrame({"x": np.asarray(x, float), "T": np.asarray(T, float)}).groupby(["x", "T"])
        distinct = pairs.size().index
        repeats, ages = (distinct.get_level_values(level).to_numpy() for level in ("x", "T"))
        result = np.empty((len(distinct), columns))
        for repeat in np.unique(repeats):
            same = repeats == repeat
            nodes, weights = beta_nodes(self.a, self.b + repeat + self.chances_at_first)
            result[same] = integrand(nodes, self.r + repeat, self.alpha + ages[same, None, None]) @ weights
        return result[pairs.ngroup().to_numpy()]


class MbgNbd(BgNbd):
    """BG/NBD in which customers may drop out after their first purchase too, so one-time buyers have a P(alive)."""

    name: ClassVar[str] = "MBG/NBD"
    alive_formula: ClassVar[str] = "1 ÷ (1 + a ÷ (b + x) × ((α + T) ÷ (α + t_x))^(r + x))"
    orders_formula: ClassVar[str] = (
        "P × (a + b + x) ÷ (a − 1) × (1 − ((α + T) ÷ (α + T + t))^(r + x) × ₂F₁(r + x, b + x + 1; a + b + x; t ÷ (α + T + t)))"
    )
    chances_at_first: ClassVar[int] = 1


def rows(x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """The distinct (x, t_x, T), with the distinct x and which of them each row has, and how many customers each row stands for."""
    counts = pd.DataFrame({"x": x, "t_x": t_x, "T": T}, dtype=float).value_counts(sort=False)
    return tuple(counts.index.get_level_values(name).to_numpy() for name in ("x", "t_x", "T")), counts.to_numpy(float)


def log_likelihood(r, alpha, a, b, x, t_x, T, chances_at_first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Per row: the log-likelihood and its gradient by r, alpha, a, b."""
    repeats, which = np.unique(x, return_inverse=True)
    chances = repeats + chances_at_first
    log_T, log_t = np.log(alpha + T), np.log(alpha + t_x)
    rate = gammaln(r + repeats) - gammaln(r) + r * np.log(alpha)
    dropout = gammaln(a + b) + gammaln(b + chances) - gammaln(b) - gammaln(a + b + chances)
    risk = np.where(chances > 0, np.log(a) - np.log(b + np.maximum(chances, 1) - 1), -np.inf)
    power = r + x
    odds = risk[which] + power * (log_T - log_t)  # of having dropped out at t_x against being there at T
    either = np.logaddexp(0, odds)
    share = np.exp(odds - either)
    value = (rate + dropout)[which] - power * log_T + either
    by_r = (psi(r + repeats) - psi(r) + np.log(alpha))[which] - log_T + share * (log_T - log_t)
    by_alpha = r / alpha - power * ((1 - share) / (alpha + T) + share / (alpha + t_x))
    by_a = (psi(a + b) - psi(a + b + chances))[which] + share / a
    by_b = (psi(a + b) + psi(b + chances) - psi(b) - psi(a + b + chances))[which]
    by_b -= share / (b + np.maximum(chances, 1) - 1)[which]
    return value, np.array([by_r, by_alpha, by_a, by_b])


def mbg_log_likelihood(r, alpha, a, b, x, t_x, T) -> tuple[np.ndarray, np.ndarray]:
    """Per row of MBG/NBD: the log-likelihood and its gradient by r, alpha, a, b."""
    return log_likelihood(r, alpha, a, b, x, t_x, T, chances_at_first=1)


def nbd_log_likelihood(r, alpha, x, t_x, T) -> tuple[np.ndarray, np.ndarray]:
    """Per row without any dropout (NBD; Ehrenberg 1959): the log-likelihood and its gradient by r, alpha."""
    value = gammaln(r + x) - gammaln(r) + r * np.log(alpha) - (r + x) * np.log(alpha + T)
    by_r = psi(r + x) - psi(r) + np.log(alpha) - np.log(alpha + T)
    return value, np.array([by_r, r / alpha - (r + x) / (alpha + T)])
