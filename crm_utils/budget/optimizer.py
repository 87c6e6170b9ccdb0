"""Mixed-integer linear programs (MILP), built row by row and solved with HiGHS through SciPy."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array, csr_array, vstack


class Rows:
    """Collects the rows low ≤ row ≤ high of a program as (row, column, value) triples."""

    def __init__(self) -> None:
        self.parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.count = 0

    def add(self, size: int, low: float | np.ndarray, high: float | np.ndarray, *parts: tuple[Any, Any, Any]) -> None:
        """Add `size` rows; each part holds rows (from 0), columns and values, which may be numbers or arrays."""
        for row, column, value in parts:
            row, column, value = np.broadcast_arrays(np.asarray(row), np.asarray(column), np.asarray(value, float))
            self.parts.append((row.ravel() + self.count, column.ravel(), value.ravel()))
        self.low.append(np.broadcast_to(np.asarray(low, float), size))
        self.high.append(np.broadcast_to(np.asarray(high, float), size))
        self.count += size

    def constraint(self, columns: int) -> LinearConstraint:
        """Return all rows as one constraint."""
        row, column, value = (np.concatenate([part[index] for part in self.parts]) for index in range(3))
        matrix = csr_array(coo_array((value, (row, column)), (self.count, columns)))
        return LinearConstraint(matrix, np.concatenate(self.low), np.concatenate(self.high))


def maximize(
    profit: np.ndarray,
    constraint: LinearConstraint,
    lower: np.ndarray,
    upper: np.ndarray,
    whole: np.ndarray,
    gap: float,
) -> np.ndarray | None:
    """Find x with the highest profit @ x that keeps the constraint and lower ≤ x ≤ upper; None if there is none.

    Parameters
    ----------
    profit, lower, upper : numpy.ndarray
        Of each variable.
    constraint : scipy.optimize.LinearConstraint
        All rows (`Rows.constraint`).
    whole : numpy.ndarray of bool
        Variables that are whole numbers.
    gap : float
        How far from the best solution the solver may stop, as a share of its profit.

    Returns
    -------
    numpy.ndarray or None
        The variables.
    """
    if not whole.any():
        return _maximize_linear(profit, constraint, lower, upper)
    with silence_stdout():
        solution = milp(
            -profit,
            integrality=whole.astype(int),
            bounds=Bounds(lower, upper),
            constraints=constraint,
            options={"mip_rel_gap": gap},
        )
    return solution.x


def _maximize_linear(
    profit: np.ndarray, constraint: LinearConstraint, lower: np.ndarray, upper: np.ndarray
) -> np.ndarray | None:
    """Return the best solution without whole numbers; None if there is none.

    The interior-point method takes seconds for a large plan, the simplex method of `milp` many minutes.
    """
    low, high, matrix = constraint.lb, constraint.ub, constraint.A
    equal, at_most, at_least = low == high, np.isfinite(high) & (low != high), np.isfinite(low) & (low != high)
    with silence_stdout():
        found = linprog(
            -profit,
            A_ub=vstack([matrix[at_most], -matrix[at_least]]),
            b_ub=np.concatenate([high[at_most], -low[at_least]]),
            A_eq=matrix[equal],
            b_eq=low[equal],
            bounds=np.column_stack([lower, upper]),
            method="highs-ipm",
        )
    return found.x


@contextmanager
def silence_stdout() -> Iterator[None]:
    """Discard what is written to standard output: HiGHS prints a debug line even if told not to."""
    flush = ctypes.CDLL(None).fflush if os.name == "posix" else lambda _: None
    sys.stdout.flush()
    flush(None)
    saved, discarded = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(discarded, 1)
    try:
        yield
    finally:
        flush(None)
        os.dup2(saved, 1)
        os.close(saved)
        os.close(discarded)
