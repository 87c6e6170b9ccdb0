"""How well the models would have forecast: they are fitted on what was known at an origin and judged on what followed."""

from datetime import date, timedelta

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crm_utils import btyd, cltv
from crm_utils.orders import known_on

MODEL, REPEAT_PERIOD, MEAN_RATE = "BG/NBD × Gamma-Gamma", "Same as the last period", "Past average rate"


class HoldoutError(ValueError):
    """The history is too short to hold anything back; the message says how long it is."""


def holdout(orders: ir.Table, adjustments: ir.Table, analysis_date: date, horizon_days: int) -> pd.DataFrame:
    """One row per method for the `horizon_days` before the analysis date, of the customers known at their start.

    Returns origin, horizon_days, method, orders_actual and orders_predicted (purchase days), revenue_actual and
    revenue_predicted, mae_orders (mean absolute error a customer), top_decile_capture (share of the actual revenue
    that came from the tenth of customers the method ranked first).

    Raises `HoldoutError` where nobody is known at the origin or nobody had bought again by then.
    """
    origin = analysis_date - timedelta(days=horizon_days)
    before = known_on(orders, adjustments, origin)
    customers = cltv.summary(before, origin)
    if not (customers.repeat_orders > 0).any():
        raise HoldoutError(
            f"{horizon_days} days before {analysis_date} no customer had bought twice yet: set cltv.holdout_days below {horizon_days}"
        )
    actual = _between(known_on(orders, adjustments, analysis_date), origin, analysis_date, customers.customer_id)
    rows = []
    for method, (orders_predicted, revenue_predicted) in _forecasts(customers, before, origin, horizon_days).items():
        rows.append(
            {
                "origin": pd.Timestamp(origin),
                "horizon_days": horizon_days,
                "method": method,
                **_judged(actual, orders_predicted, revenue_predicted),
            }
        )
    return pd.DataFrame(rows)


def _forecasts(
    customers: pd.DataFrame, before: ir.Table, origin: date, days: int
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Orders and revenue each method expects of each customer."""
    x, t_x, T = cltv.behaviour(customers)
    bg_nbd = btyd.fit_bg_nbd(x, t_x, T)
    gamma_gamma = btyd.fit_gamma_gamma(x + 1, customers.mean_value)
    modelled = bg_nbd.expected_orders(x, t_x, T, days)
    last = _between(before, origin - timedelta(days=days), origin, customers.customer_id)
    rate = x / np.maximum(T, 1) * days
    return {
        MODEL: (modelled, modelled * gamma_gamma.expected_value(x + 1, customers.mean_value.to_numpy())),
        REPEAT_PERIOD: (last.orders.to_numpy(float), last.revenue.to_numpy()),
        MEAN_RATE: (rate, rate * customers.mean_value.to_numpy()),
    }


def _between(orders: ir.Table, start: date, end: date, customer_ids: pd.Series) -> pd.DataFrame:
    """Purchase days and revenue of these customers after `start` and up to `end`, zeros for who bought nothing."""
    placed = orders.mutate(day=orders.ordered_at.date())
    placed = placed.filter((placed.day > start) & (placed.day <= end))
    sums = placed.group_by("customer_id").agg(
        orders=placed.day.nunique(), revenue=placed.revenue.cast("decimal(38, 4)").sum().cast("float64")
    )
    return sums.execute().set_index("customer_id").reindex(customer_ids, fill_value=0)


def _judged(actual: pd.DataFrame, orders_predicted: np.ndarray, revenue_predicted: np.ndarray) -> dict[str, float]:
    tenth = max(len(actual) // 10, 1)
    best = np.argsort(-revenue_predicted, kind="stable")[:tenth]
    total = actual.revenue.sum()
    return {
        "orders_actual": actual.orders.sum(),
        "orders_predicted": orders_predicted.sum(),
        "revenue_actual": total,
        "revenue_predicted": revenue_predicted.sum(),
        "mae_orders": np.abs(actual.orders.to_numpy() - orders_predicted).mean(),
        "top_decile_capture": actual.revenue.to_numpy()[best].sum() / total if total else float("nan"),
    }
