"""Tables of 01_cleaning as they stand on a page."""

import pandas as pd
from pandas.io.formats.style import Styler

from crm_utils.cleaning import narrative
from crm_utils.cleaning.data_quality import Check, CheckResult, DataSummary
from crm_utils.cleaning.labels import rule_label
from crm_utils.core.display.table_style import Collapsible, collapsible, style_table
from crm_utils.core.formatting import NumberFormat, day

LEDGER_CAPTION = "What each rule removed, and what was left after it"
MONTHS_CAPTION = "Revenue, orders and customers by month"
UNMATCHED_CAPTION = "The largest of {lines} without a sale, {revenue} in total"
CHECKS_CAPTION = "What was checked, and what was found"
FEATURES_CAPTION = "What customers buy, and at what price"

UNMATCHED_HEADINGS = {
    "customer_id": "Customer",
    "cancellation_id": "Cancellation",
    "product_id": "Product",
    "cancelled_at": "Cancelled on",
    "revenue_removed": "Revenue",
}
# Cancellations without a sale that are shown
LARGEST = 10
CHECK_LABELS = {
    Check.HISTORY: "Start of the history",
    Check.LAST_MONTH: "Last month",
    Check.END: "End of the data",
    Check.GAP: "Gaps",
    Check.VOLUME: "Order volume",
    Check.ENOUGH_DATA: "Enough for a forecast",
    Check.REGULARITY: "Rhythm of purchases",
    Check.NOBODY_IDS: "Ids without a person",
    Check.HEAVY_IDS: "Orders per customer",
    Check.SHORTENED_IDS: "Shortened ids",
    Check.LEADING_ZEROS: "Leading zeros of ids",
    Check.ORDER_IDS: "Order numbers",
    Check.IDS_CHANGED: "Change of ids",
    Check.LARGE_ACCOUNT: "Large accounts",
    Check.EMAIL_IDS: "E-mail addresses",
    Check.SHARED_EMAILS: "Ids of an e-mail address",
    Check.PAST: "Change of the past",
}
PASSED, WARNING = "passed", "warning"
# Label and format of each feature that is a number
NUMERIC_FEATURES = {
    "price_ratio": ("Price paid ÷ usual price of the product", "{:.2f}"),
    "distinct_products": ("Different products bought", "{:,.0f}"),
    "return_share": ("Cancelled or returned, share of revenue", "{:.1%}"),
    "margin_rate": ("Margin, share of revenue", "{:.1%}"),
}
QUARTILES = {0.25: "quarter_below", 0.5: "half_below", 0.75: "three_quarters_below"}


def ledger(ledger: pd.DataFrame, fmt: NumberFormat) -> Styler:
    """Show the ledger with the labels of the rules."""
    return style_table(ledger.assign(rule=ledger.rule.map(rule_label)), LEDGER_CAPTION, fmt)


def months(months: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show the months; an incomplete one says so."""
    names = months.month.dt.strftime("%B %Y") + months.complete.map({True: "", False: " (incomplete)"})
    shown = months.assign(month=names).drop(columns="complete")
    table = style_table(shown, MONTHS_CAPTION, fmt, total=("revenue", "orders"))
    return collapsible("The numbers behind the figure", table)


def unmatched(unmatched: pd.DataFrame, fmt: NumberFormat) -> Collapsible | None:
    """Show the largest cancellations without a sale; None if there are none."""
    if unmatched.empty:
        return None
    largest = unmatched.sort_values(["revenue", "cancellation_id"], kind="stable").head(LARGEST)
    shown = largest.assign(cancelled_at=[day(moment) for moment in largest.cancelled_at])
    shown = shown.rename(columns={"revenue": "revenue_removed"})
    caption = UNMATCHED_CAPTION.format(
        lines=fmt.plural(len(unmatched), "cancellation"), revenue=fmt.money(abs(unmatched.revenue.sum()))
    )
    return collapsible("Cancellations without a sale", style_table(shown, caption, fmt, UNMATCHED_HEADINGS))


def checks(checks: list[CheckResult], summary: DataSummary, fmt: NumberFormat) -> Styler:
    """Show what each check found, warnings first."""
    shown = pd.DataFrame(
        {
            "checked": [CHECK_LABELS[result.check] for result in checks],
            "result": [PASSED if result.passed else WARNING for result in checks],
            "finding": [str(narrative.check_sentence(result, summary, fmt)) for result in checks],
        }
    )
    return style_table(shown.sort_values("result", ascending=False, kind="stable"), CHECKS_CAPTION, fmt)


def customer_features(features: pd.DataFrame, fmt: NumberFormat) -> Styler | None:
    """Show the quartiles of each feature that is a number; None if there is none."""
    known = [name for name in NUMERIC_FEATURES if name in features and features[name].notna().any()]
    if not known:
        return None
    quartiles = features[known].quantile(list(QUARTILES)).T
    shown = pd.DataFrame({"feature": [NUMERIC_FEATURES[name][0] for name in known]})
    for share, column in QUARTILES.items():
        shown[column] = [
            fmt.formatted(value, NUMERIC_FEATURES[str(name)][1]) for name, value in quartiles[share].items()
        ]
    return style_table(shown, FEATURES_CAPTION, fmt)
