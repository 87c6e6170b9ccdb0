"""The forecast of a date as it is published: how far it reaches, which rule makes it, and what one account adds."""

from dataclasses import dataclass, replace
from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cleaning.data_quality import is_large_account
from crm_utils.cltv import btyd
from crm_utils.cltv.assumptions import ClvAssumptions
from crm_utils.cltv.backtest import BacktestModel, forecast_error_before
from crm_utils.cltv.backtest.rolling_origin import purchases_between
from crm_utils.cltv.forecast import forecast_totals, horizons
from crm_utils.cltv.seasonality import YEAR_DAYS, Seasonality
from crm_utils.core.constants import ALL

# Last year replaces the model if it was closer in every one of so many tests, and its mean error is at most this share.
MIN_RULE_TESTS, MAX_RULE_ERROR = 3, 0.5


@dataclass(frozen=True)
class RuleVerdict:
    """How much closer "same period last year" came than the model.

    Parameters
    ----------
    tests : int
        Tests that both have, in periods with revenue.
    rule_error, model_error : float
        Mean absolute error of revenue, as a share.
    """

    tests: int
    rule_error: float
    model_error: float


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
        The `forecast` table (see `forecast_totals`). If no past forecast could be tested, without the horizons that
        are longer than the history.
    error : ForecastErrorModel
        How far past forecasts were off.
    tested : bool
        Whether any past forecast could be tested.
    last_year : RuleVerdict, optional
        Given if the forecast repeats the same period of last year, because that was clearly closer than the model.
    large_account : LargeAccount, optional
        Given if one customer brought a large share of revenue.
    """

    totals: pd.DataFrame
    error: btyd.ForecastErrorModel
    tested: bool
    last_year: RuleVerdict | None = None
    large_account: LargeAccount | None = None

    def limit_months(self, assumptions: ClvAssumptions) -> ClvAssumptions:
        """Return the assumptions with a horizon that is no longer than the longest forecast.

        Parameters
        ----------
        assumptions : ClvAssumptions
            The assumptions of the report.

        Returns
        -------
        ClvAssumptions
            Unchanged if past forecasts could be tested.
        """
        longest = assumptions.months if self.tested else max(self.totals.months.max(), 1) if len(self.totals) else 1
        return replace(assumptions, months=int(min(assumptions.months, longest)))


def make_outlook(
    known: ir.Table,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    models: btyd.CustomerBaseModel,
    seasons: dict[int, Seasonality],
    tests: pd.DataFrame,
    analysis_date: date,
    model: str = "bg_nbd",
) -> Outlook:
    """Forecast what all customers and each segment will bring, as far as the history and past forecasts allow.

    Parameters
    ----------
    known : ibis.Table
        Orders as known on the analysis date.
    customers : pandas.DataFrame
        `rfm_summary` of these orders.
    segments : pandas.DataFrame
        customer_id and segment.
    models : CustomerBaseModel
        The fitted models.
    seasons : dict of int to Seasonality
        The season of each number of months.
    tests : pandas.DataFrame
        `rolling_origin_backtest`.
    analysis_date : datetime.date
        The day the forecast is made.
    model : str
        The purchase model, fitted again without a large account: bg_nbd, mbg_nbd or pareto_nbd.

    Returns
    -------
    Outlook
        The forecast, how far it may be off, and what it rests on.
    """
    verdict = judge_last_year(tests)
    error = forecast_error_before(tests, analysis_date, seasons[3].known)
    if verdict:
        rule = tests[tests.model == BacktestModel.SAME_PERIOD_LAST_YEAR]
        error = btyd.fit_forecast_error(rule.revenue_actual, rule.revenue_predicted, np.zeros(len(rule)))

    def forecast(chosen: pd.DataFrame, fitted: btyd.CustomerBaseModel) -> pd.DataFrame:
        totals = forecast_totals(chosen, segments, fitted, seasons, error, analysis_date)
        if verdict:
            totals = _repeat_last_year(totals, known, chosen, segments, error, analysis_date)
        if tests.empty:
            totals = _within_history(totals, customers, analysis_date)
        return totals

    account = _find_large_account(customers)
    large = None
    if account:
        rest = customers[customers.customer_id != account[0]].reset_index(drop=True)
        obstacles = [models.unavailable_reason] if models.unavailable_reason else []
        large = LargeAccount(*account, forecast(rest, btyd.fit_customer_base(rest, model, obstacles)))
    return Outlook(forecast(customers, models), error, not tests.empty, verdict, large)


def judge_last_year(tests: pd.DataFrame) -> RuleVerdict | None:
    """Judge whether the same period of last year should replace the model.

    Parameters
    ----------
    tests : pandas.DataFrame
        `rolling_origin_backtest`.

    Returns
    -------
    RuleVerdict or None
        None unless the rule was closer in every test with revenue, in three at least, and half as far off on average.
    """
    judged = tests[tests.revenue_actual > 0]
    errors = (judged.revenue_predicted / judged.revenue_actual - 1).abs()
    table = judged.assign(error=errors).pivot(index="origin", columns="model", values="error")
    pair = table.reindex(columns=[BacktestModel.SAME_PERIOD_LAST_YEAR, BacktestModel.MODEL_WITH_SEASON]).dropna()
    rule, model = (pair[column] for column in pair)
    if len(pair) < MIN_RULE_TESTS or (rule >= model).any() or rule.mean() > MAX_RULE_ERROR * model.mean():
        return None
    return RuleVerdict(len(pair), float(rule.mean()), float(model.mean()))


def _find_large_account(customers: pd.DataFrame) -> tuple[str, float] | None:
    """Return the id and the share of revenue of a large account, if there is one."""
    revenue = customers.mean_purchase_value * (customers.repeat_purchase_days + 1)
    if len(customers) < 2 or revenue.sum() <= 0:
        return None
    share = float(revenue.max() / revenue.sum())
    return (customers.customer_id[revenue.idxmax()], share) if is_large_account(share, len(customers)) else None


def _within_history(totals: pd.DataFrame, customers: pd.DataFrame, analysis_date: date) -> pd.DataFrame:
    """Return the horizons that are no longer than the history. It ends with the analysis date."""
    after = pd.Timestamp(analysis_date) + pd.Timedelta(days=1)
    first_day = pd.Timestamp(analysis_date) - pd.Timedelta(days=int(customers.customer_age_days.max()))
    covered = [after - pd.DateOffset(months=int(months)) >= first_day for months in totals.months]
    return totals[covered].reset_index(drop=True)


def _repeat_last_year(
    totals: pd.DataFrame,
    known: ir.Table,
    customers: pd.DataFrame,
    segments: pd.DataFrame,
    error: btyd.ForecastErrorModel,
    analysis_date: date,
) -> pd.DataFrame:
    """Return the totals with what these customers bought in the same period of last year."""
    start = analysis_date - timedelta(days=YEAR_DAYS)
    segment = customers[["customer_id"]].merge(segments, on="customer_id", how="left").segment.to_numpy()
    parts = []
    for months, days in horizons(analysis_date).items():
        bought, _ = purchases_between(known, start, start + timedelta(days=days), customers.customer_id)
        by_segment = bought.groupby(segment).sum()
        by_segment.loc[ALL] = bought.sum()
        parts.append(by_segment.assign(months=months))
    last_year = pd.concat(parts).rename_axis("segment").reset_index()
    sums = totals[["months", "segment"]].merge(last_year, on=["months", "segment"], how="left")
    low, high = error.interval(sums.revenue, np.zeros(len(sums)))
    return totals.assign(
        purchase_days=sums.purchase_days.astype(float),
        revenue=sums.revenue,
        revenue_low=low,
        revenue_high=high,
        seasonal_factor=np.nan,
    )
