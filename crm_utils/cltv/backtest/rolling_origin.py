"""Rolling-origin backtest: make forecasts as of past dates, and compare them with what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv.backtest.candidates import (
    CANDIDATES,
    MODELS,
    OWN_ERROR,
    SEASON,
    OriginForecasts,
    forecast_candidates,
    index_of,
)
from crm_utils.cltv.backtest.combination import MAX_LOG_ERROR, combine
from crm_utils.cltv.backtest.error_ranges import HorizonError, PastErrors, judge_horizons
from crm_utils.cltv.backtest.new_customers import HALF_A_PURCHASE, NEW_CANDIDATES, NEW_KINDS, forecast_new
from crm_utils.cltv.btyd import OwnModelSpec
from crm_utils.cltv.purchase_log import PurchaseLog, Purchases, day_number, day_of
from crm_utils.cltv.seasonality import DAYS_BEFORE_LAST_YEAR, MAX_GROWTH, MAX_YEARS, YEAR_DAYS
from crm_utils.core.constants import MIN_DATA

# Tested lengths besides `holdout_days`: a month, half a year and a year.
TESTED_DAYS = (30, 182, 364)
# Days between two origins. All origins are whole steps from one Monday, so that every analysis date has the same ones.
STEP_DAYS = 28
# With more customers the origins are 13 weeks apart.
MAX_CUSTOMERS_MONTHLY = 100_000
LONG_STEP_DAYS = 91
# Origins before an analysis date that are used: three years.
MAX_ORIGINS = 39
# A forecast is corrected by its own error of a year before if there were at least 26 weeks of history then.
OWN_ERROR_HISTORY_DAYS = 182
COMBINATION = "combination"
# Another model than BG/NBD divides the forecast among customers only if it has this many times its weight.
CLEARLY_BETTER = 1.5


@dataclass(frozen=True)
class Outcome:
    """What happened within a horizon after a day.

    Parameters
    ----------
    known, new : numpy.ndarray
        Purchase days and revenue of the customers known on the day, and of all others.
    by_customer : numpy.ndarray
        Purchase days and revenue of each customer known on the day, in the order of `Purchases.summary`. Empty except
        for `holdout_days`.
    """

    known: np.ndarray
    new: np.ndarray
    by_customer: np.ndarray


@dataclass(frozen=True)
class Origin:
    """The forecasts of a day and, if a horizon is over, what happened.

    Parameters
    ----------
    day : int
        The number of the day.
    forecasts : OriginForecasts
        What the candidates say about the customers of that day.
    new : numpy.ndarray
        What the candidates say about customers who are won later (`forecast_new`).
    outcomes : list of Outcome or None
        For each horizon.
    """

    day: int
    forecasts: OriginForecasts
    new: np.ndarray
    outcomes: list[Outcome | None]

    def log_actual(self, position: int) -> np.ndarray:
        """Return the logarithms of purchase days and revenue of known customers; null if the horizon is not over."""
        outcome = self.outcomes[position]
        return np.full(2, np.nan) if outcome is None else _log_outcome(outcome.known)

    def log_actual_new(self, position: int) -> np.ndarray:
        """Return the same of the customers who were won after the day."""
        outcome = self.outcomes[position]
        return np.full(2, np.nan) if outcome is None else _log_outcome(outcome.new)


@dataclass(frozen=True)
class DayForecast:
    """The combined forecast of a day.

    Parameters
    ----------
    totals : numpy.ndarray
        Horizon × (purchase days, revenue). It never falls with the horizon.
    weights : numpy.ndarray
        Horizon × candidate, for revenue.
    new : numpy.ndarray
        Horizon × (purchase days, revenue) of customers who are won after the day; null without a candidate.
    errors, whole_errors : list of HorizonError
        How far earlier combinations were off in revenue, for each tested length: of the customers known on the day, and
        of all customers.
    """

    totals: np.ndarray
    weights: np.ndarray
    new: np.ndarray
    errors: list[HorizonError]
    whole_errors: list[HorizonError]


class Backtest:
    """All past forecasts of a report, each computed once.

    Parameters
    ----------
    log : PurchaseLog
        Orders as placed and their dated cancellations.
    analysis_date : datetime.date
        The last day that counts.
    holdout_days : int
        The length of forecasts that is tested besides a month, half a year and a year.
    with_models : bool
        Whether purchase models hold for these customers.
    regular : bool
        Whether these customers buy at equal gaps.
    model : str or OwnModelSpec, optional
        The purchase model that the parameters name. An own model is one more candidate.
    """

    def __init__(
        self,
        log: PurchaseLog,
        analysis_date: date,
        holdout_days: int = 91,
        with_models: bool = True,
        regular: bool = False,
        model: str | OwnModelSpec | None = None,
    ):
        self.log, self.with_models, self.regular, self.model = log, with_models, regular, model
        self.last_day = day_number(analysis_date)
        self.holdout_days = holdout_days
        self.horizons = sorted({*TESTED_DAYS, holdout_days})
        self.tested = self.horizons.index(holdout_days)
        self.step_days = STEP_DAYS if len(log.ids) <= MAX_CUSTOMERS_MONTHLY else LONG_STEP_DAYS
        self._first_day = int(log.day.min()) if len(log.day) else self.last_day
        self._origins: dict[int, Origin | None] = {}
        self._combined: dict[int, DayForecast] = {}

    @classmethod
    def read(
        cls,
        orders: ir.Table,
        adjustments: ir.Table,
        analysis_date: date,
        holdout_days: int = 91,
        with_models: bool = True,
        regular: bool = False,
        model: str | OwnModelSpec | None = None,
    ) -> "Backtest":
        """Read the orders of a report.

        Parameters
        ----------
        orders : ibis.Table
            Orders as placed.
        adjustments : ibis.Table
            Cancellations, with their dates. A forecast does not see those after its origin.
        analysis_date : datetime.date
            The last day that counts.
        holdout_days : int
            The length of forecasts that is tested besides a month, half a year and a year.
        with_models : bool
            Whether purchase models hold for these customers.
        regular : bool
            Whether these customers buy at equal gaps.
        model : str or OwnModelSpec, optional
            The purchase model that the parameters name (`btyd.load_model`). An own model is one more candidate.

        Returns
        -------
        Backtest
            Nothing is computed yet.
        """
        log = PurchaseLog.read(orders, adjustments)
        return cls(log, analysis_date, holdout_days, with_models, regular, model)

    def without(self, customer_id: str) -> "Backtest":
        """Return the past forecasts of all customers but one."""
        log, day = self.log.without(customer_id), day_of(self.last_day)
        return Backtest(log, day, self.holdout_days, self.with_models, self.regular, self.model)

    def origins(self, until: int) -> list[Origin]:
        """Return the origins of the tests that a forecast of a day can use, the oldest first.

        Days on which no purchase model could be fitted yet are left out, unless that is true of all.
        """
        latest = until - min(self.horizons)
        days = range(latest - latest % self.step_days, self._first_day + MIN_DATA["days"] - 2, -self.step_days)
        made = (self.origin(day) for day in reversed(days[:MAX_ORIGINS]))
        found = [origin for origin in made if origin]
        return [origin for origin in found if origin.forecasts.has_models] or found

    def origin(self, day: int) -> Origin | None:
        """Return the forecasts of a day with the outcomes that are over; None if nobody had bought."""
        if day not in self._origins:
            self._origins[day] = self._make_origin(day)
        return self._origins[day]

    @property
    def own_model(self) -> OwnModelSpec | None:
        """The analyst's own model, if the parameters name one."""
        return self.model if isinstance(self.model, OwnModelSpec) else None

    def choose_model(self) -> str | OwnModelSpec:
        """Return the purchase model that ranks customers: the one that the parameters name, or by rule.

        Returns
        -------
        str or OwnModelSpec
            By rule it is BG/NBD, unless another model has `CLEARLY_BETTER` times its weight in the combined forecast of
            `holdout_days`. The weights come from the errors of earlier forecasts.
        """
        default = next(iter(MODELS))
        made = self.forecast(self.last_day)
        if self.model or made is None:
            return self.model or default
        names = [next((model for model in MODELS if name in _forms(model)), "") for name in CANDIDATES]
        weights = pd.Series(made.weights[self.tested]).groupby(names).sum().reindex(list(MODELS), fill_value=0.0)
        best = str(weights.idxmax())
        return best if weights[best] > CLEARLY_BETTER * weights[default] else default

    def last_test(self) -> Origin | None:
        """Return the origin of the last test of `holdout_days`; None if there is none."""
        over = [origin for origin in self.origins(self.last_day) if origin.outcomes[self.tested] is not None]
        return over[-1] if over else None

    def forecast(self, day: int, horizons: Sequence[int] = ()) -> DayForecast | None:
        """Combine the candidates of a day by the errors of the tests that were over by then.

        Parameters
        ----------
        day : int
            The number of the day of the forecast. Nothing that happened later is used.
        horizons : sequence of int
            The lengths of the forecasts in days, increasing; by default the tested ones. The errors of each are those
            of the tested length that is nearest.

        Returns
        -------
        DayForecast or None
            None if nobody had bought by then.
        """
        if not horizons:
            if day not in self._combined:
                made = self.origin(day)
                if made is None:
                    return None
                self._combined[day] = self._combine(day, made.forecasts.totals, made.new, self.horizons)
            return self._combined[day]
        known = self.log.as_of(day)
        if not len(known.day):
            return None
        totals = self._candidates(known, horizons).totals
        return self._combine(day, totals, forecast_new(known, horizons), horizons)

    def bought_by(self, known: Purchases, after: int, until: int) -> float:
        """Return the revenue, as of the end of a period, from customers who had bought before it."""
        later = self.log.as_of(until)
        chosen = (later.day > after) & np.isin(later.customer, np.unique(known.customer))
        return float(later.revenue[chosen].sum())

    def last_period(self, days: int) -> tuple[float, float]:
        """Return the revenue of the last days, from customers who had bought before them and from those won since."""
        known, new = self.log.as_of(self.last_day).bought_after(self.last_day - days)
        return float(known[1]), float(new[1])

    def _candidates(self, known: Purchases, horizons: Sequence[int], ranked: int = 0) -> OriginForecasts:
        return forecast_candidates(known, horizons, ranked, self.with_models, self.regular, self.own_model)

    def _make_origin(self, day: int) -> Origin | None:
        known = self.log.as_of(day)
        if not len(known.day):
            return None
        forecasts = self._candidates(known, self.horizons, self.tested)
        ends = [day + days for days in self.horizons]
        outcomes = [self._outcome(forecasts, day, end) if end <= self.last_day else None for end in ends]
        made = Origin(day, forecasts, forecast_new(known, self.horizons), outcomes)
        self._correct_by_own_error(made)
        return made

    def _outcome(self, forecasts: OriginForecasts, day: int, end: int) -> Outcome:
        after = self.log.as_of(end)
        later = after.day > day
        counts = np.bincount(after.customer[later], minlength=len(self.log.ids))
        revenue = np.bincount(after.customer[later], after.revenue[later], minlength=len(self.log.ids))
        by_customer = np.column_stack([counts, revenue])[forecasts.customers.customer.to_numpy()]
        known = by_customer.sum(axis=0)
        kept = by_customer if end - day == self.holdout_days else by_customer[:0]
        return Outcome(known, np.array([counts.sum(), revenue.sum()]) - known, kept)

    def _correct_by_own_error(self, origin: Origin) -> None:
        """Fill the candidates that are corrected by their own mean log error in the same weeks of past years."""
        for position in range(len(self.horizons)):
            past = self._past_years(origin.day, position)
            for model in MODELS:
                corrected = origin.forecasts.totals[position, index_of(model)] * _own_error(
                    past, position, model, self.horizons[position]
                )
                origin.forecasts.totals[position, index_of(f"{model}{OWN_ERROR}")] = corrected

    def _past_years(self, day: int, position: int) -> list[Origin]:
        """The same day of past years, if its test of a length was over by the day and there was enough history."""
        found = []
        for back in range(1, MAX_YEARS + 1):
            start = day - back * YEAR_DAYS
            if start - self._first_day < OWN_ERROR_HISTORY_DAYS or start + self.horizons[position] > day:
                continue
            past = self.origin(start)
            if past is not None:
                found.append(past)
        return found

    def _combine(self, day: int, totals: np.ndarray, new: np.ndarray, horizons: Sequence[int]) -> DayForecast:
        nearest = [self._nearest(days) for days in horizons]
        if list(horizons) != self.horizons:
            for row, position in enumerate(nearest):
                years = self._past_years(day, position)
                for model in MODELS:
                    corrected = totals[row, index_of(model)] * _own_error(years, position, model, horizons[row])
                    totals[row, index_of(f"{model}{OWN_ERROR}")] = corrected
        earlier = [origin for origin in self.origins(day) if origin.day < day]
        over = [[o for o in earlier if o.day + days <= day] for days in self.horizons]
        logs, weights = np.full((len(horizons), 2), np.nan), np.zeros((len(horizons), len(CANDIDATES)))
        logs_new = np.full((len(horizons), 2), np.nan)
        season = [days >= YEAR_DAYS or self._knows_season(day) for days in horizons]
        for measure in (0, 1):
            past = [_stack([_log(o.forecasts.totals[p, :, measure]) for o in over[p]], CANDIDATES) for p in nearest]
            actual = [np.array([o.log_actual(p)[measure] for o in over[p]]) for p in nearest]
            logs[:, measure], weights = combine(_log(totals[:, :, measure]), past, actual, season)
            past = [_stack([_log(o.new[p, :, measure]) for o in over[p]], NEW_CANDIDATES) for p in nearest]
            actual = [np.array([o.log_actual_new(p)[measure] for o in over[p]]) for p in nearest]
            logs_new[:, measure], _ = combine(_log(new[:, :, measure]), past, actual, season, NEW_KINDS)
        combined = np.fmax.accumulate(np.exp(logs), axis=0)
        combined_new = np.where(np.isnan(logs_new), np.nan, np.fmax.accumulate(np.exp(logs_new), axis=0))
        combined_new[combined_new[:, 0] <= HALF_A_PURCHASE] = 0
        return DayForecast(combined, weights, combined_new, self._judge(day, over, False), self._judge(day, over, True))

    def half_width(self, errors: list[HorizonError], days: int) -> float:
        """Return half the width of the 90 % range of a length, in logs, by the errors of a `DayForecast`."""
        return errors[self._nearest(days)].half_width

    def _nearest(self, days: int) -> int:
        """The position of the tested length that is nearest."""
        return int(np.argmin(np.abs(np.log(np.array(self.horizons) / days))))

    def _knows_season(self, day: int) -> bool:
        return day - self._first_day >= YEAR_DAYS + DAYS_BEFORE_LAST_YEAR

    def _judge(self, day: int, over: list[list[Origin]], with_new: bool) -> list[HorizonError]:
        """Judge each tested length by the errors of the combined revenue at earlier origins."""
        found = []
        for position, origins in enumerate(over):
            logs = []
            for origin in origins:
                made, outcome = self.forecast(origin.day), origin.outcomes[position]
                if made is None or outcome is None:
                    continue
                total = made.totals[position, 1] + (made.new[position, 1] if with_new else 0)
                actual = outcome.known[1] + (outcome.new[1] if with_new else 0)
                logs.append(_log_outcome(np.array(actual)) - np.log(total))
            known = [self._knows_season(origin.day) for origin in origins]
            errors = np.clip(np.array(logs, float), -MAX_LOG_ERROR, MAX_LOG_ERROR)
            found.append(PastErrors(errors, np.array(known, bool)))
        return judge_horizons(found, self.horizons, self.step_days, self._knows_season(day))


