"""How well the forecast would have done, and whether another model would have done better."""

from crm_utils.backtest.challengers import better, challenge, others
from crm_utils.backtest.trials import (
    FORECAST,
    LAST_YEAR,
    MEAN_RATE,
    MODEL,
    REPEAT_PERIOD,
    calibration,
    last_calibration,
    origins,
    past_error,
    rolling,
    trial,
    with_intervals,
)

__all__ = [
    "FORECAST",
    "LAST_YEAR",
    "MEAN_RATE",
    "MODEL",
    "REPEAT_PERIOD",
    "better",
    "calibration",
    "challenge",
    "last_calibration",
    "origins",
    "others",
    "past_error",
    "rolling",
    "trial",
    "with_intervals",
]
