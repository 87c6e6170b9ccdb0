"""Buy-till-you-die models: how often customers will buy (BG/NBD) and what a purchase is worth (Gamma-Gamma).

x: repeat purchase days, t_x: age at the last of them, T: age; both ages since the first purchase, in one time unit.
Sources: Fader, Hardie & Lee (2005), Marketing Science 24(2); Fader & Hardie (2013), note 025.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.linalg import eigh_tridiagonal
from scipy.optimize import minimize
from scipy.special import gammaln, psi

NODES = 48
NO_DROPOUT = 1e-4  # where a, or the mean dropout probability, is below this there is none


class FitError(ValueError):
    """A model cannot be fitted to these customers; the message says why."""


@dataclass(frozen=True)
class BgNbd:
    """Purchase rates are Gamma(r, alpha), dropout probabilities Beta(a, b) after each purchase."""

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = float("nan")

    @property
    def note(self) -> str:
        if min(self.a, self.a / (self.a + self.b)) < NO_DROPOUT:
            return "dropout is not identified in this history: the forecast assumes next to none"
        return ""

    def p_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """P(the customer has not dropped out at T). 1 by construction for who never bought again: not a finding."""
        odds = (
            self.a
            / (self.b + np.maximum(x, 1) - 1)
            * np.exp((self.r + x) * np.log((self.alpha + T) / (self.alpha + t_x)))
        )
        return 1 / (1 + np.where(x > 0, odds, 0))

    def expected_orders(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """E[purchase days in (T, T + t]], by Gauss–Jacobi quadrature over the dropout probability."""
        x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
        while_alive = np.empty(len(x))
        for repeat in np.unique(x):
            same = x == repeat
            nodes, weights = _beta_nodes(self.a, self.b + repeat)
            share = nodes * t / (self.alpha + T[same, None])
            bought = -np.expm1(-(self.r + repeat) * np.log1p(share))
            while_alive[same] = (bought / nodes) @ weights
        return self.p_alive(x, t_x, T) * while_alive

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """P(at least one purchase in (T, T + t])."""
        return self.p_alive(x, t_x, T) * -np.expm1(-(self.r + x) * np.log1p(t / (self.alpha + T)))


@dataclass(frozen=True)
class GammaGamma:
    """Purchase values are Gamma(p, ν) with ν ~ Gamma(q, gamma)."""

    p: float
    q: float
    gamma: float
    log_likelihood: float = float("nan")
    note: str = ""

    def expected_value(self, purchases: np.ndarray, mean_value: np.ndarray) -> np.ndarray:
        """E[value of a purchase | `purchases` observed with mean `mean_value`], money."""
        return self.p * (self.gamma + purchases * mean_value) / (self.p * purchases + self.q - 1)


def fit_bg_nbd(x: pd.Series, t_x: pd.Series, T: pd.Series) -> BgNbd:
    """Maximum likelihood over all customers, one-time buyers included, on the distinct (x, t_x, T).

    Raises `FitError` where nobody bought again or the history has no length.
    """
    if not (np.asarray(x) > 0).any():
        raise FitError(f"none of the {len(x):,} customers bought on a second day: a purchase model needs repeat buyers")
    distinct = pd.DataFrame(
        {"x": np.asarray(x, float), "t_x": np.asarray(t_x, float), "T": np.asarray(T, float)}
    ).value_counts(sort=False)
    columns = [distinct.index.get_level_values(name).to_numpy() for name in ("x", "t_x", "T")]
    unit = columns[2].mean()
    starts = [(0.5, unit / 2, 0.8, 2.5), (1, unit, 0.2, 4), (0.25, unit / 8, 1, 1)]
    bounds = [(-8, 8), (np.log(unit) - 8, np.log(unit) + 8), (-10, 8), (-8, 10)]
    values, log_likelihood = _maximise(
        lambda *theta: _bg_nbd_log_likelihood(*theta, *columns), starts, bounds, distinct.to_numpy()
    )
    return BgNbd(*values, log_likelihood)


def fit_gamma_gamma(purchases: pd.Series, mean_value: pd.Series) -> GammaGamma:
    """Maximum likelihood over customers with `purchases` observed values of mean `mean_value` (> 0).

    q stays above 1, so that the mean purchase value of the population exists; the note says where that bound binds.
    """
    purchases, mean_value = np.asarray(purchases, float), np.asarray(mean_value, float)
    if not len(mean_value) or not (np.isfinite(mean_value) & (mean_value > 0)).all():
        raise FitError("purchase values must be positive and finite, of at least one customer")
    middle = float(np.median(mean_value))
    starts = [(6, 4, middle), (2, 3, 2 * middle), (1, 1.5, middle)]
    lowest_q = np.log(1.01)
    bounds = [(-8, 10), (lowest_q, 10), (np.log(middle) - 10, np.log(middle) + 10)]
    values, log_likelihood = _maximise(
        lambda *theta: _gamma_gamma_log_likelihood(*theta, purchases, mean_value),
        starts,
        bounds,
        np.ones(len(purchases)),
    )
    note = "the heaviest tail allowed: q is held above 1" if np.log(values[1]) < lowest_q + 1e-6 else ""
    return GammaGamma(*values, log_likelihood, note)


def table(bg_nbd: BgNbd, gamma_gamma: GammaGamma, assumptions: pd.DataFrame) -> pd.DataFrame:
    """The fitted models, then the assumptions, as rows: model, parameter, value, standard_error (not computed), note."""
    rows = [
        {"model": model, "parameter": parameter, "value": value, "standard_error": float("nan"), "note": fit.note}
        for model, fit in (("BG/NBD", bg_nbd), ("Gamma-Gamma", gamma_gamma))
        for parameter, value in asdict(fit).items()
        if parameter != "note"
    ]
    return pd.concat([pd.DataFrame(rows), assumptions], ignore_index=True)


def from_table(model: pd.DataFrame) -> tuple[BgNbd, GammaGamma]:
    """The fitted models back from their table."""
    values = model.set_index(["model", "parameter"]).value
    return BgNbd(**values["BG/NBD"]), GammaGamma(**values["Gamma-Gamma"])


def purchase_probabilities(bg_nbd: BgNbd, customers: pd.DataFrame, windows: list[int]) -> pd.DataFrame:
    """P(a customer buys within each window by itself): one row per customer_id, one column per window in days.

    `customers` has customer_id, repeat_orders, last_order_age and age.
    """
    behaviour = [customers[column].to_numpy(float) for column in ("repeat_orders", "last_order_age", "age")]
    return pd.DataFrame(
        {int(days): bg_nbd.purchase_probability(*behaviour, days) for days in sorted(set(windows))},
        index=customers.customer_id,
    )


def _beta_nodes(a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights that integrate over Beta(a, b): Gauss–Jacobi by Golub & Welsch (1969).

    scipy's roots_jacobi overflows for b above 1,000, which histories without dropout reach.
    """
    k, c = np.arange(1, NODES), a + b - 2
    middle = np.concatenate([[(a - b) / (a + b)], ((a - 1) ** 2 - (b - 1) ** 2) / ((2 * k + c) * (2 * k + c + 2))])
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = 4 * k * (k + b - 1) * (k + a - 1) * (k + c) / ((2 * k + c) ** 2 * (2 * k + c + 1) * (2 * k + c - 1))
    squares[0] = 4 * a * b / ((a + b) ** 2 * (a + b + 1))
    nodes, vectors = eigh_tridiagonal(middle, np.sqrt(squares))
    return np.maximum((1 + nodes) / 2, np.finfo(float).tiny), vectors[0] ** 2


