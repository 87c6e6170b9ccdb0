"""Whether another model should take the place of the pinned one. It is proposed, never changed by itself."""

from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import btyd, forecast, seasonality
from crm_utils.cltv.backtest.rolling_origin import backtest_origins, purchases_between
from crm_utils.core.orders import orders_as_of

MONTH, BLOCK = 30, 3  # days between origins, origins that overlap
CHALLENGES, MIN_WINS = 10, 8  # origins, and how many of them a challenger must win
MAX_CUSTOMERS = 50_000  # customers


def challengers_of(model: str) -> tuple[str, ...]:
    """The models that challenge the pinned one."""
    return tuple(kind for kind in btyd.MODELS if kind != model)


def compare_models(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, horizon_days: int, models: tuple[str, ...]
) -> pd.DataFrame:
    """Misses |log (forecast ÷ actual)| of revenue by several models at the last ten monthly origins: index origin, a column a model.

    No row where there are fewer than ten, or more customers than is cheap to try.
    """
    first_day = orders.ordered_at.min().execute()
    days = (
        backtest_origins(first_day.date(), analysis_date, horizon_days, MONTH)[-CHALLENGES:]
        if pd.notna(first_day)
        else []
    )
    if len(days) < CHALLENGES or orders.customer_id.nunique().execute() > MAX_CUSTOMERS:
        return pd.DataFrame(columns=list(models), dtype=float)
    misses = [_log_errors(orders, adjustments, origin, horizon_days, models) for origin in days]
    return pd.DataFrame(misses, index=pd.to_datetime(days), columns=list(models))


def best_challenger(misses: pd.DataFrame, pinned: str) -> str:
    """The challenger to propose: it won at 8 or more of 10 monthly origins, by more than one block-bootstrap standard error. Else ""."""
    if misses.empty:
        return ""
    gains = misses.drop(columns=pinned).rsub(misses[pinned], axis=0)
    rng, starts = np.random.default_rng(0), len(misses)
    blocks = rng.integers(0, starts, (500, -(-starts // BLOCK)))[:, :, None] + np.arange(BLOCK)
    drawn = blocks.reshape(500, -1)[:, :starts] % starts
    sure = {name: gains[name].to_numpy()[drawn].mean(axis=1).std() for name in gains}
    winners = [name for name in gains if (gains[name] > 0).sum() >= MIN_WINS and gains[name].mean() > sure[name]]
    return max(winners, key=lambda name: gains[name].mean(), default="")


def append_challenger_rows(model: pd.DataFrame, misses: pd.DataFrame) -> pd.DataFrame:
    """The `fitted_parameters` table with a row for each challenger: how many monthly tests it won. The first column of `misses` is the pinned model."""
    pinned, *tried = misses.columns if len(misses) else [""]
    rows = [
        {
            "model": f"Challenger {btyd.MODELS[kind].model.name}",
            "parameter": f"wins over {pinned} in {len(misses)} monthly tests",
            "value": float((misses[kind] < misses[pinned]).sum()),
            "standard_error": np.nan,
            "note": "",
        }
        for kind in tried
    ]
    return pd.concat([model, pd.DataFrame(rows, columns=model.columns)], ignore_index=True) if rows else model


def _log_errors(
    orders: ir.Table, adjustments: ir.Table, origin: date, days: int, models: tuple[str, ...]
) -> dict[str, float]:
    before, end = orders_as_of(orders, adjustments, origin), origin + timedelta(days=days)
    customers = forecast.rfm_summary(before, origin)
    behaviour = forecast.to_xtT(customers)
    actual = purchases_between(orders_as_of(orders, adjustments, end), origin, end, customers.customer_id)[
        0
    ].revenue.sum()
    if btyd.insufficient_data_reason(behaviour[0], behaviour[2]) or actual <= 0:
        return dict.fromkeys(models, 0.0)
    factor = seasonality.estimate_seasonality(
        seasonality.daily_totals(before), origin, days, customers.customer_age_days
    ).factor
    value = btyd.fit_gamma_gamma(behaviour[0] + 1, customers.mean_purchase_value)
    worth = value.expected_value(behaviour[0] + 1, customers.mean_purchase_value.to_numpy()) * factor
    return {
        kind: abs(np.log(btyd.fit(kind, *behaviour).expected_purchases(*behaviour, days) @ worth / actual))
        for kind in models
    }
