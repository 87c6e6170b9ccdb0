"""Tables as they stand on a page: formatted, captioned, with nothing computed. One module a notebook.

A column is written the same way in every table: its name decides heading and format.
"""

from collections.abc import Callable
from html import escape

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
    "revenue_new": (MONEY, "Revenue of customers won later"),
    "revenue_low": (MONEY, "Low end"),
    "revenue_high": (MONEY, "High end"),
    "unadjusted_revenue": (MONEY, "Without season"),
    "past_revenue": (MONEY, "Revenue so far"),
    "mean_value": (CENTS, "Value of a purchase day"),
    "silent_days": (COUNT, "Days silent"),
    "p_alive": (SHARE, "Still active"),
    "historic_clv": (MONEY, "From the past alone"),
    "standard_error": ("{:,.4f}", None),
    "season": ("×{:.2f}", None),
    "value": ("{:,.4f}", None),
    "expected_orders": (COUNT, "Expected purchase days"),
    "expected_revenue": (MONEY, None),
    "clv": (MONEY, "CLV"),
    "clv_low": (MONEY, "CLV, low end"),
    "clv_high": (MONEY, "CLV, high end"),
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
    "in_the_cell": (COUNT, "Customers in the cell"),
    "differ": (COUNT, "Customers scored otherwise"),
    "other": (COUNT, "Customers, default method"),
    "customers_then": (COUNT, "Customers then"),
    "revenue_change": (MONEY, "Revenue, change"),
    "bought": (COUNT, None),
    "stayed silent": (COUNT, None),
    "cut points moved by old customers": (COUNT, None),
    "cut points moved by newcomers": (COUNT, None),
    "arrivals less departures": (COUNT, None),
    "new": (COUNT, None),
    "loyal": (COUNT, None),
    "occasional": (COUNT, None),
    "at risk": (COUNT, None),
    "churned": (COUNT, None),
    "size": (COUNT, None),
    "kept": (SHARE, "Keep the segment"),
    "shaky": (COUNT, "Customers below one half"),
    "typical_recency_days": (COUNT, "Days since last order, median"),
    "typical_orders": (COUNT, "Orders, median"),
    "typical_revenue": (MONEY, "Revenue, median"),
    "main_share": (SHARE, "Of the cluster"),
    "price_focused": (SHARE, "Pay below the usual price"),
    "premium": (SHARE, "Pay above it"),
    "distinct_products": (COUNT, "Products bought"),
    "return_share": (SHARE, "Returned"),
    "main_country_share": (SHARE, "Of the segment"),
    "strength": ("{:.2f}", "Strength (0 to 1)"),
    "share_of_all": (SHARE, "Of all customers"),
    "control": (COUNT, "Held back"),
    "reachable": (COUNT, "May be contacted"),
    "share": (SHARE, None),
    "budget": (CENTS, None),
    "unspent": (CENTS, "Left unspent"),
    "profit_low": (CENTS, "Profit, low"),
    "profit_high": (CENTS, "Profit, high"),
    "lift_planned": (None, "Lift planned with, points"),
    "lift_low": (POINTS, "Lift, low"),
    "lift_high": (POINTS, "Lift, high"),
    "flip_lift": (POINTS, "Flip point, points"),
    "detectable_lift": (POINTS, "Lift that will be seen, points"),
    "chance_anyway": (SHARE, "Buy anyway"),
    "margin": (CENTS, "Margin of an added order"),
    "added_margin": (CENTS, "Margin of added orders"),
    "incentives_added": (CENTS, "Incentives, added orders"),
    "incentives_anyway": (CENTS, "Incentives to who would buy anyway"),
    "contact_costs": (CENTS, None),
    "fixed_costs": (CENTS, None),
    "loss": (CENTS, "Result of contacting all"),
    "in_cell": (COUNT, "Customers in the cell"),
    "in_rule": (COUNT, "Customers the rule finds"),
    "predicted": (SHARE, "Model"),
    "calibrated": (SHARE, "Corrected"),
    "actual": (SHARE, "Came"),
    "error": (POINTS, "Error, points"),
    "treated": (COUNT, "Contacted"),
    "bought_treated": (SHARE, "Contacted who bought"),
    "bought_control": (SHARE, "Held back who bought"),
    "earned": (MONEY, None),
    "earned_low": (MONEY, "Earned, low"),
    "earned_high": (MONEY, "Earned, high"),
    "promised": (MONEY, None),
    "capacity": (COUNT, "Contacts at most"),
    "min_spend": (CENTS, "Spend at least"),
    "max_spend": (CENTS, "Spend at most"),
}
LONG_TEXTS = ("meaning", "advice", "action", "reason", "finding")


def styled(frame: pd.DataFrame, caption: str, currency: str = "", headings: dict[str, str] | None = None) -> Styler:
    """The frame with its caption, each column written by its name; `headings` overrides. Text is escaped, ids are fixed."""
    names = {column: (headings or {}).get(column) or heading(column) for column in frame.columns}
    classes = {names[column]: _class(frame[column]) for column in frame.columns}
    identity = "t" + "".join(letter for letter in caption.lower() if letter.isascii() and letter.isalnum())[:24]
    style = frame.rename(columns=names).style.hide(axis="index").set_caption(caption).set_uuid(identity)
    style = style.set_table_attributes('class="crm"')
    style = style.set_td_classes(pd.DataFrame(classes, index=frame.index))
    for column in frame.columns:
        style = style.format(_writer(column, currency), subset=[names[column]], na_rep="–", escape="html")
    return style


class Folded:
    """Something on a page that opens on a click: a summary line, and behind it tables, figures or sentences."""

    def __init__(self, summary: str, contents: list):
        self.summary, self.contents = summary, contents

    def _repr_html_(self) -> str:
        inside = "".join(content._repr_html_() for content in self.contents)
        return f'<details class="folded"><summary>{escape(self.summary)}</summary>{inside}</details>'


def folded(summary: str, *contents: object) -> Folded | None:
    """The contents folded away under a summary line; those that are None are left out, and nothing is shown for none."""
    shown = [content for content in contents if content is not None]
    return Folded(summary, shown) if shown else None


def heading(column: str) -> str:
    """A column's name as it is written over tables and sheets."""
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
