"""The tables of 04_cltv."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.cleaning.labels import rule_label
from crm_utils.cltv.backtest.narrative import FREQUENCY_LABELS, MODEL_LABELS
from crm_utils.cltv.worked_example import Example
from crm_utils.core.constants import ALL
from crm_utils.core.display.table_style import style_table
from crm_utils.core.formatting import NumberFormat, day

FORECAST_COLUMNS = ["purchase_days", "revenue", "revenue_low", "revenue_high"]
BACKTEST_COLUMNS = [
    "origin",
    "model",
    "weight",
    "purchase_days_actual",
    "purchase_days_predicted",
    "revenue_actual",
    "revenue_predicted",
    "revenue_low",
    "revenue_high",
]
MONTH_DECIMALS = {"until_days": 0, "expected_purchase_days": 4, "factor": 4, "profit": 2, "discount": 4, "clv": 2}
MONTH_HEADINGS = {
    "until_days": "Days from today",
    "expected_purchase_days": "Expected purchase days",
    "factor": "Factor",
    "profit": "Profit",
    "discount": "× (1 + discount)^(−month ÷ 12)",
    "clv": "CLV",
}
ARTICLE_HEADINGS = {
    "article_tier": "Group",
    "cltv": "CLTV of the tutorial",
    "cltv_scaled": "Scaled 1 to 100, median customer",
}

FORECAST_CAPTION = "Expected from today’s customers, before margin and not discounted"
RANGE_CAPTION = ", with the range that should contain the actual revenue nine times in ten"
RANGE_COLUMNS = ["revenue_low", "revenue_high"]
WHOLE_CAPTION = "Revenue of the whole business, and of as many months before the analysis date"
TRACK_CAPTION = "Forecasts of earlier dates of this report that are over"
WHOLE_RECORD_CAPTION = "Past forecasts of the whole business by their length; tests overlap"
RECORD_CAPTION = "Past forecasts by their length; tests overlap"
BACKTEST_CAPTION = "Forecasts for past dates, and what happened"
BY_SEGMENT_CAPTION = "The last test by segment"
BY_FREQUENCY_CAPTION = "The last test by past purchases"
GRID_CAPTION = "{values}, by repeat purchase days and days since the last one"
P_ALIVE_VALUES = "Still active, percent"
PURCHASES_VALUES = "Expected purchase days in the next year"
DECILES_CAPTION = "CLV by tenth of customers ({assumptions})"
PARAMETERS_CAPTION = "Fitted parameters (time in days, money in the report’s currency) and assumptions"
MOST_VALUABLE_CAPTION = "The {customers} with the highest CLV ({assumptions})"
LOOK_UP_CAPTION = "The {customers} with the highest CLV, to sort and look up ({assumptions})"
CHURNED_CAPTION = "Top 10% customers by past revenue who have gone quiet, highest revenue first ({assumptions})"
SEGMENT_VALUES_CAPTION = "Expected in the next 12 months, by segment ({assumptions})"
LINES_CAPTION = "What this customer ordered, line by line"
LINES_LEFT_OUT_CAPTION = "What this customer ordered, line by line, and the rule that removed a line"
ORDERS_CAPTION = "The lines that count, added up by order"
CANCELLED_ORDERS_CAPTION = "The lines that count, added up by order, less later cancellations"
STEPS_CAPTION = "From the orders to a year’s profit (money in the report’s currency)"
MONTHS_CAPTION = "Lifetime value, month by month: expected purchase days × factor × value × margin, discounted"
ARTICLE_CAPTION = "The tutorial’s three groups"


def forecast_table(totals: pd.DataFrame, fmt: NumberFormat, tested: bool = True) -> Styler:
    """Return the forecast of all customers by horizon, with a range only if `tested`."""
    table = totals.loc[totals.segment == ALL, FORECAST_COLUMNS].copy()
    table.insert(0, "horizon", [fmt.plural(months, "month") for months in totals.months[totals.segment == ALL]])
    if not tested:
        return style_table(table.drop(columns=RANGE_COLUMNS), FORECAST_CAPTION, fmt, {"horizon": "In the next"})
    return style_table(table, FORECAST_CAPTION + RANGE_CAPTION, fmt, {"horizon": "In the next"})


def whole_business_table(whole: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return the forecast of the whole business by horizon, beside as many months before."""
    shown = whole.drop(columns=["months", "horizon_days"])
    shown.insert(0, "horizon", [fmt.plural(months, "month") for months in whole.months])
    return style_table(shown, WHOLE_CAPTION, fmt, {"horizon": "In the next"})


