"""Fit purchase models by maximum likelihood, and note which parameters the history does not identify.

Every parameter is positive and searched on a log scale within bounds, from several starts, over distinct histories with
weights. A likelihood takes the parameters and returns, for each row, its logarithm and the gradient (one row a
parameter).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import OptimizeResult, minimize

from crm_utils.cleaning.data_quality import unmet_requirements
from crm_utils.cltv.btyd import bg_nbd, pareto_nbd
from crm_utils.cltv.btyd.bg_nbd import BgNbd, MbgNbd
from crm_utils.cltv.btyd.own_model import FittedOwnModel, OwnModelSpec
from crm_utils.cltv.btyd.pareto_nbd import ParetoNbd
from crm_utils.cltv.btyd.renewals import Renewals, fit_renewals
from crm_utils.core.errors import FitError

# Dropout is identified if it adds this much log-likelihood: half the 90 % point of χ² with one degree of freedom.
MIN_LOGLIK_GAIN = 1.35
# With this shape, all customers have practically the same rate.
CONSTANT_RATE_R = 1e4
# The prior of the average rate: half a purchase in a year.
PRIOR_PURCHASES = 0.5
PRIOR_DAYS = 365
# The best start is chosen on a subsample of this many rows.
SUBSAMPLE_ROWS = 2_000
# Tolerances of the search from each start, and of the search on all rows from the best one.
ROUGH_SEARCH = {"ftol": 1e-5, "gtol": 1e-4}
FINE_SEARCH = {"ftol": 1e-14, "gtol": 1e-9}
QUICK_SEARCH = {"ftol": 1e-9, "gtol": 1e-6}
# The step in a log parameter for the numerical Hessian.
HESSIAN_STEP = 1e-4
# The name of the model of customers who buy at equal gaps, which is not fitted by likelihood.
RENEWALS = "renewals"
# A log parameter this close to a bound counts as being on it.
AT_BOUND_TOLERANCE = 1e-4
# Directions whose curvature is below this share of the largest are flat.
FLAT_BELOW = 1e-9

Likelihood = Callable[..., tuple[np.ndarray, np.ndarray]]
PurchaseModel = BgNbd | ParetoNbd | Renewals | FittedOwnModel
Starts = list[tuple[float, ...]]
Bounds = list[tuple[float, float]]


@dataclass(frozen=True)
class ModelSpec:
    """A purchase model: its class, its likelihood, and the starts and bounds of the search."""

    model: type[BgNbd] | type[ParetoNbd]
    likelihood: Likelihood
    starts: Callable[[float], Starts]
    last_bounds: tuple[tuple[float, float], tuple[float, float]]


def _dropout_starts(unit: float) -> Starts:
    return [(0.5, unit / 2, 0.8, 2.5), (1, unit, 0.2, 4), (0.25, unit / 8, 1, 1)]


def _lifetime_starts(unit: float) -> Starts:
    return [(0.5, unit / 2, 0.6, unit / 2), (1, unit, 0.2, 4 * unit)]


MODELS = {
    "bg_nbd": ModelSpec(BgNbd, bg_nbd.log_likelihood, _dropout_starts, ((-10, 8), (-8, 10))),
    "mbg_nbd": ModelSpec(MbgNbd, bg_nbd.mbg_log_likelihood, _dropout_starts, ((-10, 8), (-8, 10))),
    "pareto_nbd": ModelSpec(ParetoNbd, pareto_nbd.log_likelihood, _lifetime_starts, ((-10, 5), (-8, 12))),
}


@dataclass(frozen=True)
class Covariance:
    """Covariance of the log parameters at the optimum. White (1982), Econometrica 50(1).

    Parameters
    ----------
    hessian : numpy.ndarray
        H⁻¹, which is valid if the model is true. Rows and columns of fixed parameters are 0, here and in `sandwich`.
    sandwich : numpy.ndarray
        H⁻¹JH⁻¹, which is also valid if the model is only approximately true.
    free : numpy.ndarray
        Which parameters were not fixed.
    identified : numpy.ndarray
        Which parameters the data identify on their own, and not only in proportion to a fixed one.
    """

    hessian: np.ndarray
    sandwich: np.ndarray
    free: np.ndarray
    identified: np.ndarray

    def standard_errors(self, theta: ArrayLike, estimator: str = "sandwich") -> np.ndarray:
        """Return the standard errors of the parameters themselves (delta method); nan if not identified."""
        spread = np.sqrt(np.diag(getattr(self, estimator)))
        return np.where(self.identified, np.asarray(theta) * spread, np.nan)


def to_xtT(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return x, t_x and T of the customers, the input of the models (columns of `forecast.rfm_summary`)."""
    x = customers["repeat_purchase_days"].to_numpy(float)
    t_x = customers["last_purchase_age_days"].to_numpy(float)
    T = customers["customer_age_days"].to_numpy(float)
    return x, t_x, T


