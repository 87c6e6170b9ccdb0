"""Questions about customer ids and order numbers (see `questions`)."""

from crm_utils.cleaning import id_checks
from crm_utils.cleaning.data_quality import ORDER_MAX_DAYS
from crm_utils.cleaning.question import Choice, Evidence, Question, as_it_is
from crm_utils.cleaning.rules import Rule
from crm_utils.config.report import QuestionCode, fold
from crm_utils.core.formatting import MESSAGES, join_names, percent
from crm_utils.sources.email_ids import EMAIL, GMAIL_DOTS, PLUS_TAGS, ignore_in_emails

NAMED = 5  # how many ids a question names
GUESTS = "customer ids {names}: {why} ({orders}, {money}, {share} of revenue). They count as {customers}. Who are they?"
UNKNOWN, MANY_ORDERS = "unknown buyers", "more orders than a person places"
NO_CUSTOMER = (
    "{rows} have no customer id ({orders}, {money}, {share} of the revenue that counts) and are left out. Who are they?"
)
SHARED = (
    "{ids} of {own!r} {have} another {person!r} in each {store!r}: {joined} people and stores, counted as {customers}. "
    "Do stores use the same numbers?"
)
EMAILS = (
    "{addresses} differ from another only in +tags or dots of Gmail ({share} of customers). Are they the same people?"
)
NUMBERS = (
    "{shared} of {numbers} belong to several customers on different days, and {apart} have lines more than {days} days "
    "apart, for example {example!r}. Does a number stand for several orders?"
)


def find_rows_without_customer(evidence: Evidence) -> Question | None:
    """Sales without a customer id, which are left out."""
    rule = Rule.UNKNOWN_CUSTOMER.value
    if not evidence.sums.filter(evidence.sums.removed_by == rule).count().execute():
        return None
    lines = evidence.lines.filter(evidence.lines.removed_by == rule)
    has_order_ids = "order_id" in lines.columns
    sums = lines.aggregate(
        rows=lines.count(),
        orders=lines.order_id.nunique() if has_order_ids else lines.count(),
        money=lines.amount.sum().cast("float64"),
    )
    found, fmt = sums.execute().iloc[0].fillna(0), evidence.fmt
    share = evidence.revenue_share(found.money)
    text = NO_CUSTOMER.format(
        rows=fmt.plural(found.rows, "row"),
        orders=fmt.plural(found.orders, "order"),
        money=fmt.money(found.money),
        share=percent(share, 1),
    )
    each_order = Choice(
        "guests: each order has a customer of its own", {"source.guests": {"ids": [""], "treat": "each_order"}}
    )
    choices = (
        as_it_is("leave them out", QuestionCode.NO_CUSTOMER),
        *([each_order] if has_order_ids else []),
    )
    more = evidence.customer_share(found.orders) if has_order_ids else 0.0
    return Question(QuestionCode.NO_CUSTOMER, text, share, more, choices, "source")


def find_guests(evidence: Evidence) -> Question | None:
    """Ids that stand for nobody, or have more orders than a person places."""
    has_order_ids = "order_id" in evidence.lines.columns
    each = id_checks.summarize_customers(evidence.orders, has_order_ids).cache()
    nobody = id_checks.find_nobody(each)
    heavy = id_checks.find_heavy_ids(each, int(evidence.totals.orders))
    found = nobody if len(nobody) else heavy
    if found.empty:
        return None
    ids, fmt = list(found.customer_id), evidence.fmt
    share = evidence.revenue_share(found.revenue.sum())
    text = GUESTS.format(
        names=join_names([repr(name) for name in ids[:NAMED]] + ([f"{len(ids) - NAMED} more"] * (len(ids) > NAMED))),
        why=UNKNOWN if len(nobody) else MANY_ORDERS,
        orders=fmt.plural(found.orders.sum(), "order"),
        money=fmt.money(found.revenue.sum()),
        share=percent(share, 1),
        customers=fmt.plural(len(ids), "customer"),
    )
    listed = list(dict.fromkeys(fold(name) for name in ids))
    each_order = Choice(
        "each order has a customer of its own", {"source.guests": {"ids": listed, "treat": "each_order"}}
    )
    choices = (
        *([each_order] if has_order_ids else []),
        Choice("leave them out", {"source.guests": {"ids": listed, "treat": "drop"}}),
        as_it_is("each is one customer", QuestionCode.GUESTS),
    )
    # a firm may bring a tenth of all orders, but nobody places several on each day
    impossible = len(nobody) or (found.orders >= id_checks.PERSON_MAX_A_DAY * found.days).any()
    more = evidence.customer_share(found.orders.sum() - len(ids))
    stakes = (share, more) if impossible else (0.0, 0.0)
    return Question(QuestionCode.GUESTS, text, *stakes, choices, "source")


