"""The ledger: what happened to every row, rule by rule."""

import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.rules import EXCLUSIONS, Rule
from crm_utils.core.errors import CleaningError
from crm_utils.core.exact_money import EXACT_MONEY, exact_sum
from crm_utils.sources.preparation import MINUS, PLUS

SHOWN_IF_USED = [*EXCLUSIONS, Rule.RESTATED_ORDER, Rule.WORTHLESS_ORDER]  # rules without a row if they removed none
LEFT_COLUMNS = ["rows_left", "customers_left", "revenue_left"]


def build_ledger(totals: ir.Table, rules: list[str]) -> pd.DataFrame:
    """Count what each rule removed and what was left after it.

    Parameters
    ----------
    totals : ibis.Table
        See `orders.aggregate_lines`.
    rules : list of str
        Names of the rules in their order.

    Returns
    -------
    pandas.DataFrame
        One row per rule, in their order; the first row, `read`, removes nothing. Columns: rule, rows_removed,
        revenue_removed, rows_left, customers_left, revenue_left (in the report's currency). What is left is what the
        row above left, less what this rule removed. The rules in `SHOWN_IF_USED` have a row only if they removed
        rows.
    """
    names = [str(rule) for rule in rules]
    order = {rule: position for position, rule in enumerate(names)}
    cells = totals.mutate(position=totals.removed_by.cases(*order.items(), else_=len(names)).cast("int64"))
    by_rule = totals.group_by("removed_by").agg(rows=totals.lines.sum(), revenue=totals.revenue.sum().cast(EXACT_MONEY))
    removed = by_rule.execute()
    removed.index = removed.removed_by.map(order).fillna(len(names)).astype(int)
    last = cells.filter(cells.customer_id.notnull()).group_by("customer_id").agg(position=cells.position.max())
    customers = last.group_by("position").agg(customers=last.count()).execute().set_index("position")["customers"]
    return _running_ledger(removed, customers, names)


def ledger_after_merge(ledger: pd.DataFrame, lines: ir.Table, merged: dict[str, str]) -> pd.DataFrame:
    """Add the merging of customer ids to the ledger.

    Parameters
    ----------
    ledger : pandas.DataFrame
        See `build_ledger`.
    lines : ibis.Table
        Line items as they were before the merge.
    merged : dict of str to str
        The id to give up and the id to keep.

    Returns
    -------
    pandas.DataFrame
        The ledger with a second row, `customers_merged`, and the customers as they were read in the first. Unchanged
        if nothing was merged.
    """
    if not merged:
        return ledger
    named = lines.filter(lines.customer_id.isin([*merged, *merged.values()]))
    found = set(named.select("customer_id").distinct().execute().customer_id)
    fewer = len(found) - len({merged.get(name, name) for name in found})
    read = ledger.assign(customers_left=ledger.customers_left.where(ledger.index > 0, ledger.customers_left + fewer))
    row = {"rule": Rule.CUSTOMERS_MERGED.value, "rows_removed": 0, "revenue_removed": 0.0}
    row |= ledger.iloc[0][LEFT_COLUMNS].to_dict()
    return pd.concat([read.iloc[:1], pd.DataFrame([row]), read.iloc[1:]], ignore_index=True)


def ledger_after_amount_parts(ledger: pd.DataFrame, lines: ir.Table) -> pd.DataFrame:
    """Add what was taken off the amounts of the source, or added to them.

    Parameters
    ----------
    ledger : pandas.DataFrame
        See `build_ledger`.
    lines : ibis.Table
        Line items. Each part of the amount is a column `minus: <column>` or `plus: <column>`, 0 in excluded rows.

    Returns
    -------
    pandas.DataFrame
        The ledger with a row per part after the rows that the source's parameters removed; the rows above it have the
        revenue without these parts. Unchanged if the amount has no parts.
    """
    columns = [column for column in lines.columns if column.startswith((MINUS, PLUS))]
    if not columns:
        return ledger
    sums = lines.aggregate(**{column: exact_sum(lines[column]) for column in columns}).execute().iloc[0].fillna(0)
    removed = {column: float(sums[column] if column.startswith(MINUS) else -sums[column]) for column in columns}
    first = ledger.index[ledger.rule.isin([Rule.READ, Rule.CUSTOMERS_MERGED, *EXCLUSIONS])][-1]
    above, below = ledger.loc[:first].copy(), ledger.loc[first + 1 :]
    left = above.iloc[-1]
    above["revenue_left"] += sum(removed.values())
    rows = pd.DataFrame({"rule": columns, "rows_removed": 0, "revenue_removed": list(removed.values())})
    rows = rows.assign(**left[["rows_left", "customers_left"]])
    rows["revenue_left"] = above.revenue_left.iloc[-1] - rows.revenue_removed.cumsum()
    whole = pd.concat([above, rows[ledger.columns], below], ignore_index=True)
    return whole.round({"revenue_left": 4}).astype({"rows_left": int, "customers_left": int})


