"""Both models of one customer base together: fitted, or replaced by an average rate where the data are too thin."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.linalg import block_diag

from crm_utils.cltv.btyd import intervals
from crm_utils.cltv.btyd.fit import (
    PurchaseModel,
    constant_rate_model,
    fit,
    insufficient_data_reason,
    purchase_covariance,
)
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma, fit_gamma_gamma, value_covariance
from crm_utils.cltv.btyd.max_likelihood import Covariance
from crm_utils.cltv.btyd.serialization import models_to_table


@dataclass(frozen=True)
class CustomerBaseModel:
    """How often customers buy and what a purchase day is worth, with how sure that is. `withheld` says why nothing was fitted.

    Customers are frames with repeat_purchase_days, last_purchase_age_days, customer_age_days (days) and mean_purchase_value, as `cltv.summary` makes them.
    """

    purchase: PurchaseModel
    value: GammaGamma
    purchase_covariance: Covariance | None
    value_covariance: Covariance | None
    customers: int
    withheld: str = ""

    @property
    def identified(self) -> bool:
        """Whether the history tells who stopped buying: dropout is identified."""
        return not self.withheld and not set(self.purchase.parameters[2:]) <= set(self.purchase.fixed)

    def expected_purchases(self, customers: pd.DataFrame, days: np.ndarray) -> np.ndarray:
        """Expected purchase days in the next `days`, one column each."""
        return self.purchase.expected_purchases(*_behaviour(customers), np.asarray(days, float))

    def expected_value(self, customers: pd.DataFrame) -> np.ndarray:
        """Expected value of a purchase day."""
        return _value(self.value, customers)

    def slopes(self, customers: pd.DataFrame, days: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """How expected revenue (in `days`, columns combined by `weights`) changes with each log parameter: customer × combination × parameter."""

        def revenue(purchase: PurchaseModel, value: GammaGamma) -> np.ndarray:
            purchases = purchase.expected_purchases(*_behaviour(customers), np.asarray(days, float)) @ weights
            return purchases * _value(value, customers)[:, None]

        return intervals.jacobian(revenue, (self.purchase, self.value), self._free)

    def expected_interval(self, values: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """90 % interval of expected values, for uncertain parameters; `slopes` are of the log values."""
        return intervals.confidence_interval(values, slopes, self.covariance)

    @property
    def covariance(self) -> np.ndarray:
        """Of all log parameters; zeros where nothing was fitted."""
        parts = zip((self.purchase, self.value), (self.purchase_covariance, self.value_covariance), strict=True)
        return block_diag(*(part.sandwich if part else np.zeros((len(m.parameters),) * 2) for m, part in parts))

    @property
    def _free(self) -> tuple[np.ndarray, np.ndarray]:
        return tuple(
            part.free if part else np.zeros(len(model.parameters), bool)
            for model, part in ((self.purchase, self.purchase_covariance), (self.value, self.value_covariance))
        )

    def variance(self, customers: pd.DataFrame, days: float) -> np.ndarray:
        """Variance by chance of each customer's revenue in the next `days`."""
        behaviour = _behaviour(customers)
        once = self.purchase.expected_purchases(*behaviour, days)
        twice = self.purchase.second_moment(*behaviour, days)
        return self.value.variance_of_sum(behaviour[0] + 1, customers.mean_purchase_value.to_numpy(), once, twice)

    def totals(self, customers: pd.DataFrame, days: list[int], groups: pd.Series) -> pd.DataFrame:
        """Per group and horizon: group, days, purchase_days, revenue and its relative_variance (parameters and chance)."""
        purchases = self.expected_purchases(customers, days)
        revenue = purchases * self.expected_value(customers)[:, None]
        slopes, codes = self.slopes(customers, days, np.eye(len(days))), groups.to_numpy()
        tables = []
        for place, horizon in enumerate(days):
            columns = pd.DataFrame(
                {
                    "purchase_days": purchases[:, place],
                    "revenue": revenue[:, place],
                    "chance": self.variance(customers, horizon),
                }
            )
            sums = columns.groupby(codes).sum()
            moves = pd.DataFrame(slopes[:, place, :]).groupby(codes).sum().to_numpy()
            parameters = np.einsum("gp,pq,gq->g", moves, self.covariance, moves)
            least = np.maximum(sums.revenue, 1e-300)  # its square would be 0
            relative = (parameters + sums.chance) / least / least
            tables.append(sums.drop(columns="chance").assign(relative_variance=relative, days=horizon))
        return pd.concat(tables).rename_axis("group").reset_index()

    def table(self, assumptions: pd.DataFrame) -> pd.DataFrame:
        """The `fitted_parameters` table: the fitted parameters, then the assumptions (see `door.table`)."""
        fitted = [(self.purchase, self.purchase_covariance), (self.value, self.value_covariance)]
        return models_to_table([(*pair, self.customers) for pair in fitted], assumptions)


def fit_customer_base(customers: pd.DataFrame, kind: str = "bg_nbd", obstacles: list[str] = ()) -> CustomerBaseModel:
    """The purchase model and Gamma-Gamma (on all purchase days) of these customers.

    Where there are `obstacles` (reasons in words), or customers are too few, or their history too short, every customer
    keeps the average rate of all, and `withheld` says why.
    """
    x, t_x, T = _behaviour(customers)
    reason = "; ".join(obstacles) or insufficient_data_reason(x, T)
    with ThreadPoolExecutor(max_workers=1) as beside:  # on the other processor: millions of customers take seconds each
        fitting = beside.submit(_fitted_value, x + 1, customers.mean_purchase_value)
        purchase = constant_rate_model(x, T, reason) if reason else fit(kind, x, t_x, T)
        covariance = None if reason else purchase_covariance(purchase, x, t_x, T)
        value, spread = fitting.result()
    return CustomerBaseModel(purchase, value, covariance, spread, len(x), reason)


def _fitted_value(days: np.ndarray, mean_purchase_value: pd.Series) -> tuple[GammaGamma, Covariance]:
    value = fit_gamma_gamma(days, mean_purchase_value)
    return value, value_covariance(value, days, mean_purchase_value)


def _behaviour(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return tuple(
        customers[column].to_numpy(float)
        for column in ("repeat_purchase_days", "last_purchase_age_days", "customer_age_days")
    )


def _value(value: GammaGamma, customers: pd.DataFrame) -> np.ndarray:
    return value.expected_value(customers.repeat_purchase_days.to_numpy() + 1, customers.mean_purchase_value.to_numpy())