def track_record_table(track: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return the forecasts of earlier dates that are over, and what happened."""
    shown = track.assign(
        made_on=[day(moment) for moment in track.made_on],
        months=[fmt.plural(months, "month") for months in track.months],
    )
    return style_table(shown, TRACK_CAPTION, fmt, {"made_on": "Made on", "months": "For the next"})


def horizon_record_table(records: pd.DataFrame, fmt: NumberFormat, caption: str = RECORD_CAPTION) -> Styler:
    """Return how accurate the tests of each length were, and how many of their ranges held."""
    shown = records.drop(columns="horizon_days")
    shown.insert(0, "horizon", [fmt.plural(days, "day") for days in records.horizon_days])
    return style_table(shown, caption, fmt, {"horizon": "Length"})


def backtest_table(tests: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return tests of every model."""
    shown = tests[BACKTEST_COLUMNS].assign(
        origin=[day(origin) for origin in tests.origin],
        model=tests.model.map(MODEL_LABELS),
    )
    return style_table(shown, BACKTEST_CAPTION, fmt, {"origin": "Made on", "model": "Method"})


def backtest_by_segment_table(by_segment: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return the last test by segment."""
    return style_table(by_segment, BY_SEGMENT_CAPTION, fmt)


def backtest_by_frequency_table(by_frequency: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return purchase days per customer in the last test, by how often customers had bought again."""
    shown = pd.DataFrame(
        {
            "bought_again": by_frequency.repeat_purchases.map(FREQUENCY_LABELS),
            "customers": by_frequency.customers,
            "days_predicted": by_frequency.purchase_days_predicted / by_frequency.customers,
            "days_actual": by_frequency.purchase_days_actual / by_frequency.customers,
        }
    )
    return style_table(shown, BY_FREQUENCY_CAPTION, fmt)


def p_alive_grid_table(grid: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return p_alive in percent: a row for each number of repeat purchase days, a column for days since the last."""
    return _grid_table(grid.assign(shown=(grid.p_alive * 100).round().astype(int)), P_ALIVE_VALUES, fmt)


def expected_purchases_grid_table(grid: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return expected purchase days of the next year, laid out as `p_alive_grid_table`."""
    return _grid_table(grid.assign(shown=grid.expected_purchase_days_12m.round(1)), PURCHASES_VALUES, fmt)


def deciles_table(deciles: pd.DataFrame, assumptions: str, fmt: NumberFormat) -> Styler:
    """Return the share of expected value in each tenth of customers."""
    return style_table(deciles, DECILES_CAPTION.format(assumptions=assumptions), fmt, {"decile": "Tenth"})


def parameters_table(fitted_parameters: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return the fitted parameters, their standard errors and the assumptions."""
    shown = fitted_parameters.assign(parameter=fitted_parameters.parameter.str.replace("_", " ")).drop(columns="note")
    return style_table(shown, PARAMETERS_CAPTION, fmt)


def most_valuable_table(best: pd.DataFrame, assumptions: str, fmt: NumberFormat) -> Styler:
    """Return the customers of highest expected value."""
    shown = best[["customer_id", "segment", "purchase_days", "chance_12m", "clv"]]
    caption = MOST_VALUABLE_CAPTION.format(customers=fmt.plural(len(best), "customer"), assumptions=assumptions)
    return style_table(shown, caption, fmt)


def top_customers_table(best: pd.DataFrame, assumptions: str, fmt: NumberFormat) -> Styler:
    """Return more of the most valuable customers with more columns, to find one of them."""
    columns = ["customer_id", "segment", "purchase_days", "silent_days", "mean_purchase_value", "chance_12m", "clv"]
    caption = LOOK_UP_CAPTION.format(customers=fmt.plural(len(best), "customer"), assumptions=assumptions)
    return style_table(best[columns], caption, fmt)


def churned_table(churned: pd.DataFrame, assumptions: str, fmt: NumberFormat) -> Styler:
    """Return the best customers by past revenue who have gone quiet."""
    shown = churned[["customer_id", "segment", "past_revenue", "silent_days", "chance_6m", "chance_12m", "clv"]]
    return style_table(shown, CHURNED_CAPTION.format(assumptions=assumptions), fmt)


def segment_values_table(by_segment: pd.DataFrame, assumptions: str, fmt: NumberFormat) -> Styler:
    """Return expected purchases, revenue and value by segment, with totals."""
    summed = ("customers", "expected_purchase_days_12m", "expected_revenue_12m", "clv")
    return style_table(by_segment, SEGMENT_VALUES_CAPTION.format(assumptions=assumptions), fmt, total=summed)


def example_tables(example: Example, fmt: NumberFormat) -> list[Styler]:
    """Return every step of one customer's value: order lines, orders, the calculation, and the months."""
    return [
        _lines_table(example.lines, fmt),
        _orders_table(example.orders, fmt),
        style_table(example.steps, STEPS_CAPTION, fmt),
        _months_table(example.months, fmt),
    ]


def article_table(article: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Return the tutorial's three groups of customers."""
    tiers = article.groupby("article_tier").agg(
        customers=("cltv", "size"),
        revenue=("revenue", "sum"),
        cltv=("cltv", "sum"),
        cltv_scaled=("cltv_scaled", "median"),
    )
    return style_table(tiers.reset_index(), ARTICLE_CAPTION, fmt, ARTICLE_HEADINGS)


def _grid_table(grid: pd.DataFrame, values: str, fmt: NumberFormat) -> Styler:
    table = grid.pivot(index="repeat_purchase_days", columns="silent_days", values="shown")
    table.columns = [fmt.plural(days, "day") for days in table.columns]
    headings = {"repeat_purchase_days": "Repeat purchase days"}
    return style_table(table.reset_index(), GRID_CAPTION.format(values=values), fmt, headings)


def _lines_table(lines: pd.DataFrame, fmt: NumberFormat) -> Styler:
    left_out = lines.removed_by.notna().any()
    known = [column for column in ("order_id", "product_id", "quantity", "unit_price") if column in lines.columns]
    columns = ["day", *known, "amount", *(["removed_by"] if left_out else [])]
    shown = lines.assign(day=[day(moment) for moment in lines.ordered_at])[columns]
    if left_out:
        shown["removed_by"] = shown.removed_by.map(rule_label, na_action="ignore")
    caption = LINES_LEFT_OUT_CAPTION if left_out else LINES_CAPTION
    return style_table(shown, caption, fmt, {"removed_by": "Left out by"})


def _orders_table(orders: pd.DataFrame, fmt: NumberFormat) -> Styler:
    cancelled = orders.taken_back.ne(0).any()
    amounts = ["placed", "taken_back", "left"] if cancelled else ["left"]
    shown = orders.assign(day=[day(moment) for moment in orders.day], left=orders.revenue)
    caption = CANCELLED_ORDERS_CAPTION if cancelled else ORDERS_CAPTION
    return style_table(shown[["day", "order_id", "lines", *amounts, "purchase_day"]], caption, fmt)


def _months_table(months: pd.DataFrame, fmt: NumberFormat) -> Styler:
    total = months[["expected_purchase_days", "profit", "clv"]].sum().to_frame().T.assign(month="All")
    table = pd.concat([months.astype({"month": "str"}), total], ignore_index=True)
    for column, decimals in MONTH_DECIMALS.items():
        table[column] = [fmt.number(value, decimals) if pd.notna(value) else "" for value in table[column]]
    # The columns are renamed to their headings, because their numbers are text already.
    shown = table[["month", *MONTH_DECIMALS]].rename(columns=MONTH_HEADINGS)
    return style_table(shown, MONTHS_CAPTION, fmt, {heading: heading for heading in MONTH_HEADINGS.values()})
