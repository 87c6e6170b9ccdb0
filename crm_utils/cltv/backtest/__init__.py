"""How well the forecast would have done, and whether another model would have done better."""

from crm_utils.cltv.backtest.breakdown import by_customer, by_frequency, by_segment, last_test, segments_on
from crm_utils.cltv.backtest.model_comparison import better, challenge, logged, others
from crm_utils.cltv.backtest.rolling_origin import (
    FORECAST,
    LAST_YEAR,
    MEAN_RATE,
    MODEL,
    REPEAT_PERIOD,
    origins,
    past_error,
    rolling,
    trial,
    with_intervals,
    year_before,
)

__all__ = [
    "by_customer",
    "by_frequency",
    "by_segment",
    "last_test",
    "segments_on",
    "FORECAST",
    "LAST_YEAR",
    "MEAN_RATE",
    "MODEL",
    "REPEAT_PERIOD",
    "better",
    "challenge",
    "logged",
    "origins",
    "others",
    "past_error",
    "rolling",
    "trial",
    "with_intervals",
    "year_before",
]
