"""Buy-till-you-die models behind one door: how often customers will buy, what a purchase is worth, and how sure that is."""

from crm_utils.cltv.btyd.bg_nbd import BgNbd, MbgNbd
from crm_utils.cltv.btyd.customer_base import CustomerBaseModel, fit_customer_base
from crm_utils.cltv.btyd.fit import (
    MODELS,
    PurchaseModel,
    constant_rate_model,
    fit,
    insufficient_data_reason,
    purchase_covariance,
    spec_of,
)
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma, fit_gamma_gamma, value_covariance
from crm_utils.cltv.btyd.intervals import ForecastErrorModel, fit_forecast_error
from crm_utils.cltv.btyd.max_likelihood import Covariance
from crm_utils.cltv.btyd.pareto_nbd import ParetoNbd
from crm_utils.cltv.btyd.serialization import models_from_table, models_to_table, purchase_probabilities
from crm_utils.core.errors import FitError

__all__ = [
    "MODELS",
    "BgNbd",
    "Covariance",
    "FitError",
    "GammaGamma",
    "MbgNbd",
    "CustomerBaseModel",
    "ParetoNbd",
    "ForecastErrorModel",
    "PurchaseModel",
    "fit",
    "fit_gamma_gamma",
    "fit_customer_base",
    "models_from_table",
    "spec_of",
    "fit_forecast_error",
    "constant_rate_model",
    "purchase_covariance",
    "purchase_probabilities",
    "models_to_table",
    "insufficient_data_reason",
    "value_covariance",
]
