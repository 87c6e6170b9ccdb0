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
    """log ∫ (α + y)^−k (β + y)^−(s + 1) dy from `start` to `end`; −∞ where the span is empty.

    With w = ((α + y)/(α + start))^−(k + s) the integrand becomes ((α + y)/(β + y))^(s + 1): smooth, and never under- or overflowing.
    """
    decay = k + s
    lowest = np.exp(-decay * np.log1p((end - start) / (alpha + start)))
    w = lowest[:, None] + (1 - lowest)[:, None] * UNIT_NODES
    y = (alpha + start)[:, None] * w ** (-1 / decay[:, None]) - alpha
    ratio = (s + 1) * np.log((alpha + y) / (beta + y))
    top = ratio.max(axis=1, initial=-np.inf)
    mean = top + np.log(np.exp(ratio - top[:, None]) @ UNIT_WEIGHTS)
    with np.errstate(divide="ignore"):
        return np.log1p(-lowest) + mean - decay * np.log(alpha + start) - np.log(decay)