def ledger_after_capping(
    ledger: pd.DataFrame, classified: ir.Table, capped: ir.Table, cancellations: str
) -> pd.DataFrame:
    """Add the capping of extreme values to the ledger.

    Parameters
    ----------
    ledger : pandas.DataFrame
        See `build_ledger`.
    classified, capped : ibis.Table
        The classified line items before and after `apply_caps`.
    cancellations : {"drop", "net", "match"}
        What happens to cancelled lines. They are capped too, unless they are dropped.

    Returns
    -------
    pandas.DataFrame
        The ledger with a last row, `outliers_capped`: the revenue that the caps removed. Unchanged without caps.
    """
    if capped is classified:
        return ledger
    before, after = (
        float(_remaining_lines(table, cancellations).amount.sum().execute()) for table in (classified, capped)
    )
    rows, customers = ledger.rows_left.iloc[-1], ledger.customers_left.iloc[-1]
    return _with_last_row(ledger, Rule.OUTLIERS_CAPPED, 0, before - after, rows, customers)


def ledger_after_cancellations(
    ledger: pd.DataFrame, matched: ir.Table, known: ir.Table, cancellations: str
) -> pd.DataFrame:
    """Add what became of cancellations to the ledger.

    The row on cancellations keeps those without a sale. A last row removes the orders that were cancelled completely
    and all cancellations that have a sale: together they are worth nothing.

    Parameters
    ----------
    ledger : pandas.DataFrame
        See `build_ledger`.
    matched : ibis.Table
        See `match_cancellations`.
    known : ibis.Table
        Orders as of the analysis date (see `orders_as_of`).
    cancellations : {"drop", "net", "match"}
        What happens to cancelled lines.

    Returns
    -------
    pandas.DataFrame
        The ledger with a last row, `cancelled_order`, and `unmatched_cancellation` instead of `cancellation`.
        Unchanged if cancellations are dropped.

    Raises
    ------
    CleaningError
        If no order is left.
    """
    if cancellations == "drop":
        return ledger
    unmatched = matched.filter(matched.order_id.isnull())
    rows = int(unmatched.lines.sum().execute() or 0)
    revenue = float(unmatched.revenue.sum().execute() or 0)
    index = ledger.index[ledger.rule == Rule.CANCELLATION][0]
    ledger = ledger.copy()
    ledger.loc[index, "rule"] = Rule.UNMATCHED_CANCELLATION.value
    ledger.loc[index, ["rows_removed", "revenue_removed"]] = [rows, revenue]
    ledger["rows_left"] = ledger.rows_left.iloc[0] - ledger.rows_removed.cumsum()
    ledger["revenue_left"] = (ledger.revenue_left.iloc[0] - ledger.revenue_removed.cumsum()).round(4)
    left = known.aggregate(rows=known.lines.sum(), customers=known.customer_id.nunique()).execute().iloc[0].fillna(0)
    if not left.customers:
        raise CleaningError(
            "no order is left: all were cancelled by the analysis date; choose another date, or cancellations: drop"
        )
    gone = int(ledger.rows_left.iloc[-1] - left.rows)
    return _with_last_row(ledger, Rule.CANCELLED_ORDER, gone, 0.0, int(left.rows), int(left.customers))


def _remaining_lines(classified: ir.Table, cancellations: str) -> ir.Table:
    counts = classified.removed_by.isnull()
    if cancellations == "drop":
        return classified.filter(counts)
    return classified.filter(counts | (classified.removed_by == Rule.CANCELLATION.value))


def _with_last_row(ledger: pd.DataFrame, rule: Rule, rows: int, revenue: float, *left: float) -> pd.DataFrame:
    row = [rule.value, rows, revenue, *left, round(ledger.revenue_left.iloc[-1] - revenue, 4)]
    return pd.concat([ledger, pd.DataFrame([row], columns=ledger.columns)], ignore_index=True)


def _running_ledger(removed: pd.DataFrame, customers: pd.Series, rules: list[str]) -> pd.DataFrame:
    positions = range(len(rules) + 1)
    rows = removed.rows.reindex(positions, fill_value=0).astype(int)
    known = removed.revenue[removed.revenue.notna()]  # lines without an amount have none
    revenue = known.reindex(positions, fill_value=0)  # decimals until the end, so that sums are exact
    gone = customers.reindex(positions, fill_value=0).astype(int)
    zero = revenue.iloc[0] * 0
    ledger = pd.DataFrame({"rule": [Rule.READ.value, *rules], "rows_removed": [0, *rows.iloc[:-1]]})
    ledger["revenue_removed"] = [zero, *revenue.iloc[:-1]]
    ledger["rows_left"] = rows.sum() - ledger.rows_removed.cumsum()
    ledger["customers_left"] = gone.sum() - pd.Series([0, *gone.iloc[:-1]]).cumsum()
    ledger["revenue_left"] = [revenue.sum() - sum(ledger.revenue_removed[: step + 1], zero) for step in ledger.index]
    idle = ledger.rule.isin(SHOWN_IF_USED) & (ledger.rows_removed == 0)
    return ledger[~idle].reset_index(drop=True).astype({"revenue_removed": float, "revenue_left": float})
