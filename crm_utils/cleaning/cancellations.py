"""Match each cancellation to the sale that it takes back, using only what had happened before it.

Which lines are cancellations is a rule like any other: see `rules.removal_rules`.

* `net`: the order that it names, else an earlier order of the customer: one of exactly that amount, the latest one with
  that product, the latest one. What exceeds the order is taken off the latest of the others.
* `match`: the order that it names, else earlier sales of the same customer, product and price, the latest first, as far
  as they are not taken back
  yet. A cancellation of more than was sold by then matches nothing.

It runs on DuckDB, on the few lines it needs: window functions differ between databases, and some are read-only.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from crm_utils.core.constants import CANCELLED_ORDER_ID
from crm_utils.core.duckdb_engine import BATCH_ROWS, to_duckdb
from crm_utils.core.exact_money import EXACT_MONEY, exact_sum

TIME = "timestamp"
ADJUSTMENT_COLUMNS = {
    "customer_id": "string",
    "cancellation_id": "string",
    "product_id": "string",
    "adjusted_at": "timestamp",
    "order_id": "string",
    "revenue": EXACT_MONEY,
    "lines": "int64",
}


def match_cancellations(sales: ir.Table, cancelled: ir.Table, method: str) -> ir.Table:
    """Split each cancellation into what it takes off which order, and the rest without a sale.

    Parameters
    ----------
    sales : ibis.Table
        The line items that count (see `keep_counted_lines`).
    cancelled : ibis.Table
        The cancelled line items (see `select_cancellations`).
    method : {"drop", "net", "match"}
        How sales are found. With "drop" nothing is matched and the table is empty.

    Returns
    -------
    ibis.Table
        customer_id, cancellation_id (the order id of the cancellation), product_id, adjusted_at, order_id (null: no
        sale), revenue (0 or negative if an order is named), lines (rows of a cancellation without any sale, else 0).
    """
    if method == "drop":
        return ibis.memtable([], schema=ibis.schema(ADJUSTMENT_COLUMNS))
    if "product_id" not in cancelled.columns:
        cancelled, sales = (table.mutate(product_id=ibis.null("string")) for table in (cancelled, sales))
    names_orders = "refund_of" in cancelled.columns
    if not names_orders:
        cancelled = cancelled.mutate(refund_of=ibis.null("string"))
    sales, cancelled = _fetch_to_duckdb(sales, cancelled, method, names_orders)
    parts = _aggregate_cancellations(cancelled, method).cache()
    matched = (_net_against_orders(sales, parts) if method == "net" else _match(sales, parts)).cache()
    return matched.cast(ADJUSTMENT_COLUMNS).union(_unmatched_remainder(parts, matched)).cache()


def order_adjustments(matched: ir.Table) -> ir.Table:
    """Add up what cancellations took off orders.

    Parameters
    ----------
    matched : ibis.Table
        See `match_cancellations`.

    Returns
    -------
    ibis.Table
        customer_id, order_id, adjusted_at, revenue (0 or negative).
    """
    with_sale = matched.filter(matched.order_id.notnull())
    grouped = with_sale.group_by("customer_id", "order_id", "adjusted_at").agg(revenue=with_sale.revenue.sum())
    return grouped.mutate(revenue=grouped.revenue.cast("float64"))


def unmatched_cancellations(matched: ir.Table) -> ir.Table:
    """Select the cancellations without a sale, or what is left of them.

    Parameters
    ----------
    matched : ibis.Table
        See `match_cancellations`.

    Returns
    -------
    ibis.Table
        customer_id, cancellation_id, product_id, cancelled_at, revenue.
    """
    without_sale = matched.filter(matched.order_id.isnull())
    return without_sale.select(
        "customer_id",
        "cancellation_id",
        "product_id",
        cancelled_at=without_sale.adjusted_at,
        revenue=without_sale.revenue.cast("float64"),
    )


def _fetch_to_duckdb(
    sales: ir.Table, cancelled: ir.Table, method: str, names_orders: bool
) -> tuple[ir.Table, ir.Table]:
    """Return the sales that may be taken back and the cancelled lines, both on DuckDB. Only these are fetched."""
    if sales.get_backend().name == "duckdb":
        return sales, cancelled
    columns = ["customer_id", "order_id", "product_id", "ordered_at", "amount"]
    columns += ["quantity"] if method == "match" else []
    keys = ["customer_id", "product_id"] if method == "match" and not names_orders else ["customer_id"]
    candidates = sales.select(columns).join(cancelled.select(keys).distinct(), keys)  # MariaDB is slow at semi-joins
    return to_duckdb(candidates.select(columns)), to_duckdb(cancelled.select(*columns, "refund_of"))


def _aggregate_cancellations(cancelled: ir.Table, method: str) -> ir.Table:
    """Aggregate equal lines of a cancellation, so that the order in time does not depend on the order of the rows."""
    keys = ["customer_id", "order_id", "product_id", "ordered_at", "refund_of"]
    if method == "match":
        cancelled = cancelled.mutate(price=_unit_price(cancelled))
        keys.append("price")
    sums = {"quantity": exact_sum(cancelled.quantity)} if method == "match" else {}
    return cancelled.group_by(keys).agg(amount=exact_sum(cancelled.amount), lines=cancelled.count(), **sums)


def _unit_price(lines: ir.Table) -> ir.Column:
    return (lines.amount / lines.quantity.nullif(0)).cast("decimal(18, 4)")


@dataclass
class _Order:
    """An order of a customer, and what cancellations have left of it, in 0.0001 of the currency."""

    order_id: str
    placed: int = 0
    left: int = 0
    products: set[str] = field(default_factory=set)


def _net_against_orders(sales: ir.Table, parts: ir.Table, only_named: bool = False) -> ir.Table:
    """Take each cancellation off orders of its customer, one customer after the other.

    The order that it names comes first. Otherwise it is an order of exactly that amount, then the latest one with that
    product, then the latest one. What exceeds an order is taken off the latest of the others, unless `only_named`.
    """
    events = _customer_events(sales, parts)
    rows: dict[str, list[Any]] = {name: [] for name in ADJUSTMENT_COLUMNS}
    with events.to_pyarrow_batches(chunk_size=BATCH_ROWS) as batches:
        stream = (tuple(row.values()) for batch in batches for row in batch.to_pylist())
        for customer_id, own in itertools.groupby(stream, key=lambda row: row[0]):
            for adjustment in _net_customer([row[1:] for row in own], only_named):
                for name, value in zip(ADJUSTMENT_COLUMNS, (customer_id, *adjustment, 0), strict=True):
                    rows[name].append(value)
    schema = ibis.schema(ADJUSTMENT_COLUMNS | {"revenue": "int64"})
    taken = ibis.memtable(pa.table(rows, schema=schema.to_pyarrow()), schema=schema)
    taken = taken.mutate(revenue=taken.revenue.cast(EXACT_MONEY) / 10_000).cast(ADJUSTMENT_COLUMNS)
    keys = [name for name in ADJUSTMENT_COLUMNS if name not in ("revenue", "lines")]
    return taken.group_by(keys).agg(revenue=taken.revenue.sum(), lines=taken.lines.max()).cast(ADJUSTMENT_COLUMNS)


def _customer_events(sales: ir.Table, parts: ir.Table) -> ir.Table:
    """Return sales and cancellations by customer and time: at, later, order_id, product_id, amount, refund_of.

    The amount is a whole number of 0.0001. Sales of a product that the customer never cancelled have no product.
    """
    keys = ["customer_id", "order_id", "product_id"]
    cancelled = parts.filter(parts.amount < 0)
    products = cancelled.filter(cancelled.product_id.notnull()).select("customer_id", "product_id").distinct()
    sold = sales.semi_join(cancelled, "customer_id")
    sold = sold.group_by(*keys).agg(at=sold.ordered_at.max().cast(TIME), amount=exact_sum(sold.amount))
    sold = sold.left_join(products, ["customer_id", "product_id"])
    sold = sold.select("customer_id", "order_id", "at", "amount", product_id=sold.product_id_right)
    sold = sold.mutate(at=sold["at"].max().over(group_by=["customer_id", "order_id"]))
    sold = sold.group_by(*keys, "at").agg(amount=sold.amount.sum())
    sold = sold.mutate(later=ibis.literal(0), refund_of=ibis.null("string"))
    back = cancelled.mutate(at=cancelled.ordered_at.cast(TIME), later=ibis.literal(1))
    columns = ["customer_id", "at", "later", "order_id", "product_id", "amount", "refund_of"]
    events = sold.select(columns).union(back.select(columns).cast(sold.select(columns).schema()))
    events = events.mutate(amount=(events.amount * 10_000).round().cast("int64"))
    return events.order_by([*columns[:5], "refund_of"])


def _net_customer(events: list[tuple[Any, ...]], only_named: bool) -> Iterator[tuple[Any, ...]]:
    """Walk through the events of one customer: cancellation_id, product_id, adjusted_at, order_id, revenue."""
    orders: dict[str, _Order] = {}
    for _, later, order_id, product_id, amount, _ in events:
        if not later:
            order = orders.setdefault(order_id, _Order(order_id))
            order.placed, order.left = order.placed + amount, order.left + amount
            order.products.add(product_id)
    before: dict[str, _Order] = {}
    for at, later, order_id, product_id, amount, refund_of in events:
        if not later:
            before[order_id] = orders[order_id]
            continue
        rest, named = -amount, orders.get(order_id if refund_of is None else refund_of)
        if named is not None:
            targets = [named] if only_named else [named, *reversed(before.values())]
        else:
            targets = [] if refund_of is not None or only_named else _likeliest_orders(before, rest, product_id)
        for order in targets:
            if taken := min(rest, order.left):
                order.left, rest = order.left - taken, rest - taken
                yield order_id, product_id, at, order.order_id, -taken


def _likeliest_orders(before: dict[str, _Order], amount: int, product_id: str | None) -> list[_Order]:
    """Return the orders that a cancellation may take back, the likeliest first."""
    latest = [order for order in reversed(before.values()) if order.left]
    exact = next((order for order in latest if order.left == amount), None)
    exact = exact or next((order for order in latest if order.placed == amount), None)
    same = next((order for order in latest if product_id is not None and product_id in order.products), None)
    return [*(order for order in (exact, same) if order is not None), *latest]


def _match(sales: ir.Table, parts: ir.Table) -> ir.Table:
    """Match cancellations that name an order to it, and the others to sales of the same product and price."""
    unnamed = parts.filter(parts.refund_of.isnull() & ~parts.order_id.re_search(CANCELLED_ORDER_ID))
    if unnamed.count().execute():  # they may carry the id of the order itself
        own = parts.refund_of.isnull() & parts.order_id.isin(sales.semi_join(unnamed, "order_id").order_id)
        parts = parts.mutate(refund_of=ibis.ifelse(own, parts.order_id, parts.refund_of)).cache()
    named = parts.filter(parts.refund_of.notnull())
    if not named.count().execute():
        return _match_lifo(sales, parts)
    orders = named.select("customer_id", order_id=named.refund_of).distinct()
    others = _match_lifo(sales.anti_join(orders, ["customer_id", "order_id"]), parts.filter(parts.refund_of.isnull()))
    return _net_against_orders(sales, named, only_named=True).union(others)


def _match_lifo(sales: ir.Table, parts: ir.Table) -> ir.Table:
    """Match cancellations to sales of the same customer, product and price, last in, first out.

    Sold pieces form a stack, and a cancellation takes pieces from its top. Each level of the stack is filled and taken
    in turn, so a cancellation takes the pieces of the event just before it on that level. A cancellation of more
    pieces than are in the stack takes all of them.
    """
    group = ["customer_id", "product_id", "price"]
    back = parts.filter((parts.amount < 0) & (parts.quantity < 0))
    back = back.select(
        *group,
        "order_id",
        at=back.ordered_at.cast(TIME),
        pieces=(-back.quantity).cast(EXACT_MONEY),
        later=ibis.literal(1),
    )
    sold = sales.mutate(price=_unit_price(sales)).semi_join(back, group)
    sold = sold.group_by(*group, "order_id", at=sold.ordered_at.cast(TIME)).agg(pieces=exact_sum(sold.quantity))
    events = _stack_levels(sold.mutate(later=ibis.literal(0)).select(*back.columns).union(back), group).cache()
    marks = events.select(*group, mark=events.low).union(events.select(*group, mark=events.high), distinct=True)
    levels = marks.mutate(top=marks.mark.lead().over(group_by=group, order_by="mark"))
    levels = levels.filter(levels.top.notnull())
    spans = events.join(levels, group)
    spans = spans.filter((spans.low <= spans.mark) & (spans.top <= spans.high))
    before = spans.order_id.lag().over(group_by=[*group, "mark"], order_by=["at", "later", "order_id"])
    taken = spans.mutate(sale=before)
    taken = taken.filter(taken.later == 1).rename(ordered_at="at")
    return _adjustment_rows(taken, "sale", lambda t: -((t.top - t.mark) * t.price))


def _stack_levels(events: ir.Table, group: list[str]) -> ir.Table:
    """Compute the levels of the stack (low, high) between which each event puts or takes pieces; drop empty ones."""

    def so_far() -> ibis.expr.builders.WindowBuilder:
        return ibis.cumulative_window(group_by=group, order_by=["at", "later", "order_id"])

    pieces, later = events.pieces, events.later
    events = events.mutate(sold=ibis.ifelse(later == 0, pieces, 0).sum().over(so_far()).cast(EXACT_MONEY))
    events = events.filter((events.later == 0) | (events.pieces <= events.sold)).cache()
    events = events.mutate(
        asked=ibis.ifelse(events.later == 1, events.pieces, 0).sum().over(so_far()).cast(EXACT_MONEY)
    )
    events = events.mutate(excess=ibis.greatest(events.asked - events.sold, ibis.literal(0).cast(EXACT_MONEY)))
    events = events.mutate(missed=events.excess.max().over(so_far()))
    events = events.mutate(
        depth=events.sold - events.asked + events.missed,
        newly=events.missed
        - events.missed.lag().over(group_by=group, order_by=["at", "later", "order_id"]).fill_null(0),
    )
    events = events.mutate(
        low=ibis.ifelse(events.later == 0, events.depth - events.pieces, events.depth).cast(EXACT_MONEY),
        high=ibis.ifelse(events.later == 0, events.depth, events.depth + events.pieces - events.newly).cast(
            EXACT_MONEY
        ),
    )
    return events.filter(events.high > events.low).select(*group, "order_id", "at", "later", "low", "high")


def _adjustment_rows(taken: ir.Table, sale: str, revenue: Callable[[ir.Table], ir.Value]) -> ir.Table:
    named = taken.select(
        "customer_id",
        cancellation_id=taken.order_id,
        product_id=taken.product_id,
        adjusted_at=taken.ordered_at,
        sale_id=taken[sale],
        revenue=revenue(taken).cast(EXACT_MONEY),
    ).rename(order_id="sale_id")
    grouped = named.group_by("customer_id", "cancellation_id", "product_id", "adjusted_at", "order_id")
    return grouped.agg(revenue=named.revenue.sum()).mutate(lines=ibis.literal(0)).cast(ADJUSTMENT_COLUMNS)


def _unmatched_remainder(parts: ir.Table, matched: ir.Table) -> ir.Table:
    """Return what is left of each cancellation. Products can be null, so sums are taken over a union, not a join."""
    asked = parts.select(
        "customer_id",
        "product_id",
        "lines",
        cancellation_id=parts.order_id,
        adjusted_at=parts.ordered_at,
        revenue=parts.amount,
        taken=ibis.literal(0),
    ).mutate(order_id=ibis.null("string"))
    given = matched.mutate(revenue=-matched.revenue, taken=ibis.literal(1))
    columns = [*ADJUSTMENT_COLUMNS, "taken"]
    both = asked.cast(ADJUSTMENT_COLUMNS).select(columns).union(given.cast(ADJUSTMENT_COLUMNS).select(columns))
    summed = both.group_by("customer_id", "cancellation_id", "product_id", "adjusted_at").agg(
        revenue=both.revenue.sum(), lines=both.lines.sum(), taken=both.taken.max()
    )
    rest = summed.filter((summed.revenue != 0) | (summed.taken == 0))
    return rest.mutate(
        order_id=ibis.null("string"), lines=ibis.ifelse(rest.taken == 0, rest.lines, 0)
    ).cast(ADJUSTMENT_COLUMNS).select(*ADJUSTMENT_COLUMNS)  # fmt: skip
