"""The forecasts of a day that are combined: purchase models with and without season, and simple rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crm_utils.cltv import btyd
from crm_utils.cltv.purchase_log import DailySums, Purchases
from crm_utils.cltv.seasonality import DAYS_BEFORE_LAST_YEAR, MAX_GROWTH, YEAR_DAYS, log_season

SEASON, OWN_ERROR = "_season", "_own_error"
LAST_PERIOD, LAST_YEAR, LAST_YEAR_GROWN = "same_as_last_period", "same_period_last_year", "last_year_with_growth"
PAST_RATE, RETENTION = "past_average_rate", "retention_rule"
RULES = (RETENTION, LAST_YEAR, LAST_YEAR_GROWN, LAST_PERIOD, PAST_RATE)
# Only for customers who buy at equal gaps.
RENEWALS = "renewals_and_churn"
# The model of an analyst (`btyd.OwnModel`). Without one its forecasts are null, as are all that cannot be made.
OWN_MODEL = "own_model"
MODELS = (*btyd.MODELS, OWN_MODEL)
CANDIDATES = (
    *MODELS,
    *(f"{model}{SEASON}" for model in MODELS),
    *(f"{model}{OWN_ERROR}" for model in MODELS),
    *RULES,
    RENEWALS,
)
# In the first days of a history too few customers are known to compare a period with.
FIRST_DAYS = 13
# With more customers only the first model is fitted, because the others take longer.
MAX_CUSTOMERS = 100_000
# Models of past days are fitted to at most this many customers, evenly chosen. Forecasts are made for all.
FIT_CUSTOMERS = 50_000


@dataclass(frozen=True)
class OriginForecasts:
    """The candidates' forecasts of one day for all horizons.

    Parameters
    ----------
    totals : numpy.ndarray
        Horizon × candidate (`CANDIDATES`) × (purchase days, revenue); null if a candidate cannot be made. Forecasts
        corrected by their own error are null, because they need the tests of earlier days.
    customers : pandas.DataFrame
        `Purchases.summary`.
    expected : numpy.ndarray
        Each customer's expected purchase days and revenue in the ranked horizon by the first model, without season, or
        by renewals and churn; the past ones if there is neither.
    """

    totals: np.ndarray
    customers: pd.DataFrame
    expected: np.ndarray

    @property
    def has_models(self) -> bool:
        """Whether a purchase model could be fitted."""
        return bool(np.isfinite(self.totals[:, 0]).any())


def index_of(candidate: str) -> int:
    """Return the position of a candidate in `CANDIDATES`."""
    return CANDIDATES.index(candidate)


def forecast_candidates(
    known: Purchases,
    horizons: Sequence[int],
    ranked: int = 0,
    with_models: bool = True,
    regular: bool = False,
    own: btyd.OwnModelSpec | None = None,
) -> OriginForecasts:
    """Make the forecasts of a day from what was known then.

    Parameters
    ----------
    known : Purchases
        The purchases as of the day; one at least.
    horizons : sequence of int
        The lengths of the forecasts in days.
    ranked : int
        The position of the horizon for which customers are ranked.
    with_models : bool
        Whether purchase models hold for these customers. They are also left out if the data are not enough.
    regular : bool
        Whether these customers buy at equal gaps, so that they can be forecast by renewals and churn.
    own : OwnModelSpec, optional
        A model of the analyst. It ranks customers instead of the first model.

    Returns
    -------
    OriginForecasts
        The candidates that can be made.
    """
    customers = known.summary()
    sums = DailySums(known)
    totals = np.full((len(horizons), len(CANDIDATES), 2), np.nan)
    spent = customers.mean_purchase_value * (customers.repeat_purchase_days + 1)
    expected = np.column_stack([customers.repeat_purchase_days + 1, spent])
    if with_models and not btyd.insufficient_data_reason(customers.repeat_purchase_days, customers.customer_age_days):
        expected = _add_models(totals, customers, sums, horizons, ranked, own)
    elif regular:
        expected = _add_renewals(totals, customers, horizons, ranked)
    old = DailySums(known, known.first_days() <= known.as_of - YEAR_DAYS)
    for position, days in enumerate(horizons):
        for rule, total in _rules(known, days, sums, old, customers).items():
            totals[position, index_of(rule)] = total
    return OriginForecasts(np.where(totals > 0, totals, np.nan), customers, expected)


def _add_models(
    totals: np.ndarray,
    customers: pd.DataFrame,
    sums: DailySums,
    horizons: Sequence[int],
    ranked: int,
    own: btyd.OwnModelSpec | None,
) -> np.ndarray:
    """Fill the totals of the purchase models; return each customer's forecast by the own model, or the first one."""
    seasons = np.exp([log_season(sums, sums.last, days) for days in horizons])
    value = _expected_value(customers)
    expected = np.zeros((len(customers), 2))
    first, *others = btyd.MODELS
    names = [first] if len(customers) > MAX_CUSTOMERS else [first, *others]
    fitted: dict[str, str | btyd.OwnModelSpec] = {model: model for model in names}
    if own:
        fitted[OWN_MODEL] = own
    for model, spec in fitted.items():
        purchases = _fit(spec, customers).expected_purchases(*btyd.to_xtT(customers), np.asarray(horizons, float))
        plain = np.column_stack([purchases.sum(axis=0), value @ purchases])
        totals[:, index_of(model)] = plain
        totals[:, index_of(f"{model}{SEASON}")] = plain * seasons
        if model in (first, OWN_MODEL):
            expected = np.column_stack([purchases[:, ranked], purchases[:, ranked] * value])
    return expected


