"""Buy-till-you-die models: how often customers will buy, what a purchase is worth, and how certain that is."""

from crm_utils.cltv.btyd.bg_nbd import BgNbd, MbgNbd
from crm_utils.cltv.btyd.customer_base import CustomerBaseModel, fit_customer_base
from crm_utils.cltv.btyd.fit import (
    MODELS,
    Covariance,
    PurchaseModel,
    constant_rate_model,
    fit_purchase_model,
    fit_quickly,
    insufficient_data_reason,
    purchase_covariance,
    spec_of,
    to_xtT,
)
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma, fit_gamma_gamma, value_covariance
from crm_utils.cltv.btyd.own_model import OwnModel, OwnModelSpec, load_model
from crm_utils.cltv.btyd.pareto_nbd import ParetoNbd
from crm_utils.cltv.btyd.renewals import Renewals, fit_renewals
from crm_utils.cltv.btyd.serialization import models_from_table, models_to_table, purchase_probabilities
from crm_utils.core.errors import FitError

__all__ = [
    "MODELS",
    "BgNbd",
    "Covariance",
    "CustomerBaseModel",
    "FitError",
    "GammaGamma",
    "MbgNbd",
    "OwnModel",
    "OwnModelSpec",
    "ParetoNbd",
    "PurchaseModel",
    "Renewals",
    "constant_rate_model",
    "fit_customer_base",
    "fit_gamma_gamma",
    "fit_purchase_model",
    "fit_quickly",
    "fit_renewals",
    "insufficient_data_reason",
    "load_model",
    "models_from_table",
    "models_to_table",
    "purchase_covariance",
    "purchase_probabilities",
    "spec_of",
    "to_xtT",
    "value_covariance",
]
