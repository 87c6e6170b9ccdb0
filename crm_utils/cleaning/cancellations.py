"""Which sale each cancellation takes back: dated, and decided by what had happened before it only.

`net`: the customer's latest earlier order of that product, else the latest earlier order, as far as its revenue goes.
`match`: earlier sales of the same customer, product and price, the latest first, as far as they are not taken back yet;
a cancellation of more than was ever sold by then matches nothing.

All of it is computed on DuckDB, on the few lines it needs: databases differ in windows, and may let a user read only.
"""

import ibis
import ibis.expr.types as ir

from crm_utils.core.duckdb_engine import here

MONEY, TIME = "decimal(38, 4)", "timestamp"
PARTS = {
    "customer_id": "string",
    "cancellation_id": "string",
    "product_id": "string",
    "adjusted_at": "timestamp",
    "order_id": "string",
    "revenue": "decimal(38, 4)",
    "lines": "int64",
}


def settle(sales: ir.Table, cancelled: ir.Table, mode: str) -> ir.Table:
    """Each cancellation, split into what it takes off which order and the rest that found no sale.

    sales: the line items that count. cancelled: the cancelled line items. mode: drop, net or match.
    Returns customer_id, cancellation_id (its own order id), product_id, adjusted_at, order_id (null: found no sale),
    revenue (≤ 0 where an order is named), lines (rows of a cancellation that found no sale at all, else 0).
    With `drop` nothing is settled and the table is empty.
    """
    if mode == "drop":
        return ibis.memtable([], schema=ibis.schema(PARTS))
    if "product_id" not in cancelled.columns:
        cancelled, sales = (table.mutate(product_id=ibis.null("string")) for table in (cancelled, sales))
    sales, cancelled = _at_hand(sales, cancelled, mode)
    whole = _cancellations(cancelled, mode).cache()
    found = (_netted(sales, whole) if mode == "net" else _matched(sales, whole)).cache()
    return found.cast(PARTS).union(_rest(whole, found)).cache()


def adjustments(settlement: ir.Table) -> ir.Table:
    """What cancellations took off orders, dated: customer_id, order_id, adjusted_at, revenue (negative)."""
    named = settlement.filter(settlement.order_id.notnull())
    grouped = named.group_by("customer_id", "order_id", "adjusted_at").agg(revenue=named.revenue.sum())
    return grouped.mutate(revenue=grouped.revenue.cast("float64"))


def unmatched(settlement: ir.Table) -> ir.Table:
    """Cancellations, or the rest of one, that found no sale: customer_id, cancellation_id, product_id, cancelled_at, revenue."""
    none = settlement.filter(settlement.order_id.isnull())
    return none.select(
        "customer_id",
        "cancellation_id",
        "product_id",
        cancelled_at=none.adjusted_at,
        revenue=none.revenue.cast("float64"),
    )


def _at_hand(sales: ir.Table, cancelled: ir.Table, mode: str) -> tuple[ir.Table, ir.Table]:
    """The cancelled lines, and the sales they may take back, on DuckDB: what another engine holds is fetched, and no more."""
    if sales.get_backend().name == "duckdb":
        return sales, cancelled
    columns = ["customer_id", "order_id", "product_id", "ordered_at", "amount"]
    columns += ["quantity"] if mode == "match" else []
    keys = ["customer_id", "product_id"] if mode == "match" else ["customer_id"]
    may = sales.select(columns).join(cancelled.select(keys).distinct(), keys)  # MariaDB is slow at semi-joins
    return here(may.select(columns)), here(cancelled.select(columns))


def _cancellations(cancelled: ir.Table, mode: str) -> ir.Table:
    """Equal parts of one cancellation as one row: the order in time is then complete, whatever the order of the rows."""
    keys = ["customer_id", "order_id", "product_id", "ordered_at"]
    if mode == "match":
        cancelled = cancelled.mutate(price=_price(cancelled))
        keys.append("price")
    sums = {"quantity": cancelled.quantity.cast(MONEY).sum()} if mode == "match" else {}
    return cancelled.group_by(keys).agg(amount=cancelled.amount.cast(MONEY).sum(), lines=cancelled.count(), **sums)


def _price(lines: ir.Table) -> ir.Column:
    return (lines.amount / lines.quantity.nullif(0)).cast("decimal(18, 4)")


def _netted(sales: ir.Table, whole: ir.Table) -> ir.Table:
    """What each cancellation takes off the order it is set against; an order's revenue is taken once."""
    of_them = sales.semi_join(whole, "customer_id")
    of_them = of_them.group_by("customer_id", "order_id", "product_id").agg(
        ordered_at=of_them.ordered_at.max(), amount=of_them.amount.cast(MONEY).sum()
    ).cache()  # fmt: skip
    placed = of_them.group_by("customer_id", "order_id").agg(
        at=of_them.ordered_at.max().cast(TIME), placed=of_them.amount.cast(MONEY).sum()
    )
    placed = placed.mutate(
        number=ibis.row_number().over(group_by="customer_id", order_by=["at", "order_id"]).cast("int64")
    ).cache()
    bought = of_them.select("customer_id", "order_id", "product_id").join(placed, ["customer_id", "order_id"])
    numbered = whole.filter(whole.amount < 0).mutate(
        key=ibis.row_number().over(order_by=["customer_id", "ordered_at", "order_id", "product_id"]).cast("int64")
    ).cache()  # fmt: skip
    targets = _latest_before(bought, numbered)
    aimed = targets.join(placed.drop("at"), ["customer_id", "number"]).drop("number")
    aimed = aimed.rename(target="order_id").join(numbered, "key", rname="{name}_right")
    in_time = {"group_by": ["customer_id", "target"], "order_by": ["ordered_at", "order_id", "product_id"]}
    reached = (-aimed.amount).sum().over(ibis.cumulative_window(**in_time)).cast(MONEY)
    taken = aimed.mutate(reached=reached)
    taken = taken.mutate(
        taken=ibis.least(taken.reached, taken.placed) - ibis.least(taken.reached + taken.amount, taken.placed)
    )
    return _parts(taken.filter(taken.taken > 0), "target", lambda t: -t.taken)


