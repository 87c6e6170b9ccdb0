"""Rolling-origin backtest: make forecasts as of past dates, and compare them with what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv.backtest.candidates import (
    CANDIDATES,
    OWN_ERROR,
    OriginForecasts,
    forecast_candidates,
    index_of,
)
from crm_utils.cltv.backtest.combination import MAX_LOG_ERROR, combine
from crm_utils.cltv.backtest.error_ranges import HorizonError, PastErrors, judge_horizons
from crm_utils.cltv.btyd import MODELS
from crm_utils.cltv.purchase_log import PurchaseLog, day_number, day_of
from crm_utils.cltv.seasonality import DAYS_BEFORE_LAST_YEAR, MAX_YEARS, YEAR_DAYS
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
# The tenth of customers that a model ranks first.
TOP_SHARE = 10
COMBINATION = "combination"
COLUMNS = {
    "origin": "datetime64[us]",
    "horizon_days": int,
    "model": str,
    "customers": int,
    "purchase_days_actual": float,
    "purchase_days_predicted": float,
    "revenue_actual": float,
    "revenue_predicted": float,
    "revenue_new": float,
    "weight": float,
    "top_decile_capture": float,
    "past_spend_capture": float,
    "revenue_low": float,
    "revenue_high": float,
}


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
    history_days : int
        Days from the first purchase to the day.
    forecasts : OriginForecasts
        What the candidates say.
    outcomes : list of Outcome or None
        For each horizon.
    """

    day: int
    history_days: int
    forecasts: OriginForecasts
    outcomes: list[Outcome | None]

    def log_actual(self, position: int) -> np.ndarray:
        """Return the logarithms of purchase days and revenue of known customers; null if the horizon is not over."""
        outcome = self.outcomes[position]
        with np.errstate(divide="ignore"):
            return np.full(2, np.nan) if outcome is None else np.log(np.maximum(outcome.known, 0))


