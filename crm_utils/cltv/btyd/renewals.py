"""Renewals × churn, for customers who buy at equal gaps: a subscription, or a purchase each year at one season.

x is the number of repeat purchase days, t_x the age at the last of them, T the age today, as in the other models. A
customer renews one gap after the last purchase, or cancels with a fixed probability. Whoever is late by half a gap has
cancelled; on the way there the probability of being a customer falls from 1 to 0.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

# A customer who has been silent for this many gaps has cancelled.
CANCELLED_AFTER_GAPS = 1.5
# Customers with so many renewals tell the gap of all.
MIN_RENEWALS = 3
# The prior of a churn: one renewal and half a cancellation.
PRIOR_RENEWALS, PRIOR_CANCELLATIONS = 1.0, 0.5


@dataclass(frozen=True)
class Renewals:
    """Customers renew after a gap of their own, or cancel.

    Parameters
    ----------
    gap_days : float
        Median days between two purchases. A customer's own gap is shrunk to it as if one gap more had been seen.
    first_churn, churn : float
        Probability to cancel at the first renewal, and at each later one.
    """

    gap_days: float
    first_churn: float
    churn: float
    log_likelihood: float = float("nan")
    note: str = ""
    at_bound: tuple[str, ...] = ()

    name: ClassVar[str] = "Renewals × churn"
    parameters: ClassVar[tuple[str, ...]] = ("gap_days", "first_churn", "churn")
    alive_formula: ClassVar[str] = "(1.5 − (T − t_x) ÷ gap) ÷ 0.5, between 0 and 1"
    purchases_formula: ClassVar[str] = "P × Σ (1 − next churn) × (1 − churn)^(k − 1) for each k due within t"

    def gaps(self, x: np.ndarray, t_x: np.ndarray) -> np.ndarray:
        """Return each customer's days between two purchases."""
        return (np.asarray(t_x) + self.gap_days) / (np.asarray(x) + 1)

    def probability_alive(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Return 1 for customers who are not late, 0 for those who are late by half a gap, and between for others."""
        silent_gaps = (np.asarray(T) - t_x) / self.gaps(x, t_x)
        return np.clip((CANCELLED_AFTER_GAPS - silent_gaps) / (CANCELLED_AFTER_GAPS - 1), 0, 1)

    def expected_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float | np.ndarray) -> np.ndarray:
        """Return E[renewals in (T, T + t]]; several t give one column each."""
        columns = [self._sum(x, t_x, T, days, squared=False) for days in np.atleast_1d(np.asarray(t, float))]
        return np.column_stack(columns) if np.ndim(t) else columns[0]

    def expected_squared_purchases(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return E[Y²] of the renewals Y in (T, T + t]: Σ (2 k − 1) P(Y ≥ k)."""
        return self._sum(x, t_x, T, t, squared=True)

    def purchase_probability(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Return P(at least one renewal in (T, T + t])."""
        return self._renews_next(x, t_x, T) * (self._due(x, t_x, T) <= t)

    def _sum(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float, squared: bool) -> np.ndarray:
        """Σ P(Y ≥ k) over the renewals k that are due within t, each weighted by 2 k − 1 if the square is asked for."""
        due, gaps = self._due(x, t_x, T), self.gaps(x, t_x)
        total, reached = np.zeros(len(due)), self._renews_next(x, t_x, T)
        for k in range(1, int(np.max((t - due) / gaps, initial=-1)) + 2):
            total += np.where(due + (k - 1) * gaps <= t, reached * (2 * k - 1 if squared else 1), 0)
            reached = reached * (1 - self.churn)
        return total

    def _due(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """Days until the next renewal; 0 if it is late."""
        return np.maximum(self.gaps(x, t_x) - (np.asarray(T) - t_x), 0.0)

    def _renews_next(self, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        churn = np.where(np.asarray(x) > 0, self.churn, self.first_churn)
        return self.probability_alive(x, t_x, T) * (1 - churn)


def fit_renewals(x: ArrayLike, t_x: ArrayLike, T: ArrayLike, note: str = "") -> Renewals:
    """Count renewals and cancellations.

    Parameters
    ----------
    x, t_x, T : array-like of float
        Repeat purchase days, age at the last of them and age today, in days.
    note : str
        Stands beside the parameters.

    Returns
    -------
    Renewals
        Churn is cancellations ÷ (renewals + cancellations). A customer who is late by half a gap has cancelled once.
    """
    x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
    seen = (x > 0) & (x >= min(MIN_RENEWALS, x.max(initial=0)))
    gap = float(np.median(t_x[seen] / x[seen])) if seen.any() else float(np.max(T, initial=1.0))
    start = Renewals(gap, 0.0, 0.0)
    cancelled = 1 - start.probability_alive(x, t_x, T)
    first = _churn((x > 0).sum(), cancelled[x == 0].sum())
    later = _churn(np.maximum(x - 1, 0).sum(), cancelled[x > 0].sum())
    return Renewals(gap, first, later, note=note)


def _churn(renewals: float, cancellations: float) -> float:
    prior = PRIOR_RENEWALS + PRIOR_CANCELLATIONS
    return float((cancellations + PRIOR_CANCELLATIONS) / (renewals + cancellations + prior))
