"""How well the forecast would have done: made on what was known at past origins, judged on what followed."""

from datetime import date, timedelta
from enum import StrEnum

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cleaning.minimum_data import MIN_DATA
from crm_utils.cltv import btyd, seasonality
from crm_utils.cltv import forecast as cltv
from crm_utils.core.orders import orders_as_of


class BacktestModel(StrEnum):
    """What made a past forecast: the code in column `model` of the `backtest` table."""

    MODEL_WITH_SEASON = "model_with_season"
    MODEL_NO_SEASON = "model_no_season"
    SAME_AS_LAST_PERIOD = "same_as_last_period"
    SAME_PERIOD_LAST_YEAR = "same_period_last_year"
    PAST_AVERAGE_RATE = "past_average_rate"


HISTORY_DAYS = 182  # before the first origin
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
    "mae_purchase_days": float,
    "top_decile_capture": float,
    "past_spend_capture": float,
    "seasonal_factor": float,
    "relative_variance": float,
    "revenue_low": float,
    "revenue_high": float,
}


def backtest_origins(
    first_day: date, analysis_date: date, horizon_days: int, step_days: int | None = None
) -> list[date]:
    """Days on which a forecast could have been made and judged by now, the oldest first.

    They lie `step_days` (the horizon, if not given) apart and leave 26 weeks of history before them. Where none does, the last
    one stands alone if it leaves what a model needs.
    """
    step, last = step_days or horizon_days, analysis_date - timedelta(days=horizon_days)
    history = (last - first_day).days
    if history < HISTORY_DAYS:
        return [last] if history + 1 >= MIN_DATA["days"] else []
    return [last - timedelta(days=back) for back in range(0, history - HISTORY_DAYS + 1, step)][::-1]


def rolling_origin_backtest(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, horizon_days: int, model: str = "bg_nbd"
) -> pd.DataFrame:
    """The `backtest` table: one row per origin and model, for the customers known at the origin.

    Columns origin, horizon_days, model (a `BacktestModel` code), customers, purchase_days_actual and purchase_days_predicted (purchase days), revenue_actual and
    revenue_predicted, revenue_new (of customers won after the origin: in no forecast), mae_purchase_days (mean absolute error a
    customer), top_decile_capture (share of the actual revenue from the tenth a model ranked first), past_spend_capture (the same for the tenth of highest
    revenue so far); of our forecast also seasonal_factor
    (null where not known), relative_variance of the total by the model, revenue_low and revenue_high (90 %, with the error
    of the forecasts before it). No row where the history is too short or too thin at every origin.
    """
    first_day = orders.ordered_at.min().execute()
    days = backtest_origins(first_day.date(), analysis_date, horizon_days) if pd.notna(first_day) else []
    trials = [backtest_origin(orders, adjustments, origin, horizon_days, model) for origin in days]
    made = [table for table in trials if len(table)] or [_no_rows()]
    return add_intervals(pd.concat(made, ignore_index=True))


def backtest_origin(
    orders: ir.Table, adjustments: ir.Table, origin: date, horizon_days: int, model: str = "bg_nbd"
) -> pd.DataFrame:
    """The rows of one origin, without intervals. No row where the data known then are too thin for a model."""
    before, end = orders_as_of(orders, adjustments, origin), origin + timedelta(days=horizon_days)
    customers = cltv.rfm_summary(before, origin)
    if not len(customers) or btyd.insufficient_data_reason(customers.repeat_purchase_days, customers.customer_age_days):
        return _no_rows()
    actual, new = purchases_between(orders_as_of(orders, adjustments, end), origin, end, customers.customer_id)
    models = btyd.fit_customer_base(customers, model)
    daily = seasonality.daily_totals(before)
    found = seasonality.estimate_seasonality(daily, origin, horizon_days, customers.customer_age_days)
    total = models.totals(customers, [horizon_days], pd.Series("all", index=customers.index)).iloc[0]
    rows = []
    for code, forecast in _forecasts(
        customers, models, found, before, daily.index[0].date(), origin, horizon_days
    ).items():
        rows.append({"model": code.value, **_judge_forecasts(actual, *forecast)})
    table = pd.DataFrame(rows).assign(
        origin=pd.Timestamp(origin), horizon_days=horizon_days, customers=len(customers), revenue_new=new
    )
    spent = (customers.mean_purchase_value * (customers.repeat_purchase_days + 1)).to_numpy()
    table["past_spend_capture"] = _top_decile_share(actual.revenue.to_numpy(), spent)
    ours = table.model == BacktestModel.MODEL_WITH_SEASON
    table["seasonal_factor"] = np.where(ours & found.known, found.factor, np.nan)
    table["relative_variance"] = np.where(ours, total.relative_variance, np.nan)
    return table.reindex(columns=list(COLUMNS)).astype(COLUMNS)


