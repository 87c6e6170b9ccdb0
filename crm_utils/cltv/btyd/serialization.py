"""The models as tables: written by 04_cltv, read by notebooks after it."""

import numpy as np
import pandas as pd

from crm_utils.cltv.btyd.bg_nbd import BgNbd, MbgNbd
from crm_utils.cltv.btyd.fit import PurchaseModel
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma
from crm_utils.cltv.btyd.max_likelihood import Covariance
from crm_utils.cltv.btyd.pareto_nbd import ParetoNbd

MODEL_BY_NAME = {model.name: model for model in (BgNbd, MbgNbd, ParetoNbd, GammaGamma)}


def models_to_table(
    fitted: list[tuple[PurchaseModel | GammaGamma, Covariance | None, int]], assumptions: pd.DataFrame
) -> pd.DataFrame:
    """The fitted models (each with its covariance and how many customers it was fitted to), then the assumptions.

    Rows: model, parameter, value, standard_error (sandwich; null where held fixed or not fitted), note. After a model's
    parameters come its log_likelihood, aic and bic, where it was fitted.
    """
    rows = [row for model, covariance, customers in fitted for row in _rows(model, covariance, customers)]
    columns = ["model", "parameter", "value", "standard_error", "note"]
    return pd.concat([pd.DataFrame(rows, columns=columns), assumptions], ignore_index=True)


def models_from_table(model: pd.DataFrame) -> tuple[PurchaseModel, GammaGamma]:
    """The purchase model and the value model back from their table."""
    found = []
    for name in model.model.unique():
        if name in MODEL_BY_NAME:
            rows = model[model.model == name].set_index("parameter")
            values = [float(rows.value[parameter]) for parameter in MODEL_BY_NAME[name].parameters]
            found.append(MODEL_BY_NAME[name](*values, rows.value.get("log_likelihood", np.nan), rows.note.iloc[0]))
    value, purchase = sorted(found, key=lambda fit: not isinstance(fit, GammaGamma))  # the table is sorted by name
    return purchase, value


def purchase_probabilities(model: PurchaseModel, customers: pd.DataFrame, windows: list[int]) -> pd.DataFrame:
    """P(a customer buys within each window by itself): one row per customer_id, one column per window in days.

    `customers` has customer_id, repeat_purchase_days, last_purchase_age_days and customer_age_days.
    """
    behaviour = [
        customers[column].to_numpy(float)
        for column in ("repeat_purchase_days", "last_purchase_age_days", "customer_age_days")
    ]
    return pd.DataFrame(
        {int(days): model.purchase_probability(*behaviour, days) for days in sorted(set(windows))},
        index=customers.customer_id,
    )


def _rows(model, covariance: Covariance | None, customers: int) -> list[tuple]:
    theta = np.array([getattr(model, name) for name in model.parameters])
    errors = covariance.standard_errors(theta) if covariance else np.full(len(theta), np.nan)
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
