"""Numerical integrals of the purchase models: over a Beta distribution, and over a span of time."""

import numpy as np
from scipy.linalg import eigh_tridiagonal

N_BETA_NODES = 48
N_UNIT_NODES = 24
# The smallest node, because a probability of 0 would divide by zero.
SMALLEST_NODE = 1e-100


def _unit_interval_nodes() -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss–Legendre quadrature on [0, 1]."""
    nodes, weights = np.polynomial.legendre.leggauss(N_UNIT_NODES)
    return nodes / 2 + 0.5, weights / 2


UNIT_NODES, UNIT_WEIGHTS = _unit_interval_nodes()


def beta_nodes(a: float, b: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes and weights that integrate over Beta(a, b): Gauss–Jacobi by Golub & Welsch (1969).

    scipy's `roots_jacobi` overflows for b above 1,000, which histories without dropout reach.
    """
    k = np.arange(1, N_BETA_NODES)
    c = a + b - 2
    middle = np.concatenate([[(a - b) / (a + b)], ((a - 1) ** 2 - (b - 1) ** 2) / ((2 * k + c) * (2 * k + c + 2))])
    with np.errstate(invalid="ignore", divide="ignore"):
        squares = 4 * k * (k + b - 1) * (k + a - 1) * (k + c) / ((2 * k + c) ** 2 * (2 * k + c + 1) * (2 * k + c - 1))
    squares[0] = 4 * a * b / ((a + b) ** 2 * (a + b + 1))
    points, vectors = eigh_tridiagonal(middle, np.sqrt(squares))
    return np.maximum((1 + points) / 2, SMALLEST_NODE), vectors[0] ** 2


def power_decay(k: np.ndarray, s: float, alpha: float, beta: float, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return log ∫ (α + y)^−k (β + y)^−(s + 1) dy from `start` to `end`; −∞ if the span is empty."""
    return power_decay_gradient(k, s, alpha, beta, start, end)[0]


def power_decay_gradient(
    k: np.ndarray, s: float, alpha: float, beta: float, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return `power_decay` and its gradient by k, α, s and β (one row each).

    The gradient is a mean over the span, weighted by the integrand. Gauss–Legendre runs over
    w = ((α + y)/(α + start))^−d, which falls about as fast as the integrand. The integrand is smooth in w. Divided by
    its height at the first or last node, it does not underflow or overflow.
    """
    log_start = np.log(alpha + start)
    d = k + np.minimum(s, (s + 1) * (alpha + start) / (beta + start))
    lowest = np.exp(-d * np.log1p((end - start) / (alpha + start)))

    def terms_at(node: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """α + y and β + y, their logarithms, and the logarithm of the integrand in w."""
        log_alpha = log_start - np.log(lowest + (1 - lowest) * node) / d
        above_alpha = np.exp(log_alpha)
        above_beta = above_alpha + (beta - alpha)
        log_beta = np.log(above_beta)
        return above_alpha, above_beta, log_alpha, log_beta, (d + 1 - k) * log_alpha - (s + 1) * log_beta

    top = np.maximum(terms_at(UNIT_NODES[0])[-1], terms_at(UNIT_NODES[-1])[-1])
    total = np.zeros(len(start))
    sums = np.zeros((4, len(start)))
    # One node at a time, so that the arrays stay in the processor's cache.
    for node, weight in zip(UNIT_NODES, UNIT_WEIGHTS, strict=True):
        above_alpha, above_beta, log_alpha, log_beta, log_integrand = terms_at(node)
        share = weight * np.exp(log_integrand - top)
        total += share
        for row, slope in enumerate((log_alpha, 1 / above_alpha, log_beta, 1 / above_beta)):
            sums[row] += share * slope
    by_k, by_alpha, by_s, by_beta = sums / total
    with np.errstate(divide="ignore"):
        value = np.log1p(-lowest) + top + np.log(total) - d * log_start - np.log(d)
    return value, -np.array([by_k, k * by_alpha, by_s, (s + 1) * by_beta])
