"""What the parameters ask of a source's own columns: which rows are sales, and what they are worth.

All is computed by the engine that holds the data. No row is fetched, only counts.
"""

import json
import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config.report import AmountParts, AmountPerOrder, Columns, Currency, Source, Status, fold
from crm_utils.core.duckdb_engine import materialize_in_process
from crm_utils.core.errors import SourceError
from crm_utils.core.formatting import MESSAGES, join_names
from crm_utils.core.suggestions import plain_name
from crm_utils.sources import casting, validation
from crm_utils.sources.exchange_rates import read_rates
from crm_utils.sources.expressions import to_arithmetic, to_condition
from crm_utils.sources.layout import HEADING
from crm_utils.sources.raw_table import RawTable


class Exclusion(StrEnum):
    """Why a row is no sale: the values of `excluded_by`, in the order in which they are decided."""

    GROUP_HEADING = "group_heading"
    FILTERED = "filtered"
    STATUS_IGNORED = "status_ignored"
    STATUS_REFUNDED = "status_refunded"
    OTHER_CURRENCY = "other_currency"
    FURTHER_ROW = "further_row"
    GUEST = "guest"
    REFUND_WITHOUT_ORDER = "refund_without_order"


# The parameter that each exclusion comes from
PARAMETERS = {Exclusion.FILTERED: "source.filter", Exclusion.OTHER_CURRENCY: "source.currency"}
PARAMETERS |= {Exclusion.GROUP_HEADING: "source.fill_down"}

EXCLUDED, AMOUNT, STATUS, ORDER, CARRIER = "_excluded_by", "_amount", "_status", "_order", "_carrier"
CURRENCY, RATE = "_currency", "_rate"
LARGEST = float(validation.LARGEST)
MINUS, PLUS = "minus: ", "plus: "  # of the columns of line items that hold a part of the amount
MAX_VALUES, SHOWN = 200, 10
# Headings of a column that says in which currency a row is, without blanks and marks
CURRENCY_COLUMNS = {"currency", "currencycode", "ordercurrency", "währung", "waehrung", "devise", "moneda", "moeda"}
CURRENCY_COLUMNS |= {"parabirimi", "valuta", "ordercurrencycode"}
NO_ORDER = "0"  # how WooCommerce writes that a row refunds no order
YAML_WORDS = ("yes", "no", "on", "off", "true", "false", "null", "y", "n")  # which are no text


def prepare(part: RawTable, source: Source, columns: Columns, root: Path) -> RawTable:
    """Compute `excluded_by` and the amount, as far as the parameters ask for them.

    Parameters
    ----------
    part : RawTable
        A file, a sheet or a table.
    source : Source
        With the parameters `filter`, `status` and `currency`.
    columns : Columns
        The source's column for each standard name.

    Returns
    -------
    RawTable
        The part with further columns, named in `computed`. The same part if no parameter asks for anything.

    Raises
    ------
    SourceError
        If a parameter names an unknown column or does not fit the values: a status that no list names, an amount of a
        whole order that differs between its rows, an amount to take off that is negative.
    """
    parts = columns.amount if isinstance(columns.amount, AmountParts) else None
    names = _Names(part, columns)
    has_headings = HEADING in part.table.columns
    if not (has_headings or source.filter or source.status or source.currency or parts or columns.order_value):
        return part
    part = replace(part, table=part.table.mutate(**{EXCLUDED: ibis.null("string")}))
    if has_headings:
        is_heading = part.table[HEADING].nullif("").notnull()
        part = replace(part, table=_exclude(part.table, is_heading, Exclusion.GROUP_HEADING))
    if source.filter:
        part = _apply_filter(part, source.filter)
    if source.status:
        part = _apply_status(part, source.status, names)
    if source.currency:
        part = _apply_currency(part, source.currency, names, root)
    if columns.order_value:
        part = replace(part, table=part.table.mutate(**{AMOUNT: names.plain_amount(part.table)}))
        return replace(part, computed={"excluded_by": EXCLUDED, **part.computed, "amount": AMOUNT})
    if parts is None and RATE in part.table.columns:
        amount = columns.amount if isinstance(columns.amount, str) else None
        parts = AmountParts(lines=amount or "quantity * unit_price")
    if parts:
        part = replace(_compute_amount(part, parts, names), numbers=names.used, factors=frozenset(names.factors))
    return replace(part, computed={"excluded_by": EXCLUDED, **part.computed})


