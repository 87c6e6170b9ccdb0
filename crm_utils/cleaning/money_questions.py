"""Questions about what an order is worth (see `questions`)."""

from crm_utils.cleaning.question import MIN_REVENUE_SHARE, Choice, Evidence, Question, as_it_is
from crm_utils.config.report import Columns, QuestionCode
from crm_utils.core.formatting import join_names, percent
from crm_utils.sources.column_names import plain_words
from crm_utils.sources.unassigned_money import OTHER_AMOUNT, RETURNED, UnassignedMoney

# A column may be the amount of the whole order if it is the same in all rows of this share of the orders with several
# rows, of which there are at least so many.
SAME_SHARE, FEWEST_ORDERS = 0.9, 5

UNASSIGNED = "no parameter names {columns}. Does it change what an order is worth?"
UNASSIGNED_COLUMN = "column {name!r} ({kind}, {rows}, {money}{instead}, {share} of revenue)"
INSTEAD = " instead of {money}"
CENT_WORDS = {"cent", "cents", "pence", "pennies", "centimes", "centimos", "centavos", "kurus", "kopeks", "grosze"}
CENTS = "column {column!r} is added up to {money}. Are these cents?"
PRICE_BASIS = (
    "is {price!r} the price of one piece or of the line? No total and no product tells. The rows are worth {per_piece} "
    "if it is of one piece, and {per_line} if it is of the line ({share} of revenue)."
)
REPEATED = (
    "{amount!r} is the same in all rows of {same} of {orders} with several rows, and is added up: {money}. They are "
    "worth {once} if it is the amount of the whole order ({share} of revenue). Is it?"
)


def find_unassigned(evidence: Evidence) -> Question | None:
    """Columns of money that no parameter names."""
    shares = {each: evidence.revenue_share(each.at_stake) for each in evidence.doubts.unassigned_money()}
    found = [each for each, share in shares.items() if share > MIN_REVENUE_SHARE]
    if not found:
        return None
    parts, others = ([each for each in found if (each.kind == OTHER_AMOUNT) == other] for other in (False, True))
    described = [
        UNASSIGNED_COLUMN.format(
            name=each.column,
            kind=each.kind,
            rows=evidence.fmt.plural(each.rows, "row"),
            money=evidence.fmt.money(each.total),
            instead=INSTEAD.format(money=evidence.fmt.money(each.counted)) if each in others else "",
            share=percent(shares[each], 1),
        )
        for each in found
    ]
    choices = (
        *([Choice("yes, this way", {"columns.amount": amount_with(parts, evidence.columns)})] if parts else []),
        *(Choice(f"an order is worth {each.column!r}", {"columns.amount": _as_amount(each)}) for each in others),
        as_it_is("no, the amounts are right as they are", QuestionCode.UNASSIGNED_MONEY),
    )
    text = UNASSIGNED.format(columns=join_names(described))
    return Question(QuestionCode.UNASSIGNED_MONEY, text, max(shares[each] for each in found), 0.0, choices, "columns")


def quoted(name: str) -> str:
    """A column as it is written in arithmetic."""
    return name if name.isidentifier() else f"`{name}`"


def amount_with(found: list[UnassignedMoney], columns: Columns) -> dict[str, object]:
    """The parameter `columns.amount` with these columns as parts of it."""
    back = [quoted(each.column) for each in found if each.kind == RETURNED]
    pieces = f"({' - '.join(['quantity', *back])})" if back else "quantity"
    lines = columns.amount if isinstance(columns.amount, str) else f"{pieces} * unit_price"
    if isinstance(columns.amount, str) and any(each.rate for each in found):
        lines = quoted(columns.amount)
    rates = [f"{quoted(each.column)}{' / 100' if each.percent else ''}" for each in found if each.rate]
    amount: dict[str, object] = {"lines": " * ".join([lines, *(f"(1 - {rate})" for rate in rates)])}
    money = [each for each in found if not each.rate and each.kind != RETURNED]
    amount["minus"] = [each.column for each in money if each.sign < 0]
    amount["plus"] = [each.column for each in money if each.sign > 0]
    amount["once_per_order"] = [each.column for each in money if each.once_per_order]
    return {name: value for name, value in amount.items() if value}


