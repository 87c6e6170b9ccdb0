"""Questions about the data that only their owner can answer, each with what is at stake.

The report is refused while a question that can change its figures is open. To add a question, add a code to
`config.report.QuestionCode` and a function to `FINDERS`.
"""

import math
from collections.abc import Callable, Collection

import ibis

from crm_utils.cleaning import id_questions, money_questions
from crm_utils.cleaning.question import Choice, Evidence, Question, as_it_is
from crm_utils.cleaning.rules import Rule
from crm_utils.config.report import QuestionCode
from crm_utils.core.duckdb_engine import is_picked
from crm_utils.core.errors import OpenQuestions
from crm_utils.core.formatting import MESSAGES, join_names, percent
from crm_utils.sources.preparation import describe_values

# An order that is more than this share of all revenue, and more than so many times the mean order, may be an error.
HUGE_ORDER_SHARE, HUGE_ORDER_TIMES_MEAN = 0.02, 100
# Rows that are compared with each other at most
COMPARED_ROWS = 12_000_000
# Values of a status that a question shows
SHOWN_VALUES = 8
# Rules under which a line that takes money back is left out
LEFT_OUT = (Rule.CANCELLATION, Rule.NON_POSITIVE_QUANTITY, Rule.NON_POSITIVE_AMOUNT)

DUPLICATES = (
    "{rows} equal to another row in every column that the report reads ({money}, {share} of revenue; {orders}, "
    "{customers}). Are they real purchases?"
)
NEGATIVE_ROWS = (
    "{money} taken back by {rows} ({share} of revenue; {customers}), but cancellations: drop leaves this money in. "
    "Should it reduce revenue?"
)
HUGE_ORDER = "order {order} of customer {customer} on {day} is {money}, {share} of revenue. Is it real?"
STATUS = "no parameter names column {column!r}: {values}. Are all of them sales?"
OPEN = "{questions} about the data can change the figures. Write the line that is right into the parameters file:"
CONFIRM = "  To count all as it is, write confirmed: [{codes}]"


def find_duplicates(evidence: Evidence) -> Question | None:
    """Rows that equal another row in all columns of line items.

    Of many rows, those of one in so many customers are compared, and the figures are scaled up.
    """
    sizes = evidence.orders.aggregate(lines=lambda t: t.lines.sum(), most=lambda t: t.lines.max())
    size = sizes.execute().iloc[0].fillna(0)
    if "order_id" in evidence.lines.columns and size.most <= 1:
        return None  # each order is one row
    lines = evidence.lines.filter(evidence.lines.removed_by.isnull()).drop("removed_by")
    one_in = math.ceil(size.lines / COMPARED_ROWS) if lines.get_backend().name == "duckdb" else 1
    if one_in > 1:
        lines = lines.filter(is_picked(lines.customer_id, one_in))
    equal = lines.group_by(list(lines.columns)).agg(times=lines.count()).filter(lambda t: t.times > 1)
    order = equal.order_id if "order_id" in equal.columns else equal.ordered_at.cast("string")
    sums = equal.aggregate(
        rows=(equal.times - 1).sum(),
        money=((equal.times - 1) * equal.amount.cast("float64")).sum(),
        orders=(equal.customer_id + "|" + order).nunique(),
        customers=equal.customer_id.nunique(),
    )
    found, fmt = one_in * sums.execute().iloc[0].fillna(0).astype(float), evidence.fmt
    if not found.rows:
        return None
    share = evidence.revenue_share(found.money)
    text = DUPLICATES.format(
        rows=fmt.plural(found.rows, "row"),
        money=fmt.money(found.money),
        share=percent(share, 1),
        orders=fmt.plural(found.orders, "order"),
        customers=fmt.plural(found.customers, "customer"),
    )
    choices = (
        Choice("yes, count them all", {"cleaning.duplicates": "keep"}),
        Choice("no, count each once", {"cleaning.duplicates": "drop"}),
    )
    return Question(QuestionCode.DUPLICATES, text, share, 0.0, choices, "cleaning")


def find_negative_rows(evidence: Evidence) -> Question | None:
    """Rows that take money back, which `cancellations: drop` leaves out."""
    if evidence.cancellations != "drop":
        return None
    sums = evidence.sums
    back = sums.filter(sums.removed_by.isin([rule.value for rule in LEFT_OUT]) & (sums.revenue < 0))
    found = (
        back.aggregate(
            rows=back.lines.sum(), money=back.revenue.sum().cast("float64"), customers=back.customer_id.nunique()
        )
        .execute()
        .iloc[0]
        .fillna(0)
    )
    if not found.rows:
        return None
    share, fmt = evidence.revenue_share(found.money), evidence.fmt
    text = NEGATIVE_ROWS.format(
        rows=fmt.plural(found.rows, "row"),
        money=fmt.money(-found.money),
        share=percent(share, 1),
        customers=fmt.plural(found.customers, "customer"),
    )
    net = {"cleaning.cancellations": "net"} if "order_id" in evidence.lines.columns else {"columns.order_id": "???"}
    choices = (
        Choice("yes, take them off the orders", net),
        Choice("no, leave the money in", {"cleaning.cancellations": "drop"}),
    )
    return Question(QuestionCode.NEGATIVE_ROWS, text, share, 0.0, choices, "cleaning")


