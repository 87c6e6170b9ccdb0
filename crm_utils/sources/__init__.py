"""Read any source as one Ibis table of line items.

Files are read by DuckDB, databases by their own engine.
"""

import hashlib
from datetime import date
from functools import cache, partial
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.config import Columns, Source
from crm_utils.config.report import AmountParts
from crm_utils.core import duckdb_engine
from crm_utils.sources import (
    casting,
    databases,
    id_values,
    joined_ids,
    mixed_dates,
    parquet_statistics,
    preparation,
    shared_ids,
    simulated,
    table_kinds,
    text_files,
    unread_status,
    validation,
)
from crm_utils.sources.contact_addresses import check_contact_addresses
from crm_utils.sources.customer_tables import check_known_ids, count_known_customers, read_customer_tables
from crm_utils.sources.doubts import Doubts
from crm_utils.sources.email_ids import (
    EMAIL,
    EmailSpellings,
    SharedEmails,
    count_shared_emails,
    count_spellings,
    ignore_in_emails,
)
from crm_utils.sources.guests import treat_guests
from crm_utils.sources.price_basis import PriceBasis, judge_price_basis, judge_unused_quantity
from crm_utils.sources.raw_table import RawTable
from crm_utils.sources.shared_ids import SharedIds
from crm_utils.sources.unassigned_money import UnassignedMoney, sum_unassigned_money

__all__ = [
    "Doubts",
    "RawTable",
    "find_doubts",
    "count_email_spellings",
    "find_price_basis",
    "find_shared_emails",
    "find_unread_status",
    "find_unassigned_money",
    "find_shared_ids",
    "read_customer_tables",
    "check_contact_addresses",
    "check_known_ids",
    "count_known_customers",
    "read_line_items",
    "read_raw_tables",
    "source_fingerprint",
]


def read_line_items(source: Source, columns: Columns, root: Path, day: date | None = None) -> ir.Table:
    """Read a source as line items with standard column names and types. No rows are loaded into memory.

    Parameters
    ----------
    source : Source
        Where the line items are.
    columns : Columns
        The name of the source's column for each standard column.
    root : Path
        The project's folder. Paths of files are relative to it.
    day : datetime.date, optional
        The analysis date. If it is given, a few rows dated more than a year after it and after all other rows are an
        error.

    Returns
    -------
    ibis.Table
        One row per line item: customer_id (text, null if unknown), ordered_at (timestamp), amount (decimal), and
        if `columns` names them, order_id, product_id, description, country (text), quantity, unit_price and unit_cost
        (decimal). A source of several files or sheets also has extract (0, 1, 2 … in the order of `source`). If the
        parameters ask for it, also refund_of (text), excluded_by (why a row is no sale, see `preparation.Exclusion`;
        null for a sale), and `minus: <column>` and `plus: <column>` (decimal): the parts of the amount.
        If a row takes money back without the order id of a cancellation, also negative (boolean).

    Raises
    ------
    SourceError
        If a file cannot be read, a column is missing, the table holds no transactions (see `table_kinds`), a value is
        not a date or number, a sale has no order id although `columns` names its column, or a parameter does not fit
        the values (see `preparation.prepare`).
    """
    source = simulated.write_files(source, root)
    are_joined = "customer_id" in columns.joined_ids
    parts = read_raw_tables(source, root, columns)
    id_values.check_column_types(parts, columns)
    parts, columns = joined_ids.join_ids(parts, columns)
    validation.check_columns_present(parts, columns.named)
    for part in parts:
        table_kinds.check_table_kind(part, columns.named)
    parts = [preparation.prepare(part, source, columns, root) for part in parts]
    preparation.check_rows_left(parts)
    tables, take_back, currencies = zip(*(_standardize(part, source, columns, day) for part in parts), strict=True)
    sales = [preparation.sales_of(part) for part in parts]
    preparation.check_one_currency(sales, columns, list(currencies))
    lines = _join_parts(list(tables), all(part.columnar for part in parts))
    ignored = source.ignore_in_emails
    ids = [name for name in casting.CUSTOMER_COLUMNS if name in lines.columns and ignored]
    lines = lines.mutate(**{name: ignore_in_emails(lines[name], ignored) for name in ids})
    lines = treat_guests(lines, source.guests, are_joined)
    lines = preparation.complete_refunds(lines, columns.refund_of)
    lines = preparation.share_order_value(lines, columns.order_value)
    return lines.mutate(negative=(lines.amount < 0).fill_null(False)) if any(take_back) else lines


