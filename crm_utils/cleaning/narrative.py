"""Sentences of 01_cleaning: templates first, then the functions that fill them."""

from datetime import date
from math import isnan

import pandas as pd

from crm_utils.cleaning.data_quality import ORDER_MAX_DAYS, WINDOW_DAYS, Check, CheckResult, DataSummary
from crm_utils.cleaning.labels import rule_label
from crm_utils.cleaning.rules import Rule
from crm_utils.config.report import PastTotals
from crm_utils.core.constants import MIN_DATA, PRICE_FOCUSED_BELOW
from crm_utils.core.display.paragraphs import NotApplicable, Paragraph, not_applicable, paragraph
from crm_utils.core.formatting import NumberFormat, day, join_names, percent

ALL_COUNTED = "All {rows} count as sales."
COUNTED = "{counted} of {rows} count as sales."
SPENT = "By {day}, {customers} had spent {revenue}."
SPENT_MORE = "By {day}, {customers} had spent {revenue}, {more} more than was read, because {causes}."
ADDED = "“{rule}” added {revenue}"

NOTHING_REMOVED = "No rule removed a row."
REMOVED = "The rules removed {rows}, with {revenue} of revenue."
REMOVED_WITHOUT_REVENUE = "The rules removed {rows}, none of them with revenue."
REMOVED_CUSTOMERS = "{customers} had no other rows."
LARGEST_STEP = "“{rule}” changed the revenue most: it {took_away} {revenue}."
RECONCILED = "The orders add up to the last row of the ledger, to the cent: {revenue}."


CANCELLATIONS_DROPPED = "Cancelled lines are dropped (cancellations: drop). The sales that they take back still count."
MONEY_LEFT_IN = "They would take back {revenue}. Set cancellations: net to take it off."
NOTHING_CANCELLED = "No cancellation reduced an order."
CANCELLED = "Cancellations took {revenue} off {orders}. That is {share} of the revenue ordered."
CUSTOMERS_LOST = "{customers} cancelled everything and no longer {count}."
ALL_MATCHED = "Every cancellation has a sale."
UNMATCHED = "{lines} ({revenue}) {have} no sale in these data."

NOT_CAPPED = "No value is capped (cap_outliers: False)."
CAPPED = "Quantities are capped at {quantity}, prices at {unit_price}. That removes {revenue} of revenue."

BEST_MONTH = "Revenue was highest in {month}, at {revenue}."
LAST_COMPLETE_MONTH = "The last complete month, {month}, brought {revenue}."
NEW_CUSTOMERS = "{customers} ordered for the first time in {month}."
NO_NEW_CUSTOMERS = "No new customer came in {period}; the last one came in {month}."
LAST_MONTHS = "the last three months"

NO_FEATURES = "The source has no prices, returns or countries."
PAY_LESS = "{share} of customers usually pay at least {discount} less than the usual price of the same product."
SEND_BACK = "{share} have cancelled or returned something."
MAIN_COUNTRY = "{share} order mostly from {country}."

NO_CUSTOMER_TABLES = "The report names no attributes, contacts or past campaigns."
ATTRIBUTES = "The attributes of {customers} are known ({columns})."
CONTACTS = "{customers} have contact details; {consenting} of them agreed to be contacted."
NO_PAST_CAMPAIGN = "No campaign had taken place by this date."
PAST_CAMPAIGNS = "{campaigns} reached {treatment}; {control} were left out for comparison."
SENT_MESSAGES = (
    "The export of the sending tool has {messages} of these campaigns: {treatment} to customers who were to be "
    "contacted, {control} to the control groups, {others} to customers on no list, and {unknown} to strangers."
)
CUSTOMERS_OF_PAGES = "This report counts {customers}."
KNOWN_OF_TABLES = "{tables} are among them."
KNOWN_OF_TABLE = "{known} of {customers} in {table}"

