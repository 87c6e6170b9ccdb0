"""Whether another model should take the place of the pinned one. It is proposed, never changed by itself."""

from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import btyd, forecast, seasonality
from crm_utils.cltv.backtest.rolling_origin import between, origins
from crm_utils.core.orders import known_on

MONTH, BLOCK = 30, 3  # days between origins, origins that overlap
CHALLENGES, WINS = 10, 8  # origins, and how many of them a challenger must win
CHEAP = 50_000  # customers


def others(model: str) -> tuple[str, ...]:
    """The models that challenge the pinned one."""
    return tuple(kind for kind in btyd.KINDS if kind != model)


def challenge(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, horizon_days: int, models: tuple[str, ...]
) -> pd.DataFrame:
    """Misses |log (forecast ÷ actual)| of revenue by several models at the last ten monthly origins: index origin, a column a model.

    No row where there are fewer than ten, or more customers than is cheap to try.
    """
    first_day = orders.ordered_at.min().execute()
    days = origins(first_day.date(), analysis_date, horizon_days, MONTH)[-CHALLENGES:] if pd.notna(first_day) else []
    if len(days) < CHALLENGES or orders.customer_id.nunique().execute() > CHEAP:
        return pd.DataFrame(columns=list(models), dtype=float)
    misses = [_misses(orders, adjustments, origin, horizon_days, models) for origin in days]
    return pd.DataFrame(misses, index=pd.to_datetime(days), columns=list(models))


def better(misses: pd.DataFrame, pinned: str) -> str:
    """The challenger to propose: it won at 8 or more of 10 monthly origins, by more than one block-bootstrap standard error. Else ""."""
    if misses.empty:
        return ""
    gains = misses.drop(columns=pinned).rsub(misses[pinned], axis=0)
    rng, starts = np.random.default_rng(0), len(misses)
    blocks = rng.integers(0, starts, (500, -(-starts // BLOCK)))[:, :, None] + np.arange(BLOCK)
    drawn = blocks.reshape(500, -1)[:, :starts] % starts
    sure = {name: gains[name].to_numpy()[drawn].mean(axis=1).std() for name in gains}
    winners = [name for name in gains if (gains[name] > 0).sum() >= WINS and gains[name].mean() > sure[name]]
    return max(winners, key=lambda name: gains[name].mean(), default="")


def logged(model: pd.DataFrame, misses: pd.DataFrame) -> pd.DataFrame:
    """The `model` table with a row for each challenger: how many monthly tests it won. The first column of `misses` is the pinned model."""
    pinned, *tried = misses.columns if len(misses) else [""]
    rows = [
        {
            "model": f"Challenger {btyd.KINDS[kind].model.name}",
            "parameter": f"wins over {pinned} in {len(misses)} monthly tests",
            "value": float((misses[kind] < misses[pinned]).sum()),
            "standard_error": np.nan,
            "note": "",
        }
        for kind in tried
    ]
    return pd.concat([model, pd.DataFrame(rows, columns=model.columns)], ignore_index=True) if rows else model


def _misses(
    orders: ir.Table, adjustments: ir.Table, origin: date, days: int, models: tuple[str, ...]
) -> dict[str, float]:
    before, end = known_on(orders, adjustments, origin), origin + timedelta(days=days)
    customers = forecast.summary(before, origin)
    behaviour = forecast.behaviour(customers)
    actual = between(known_on(orders, adjustments, end), origin, end, customers.customer_id)[0].revenue.sum()
    if btyd.too_thin(behaviour[0], behaviour[2]) or actual <= 0:
        return dict.fromkeys(models, 0.0)
    factor = seasonality.find(seasonality.daily(before), origin, days, customers.age).factor
    value = btyd.fit_gamma_gamma(behaviour[0] + 1, customers.mean_value)
    worth = value.expected_value(behaviour[0] + 1, customers.mean_value.to_numpy()) * factor
    return {
        kind: abs(np.log(btyd.fit(kind, *behaviour).expected_orders(*behaviour, days) @ worth / actual))
        for kind in models
    }