def _join_parts(tables: list[ir.Table], columnar: bool) -> ir.Table:
    """Return all line items, with the number of their part if there are several."""
    if len(tables) == 1:
        return tables[0]
    numbered = [table.mutate(extract=ibis.literal(number, "int64")) for number, table in enumerate(tables)]
    return ibis.union(*numbered) if columnar else duckdb_engine.concatenate(numbered)


def _standardize(
    part: RawTable, source: Source, columns: Columns, day: date | None
) -> tuple[ir.Table, bool, dict[str, object]]:
    """Return a part of the source with standard names and types. Only the values of sales must be readable.

    Also return whether any row takes money back, and the values of `preparation.first_and_last_currency`.
    """
    column_map = {name: column for name, column in columns.named.items() if name not in part.computed}
    sales = preparation.sales_of(part)
    validation.check_time_zones(sales, column_map, source.timezone)
    in_range = parquet_statistics.columns_in_range(part, column_map)  # of all rows: a file has no statistics of sales
    currencies = {} if source.currency else preparation.first_and_last_currency(sales)
    unfit = id_values.unfit_ids(sales, column_map)
    counts = {f"unfit {name}": is_unfit.ifelse(1, 0).sum().fill_null(0) for name, is_unfit in unfit.items()}
    found = validation.check_readable_values(sales, column_map, in_range, day, {**currencies, **counts})
    for name, is_unfit in unfit.items():
        if rows := found.get(f"unfit {name}", 0):
            id_values.refuse_unfit_ids(sales, name, column_map[name], is_unfit, rows)
    mixed_dates.check_formats_agree(sales, column_map["ordered_at"])
    clean_columns = parquet_statistics.already_clean(part, column_map, in_range)
    if "order_id" in column_map:
        validation.check_order_ids(part, sales.table, column_map, clean_columns)
    return (
        casting.standardize(part, column_map, clean_columns),
        bool(found["negative"]),
        {key: found[key] for key in currencies},
    )


def read_raw_tables(source: Source, root: Path, columns: Columns | None = None) -> list[RawTable]:
    """Read the parts of a source without changing them: one per file or sheet, or one database table.

    If a file has its own `columns` in source.files, they are renamed to the names in `columns`.
    """
    if source.database:
        return [databases.read_database(source, root)]
    return text_files.read_files(source, columns, root)


def count_email_spellings(source: Source, columns: Columns, root: Path) -> EmailSpellings:
    """Count in how many ways the e-mail addresses of customers are written.

    Parameters
    ----------
    source : Source
        Where the line items are.
    columns : Columns
        The source's column for each standard name.
    root : Path
        The project's folder.

    Returns
    -------
    EmailSpellings
        Customers, and spellings that were merged or look alike.
    """
    parts, columns = joined_ids.join_ids(read_raw_tables(source, root, columns), columns)
    tables = [part.table.select(spelling=part.table[columns.named["customer_id"]].cast("string")) for part in parts]
    return count_spellings(tables, source.ignore_in_emails)


def find_doubts(source: Source, columns: Columns, root: Path) -> Doubts:
    """What the columns of a source leave open. Nothing is read before a question asks for it.

    Parameters
    ----------
    source, columns, root
        See `count_email_spellings`.

    Returns
    -------
    Doubts
        For the questions about the data.
    """
    place = source, columns, root
    return Doubts(
        partial(find_unassigned_money, *place),
        partial(find_shared_ids, *place),
        partial(find_price_basis, *place),
        partial(find_shared_emails, *place),
        partial(find_unread_status, *place),
    )


def find_unassigned_money(source: Source, columns: Columns, root: Path) -> list[UnassignedMoney]:
    """Find the columns of money that no parameter names.

    Only if the name of a column says that it holds money, its values are added up.

    Parameters
    ----------
    source : Source
        Where the line items are.
    columns : Columns
        The source's column for each standard name. If `amount` lists its parts, nothing is unassigned.
    root : Path
        The project's folder.

    Returns
    -------
    list of UnassignedMoney
        In the order of the columns.
    """
    if isinstance(columns.amount, AmountParts) or columns.order_value or source.sample or source.simulate:
        return []
    parts, columns = joined_ids.join_ids(read_raw_tables(source, root, columns), columns)
    return sum_unassigned_money(parts, source, columns, root)


def find_price_basis(source: Source, columns: Columns, root: Path) -> PriceBasis | None:
    """Find out whether the price is that of one piece or of the line.

    Parameters
    ----------
    source : Source
        Where the line items are. Its rules say which rows are sales.
    columns : Columns
        The source's column for each standard name.
    root : Path
        The project's folder.

    Returns
    -------
    PriceBasis or None
        None if there is no doubt (see `price_basis.judge_price_basis`). An amount is only doubtful if it is named like
        a price beside pieces that no parameter names.
    """
    per_piece = columns.amount is None and columns.unit_price is not None
    unused = isinstance(columns.amount, str) and columns.quantity is None
    if not (per_piece or unused) or source.sample or source.simulate:
        return None
    parts, columns = joined_ids.join_ids(read_raw_tables(source, root, columns), columns)
    sales = [preparation.sales_of(preparation.prepare(part, source, columns, root)) for part in parts]
    return judge_price_basis(sales, columns.named) if per_piece else judge_unused_quantity(sales, columns.named)