ALL_CHECKS_PASSED = "All {checks} of the data passed."
ONE_WARNING = "One warning about the data: {warnings}."
WARNINGS = "{count} warnings about the data: {warnings}."
OTHER_WARNINGS = "{number} more"
NAMED_WARNINGS = 1
CHECK_WARNINGS = {
    Check.HISTORY: "the history seems to start in the middle",
    Check.LAST_MONTH: "the last month is incomplete",
    Check.END: "the data end early",
    Check.GAP: "there is a long period without orders",
    Check.VOLUME: "order volume changed suddenly in {month}",
    Check.ENOUGH_DATA: "there are too few data for a forecast",
    Check.REGULARITY: "purchases come at regular intervals",
    Check.NOBODY_IDS: "{names} {stand} for unknown buyers, with {orders}",
    Check.HEAVY_IDS: "customer {first} has {orders}, more than a person places",
    Check.SHORTENED_IDS: "{ids} were shortened by a spreadsheet",
    Check.LEADING_ZEROS: "{ids} differ from another only in leading zeros",
    Check.ORDER_IDS: "{numbers} {are} used more than once",
    Check.IDS_CHANGED: "almost all customers stop on {day} and others take over",
    Check.PAST: "the past changed since this date was first published",
    Check.EMAIL_IDS: "{addresses} differ from another only in +tags or dots",
    Check.SHARED_EMAILS: "{customers} share an e-mail address with others",
    Check.LARGE_ACCOUNT: "customer {first} brought {share} of revenue",
}
HISTORY_COMPLETE = "The history does not look cut off."
HISTORY_CUT_OFF = (
    "{first} ordered for the first time in the first {window} days. Later it was {usual} in {window} days. Many of "
    "the first ones are probably older customers. Add earlier data, or set history_complete in the report's file if "
    "the history is complete."
)
LAST_MONTH_COMPLETE = "The last month is complete."
LAST_MONTH_CUT_OFF = "The last month has only {days} of its {days_in_month} days."
ENDS_ON_ANALYSIS_DATE = "The last order is from the analysis date."
ENDS_BEFORE = "The last order is from {day}, {days} before the analysis date."
ENDS_EARLY = "Check that the data are complete."
NO_GAP = "There is no unusually long period without orders."
GAP = "There is no order for {days} after {day}. The shop was closed, or a file is missing."
NO_JUMP = "Order volume did not change suddenly from one month to the next."
JUMP = "In {month}, orders per day were {times} those of the month before."
DATA = "There are {customers}, {repeat_buyers} and {days} of history."
TOO_FEW_DATA = "A forecast needs {customers}, {repeat_buyers} and {days}."
IRREGULAR = "Purchases come at irregular intervals, as the models assume."
REGULARITY_UNKNOWN = "Too few customers buy often enough to tell whether purchases come at regular intervals."
REGULAR = "{share} of {customers} buy at nearly equal intervals, {like}. The purchase models do not apply to them."
AS_SUBSCRIPTION, DAYS_APART = "as in a subscription", "about {days} apart"
NO_NOBODY = "No id stands for unknown buyers."
NOBODY = (
    "{names} {stand} for unknown buyers, with {orders}. All of them count as {customers}. Leave them out, count each "
    "order as a customer (source.guests), or take another id, such as the e-mail address."
)
GUESTS_COUNTED = "{guests} of unknown buyers {count} as customers of their own."
NO_HEAVY_ID = "No id has more orders than a person places."
HEAVY_ID = "{names} {have} {orders}. No person places so many. Check whether each id is one customer."
NO_SHORTENED_ID = "No id was shortened by a spreadsheet."
SHORTENED_ID = (
    "{ids} with {orders} {were} shortened by a spreadsheet, such as {first}. Customers with the same first digits "
    "count as one. Export the ids as text."
)
NO_LEADING_ZEROS = "No two ids differ in leading zeros only."
LEADING_ZEROS = (
    "{ids} with {orders} {differ} from another only in leading zeros, such as {first}. They count as different "
    "customers. Export the ids as text, or merge them (merge_customers)."
)
ORDER_IDS_UNIQUE = "Each order number is one order."
ORDER_IDS_SHARED = "{numbers} {belong} to several customers."
ORDER_IDS_APART = "{numbers} {have} lines more than {days} apart."
ORDER_IDS_CURE = (
    "One is {first}. Such a number is several orders. Join it with the date or the shop "
    "(columns.order_id: [date, number])."
)
IDS_UNCHANGED = "There is no day on which customers stop and others take over."
IDS_CHANGED = (
    "Of the {before} who had started before {day}, {both} bought on that day or later. The ids probably changed on "
    "that day, so that customers count twice. Export all orders with the same ids."
)
EMAILS_MERGED = "{merged} of customers differed from another only in case or blanks. They count as one."
EMAILS_UNIQUE = "Each e-mail address of a customer is written in one way."
EMAILS_ALIKE = (
    "{addresses} {differ} from another only in +tags or in dots of Gmail, and {count} as different customers. If they "
    "are the same people, set source.ignore_in_emails: [plus_tags, gmail_dots]."
)
NO_SHARED_EMAILS = "Hardly any e-mail address stands beside several customer ids."
SHARED_EMAILS = (
    "{customers} share {addresses}, for example {first}. They are probably fewer people. To count each address once, "
    "set columns.customer_id to the column of addresses; if an address is your own, leave these customers as they are."
)
PAST_UNCHANGED = "The past has not changed since this date was first published."
PAST_CHANGED = (
    "The source has changed since this date was first published. What counts up to the analysis date changed: "
    "{changes}. If nobody corrected the source on purpose, export it again."
)
NO_LARGE_ACCOUNT = "No customer brought more than {share} of revenue."
LARGE_ACCOUNT = "Customer {first} brought {share} of revenue. The forecast is shown with and without this customer."
ID_SENTENCES = {
    Check.NOBODY_IDS: (NO_NOBODY, NOBODY),
    Check.HEAVY_IDS: (NO_HEAVY_ID, HEAVY_ID),
    Check.SHORTENED_IDS: (NO_SHORTENED_ID, SHORTENED_ID),
    Check.LEADING_ZEROS: (NO_LEADING_ZEROS, LEADING_ZEROS),
    Check.IDS_CHANGED: (IDS_UNCHANGED, IDS_CHANGED),
    Check.SHARED_EMAILS: (NO_SHARED_EMAILS, SHARED_EMAILS),
    Check.LARGE_ACCOUNT: (NO_LARGE_ACCOUNT, LARGE_ACCOUNT),
}