def _forms(model: str) -> tuple[str, str, str]:
    """The candidates that a purchase model makes."""
    return model, f"{model}{SEASON}", f"{model}{OWN_ERROR}"


def _own_error(past: list[Origin], position: int, model: str, days: int) -> np.ndarray:
    """Mean ratio of what happened to what a model without season said, on the same days of past years.

    It is bounded by a season that has all of a year in these days, in a shop that grows by `MAX_GROWTH`.
    """
    logs = [o.log_actual(position) - _log(o.forecasts.totals[position, index_of(model)]) for o in past]
    known = [error for error in logs if np.isfinite(error).all()]
    most = MAX_GROWTH * max(YEAR_DAYS / days, 1)
    return np.clip(np.exp(np.mean(known, axis=0)), 1 / most, most) if known else np.full(2, np.nan)


def _log(values: np.ndarray) -> np.ndarray:
    """Logarithms; null for values that are not positive."""
    return np.log(np.where(values > 0, values, np.nan))


def _log_outcome(bought: np.ndarray) -> np.ndarray:
    """Logarithms; minus infinity if nothing was bought."""
    with np.errstate(divide="ignore"):
        return np.log(np.maximum(bought, 0))


def _stack(rows: list[np.ndarray], candidates: tuple[str, ...]) -> np.ndarray:
    return np.array(rows).reshape(-1, len(candidates))
