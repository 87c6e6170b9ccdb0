"""Find the column that names the order which a row takes back."""

from collections.abc import Mapping
from typing import Any

import ibis.expr.types as ir

from crm_utils.commands.new_report.ids import gather
from crm_utils.core.formatting import MESSAGES
from crm_utils.sources import casting
from crm_utils.sources.raw_table import RawTable
from crm_utils.sources.shared_ids import words_of

# Words in the name of a column that names another order
PARENT_WORDS = {"parent", "refund", "refunded", "refunds", "original", "related", "linked", "reversal", "reversed"}
PARENT_WORDS |= {
    "credited",
    "ursprung",
    "ursprungsbestellung",
    "bezug",
    "bezugsbeleg",
    "storniert",
    "origine",
    "origen",
}
PARENT_WORDS |= {"originale", "initiale", "rembourse", "reembolso", "origem", "iade", "asil"}
# Share of the filled values of such a column that must be ids of orders, and share of its rows that must be negative
MIN_KNOWN, MIN_NEGATIVE = 0.9, 0.9

NAMED = (
    "refunds: {column!r} names the order that {rows} take back ({money}); columns.refund_of is {column!r} and "
    "cleaning.cancellations is net, so they reduce what their customers spent"
)


def find_refunded_orders(parts: list[RawTable], columns: Mapping[str, Any], guessed: list[str]) -> str | None:
    """Find the column that names the order which a row takes back.

    Parameters
    ----------
    parts : list of RawTable
        The parts of the source, with the formats of their dates and numbers.
    columns : mapping of str to str
        The source's column for each standard name.
    guessed : list of str
        A line is added if there is one, with rows and money.

    Returns
    -------
    str or None
        A column named like one whose values are ids of other orders, in rows with negative amounts.
    """
    money = {"amount"} if "amount" in columns else {"quantity", "unit_price"}
    if not {"order_id", *money} <= set(columns) or not all(isinstance(columns[name], str) for name in money):
        return None
    shared = set.intersection(*(set(part.table.columns) for part in parts))
    taken = set(map(str, columns.values()))
    parents = [name for name in parts[0].table.columns if name in shared - taken and words_of(name) & PARENT_WORDS]
    if not parents:
        return None
    rows = gather(parts, [_read(part, columns, sorted(money), parents) for part in parts])
    for parent in parents:
        filled, known, negative, total = _describe(rows, parent)
        if filled and known >= MIN_KNOWN and negative >= MIN_NEGATIVE:
            guessed.append(
                NAMED.format(column=parent, rows=MESSAGES.plural(filled, "row"), money=MESSAGES.number(-total, 2))
            )
            return parent
    return None


def _read(part: RawTable, columns: Mapping[str, Any], money: list[str], parents: list[str]) -> ir.Table:
    """The order, its amount and the orders that the columns name; rows without a number of an order have their own."""
    raw = part.table
    values = {name: casting.cast(raw[columns[name]], name, part.format).cast("float64") for name in money}
    amount = values["amount"] if "amount" in values else values["quantity"] * values["unit_price"]
    named = {_key(name): casting.cast(raw[name], "order_id", part.format) for name in parents}
    return raw.select(order_id=casting.cast(raw[columns["order_id"]], "order_id", part.format), money=amount, **named)


def _key(name: str) -> str:
    return f"parent: {name}"


def _describe(rows: ir.Table, parent: str) -> tuple[int, float, float, float]:
    """Rows with a value, the shares of them that name another order and that take money back, and their money."""
    filled = rows.filter(rows[_key(parent)].notnull())
    named = filled.select(named=_key(parent)).distinct()
    ids = rows.semi_join(named, rows.order_id == named.named).select(known="order_id").distinct()
    joined = filled.left_join(ids, filled[_key(parent)] == ids.known)
    found = joined.aggregate(
        rows=joined.count(),
        known=(joined.known.notnull() & (joined.known != joined.order_id)).mean(),
        negative=(joined.money < 0).mean(),
        money=joined.money.sum(),
    )
    row = found.execute().iloc[0].fillna(0)
    return int(row.rows), float(row.known), float(row.negative), float(row.money)
