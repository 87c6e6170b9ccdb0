"""Which line items count, and what became of every other row.

Each line is classified once, by the first rule that removes it; the ledger and the orders come from that one column.
"""

import itertools
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.errors import CleaningError
from crm_utils.core.exact_money import EXACT_MONEY

READ, OVERLAP, AFTER, CANCELLED = "read", "overlap between extracts", "after the analysis date", "cancellations"
MERGED, CAPPED = "customers merged", "outliers capped"
UNMATCHED, SETTLED = "cancellations without a sale", "cancelled orders and their cancellations"
NEEDED = {"drop": set(), "net": {"order_id"}, "match": {"order_id", "product_id", "quantity"}}
LEFT = ["rows_left", "customers_left", "revenue_left"]


def merge_customer_ids(lines: ir.Table, merged: dict[str, str]) -> ir.Table:
    """The line items with the customer ids on the left of `merged` replaced by those on the right."""
    if not merged:
        return lines
    circular = sorted(set(merged) & set(merged.values()))
    if circular:
        raise CleaningError(f"merge_customers: {', '.join(circular)} is merged and merged into; name the last id only")
    return lines.mutate(customer_id=lines.customer_id.cases(*merged.items(), else_=lines.customer_id))


def flag_repeated_lines(lines: ir.Table) -> ir.Table:
    """The line items of several extracts with a column `repeated` in place of `extract`.

    True for a line of a later extract that equals, column for column, one of an earlier extract. Only the ranges of
    dates that two extracts cover are searched.
    """
    if "extract" not in lines.columns:
        return lines
    equal = [column for column in lines.columns if column != "extract"]
    spans = _shared_spans(lines)
    if not spans:
        return lines.mutate(repeated=ibis.literal(False)).drop("extract")
    shared = ibis.or_(*(lines.ordered_at.between(*span) for span in spans))
    inside, outside = lines.filter(shared), lines.filter(~shared)
    inside = inside.mutate(repeated=inside.extract > inside.extract.min().over(group_by=equal))
    return inside.union(outside.mutate(repeated=ibis.literal(False))).drop("extract")


def removal_rules(
    lines: ir.Table,
    analysis_date: date,
    cancellations: str = "drop",
    duplicates: str = "keep",
    exclude_products: list[str] = (),
    exclude_customers: list[str] = (),
) -> dict[str, ir.BooleanValue]:
    """The named rules in their order, each true for the line items it removes.

    Rules that need a column the source has not are left out. `duplicates="drop"` keeps one of several equal lines.
    With `cancellations` other than `drop`, any line that takes money back is one, not only those of `C` orders, and
    those of left-out products and customers go with these.
    """
    has = set(lines.columns)
    missing = sorted(NEEDED[cancellations] - has)
    if missing:
        raise CleaningError(
            f"cancellations: {cancellations} needs {', '.join(missing)}: name the column, or choose drop"
        )
    if exclude_products and "product_id" not in has:
        raise CleaningError("exclude_products needs product_id: name the column, or leave the list empty")
    named = {OVERLAP: lines.repeated} if "repeated" in has else {}
    named[AFTER] = lines.ordered_at.date() > ibis.literal(analysis_date)
    named["unknown customer"] = lines.customer_id.isnull()
    excluded = {}
    if exclude_products:
        excluded["non-products"] = lines.product_id.isin(list(exclude_products)).fill_null(False)
    if exclude_customers:
        excluded["excluded customers"] = lines.customer_id.isin(list(exclude_customers)).fill_null(False)
    once = {"duplicates": ibis.row_number().over(group_by=list(lines.columns), order_by="ordered_at") > 0}
    if duplicates == "drop" and cancellations != "drop":
        named |= once  # first of all: a cancellation that stands twice takes money back once
    if "order_id" in has:
        named[CANCELLED] = _cancelled(lines, cancellations, list(excluded.values()))
    named |= excluded
    if "quantity" in has:
        named["non-positive quantity"] = (lines.quantity <= 0) | lines.quantity.isnull()
    named["non-positive price"] = (lines.amount <= 0) | lines.amount.isnull()
    if duplicates == "drop" and cancellations == "drop":
        named |= once
    return named


def classify(lines: ir.Table, rules: dict[str, ir.BooleanValue]) -> ir.Table:
    """The line items with a column `removed_by`: the first rule that removes the line, null for lines that count."""
    cases = [(condition, name) for name, condition in rules.items()]  # what is null removes nothing
    return lines.mutate(removed_by=ibis.cases(*cases, else_=ibis.null("string")))


def build_ledger(sums: ir.Table, rules: list[str]) -> pd.DataFrame:
    """What each rule removed and what was left after it.

    sums: as `orders.sums` returns them. Returns rule, rows_removed, revenue_removed, rows_left, customers_left,
    revenue_left: one row a rule in their order, the first (`read`) removing nothing. Each row's `left` is the `left`
    before it less what was removed.
    """
    order = {rule: position for position, rule in enumerate(rules)}
    cells = sums.mutate(position=sums.removed_by.cases(*order.items(), else_=len(rules)).cast("int64"))
    by_rule = sums.group_by("removed_by").agg(rows=sums.lines.sum(), revenue=sums.revenue.sum().cast(EXACT_MONEY))
    removed = by_rule.execute()
    removed.index = removed.removed_by.map(order).fillna(len(rules)).astype(int)
    last = cells.filter(cells.customer_id.notnull()).group_by("customer_id").agg(position=cells.position.max())
    customers = last.group_by("position").agg(customers=last.count()).execute().set_index("position")["customers"]
    return _running(removed, customers, rules)


def keep_counted_lines(classified: ir.Table, log: pd.DataFrame, analysis_date: date) -> ir.Table:
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


