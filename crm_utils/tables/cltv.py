"""Tables of 04_cltv."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils import formats
from crm_utils.tables import Folded, folded, styled


def forecast(outlook: pd.DataFrame, currency: str) -> Styler:
    shown = outlook[outlook.segment == "all"]
    horizon = [formats.plural(months, "month") for months in shown.months]
    columns = ["orders", "revenue", "revenue_low", "revenue_high", "unadjusted_revenue", "season"]
    if shown.season[shown.months < 12].isna().all():
        columns = columns[:4]
    table = shown[columns].rename(columns={"orders": "purchase_days"})
    table.insert(0, "horizon", horizon)
    caption = "Expected from today’s customers, before margin and not discounted, with the range that should hold nine times in ten"
    return styled(table, caption, currency, {"horizon": "In the next"})


def backtest(backtest: pd.DataFrame, currency: str) -> Folded | None:
    if backtest.empty:
        return None
    columns = ["origin", "method", "orders_actual", "orders_predicted", "revenue_actual", "revenue_predicted", "revenue_low", "revenue_high", "season", "mae_orders", "top_decile_capture"]  # fmt: skip
    shown = backtest[columns].assign(origin=[formats.day(origin) for origin in backtest.origin])
    table = styled(shown, "Forecasts made at past dates, and what came", currency, {"origin": "Made on"})
    return folded("All tests in numbers", table)


def calibration(classes: pd.DataFrame) -> Styler:
    return styled(classes, "Purchase days a customer in the last test")


def model(model: pd.DataFrame, *notes: object) -> Folded:
    shown = model.assign(parameter=model.parameter.str.replace("_", " ")).drop(columns="note")
    table = styled(shown, "Fitted parameters (time in days, money in the report’s currency) and assumptions")
    return folded("Parameters, standard errors, fit and assumptions", *notes, table)


def customers(listed: pd.DataFrame, caption: str, currency: str) -> Styler:
    return styled(listed.drop(columns=["clv_low", "clv_high"]), caption, currency)


def quiet(listed: pd.DataFrame, currency: str) -> Styler | None:
    if listed.empty:
        return None
    return customers(listed, "Best customers of the past who are more likely gone than not", currency)


def segment_values(totals: pd.DataFrame, currency: str) -> Folded:
    caption = "Expected in the next 12 months, and lifetime value, by segment"
    summed = ("customers", "expected_orders", "expected_revenue", "clv")
    table = styled(totals, caption, currency, total=summed)
    return folded("All segments in numbers", table)


def example(days: pd.DataFrame, steps: pd.DataFrame, currency: str) -> Folded:
    bought = days.assign(day=[formats.day(day) for day in pd.to_datetime(days.day)])
    return folded(
        "Every step, from purchase days to lifetime value",
        styled(bought, "What this customer bought", currency),
        styled(steps, "From there to lifetime value (days, probabilities, and money in the report’s currency)"),
    )


def article(article: pd.DataFrame, currency: str, note: object) -> Folded:
    tiers = article.groupby("tier").agg(
        customers=("cltv", "size"),
        revenue=("revenue", "sum"),
        cltv=("cltv", "sum"),
        cltv_scaled=("cltv_scaled", "median"),
    )
    names = {"cltv": "CLTV of the article", "cltv_scaled": "Scaled 1 to 100, middle customer"}
    table = styled(tiers.reset_index(), "The article’s three groups", currency, names)
    return folded("The article’s groups, and its forecast", table, note)