@dataclass(frozen=True)
class DayForecast:
    """The combined forecast of a day.

    Parameters
    ----------
    totals : numpy.ndarray
        Horizon × (purchase days, revenue). It never falls with the horizon.
    weights : numpy.ndarray
        Horizon × candidate, for revenue.
    errors : list of HorizonError
        How far earlier combinations were off in revenue, for each tested length.
    """

    totals: np.ndarray
    weights: np.ndarray
    errors: list[HorizonError]


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
    """

    def __init__(self, log: PurchaseLog, analysis_date: date, holdout_days: int = 91, with_models: bool = True):
        self.log, self.with_models = log, with_models
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

        Returns
        -------
        Backtest
            Nothing is computed yet.
        """
        return cls(PurchaseLog.read(orders, adjustments), analysis_date, holdout_days, with_models)

    def without(self, customer_id: str) -> "Backtest":
        """Return the past forecasts of all customers but one."""
        return Backtest(self.log.without(customer_id), day_of(self.last_day), self.holdout_days, self.with_models)

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
                self._combined[day] = self._combine(day, made.forecasts.totals, self.horizons)
            return self._combined[day]
        known = self.log.as_of(day)
        if not len(known.day):
            return None
        totals = forecast_candidates(known, horizons, with_models=self.with_models).totals
        return self._combine(day, totals, horizons)

    def tests(self) -> pd.DataFrame:
        """Return every test that is over by the analysis date: the `backtest` table.

        Returns
        -------
        pandas.DataFrame
            One row for each origin, length and model, for the customers known at the origin. Empty if at every origin
            the history is too short or has too few customers.

            * origin, horizon_days, model (`combination` or one of `CANDIDATES`), customers
            * purchase_days_actual, purchase_days_predicted, revenue_actual, revenue_predicted
            * revenue_new: from customers won after the origin; no forecast includes them
            * weight: of the candidate in the combined revenue
            * only for the combination: revenue_low and revenue_high (90 %, from the errors of earlier forecasts; null
              if there were none), and for `holdout_days` top_decile_capture (share of the actual revenue from the tenth
              of customers that the model ranked first) and past_spend_capture (the same for the tenth with the highest
              revenue so far)
        """
        rows = [
            row
            for origin in self.origins(self.last_day)
            for position, outcome in enumerate(origin.outcomes)
            if outcome is not None
            for row in self._rows(origin, position, outcome)
        ]
        table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
        order = ["horizon_days", "origin"]
        return table.sort_values(order, kind="stable", ignore_index=True)

    def _make_origin(self, day: int) -> Origin | None:
        known = self.log.as_of(day)
        if not len(known.day):
            return None
        forecasts = forecast_candidates(known, self.horizons, self.tested, self.with_models)
        ends = [day + days for days in self.horizons]
        outcomes = [self._outcome(forecasts, day, end) if end <= self.last_day else None for end in ends]
        made = Origin(day, day - int(known.day.min()), forecasts, outcomes)
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
                corrected = origin.forecasts.totals[position, index_of(model)] * _own_error(past, position, model)
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

    def _combine(self, day: int, totals: np.ndarray, horizons: Sequence[int]) -> DayForecast:
        nearest = [self._nearest(days) for days in horizons]
        if list(horizons) != self.horizons:
            for row, position in enumerate(nearest):
                years = self._past_years(day, position)
                for model in MODELS:
                    corrected = totals[row, index_of(model)] * _own_error(years, position, model)
                    totals[row, index_of(f"{model}{OWN_ERROR}")] = corrected
        earlier = [origin for origin in self.origins(day) if origin.day < day]
        over = [[o for o in earlier if o.day + days <= day] for days in self.horizons]
        logs, weights = np.full((len(horizons), 2), np.nan), np.zeros((len(horizons), len(CANDIDATES)))
        for measure in (0, 1):
            past = [_stack([_log(o.forecasts.totals[p, :, measure]) for o in over[p]]) for p in nearest]
            actual = [np.array([o.log_actual(p)[measure] for o in over[p]]) for p in nearest]
            logs[:, measure], weights = combine(_log(totals[:, :, measure]), past, actual)
        combined = np.fmax.accumulate(np.exp(logs), axis=0)
        errors = judge_horizons(self._errors(over), self.horizons, self.step_days, self._knows_season(day))
        return DayForecast(combined, weights, errors)

    def half_width(self, forecast: DayForecast, days: int) -> float:
        """Return half the width of the 90 % range of a forecast, in logs; null if no test was over by its day."""
        return forecast.errors[self._nearest(days)].half_width

    def _nearest(self, days: int) -> int:
        """The position of the tested length that is nearest."""
        return int(np.argmin(np.abs(np.log(np.array(self.horizons) / days))))

    def _knows_season(self, day: int) -> bool:
        return day - self._first_day >= YEAR_DAYS + DAYS_BEFORE_LAST_YEAR

    def _errors(self, over: list[list[Origin]]) -> list[PastErrors]:
        """For each tested length, the errors of the combined revenue at earlier origins."""
        found = []
        for position, origins in enumerate(over):
            made = [self.forecast(origin.day) for origin in origins]
            logs = [
                origin.log_actual(position)[1] - np.log(forecast.totals[position, 1])
                for origin, forecast in zip(origins, made, strict=True)
                if forecast is not None
            ]
            known = [self._knows_season(origin.day) for origin in origins]
            errors = np.clip(np.array(logs, float), -MAX_LOG_ERROR, MAX_LOG_ERROR)
            found.append(PastErrors(errors, np.array(known, bool)))
        return found

    def _rows(self, origin: Origin, position: int, outcome: Outcome) -> list[dict[str, object]]:
        combined = self.forecast(origin.day)
        if combined is None:
            return []
        shared = {
            "origin": pd.Timestamp(day_of(origin.day)),
            "horizon_days": self.horizons[position],
            "customers": len(origin.forecasts.customers),
            "purchase_days_actual": outcome.known[0],
            "revenue_actual": outcome.known[1],
            "revenue_new": round(outcome.new[1], 2),
        }
        half = combined.errors[position].half_width
        total = combined.totals[position]
        ours = {
            "model": COMBINATION,
            "purchase_days_predicted": total[0],
            "revenue_predicted": total[1],
            "weight": 1.0,
            "revenue_low": total[1] * np.exp(-half),
            "revenue_high": total[1] * np.exp(half),
        }
        if self.horizons[position] == self.holdout_days:
            ours |= _captures(origin.forecasts, outcome.by_customer[:, 1])
        rows = [shared | ours]
        for index, name in enumerate(CANDIDATES):
            predicted = origin.forecasts.totals[position, index]
            if np.isfinite(predicted).all():
                rows.append(
                    shared
                    | {
                        "model": name,
                        "purchase_days_predicted": predicted[0],
                        "revenue_predicted": predicted[1],
                        "weight": combined.weights[position, index],
                    }
                )
        return rows


def _own_error(past: list[Origin], position: int, model: str) -> np.ndarray:
    """Mean ratio of what happened to what a model without season said, on the same days of past years."""
    logs = [o.log_actual(position) - _log(o.forecasts.totals[position, index_of(model)]) for o in past]
    known = [error for error in logs if np.isfinite(error).all()]
    return np.exp(np.mean(known, axis=0)) if known else np.full(2, np.nan)


def _captures(forecasts: OriginForecasts, revenue: np.ndarray) -> dict[str, float]:
    customers = forecasts.customers
    spent = customers.mean_purchase_value * (customers.repeat_purchase_days + 1)
    return {
        "top_decile_capture": _top_decile_share(revenue, forecasts.expected[:, 1]),
        "past_spend_capture": _top_decile_share(revenue, spent.to_numpy()),
    }


def _top_decile_share(revenue: np.ndarray, rank_by: np.ndarray) -> float:
    """Share of revenue from the tenth of customers ranked first."""
    best = np.argsort(-rank_by, kind="stable")[: max(len(revenue) // TOP_SHARE, 1)]
    return revenue[best].sum() / revenue.sum() if revenue.sum() else float("nan")


def _log(values: np.ndarray) -> np.ndarray:
    """Logarithms; null for values that are not positive."""
    return np.log(np.where(values > 0, values, np.nan))


def _stack(rows: list[np.ndarray]) -> np.ndarray:
    return np.array(rows).reshape(-1, len(CANDIDATES))
