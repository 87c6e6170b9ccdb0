"""Tables of 04_cltv."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.tables import styled


def forecast(totals: pd.DataFrame, currency: str) -> Styler:
    caption = "Expected from today’s customers, before margin and not discounted"
    return styled(totals.rename(columns={"orders": "purchase_days"}), caption, currency, {"horizon": "In the next"})


def backtest(backtest: pd.DataFrame, currency: str) -> Styler:
    shown = backtest.drop(columns=["origin", "horizon_days"])
    return styled(shown, "Forecasts made at the start of the test, and what came", currency)


def model(model: pd.DataFrame) -> Styler:
    shown = model.drop(columns="standard_error").assign(parameter=model.parameter.str.replace("_", " "))
    return styled(shown, "Fitted parameters (time in days, money in the report’s currency) and assumptions")


def segment_values(totals: pd.DataFrame, currency: str) -> Styler:
    return styled(totals, "Expected in the next 12 months, and lifetime value, by segment", currency)
