"""Tables of 01_cleaning."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.core import formatting
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table


def cleaning_ledger(log: pd.DataFrame, currency: str) -> Styler:
    shown = log.replace({"rule": {"read": "all rows, as read"}})
    return style_table(shown, "What each rule removed and what was left after it", currency)


def months(months: pd.DataFrame, currency: str) -> Collapsible:
    names = months.month.dt.strftime("%B %Y") + months.complete.map({True: "", False: " (incomplete)"})
    shown = months.assign(month=names).drop(columns="complete")
    caption = "Revenue, orders and customers by month"
    return collapsible(
        "The numbers behind the figure", style_table(shown, caption, currency, total=("revenue", "orders"))
    )


def unmatched(unmatched: pd.DataFrame, currency: str) -> Styler:
    """The largest ones; the caption says how many there are and what they add up to."""
    largest = unmatched.sort_values(["revenue", "cancellation_id"], kind="stable").head(10)
    shown = largest.assign(cancelled_at=largest.cancelled_at.dt.strftime("%-d %B %Y"))
    total = formatting.money(unmatched.revenue.sum(), currency)
    caption = f"The largest of {formatting.plural(len(unmatched), 'cancelled line')} (or what is left of one) without a sale, {total} together"
    headings = {
        "cancellation_id": "Cancellation",
        "product_id": "Product",
        "customer_id": "Customer",
        "cancelled_at": "On",
    }
    return style_table(
        shown.rename(columns={"revenue": "revenue_removed"}),
        caption,
        currency,
        headings | {"revenue_removed": "Revenue"},
    )


def readiness(findings: pd.DataFrame) -> Styler:
    return style_table(findings, "What was checked, and what was found")


def habits(habits: pd.DataFrame) -> Styler:
    """Quartiles of each habit that is a number."""
    known = [column for column in HABITS if column in habits and habits[column].notna().any()]
    quartiles = habits[known].quantile([0.25, 0.5, 0.75]).T
    shown = pd.DataFrame({"habit": [HABITS[name][0] for name in known]})
    for place, name in ((0.25, "quarter_below"), (0.5, "half_below"), (0.75, "three_quarters_below")):
        shown[name] = [HABITS[name][1].format(value) for name, value in quartiles[place].items()]
    return style_table(shown, "Habits of customers")


HABITS = {
    "price_ratio": ("Price paid ÷ usual price of the product", "{:.2f}"),
    "distinct_products": ("Different products bought", "{:,.0f}"),
    "return_share": ("Cancelled or returned, of revenue", "{:.1%}"),
    "margin_rate": ("Margin, of revenue", "{:.1%}"),
}
