"""Integrals the models need: over a Beta distribution, and over a span of time."""

import numpy as np
from scipy.linalg import eigh_tridiagonal

NODES = 48
UNIT_NODES, UNIT_WEIGHTS = (part / 2 for part in np.polynomial.legendre.leggauss(24))
UNIT_NODES = UNIT_NODES + 0.5  # Gauss–Legendre on [0, 1]


def beta_nodes(a: float, b: float, nodes: int = NODES) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights that integrate over Beta(a, b): Gauss–Jacobi by Golub & Welsch (1969).

    scipy's roots_jacobi overflows for b above 1,000, which histories without dropout reach.
    """
    k, c = np.arange(1, nodes), a + b - 2
    middle = np.concatenate([[(a - b) / (a + b)], ((a - 1) ** 2 - (b - 1) ** 2) / ((2 * k + c) * (2 * k + c + 2))])
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = 4 * k * (k + b - 1) * (k + a - 1) * (k + c) / ((2 * k + c) ** 2 * (2 * k + c + 1) * (2 * k + c - 1))
    squares[0] = 4 * a * b / ((a + b) ** 2 * (a + b + 1))
    points, vectors = eigh_tridiagonal(middle, np.sqrt(squares))
    return np.maximum((1 + points) / 2, 1e-100), vectors[0] ** 2


def power_decay(k: np.ndarray, s: float, alpha: float, beta: float, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """log ∫ (α + y)^−k (β + y)^−(s + 1) dy from `start` to `end`; −∞ where the span is empty."""
    return _decay(k, s, alpha, beta, start, end)[0]


def power_decay_slopes(
    k: np.ndarray, s: float, alpha: float, beta: float, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`power_decay`, and its slopes by k, α, s and β (one row each): means over the span, weighted by the integrand."""
    value, y, weights = _decay(k, s, alpha, beta, start, end)
    by_alpha, by_beta = (np.einsum("ij,ij->i", weights, 1 / (scale + y)) for scale in (alpha, beta))
    by_k, by_s = (np.einsum("ij,ij->i", weights, np.log(scale + y)) for scale in (alpha, beta))
    return value, -np.array([by_k, k * by_alpha, by_s, (s + 1) * by_beta])


def _decay(k, s, alpha, beta, start, end) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The logarithm of the integral, its nodes y and their shares of it.

    With w = ((α + y)/(α + start))^−(k + s) the integrand becomes ((α + y)/(β + y))^(s + 1): smooth, and never under- or overflowing.
    """
    decay = k + s
    lowest = np.exp(-decay * np.log1p((end - start) / (alpha + start)))
    w = lowest[:, None] + (1 - lowest)[:, None] * UNIT_NODES
    y = (alpha + start)[:, None] * w ** (-1 / decay[:, None]) - alpha
    ratio = (s + 1) * np.log((alpha + y) / (beta + y))
    top = ratio.max(axis=1, initial=-np.inf)
    weights = np.exp(ratio - top[:, None]) * UNIT_WEIGHTS
    sums = weights.sum(axis=1)
    with np.errstate(divide="ignore"):
        value = np.log1p(-lowest) + top + np.log(sums) - decay * np.log(alpha + start) - np.log(decay)
    return value, y, weights / sums[:, None]
