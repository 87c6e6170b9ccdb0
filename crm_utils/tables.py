"""Tables as they stand on a page: formatted, captioned, with nothing computed.

A column is written the same way in every table: its name decides heading and format.
"""

from collections.abc import Callable

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils import formats

COUNT, SHARE, MONEY, CENTS, POINTS = "count", "share", "money", "cents", "points"

WRITTEN = {  # column: (format, heading where the name does not do)
    "rows_removed": (COUNT, None),
    "rows_left": (COUNT, None),
    "customers_left": (COUNT, None),
    "revenue_removed": (CENTS, None),
    "revenue_left": (CENTS, None),
    "revenue": (MONEY, None),
    "orders": (COUNT, None),
    "customers": (COUNT, None),
    "new_customers": (COUNT, None),
    "customer_share": (SHARE, "Of customers"),
    "revenue_share": (SHARE, "Of revenue"),
    "recency_days": (COUNT, "Days since last order, mean"),
    "mean_orders": ("{:.1f}", "Orders, mean"),
    "mean_order_value": (CENTS, None),
    "days": (COUNT, None),
    "purchase_days": (COUNT, None),
    "orders_actual": (COUNT, "Purchase days, actual"),
    "orders_predicted": (COUNT, "Purchase days, forecast"),
    "revenue_actual": (MONEY, "Revenue, actual"),
    "revenue_predicted": (MONEY, "Revenue, forecast"),
    "mae_orders": ("{:.3f}", "Mean error a customer, days"),
    "top_decile_capture": (SHARE, "Revenue caught by its top tenth"),
    "value": ("{:,.4f}", None),
    "expected_orders": (COUNT, "Expected purchase days"),
    "expected_revenue": (MONEY, None),
    "clv": (MONEY, "CLV"),
    "clv_per_customer": (CENTS, "CLV a customer"),
    "contacts": (COUNT, None),
    "spend": (CENTS, None),
    "expected_profit": (CENTS, None),
    "roi": (SHARE, "Profit ÷ spend"),
    "break_even_lift": (POINTS, "Break-even lift, points"),
    "max_cost_per_contact": (CENTS, "Most a contact may cost"),
    "contact_cost": (CENTS, None),
    "incentive": (CENTS, None),
    "redemption": (SHARE, None),
    "fixed_cost": (CENTS, None),
    "delivered": (SHARE, None),
    "lift": (POINTS, "Lift, points"),
    "pulled_forward": (SHARE, None),
    "window_days": (COUNT, "Window, days"),
}
LONG_TEXTS = ("meaning", "advice", "action", "reason")


def styled(frame: pd.DataFrame, caption: str, currency: str = "", headings: dict[str, str] | None = None) -> Styler:
    """The frame with its caption, each column written by its name; `headings` overrides. Text is escaped, ids are fixed."""
    names = {column: (headings or {}).get(column) or _heading(column) for column in frame.columns}
    classes = {names[column]: _class(frame[column]) for column in frame.columns}
    identity = "t" + "".join(letter for letter in caption.lower() if letter.isascii() and letter.isalnum())[:24]
    style = frame.rename(columns=names).style.hide(axis="index").set_caption(caption).set_uuid(identity)
    style = style.set_table_attributes('class="crm"')
    style = style.set_td_classes(pd.DataFrame(classes, index=frame.index))
    for column in frame.columns:
        style = style.format(_writer(column, currency), subset=[names[column]], na_rep="–", escape="html")
    return style


def _heading(column: str) -> str:
    return WRITTEN.get(column, (None, None))[1] or column.replace("_", " ").capitalize()


def _class(column: pd.Series) -> str:
    if column.name in LONG_TEXTS:
        return "text long"
    return "number" if column.name in WRITTEN or pd.api.types.is_numeric_dtype(column) else "text"


def _writer(column: str, currency: str) -> Callable[[object], str] | str | None:
    kind = WRITTEN.get(column, (None, None))[0]
    writers = {
        COUNT: formats.count,
        SHARE: formats.percent,
        MONEY: lambda amount: formats.money(amount, currency, 0),
        CENTS: lambda amount: formats.money(amount, currency, 2),
        POINTS: lambda share: f"{share * 100:.1f}",
    }
    return writers.get(kind, kind)


def cleaning_log(log: pd.DataFrame, currency: str) -> Styler:
    return styled(log, "What each rule removed and what was left after it", currency)


def months(months: pd.DataFrame, currency: str) -> Styler:
    names = months.month.dt.strftime("%B %Y") + months.complete.map({True: "", False: " (incomplete)"})
    return styled(
        months.assign(month=names).drop(columns="complete"), "Revenue, orders and customers by month", currency
    )


def cut_points(cuts: pd.DataFrame, currency: str) -> Styler:
    """Limits differ in unit from measure to measure, so each is written with its own."""
    units = {
        "recency": lambda value: formats.plural(value, "day"),
        "frequency": lambda value: formats.plural(value, "order"),
        "monetary": lambda value: formats.money(value, currency),
    }
    shown = cuts.assign(measure=cuts.measure.str.capitalize()).astype({"lowest": object, "highest": object})
    for column in ("lowest", "highest"):
        limits = zip(cuts.measure, cuts[column], strict=True)
        shown[column] = [units[measure](limit) if pd.notna(limit) else None for measure, limit in limits]
    return styled(shown, "The limits of each score class", currency, {"lowest": "From", "highest": "To"})


def profile(profile: pd.DataFrame, currency: str) -> Styler:
    shown = profile.drop(columns="advice").rename(columns={"orders": "mean_orders"})
    return styled(shown, "The segments on this date", currency)


def advice(profile: pd.DataFrame, meaning: dict[str, str]) -> Styler:
    shown = profile.assign(meaning=profile.segment.map(meaning))[["segment", "meaning", "advice"]]
    return styled(shown, "What each segment means and what to do", headings={"advice": "What to do"})


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


def budget(plan: pd.DataFrame, currency: str) -> Styler:
    shown = plan.drop(columns="roi")
    headings = {"customers": "Eligible", "basis": "Lift is", "reason": "Why"}
    return styled(shown, "Every campaign × segment that was weighed", currency, headings)


def campaigns(campaigns: pd.DataFrame, currency: str) -> Styler:
    shown = campaigns.drop(columns=["group", "where", "segments"])
    return styled(shown, "What each campaign costs and changes", currency, {"name": "Campaign", "basis": "Figures are"})


def verdicts(verdicts: pd.DataFrame, currency: str) -> Styler:
    return styled(verdicts, "What the plan does for each segment", currency)
