"""How the rules of the ledger are written on a page."""

from crm_utils.cleaning.customer_exclusion import EXCLUDED_WHERE
from crm_utils.cleaning.rules import Rule
from crm_utils.sources.preparation import MINUS, PLUS

RULE_LABELS = {
    Rule.READ.value: "All rows, as read",
    Rule.CUSTOMERS_MERGED.value: "Customer ids merged",
    Rule.GROUP_HEADING.value: "Heading of a group",
    Rule.FILTERED.value: "Left out by the filter",
    Rule.STATUS_IGNORED.value: "Status that is no sale",
    Rule.STATUS_REFUNDED.value: "Status of a refunded sale",
    Rule.OTHER_CURRENCY.value: "Other currency",
    Rule.FURTHER_ROW.value: "Further row of an order, whose amount counts once",
    Rule.GUEST.value: "Guest without a customer id",
    Rule.REFUND_WITHOUT_ORDER.value: "Refund of an order that is not counted",
    Rule.EXTRACT_OVERLAP.value: "Already in an earlier extract",
    Rule.RESTATED_ORDER.value: "Earlier version of an order that a later extract changed",
    Rule.AFTER_ANALYSIS_DATE.value: "After the analysis date",
    Rule.UNKNOWN_CUSTOMER.value: "Unknown customer",
    Rule.DUPLICATE.value: "Exact duplicate",
    Rule.CANCELLATION.value: "Cancellation",
    Rule.EXCLUDED_PRODUCT.value: "Excluded product",
    Rule.EXCLUDED_CUSTOMER.value: "Excluded customer",
    Rule.WORTHLESS_ORDER.value: "Order worth nothing after its discounts",
    Rule.NON_POSITIVE_QUANTITY.value: "Quantity of zero or less",
    Rule.NON_POSITIVE_AMOUNT.value: "Amount of zero or less",
    Rule.OUTLIERS_CAPPED.value: "Extreme values capped",
    Rule.UNMATCHED_CANCELLATION.value: "Cancellation without a sale",
    Rule.CANCELLED_ORDER.value: "Cancelled order, with its cancellations",
}
# A part of the amount has a row of its own in the ledger
PART_LABELS = {MINUS: "Less", PLUS: "Plus"}


def rule_label(rule: str) -> str:
    """Write the name of a rule: unknown_customer -> 'Unknown customer'. An analyst's own rule keeps its name."""
    for prefix, verb in PART_LABELS.items():
        if rule.startswith(prefix):
            return f"{verb} “{rule.removeprefix(prefix)}”"
    if rule.startswith(EXCLUDED_WHERE):
        return f"Customer left out by “{rule.removeprefix(EXCLUDED_WHERE)}”"
    return RULE_LABELS.get(rule, rule)