def sales_of(part: RawTable) -> RawTable:
    """The part without the rows that the parameters leave out: only their values need to be readable."""
    if EXCLUDED not in part.table.columns:
        return part
    return replace(part, table=part.table.filter(part.table[EXCLUDED].isnull()))


def check_rows_left(parts: list[RawTable]) -> None:
    """Raise `SourceError` if the parameters leave out every row."""
    if any(EXCLUDED not in part.table.columns for part in parts):
        return
    for part in parts:  # the usual case: the engine stops at the first sale
        if validation.execute(sales_of(part).table.limit(1).count().as_table(), part).iloc[0, 0]:
            return
    rows: dict[str, int] = {}
    for part in parts:
        counted = part.table.group_by(EXCLUDED).agg(rows=part.table.count())
        for code, count in validation.execute(counted, part).itertuples(index=False):
            parameter = PARAMETERS.get(Exclusion(code), "source.status")
            rows[parameter] = rows.get(parameter, 0) + count
    left_out = [f"{parameter} leaves out {MESSAGES.count(count)}" for parameter, count in sorted(rows.items())]
    raise SourceError(
        f"{join_names([part.label for part in parts])}: no row is left of "
        f"{MESSAGES.plural(sum(rows.values()), 'row')}; {join_names(left_out)}: correct it, so that sales are left"
    )


def complete_refunds(lines: ir.Table, column: str | None) -> ir.Table:
    """Give refunds the customer of the order that they name, and exclude those that name an order without sales.

    Parameters
    ----------
    lines : ibis.Table
        The line items of all parts of the source.
    column : str or None
        The source's column that names the refunded order.

    Returns
    -------
    ibis.Table
        The line items. Those with `refund_of` have `excluded_by` too.

    Raises
    ------
    SourceError
        If a row names a refunded order although its amount is positive.
    """
    if "refund_customer_id" in lines.columns:
        refunded = lines.refund_customer_id.notnull() & (lines.amount < 0).fill_null(False)
        lines = lines.mutate(customer_id=ibis.ifelse(refunded, lines.refund_customer_id, lines.customer_id))
        lines = lines.drop("refund_customer_id")
    if column is None:
        return lines
    lines = lines.mutate(refund_of=lines.refund_of.nullif(NO_ORDER))
    if "excluded_by" not in lines.columns:
        lines = lines.mutate(excluded_by=ibis.null("string"))
    counts, names_order = lines.excluded_by.isnull(), lines.refund_of.notnull()
    _check_negative_refunds(lines.filter(counts & names_order), column)
    refunds = lines.filter(counts & names_order)
    sold = lines.filter(counts & ~names_order & (lines.amount > 0) & lines.order_id.isin(refunds.refund_of))
    orders = materialize_in_process(sold.group_by(sold_in=sold.order_id).agg(sold_to=sold.customer_id.max()))
    joined = lines.left_join(orders, lines.refund_of == orders.sold_in)
    lost = joined.refund_of.notnull() & joined.sold_in.isnull() & joined.excluded_by.isnull()
    completed = joined.mutate(
        customer_id=ibis.coalesce(joined.customer_id, joined.sold_to),
        excluded_by=ibis.ifelse(lost, str(Exclusion.REFUND_WITHOUT_ORDER), joined.excluded_by),
    )
    return completed.select(*lines.columns)


def _check_negative_refunds(refunds: ir.Table, column: str) -> None:
    positive = refunds.filter(refunds.amount > 0)
    found = positive.aggregate(rows=positive.count(), money=positive.amount.sum().cast("float64")).execute().iloc[0]
    if found.rows:
        raise SourceError(
            f"column {column!r} (columns.refund_of): {MESSAGES.plural(found.rows, 'row')} that name a refunded order "
            f"have positive amounts ({MESSAGES.number(found.money, 2)} in total): if they are sales, such as renewals, "
            "leave columns.refund_of out; if they are refunds, give them a negative sign, for example with "
            "columns.amount: {lines: sales - refunds}"
        )