def _bg_nbd_log_likelihood(r, alpha, a, b, x, t_x, T) -> tuple[np.ndarray, np.ndarray]:
    """Per customer: the log-likelihood and its gradient by r, alpha, a, b (rows)."""
    again = x > 0
    alive = -(r + x) * np.log(alpha + T)
    dropped = np.where(again, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + t_x), -np.inf)
    either = np.logaddexp(alive, dropped)
    share = np.exp(dropped - either)  # of the likelihood that the customer dropped out after the last purchase
    value = (
        gammaln(r + x)
        - gammaln(r)
        + r * np.log(alpha)
        + gammaln(a + b)
        + gammaln(b + x)
        - gammaln(b)
        - gammaln(a + b + x)
        + either
    )
    by_r = psi(r + x) - psi(r) + np.log(alpha) - (1 - share) * np.log(alpha + T) - share * np.log(alpha + t_x)
    by_alpha = r / alpha - (r + x) * ((1 - share) / (alpha + T) + share / (alpha + t_x))
    by_a = psi(a + b) - psi(a + b + x) + share / a
    by_b = psi(a + b) + psi(b + x) - psi(b) - psi(a + b + x) - share / (b + np.maximum(x, 1) - 1)
    return value, np.array([by_r, by_alpha, by_a, by_b])


def _gamma_gamma_log_likelihood(p, q, gamma, n, mean) -> tuple[np.ndarray, np.ndarray]:
    """Per customer: the log-likelihood and its gradient by p, q, gamma (rows)."""
    shape, scale = p * n + q, np.log(gamma + n * mean)
    value = (
        gammaln(shape)
        - gammaln(p * n)
        - gammaln(q)
        + q * np.log(gamma)
        + (p * n - 1) * np.log(mean)
        + p * n * np.log(n)
        - shape * scale
    )
    by_p = n * (psi(shape) - psi(p * n) + np.log(mean) + np.log(n) - scale)
    by_q = psi(shape) - psi(q) + np.log(gamma) - scale
    by_gamma = q / gamma - shape / (gamma + n * mean)
    return value, np.array([by_p, by_q, by_gamma])


def _maximise(
    likelihood: Callable, starts: list[tuple], bounds: list[tuple], weights: np.ndarray
) -> tuple[list[float], float]:
    """The parameters (all positive) of the highest weighted log-likelihood over several starts, and its value."""
    total = weights.sum()

    def loss(log_theta: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.exp(log_theta)
        value, gradient = likelihood(*theta)
        return -(weights @ value) / total, -(gradient @ weights) * theta / total

    low, high = np.transpose(bounds)
    fits = [
        minimize(
            loss,
            np.clip(np.log(start), low, high),
            jac=True,
            bounds=bounds,
            method="L-BFGS-B",
            options={"ftol": 1e-14, "gtol": 1e-9},
        )
        for start in starts
    ]
    best = min((fit for fit in fits if np.isfinite(fit.fun)), key=lambda fit: fit.fun, default=None)
    if best is None:
        raise FitError("the likelihood is not finite at any start: check the ages and counts for missing values")
    return np.exp(best.x).tolist(), float(-best.fun * total)