def _latest_before(bought: ir.Table, numbered: ir.Table) -> ir.Table:
    """The number of the latest order before each cancellation: of the same product, else of the customer."""
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


def _matched(sales: ir.Table, whole: ir.Table) -> ir.Table:
    """Sold pieces of one customer, product and price lie on a stack, and a cancellation takes from its top.

    Each level of the stack is filled and taken in turns, so what a cancellation takes was put there by the event just
    before it on that level. A cancellation of more than the stack holds takes all of it.
    """
    group = ["customer_id", "product_id", "price"]
    back = whole.filter((whole.amount < 0) & (whole.quantity < 0))
    back = back.select(
        *group, "order_id", at=back.ordered_at.cast(TIME), pieces=(-back.quantity).cast(MONEY), later=ibis.literal(1)
    )
    sold = sales.mutate(price=_price(sales)).semi_join(back, group)
    sold = sold.group_by(*group, "order_id", at=sold.ordered_at.cast(TIME)).agg(pieces=sold.quantity.cast(MONEY).sum())
    events = _stacked(sold.mutate(later=ibis.literal(0)).select(*back.columns).union(back), group).cache()
    marks = events.select(*group, mark=events.low).union(events.select(*group, mark=events.high), distinct=True)
    levels = marks.mutate(top=marks.mark.lead().over(group_by=group, order_by="mark"))
    levels = levels.filter(levels.top.notnull())
    spans = events.join(levels, group)
    spans = spans.filter((spans.low <= spans.mark) & (spans.top <= spans.high))
    before = spans.order_id.lag().over(group_by=[*group, "mark"], order_by=["at", "later", "order_id"])
    taken = spans.mutate(sale=before)
    taken = taken.filter(taken.later == 1).rename(ordered_at="at")
    return _parts(taken, "sale", lambda t: -((t.top - t.mark) * t.price))


def _stacked(events: ir.Table, group: list[str]) -> ir.Table:
    """Between which levels of the stack each event puts or takes its pieces: columns low, high. Empty ones are left out."""

    def so_far() -> ibis.expr.builders.WindowBuilder:
        return ibis.cumulative_window(group_by=group, order_by=["at", "later", "order_id"])

    pieces, later = events.pieces, events.later
    events = events.mutate(sold=ibis.ifelse(later == 0, pieces, 0).sum().over(so_far()).cast(MONEY))
    events = events.filter((events.later == 0) | (events.pieces <= events.sold)).cache()
    events = events.mutate(asked=ibis.ifelse(events.later == 1, events.pieces, 0).sum().over(so_far()).cast(MONEY))
    events = events.mutate(excess=ibis.greatest(events.asked - events.sold, ibis.literal(0).cast(MONEY)))
    events = events.mutate(missed=events.excess.max().over(so_far()))
    events = events.mutate(
        depth=events.sold - events.asked + events.missed,
        newly=events.missed
        - events.missed.lag().over(group_by=group, order_by=["at", "later", "order_id"]).fill_null(0),
    )
    events = events.mutate(
        low=ibis.ifelse(events.later == 0, events.depth - events.pieces, events.depth).cast(MONEY),
        high=ibis.ifelse(events.later == 0, events.depth, events.depth + events.pieces - events.newly).cast(MONEY),
    )
    return events.filter(events.high > events.low).select(*group, "order_id", "at", "later", "low", "high")


def _parts(taken: ir.Table, sale: str, revenue) -> ir.Table:
    named = taken.select(
        "customer_id",
        cancellation_id=taken.order_id,
        product_id=taken.product_id,
        adjusted_at=taken.ordered_at,
        sale_id=taken[sale],
        revenue=revenue(taken).cast(MONEY),
    ).rename(order_id="sale_id")
    grouped = named.group_by("customer_id", "cancellation_id", "product_id", "adjusted_at", "order_id")
    return grouped.agg(revenue=named.revenue.sum()).mutate(lines=ibis.literal(0)).cast(PARTS)


def _rest(whole: ir.Table, found: ir.Table) -> ir.Table:
    """What is left of each cancellation. Products can be null, so sums are taken over a union, not a join."""
    asked = whole.select(
        "customer_id",
        "product_id",
        "lines",
        cancellation_id=whole.order_id,
        adjusted_at=whole.ordered_at,
        revenue=whole.amount,
        taken=ibis.literal(0),
    ).mutate(order_id=ibis.null("string"))
    given = found.mutate(revenue=-found.revenue, taken=ibis.literal(1))
    columns = [*PARTS, "taken"]
    both = asked.cast(PARTS).select(columns).union(given.cast(PARTS).select(columns))
    summed = both.group_by("customer_id", "cancellation_id", "product_id", "adjusted_at").agg(
        revenue=both.revenue.sum(), lines=both.lines.sum(), taken=both.taken.max()
    )
    rest = summed.filter((summed.revenue != 0) | (summed.taken == 0))
    return rest.mutate(
        order_id=ibis.null("string"), lines=ibis.ifelse(rest.taken == 0, rest.lines, 0)
    ).cast(PARTS).select(*PARTS)  # fmt: skip
