"""Tables that hold no transactions: one row per customer, product or period. They are refused with the reason."""

import functools
import re

import ibis.expr.types as ir

from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.sources import casting, validation
from crm_utils.sources.raw_table import RawTable

# Names of columns, in lower case with blanks between words, of which a row about one sale has none
ORDER_COUNT = (
    r"(total |number of |num |no of |nb |n |count of )?(orders|purchases|transactions|invoices)( count| placed)?"
    r"|(order|purchase|transaction|invoice)s? (count|quantity)|(total|number of|lifetime) (orders|purchases)"
    r"|anzahl (bestellungen|auftrage|kaufe)|nombre (de |d )?(commandes|achats)|numero (de )?(pedidos|compras)|frequency"
)
TOTAL_SPENT = (
    r".*\b(total|amount|money) (spent|spend|spending)|.*\b(lifetime|customer) (value|spend|revenue|sales)( .*)?|ltv|clv"
    r"|.*\bvalue total\b.*|.*\btotal ever\b.*|gesamtumsatz|total (depense|gastado)"
)
FIRST_OR_LAST = (
    r"(date of )?(first|last|latest|most recent) (order|purchase|transaction|invoice)( date| at| on| day)?"
    r"|(erste|letzte)r? (bestellung|kauf)|(premiere|derniere) commande|(primer|ultimo) pedido"
)
SUMMARIES = ({"frequency", "recency"}, {"x", "t_x"})  # what models of customers are fitted to, without dates
# So many rows are needed before a table of unique ids says anything, and this share of them must differ.
MIN_ROWS, UNIQUE_SHARE = 5, 0.98

NO_TRANSACTIONS = "{label} has one row per {what} ({columns}). A report needs the orders: {cure}"
EXPORT_ORDERS = "export them with one row per order or line item, each with its customer, date and amount"


def check_table_kind(part: RawTable, column_map: dict[str, str]) -> None:
    """Raise `SourceError` if a table holds customers, products or totals of periods instead of transactions.

    The rows are read only if the names of the columns give cause.

    Parameters
    ----------
    part : RawTable
        A part of the source.
    column_map : dict of str to str
        The source's column of each standard name that is known.
    """
    totals = _named(part, ORDER_COUNT, TOTAL_SPENT)
    hints = [*totals, *_named(part, FIRST_OR_LAST)]
    customer, day, product = (column_map.get(name) for name in ("customer_id", "ordered_at", "product_id"))
    summary = next((names for names in SUMMARIES if names <= {_words(name) for name in part.table.columns}), None)
    if summary and day is None:
        _refuse(part, "customer", [name for name in part.table.columns if _words(name) in summary])
    if customer is None:
        if product and not day and _are_unique(part, [product]):
            _refuse(part, "product", [product])
        if day and not product and _are_unique(part, [day]):
            _refuse(part, "period", [day, *totals])
    elif column_map.get("order_id") in [None, *hints] and product is None:
        if (_named(part, ORDER_COUNT) or len(hints) > 1) and _are_unique(part, [customer]):
            _refuse(part, "customer", [customer, *hints])
        if day and _named(part, ORDER_COUNT) and _are_unique(part, [customer, day]) and _are_months(part, day):
            _refuse(part, "customer and month", [customer, day, *totals])


def _named(part: RawTable, *patterns: str) -> list[str]:
    """Return the columns whose names match one of the patterns."""
    plain = {name: " ".join(re.findall(r"[a-z]+", _words(name))) for name in part.table.columns}
    return [name for name, words in plain.items() if any(re.fullmatch(pattern, words) for pattern in patterns)]


def _words(name: str) -> str:
    """Return a name in lower case, with a blank where a capital begins a word."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


def _are_unique(part: RawTable, columns: list[str]) -> bool:
    """Whether nearly every row has values of its own in these columns."""
    texts = [part.table[column].cast("string").strip() for column in columns]
    key = functools.reduce(lambda left, right: left + "\n" + right, texts)
    table = part.table.select(key=key)
    found = validation.execute(table.aggregate(rows=table.key.count(), distinct=table.key.nunique()), part).iloc[0]
    return bool(found["rows"] >= MIN_ROWS and found.distinct >= UNIQUE_SHARE * found["rows"])


def _are_months(part: RawTable, column: str) -> bool:
    """Whether all dates are the first or the last day of a month."""
    day: ir.DateValue = casting.cast(part.table[column], "ordered_at", part.format).date()
    first = day.day() == 1
    last = day.delta(day.truncate("M"), unit="day") >= 27
    days = part.table.select(first=first.fill_null(False), last=last.fill_null(False))
    found = validation.execute(days.aggregate(first=days["first"].all(), last=days["last"].all()), part).iloc[0]
    return bool(found["first"] or found["last"])


def _refuse(part: RawTable, what: str, columns: list[str]) -> None:
    names = list(dict.fromkeys(columns))
    shown = f"{'column' if len(names) == 1 else 'columns'} {join_names([repr(name) for name in names])}"
    rows = MESSAGES.plural(validation.execute(part.table.aggregate(rows=part.table.count()), part).rows[0], "row")
    label = f"{part.label} ({rows})"
    raise SourceError(NO_TRANSACTIONS.format(label=label, what=what, columns=shown, cure=EXPORT_ORDERS))