def find_shared_ids(evidence: Evidence) -> Question | None:
    """Ids that are someone else in each store."""
    own, found = evidence.columns.customer_id, evidence.doubts.shared_ids()
    if found is None or not isinstance(own, str):
        return None
    text = SHARED.format(
        ids=MESSAGES.plural(found.differing, "id"),
        own=own,
        have="has" if found.differing == 1 else "have",
        person=found.person,
        store=found.store,
        joined=MESSAGES.count(found.joined),
        customers=MESSAGES.plural(found.ids, "customer"),
    )
    choices = (
        Choice("yes", {"columns.customer_id": [found.store, own]}),
        as_it_is("no, an id is the same person everywhere", QuestionCode.SHARED_IDS),
    )
    share = evidence.customer_share(found.joined - found.ids)
    return Question(QuestionCode.SHARED_IDS, text, 0.0, share, choices, "columns")


def find_alike_emails(evidence: Evidence) -> Question | None:
    """E-mail addresses that differ only in what many providers ignore."""
    ids = evidence.orders.customer_id
    addresses = evidence.orders.filter(ids.contains(EMAIL)).select("customer_id").distinct()
    people = ignore_in_emails(addresses.customer_id, [PLUS_TAGS, GMAIL_DOTS]).nunique()
    found = addresses.aggregate(addresses=addresses.count(), people=people).execute().iloc[0].fillna(0)
    alike = int(found.addresses - found.people)
    if not alike:
        return None
    share = evidence.customer_share(alike)
    text = EMAILS.format(
        addresses=evidence.fmt.plural(alike, "e-mail address", "e-mail addresses"), share=percent(share, 1)
    )
    choices = (
        Choice("yes", {"source.ignore_in_emails": [PLUS_TAGS, GMAIL_DOTS]}),
        Choice("no, different people", {"source.ignore_in_emails": []}),
    )
    return Question(QuestionCode.EMAIL_IDS, text, 0.0, share, choices, "source")


def find_reused_numbers(evidence: Evidence) -> Question | None:
    """Order numbers of several customers on different days, or with lines on days far apart."""
    own = evidence.columns.order_id
    if not isinstance(own, str) or "order_id" not in evidence.lines.columns:
        return None
    orders = evidence.orders
    numbers = orders.group_by("order_id").agg(
        customers=orders.customer_id.nunique(), first=orders.first_at.min(), last=orders.ordered_at.max()
    )
    days = numbers["last"].date().delta(numbers["first"].date(), unit="day")
    shared, apart = (numbers.customers > 1) & (days > 0), days > ORDER_MAX_DAYS
    found = (
        numbers.aggregate(
            numbers=numbers.count(),
            shared=shared.sum(),
            apart=(apart & ~shared).sum(),
            example=numbers.order_id.min(where=shared | apart),
        )
        .execute()
        .iloc[0]
    )
    if not found.shared and not found.apart:
        return None
    text = NUMBERS.format(
        shared=MESSAGES.count(found.shared),
        numbers=MESSAGES.plural(found.numbers, "order number"),
        apart=MESSAGES.count(found.apart),
        days=ORDER_MAX_DAYS,
        example=found.example,
    )
    choices = (
        Choice("yes, one order on each day", {"columns.order_id": [evidence.columns.ordered_at, own]}),
        as_it_is("no, each number is one order", QuestionCode.ORDER_NUMBERS),
    )
    share = float((found.shared + found.apart) / found.numbers)
    return Question(QuestionCode.ORDER_NUMBERS, text, 0.0, 0.0, choices, "columns", share)