def _as_amount(other: UnassignedMoney) -> dict[str, object]:
    """The parameter `columns.amount` with this column as the whole amount."""
    return {"lines": other.column} | ({"once_per_order": True} if other.once_per_order else {})


def find_cents(evidence: Evidence) -> Question | None:
    """Amounts in a column whose name says that they are cents."""
    columns = evidence.columns
    own = columns.amount if columns.amount is not None else columns.unit_price
    if not isinstance(own, str) or not CENT_WORDS & set(plain_words(own).split()):
        return None
    whole = quoted(own) if columns.amount is not None else "quantity * unit_price"
    text = CENTS.format(column=own, money=evidence.fmt.money(evidence.totals.revenue))
    choices = (
        Choice("yes", {"columns.amount": {"lines": f"{whole} / 100"}}),
        as_it_is("no, they are whole amounts", QuestionCode.CENTS),
    )
    return Question(QuestionCode.CENTS, text, 0.99, 0.0, choices, "columns")


def find_price_basis(evidence: Evidence) -> Question | None:
    """A price that may be of one piece or of the line."""
    found = evidence.doubts.price_basis()
    if found is None or found.of_line is not None:
        return None
    share = evidence.revenue_share(found.per_piece - found.per_line)
    text = PRICE_BASIS.format(
        price=found.price,
        per_piece=evidence.fmt.money(found.per_piece),
        per_line=evidence.fmt.money(found.per_line),
        share=percent(share, 1),
    )
    of_line = Choice("of the line", {"columns.amount": {"lines": found.price}})
    choices = (as_it_is("of one piece", QuestionCode.PRICE_BASIS), of_line)
    if found.quantity:
        lines = f"{quoted(found.quantity)} * {quoted(found.price)}"
        choices = (Choice("of one piece", {"columns.amount": {"lines": lines}}), of_line)
    return Question(QuestionCode.PRICE_BASIS, text, share, 0.0, choices, "columns")


def find_repeated_amount(evidence: Evidence) -> Question | None:
    """An amount that is the same in all rows of an order: it may be that of the whole order."""
    own = evidence.columns.amount
    if not isinstance(own, str) or "order_id" not in evidence.lines.columns:
        return None
    if evidence.orders.lines.max().execute() <= 1:
        return None
    lines = evidence.lines.filter(evidence.lines.removed_by.isnull() & (evidence.lines.amount > 0))
    orders = lines.group_by("customer_id", "order_id").agg(
        rows=lines.count(),
        low=lines.amount.min().cast("float64"),
        high=lines.amount.max().cast("float64"),
        total=lines.amount.sum().cast("float64"),
    )
    orders = orders.filter(orders["rows"] > 1)
    same = orders.low == orders.high
    found = (
        orders.aggregate(
            orders=orders.count(), same=same.sum(), values=orders.low.nunique(), money=orders.total.sum(where=same),
            once=orders.high.sum(where=same),
        )
        .execute()
        .iloc[0]
        .fillna(0)
    )  # fmt: skip
    if found.orders < FEWEST_ORDERS or found["values"] < FEWEST_ORDERS or found.same < SAME_SHARE * found.orders:
        return None
    share, fmt = evidence.revenue_share(found.money - found.once), evidence.fmt
    text = REPEATED.format(
        amount=own,
        same=fmt.count(found.same),
        orders=fmt.plural(found.orders, "order"),
        money=fmt.money(found.money),
        once=fmt.money(found.once),
        share=percent(share, 1),
    )
    choices = (
        Choice("yes, count it once", {"columns.amount": {"lines": own, "once_per_order": True}}),
        as_it_is("no, each row has an amount of its own", QuestionCode.REPEATED_AMOUNT),
    )
    return Question(QuestionCode.REPEATED_AMOUNT, text, share, 0.0, choices, "columns")