class _Names:
    """The columns that parameters name: the source's own ones, or standard names."""

    def __init__(self, part: RawTable, columns: Columns):
        self.part, self.columns = part, columns
        self.used: dict[str, str] = {}
        self.factors: set[str] = set()

    def own_name(self, name: str, parameter: str) -> str:
        there = self.part.table.columns
        own = self.columns.named.get(name)
        if name in there or own in there:
            return name if name in there else str(own)
        raise SourceError(validation.missing_column(self.part, name, parameter))

    def money(self, table: ir.Table, text: str, parameter: str) -> ir.NumericValue:
        """A column, or arithmetic on columns, as money. Notes which columns must be readable."""
        there = self.part.table.columns
        if text in there or self.columns.named.get(text) in there or text.isidentifier():
            own = self._noted(text, parameter)
            return casting.cast(table[own], "amount", self.part.format)

        def number(name: str) -> ir.Column:
            own = self._noted(name, parameter)
            self.factors.add(own)
            return casting.as_factor(table[own], self.part.format)

        try:
            value = to_arithmetic(text, number, parameter)
        except ValueError as error:
            raise SourceError(f"{self.part.label}: {error}") from None
        return casting.as_money(ibis.ifelse(value.abs() > LARGEST, 2 * LARGEST, value).round(4))

    def plain_amount(self, table: ir.Table) -> ir.NumericValue:
        """What a row is worth before anything is taken off or added."""
        amount = self.columns.amount
        if isinstance(amount, str):
            return casting.cast(table[self.own_name(amount, "columns.amount")], "amount", self.part.format)
        if self.columns.order_value:
            return ibis.literal(self.columns.order_value, "float64").cast(casting.AMOUNT_TYPE)
        assert not isinstance(amount, AmountPerOrder)  # it has an order value
        return self.money(table, amount.lines if amount else "quantity * unit_price", "columns.amount.lines")

    def order_id(self, table: ir.Table) -> ir.StringColumn | None:
        """The ids of orders, or None."""
        column = self.columns.named.get("order_id")
        if column is None:
            return None
        return casting.cast(table[self.own_name(column, "columns.order_id")], "order_id", self.part.format)

    def _noted(self, name: str, parameter: str) -> str:
        own = self.own_name(name, parameter)
        self.used.setdefault(own, parameter)
        return own


def share_order_value(lines: ir.Table, value: float | None) -> ir.Table:
    """Share the value of an order, which is the same for all, among its lines.

    Parameters
    ----------
    lines : ibis.Table
        Line items of a source without amounts. An order is that of `orders.orders_from_lines`.
    value : float or None
        What each order is worth. None: the source has amounts.

    Returns
    -------
    ibis.Table
        The line items, with amounts that add up to the value in each order. Excluded lines have no part in it.
    """
    if value is None or not {"order_id", "product_id", "description"} & set(lines.columns):
        return lines
    order = lines.order_id if "order_id" in lines.columns else lines.ordered_at.date()
    counts = lines.excluded_by.isnull()
    if "quantity" in lines.columns:
        counts = counts & (lines.quantity > 0).fill_null(False)
    extract = [lines.extract] if "extract" in lines.columns else []
    window = {"group_by": [lines.customer_id, order, counts, *extract]}
    rows = lines.count().over(**window)
    share = (ibis.literal(value, "float64") / rows).round(4)
    first = ibis.row_number().over(**window, order_by=lines.ordered_at) == 0
    amount = ibis.ifelse(first, value - (rows - 1) * share, share)
    return lines.mutate(amount=casting.as_money(amount, casting.AMOUNT_TYPE))


def _exclude(table: ir.Table, condition: ir.BooleanValue, code: Exclusion) -> ir.Table:
    # names the earlier code once: DuckDB computes it again for each time that a filter names it
    code_here = ibis.ifelse(condition.fill_null(False), str(code), ibis.null("string"))
    return table.mutate(**{EXCLUDED: ibis.coalesce(table[EXCLUDED], code_here)})


def _apply_filter(part: RawTable, query: str) -> RawTable:
    table = part.table
    try:
        kept = to_condition(query, table, lambda column: casting.as_factor(column, part.format), "source.filter")
    except ValueError as error:
        raise SourceError(f"{part.label}: {error}") from None
    except Exception:  # Ibis refuses comparisons that no engine can make
        raise SourceError(
            f"{part.label}: source.filter: {query!r} compares unlike values: put text in quotes, and numbers not"
        ) from None
    return replace(part, table=_exclude(table, ~kept, Exclusion.FILTERED))


