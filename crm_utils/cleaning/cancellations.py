"""Match each cancellation to the sale that it takes back, using only what had happened before it.

Which lines are cancellations is a rule like any other: see `rules.removal_rules`.

* `net`: the customer's latest earlier order of that product, else the latest earlier order, up to its revenue.
* `match`: earlier sales of the same customer, product and price, the latest first, as far as they are not taken back
  yet. A cancellation of more than was sold by then matches nothing.

It runs on DuckDB, on the few lines it needs: window functions differ between databases, and some are read-only.
"""

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from crm_utils.core.duckdb_engine import to_duckdb
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
    sales, cancelled = _fetch_to_duckdb(sales, cancelled, method)
    parts = _aggregate_cancellations(cancelled, method).cache()
    matched = (_net_against_latest_order(sales, parts) if method == "net" else _match_lifo(sales, parts)).cache()
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


def _fetch_to_duckdb(sales: ir.Table, cancelled: ir.Table, method: str) -> tuple[ir.Table, ir.Table]:
    """Return the sales that may be taken back and the cancelled lines, both on DuckDB. Only these are fetched."""
    if sales.get_backend().name == "duckdb":
        return sales, cancelled
    columns = ["customer_id", "order_id", "product_id", "ordered_at", "amount"]
    columns += ["quantity"] if method == "match" else []
    keys = ["customer_id", "product_id"] if method == "match" else ["customer_id"]
    candidates = sales.select(columns).join(cancelled.select(keys).distinct(), keys)  # MariaDB is slow at semi-joins
    return to_duckdb(candidates.select(columns)), to_duckdb(cancelled.select(columns))


def _aggregate_cancellations(cancelled: ir.Table, method: str) -> ir.Table:
    """Aggregate equal lines of a cancellation, so that the order in time does not depend on the order of the rows."""
    keys = ["customer_id", "order_id", "product_id", "ordered_at"]
    if method == "match":
        cancelled = cancelled.mutate(price=_unit_price(cancelled))
        keys.append("price")
    sums = {"quantity": exact_sum(cancelled.quantity)} if method == "match" else {}
    return cancelled.group_by(keys).agg(amount=exact_sum(cancelled.amount), lines=cancelled.count(), **sums)


def _unit_price(lines: ir.Table) -> ir.Column:
    return (lines.amount / lines.quantity.nullif(0)).cast("decimal(18, 4)")


def _net_against_latest_order(sales: ir.Table, parts: ir.Table) -> ir.Table:
    """Take each cancellation off the latest order before it, as far as the revenue of that order goes."""
    candidates = sales.semi_join(parts, "customer_id")
    candidates = candidates.group_by("customer_id", "order_id", "product_id").agg(
        ordered_at=candidates.ordered_at.max(), amount=exact_sum(candidates.amount)
    ).cache()  # fmt: skip
    placed = candidates.group_by("customer_id", "order_id").agg(
        at=candidates.ordered_at.max().cast(TIME), placed=exact_sum(candidates.amount)
    )
    placed = placed.mutate(
        number=ibis.row_number().over(group_by="customer_id", order_by=["at", "order_id"]).cast("int64")
    ).cache()
    bought = candidates.select("customer_id", "order_id", "product_id").join(placed, ["customer_id", "order_id"])
    numbered = parts.filter(parts.amount < 0).mutate(
        key=ibis.row_number().over(order_by=["customer_id", "ordered_at", "order_id", "product_id"]).cast("int64")
    ).cache()  # fmt: skip
    targets = _latest_before(bought, numbered)
    targeted = targets.join(placed.drop("at"), ["customer_id", "number"]).drop("number")
    targeted = targeted.rename(target="order_id").join(numbered, "key", rname="{name}_right")
    window = {"group_by": ["customer_id", "target"], "order_by": ["ordered_at", "order_id", "product_id"]}
    reached = (-targeted.amount).sum().over(ibis.cumulative_window(**window)).cast(EXACT_MONEY)
    taken = targeted.mutate(reached=reached)
    taken = taken.mutate(
        taken=ibis.least(taken.reached, taken.placed) - ibis.least(taken.reached + taken.amount, taken.placed)
    )
    return _adjustment_rows(taken.filter(taken.taken > 0), "target", lambda t: -t.taken)


def _latest_before(bought: ir.Table, numbered: ir.Table) -> ir.Table:
    """Find the latest order before each cancellation: of the same product, else of the same customer."""
    sold = bought.select(
        "customer_id",
        "product_id",
        bought["at"].cast(TIME).name("at"),
        "number",
        key=ibis.null("int64"),
        later=ibis.literal(0),
    )
    back = numbered.select(
        "customer_id",
        "product_id",
        "key",
        at=numbered.ordered_at.cast(TIME),
        number=ibis.null("int64"),
        later=ibis.literal(1),
    ).select(*sold.columns)
    events = sold.union(back)
    time = ["at", "later"]
    same = events.number.max().over(ibis.cumulative_window(group_by=["customer_id", "product_id"], order_by=time))
    any_ = events.number.max().over(ibis.cumulative_window(group_by="customer_id", order_by=time))
    latest = events.mutate(number=ibis.coalesce(same, any_))
    return latest.filter(latest.key.notnull() & latest.number.notnull()).select("customer_id", "key", "number")


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
