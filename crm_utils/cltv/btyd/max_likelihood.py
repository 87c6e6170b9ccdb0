"""Maximum likelihood that always ends, and how sure its result is.

Every parameter is positive and searched on a log scale within bounds, from several starts, over distinct rows with
weights. A likelihood takes the parameters and returns, per row, its logarithm and the gradient (one row a parameter).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from crm_utils.core.errors import FitError

SUBSAMPLE_ROWS = 2_000  # rows on which the starts compete
ROUGH = {"ftol": 1e-5, "gtol": 1e-4}  # the search from each start
FINE = {"ftol": 1e-14, "gtol": 1e-9}  # and from the best of them, on all rows
STEP = 1e-4  # of a log parameter, for the Hessian

Likelihood = Callable[..., tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Covariance:
    """Of the log parameters at the optimum: H⁻¹, and the sandwich H⁻¹JH⁻¹ that holds where the model is only nearly true.

    Rows and columns of parameters that are held fixed are 0. `free` marks the others; `identified` those that the data
    tell by themselves, and not only in proportion to one that is held fixed.
    """

    hessian: np.ndarray
    sandwich: np.ndarray
    free: np.ndarray
    identified: np.ndarray

    def standard_errors(self, theta: np.ndarray, kind: str = "sandwich") -> np.ndarray:
        """Of the parameters themselves (delta method); nan for those that are not identified."""
        spread = np.sqrt(np.diag(getattr(self, kind)))
        return np.where(self.identified, np.asarray(theta) * spread, np.nan)


def fit_mle(
    likelihood: Likelihood, rows: tuple[np.ndarray, ...], weights: np.ndarray, starts: list[tuple], bounds: list[tuple]
) -> tuple[np.ndarray, float]:
    """The parameters of the highest weighted log-likelihood, and its value. Raises `FitError` where it is nowhere finite."""
    low, high = np.transpose(bounds)
    thin = slice(None, None, len(weights) // SUBSAMPLE_ROWS + 1)
    few = tuple(row[thin] for row in rows), weights[thin]
    tried = [_searched(likelihood, *few, np.clip(np.log(start), low, high), bounds, ROUGH) for start in starts]
    first = min((fit for fit in tried if np.isfinite(fit.fun)), key=lambda fit: fit.fun, default=None)
    best = None if first is None else _searched(likelihood, rows, weights, first.x, bounds, FINE)
    if best is None or not np.isfinite(best.fun):
        raise FitError("the likelihood is not finite at any start: check the ages and counts for missing values")
    return np.exp(best.x), float(-best.fun * weights.sum())


def covariance(
    likelihood: Likelihood, rows: tuple[np.ndarray, ...], weights: np.ndarray, theta: np.ndarray, free: np.ndarray
) -> Covariance:
    """How far the log parameters may be off. White (1982), Econometrica 50(1)."""
    theta, free = np.asarray(theta, float), np.asarray(free, bool)

    def scores(shift: np.ndarray) -> np.ndarray:
        moved = theta * np.exp(shift)
        return likelihood(*moved, *rows)[1][free] * moved[free, None]

    shifts = STEP * np.eye(len(theta))[free]
    hessian = np.array([(scores(-shift) - scores(shift)) @ weights for shift in shifts]) / (2 * STEP)
    here = scores(np.zeros(len(theta)))
    inverse = _inverse((hessian + hessian.T) / 2)
    sandwich = inverse @ ((here * weights) @ here.T) @ inverse
    return Covariance(_spread(inverse, free), _spread(sandwich, free), free, identified=free)


def at_bound(theta: np.ndarray, bounds: list[tuple]) -> np.ndarray:
    """Which parameters ended on a bound: the data do not say where they are."""
    low, high = np.transpose(bounds)
    return (np.log(theta) < low + 1e-4) | (np.log(theta) > high - 1e-4)


def _searched(likelihood: Likelihood, rows: tuple, weights: np.ndarray, start: np.ndarray, bounds: list, options: dict):
    total = weights.sum()

    def loss(log_theta: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.exp(log_theta)
        value, gradient = likelihood(*theta, *rows)
        return -(weights @ value) / total, -(gradient @ weights) * theta / total

    return minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options)


def _inverse(hessian: np.ndarray) -> np.ndarray:
    """Of a symmetric matrix; directions in which the likelihood is flat are left out, forecasts do not depend on them."""
    values, vectors = np.linalg.eigh(hessian)
    known = values > 1e-9 * max(values.max(initial=0), 1e-300)
    return (vectors[:, known] / values[known]) @ vectors[:, known].T


def _spread(small: np.ndarray, free: np.ndarray) -> np.ndarray:
    full = np.zeros((len(free), len(free)))
    full[np.ix_(free, free)] = small
    return full