def _apply_status(part: RawTable, status: Status, names: _Names) -> RawTable:
    """Leave out the rows whose status is no sale. A row without a status has that of its order."""
    own = names.own_name(status.column, "source.status")
    table = part.table.mutate(**{STATUS: part.table[own].cast("string").strip().nullif("")})
    found, table = _count_values(part, table, STATUS, names)
    lists = {fold(value): name for name in ("count", "refund", "ignore") for value in getattr(status, name)}
    values = found[STATUS].fillna("")
    listed = values.map(lambda value: lists.get(fold(value)))
    if listed.isna().any():
        raise SourceError(_unlisted_statuses(part, status, found[listed.isna()]))
    value = table[STATUS].fill_null("")
    table = _exclude(table, value.isin(values[listed == "ignore"].tolist()), Exclusion.STATUS_IGNORED)
    sale = ~(table[AMOUNT] < 0).fill_null(False)  # a negative row takes back itself
    refunded = value.isin(values[listed == "refund"].tolist())
    # a case, so that amounts are computed for refunded rows only
    table = _exclude(table, ibis.ifelse(refunded, sale, False), Exclusion.STATUS_REFUNDED)
    return replace(part, table=table.drop(AMOUNT))


def _apply_currency(part: RawTable, currency: Currency, names: _Names, root: Path) -> RawTable:
    """Leave out the rows in other currencies, or add the rate of each row."""
    table = part.table
    table = table.mutate(**{CURRENCY: _code(table[names.own_name(currency.column, "source.currency")])})
    found, table = _count_values(part, table, CURRENCY, names)
    where = f"{part.label}, column {currency.column!r} (source.currency)"
    blank = found[found[CURRENCY].isna()]
    if len(blank):
        raise SourceError(
            f"{where}: {MESSAGES.plural(blank['rows'].iloc[0], 'row')} without a currency; give these rows one, or "
            f"leave them out: source.filter: '`{currency.column}`.notna()'"
        )
    if currency.keep is not None:
        kept = currency.keep.strip().upper()
        return replace(part, table=_exclude(table, table[CURRENCY] != kept, Exclusion.OTHER_CURRENCY))
    rates = read_rates(str(currency.rates), root)
    missing = found[~found[CURRENCY].isin(list(rates))]
    if len(missing):
        raise SourceError(
            f"{currency.rates} has no rate of {_shown_values(missing, CURRENCY)} in {where}; add the line "
            f"{missing[CURRENCY].iloc[0]},<rate>"
        )
    rate = table[CURRENCY].cases(*rates.items(), else_=ibis.null("float64"))
    return _convert_prices(replace(part, table=table.mutate(**{RATE: rate})), names)


def _convert_prices(part: RawTable, names: _Names) -> RawTable:
    """Convert the price and the cost of a unit, as the amounts are."""
    table, columns = part.table, names.columns.named
    converted: dict[str, str] = {name: f"_{name}" for name in ("unit_price", "unit_cost") if name in columns}
    values = {
        own: casting.as_money(
            (casting.cast(table[columns[name]], name, part.format).cast("float64") * table[RATE]).round(4)
        )
        for name, own in converted.items()
    }
    names.used |= {columns[name]: f"columns.{name}" for name in converted}
    return replace(part, table=table.mutate(**values), computed=converted)


def first_and_last_currency(part: RawTable) -> dict[str, ir.StringScalar]:
    """Return the first and the last value, in the order of text, of columns that may say which currency a row is in."""
    table = part.table
    columns = [name for name in table.columns if plain_name(name) in CURRENCY_COLUMNS]
    codes = {name: _code(table[name]) for name in columns if table[name].type().is_string()}
    return {
        f"{end}: {name}": value
        for name, code in codes.items()
        for end, value in (("first", code.min()), ("last", code.max()))
    }


def check_one_currency(parts: list[RawTable], columns: Columns, found: list[dict[str, object]]) -> None:
    """Raise `SourceError` if a column says that the amounts of sales are in several currencies.

    Parameters
    ----------
    parts : list of RawTable
        The files, sheets or table, with the rows that are sales.
    columns : Columns
        The source's column for each standard name.
    found : list of dict of str to object
        The values of `first_and_last_currency` in each part.
    """
    codes: dict[str, set[object]] = {}
    for values in found:
        for key, code in values.items():
            codes.setdefault(plain_name(key.partition(": ")[2]), set()).add(code)
    for heading in (heading for heading, different in codes.items() if len(different - {None}) > 1):
        named = [(part, name) for part in parts for name in part.table.columns if plain_name(name) == heading]
        counts = pd.concat([_count_currencies(part, name, columns) for part, name in named])
        sums = counts.groupby(CURRENCY, as_index=False).sum().sort_values(["rows", CURRENCY], ascending=[False, True])
        if sums[CURRENCY].str.fullmatch("[A-Z]{3}").all():
            where = join_names(list(dict.fromkeys(part.label for part, _ in named)))
            setting, kept = f"source.currency: {{column: {in_yaml(named[0][1])}, ", sums[CURRENCY].iloc[0]
            raise SourceError(
                f"{where}, column {named[0][1]!r}: amounts in {_shown_values(sums, CURRENCY)} would be added up; set "
                f"{setting}keep: {kept}}}, or convert them with {setting}rates: rates.csv}}"
            )


