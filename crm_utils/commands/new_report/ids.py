"""Propose ids that count each customer and each order once: an e-mail column, or several columns joined."""

from collections.abc import Mapping
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.data_quality import ORDER_MAX_DAYS
from crm_utils.cleaning.id_checks import find_nobody
from crm_utils.core import duckdb_engine
from crm_utils.core.formatting import MESSAGES, join_names, percent
from crm_utils.sources import casting, shared_ids
from crm_utils.sources.email_ids import EMAIL
from crm_utils.sources.raw_table import RawTable

ASKED_FOR = 1_000_000  # rows of a database; of files, all rows are judged
MIN_FILLED = 0.99  # share of rows with an address, for a column of addresses to be the customer id
MIN_REUSED = 0.2  # order numbers begin again if this share of them comes back

GUESTS = (
    "customers: {names} {stand} for unknown buyers, with {orders} ({money}); columns.customer_id is {column!r}, which "
    "has {customers}. To keep {own!r}, write source.guests: {{ids: [{ids}], treat: each_order}}, or treat: drop"
)
STORES = (
    "customers: {ids} of {own!r} in several values of {store!r} {have} another {person!r} in each; columns.customer_id "
    "is [{store}, {own}]: {customers} instead of {before}"
)
ORDERS = (
    "orders: {reused} of {numbers} in {own!r} come back on other days; columns.order_id is [{columns}]: {orders} "
    "instead of {before}"
)


def propose_ids(parts: list[RawTable], columns: Mapping[str, Any], guessed: list[str]) -> dict[str, Any]:
    """Propose other columns for the ids of customers and orders, if those found count several as one.

    Parameters
    ----------
    parts : list of RawTable
        The parts of the source, with the formats of their dates and numbers.
    columns : mapping of str to str
        The source's column for each standard name.
    guessed : list of str
        A line is added for each proposal, with what it changes.

    Returns
    -------
    dict
        `customer_id` or `order_id`, if another column or a list of columns is better.
    """
    if not {"customer_id", "ordered_at"} <= set(columns) or not all(isinstance(own, str) for own in columns.values()):
        return {}
    candidates = shared_ids.candidate_columns(parts, columns)
    if not candidates.mails and not candidates.pairs and "order_id" not in columns:
        return {}
    rows = _read(parts, columns, candidates.names)
    found: dict[str, Any] = _email_of_guests(rows, columns, candidates.mails, guessed)
    if not found and candidates.pairs:
        found = _id_with_store(rows, columns, guessed)
    return found | (_number_with_date(rows, columns, guessed) if "order_id" in columns else {})


def _read(parts: list[RawTable], columns: Mapping[str, str], others: Mapping[str, str]) -> ir.Table:
    """The ids, days and amounts, and other columns as text, on DuckDB."""
    tables = []
    for part in parts:
        raw = part.table
        chosen = {
            name: casting.cast(raw[columns[name]], name, part.format)
            for name in ("customer_id", "order_id", "quantity", "unit_price", "amount")
            if name in columns
        }
        day = casting.cast(raw[columns["ordered_at"]], "ordered_at", part.format).date()
        texts = {key: casting.cast(raw[name], "customer_id", part.format) for key, name in others.items()}
        tables.append(_with_money(raw.select(**chosen, day=day, **texts)))
    return gather(parts, tables)


def gather(parts: list[RawTable], tables: list[ir.Table]) -> ir.Table:
    """All rows of the tables that were made from parts. Those of a database come to DuckDB, up to `ASKED_FOR` of them.

    Only parquet files are read again by each query.
    """
    if all(part.columnar for part in parts):
        return ibis.union(*tables)
    if parts[0].format is None:
        tables = [table.limit(ASKED_FOR) for table in tables]
    return duckdb_engine.concatenate(tables)


def _with_money(table: ir.Table) -> ir.Table:
    money: ir.Value = ibis.literal(0.0)
    if "amount" in table.columns:
        money = table.amount.cast("float64")
    elif {"quantity", "unit_price"} <= set(table.columns):
        money = table.quantity.cast("float64") * table.unit_price.cast("float64")
    kept = [name for name in table.columns if name not in ("quantity", "unit_price", "amount")]
    return table.select(*kept, money=money)


