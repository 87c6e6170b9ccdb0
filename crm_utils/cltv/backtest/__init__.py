"""Backtests: how accurate past forecasts were, and the combination of forecasts that they lead to."""

from crm_utils.cltv.backtest.breakdown import (
    backtest_by_frequency,
    backtest_by_segment,
    last_backtest,
    segments_as_of,
)
from crm_utils.cltv.backtest.past_tests import list_tests
from crm_utils.cltv.backtest.record import record_by_horizon, separate_tests, track_record
from crm_utils.cltv.backtest.rolling_origin import COMBINATION, Backtest, DayForecast

__all__ = [
    "COMBINATION",
    "Backtest",
    "DayForecast",
    "backtest_by_frequency",
    "backtest_by_segment",
    "last_backtest",
    "list_tests",
    "record_by_horizon",
    "segments_as_of",
    "separate_tests",
    "track_record",
]