def find_unread_status(evidence: Evidence) -> Question | None:
    """A column of order statuses that no parameter names, with values that may be no sales."""
    found = evidence.doubts.unread_status()
    if found is None:
        return None
    shown = describe_values(found.values.value, found.values.rows, found.values.money)
    text = STATUS.format(column=found.column, values=join_names(shown[:SHOWN_VALUES]))
    out = found.values[found.values.doubtful]
    leaving = join_names([repr(value) for value in out.value.head(SHOWN_VALUES)])
    choices = (
        as_it_is("yes, all are", QuestionCode.STATUS),
        Choice(f"not {leaving} (correct the lists if others are meant)", found.rule),
    )
    share = evidence.revenue_share(out.money.sum())
    rows = float(out.rows.sum() / found.values.rows.sum())
    return Question(QuestionCode.STATUS, text, share, 0.0, choices, "source", rows)


def find_huge_order(evidence: Evidence) -> Question | None:
    """An order so large that it may be an error."""
    totals = evidence.totals
    if not totals.orders:
        return None
    order = evidence.orders.order_by(ibis.desc("revenue"), "customer_id").limit(1).execute().iloc[0]
    money = float(order.revenue)
    share = evidence.revenue_share(money)
    if share < HUGE_ORDER_SHARE or money < HUGE_ORDER_TIMES_MEAN * totals.revenue / totals.orders:
        return None
    text = HUGE_ORDER.format(
        order=order.order_id,
        customer=order.customer_id,
        day=f"{order.ordered_at:%Y-%m-%d}",
        money=evidence.fmt.money(money),
        share=percent(share, 1),
    )
    choices = (
        as_it_is("yes, count it", QuestionCode.HUGE_ORDER),
        Choice("no, leave this customer out", {"cleaning.exclude_customers": [str(order.customer_id)]}),
    )
    return Question(QuestionCode.HUGE_ORDER, text, share, 0.0, choices, "cleaning")


FINDERS: tuple[tuple[QuestionCode, Callable[[Evidence], Question | None]], ...] = (
    (QuestionCode.UNASSIGNED_MONEY, money_questions.find_unassigned),
    (QuestionCode.PRICE_BASIS, money_questions.find_price_basis),
    (QuestionCode.CENTS, money_questions.find_cents),
    (QuestionCode.STATUS, find_unread_status),
    (QuestionCode.REPEATED_AMOUNT, money_questions.find_repeated_amount),
    (QuestionCode.NEGATIVE_ROWS, find_negative_rows),
    (QuestionCode.DUPLICATES, find_duplicates),
    (QuestionCode.HUGE_ORDER, find_huge_order),
    (QuestionCode.NO_CUSTOMER, id_questions.find_rows_without_customer),
    (QuestionCode.GUESTS, id_questions.find_guests),
    (QuestionCode.SHARED_IDS, id_questions.find_shared_ids),
    (QuestionCode.EMAIL_IDS, id_questions.find_alike_emails),
    (QuestionCode.ORDER_NUMBERS, id_questions.find_reused_numbers),
)


def find_questions(evidence: Evidence, answered: Collection[QuestionCode] = ()) -> list[Question]:
    """Find the open questions about line items.

    Parameters
    ----------
    evidence : Evidence
        What questions are found in.
    answered : collection of QuestionCode
        The questions that are not asked. What they need is not computed either.

    Returns
    -------
    list of Question
        The questions in the order of `FINDERS`, also those that change the figures little.
    """
    found = [find(evidence) for code, find in FINDERS if code not in answered]
    return [question for question in found if question is not None]


def require_answers(questions: list[Question]) -> None:
    """Stop if questions are open that can change the figures.

    Parameters
    ----------
    questions : list of Question
        See `find_questions`.

    Raises
    ------
    OpenQuestions
        If there is a question that can change revenue or the number of customers too much. It lists all of them.
    """
    material = [question for question in questions if question.is_material]
    if material:
        codes = ", ".join(question.code for question in material)
        first, last = (
            OPEN.format(questions=MESSAGES.plural(len(material), "open question")),
            CONFIRM.format(codes=codes),
        )
        raise OpenQuestions("\n".join([first, *map(describe, material), last]))


def describe(question: Question) -> str:
    """Write a question with its answers, each answer on a line of its own."""
    lines = [f"    {choice.line}   # {choice.meaning}" for choice in question.choices]
    return "\n".join([f"  {question.code}: {question.found}", *lines])
