"""Fitting the purchase models, and saying what the history cannot tell."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from crm_utils.cleaning.minimum_data import unmet_requirements
from crm_utils.cltv.btyd import bg_nbd, max_likelihood, pareto_nbd
from crm_utils.cltv.btyd.bg_nbd import BgNbd, MbgNbd
from crm_utils.cltv.btyd.max_likelihood import Covariance
from crm_utils.cltv.btyd.pareto_nbd import ParetoNbd
from crm_utils.core.errors import FitError

MIN_LOGLIK_GAIN = (
    1.35  # log-likelihood a dropout must add to be believed: half the 90 % point of χ² with one degree of freedom
)
CONSTANT_RATE_R = 1e4  # rates this alike are one rate

PurchaseModel = BgNbd | MbgNbd | ParetoNbd


@dataclass(frozen=True)
class ModelSpec:
    """What a purchase model is made of: its class, its likelihood, and where the search may start and go."""

    model: type
    likelihood: Callable
    starts: Callable[[float], list[tuple]]
    last_bounds: tuple[tuple[float, float], tuple[float, float]]


def _dropout_starts(unit: float) -> list[tuple]:
    return [(0.5, unit / 2, 0.8, 2.5), (1, unit, 0.2, 4), (0.25, unit / 8, 1, 1)]


def _lifetime_starts(unit: float) -> list[tuple]:
    return [(0.5, unit / 2, 0.6, unit / 2), (1, unit, 0.2, 4 * unit)]


MODELS = {
    "bg_nbd": ModelSpec(BgNbd, bg_nbd.log_likelihood, _dropout_starts, ((-10, 8), (-8, 10))),
    "mbg_nbd": ModelSpec(MbgNbd, bg_nbd.mbg_log_likelihood, _dropout_starts, ((-10, 8), (-8, 10))),
    "pareto_nbd": ModelSpec(ParetoNbd, pareto_nbd.log_likelihood, _lifetime_starts, ((-10, 5), (-8, 12))),
}


def spec_of(model: PurchaseModel) -> str:
    """The name in `KINDS` of a purchase model's kind."""
    return next(name for name, kind in MODELS.items() if kind.model is type(model))


def fit(kind: str, x: pd.Series, t_x: pd.Series, T: pd.Series) -> PurchaseModel:
    """Model `kind` (bg_nbd, mbg_nbd or pareto_nbd) at maximum likelihood over all customers, one-time buyers included.

    Its note says where dropout is not identified: where a model without any fits as well.
    Raises `FitError` where nobody bought again or the history is not one.
    """
    chosen = MODELS[kind]
    columns, weights = bg_nbd.rows(*_checked(x, t_x, T))
    unit = max(float(np.average(columns[2], weights=weights)), 1e-9)
    first = [(-8, 9.5), (np.log(unit) - 10, np.log(unit) + 10)]
    last = [(low + _scale(kind, unit), high + _scale(kind, unit)) for low, high in chosen.last_bounds[1:]]
    bounds = [*first, chosen.last_bounds[0], *last]
    theta, value = max_likelihood.fit_mle(chosen.likelihood, columns, weights, chosen.starts(unit), bounds)
    without, simpler = max_likelihood.fit_mle(
        bg_nbd.nbd_log_likelihood, columns, weights, [theta[:2], (0.5, unit / 2)], bounds[:2]
    )
    fixed = max_likelihood.at_bound(theta, bounds)
    notes = []
    if value - simpler < MIN_LOGLIK_GAIN:
        fixed[2:] = True
        notes.append(_not_identified(simpler, value))
    elif fixed[2:].any():
        notes.append("how much dropout differs between customers is not identified in this history")
    if fixed[:2].any():
        notes.append("customers buy at rates too alike, or too few buy again, to tell their rates apart")
    names = tuple(np.array(chosen.model.parameters)[fixed].tolist())
    return chosen.model(*theta.tolist(), value, "; ".join(notes), names)


def purchase_covariance(model: PurchaseModel, x: pd.Series, t_x: pd.Series, T: pd.Series) -> Covariance:
    """Of the log parameters of a fitted model, on the customers it was fitted to.

    Where r or α ended on a bound the data tell only their ratio, and so with the two parameters of dropout: the partner
    of one on its bound moves with the forecast, but has no standard error of its own.
    """
    likelihood = MODELS[spec_of(model)].likelihood
    columns, weights = bg_nbd.rows(*_checked(x, t_x, T))
    free = np.array([name not in model.fixed for name in model.parameters])
    theta = [getattr(model, name) for name in model.parameters]
    found = max_likelihood.covariance(likelihood, columns, weights, theta, free)
    return replace(found, identified=free.reshape(2, 2).all(axis=1).repeat(2))


def constant_rate_model(x: pd.Series, T: pd.Series, reason: str) -> BgNbd:
    """No model: every customer keeps the average rate of all, (Σx + ½) ÷ (ΣT + 365 days), and nobody drops out. The note says why."""
    rate = (np.sum(x) + 0.5) / (np.sum(T) + 365)
    note = f"no model: {reason}; the forecast is the average rate of all customers"
    return BgNbd(CONSTANT_RATE_R, CONSTANT_RATE_R / rate, np.exp(-10), 1, note=note, fixed=BgNbd.parameters)


def insufficient_data_reason(x: pd.Series, T: pd.Series) -> str:
    """Why these customers are too few, or their history too short, for a model; empty where they are not."""
    days = int(np.max(T)) + 1 if len(T) else 0
    found = {"customers": len(x), "repeat_buyers": int((np.asarray(x) > 0).sum()), "days": days}
    return "; ".join(unmet_requirements(found))


def _not_identified(simpler: float, value: float) -> str:
    return (
        "dropout is not identified in this history, because a model without any fits as well "
        f"(log-likelihood {simpler:,.2f} without, {value:,.2f} with): the forecast assumes next to none"
    )


def _scale(kind: str, unit: float) -> float:
    return np.log(unit) if kind == "pareto_nbd" else 0.0  # beta is a time, b is none


def _checked(x: pd.Series, t_x: pd.Series, T: pd.Series) -> tuple[np.ndarray, ...]:
    x, t_x, T = (np.asarray(values, float) for values in (x, t_x, T))
    bad = ~(np.isfinite(x + t_x + T) & (x >= 0) & (t_x >= 0) & (t_x <= T))
    if bad.any():
        raise FitError(f"{bad.sum():,} of {len(x):,} customers have no valid history: it takes 0 ≤ x and 0 ≤ t_x ≤ T")
    if not (x > 0).any():
        raise FitError(f"none of the {len(x):,} customers bought on a second day: a purchase model needs repeat buyers")
    return x, t_x, T