# The totals of the past that are counts
PAST_COUNTS = ("rows", "orders", "customers")
# The rules that remove rows with negative amounts, if cancellations are dropped
TAKE_BACK = [Rule.CANCELLATION, Rule.NON_POSITIVE_QUANTITY, Rule.NON_POSITIVE_AMOUNT]


def counted_rows(ledger: pd.DataFrame, analysis_date: date, fmt: NumberFormat) -> Paragraph:
    """Say how many rows count as sales, and how much how many customers had spent."""
    first, last = ledger.iloc[0], ledger.iloc[-1]
    rows = fmt.plural(first.rows_left, "row")
    is_all = last.rows_left == first.rows_left
    more = last.revenue_left - first.revenue_left
    causes = _causes_of_more(ledger, fmt) if round(more, 2) > 0 else ""
    return paragraph(
        ALL_COUNTED.format(rows=rows) if is_all else COUNTED.format(counted=fmt.count(last.rows_left), rows=rows),
        (SPENT_MORE if causes else SPENT).format(
            day=day(analysis_date),
            customers=fmt.plural(last.customers_left, "customer"),
            revenue=fmt.money(last.revenue_left),
            more=fmt.money(more),
            causes=causes,
        ),
    )


def removed_rows(ledger: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Say how many rows the rules removed, with what revenue, and that the orders add up to the last row."""
    reconciled = RECONCILED.format(revenue=fmt.money(ledger.revenue_left.iloc[-1], 2))
    rows, revenue = ledger.rows_removed.sum(), ledger.revenue_removed.sum()
    if not rows:
        return paragraph(NOTHING_REMOVED, reconciled)
    removed = REMOVED if round(revenue, 2) else REMOVED_WITHOUT_REVENUE
    customers = ledger.customers_left.iloc[0] - ledger.customers_left.iloc[-1]
    return paragraph(
        removed.format(rows=fmt.plural(rows, "row"), revenue=fmt.money(revenue)),
        REMOVED_CUSTOMERS.format(customers=fmt.plural(customers, "customer")) if customers else "",
        _largest_step(ledger, fmt),
        reconciled,
    )


def cancellations(
    method: str,
    ordered: float,
    adjustments: pd.DataFrame,
    unmatched: pd.DataFrame,
    ledger: pd.DataFrame,
    fmt: NumberFormat,
) -> Paragraph | NotApplicable:
    """Say what cancellations took off orders, which customers are gone, and what has no sale."""
    if method == "drop":
        left_in = -ledger.revenue_removed[ledger.rule.isin(TAKE_BACK)].clip(upper=0).sum()
        if not round(left_in, 2):
            return not_applicable(CANCELLATIONS_DROPPED)
        return paragraph(CANCELLATIONS_DROPPED, MONEY_LEFT_IN.format(revenue=fmt.money(left_in)))
    return paragraph(
        *([NOTHING_CANCELLED] if adjustments.empty else _cancelled(ordered, adjustments, ledger, fmt)),
        _unmatched(unmatched, fmt),
    )


def caps(caps: dict[str, float], ledger: pd.DataFrame, fmt: NumberFormat) -> Paragraph | NotApplicable:
    """Say where values are capped, and the revenue that the caps remove."""
    if not caps:
        return not_applicable(NOT_CAPPED)
    removed = ledger.revenue_removed[ledger.rule == Rule.OUTLIERS_CAPPED].iloc[0]
    return paragraph(
        CAPPED.format(
            quantity=fmt.number(caps["quantity"], 1),
            unit_price=fmt.money(caps["unit_price"], 2),
            revenue=fmt.money(removed),
        )
    )


def revenue_by_month(months: pd.DataFrame, fmt: NumberFormat) -> Paragraph:
    """Name the month with the most revenue and the last complete one, and say when the last new customers came."""
    best = months.loc[months.revenue.idxmax()]
    complete = months[months.complete]
    last_complete = ""
    if len(complete) and complete.iloc[-1].month != best.month:
        last = complete.iloc[-1]
        last_complete = LAST_COMPLETE_MONTH.format(month=_month(last), revenue=fmt.money(last.revenue))
    return paragraph(
        BEST_MONTH.format(month=_month(best), revenue=fmt.money(best.revenue)),
        last_complete,
        _new_customers(months, fmt),
    )


def customer_features(features: pd.DataFrame) -> Paragraph | NotApplicable:
    """Say what stands out in what customers buy."""
    parts = []
    if "price_ratio" in features:
        cheaper = (features.price_ratio < PRICE_FOCUSED_BELOW).mean()
        parts.append(PAY_LESS.format(share=percent(cheaper), discount=percent(1 - PRICE_FOCUSED_BELOW)))
    if "return_share" in features and features.return_share.any():
        parts.append(SEND_BACK.format(share=percent((features.return_share > 0).mean())))
    if "main_country" in features and features.main_country.notna().any():
        shares = features.main_country.value_counts(normalize=True)
        parts.append(MAIN_COUNTRY.format(share=percent(shares.iloc[0]), country=shares.index[0]))
    return paragraph(*parts) if parts else not_applicable(NO_FEATURES)


def customer_tables(
    tables: dict[str, pd.DataFrame], known: dict[str, int], customers: int, fmt: NumberFormat
) -> Paragraph | NotApplicable:
    """Say of how many customers more is known than their transactions, and how many of them have ordered."""
    if not tables:
        return not_applicable(NO_CUSTOMER_TABLES)
    parts = []
    if "attributes" in tables:
        table = tables["attributes"]
        columns = join_names([name.replace("_", " ") for name in table.columns.drop("customer_id")])
        parts.append(ATTRIBUTES.format(customers=_customers(table, fmt), columns=columns))
    if "contacts" in tables:
        table = tables["contacts"]
        consenting = fmt.count(table[table.consent].customer_id.nunique())
        parts.append(CONTACTS.format(customers=_customers(table, fmt), consenting=consenting))
    if "past_campaigns" in tables:
        parts.append(_past_campaigns(tables["past_campaigns"], fmt))
    if "sent_messages" in tables:
        parts.append(_sent_messages(tables["sent_messages"], fmt))
    shares = [
        KNOWN_OF_TABLE.format(
            known=fmt.count(known[name]),
            customers=fmt.count(table.customer_id.nunique()),
            table=f"the {name.replace('_', ' ')}",
        )
        for name, table in tables.items()
        if len(table)
    ]
    of_pages = CUSTOMERS_OF_PAGES.format(customers=fmt.plural(customers, "customer"))
    return paragraph(*parts, of_pages, KNOWN_OF_TABLES.format(tables=join_names(shares)) if shares else "")


def data_quality(checks: list[CheckResult], fmt: NumberFormat) -> Paragraph:
    """Say whether the data passed the checks, and name the warnings."""
    return _data_quality(checks, len(checks), fmt)


def data_quality_in_brief(checks: list[CheckResult], fmt: NumberFormat) -> Paragraph:
    """Say whether the data passed the checks, and name the first warning."""
    return _data_quality(checks, NAMED_WARNINGS, fmt)


def _data_quality(checks: list[CheckResult], named: int, fmt: NumberFormat) -> Paragraph:
    warnings = [CHECK_WARNINGS[result.check].format(**_holes(result, fmt)) for result in checks if not result.passed]
    if not warnings:
        return paragraph(ALL_CHECKS_PASSED.format(checks=fmt.plural(len(checks), "check")))
    others = [OTHER_WARNINGS.format(number=len(warnings) - named)] if len(warnings) > named else []
    template = ONE_WARNING if len(warnings) == 1 else WARNINGS
    return paragraph(template.format(count=len(warnings), warnings=join_names(warnings[:named] + others)))


def check_sentence(result: CheckResult, summary: DataSummary, fmt: NumberFormat) -> Paragraph:
    """Say what one check found."""
    match result.check:
        case Check.HISTORY:
            return _history(result, fmt)
        case Check.LAST_MONTH:
            return _last_month(result, fmt)
        case Check.END:
            return _end(result, fmt)
        case Check.GAP:
            return _gap(result, fmt)
        case Check.VOLUME:
            return _volume(result, fmt)
        case Check.ENOUGH_DATA:
            return _enough_data(result, summary, fmt)
        case Check.REGULARITY:
            return _regularity(result, summary, fmt)
        case Check.ORDER_IDS:
            return _order_ids(result, fmt)
        case Check.EMAIL_IDS:
            return _email_ids(result, fmt)
        case Check.PAST:
            return _past(result, fmt)
        case _:
            return _ids(result, fmt)


def past_changes(before: PastTotals, now: PastTotals, fmt: NumberFormat) -> str:
    """Write each total that changed: what it was, and what it is now."""
    shown = {name: (fmt.count(getattr(before, name)), fmt.count(getattr(now, name))) for name in PAST_COUNTS}
    shown["revenue"] = (fmt.money(before.revenue, 2), fmt.money(now.revenue, 2))
    return join_names([f"{name} {old} → {new}" for name, (old, new) in shown.items() if old != new])


def _holes(result: CheckResult, fmt: NumberFormat) -> dict[str, str]:
    """Return what the warnings of all checks may need: names, counts with their nouns, a share, a day."""
    value, reference = (0 if isnan(number) else number for number in (result.value, result.reference))
    one = value == 1
    return {
        "month": f"{result.day:%B %Y}" if result.day else "",
        "day": day(result.day) if result.day else "",
        "first": f"“{result.names[0]}”" if result.names else "",
        "names": join_names([f"“{name}”" for name in result.names]),
        "ids": fmt.plural(value, "customer id"),
        "customers": fmt.plural(value, "customer"),
        "orders": fmt.plural(reference, "order"),
        "addresses": fmt.plural(reference, "e-mail address", "e-mail addresses"),
        "numbers": fmt.plural(value + reference, "order number"),
        "before": fmt.plural(reference, "repeat buyer"),
        "both": fmt.count(value) if value else "none",
        "share": percent(value),
        "stand": "stands" if one else "stand",
        "have": "has" if one else "have",
        "were": "was" if one else "were",
        "are": "is" if one else "are",
        "differ": "differs" if one else "differ",
    }


def _ids(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    passed, warning = ID_SENTENCES[result.check]
    if result.check == Check.NOBODY_IDS and result.passed and result.value > 0:
        guests = fmt.plural(result.value, "order")
        return paragraph(GUESTS_COUNTED.format(guests=guests, count="counts" if result.value == 1 else "count"))
    return paragraph((passed if result.passed else warning).format(**_holes(result, fmt)))


def _order_ids(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.passed:
        return paragraph(ORDER_IDS_UNIQUE)
    shared, apart = (fmt.plural(number, "order number") for number in (result.value, result.reference))
    return paragraph(
        ORDER_IDS_SHARED.format(numbers=shared, belong="belongs" if result.value == 1 else "belong")
        if result.value
        else "",
        ORDER_IDS_APART.format(
            numbers=apart, have="has" if result.reference == 1 else "have", days=fmt.plural(ORDER_MAX_DAYS, "day")
        )
        if result.reference
        else "",
        ORDER_IDS_CURE.format(**_holes(result, fmt)),
    )


def _past(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.past is None:
        return paragraph(PAST_UNCHANGED)
    return paragraph(PAST_CHANGED.format(changes=past_changes(*result.past, fmt)))


def _email_ids(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if not (result.value > 0 or result.reference > 0):
        return paragraph(EMAILS_UNIQUE)
    merged, alike = (
        fmt.plural(number, "e-mail address", "e-mail addresses") for number in (result.value, result.reference)
    )
    one = result.reference == 1
    return paragraph(
        EMAILS_MERGED.format(merged=merged) if result.value else "",
        EMAILS_ALIKE.format(addresses=alike, differ="differs" if one else "differ", count="counts" if one else "count")
        if result.reference
        else "",
    )


def _causes_of_more(ledger: pd.DataFrame, fmt: NumberFormat) -> str:
    """Name the rules that added revenue: without the rows that take money back, more is left than was read."""
    added = ledger[ledger.revenue_removed < 0].sort_values("revenue_removed").head(2)
    return join_names(
        [
            ADDED.format(rule=rule_label(step["rule"]), revenue=fmt.money(-step.revenue_removed))
            for _, step in added.iterrows()
        ]
    )


def _largest_step(ledger: pd.DataFrame, fmt: NumberFormat) -> str:
    """Name the rule that changed the revenue most, if several did."""
    if (ledger.revenue_removed.round(2) != 0).sum() < 2:
        return ""
    step = ledger.loc[ledger.revenue_removed.abs().idxmax()]
    return LARGEST_STEP.format(
        rule=rule_label(step["rule"]),
        took_away="took away" if step.revenue_removed > 0 else "added",
        revenue=fmt.money(abs(step.revenue_removed)),
    )


def _cancelled(ordered: float, adjustments: pd.DataFrame, ledger: pd.DataFrame, fmt: NumberFormat) -> list[str]:
    taken = -adjustments.revenue.sum()
    gone = ledger.customers_left.iloc[-2] - ledger.customers_left.iloc[-1]
    cancelled = CANCELLED.format(
        revenue=fmt.money(taken),
        orders=fmt.plural(adjustments.order_id.nunique(), "order"),
        share=percent(taken / ordered, 1),
    )
    lost = CUSTOMERS_LOST.format(customers=fmt.plural(gone, "customer"), count="counts" if gone == 1 else "count")
    return [cancelled, lost if gone else ""]


def _unmatched(unmatched: pd.DataFrame, fmt: NumberFormat) -> str:
    if unmatched.empty:
        return ALL_MATCHED
    return UNMATCHED.format(
        lines=fmt.plural(len(unmatched), "cancellation"),
        have="has" if len(unmatched) == 1 else "have",
        revenue=fmt.money(abs(unmatched.revenue.sum())),
    )


def _new_customers(months: pd.DataFrame, fmt: NumberFormat) -> str:
    last, won = months.iloc[-1], months[months.new_customers > 0].iloc[-1]
    if won.month == last.month:
        return NEW_CUSTOMERS.format(customers=fmt.plural(won.new_customers, "customer"), month=_month(won))
    period = _month(last) if months.new_customers.tail(3).sum() else LAST_MONTHS
    return NO_NEW_CUSTOMERS.format(period=period, month=_month(won))


def _month(row: pd.Series) -> str:
    return f"{row.month:%B %Y}"


def _customers(table: pd.DataFrame, fmt: NumberFormat) -> str:
    return fmt.plural(table.customer_id.nunique(), "customer")


def _past_campaigns(table: pd.DataFrame, fmt: NumberFormat) -> str:
    if table.empty:
        return NO_PAST_CAMPAIGN
    sizes = table.group.value_counts()
    return PAST_CAMPAIGNS.format(
        campaigns=fmt.plural(table.campaign.nunique(), "past campaign"),
        treatment=fmt.plural(sizes.get("treatment", 0), "customer"),
        control=fmt.count(sizes.get("control", 0)),
    )


def _sent_messages(table: pd.DataFrame, fmt: NumberFormat) -> str:
    rows = table.planned.value_counts()
    return SENT_MESSAGES.format(
        messages=fmt.plural(len(table), "message"),
        treatment=fmt.count(rows.get("treatment", 0)),
        control=fmt.count(rows.get("control", 0)),
        others=fmt.count(rows.get("not planned", 0)),
        unknown=fmt.count(rows.get("unknown customer", 0)),
    )


def _history(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.passed:
        return paragraph(HISTORY_COMPLETE)
    first = fmt.plural(result.value, "customer")
    return paragraph(HISTORY_CUT_OFF.format(first=first, window=WINDOW_DAYS, usual=fmt.count(result.reference)))


def _last_month(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.passed:
        return paragraph(LAST_MONTH_COMPLETE)
    return paragraph(LAST_MONTH_CUT_OFF.format(days=fmt.count(result.value), days_in_month=fmt.count(result.reference)))


def _end(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.value == 0 or result.day is None:
        return paragraph(ENDS_ON_ANALYSIS_DATE)
    before = ENDS_BEFORE.format(day=day(result.day), days=fmt.plural(result.value, "day"))
    return paragraph(before, "" if result.passed else ENDS_EARLY)


def _gap(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.passed or result.day is None:
        return paragraph(NO_GAP)
    return paragraph(GAP.format(days=fmt.plural(result.value, "day"), day=day(result.day)))


def _volume(result: CheckResult, fmt: NumberFormat) -> Paragraph:
    if result.passed:
        return paragraph(NO_JUMP)
    times = f"{fmt.number(result.value, 1)} times" if result.value > 1 else f"{percent(result.value)} of"
    return paragraph(JUMP.format(month=f"{result.day:%B %Y}", times=times))


def _enough_data(result: CheckResult, summary: DataSummary, fmt: NumberFormat) -> Paragraph:
    found = {name: getattr(summary, name) for name in MIN_DATA}
    needed = "" if result.passed else TOO_FEW_DATA.format(**_sizes(MIN_DATA, fmt))
    return paragraph(DATA.format(**_sizes(found, fmt)), needed)


def _sizes(sizes: dict[str, int], fmt: NumberFormat) -> dict[str, str]:
    nouns = {"customers": "customer", "repeat_buyers": "repeat buyer", "days": "day"}
    return {name: fmt.plural(sizes[name], noun) for name, noun in nouns.items()}


def _regularity(result: CheckResult, summary: DataSummary, fmt: NumberFormat) -> Paragraph:
    if not result.passed:
        apart = DAYS_APART.format(days=fmt.plural(round(summary.regular_gap_days), "day"))
        return paragraph(
            REGULAR.format(
                share=percent(result.value),
                customers=fmt.plural(result.reference, "frequent buyer"),
                like=AS_SUBSCRIPTION if summary.is_subscription else apart,
            )
        )
    return paragraph(REGULARITY_UNKNOWN if result.reference < MIN_DATA["repeat_buyers"] else IRREGULAR)
