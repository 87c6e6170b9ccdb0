"""Backtests: how accurate past forecasts were, and whether another model would have been better."""

from crm_utils.cltv.backtest.breakdown import (
    backtest_by_customer,
    backtest_by_frequency,
    backtest_by_segment,
    last_backtest,
    segments_as_of,
)
from crm_utils.cltv.backtest.model_comparison import (
    append_challenger_rows,
    best_challenger,
    challengers_of,
    compare_models,
)
from crm_utils.cltv.backtest.rolling_origin import (
    BacktestModel,
    add_intervals,
    backtest_origin,
    backtest_origins,
    backtest_year_before,
    forecast_error_before,
    rolling_origin_backtest,
)

__all__ = [
    "BacktestModel",
    "backtest_by_customer",
    "backtest_by_frequency",
    "backtest_by_segment",
    "last_backtest",
    "segments_as_of",
    "best_challenger",
    "compare_models",
    "append_challenger_rows",
    "backtest_origins",
    "challengers_of",
    "forecast_error_before",
    "rolling_origin_backtest",
    "backtest_origin",
    "add_intervals",
    "backtest_year_before",
]
