"""Aggregate line items to orders, and return orders as of a day."""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core import duckdb_engine
from crm_utils.core.exact_money import EXACT_MONEY, exact_sum


def aggregate_lines(classified: ir.Table) -> ir.Table:
    """Sum line items by customer, order and rule, in one pass, for the ledger and the orders.

    Parameters
    ----------
    classified : ibis.Table
        Line items in standard columns, with `removed_by` (the rule that removed a line; null if it counts). Without
        that column every line counts.

    Returns
    -------
    ibis.Table
        On DuckDB, one row per customer, order and rule: customer_id, order_id (null if a rule removed the
        lines), removed_by, first_at and ordered_at (the first and the last line), revenue (decimal), units, lines.
    """
    return duckdb_engine.materialize(_aggregate(classified))


def orders_from_aggregates(sums: ir.Table) -> ir.Table:
    """Return the orders of aggregated line items that count.

    Revenue was summed in decimals and is cast to float once.

    Parameters
    ----------
    sums : ibis.Table
        See `aggregate_lines`.

    Returns
    -------
    ibis.Table
        One row per order: customer_id, order_id, ordered_at (its last line), units, lines, revenue.
    """
    placed = sums.filter(sums.removed_by.isnull())
    return placed.select(
        "customer_id", "order_id", "ordered_at", "units", "lines", revenue=placed.revenue.cast("float64")
    )


def orders_from_lines(lines: ir.Table) -> ir.Table:
    """Return the orders of line items that count, as one expression on the engine of the line items.

    Parameters
    ----------
    lines : ibis.Table
        Line items that count. If the source has no order ids, the lines of a customer and day are one order if they
        name products: `<customer>-<date>`. Otherwise each line is an order `<customer>-<date>-<n>`, where n
        ranks the lines of a customer and day by amount and units.

    Returns
    -------
    ibis.Table
        See `orders_from_aggregates`.
    """
    return orders_from_aggregates(_aggregate(lines))


def orders_as_of(orders: ir.Table, adjustments: ir.Table, day: date) -> ir.Table:
    """Return the orders as of a day.

    These are the orders placed by then, less the adjustments made by then. Completely cancelled orders are left out.

    Parameters
    ----------
    orders : ibis.Table
        Orders as placed: customer_id, order_id, ordered_at, revenue, units, lines.
    adjustments : ibis.Table
        Cancellations: customer_id, order_id, adjusted_at, revenue (negative).
    day : datetime.date
        The last day that counts.

    Returns
    -------
    ibis.Table
        The columns of `orders`; revenue after adjustments.
    """
    placed = orders.filter(orders.ordered_at.date() <= ibis.literal(day))
    if not adjustments.count().execute():  # the usual case; a join with an empty table would be slow
        return placed
    dated = adjustments.filter(adjustments.adjusted_at.date() <= ibis.literal(day))
    less = dated.group_by("customer_id", "order_id").agg(adjustment=exact_sum(dated.revenue))
    joined = placed.left_join(less, ["customer_id", "order_id"])
    net = joined.mutate(revenue=(joined.revenue.cast(EXACT_MONEY) + joined.adjustment.fill_null(0)).cast("float64"))
    return net.filter(net.adjustment.isnull() | (net.revenue > 0)).select(*orders.columns)


def total_revenue(orders: ir.Table) -> float:
    """Return the revenue of all orders, summed exactly.

    Parameters
    ----------
    orders : ibis.Table
        Orders: customer_id, order_id, ordered_at, revenue, units, lines.

    Returns
    -------
    float
        In the report's currency; 0 if there are no orders.
    """
    return float(exact_sum(orders.revenue).execute() or 0)


def monthly_revenue(orders: ir.Table, last_day: date) -> pd.DataFrame:
    """Sum revenue by calendar month.

    Parameters
    ----------
    orders : ibis.Table
        Orders: customer_id, order_id, ordered_at, revenue, units, lines.
    last_day : datetime.date
        The analysis date.

    Returns
    -------
    pandas.DataFrame
        One row per month: month (its first day), revenue, orders, customers, new_customers (first order in that
        month), complete (False for the last month if the analysis date is not its last day).
    """
    bought = orders.mutate(month=orders.ordered_at.truncate("M")).group_by("customer_id", "month")
    bought = bought.agg(revenue=lambda t: exact_sum(t.revenue), orders=lambda t: t.count())
    first = bought.group_by("customer_id").agg(month=bought.month.min())
    months = bought.group_by("month").agg(
        revenue=bought.revenue.sum().cast("float64"), orders=bought.orders.sum(), customers=bought.count()
    )
    months = months.left_join(first.group_by("month").agg(new_customers=lambda t: t.count()), "month")
    months = months.drop("month_right").mutate(new_customers=months.new_customers.fill_null(0))
    frame = months.order_by("month").execute()
    month_end = pd.Timestamp(last_day) + pd.offsets.MonthEnd(0)
    return frame.assign(complete=frame.month.ne(frame.month.max()) | (month_end == pd.Timestamp(last_day)))


def add_order_ids(lines: ir.Table) -> ir.Table:
    """Add `units` to line items, and order ids if the source has none.

    Parameters
    ----------
    lines : ibis.Table
        Classified line items.

    Returns
    -------
    ibis.Table
        The line items. Added order ids are `<customer>-<date>` for lines of products, else `<customer>-<date>-<n>`, and
        null for lines that a rule removed.
    """
    units = lines.quantity if "quantity" in lines.columns else ibis.null("decimal(18, 4)")
    lines = lines.mutate(units=units)
    if "order_id" in lines.columns:
        return lines
    day, counts = lines.ordered_at.date(), lines.removed_by.isnull()
    made = lines.customer_id + "-" + lines.ordered_at.strftime("%Y%m%d")
    if not {"product_id", "description"} & set(lines.columns):
        rank = ibis.row_number().over(group_by=[lines.customer_id, day, counts], order_by=[lines.amount, lines.units])
        made = made + "-" + (rank + 1).cast("string")
    return lines.mutate(order_id=ibis.ifelse(counts, made, ibis.null("string")))


def _aggregate(lines: ir.Table) -> ir.Table:
    if "removed_by" not in lines.columns:
        lines = lines.mutate(removed_by=ibis.null("string"))
    lines = add_order_ids(lines)
    counts, revenue = lines.removed_by.isnull(), lines.amount.sum()
    lines = lines.mutate(order_id=ibis.ifelse(counts, lines.order_id, ibis.null("string")))
    return lines.group_by("customer_id", "order_id", "removed_by").agg(
        first_at=lines.ordered_at.min(),
        ordered_at=ibis.coalesce(lines.ordered_at.max(where=lines.amount > 0), lines.ordered_at.max()),
        revenue=revenue
        if revenue.type().is_decimal()
        else revenue.round(4).cast(EXACT_MONEY),  # SQLite has no decimals
        units=lines.units.sum().fill_null(0).cast("float64"),
        lines=lines.count(),
    )