def _email_of_guests(
    rows: ir.Table, columns: Mapping[str, str], mails: list[str], guessed: list[str]
) -> dict[str, str]:
    """A column of e-mail addresses, if ids stand for nobody."""
    if not mails:
        return {}
    known = rows.filter(rows.customer_id.notnull())
    nobody = find_nobody(known.group_by("customer_id").agg(orders=_orders(known), money=known.money.sum()))
    missing = rows.filter(rows.customer_id.isnull())
    unknown = missing.aggregate(orders=_orders(missing), money=missing.money.sum()).execute().iloc[0].fillna(0)
    ids = [*nobody.customer_id, *([""] if unknown.orders else [])]
    for mail in mails if ids else []:
        address = rows[shared_ids.PERSON + mail]
        filled = address.contains(EMAIL).fill_null(False)
        found = rows.aggregate(share=filled.mean(), customers=address.nunique(where=filled)).execute().iloc[0]
        if found.share < MIN_FILLED:
            continue
        guessed.append(
            GUESTS.format(
                names=join_names([repr(name) for name in ids]),
                stand="stands" if len(ids) == 1 else "stand",
                orders=MESSAGES.plural(nobody.orders.sum() + unknown.orders, "order"),
                money=MESSAGES.number(nobody.money.sum() + unknown.money, 2),
                column=mail,
                own=columns["customer_id"],
                customers=MESSAGES.plural(found.customers, "customer"),
                ids=", ".join(f'"{name}"' for name in ids),
            )
        )
        return {"customer_id": mail}
    return {}


def _orders(rows: ir.Table) -> ir.IntegerScalar:
    return rows.order_id.nunique() if "order_id" in rows.columns else rows.count()


def _id_with_store(rows: ir.Table, columns: Mapping[str, str], guessed: list[str]) -> dict[str, list[str]]:
    """Store and id, if the same id is another person in each store."""
    own, found = columns["customer_id"], shared_ids.compare_stores(rows)
    if found is None:
        return {}
    guessed.append(
        STORES.format(
            ids=MESSAGES.plural(found.differing, "id"),
            have="has" if found.differing == 1 else "have",
            own=own,
            store=found.store,
            person=found.person,
            customers=MESSAGES.plural(found.joined, "customer"),
            before=MESSAGES.count(found.ids),
        )
    )
    return {"customer_id": [found.store, own]}


def _number_with_date(rows: ir.Table, columns: Mapping[str, str], guessed: list[str]) -> dict[str, list[str]]:
    """Number and day, if numbers begin again or one number is that of all renewals."""
    known = rows.filter(rows.order_id.notnull())
    row = _count_reused(duckdb_engine.sample_groups(rows, "order_id"))
    if row.reused >= MIN_REUSED / 2 * row.numbers:
        row = _count_reused(rows)
    if not row.reused or row.reused < MIN_REUSED * row.numbers:
        return {}
    own, date = columns["order_id"], columns["ordered_at"]
    joined = [date, own] if row.shared else [own, date]
    before, after = (
        known.select("customer_id", "order_id", *more).distinct().count().execute() for more in ([], ["day"])
    )
    guessed.append(
        ORDERS.format(
            reused=percent(row.reused / row.numbers),
            numbers=MESSAGES.plural(row.numbers, "number"),
            own=own,
            columns=", ".join(joined),
            orders=MESSAGES.plural(after, "order"),
            before=MESSAGES.count(before),
        )
    )
    return {"order_id": joined}


def _count_reused(rows: ir.Table) -> pd.Series:
    """Count numbers of orders: all, those that come back, and those that come back as another customer's."""
    numbers = (
        rows.filter(rows.order_id.notnull())
        .group_by("order_id")
        .agg(several=rows.customer_id.min() < rows.customer_id.max(), first=rows.day.min(), last=rows.day.max())
    )
    days = numbers["last"].delta(numbers["first"], unit="day")
    shared = numbers.several.fill_null(False) & (days > 0)
    found = numbers.aggregate(
        numbers=numbers.count(), reused=(shared | (days > ORDER_MAX_DAYS)).sum(), shared=shared.sum()
    )
    return found.execute().iloc[0].fillna(0)
