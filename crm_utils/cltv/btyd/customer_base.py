"""The purchase model and the value model of a customer base, or an average rate if the data are insufficient."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.linalg import block_diag

from crm_utils.cltv.btyd import intervals
from crm_utils.cltv.btyd.fit import (
    Covariance,
    PurchaseModel,
    constant_rate_model,
    fit_purchase_model,
    insufficient_data_reason,
    purchase_covariance,
    to_xtT,
)
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma, fit_gamma_gamma, value_covariance
from crm_utils.cltv.btyd.own_model import OwnModelSpec
from crm_utils.cltv.btyd.renewals import Renewals, fit_renewals
from crm_utils.cltv.btyd.serialization import models_to_table

# Totals are at least this large, so that their squares do not underflow.
SMALLEST_TOTAL = 1e-300


@dataclass(frozen=True)
class CustomerBaseModel:
    """How often customers buy and what a purchase day is worth, with the uncertainty of both.

    Parameters
    ----------
    purchase : BgNbd, MbgNbd, ParetoNbd or Renewals
        How often customers buy and when they stop.
    value : GammaGamma
        What a purchase day is worth.
    purchase_covariance, value_covariance : Covariance or None
        The uncertainty of the parameters; None if nothing was fitted.
    customers : int
        The number of customers the models were fitted to.
    unavailable_reason : str
        Why no model of random purchases was fitted; empty if one was.

    Notes
    -----
    Methods take customers as `forecast.rfm_summary` returns them: repeat_purchase_days, last_purchase_age_days,
    customer_age_days and mean_purchase_value.
    """

    purchase: PurchaseModel
    value: GammaGamma
    purchase_covariance: Covariance | None
    value_covariance: Covariance | None
    customers: int
    unavailable_reason: str = ""

    @property
    def identified(self) -> bool:
        """Whether dropout is identified, so that the history shows who stopped buying."""
        dropout = set(self.purchase.parameters[2:])
        return not self.unavailable_reason and not dropout <= set(self.purchase.at_bound)

    @property
    def tells_customers_apart(self) -> bool:
        """Whether the history of a customer counts, and not only the average rate of all."""
        return not self.unavailable_reason or isinstance(self.purchase, Renewals)

    @property
    def covariance(self) -> np.ndarray:
        """Covariance of all log parameters; zeros if nothing was fitted."""
        blocks = [
            np.zeros((len(model.parameters),) * 2) if covariance is None else covariance.sandwich
            for model, covariance in self._fitted
        ]
        return block_diag(*blocks)

    @property
    def _fitted(self) -> list[tuple[PurchaseModel | GammaGamma, Covariance | None]]:
        return [(self.purchase, self.purchase_covariance), (self.value, self.value_covariance)]

    def expected_purchases(self, customers: pd.DataFrame, days: ArrayLike) -> np.ndarray:
        """Return expected purchase days in the next `days`, one column for each number of days."""
        return self.purchase.expected_purchases(*to_xtT(customers), np.asarray(days, float))

    def expected_value(self, customers: pd.DataFrame) -> np.ndarray:
        """Return the expected value of a purchase day of each customer, in money."""
        return _expected_value(self.value, customers)

    def jacobian(self, customers: pd.DataFrame, days: ArrayLike, weights: np.ndarray) -> np.ndarray:
        """Return how expected revenue changes with each log parameter.

        Revenue in each of `days` is combined by the columns of `weights`. The result is an array of customer ×
        combination × parameter.
        """

        def revenue(purchase: PurchaseModel, value: GammaGamma) -> np.ndarray:
            purchases = purchase.expected_purchases(*to_xtT(customers), np.asarray(days, float)) @ weights
            return purchases * _expected_value(value, customers)[:, None]

        free = tuple(
            np.zeros(len(model.parameters), bool) if covariance is None else covariance.free
            for model, covariance in self._fitted
        )
        return intervals.jacobian(revenue, (self.purchase, self.value), free)

    def expected_interval(self, values: np.ndarray, log_jacobian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the 90 % interval of expected values for uncertain parameters; `log_jacobian` is of the log values."""
        return intervals.confidence_interval(values, log_jacobian, self.covariance)

    def variance(self, customers: pd.DataFrame, days: float) -> np.ndarray:
        """Return the variance by chance of each customer's revenue in the next `days`."""
        x, t_x, T = to_xtT(customers)
        purchases = self.purchase.expected_purchases(x, t_x, T, days)
        squared = self.purchase.expected_squared_purchases(x, t_x, T, days)
        return self.value.variance_of_sum(x + 1, customers.mean_purchase_value.to_numpy(), purchases, squared)

    def totals(self, customers: pd.DataFrame, days: list[int], groups: pd.Series) -> pd.DataFrame:
        """Add up what customers are expected to buy, by group and horizon.

        Returns
        -------
        pandas.DataFrame
            group, days, purchase_days, revenue and relative_variance (of revenue: parameters and chance).
        """
        purchases = self.expected_purchases(customers, days)
        revenue = purchases * self.expected_value(customers)[:, None]
        jacobian = self.jacobian(customers, days, np.eye(len(days)))
        codes = groups.to_numpy()
        tables = []
        for index, horizon in enumerate(days):
            columns = pd.DataFrame(
                {
                    "purchase_days": purchases[:, index],
                    "revenue": revenue[:, index],
                    "chance": self.variance(customers, horizon),
                }
            )
            sums = columns.groupby(codes).sum()
            by_parameter = pd.DataFrame(jacobian[:, index, :]).groupby(codes).sum().to_numpy()
            parameters = np.einsum("gp,pq,gq->g", by_parameter, self.covariance, by_parameter)
            total = np.maximum(sums.revenue, SMALLEST_TOTAL)
            relative = (parameters + sums.chance) / total / total
            tables.append(sums.drop(columns="chance").assign(relative_variance=relative, days=horizon))
        return pd.concat(tables).rename_axis("group").reset_index()

    def table(self, assumptions: pd.DataFrame) -> pd.DataFrame:
        """Return the `fitted_parameters` table.

        Parameters
        ----------
        assumptions : pandas.DataFrame
            Rows to append, with the same columns (see `ClvAssumptions.table`).

        Returns
        -------
        pandas.DataFrame
            model, parameter, value, standard_error, note (see `models_to_table`).
        """
        return models_to_table([(*fitted, self.customers) for fitted in self._fitted], assumptions)