def spec_of(model: PurchaseModel) -> str | OwnModelSpec:
    """Return what a purchase model of this kind is fitted by.

    Parameters
    ----------
    model : BgNbd, MbgNbd, ParetoNbd, Renewals or FittedOwnModel
        A fitted purchase model.

    Returns
    -------
    str or OwnModelSpec
        bg_nbd, mbg_nbd, pareto_nbd or renewals, or the class of an own model.
    """
    if isinstance(model, FittedOwnModel):
        return model.spec
    if isinstance(model, Renewals):
        return RENEWALS
    return next(key for key, spec in MODELS.items() if spec.model is type(model))


def fit_purchase_model(key: str | OwnModelSpec, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> PurchaseModel:
    """Fit a purchase model by maximum likelihood to all customers, including one-time buyers.

    Parameters
    ----------
    key : str or OwnModelSpec
        bg_nbd, mbg_nbd, pareto_nbd or renewals, or the class of an own model.
    x, t_x, T : array-like of float
        Repeat purchase days, age at the last of them and age today, in one time unit.

    Returns
    -------
    BgNbd, MbgNbd, ParetoNbd, Renewals or FittedOwnModel
        Its note says if dropout is not identified, that is, if a model without dropout fits equally well.

    Raises
    ------
    FitError
        If nobody bought again, or a history is not valid.
    OwnCodeError
        If an own model fails.
    """
    if isinstance(key, OwnModelSpec):
        return key.fit(*_checked(x, t_x, T))
    if key == RENEWALS:
        return fit_renewals(x, t_x, T)
    spec = MODELS[key]
    rows, weights = bg_nbd.distinct_histories(*_checked(x, t_x, T))
    unit = max(float(np.average(rows[2], weights=weights)), 1e-9)
    bounds = _bounds(spec, unit)
    theta, value = fit_mle(spec.likelihood, rows, weights, spec.starts(unit), bounds)
    starts: Starts = [tuple(theta[:2]), (0.5, unit / 2)]
    _, without_dropout = fit_mle(bg_nbd.nbd_log_likelihood, rows, weights, starts, bounds[:2])
    bound = on_bound(theta, bounds)
    notes = []
    if value - without_dropout < MIN_LOGLIK_GAIN:
        bound[2:] = True
        notes.append(_not_identified(without_dropout, value))
    elif bound[2:].any():
        notes.append("how much dropout differs between customers is not identified in this history")
    if bound[:2].any():
        notes.append("differences between customers' purchase rates are too small, or too few customers bought again")
    names = tuple(np.array(spec.model.parameters)[bound].tolist())
    first, second, third, fourth = theta.tolist()
    return spec.model(first, second, third, fourth, log_likelihood=value, note="; ".join(notes), at_bound=names)


def fit_quickly(key: str | OwnModelSpec, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> PurchaseModel:
    """Fit a purchase model for forecasts of totals only.

    The search stops earlier than that of `fit_purchase_model`, and nothing is said about identification.
    """
    if isinstance(key, OwnModelSpec):
        return key.fit(*_checked(x, t_x, T))
    spec = MODELS[key]
    rows, weights = bg_nbd.distinct_histories(*_checked(x, t_x, T))
    unit = max(float(np.average(rows[2], weights=weights)), 1e-9)
    theta, value = fit_mle(spec.likelihood, rows, weights, spec.starts(unit), _bounds(spec, unit), QUICK_SEARCH)
    first, second, third, fourth = theta.tolist()
    return spec.model(first, second, third, fourth, log_likelihood=value)


def purchase_covariance(model: PurchaseModel, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Covariance | None:
    """Return the covariance of the log parameters of a fitted model, on the customers it was fitted to.

    It is None for an own model, whose parameters are not known.

    If r or α ended on a bound, the data identify only their ratio. The same is true for the two parameters of dropout.
    The other parameter of the pair affects the forecast, but has no standard error of its own.
    """
    spec = spec_of(model)
    if isinstance(spec, OwnModelSpec):
        return None
    likelihood = MODELS[spec].likelihood
    rows, weights = bg_nbd.distinct_histories(*_checked(x, t_x, T))
    free = np.array([name not in model.at_bound for name in model.parameters])
    theta = [getattr(model, name) for name in model.parameters]
    covariance = covariance_at(likelihood, rows, weights, theta, free)
    return replace(covariance, identified=free.reshape(2, 2).all(axis=1).repeat(2))


def constant_rate_model(x: np.ndarray, T: np.ndarray, reason: str) -> BgNbd:
    """Return the fallback without a fit: every customer buys at the average rate of all, and nobody drops out.

    The rate is (Σx + ½) ÷ (ΣT + 365 days). The note says why nothing was fitted.
    """
    rate = (np.sum(x) + PRIOR_PURCHASES) / (np.sum(T) + PRIOR_DAYS)
    note = f"no model: {reason}; the forecast is the average rate of all customers"
    return BgNbd(CONSTANT_RATE_R, CONSTANT_RATE_R / rate, np.exp(-10), 1, note=note, at_bound=BgNbd.parameters)


def insufficient_data_reason(x: ArrayLike, T: ArrayLike) -> str:
    """Return why the data are insufficient for a model; empty if they are sufficient."""
    ages = np.asarray(T)
    repeat_buyers = int((np.asarray(x) > 0).sum())
    days = int(np.max(ages)) + 1 if len(ages) else 0
    return "; ".join(unmet_requirements(len(ages), repeat_buyers, days))


def fit_mle(
    likelihood: Likelihood,
    rows: tuple[np.ndarray, ...],
    weights: np.ndarray,
    starts: Starts,
    bounds: Bounds,
    last_search: dict[str, float] = FINE_SEARCH,
) -> tuple[np.ndarray, float]:
    """Return the parameters of the highest weighted log-likelihood, and its value.

    `rows` are the data arguments of the likelihood, one array each. `bounds` are bounds of the log parameters,
    `last_search` the tolerances of the search on all rows. Raises `FitError` if the likelihood is not finite at any
    start.
    """
    low, high = np.transpose(bounds)
    thin = slice(None, None, len(weights) // SUBSAMPLE_ROWS + 1)
    few_rows = tuple(row[thin] for row in rows)
    tried = [
        _search(likelihood, few_rows, weights[thin], np.clip(np.log(start), low, high), bounds, ROUGH_SEARCH)
        for start in starts
    ]
    first = min((found for found in tried if np.isfinite(found.fun)), key=lambda found: found.fun, default=None)
    best = None if first is None else _search(likelihood, rows, weights, first.x, bounds, last_search)
    if best is None or not np.isfinite(best.fun):
        raise FitError("the likelihood is not finite at any start: check the ages and counts for missing values")
    return np.exp(best.x), float(-best.fun * weights.sum())


def covariance_at(
    likelihood: Likelihood, rows: tuple[np.ndarray, ...], weights: np.ndarray, theta: ArrayLike, free: np.ndarray
) -> Covariance:
    """Return the covariance of the log parameters at `theta`; only those that are `free` vary."""
    theta = np.asarray(theta, float)
    free = np.asarray(free, bool)

    def scores(shift: np.ndarray) -> np.ndarray:
        moved = theta * np.exp(shift)
        return likelihood(*moved, *rows)[1][free] * moved[free, None]

    shifts = HESSIAN_STEP * np.eye(len(theta))[free]
    hessian = np.array([(scores(-shift) - scores(shift)) @ weights for shift in shifts]) / (2 * HESSIAN_STEP)
    at_optimum = scores(np.zeros(len(theta)))
    inverse = _inverse((hessian + hessian.T) / 2)
    sandwich = inverse @ ((at_optimum * weights) @ at_optimum.T) @ inverse
    return Covariance(_pad_fixed(inverse, free), _pad_fixed(sandwich, free), free, identified=free)


def on_bound(theta: np.ndarray, bounds: Bounds) -> np.ndarray:
    """Return which parameters ended on a bound, so that the data do not identify them."""
    low, high = np.transpose(bounds)
    return (np.log(theta) < low + AT_BOUND_TOLERANCE) | (np.log(theta) > high - AT_BOUND_TOLERANCE)


def _bounds(spec: ModelSpec, unit: float) -> Bounds:
    """Bounds of the log parameters; `unit` is the mean age of customers."""
    around_unit = (np.log(unit) - 10, np.log(unit) + 10)
    third, (low, high) = spec.last_bounds
    # Pareto/NBD's beta is a time, so its bounds move with the time unit; b is a number.
    scale = np.log(unit) if spec.model is ParetoNbd else 0.0
    return [(-8, 9.5), around_unit, third, (low + scale, high + scale)]


def _not_identified(without_dropout: float, value: float) -> str:
    return (
        "dropout is not identified in this history, because a model without dropout fits equally well "
        f"(log-likelihood {without_dropout:,.2f} without, {value:,.2f} with). The forecast assumes almost no dropout"
    )


def _checked(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
    bad = ~(np.isfinite(x + t_x + T) & (x >= 0) & (t_x >= 0) & (t_x <= T))
    if bad.any():
        raise FitError(f"{bad.sum():,} of {len(x):,} customers have no valid history: 0 ≤ x and 0 ≤ t_x ≤ T are needed")
    if not (x > 0).any():
        raise FitError(f"none of the {len(x):,} customers bought on a second day: a purchase model needs repeat buyers")
    return x, t_x, T


def _search(
    likelihood: Likelihood,
    rows: tuple[np.ndarray, ...],
    weights: np.ndarray,
    start: np.ndarray,
    bounds: Bounds,
    options: dict[str, float],
) -> OptimizeResult:
    total = weights.sum()

    def loss(log_theta: np.ndarray) -> tuple[float, np.ndarray]:
        theta = np.exp(log_theta)
        value, gradient = likelihood(*theta, *rows)
        return -(weights @ value) / total, -(gradient @ weights) * theta / total

    return minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B", options=options)


def _inverse(hessian: np.ndarray) -> np.ndarray:
    """Inverse of a symmetric matrix without the directions in which the likelihood is flat.

    Forecasts do not depend on these directions.
    """
    values, vectors = np.linalg.eigh(hessian)
    known = values > FLAT_BELOW * max(values.max(initial=0), 1e-300)
    return (vectors[:, known] / values[known]) @ vectors[:, known].T


def _pad_fixed(matrix: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The matrix of free parameters with rows and columns of 0 for the fixed ones."""
    full = np.zeros((len(free), len(free)))
    full[np.ix_(free, free)] = matrix
    return full
