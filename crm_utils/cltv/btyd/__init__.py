"""Buy-till-you-die models behind one door: how often customers will buy, what a purchase is worth, and how sure that is."""

from crm_utils.cltv.btyd.bg_nbd import BgNbd, MbgNbd
from crm_utils.cltv.btyd.customer_base import Models, fit_models
from crm_utils.cltv.btyd.fit import KINDS, PurchaseModel, fit, kind_of, pooled, purchase_covariance, too_thin
from crm_utils.cltv.btyd.gamma_gamma import GammaGamma, fit_gamma_gamma, value_covariance
from crm_utils.cltv.btyd.intervals import PastError, past_error
from crm_utils.cltv.btyd.max_likelihood import Covariance
from crm_utils.cltv.btyd.pareto_nbd import ParetoNbd
from crm_utils.cltv.btyd.serialization import from_table, purchase_probabilities, table
from crm_utils.core.errors import FitError

__all__ = [
    "KINDS",
    "BgNbd",
    "Covariance",
    "FitError",
    "GammaGamma",
    "MbgNbd",
    "Models",
    "ParetoNbd",
    "PastError",
    "PurchaseModel",
    "fit",
    "fit_gamma_gamma",
    "fit_models",
    "from_table",
    "kind_of",
    "past_error",
    "pooled",
    "purchase_covariance",
    "purchase_probabilities",
    "table",
    "too_thin",
    "value_covariance",
]