def fit_customer_base(
    customers: pd.DataFrame,
    model: str | OwnModelSpec = "bg_nbd",
    obstacles: Sequence[str] = (),
    regular: bool = False,
) -> CustomerBaseModel:
    """Fit a purchase model and Gamma-Gamma (on all purchase days) to these customers.

    Parameters
    ----------
    customers : pandas.DataFrame
        repeat_purchase_days, last_purchase_age_days, customer_age_days and mean_purchase_value; one row per customer.
    model : str or OwnModelSpec
        The purchase model: bg_nbd, mbg_nbd, pareto_nbd, or the class of an own model.
    obstacles : sequence of str
        Reasons, in words, why no model of random purchases can be fitted to the data.
    regular : bool
        Whether customers buy at equal gaps, as in a subscription.

    Returns
    -------
    CustomerBaseModel
        If there are obstacles, too few customers or too little history, `unavailable_reason` says why. Regular
        customers then renew or cancel (`Renewals`), all others buy at the average rate of all.

    Raises
    ------
    FitError
        If a history is not valid, or a purchase value is not positive.
    """
    x, t_x, T = to_xtT(customers)
    reason = "; ".join(obstacles) or insufficient_data_reason(x, T)
    # The fits run in parallel, because for millions of customers each takes seconds.
    with ThreadPoolExecutor(max_workers=1) as executor:
        value_fit = executor.submit(_fit_value, x + 1, customers.mean_purchase_value)
        purchase = _without_model(x, t_x, T, reason, regular) if reason else fit_purchase_model(model, x, t_x, T)
        covariance = None if reason else purchase_covariance(purchase, x, t_x, T)
        value, covariance_of_value = value_fit.result()
    return CustomerBaseModel(purchase, value, covariance, covariance_of_value, len(x), reason)


def _without_model(x: np.ndarray, t_x: np.ndarray, T: np.ndarray, reason: str, regular: bool) -> PurchaseModel:
    if regular:
        return fit_renewals(x, t_x, T, f"no model of random purchases: {reason}")
    return constant_rate_model(x, T, reason)


def _fit_value(days: np.ndarray, mean_purchase_value: pd.Series) -> tuple[GammaGamma, Covariance]:
    value = fit_gamma_gamma(days, mean_purchase_value)
    return value, value_covariance(value, days, mean_purchase_value)


def _expected_value(value: GammaGamma, customers: pd.DataFrame) -> np.ndarray:
    return value.expected_value(customers.repeat_purchase_days.to_numpy() + 1, customers.mean_purchase_value.to_numpy())
