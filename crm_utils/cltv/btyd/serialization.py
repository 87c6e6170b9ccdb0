"""Write the fitted models to a table and read them back. 04_cltv writes it, and later notebooks read it."""

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TypeVar

import numpy as np
import pandas as pd

from crm_utils.cltv.btyd.fit import MODELS, Covariance, PurchaseModel, fit_purchase_model, to_xtT
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma
from crm_utils.cltv.btyd.own_model import FittedOwnModel, OwnModelSpec, load_model
from crm_utils.cltv.btyd.renewals import Renewals
from crm_utils.core.errors import FitError

PURCHASE_MODEL_BY_NAME: Mapping[str, type[PurchaseModel]] = {
    spec.model.name: spec.model for spec in MODELS.values()
} | {Renewals.name: Renewals}
FittedModel = TypeVar("FittedModel", bound=PurchaseModel | GammaGamma)
COLUMNS = ["model", "parameter", "value", "standard_error", "note"]


def models_to_table(
    fitted: list[tuple[PurchaseModel | GammaGamma, Covariance | None, int]], assumptions: pd.DataFrame
) -> pd.DataFrame:
    """Write fitted models and assumptions as one table.

    Parameters
    ----------
    fitted : list of tuple
        A model, its covariance (None if it was not fitted) and the number of customers it was fitted to.
    assumptions : pandas.DataFrame
        Rows with the same columns, appended at the end.

    Returns
    -------
    pandas.DataFrame
        model, parameter, value, standard_error (sandwich; null if fixed or not fitted), note. The parameters of a
        fitted model are followed by its log_likelihood, aic and bic.
    """
    rows = [row for model, covariance, customers in fitted for row in _rows(model, covariance, customers)]
    return pd.concat([pd.DataFrame(rows, columns=COLUMNS), assumptions], ignore_index=True)


def models_from_table(
    fitted_parameters: pd.DataFrame, customers: pd.DataFrame, root: PathLike[str]
) -> tuple[PurchaseModel, GammaGamma]:
    """Read the purchase model and the value model back from the `fitted_parameters` table.

    Parameters
    ----------
    fitted_parameters : pandas.DataFrame
        See `models_to_table`.
    customers : pandas.DataFrame
        The table `cltv`. An own model is fitted to it again.
    root : path-like
        The project's folder.

    Returns
    -------
    BgNbd, MbgNbd, ParetoNbd, Renewals or FittedOwnModel
        The purchase model.
    GammaGamma
        The value model.

    Raises
    ------
    FitError
        If the table does not contain a purchase model.
    """
    for name in fitted_parameters.model.unique():
        if name in PURCHASE_MODEL_BY_NAME:
            purchase = _from_rows(PURCHASE_MODEL_BY_NAME[name], fitted_parameters)
            return purchase, _from_rows(GammaGamma, fitted_parameters)
        own = load_model(name, root)
        if isinstance(own, OwnModelSpec):
            return fit_purchase_model(own, *to_xtT(customers)), _from_rows(GammaGamma, fitted_parameters)
    raise FitError("the table fitted_parameters does not contain a purchase model: run 04_cltv again")


def purchase_probabilities(model: PurchaseModel, customers: pd.DataFrame, windows: Iterable[int]) -> pd.DataFrame:
    """Return the probability that a customer buys within each window without a campaign.

    Parameters
    ----------
    model : BgNbd, MbgNbd or ParetoNbd
        The fitted purchase model.
    customers : pandas.DataFrame
        customer_id, repeat_purchase_days, last_purchase_age_days and customer_age_days.
    windows : iterable of int
        Windows, in days.

    Returns
    -------
    pandas.DataFrame
        One row for each customer_id (the index), one column for each window.
    """
    x, t_x, T = to_xtT(customers)
    return pd.DataFrame(
        {int(days): model.purchase_probability(x, t_x, T, days) for days in sorted(set(windows))},
        index=customers.customer_id,
    )


def _from_rows(model_class: type[FittedModel], fitted_parameters: pd.DataFrame) -> FittedModel:
    rows = fitted_parameters[fitted_parameters.model == model_class.name].set_index("parameter")
    values = {parameter: float(rows.value[parameter]) for parameter in model_class.parameters}
    log_likelihood = rows.value.get("log_likelihood", np.nan)
    make: Callable[..., FittedModel] = model_class
    return make(**values, log_likelihood=log_likelihood, note=rows.note.iloc[0])


def _rows(
    model: PurchaseModel | GammaGamma, covariance: Covariance | None, customers: int
) -> list[tuple[str, str, float, float, str]]:
    theta = np.array([getattr(model, name) for name in model.parameters])
    errors = covariance.standard_errors(theta) if covariance else np.full(len(theta), np.nan)
    if isinstance(model, FittedOwnModel):  # its parameters are its own matter
        return [(model.name, "customers", float(customers), np.nan, model.note)]
    rows = [
        (model.name, *row, model.note) for row in zip(model.parameters, theta.tolist(), errors.tolist(), strict=True)
    ]
    if not np.isnan(model.log_likelihood):
        size = len(theta)
        measures = {
            "log_likelihood": model.log_likelihood,
            "aic": 2 * size - 2 * model.log_likelihood,
            "bic": size * np.log(customers) - 2 * model.log_likelihood,
        }
        rows += [(model.name, name, value, np.nan, model.note) for name, value in measures.items()]
    return rows