def _count_currencies(part: RawTable, column: str, columns: Columns) -> pd.DataFrame:
    table = part.table.mutate(**{CURRENCY: _code(part.table[column])})
    return _count_values(part, table.filter(table[CURRENCY].notnull()), CURRENCY, _Names(part, columns))[0]


def _code(column: ir.Column) -> ir.StringColumn:
    return column.cast("string").strip().upper().nullif("")


def _count_values(part: RawTable, table: ir.Table, column: str, names: _Names) -> tuple[pd.DataFrame, ir.Table]:
    """Count rows and money of each value among sales. A row without a value first gets that of its order."""
    table = table.mutate(**{AMOUNT: names.plain_amount(table)})
    found = _count(part, table, column)
    order = names.order_id(table)
    if found[column].isna().any() and order is not None:
        table = table.mutate(**{ORDER: order})
        of_order = ibis.ifelse(table[ORDER].notnull(), table[column].max().over(group_by=ORDER), ibis.null("string"))
        table = table.mutate(**{column: ibis.coalesce(table[column], of_order)})
        found = _count(part, table, column)
    return found, table


def _count(part: RawTable, table: ir.Table, column: str) -> pd.DataFrame:
    sales = table.filter(table[EXCLUDED].isnull()) if EXCLUDED in table.columns else table
    counted = sales.group_by(column).agg(rows=sales.count(), money=sales[AMOUNT].cast("float64").sum().fill_null(0))
    return validation.execute(counted.order_by(ibis.desc("rows"), column).limit(MAX_VALUES + 1), part)


def describe_values(values: pd.Series, rows: pd.Series, money: pd.Series) -> list[str]:
    """Write each value of a status or a currency with its rows and money."""
    return [
        f"{value!r} ({MESSAGES.plural(count, 'row')}, {MESSAGES.number(amount, 2)})"
        for value, count, amount in zip(values, rows, money, strict=True)
    ]


