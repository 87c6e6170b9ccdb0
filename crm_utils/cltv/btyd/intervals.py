"""Intervals of expected values from uncertain parameters (delta method on log parameters)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

if TYPE_CHECKING:
    from crm_utils.cltv.btyd.fit import PurchaseModel
    from crm_utils.cltv.btyd.gamma_gamma import GammaGamma

INTERVAL_LEVEL = 0.9
# The step in a log parameter for the numerical Jacobian.
JACOBIAN_STEP = 1e-4
# exp overflows for larger exponents.
MAX_EXPONENT = 700


def confidence_interval(
    values: np.ndarray, jacobian: np.ndarray, covariance: np.ndarray, level: float = INTERVAL_LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of each expected value for uncertain parameters.

    `jacobian` has the derivatives of the log values by the log parameters, one column per parameter.
    """
    variance = np.einsum("np,pq,nq->n", jacobian, covariance, jacobian, optimize=True)
    spread = np.sqrt(np.maximum(variance, 0))
    ratio = np.exp(np.minimum(norm.ppf((1 + level) / 2) * spread, MAX_EXPONENT))
    return values / ratio, values * ratio


def jacobian(
    compute: Callable[..., np.ndarray], models: "tuple[PurchaseModel | GammaGamma, ...]", free: tuple[np.ndarray, ...]
) -> np.ndarray:
    """Return how compute(*models) changes with each log parameter.

    The result has the shape of compute(*models) with one more axis. It is 0 for fixed parameters.
    """
    base = compute(*models)
    columns = []
    for index, (model, is_free) in enumerate(zip(models, free, strict=True)):
        for name, varies in zip(model.parameters, is_free, strict=True):
            if not varies:
                columns.append(np.zeros_like(base))
                continue
            moved = replace(model, **{name: getattr(model, name) * np.exp(JACOBIAN_STEP)})
            columns.append((compute(*models[:index], moved, *models[index + 1 :]) - base) / JACOBIAN_STEP)
    return np.stack(columns, axis=-1)