def _add_renewals(totals: np.ndarray, customers: pd.DataFrame, horizons: Sequence[int], ranked: int) -> np.ndarray:
    """Fill the totals of renewals and churn; return each customer's forecast by them."""
    x, t_x, T = btyd.to_xtT(customers)
    purchases = btyd.fit_renewals(x, t_x, T).expected_purchases(x, t_x, T, np.asarray(horizons, float))
    value = customers.mean_purchase_value.to_numpy()
    totals[:, index_of(RENEWALS)] = np.column_stack([purchases.sum(axis=0), value @ purchases])
    return np.column_stack([purchases[:, ranked], purchases[:, ranked] * value])


def _rules(
    known: Purchases, days: int, sums: DailySums, old: DailySums, customers: pd.DataFrame
) -> dict[str, np.ndarray | float]:
    """Purchase days and revenue by each simple rule; `old` are the sums of customers known a year ago."""
    origin = known.as_of
    year_ago = origin - max(YEAR_DAYS, days)
    quarter_then = sums.sum_between(year_ago - DAYS_BEFORE_LAST_YEAR, year_ago)
    quarter = sums.sum_between(origin - DAYS_BEFORE_LAST_YEAR, origin)
    same = sums.sum_between(year_ago, year_ago + days)
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.clip(quarter / quarter_then, 1 / MAX_GROWTH, MAX_GROWTH)
        retained = old.sum_between(year_ago, year_ago + days) * quarter / quarter_then
    x, _, T = btyd.to_xtT(customers)
    rate = x / np.maximum(T, 1) * days
    return {
        RETENTION: retained,
        LAST_YEAR: same,
        LAST_YEAR_GROWN: same * growth,
        LAST_PERIOD: _last_period(known, days),
        PAST_RATE: np.array([rate.sum(), rate @ customers.mean_purchase_value.to_numpy()]),
    }


def _last_period(known: Purchases, days: int) -> np.ndarray:
    """What the customers who were known before the last days bought in them; null in the first days of a history."""
    start = known.as_of - days
    if start < known.day.min() + FIRST_DAYS:
        return np.full(2, np.nan)
    bought, _ = known.bought_after(start)
    return bought


def _fit(model: str | btyd.OwnModelSpec, customers: pd.DataFrame) -> btyd.PurchaseModel:
    return btyd.fit_quickly(model, *btyd.to_xtT(_few(customers)))


def _expected_value(customers: pd.DataFrame) -> np.ndarray:
    few = _few(customers)
    fitted = btyd.fit_gamma_gamma(few.repeat_purchase_days + 1, few.mean_purchase_value)
    return fitted.expected_value(
        customers.repeat_purchase_days.to_numpy() + 1, customers.mean_purchase_value.to_numpy()
    )


def _few(customers: pd.DataFrame) -> pd.DataFrame:
    return customers.iloc[:: -(-len(customers) // FIT_CUSTOMERS)]
