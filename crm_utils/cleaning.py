"""Which line items count, and what became of every other row.

Each line is classified once, by the first rule that removes it; the ledger and the orders come from that one column.
"""

from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

READ, AFTER = "read", "after the analysis date"


class CleaningError(ValueError):
    """No line item is left; the message says which rule took the last ones and what to change."""


def rules(
    lines: ir.Table,
    analysis_date: date,
    duplicates: str = "keep",
    exclude_products: list[str] = (),
    exclude_customers: list[str] = (),
) -> dict[str, ir.BooleanValue]:
    """The named rules in their order, each true for the line items it removes.

    Rules that need a column the source has not are left out. `duplicates="drop"` keeps one of several equal lines.
    """
    has = set(lines.columns)
    named = {
        AFTER: lines.ordered_at.date() > ibis.literal(analysis_date),
        "unknown customer": lines.customer_id.isnull(),
    }
    if "order_id" in has:
        named["cancellations"] = lines.order_id.upper().startswith("C")
    if "product_id" in has and exclude_products:
        named["non-products"] = lines.product_id.isin(list(exclude_products))
    if exclude_customers:
        named["excluded customers"] = lines.customer_id.isin(list(exclude_customers))
    if "quantity" in has:
        named["non-positive quantity"] = (lines.quantity <= 0) | lines.quantity.isnull()
    named["non-positive price"] = (lines.amount <= 0) | lines.amount.isnull()
    if duplicates == "drop":
        named["duplicates"] = ibis.row_number().over(group_by=list(lines.columns), order_by="ordered_at") > 0
    return named


def classify(lines: ir.Table, rules: dict[str, ir.BooleanValue]) -> ir.Table:
    """The line items with a column `removed_by`: the first rule that removes the line, null for lines that count."""
    cases = [(condition.fill_null(False), name) for name, condition in rules.items()]
    return lines.mutate(removed_by=ibis.cases(*cases, else_=ibis.null("string")))


def ledger(classified: ir.Table, rules: list[str]) -> pd.DataFrame:
    """What each rule removed and what was left after it.

    Returns rule, rows_removed, revenue_removed, rows_left, customers_left, revenue_left: one row a rule in their
    order, the first (`read`) removing nothing. Each row's `left` is the `left` before it less what was removed.
    """
    order = {rule: position for position, rule in enumerate(rules)}
    ranked = classified.mutate(position=classified.removed_by.cases(*order.items(), else_=len(rules)).cast("int64"))
    grouped = ranked.group_by("customer_id", "position").agg(rows=ranked.count(), revenue=ranked.amount.sum())
    cells = ibis.memtable(grouped.to_pyarrow())  # read once on the engine that holds the lines, then small
    removed = (
        cells.group_by("position")
        .agg(rows=cells.rows.sum(), revenue=cells.revenue.sum().cast("decimal(38, 4)"))
        .execute()
        .set_index("position")
    )
    last = cells.filter(cells.customer_id.notnull()).group_by("customer_id").agg(position=cells.position.max())
    customers = last.group_by("position").agg(customers=last.count()).execute().set_index("position")["customers"]
    return _running(removed, customers, rules)


def counted(classified: ir.Table, log: pd.DataFrame, analysis_date: date) -> ir.Table:
    """The line items that count. Raises `CleaningError` where there are none."""
    if log.rows_left.iloc[-1] == 0:
        last = log[log.rows_removed > 0].iloc[-1] if log.rows_removed.any() else log.iloc[0]
        first = classified.ordered_at.min().execute()
        cure = (
            f"the first is dated {first:%Y-%m-%d}: choose a later analysis date"
            if last.rule == AFTER
            else f"rule {last.rule!r} removed the last ones"
        )
        raise CleaningError(f"no order on or before {analysis_date} is left of {log.rows_left.iloc[0]:,} rows; {cure}")
    return classified.filter(classified.removed_by.isnull()).drop("removed_by")


def _running(removed: pd.DataFrame, customers: pd.Series, rules: list[str]) -> pd.DataFrame:
    positions = range(len(rules) + 1)
    rows = removed.rows.reindex(positions, fill_value=0).astype(int)
    revenue = removed.revenue.reindex(positions, fill_value=0)  # decimals until the last moment: sums are exact
    gone = customers.reindex(positions, fill_value=0).astype(int)
    zero = revenue.iloc[0] * 0
    log = pd.DataFrame({"rule": [READ, *rules], "rows_removed": [0, *rows.iloc[:-1]]})
    log["revenue_removed"] = [zero, *revenue.iloc[:-1]]
    log["rows_left"] = rows.sum() - log.rows_removed.cumsum()
    log["customers_left"] = gone.sum() - pd.Series([0, *gone.iloc[:-1]]).cumsum()
    log["revenue_left"] = [revenue.sum() - sum(log.revenue_removed[: step + 1], zero) for step in log.index]
    return log.astype({"revenue_removed": float, "revenue_left": float})
