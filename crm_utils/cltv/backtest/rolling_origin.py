"""Rolling-origin backtest: make forecasts as of past dates, and compare them with what happened."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import btyd, seasonality
from crm_utils.cltv.forecast import rfm_summary
from crm_utils.core.constants import ALL, MIN_DATA
from crm_utils.core.exact_money import exact_sum
from crm_utils.core.orders import orders_as_of

# History before the first origin: 26 weeks.
HISTORY_DAYS = 182
YEAR_BEFORE_DAYS = 365
# The tenth of customers that a model ranks first.
TOP_SHARE = 10
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


class BacktestModel(StrEnum):
    """The method of a past forecast: the code in column `model` of the `backtest` table."""

    MODEL_WITH_SEASON = "model_with_season"
    MODEL_NO_SEASON = "model_no_season"
    SAME_AS_LAST_PERIOD = "same_as_last_period"
    SAME_PERIOD_LAST_YEAR = "same_period_last_year"
    PAST_AVERAGE_RATE = "past_average_rate"


@dataclass(frozen=True)
class Origin:
    """The data as of a past day, and the actual purchases within the horizon.

    Parameters
    ----------
    day : datetime.date
        The day of the forecast.
    horizon_days : int
        The length of the forecast.
    before : ibis.Table
        Orders as known on the day.
    customers : pandas.DataFrame
        `rfm_summary` of these orders.
    """

    day: date
    horizon_days: int
    before: ir.Table
    customers: pd.DataFrame

    @classmethod
    def at(cls, orders: ir.Table, adjustments: ir.Table, day: date, horizon_days: int) -> "Origin":
        """Return the origin on a past day, from orders and their dated adjustments."""
        before = orders_as_of(orders, adjustments, day)
        return cls(day, horizon_days, before, rfm_summary(before, day))

    @property
    def end(self) -> date:
        """The last day of the horizon."""
        return self.day + timedelta(days=self.horizon_days)

    @property
    def insufficient(self) -> bool:
        """Whether the data known then are insufficient for a model."""
        ages = self.customers.customer_age_days
        return not len(self.customers) or bool(btyd.insufficient_data_reason(self.customers.repeat_purchase_days, ages))

    def season(self, daily: pd.DataFrame | None = None) -> seasonality.Seasonality:
        """Estimate the season of the horizon; `daily` are the daily totals, if they were already computed."""
        daily = seasonality.daily_totals(self.before) if daily is None else daily
        ages = self.customers.customer_age_days
        return seasonality.estimate_seasonality(daily, self.day, self.horizon_days, ages)

    def actual(self, orders: ir.Table, adjustments: ir.Table) -> tuple[pd.DataFrame, float]:
        """Return `purchases_between` the origin and the end of the horizon, as of that end."""
        after = orders_as_of(orders, adjustments, self.end)
        return purchases_between(after, self.day, self.end, self.customers.customer_id)


def backtest_origins(
    first_day: date, analysis_date: date, horizon_days: int, step_days: int | None = None
) -> list[date]:
    """Return the days, oldest first, on which a forecast could have been made that can be tested by now.

    They are `step_days` apart (by default the horizon), with at least 26 weeks of history before them. If no day has
    that much history, the last one is returned alone, provided that a model can be fitted to its history.
    """
    step_days = step_days or horizon_days
    last = analysis_date - timedelta(days=horizon_days)
    history_days = (last - first_day).days
    if history_days < HISTORY_DAYS:
        return [last] if history_days + 1 >= MIN_DATA["days"] else []
    return [last - timedelta(days=back) for back in range(0, history_days - HISTORY_DAYS + 1, step_days)][::-1]


def rolling_origin_backtest(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, horizon_days: int, model: str = "bg_nbd"
) -> pd.DataFrame:
    """Test past forecasts at every origin: the `backtest` table.

    Parameters
    ----------
    orders : ibis.Table
        Orders as placed.
    adjustments : ibis.Table
        Cancellations, with their dates. A forecast does not see those after its origin.
    analysis_date : datetime.date
        The last day that counts.
    horizon_days : int
        The length of each forecast.
    model : str
        The purchase model: bg_nbd, mbg_nbd or pareto_nbd.

    Returns
    -------
    pandas.DataFrame
        One row for each origin and model, for the customers known at the origin. Empty if at every origin the history
        is too short or has too few customers.

        * origin, horizon_days, model (a `BacktestModel`), customers
        * purchase_days_actual, purchase_days_predicted, revenue_actual, revenue_predicted
        * revenue_new: from customers won after the origin; no forecast includes them
        * mae_purchase_days: mean absolute error per customer
        * top_decile_capture: share of the actual revenue from the tenth of customers that the model ranked first
        * past_spend_capture: the same for the tenth of customers with the highest revenue so far
        * only for our forecast: seasonal_factor (null if not known), relative_variance of the total by the model alone,
          revenue_low and revenue_high (90 %, with the errors of earlier forecasts)
    """
    first_day = orders.ordered_at.min().execute()
    days = backtest_origins(first_day.date(), analysis_date, horizon_days) if pd.notna(first_day) else []
    tests = [backtest_origin(orders, adjustments, origin, horizon_days, model) for origin in days]
    made = [table for table in tests if len(table)] or [_no_rows()]
    return add_intervals(pd.concat(made, ignore_index=True))


def backtest_origin(
    orders: ir.Table, adjustments: ir.Table, origin: date, horizon_days: int, model: str = "bg_nbd"
) -> pd.DataFrame:
    """Return the rows of one origin, without intervals; empty if the data known then are insufficient for a model."""
    known = Origin.at(orders, adjustments, origin, horizon_days)
    if known.insufficient:
        return _no_rows()
    customers = known.customers
    actual, revenue_new = known.actual(orders, adjustments)
    models = btyd.fit_customer_base(customers, model)
    daily = seasonality.daily_totals(known.before)
    season = known.season(daily)
    total = models.totals(customers, [horizon_days], pd.Series(ALL, index=customers.index)).iloc[0]
    forecasts = _forecasts(known, models, season, daily.index[0].date())
    rows = [{"model": code.value, **_judge_forecast(actual, *forecast)} for code, forecast in forecasts.items()]
    table = pd.DataFrame(rows).assign(
        origin=pd.Timestamp(origin), horizon_days=horizon_days, customers=len(customers), revenue_new=revenue_new
    )
    past_spend = (customers.mean_purchase_value * (customers.repeat_purchase_days + 1)).to_numpy()
    table["past_spend_capture"] = _top_decile_share(actual.revenue.to_numpy(), past_spend)
    ours = table.model == BacktestModel.MODEL_WITH_SEASON
    table["seasonal_factor"] = np.where(ours & season.known, season.factor, np.nan)
    table["relative_variance"] = np.where(ours, total.relative_variance, np.nan)
    return table.reindex(columns=list(COLUMNS)).astype(COLUMNS)


def backtest_year_before(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, model: str = "bg_nbd"
) -> pd.DataFrame:
    """Test a forecast for 365 days that ends on the analysis date.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Orders as placed, and cancellations with their dates.
    analysis_date : datetime.date
        The last day that counts.
    model : str
        The purchase model: bg_nbd, mbg_nbd or pareto_nbd.

    Returns
    -------
    pandas.DataFrame
        Rows of `rolling_origin_backtest` for one origin; empty if there are less than 26 weeks of history before it.
    """
    first_day = orders.ordered_at.min().execute()
    origin = analysis_date - timedelta(days=YEAR_BEFORE_DAYS)
    if pd.isna(first_day) or (origin - first_day.date()).days < HISTORY_DAYS:
        return _no_rows()
    return backtest_origin(orders, adjustments, origin, YEAR_BEFORE_DAYS, model)


def add_intervals(backtest: pd.DataFrame) -> pd.DataFrame:
    """Add revenue_low and revenue_high to our forecasts, from the errors of forecasts that were tested before them."""
    table = backtest.copy()
    for row in table[table.model == BacktestModel.MODEL_WITH_SEASON].itertuples():
        error = forecast_error_before(table, row.origin, pd.notna(row.seasonal_factor))
        low, high = error.interval(row.revenue_predicted, row.relative_variance)
        table.loc[row.Index, ["revenue_low", "revenue_high"]] = low[0], high[0]
    return table


def forecast_error_before(
    backtest: pd.DataFrame, known_by: pd.Timestamp | date, season_known: bool
) -> btyd.ForecastErrorModel:
    """Fit the error of our forecasts whose test had ended by a day.

    Parameters
    ----------
    backtest : pandas.DataFrame
        Rows of `rolling_origin_backtest`.
    known_by : pandas.Timestamp or datetime.date
        Tests that ended later are not used.
    season_known : bool
        Whether to use forecasts with a season or those without, because their errors differ.

    Returns
    -------
    ForecastErrorModel
        The error model for the ranges of new forecasts.
    """
    ended = backtest.origin + pd.to_timedelta(backtest.horizon_days, "D") <= pd.Timestamp(known_by)
    ours = backtest.model == BacktestModel.MODEL_WITH_SEASON
    used = backtest[ours & ended & (backtest.seasonal_factor.notna() == season_known)]
    return btyd.fit_forecast_error(used.revenue_actual, used.revenue_predicted, used.relative_variance)


def purchases_between(orders: ir.Table, start: date, end: date, customer_ids: pd.Series) -> tuple[pd.DataFrame, float]:
    """Return what these customers bought after `start` and up to `end`, and the revenue from all others.

    Returns
    -------
    tuple of pandas.DataFrame and float
        purchase_days and revenue by customer_id (the index), with zeros for customers who bought nothing; and the
        revenue from customers who are not in `customer_ids`.
    """
    placed = orders.mutate(day=orders.ordered_at.date())
    placed = placed.filter((placed.day > start) & (placed.day <= end))
    sums = placed.group_by("customer_id").agg(
        purchase_days=placed.day.nunique(), revenue=exact_sum(placed.revenue).cast("float64")
    )
    table = sums.execute().set_index("customer_id")
    known = table.reindex(customer_ids, fill_value=0)
    return known, round(float(table.revenue.sum() - known.revenue.sum()), 2)


def _forecasts(
    origin: Origin, models: btyd.CustomerBaseModel, season: seasonality.Seasonality, first_day: date
) -> dict[BacktestModel, tuple[np.ndarray, np.ndarray]]:
    """Purchase days and revenue of each customer as each model expects them.

    A rule that uses a past period is included only if the history covers that period.
    """
    customers = origin.customers
    length = timedelta(days=origin.horizon_days)
    purchases = models.expected_purchases(customers, [origin.horizon_days])[:, 0]
    revenue = purchases * models.expected_value(customers)
    forecasts = {
        BacktestModel.MODEL_WITH_SEASON: (purchases * season.purchase_days_factor, revenue * season.factor),
        BacktestModel.MODEL_NO_SEASON: (purchases, revenue),
    }
    starts = {
        BacktestModel.SAME_AS_LAST_PERIOD: origin.day - length,
        BacktestModel.SAME_PERIOD_LAST_YEAR: origin.day - timedelta(days=seasonality.YEAR_DAYS),
    }
    for code, start in starts.items():
        if start >= first_day - timedelta(days=1):
            then, _ = purchases_between(origin.before, start, start + length, customers.customer_id)
            forecasts[code] = (then.purchase_days.to_numpy(float), then.revenue.to_numpy(float))
    x, _, T = btyd.to_xtT(customers)
    rate = x / np.maximum(T, 1) * origin.horizon_days
    forecasts[BacktestModel.PAST_AVERAGE_RATE] = (rate, rate * customers.mean_purchase_value.to_numpy())
    return forecasts


def _judge_forecast(
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
    best = np.argsort(-rank_by, kind="stable")[: max(len(revenue) // TOP_SHARE, 1)]
    return revenue[best].sum() / revenue.sum() if revenue.sum() else float("nan")


def _no_rows() -> pd.DataFrame:
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in COLUMNS.items()})
