"""The table of all tests: what was forecast on past dates, and what happened."""

import numpy as np
import pandas as pd

from crm_utils.cltv.backtest.candidates import CANDIDATES, OriginForecasts
from crm_utils.cltv.backtest.rolling_origin import COMBINATION, Backtest, DayForecast, Origin, Outcome
from crm_utils.cltv.purchase_log import day_of

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
    "weight": float,
    "top_decile_capture": float,
    "past_spend_capture": float,
    "revenue_low": float,
    "revenue_high": float,
    "revenue_new_predicted": float,
    "whole_low": float,
    "whole_high": float,
}


def list_tests(past: Backtest) -> pd.DataFrame:
    """Return every test that is over by the analysis date: the `backtest` table.

    Parameters
    ----------
    past : Backtest
        The past forecasts.

    Returns
    -------
    pandas.DataFrame
        One row for each origin, length and model, for the customers known at the origin. Empty if no forecast could be
        tested.

        * origin, horizon_days, model (`combination` or one of `CANDIDATES`), customers
        * purchase_days_actual, purchase_days_predicted, revenue_actual, revenue_predicted
        * revenue_new: from customers won after the origin
        * weight: of the candidate in the combined revenue
        * only for the combination: revenue_low and revenue_high (90 %, from the errors of earlier forecasts; null if
          there were none), revenue_new_predicted, whole_low and whole_high (the range of the revenue of all customers),
          and for `holdout_days` top_decile_capture (share of the actual revenue from the tenth of customers that the
          model ranked first) and past_spend_capture (the same for the tenth with the highest revenue so far)
    """
    rows = [
        row
        for origin in past.origins(past.last_day)
        for position, outcome in enumerate(origin.outcomes)
        if outcome is not None
        for row in _list_origin(past, origin, position, outcome)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return table.sort_values(["horizon_days", "origin"], kind="stable", ignore_index=True)


def _list_origin(past: Backtest, origin: Origin, position: int, outcome: Outcome) -> list[dict[str, object]]:
    combined = past.forecast(origin.day)
    if combined is None or not np.isfinite(combined.totals[position]).all():
        return []  # no candidate could forecast this length yet
    shared = {
        "origin": pd.Timestamp(day_of(origin.day)),
        "horizon_days": past.horizons[position],
        "customers": len(origin.forecasts.customers),
        "purchase_days_actual": outcome.known[0],
        "revenue_actual": outcome.known[1],
        "revenue_new": round(outcome.new[1], 2),
    }
    ours = _combination_row(combined, position)
    if position == past.tested:
        ours |= _captures(origin.forecasts, outcome.by_customer[:, 1])
    rows = [shared | ours]
    for index, name in enumerate(CANDIDATES):
        predicted = origin.forecasts.totals[position, index]
        if np.isfinite(predicted).all():
            own = {"purchase_days_predicted": predicted[0], "revenue_predicted": predicted[1]}
            rows.append(shared | own | {"model": name, "weight": combined.weights[position, index]})
    return rows


def _combination_row(combined: DayForecast, position: int) -> dict[str, object]:
    known, new = combined.totals[position], combined.new[position, 1]
    half, half_whole = (errors[position].half_width for errors in (combined.errors, combined.whole_errors))
    return {
        "model": COMBINATION,
        "purchase_days_predicted": known[0],
        "revenue_predicted": known[1],
        "weight": 1.0,
        "revenue_low": known[1] * np.exp(-half),
        "revenue_high": known[1] * np.exp(half),
        "revenue_new_predicted": new,
        "whole_low": (known[1] + new) * np.exp(-half_whole),
        "whole_high": (known[1] + new) * np.exp(half_whole),
    }


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