def find_unread_status(source: Source, columns: Columns, root: Path) -> unread_status.UnreadStatus | None:
    """Find a column of order statuses that no parameter names.

    The rows are only read if the name of a column promises statuses.

    Parameters
    ----------
    source : Source
        Where the line items are. Its rules say which rows are sales.
    columns : Columns
        The source's column for each standard name.
    root : Path
        The project's folder.

    Returns
    -------
    UnreadStatus or None
        See `unread_status.find_unread_status`.
    """
    if source.sample or source.simulate:
        return None
    parts, columns = joined_ids.join_ids(read_raw_tables(source, root, columns), columns)
    sales = [preparation.sales_of(preparation.prepare(part, source, columns, root)) for part in parts]
    return unread_status.find_unread_status(sales, source, columns)


def find_shared_ids(source: Source, columns: Columns, root: Path) -> SharedIds | None:
    """Find customer ids that are someone else in each store.

    The rows are only read if the names of columns promise stores, and names or e-mail addresses.

    Parameters
    ----------
    source, columns, root
        See `count_email_spellings`.

    Returns
    -------
    SharedIds or None
        None if there are none, or if `customer_id` is made of several columns.
    """
    if not isinstance(columns.customer_id, str) or source.sample or source.simulate:
        return None
    parts = read_raw_tables(source, root, columns)
    found = shared_ids.candidate_columns(parts, dict(columns))
    if not found.pairs:
        return None
    named = {"customer_id": columns.customer_id} | found.names
    tables = [
        part.table.select(
            **{key: casting.cast(part.table[own], "customer_id", part.format) for key, own in named.items()}
        )
        for part in parts
    ]
    columnar = all(part.columnar for part in parts)
    return shared_ids.compare_stores(ibis.union(*tables) if columnar else duckdb_engine.concatenate(tables))


def find_shared_emails(source: Source, columns: Columns, root: Path) -> SharedEmails | None:
    """Count the e-mail addresses that stand beside several customer ids.

    The rows are only read if the name of a column promises addresses.

    Parameters
    ----------
    source, columns, root
        See `count_email_spellings`.

    Returns
    -------
    SharedEmails or None
        None if no column other than the customer id holds addresses.
    """
    if not isinstance(columns.customer_id, str) or source.sample or source.simulate:
        return None
    parts = read_raw_tables(source, root, columns)
    for mail in shared_ids.candidate_columns(parts, dict(columns)).mails:
        named = {"customer_id": columns.customer_id, "address": mail}
        tables = [
            part.table.select(
                **{key: casting.cast(part.table[own], "customer_id", part.format) for key, own in named.items()}
            ).distinct()
            for part in parts
        ]
        rows = duckdb_engine.concatenate(tables)
        if rows.address.contains(EMAIL).any().execute():
            return count_shared_emails(rows, mail)
    return None


def source_fingerprint(source: Source, columns: Columns, root: Path, day: date) -> str:
    """Hash the line items of a database up to and including a day: their number and total amount on each day.

    One query over the table serves all dates of a report. The hash does not change if only ids or products are
    corrected.
    """
    days = _by_day(source.model_dump_json(), columns.model_dump_json(), root)
    return hashlib.sha256(days[days.day <= pd.Timestamp(day)].to_csv().encode()).hexdigest()


@cache
def _by_day(source_json: str, columns_json: str, root: Path) -> pd.DataFrame:
    source, columns = Source.model_validate_json(source_json), Columns.model_validate_json(columns_json)
    needed = ("ordered_at", *casting.NUMBER_COLUMNS)
    (part,), columns = joined_ids.join_ids([databases.read_database(source, root)], columns)
    validation.check_columns_present([part], columns.named)
    part = preparation.prepare(part, source, columns, root)
    column_map = {name: own for name, own in columns.named.items() if name in needed and name not in part.computed}
    validation.check_types(part, column_map)
    table = casting.standardize(part, column_map).mutate(day=lambda t: t.ordered_at.date())
    days = validation.execute(
        table.group_by("day").agg(rows=table.count(), amount=table.amount.sum()).order_by("day"), part
    )
    return days.astype({"day": "datetime64[us]", "amount": float}).round({"amount": 4})
