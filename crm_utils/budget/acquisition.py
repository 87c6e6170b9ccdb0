"""What new customers bring, what they may cost, and how many are worth winning."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

# Linear steps of the cost curve in the program
STEPS = 20


@dataclass(frozen=True)
class CostCurve:
    """What customers won by marketing cost and bring.

    The marginal cost of the n-th customer more in a year is c0 (1 + n / n0): a shop that wins n0 customers a year by
    itself pays twice as much for the last of n0 more. The shape is an assumption.

    Parameters
    ----------
    cost : float
        c0: cost of one more customer today.
    per_year : float
        n0: new customers of the last 12 months.
    value : float
        Margin of a new customer within 12 months.
    years : float
        Length of the plan.
    """

    cost: float
    per_year: float
    value: float
    years: float = 1.0

    def spend(self, customers: float) -> float:
        """Return what this many customers more cost in the whole plan: c0 (n + n² / (2 n0))."""
        return self.cost * (customers + customers**2 / (2 * self.per_year * self.years))

    @property
    def best_number(self) -> float:
        """Customers more in the whole plan until the next one costs what it brings: n0 (V / c0 − 1)."""
        return max(self.per_year * self.years * (self.value / self.cost - 1), 0.0)

    def steps(self, waves: int) -> pd.DataFrame:
        """Return the curve of one wave as linear steps.

        Parameters
        ----------
        waves : int
            Waves of the plan.

        Returns
        -------
        pandas.DataFrame
            customers (of the step, in one wave), spend and profit per customer.
        """
        edges = np.linspace(0, self.best_number, STEPS + 1)
        size = np.diff(edges)
        costs = np.array([self.spend(edge) for edge in edges])
        with np.errstate(invalid="ignore"):
            each = np.where(size > 0, np.diff(costs) / size, self.cost)
        return pd.DataFrame({"customers": size / waves, "spend": each, "profit": self.value - each})
