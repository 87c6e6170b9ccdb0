"""The forecast of a date as it is published: how far it reaches, what it combines, and what one account adds."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
import pandas as pd

from crm_utils.cleaning.data_quality import is_large_account
from crm_utils.cltv import btyd
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest import Backtest, DayForecast
from crm_utils.cltv.backtest.candidates import CANDIDATES, SEASON
from crm_utils.cltv.forecast import (
    HORIZONS,
    days_back,
    forecast_customers,
    forecast_totals,
    horizons_within,
    scale_to_totals,
)
from crm_utils.cltv.purchase_log import day_of
from crm_utils.cltv.seasonality import YEAR_DAYS

WHOLE_COLUMNS = [
    "months",
    "horizon_days",
    "revenue_known",
    "revenue_new",
    "revenue",
    "revenue_low",
    "revenue_high",
    "revenue_known_before",
    "revenue_new_before",
    "revenue_before",
]


@dataclass(frozen=True)
class LargeAccount:
    """A customer who brought a large share of revenue.

    Parameters
    ----------
    customer_id : str
        The customer.
    revenue_share : float
        Share of all revenue so far.
    totals : pandas.DataFrame
        The forecast without this customer (see `forecast_totals`).
    """

    customer_id: str
    revenue_share: float
    totals: pd.DataFrame


@dataclass(frozen=True)
class Outlook:
    """The forecast of a date.

    Parameters
    ----------
    totals : pandas.DataFrame
        The `forecast` table (see `forecast_totals`), without the horizons that are longer than the history.
    customers : pandas.DataFrame
        Each customer's forecast; they add up to the totals.
    factors : pandas.DataFrame
        By what the model's forecasts were multiplied (see `scale_to_totals`).
    weights : pandas.Series
        The weight of each candidate in the longest forecast of revenue.
    tested : bool
        Whether any past forecast could be tested.
    whole : pandas.DataFrame
        What known and new customers together will bring (see `forecast_whole`).
    large_account : LargeAccount, optional
        Given if one customer brought a large share of revenue.
    """

    totals: pd.DataFrame
    customers: pd.DataFrame
    factors: pd.DataFrame
    weights: pd.Series
    tested: bool
    whole: pd.DataFrame
    large_account: LargeAccount | None = None

    def limit_months(self, assumptions: ClvAssumptions) -> ClvAssumptions:
        """Return the assumptions with a horizon that is no longer than the history.

        Parameters
        ----------
        assumptions : ClvAssumptions
            The assumptions of the report.

        Returns
        -------
        ClvAssumptions
            Unchanged if there is a forecast of 12 months.
        """
        longest = max(self.totals.months.max(), 1) if len(self.totals) else 1
        months = assumptions.months if longest == max(HORIZONS) else min(assumptions.months, longest)
        return replace(assumptions, months=int(months))


def make_outlook(
    past: Backtest,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    models: btyd.CustomerBaseModel,
    analysis_date: date,
    model: str | btyd.OwnModelSpec = "bg_nbd",
) -> Outlook:
    """Forecast what each customer, each segment and all customers will bring, as far as the history allows.

    Parameters
    ----------
    past : Backtest
        The past forecasts.
    customers : pandas.DataFrame
        `rfm_summary` of the orders as known on the analysis date.
    segments : pandas.DataFrame
        customer_id and segment.
    models : CustomerBaseModel
        The fitted models.
    analysis_date : datetime.date
        The day the forecast is made.
    model : str or OwnModelSpec
        The purchase model, fitted again without a large account (`Backtest.choose_model`).

    Returns
    -------
    Outlook
        The forecast, how far it may be off, and what it rests on.
    """
    made = _make(past, customers, segments, models, analysis_date)
    account = _find_large_account(customers)
    if not account:
        return made
    rest = customers[customers.customer_id != account[0]].reset_index(drop=True)
    obstacles = [models.unavailable_reason] if models.unavailable_reason else []
    fitted = btyd.fit_customer_base(rest, model, obstacles, past.regular)
    without = _make(past.without(account[0]), rest, segments, fitted, analysis_date)
    return replace(made, large_account=LargeAccount(*account, without.totals))


def _make(
    past: Backtest,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    models: btyd.CustomerBaseModel,
    analysis_date: date,
) -> Outlook:
    days = horizons_within(analysis_date, _first_day(customers, analysis_date)) if len(customers) else {}
    combined = past.forecast(past.last_day, list(days.values())) if days else None
    totals, half_widths = pd.DataFrame(columns=["purchase_days", "revenue"]), {}
    weights = pd.Series(0.0, index=list(CANDIDATES))
    if combined:
        totals = pd.DataFrame(combined.totals, index=list(days), columns=totals.columns)
        half_widths = {months: past.half_width(combined.errors, length) for months, length in days.items()}
        weights = _merge_season(pd.Series(combined.weights[-1], index=list(CANDIDATES)), max(days.values()))
    scaled, factors = scale_to_totals(forecast_customers(customers, models, analysis_date), totals)
    table = forecast_totals(scaled, segments, models, half_widths, analysis_date)
    tested = bool(combined and combined.errors[-1].known)
    whole = forecast_whole(past, combined, days)
    return Outlook(table, scaled, factors, weights, tested, whole)


def forecast_whole(past: Backtest, combined: DayForecast | None, days: dict[int, int]) -> pd.DataFrame:
    """Forecast the revenue of the whole business, beside the revenue of as many months before.

    Parameters
    ----------
    past : Backtest
        The past forecasts.
    combined : DayForecast or None
        The forecast of the analysis date; None if there is none.
    days : dict of int to int
        The lengths of the forecasts by months.

    Returns
    -------
    pandas.DataFrame
        The table `business`, without lengths for which new customers cannot be forecast: months, horizon_days,
        revenue_known (from today's customers), revenue_new (from customers not yet won), revenue, revenue_low and
        revenue_high (90 % range; null if none can be given), revenue_known_before, revenue_new_before and
        revenue_before (as many calendar months before the analysis date: from customers who had bought before them,
        from those won in them, and both).
    """
    rows: list[dict[str, float]] = []
    for position, (months, length) in enumerate(days.items()):
        if combined is None:
            break
        known, new = combined.totals[position, 1], combined.new[position, 1]
        if np.isnan(new):
            continue  # too little is known of new customers
        half = past.half_width(combined.whole_errors, length)
        known_before, new_before = past.last_period(days_back(day_of(past.last_day), months))
        rows.append(
            {
                "months": months,
                "horizon_days": length,
                "revenue_known": known,
                "revenue_new": new,
                "revenue": known + new,
                "revenue_low": (known + new) * np.exp(-half),
                "revenue_high": (known + new) * np.exp(half),
                "revenue_known_before": known_before,
                "revenue_new_before": new_before,
                "revenue_before": known_before + new_before,
            }
        )
    return pd.DataFrame(rows, columns=WHOLE_COLUMNS).astype(float).astype({"months": int, "horizon_days": int})


def _merge_season(weights: pd.Series, days: int) -> pd.Series:
    """Return the weights of a forecast. From a year on, a model with season is the model itself."""
    if days < YEAR_DAYS:
        return weights
    names = [name.removesuffix(SEASON) for name in weights.index]
    return weights.groupby(names).sum().reindex(weights.index, fill_value=0.0)


def _find_large_account(customers: pd.DataFrame) -> tuple[str, float] | None:
    """Return the id and the share of revenue of a large account, if there is one."""
    revenue = customers.mean_purchase_value * (customers.repeat_purchase_days + 1)
    if len(customers) < 2 or revenue.sum() <= 0:
        return None
    share = float(revenue.max() / revenue.sum())
    return (customers.customer_id[revenue.idxmax()], share) if is_large_account(share, len(customers)) else None


def _first_day(customers: pd.DataFrame, analysis_date: date) -> date:
    return analysis_date - timedelta(days=int(customers.customer_age_days.max()))
