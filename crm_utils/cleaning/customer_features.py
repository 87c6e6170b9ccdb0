"""What customers buy and what they pay for it: one row per customer, as far as the source tells."""

import ibis
import ibis.expr.types as ir

from crm_utils.core.duckdb_engine import materialize, materialize_in_process, raised_memory_limit

# Different products, and lines of one value per customer; its square is exact as a float too
MAX_DISTINCT = 2**26


def compute_customer_features(counted: ir.Table, cancelled: ir.Table) -> ir.Table:
    """Compute what each customer buys, and at what price.

    Parameters
    ----------
    counted : ibis.Table
        The line items that count (see `keep_counted_lines`).
    cancelled : ibis.Table
        The cancelled line items (see `select_cancellations`).

    Returns
    -------
    ibis.Table
        One row per customer with a line that counts. Columns, as far as the source has the data:

        * customer_id
        * price_ratio: median over the lines of unit price ÷ median unit price of the product, if that is not 0
        * distinct_products: number of different products
        * favourite_product, main_country: the value on most lines, ties by the value
        * return_share: cancelled ÷ gross revenue, at most 1
        * margin_rate: 1 − cost ÷ revenue, over the lines whose cost is known
    """
    columns = set(counted.columns)
    parts = [_totals(counted, columns)]
    if {"product_id", "unit_price"} <= columns:
        parts.append(_price_ratio(counted))
    if "product_id" in columns:
        parts.append(_values(counted, "product_id").rename(distinct_products="different", favourite_product="top"))
    if "country" in columns:
        parts.append(_values(counted, "country").drop("different").rename(main_country="top"))
    if "order_id" in columns:
        parts.append(_returned(cancelled))
    with raised_memory_limit():
        features, *others = (materialize(part) for part in parts)  # one after the other: each may fill the memory
    for part in others:
        features = features.left_join(part, "customer_id").drop("customer_id_right")
    if "product_id" in columns:
        features = features.mutate(distinct_products=features.distinct_products.fill_null(0))
    if "order_id" in columns:
        share = (features.returned.fill_null(0).cast("float64") / features.revenue.cast("float64")).clip(0, 1)
        features = features.mutate(return_share=share).drop("returned")
    return features.drop("revenue")


def _totals(counted: ir.Table, columns: set[str]) -> ir.Table:
    totals = {"revenue": counted.amount.sum()}
    if {"unit_cost", "quantity"} <= columns:
        priced = counted.unit_cost.notnull()  # a line without a known cost says nothing about the margin
        totals["cost"] = (counted.quantity * counted.unit_cost).sum()
        totals["costed"] = counted.amount.sum(where=priced)
    grouped = counted.group_by("customer_id").agg(**totals)
    if "cost" in totals:
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
    """Return the exact median of each group, from the counts of each value: the same on every engine."""
    values = table.filter(table[column].notnull()).group_by(*by, column).agg(rows=lambda t: t.count())
    reached = values.rows.sum().over(ibis.cumulative_window(group_by=by, order_by=column))
    values = values.mutate(reached=reached, all=values.rows.sum().over(group_by=by))
    middle = values.filter(
        (2 * values.reached >= values["all"]) & (2 * (values.reached - values.rows) <= values["all"])
    )
    return middle.group_by(by).agg(**{column: middle[column].cast("float64").mean()})


def _values(counted: ir.Table, column: str) -> ir.Table:
    """Count the different values of a column per customer, and find the one on most lines: columns different, top.

    The rank of a value and its code are written into one number. Its minimum needs no memory; ranking would sort all
    rows.
    """
    present = counted.filter(counted[column].notnull()).select("customer_id", column)
    codes = present.select(column).distinct()
    codes = materialize_in_process(codes.mutate(code=ibis.row_number().over(order_by=column).cast("int64")))
    lines = present.join(codes, column).group_by("customer_id", "code").agg(lines=lambda t: t.count())
    ranks = (MAX_DISTINCT - lines.lines) * MAX_DISTINCT + lines.code
    values = lines.group_by("customer_id").agg(different=lines.count(), rank=ranks.min())
    values = values.mutate(code=values["rank"] % MAX_DISTINCT).join(codes, "code")
    return values.select("customer_id", "different", top=column)


def _returned(cancelled: ir.Table) -> ir.Table:
    return cancelled.group_by("customer_id").agg(returned=-cancelled.amount.sum())