def select_cancellations(classified: ir.Table) -> ir.Table:
    """The line items that the rule on cancellations set aside."""
    return classified.filter(classified.removed_by == CANCELLED).drop("removed_by")


def ledger_after_merge(log: pd.DataFrame, lines: ir.Table, merged: dict[str, str]) -> pd.DataFrame:
    """The ledger with a line for the ids that `merge` did away with, and the customers as they were read before it.

    lines: as they were before the merge.
    """
    if not merged:
        return log
    named = lines.filter(lines.customer_id.isin([*merged, *merged.values()]))
    there = set(named.select("customer_id").distinct().execute().customer_id)
    fewer = len(there) - len({merged.get(name, name) for name in there})
    read = log.assign(customers_left=log.customers_left.where(log.index > 0, log.customers_left + fewer))
    line = {"rule": MERGED, "rows_removed": 0, "revenue_removed": 0.0} | log.iloc[0][LEFT].to_dict()
    return pd.concat([read.iloc[:1], pd.DataFrame([line]), read.iloc[1:]], ignore_index=True)


def ledger_after_capping(log: pd.DataFrame, classified: ir.Table, capped: ir.Table, cancellations: str) -> pd.DataFrame:
    """The ledger with a line for the revenue that capping took off the lines that count, and off their cancellations."""
    if capped is classified:
        return log
    before, after = (
        float(_remaining_in_ledger(table, cancellations).amount.sum().execute()) for table in (classified, capped)
    )
    return _with_line(log, CAPPED, 0, before - after, log.rows_left.iloc[-1], log.customers_left.iloc[-1])


def ledger_after_cancellations(log: pd.DataFrame, settlement: ir.Table, known: ir.Table, mode: str) -> pd.DataFrame:
    """The ledger once cancellations are settled against their sales.

    The line on cancellations keeps those that found no sale; a last line takes out the orders that were cancelled as a
    whole, with all cancellations that found theirs: together they are worth nothing. With `drop` nothing changes. Raises `CleaningError` where nothing is left.
    settlement: as `settlement.settle` returns it. known: orders as known on the analysis date.
    """
    if mode == "drop":
        return log
    none = settlement.filter(settlement.order_id.isnull())
    rows = int(none.lines.sum().execute() or 0)
    revenue = float(none.revenue.sum().execute() or 0)
    place = log.index[log.rule == CANCELLED][0]
    log = log.assign(rule=log.rule.replace(CANCELLED, UNMATCHED))
    log.loc[place, ["rows_removed", "revenue_removed"]] = [rows, revenue]
    log["rows_left"] = log.rows_left.iloc[0] - log.rows_removed.cumsum()
    log["revenue_left"] = (log.revenue_left.iloc[0] - log.revenue_removed.cumsum()).round(4)
    left = known.aggregate(rows=known.lines.sum(), customers=known.customer_id.nunique()).execute().iloc[0].fillna(0)
    if not left.customers:
        raise CleaningError(
            "no order is left: all were cancelled by the analysis date; choose another date, or cancellations: drop"
        )
    return _with_line(log, SETTLED, int(log.rows_left.iloc[-1] - left.rows), 0.0, int(left.rows), int(left.customers))


def _shared_spans(lines: ir.Table) -> list[tuple]:
    """The times from and to which two extracts both cover."""
    spans = lines.group_by("extract").agg(first=lines.ordered_at.min(), last=lines.ordered_at.max()).execute()
    pairs = itertools.combinations(zip(spans["first"], spans["last"], strict=True), 2)
    shared = {(max(one[0], other[0]), min(one[1], other[1])) for one, other in pairs}
    return sorted(span for span in shared if span[0] <= span[1])


def _cancelled(lines: ir.Table, mode: str, excluded: list[ir.BooleanValue]) -> ir.BooleanValue:
    marked = lines.order_id.re_search("^[Cc][0-9]")  # C489449 is one; CA-2023-1317 and CONFIRMED are not
    if mode == "drop":
        return marked
    taken_back = marked.fill_null(False) | (lines.amount < 0).fill_null(False)
    for condition in excluded:
        taken_back = taken_back & ~condition
    return taken_back


def _remaining_in_ledger(classified: ir.Table, mode: str) -> ir.Table:
    counts = classified.removed_by.isnull()
    return classified.filter(counts if mode == "drop" else counts | (classified.removed_by == CANCELLED))


def _with_line(log: pd.DataFrame, rule: str, rows: int, revenue: float, *left: float) -> pd.DataFrame:
    line = [rule, rows, revenue, *left, round(log.revenue_left.iloc[-1] - revenue, 4)]
    return pd.concat([log, pd.DataFrame([line], columns=log.columns)], ignore_index=True)


def _running(removed: pd.DataFrame, customers: pd.Series, rules: list[str]) -> pd.DataFrame:
    positions = range(len(rules) + 1)
    rows = removed.rows.reindex(positions, fill_value=0).astype(int)
    known = removed.revenue[removed.revenue.notna()]  # lines without an amount carry none
    revenue = known.reindex(positions, fill_value=0)  # decimals until the last moment: sums are exact
    gone = customers.reindex(positions, fill_value=0).astype(int)
    zero = revenue.iloc[0] * 0
    log = pd.DataFrame({"rule": [READ, *rules], "rows_removed": [0, *rows.iloc[:-1]]})
    log["revenue_removed"] = [zero, *revenue.iloc[:-1]]
    log["rows_left"] = rows.sum() - log.rows_removed.cumsum()
    log["customers_left"] = gone.sum() - pd.Series([0, *gone.iloc[:-1]]).cumsum()
    log["revenue_left"] = [revenue.sum() - sum(log.revenue_removed[: step + 1], zero) for step in log.index]
    return log.astype({"revenue_removed": float, "revenue_left": float})