def backtest_year_before(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, model: str = "bg_nbd"
) -> pd.DataFrame:
    """The `trial` of a forecast over 365 days that ends on the analysis date. No row with less than 26 weeks before it."""
    first_day, origin = orders.ordered_at.min().execute(), analysis_date - timedelta(days=365)
    if pd.isna(first_day) or (origin - first_day.date()).days < HISTORY_DAYS:
        return _no_rows()
    return backtest_origin(orders, adjustments, origin, 365, model)


def add_intervals(table: pd.DataFrame) -> pd.DataFrame:
    """The table with revenue_low and revenue_high of our forecasts, each from the errors of those judged before it was made."""
    table = table.copy()
    for row in table[table.model == BacktestModel.MODEL_WITH_SEASON].itertuples():
        low, high = forecast_error_before(table, row.origin, pd.notna(row.seasonal_factor)).interval(
            row.revenue_predicted, row.relative_variance
        )
        table.loc[row.Index, ["revenue_low", "revenue_high"]] = low[0], high[0]
    return table


def forecast_error_before(
    table: pd.DataFrame, known_by: pd.Timestamp | date, season_known: bool
) -> btyd.ForecastErrorModel:
    """The error of our forecasts whose test was over by a day. Those with a season and those without are judged apart: their errors differ."""
    ended = table.origin + pd.to_timedelta(table.horizon_days, "D") <= pd.Timestamp(known_by)
    ours = table[
        (table.model == BacktestModel.MODEL_WITH_SEASON) & ended & (table.seasonal_factor.notna() == season_known)
    ]
    return btyd.fit_forecast_error(ours.revenue_actual, ours.revenue_predicted, ours.relative_variance)


def purchases_between(orders: ir.Table, start: date, end: date, customer_ids: pd.Series) -> tuple[pd.DataFrame, float]:
    """Purchase days and revenue of these customers after `start` and up to `end` (zeros for who bought nothing), and the revenue of all others."""
    placed = orders.mutate(day=orders.ordered_at.date())
    placed = placed.filter((placed.day > start) & (placed.day <= end))
    sums = placed.group_by("customer_id").agg(
        purchase_days=placed.day.nunique(), revenue=placed.revenue.cast("decimal(38, 4)").sum().cast("float64")
    )
    table = sums.execute().set_index("customer_id")
    known = table.reindex(customer_ids, fill_value=0)
    return known, round(float(table.revenue.sum() - known.revenue.sum()), 2)


def _forecasts(
    customers: pd.DataFrame,
    models,
    found: seasonality.Seasonality,
    before: ir.Table,
    first_day: date,
    origin: date,
    days: int,
) -> dict[BacktestModel, tuple[np.ndarray, np.ndarray]]:
    """Orders and revenue each model expects of each customer; last year's period only where it lies in the history."""
    modelled = models.expected_purchases(customers, [days])[:, 0]
    revenue = modelled * models.expected_value(customers)
    forecasts = {
        BacktestModel.MODEL_WITH_SEASON: (modelled * found.days_factor, revenue * found.factor),
        BacktestModel.MODEL_NO_SEASON: (modelled, revenue),
    }
    periods = {
        BacktestModel.SAME_AS_LAST_PERIOD: origin - timedelta(days=days),
        BacktestModel.SAME_PERIOD_LAST_YEAR: origin - timedelta(days=seasonality.YEAR),
    }
    for code, start in periods.items():
        if start >= first_day - timedelta(days=1):
            then, _ = purchases_between(before, start, start + timedelta(days=days), customers.customer_id)
            forecasts[code] = (then.purchase_days.to_numpy(float), then.revenue.to_numpy(float))
    x, _, T = cltv.to_xtT(customers)
    rate = x / np.maximum(T, 1) * days
    return forecasts | {BacktestModel.PAST_AVERAGE_RATE: (rate, rate * customers.mean_purchase_value.to_numpy())}


def _judge_forecasts(
    actual: pd.DataFrame, purchase_days_predicted: np.ndarray, revenue_predicted: np.ndarray
) -> dict[str, float]:
    return {
        "purchase_days_actual": actual.purchase_days.sum(),
        "purchase_days_predicted": purchase_days_predicted.sum(),
        "revenue_actual": actual.revenue.sum(),
        "revenue_predicted": revenue_predicted.sum(),
        "mae_purchase_days": np.abs(actual.purchase_days.to_numpy() - purchase_days_predicted).mean(),
        "top_decile_capture": _top_decile_share(actual.revenue.to_numpy(), revenue_predicted),
    }


def _top_decile_share(revenue: np.ndarray, rank_by: np.ndarray) -> float:
    """Share of revenue from the tenth of customers ranked first."""
    best = np.argsort(-rank_by, kind="stable")[: max(len(revenue) // 10, 1)]
    return revenue[best].sum() / revenue.sum() if revenue.sum() else float("nan")


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in COLUMNS.items()})
