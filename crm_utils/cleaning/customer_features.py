"""What customers buy and what they pay for it: one row a customer, only what the source can tell."""

import ibis
import ibis.expr.types as ir

from crm_utils.core.duckdb_engine import materialize, materialize_in_process, raised_memory_limit

MAX_DISTINCT = 2**26  # different products, and lines of one to a customer; its square is exact as a float too


def compute_customer_features(counted: ir.Table, cancelled: ir.Table) -> ir.Table:
    """One row per customer with a line item that counts.

    counted: the line items that count. cancelled: those the rule on cancellations set aside.
    Returns customer_id and, where the source has the columns for it: price_ratio (median over the line items of unit
    price ÷ median unit price of that product, where that is not 0), distinct_products, favourite_product (the one on most lines), return_share
    (cancelled ÷ gross revenue, at most 1), main_country (the one on most lines), margin_rate (1 − cost ÷ revenue).
    """
    has = set(counted.columns)
    parts = [_sums(counted, has)]
    if {"product_id", "unit_price"} <= has:
        parts.append(_price_ratio(counted))
    if "product_id" in has:
        parts.append(_values(counted, "product_id").rename(distinct_products="different", favourite_product="top"))
    if "country" in has:
        parts.append(_values(counted, "country").drop("different").rename(main_country="top"))
    if "order_id" in has:
        parts.append(_returned(cancelled))
    with raised_memory_limit():
        joined, *others = (materialize(part) for part in parts)  # one after the other: each may fill the memory
    for part in others:
        joined = joined.left_join(part, "customer_id").drop("customer_id_right")
    if "product_id" in has:
        joined = joined.mutate(distinct_products=joined.distinct_products.fill_null(0))
    if "order_id" in has:
        share = (joined.returned.fill_null(0).cast("float64") / joined.revenue.cast("float64")).clip(0, 1)
        joined = joined.mutate(return_share=share).drop("returned")
    return joined.drop("revenue")


def _sums(counted: ir.Table, has: set[str]) -> ir.Table:
    sums = {"revenue": counted.amount.sum()}
    if {"unit_cost", "quantity"} <= has:
        priced = counted.unit_cost.notnull()  # a line without a known cost says nothing about the margin
        sums["cost"] = (counted.quantity * counted.unit_cost).sum()
        sums["costed"] = counted.amount.sum(where=priced)
    grouped = counted.group_by("customer_id").agg(**sums)
    if "cost" in sums:
        rate = 1 - grouped["cost"].cast("float64") / grouped.costed.nullif(0).cast("float64")
        grouped = grouped.mutate(margin_rate=rate).drop("cost", "costed")
    return grouped


def _price_ratio(counted: ir.Table) -> ir.Table:
    usual = materialize_in_process(
        _median(counted, ["product_id"], "unit_price").rename(usual="unit_price").cast({"usual": "float64"})
    )
    priced = counted.select("customer_id", "product_id", "unit_price").join(usual, "product_id")
    ratios = priced.mutate(price_ratio=(priced.unit_price.cast("float64") / priced.usual.nullif(0)).round(6))
    return _median(ratios, ["customer_id"], "price_ratio")


def _median(table: ir.Table, by: list[str], column: str) -> ir.Table:
    """The exact median of each group, from the counts of each value: the same on every engine."""
    values = table.filter(table[column].notnull()).group_by(*by, column).agg(rows=lambda t: t.count())
    reached = values.rows.sum().over(ibis.cumulative_window(group_by=by, order_by=column))
    values = values.mutate(reached=reached, all=values.rows.sum().over(group_by=by))
    middle = values.filter(
        (2 * values.reached >= values["all"]) & (2 * (values.reached - values.rows) <= values["all"])
    )
    return middle.group_by(by).agg(**{column: middle[column].cast("float64").mean()})


def _values(counted: ir.Table, column: str) -> ir.Table:
    """How many different values of a column a customer has, and the one on most line items, ties by the value: different, top.

    The values are numbered, and the place of each is written into one number with it: the least of these is a sum that
    needs no room, where a ranking would sort all rows.
    """
    there = counted.filter(counted[column].notnull()).select("customer_id", column)
    codes = there.select(column).distinct()
    codes = materialize_in_process(codes.mutate(code=ibis.row_number().over(order_by=column).cast("int64")))
    lines = there.join(codes, column).group_by("customer_id", "code").agg(lines=lambda t: t.count())
    places = (MAX_DISTINCT - lines.lines) * MAX_DISTINCT + lines.code
    values = lines.group_by("customer_id").agg(different=lines.count(), place=places.min())
    values = values.mutate(code=values.place % MAX_DISTINCT).join(codes, "code")
    return values.select("customer_id", "different", top=column)


def _returned(cancelled: ir.Table) -> ir.Table:
    return cancelled.group_by("customer_id").agg(returned=-cancelled.amount.sum())
