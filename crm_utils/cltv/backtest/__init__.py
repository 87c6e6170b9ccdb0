"""Backtests: how accurate past forecasts were, and the combination of forecasts that they lead to."""

from crm_utils.cltv.backtest.breakdown import (
    backtest_by_frequency,
    backtest_by_segment,
    last_backtest,
    segments_as_of,
)
from crm_utils.cltv.backtest.rolling_origin import COMBINATION, Backtest, DayForecast

__all__ = [
    "COMBINATION",
    "Backtest",
    "DayForecast",
    "backtest_by_frequency",
    "backtest_by_segment",
    "last_backtest",
    "segments_as_of",
]
