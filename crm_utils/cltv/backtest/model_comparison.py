"""Compare the purchase model in use with others. A better one is only proposed; it never replaces it automatically."""

from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils.cltv import btyd
from crm_utils.cltv.backtest.rolling_origin import Origin, backtest_origins

# Days between origins.
STEP_DAYS = 30
# Origins, and how many of them a challenger must win.
N_ORIGINS = 10
MIN_WINS = 8
# With more customers the comparison would take too long.
MAX_CUSTOMERS = 50_000
# Block bootstrap: the forecasts of neighbouring origins overlap, so origins are drawn in blocks of this size.
BLOCK_ORIGINS = 3
BOOTSTRAP_SAMPLES = 500
CHALLENGER_PREFIX = "Challenger "


def challengers_of(model: str) -> tuple[str, ...]:
    """Return the models that challenge the one in use."""
    return tuple(key for key in btyd.MODELS if key != model)


def compare_models(
    orders: ir.Table, adjustments: ir.Table, analysis_date: date, horizon_days: int, model: str
) -> pd.DataFrame:
    """Compare the model in use with its challengers at the last ten monthly origins.

    Parameters
    ----------
    orders, adjustments : ibis.Table
        Orders as placed, and cancellations with their dates.
    analysis_date : datetime.date
        The last day that counts.
    horizon_days : int
        The length of each forecast.
    model : str
        The model in use: bg_nbd, mbg_nbd or pareto_nbd.

    Returns
    -------
    pandas.DataFrame
        Absolute log errors |log (forecast ÷ actual)| of revenue: index origin, one column for each model, the one in
        use first. Empty if there are fewer origins, or more than `MAX_CUSTOMERS` customers.
    """
    models = (model, *challengers_of(model))
    first_day = orders.ordered_at.min().execute()
    days = []
    if pd.notna(first_day):
        days = backtest_origins(first_day.date(), analysis_date, horizon_days, STEP_DAYS)[-N_ORIGINS:]
    if len(days) < N_ORIGINS or orders.customer_id.nunique().execute() > MAX_CUSTOMERS:
        return pd.DataFrame(columns=list(models), dtype=float)
    errors = [_log_errors(orders, adjustments, origin, horizon_days, models) for origin in days]
    return pd.DataFrame(errors, index=pd.to_datetime(days), columns=list(models))


def best_challenger(log_errors: pd.DataFrame) -> str:
    """Return the challenger to propose, or an empty string.

    It won at 8 or more of 10 monthly origins, and by more than one block-bootstrap standard error.

    Parameters
    ----------
    log_errors : pandas.DataFrame
        `compare_models`; the first column is the model in use.
    """
    if log_errors.empty:
        return ""
    gains = log_errors.iloc[:, 1:].rsub(log_errors.iloc[:, 0], axis=0)
    rng = np.random.default_rng(0)
    n = len(log_errors)
    starts = rng.integers(0, n, (BOOTSTRAP_SAMPLES, -(-n // BLOCK_ORIGINS)))
    blocks = starts[:, :, None] + np.arange(BLOCK_ORIGINS)
    drawn = blocks.reshape(BOOTSTRAP_SAMPLES, -1)[:, :n] % n
    standard_error = {key: gains[key].to_numpy()[drawn].mean(axis=1).std() for key in gains}
    winners = [key for key in gains if (gains[key] > 0).sum() >= MIN_WINS and gains[key].mean() > standard_error[key]]
    return max(winners, key=lambda key: gains[key].mean(), default="")


def append_challenger_rows(fitted_parameters: pd.DataFrame, log_errors: pd.DataFrame) -> pd.DataFrame:
    """Append to the `fitted_parameters` table how many monthly tests each challenger won.

    Parameters
    ----------
    fitted_parameters : pandas.DataFrame
        `CustomerBaseModel.table`.
    log_errors : pandas.DataFrame
        `compare_models`; the first column is the model in use.

    Returns
    -------
    pandas.DataFrame
        The table with one row for each challenger: model, parameter, value (tests won), standard_error (null),
        note.
    """
    if log_errors.empty:
        return fitted_parameters
    in_use, *challengers = log_errors.columns
    rows = [
        {
            "model": f"{CHALLENGER_PREFIX}{btyd.MODELS[key].model.name}",
            "parameter": f"wins over {in_use} in {len(log_errors)} monthly tests",
            "value": float((log_errors[key] < log_errors[in_use]).sum()),
            "standard_error": np.nan,
            "note": "",
        }
        for key in challengers
    ]
    return pd.concat([fitted_parameters, pd.DataFrame(rows, columns=fitted_parameters.columns)], ignore_index=True)


def _log_errors(
    orders: ir.Table, adjustments: ir.Table, day: date, horizon_days: int, models: tuple[str, ...]
) -> dict[str, float]:
    origin = Origin.at(orders, adjustments, day, horizon_days)
    actual = origin.actual(orders, adjustments)[0].revenue.sum()
    if origin.insufficient or actual <= 0:
        return dict.fromkeys(models, 0.0)
    history = btyd.to_xtT(origin.customers)
    purchase_days = history[0] + 1
    mean_value = origin.customers.mean_purchase_value
    value = btyd.fit_gamma_gamma(purchase_days, mean_value)
    worth = value.expected_value(purchase_days, mean_value.to_numpy()) * origin.season().factor
    return {
        key: abs(
            np.log(btyd.fit_purchase_model(key, *history).expected_purchases(*history, horizon_days) @ worth / actual)
        )
        for key in models
    }
