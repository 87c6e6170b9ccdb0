"""Tables of 04_cltv."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.cltv.backtest.narrative import FREQUENCY_LABELS, MODEL_LABELS
from crm_utils.cltv.worked_example import Example
from crm_utils.core import formatting
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table


def forecast(outlook: pd.DataFrame, currency: str) -> Styler:
    shown = outlook[outlook.segment == "all"]
    horizon = [formatting.plural(months, "month") for months in shown.months]
    columns = [
        "purchase_days",
        "revenue",
        "revenue_low",
        "revenue_high",
        "revenue_without_seasonality",
        "seasonal_factor",
    ]
    if shown.seasonal_factor[shown.months < 12].isna().all():
        columns = columns[:4]
    table = shown[columns].copy()
    table.insert(0, "horizon", horizon)
    caption = "Expected from today’s customers, before margin and not discounted, with the range that should hold nine times in ten"
    return style_table(table, caption, currency, {"horizon": "In the next"})


def backtest(backtest: pd.DataFrame, currency: str) -> Collapsible | None:
    if backtest.empty:
        return None
    columns = ["origin", "model", "purchase_days_actual", "purchase_days_predicted", "revenue_actual", "revenue_predicted", "revenue_low", "revenue_high", "seasonal_factor", "mae_purchase_days", "top_decile_capture"]  # fmt: skip
    shown = backtest[columns].assign(
        origin=[formatting.day(origin) for origin in backtest.origin], model=backtest.model.map(MODEL_LABELS)
    )
    table = style_table(
        shown, "Forecasts made at past dates, and what came", currency, {"origin": "Made on", "model": "Method"}
    )
    return collapsible("All tests in numbers", table)


def parts(parts: pd.DataFrame, currency: str) -> Styler | None:
    return None if parts.empty else style_table(parts, "The last test by segment", currency)


def classes(classes: pd.DataFrame) -> Styler | None:
    if classes.empty:
        return None
    means = {f"days_{kind}": classes[f"purchase_days_{kind}"] / classes.customers for kind in ("predicted", "actual")}
    return style_table(
        pd.DataFrame(
            {"bought_again": classes.repeat_purchases.map(FREQUENCY_LABELS), "customers": classes.customers, **means}
        ),
        "The last test by past purchases",
    )


def activity(grid: pd.DataFrame) -> list[Styler]:
    """The two maps as tables: a row for each number of repeat purchase days, a column for days since the last."""
    shown = {
        "Still active, percent": (grid.p_alive * 100).round().astype(int),
        "Expected purchase days of the next year": grid.expected_purchase_days_12m.round(1),
    }
    return [_map(grid.assign(shown=values), caption) for caption, values in shown.items()]


def _map(grid: pd.DataFrame, caption: str) -> Styler:
    table = grid.pivot(index="repeat_purchase_days", columns="silent_days", values="shown")
    table.columns = [formatting.plural(days, "day") for days in table.columns]
    names = {"repeat_purchase_days": "Repeat purchase days"}
    return style_table(
        table.reset_index(), f"{caption}, by repeat purchase days and days since the last", headings=names
    )


def deciles(deciles: pd.DataFrame, terms: str) -> Collapsible:
    table = style_table(deciles, f"Expected value by tenth of customers ({terms})", headings={"decile": "Tenth"})
    return collapsible("The numbers behind the figure", table)


def model(model: pd.DataFrame, *notes: object) -> Collapsible:
    shown = model.assign(parameter=model.parameter.str.replace("_", " ")).drop(columns="note")
    table = style_table(shown, "Fitted parameters (time in days, money in the report’s currency) and assumptions")
    return collapsible("Parameters, standard errors, fit and assumptions", *notes, table)


def most_valuable(listed: pd.DataFrame, terms: str, currency: str) -> Styler:
    shown = listed[["customer_id", "segment", "purchase_days", "p_alive", "clv"]]
    return style_table(shown, f"The ten customers of highest expected value ({terms})", currency)


def look_up(listed: pd.DataFrame, terms: str, currency: str) -> Collapsible:
    """More of the same to find a customer in; its headings sort it."""
    columns = ["customer_id", "segment", "purchase_days", "silent_days", "mean_purchase_value", "p_alive", "clv"]
    number = formatting.plural(len(listed), "customer")
    table = style_table(
        listed[columns], f"The {number} of highest expected value, to sort and look up ({terms})", currency
    )
    return collapsible(f"Look a customer up: the {number} of highest expected value", table)


def quiet(listed: pd.DataFrame, terms: str, currency: str) -> Styler | None:
    if listed.empty:
        return None
    shown = listed[["customer_id", "segment", "past_revenue", "silent_days", "p_alive", "clv"]]
    return style_table(
        shown, f"Best customers of the past, more likely gone than not: those who had brought most ({terms})", currency
    )


def segment_values(totals: pd.DataFrame, terms: str, currency: str) -> Collapsible:
    summed = ("customers", "expected_purchase_days_12m", "expected_revenue_12m", "clv")
    table = style_table(totals, f"Expected in the next 12 months, by segment ({terms})", currency, total=summed)
    return collapsible("All segments in numbers", table)


def example(example: Example, currency: str) -> Collapsible:
    return collapsible(
        "Every step, from order lines to lifetime value",
        _lines(example.lines, currency),
        _orders(example.orders, currency),
        style_table(example.steps, "From there to a year’s profit (money in the report’s currency)"),
        _months(example.months),
    )


def _lines(lines: pd.DataFrame, currency: str) -> Styler:
    left_out = lines.removed_by.notna().any()
    shown = [column for column in ("order_id", "product_id", "quantity", "unit_price") if column in lines.columns]
    bought = lines.assign(day=[formatting.day(moment) for moment in lines.ordered_at])
    bought = bought[["day", *shown, "amount", *(["removed_by"] if left_out else [])]]
    caption = "What this customer ordered, line by line" + (", and the rule that left a line out" if left_out else "")
    return style_table(bought, caption, currency, {"removed_by": "Left out by"})


def _orders(orders: pd.DataFrame, currency: str) -> Styler:
    back = orders.taken_back.ne(0).any()
    columns = ["day", "order_id", "lines", *(["placed", "taken_back"] if back else []), "left", "purchase_day"]
    shown = orders.assign(day=[formatting.day(moment) for moment in orders.day], left=orders.revenue)[columns]
    caption = "The lines that count, added up by order" + (", less what was cancelled later" if back else "")
    return style_table(shown, caption, currency)


def _months(months: pd.DataFrame) -> Styler:
    total = months[["expected_purchase_days", "profit", "clv"]].sum().to_frame().T.assign(month="All")
    months = pd.concat([months.astype({"month": "str"}), total], ignore_index=True)
    for column, decimals in {
        "until_days": 0,
        "expected_purchase_days": 4,
        "profit": 2,
        "discount": 4,
        "clv": 2,
    }.items():
        months[column] = [f"{value:,.{decimals}f}" if pd.notna(value) else "" for value in months[column]]
    names = {"until_days": "Days from today", "expected_purchase_days": "Expected purchase days", "profit": "Profit", "discount": "× (1 + discount)^(−month ÷ 12)", "clv": "CLV"}  # fmt: skip
    return style_table(
        months.rename(columns=names)[["month", *names.values()]],
        "Lifetime value, month by month: expected purchase days × value × margin, discounted",
        headings={"CLV": "CLV"},
    )


def article(article: pd.DataFrame, currency: str, note: object) -> Collapsible:
    tiers = article.groupby("article_tier").agg(
        customers=("cltv", "size"),
        revenue=("revenue", "sum"),
        cltv=("cltv", "sum"),
        cltv_scaled=("cltv_scaled", "median"),
    )
    names = {"cltv": "CLTV of the article", "cltv_scaled": "Scaled 1 to 100, middle customer"}
    table = style_table(tiers.reset_index(), "The article’s three groups", currency, names)
    return collapsible("The article’s groups, and its forecast", table, note)