def _shown_values(found: pd.DataFrame, column: str) -> str:
    shown = describe_values(found[column].fillna(""), found.rows, found.money)
    return ", ".join(shown[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")


def _unlisted_statuses(part: RawTable, status: Status, found: pd.DataFrame) -> str:
    where = f"{part.label}, column {status.column!r} (source.status)"
    if len(found) >= MAX_VALUES:
        return f"{where}: {MAX_VALUES} different values or more: name the column that holds the status"
    line = ", ".join(map(in_yaml, [*status.ignore, *found[STATUS].fillna("")[:SHOWN]]))
    return (
        f"{where}: no list names {_shown_values(found, STATUS)}; add each value to count, refund or ignore, "
        f"for example ignore: [{line}]"
    )


def in_yaml(text: str) -> str:
    """A text as it stands in a list of a YAML file."""
    plain = re.fullmatch(r"[^\W\d]\w*([ -]\w+)*", text) and fold(text) not in YAML_WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)


def _compute_amount(part: RawTable, parts: AmountParts, names: _Names) -> RawTable:
    """Add the amount, and a column for each part of it that is taken off or added."""
    table = part.table
    signed = {f"{MINUS}{name}": name for name in parts.minus} | {f"{PLUS}{name}": name for name in parts.plus}
    pieces = {AMOUNT: names.money(table, parts.lines, "columns.amount.lines")}
    for column, name in signed.items():
        pieces[column] = names.money(table, name, f"columns.amount.{column.split(':')[0]}")
    if RATE in table.columns:
        pieces = {
            name: casting.as_money((value.cast("float64") * table[RATE]).round(4)) for name, value in pieces.items()
        }
    part = replace(part, table=table.mutate(**pieces))
    once = {column: name for column, name in {AMOUNT: parts.lines, **signed}.items() if parts.is_once_per_order(name)}
    if once:
        part = _count_once_per_order(part, once, [*signed], names)
    table = part.table
    if signed:
        sale = table[EXCLUDED].isnull()
        zeros = {column: ibis.ifelse(sale, table[column].fill_null(0), 0) for column in signed}
        table = table.mutate(**{AMOUNT: table[AMOUNT].fill_null(0)}, **zeros)
    _check_parts(replace(part, table=table), parts.lines, signed)
    amount = table[AMOUNT]
    for column in signed:
        amount = amount - table[column] if column.startswith(MINUS) else amount + table[column]
    table = table.mutate(**{AMOUNT: casting.as_money(amount, casting.AMOUNT_TYPE)})
    return replace(
        part, table=table, computed={**part.computed, "amount": AMOUNT} | {column: column for column in signed}
    )


def _count_once_per_order(part: RawTable, once: dict[str, str], signed: list[str], names: _Names) -> RawTable:
    """Let one row of each order carry the amounts that are of the whole order."""
    table = part.table
    order = names.order_id(table)
    assert order is not None  # the parameters are refused without it
    table = table.mutate(**{ORDER: order})
    _check_same_in_order(replace(part, table=table), once)
    known = table[EXCLUDED].isnull() & table[ORDER].notnull()
    group = [table[ORDER], known]
    own = [table[column] for column in dict.fromkeys(names.columns.named.values()) if column in table.columns]
    rank = ibis.row_number().over(group_by=group, order_by=[table[AMOUNT].isnull(), *own])
    table = table.mutate(**{CARRIER: ~known | (rank == 0)})
    whole_order = AMOUNT in once  # the amounts of the other rows then stand on the first one
    values = {}
    for column in {AMOUNT: None} | dict.fromkeys(signed):
        if column in once or whole_order:
            window = table[column].max() if column in once else table[column].sum()
            of_order = window.over(group_by=group).cast(table[column].type())
            value = ibis.ifelse(known, of_order, table[column])
            values[column] = ibis.ifelse(table[CARRIER], value, ibis.null(value.type()))
    table = table.mutate(**values)
    return replace(part, table=_exclude(table, ~table[CARRIER], Exclusion.FURTHER_ROW) if whole_order else table)


def _check_same_in_order(part: RawTable, once: dict[str, str]) -> None:
    """Raise `SourceError` if an amount of the whole order differs between the rows of an order."""
    sales = sales_of(part).table
    sales = sales.filter(sales[ORDER].notnull())
    for column, name in once.items():
        ends = sales.group_by(ORDER).agg(low=sales[column].min(), high=sales[column].max())
        several = ends.filter(ends.low < ends.high)
        found = validation.execute(several.mutate(orders=several.count().over()).order_by(ORDER).limit(1), part)
        if len(found):
            row = found.iloc[0]
            raise SourceError(
                f"{part.label}, column {name!r} (columns.amount.once_per_order): "
                f"{MESSAGES.plural(row.orders, 'order')} with several amounts, for example order {row[ORDER]!r} with "
                f"{float(row.low):.2f} and {float(row.high):.2f}; an amount that differs between the rows of an order "
                "is of the row: list only the columns whose amount is of the whole order"
            )


def _check_parts(part: RawTable, lines: str, signed: dict[str, str]) -> None:
    """Raise `SourceError` for enormous amounts, and for amounts to take off that are negative already."""
    sales = sales_of(part).table
    sold = (sales[AMOUNT] > 0).fill_null(False)
    sums = {"enormous": (sales[AMOUNT].cast("float64").abs() > LARGEST).fill_null(False).ifelse(1, 0).sum()}
    minus = [column for column in signed if column.startswith(MINUS)]
    for number, column in enumerate(minus):
        negative = sold & (sales[column] < 0).fill_null(False)
        sums |= {
            f"rows_{number}": negative.ifelse(1, 0).sum(),
            f"money_{number}": ibis.ifelse(negative, sales[column].cast("float64"), 0.0).sum(),
        }
    found = validation.execute(sales.aggregate(**sums), part).iloc[0].fillna(0)
    if found.enormous:
        raise SourceError(
            f"{part.label}, {lines!r} (columns.amount.lines): {MESSAGES.plural(found.enormous, 'row')} of more than "
            f"{validation.LARGEST:,} money each: correct these rows, or give the amounts in thousands"
        )
    for number, column in enumerate(minus):
        if found[f"rows_{number}"]:
            raise SourceError(
                f"{part.label}, column {signed[column]!r} (columns.amount.minus): "
                f"{MESSAGES.plural(found[f'rows_{number}'], 'sale')} with a negative amount "
                f"({MESSAGES.number(found[f'money_{number}'], 2)}), which minus would add; if the column has its sign "
                f"already, name it in plus: [{in_yaml(signed[column])}]"
            )
