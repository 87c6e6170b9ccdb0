"""Which line items count. Each line is classified once, by the first rule that removes it."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.core.constants import CANCELLED_ORDER_ID
from crm_utils.core.duckdb_engine import materialize_in_process
from crm_utils.core.errors import CleaningError
from crm_utils.core.exact_money import exact_sum
from crm_utils.sources.preparation import Exclusion


class Rule(StrEnum):
    """The rows of the ledger, and the rules that remove line items. An analyst's own rule keeps its name."""

    READ = "read"
    CUSTOMERS_MERGED = "customers_merged"
    GROUP_HEADING = "group_heading"
    FILTERED = "filtered"
    STATUS_IGNORED = "status_ignored"
    STATUS_REFUNDED = "status_refunded"
    OTHER_CURRENCY = "other_currency"
    FURTHER_ROW = "further_row"
    GUEST = "guest"
    REFUND_WITHOUT_ORDER = "refund_without_order"
    EXTRACT_OVERLAP = "extract_overlap"
    RESTATED_ORDER = "restated_order"
    AFTER_ANALYSIS_DATE = "after_analysis_date"
    UNKNOWN_CUSTOMER = "unknown_customer"
    DUPLICATE = "duplicate"
    CANCELLATION = "cancellation"
    EXCLUDED_PRODUCT = "excluded_product"
    EXCLUDED_CUSTOMER = "excluded_customer"
    WORTHLESS_ORDER = "worthless_order"
    NON_POSITIVE_QUANTITY = "non_positive_quantity"
    NON_POSITIVE_AMOUNT = "non_positive_amount"
    OUTLIERS_CAPPED = "outliers_capped"
    UNMATCHED_CANCELLATION = "unmatched_cancellation"
    CANCELLED_ORDER = "cancelled_order"


# The rules that a source's parameters ask for: the values of `excluded_by`
EXCLUSIONS = tuple(Rule(code) for code in Exclusion)
# Orders that may differ between two extracts, even if most of the common ones do
MOST_RESTATED = 10
# The columns that each way to treat cancellations needs
NEEDED_COLUMNS: dict[str, set[str]] = {
    "drop": set(),
    "net": {"order_id"},
    "match": {"order_id", "product_id", "quantity"},
}


def merge_customer_ids(lines: ir.Table, merged: dict[str, str]) -> ir.Table:
    """Replace customer ids that are one person by the id to keep.

    Parameters
    ----------
    lines : ibis.Table
        Line items.
    merged : dict of str to str
        The id to give up and the id to keep. Empty: nothing is replaced.

    Returns
    -------
    ibis.Table
        The line items.

    Raises
    ------
    CleaningError
        If an id is both given up and kept.
    """
    if not merged:
        return lines
    circular = sorted(set(merged) & set(merged.values()))
    if circular:
        raise CleaningError(f"merge_customers: {', '.join(circular)} is merged and merged into; name the last id only")
    return lines.mutate(customer_id=lines.customer_id.cases(*merged.items(), else_=lines.customer_id))


def flag_repeated_lines(lines: ir.Table) -> ir.Table:
    """Flag the lines that another extract of the same data contains or replaces.

    Only the ranges of dates that two extracts cover are searched.

    Parameters
    ----------
    lines : ibis.Table
        Line items; `extract` numbers the extracts if there are several.

    Returns
    -------
    ibis.Table
        The line items with `repeated` instead of `extract`: true if all columns equal those of a line of an earlier
        extract. With order ids also `restated`: true for the lines of an order that a later extract changed. Unchanged
        without a column `extract`.
    """
    if "extract" not in lines.columns:
        return lines
    equal = [column for column in lines.columns if column != "extract"]
    spans = _shared_spans(lines)
    unflagged = {"repeated": ibis.literal(False)} | ({"restated": ibis.literal(False)} if "order_id" in equal else {})
    if not spans:
        return lines.mutate(**unflagged).drop("extract")
    shared = ibis.or_(*(lines.ordered_at.between(*span) for span in spans)).fill_null(False)
    inside, outside = lines.filter(shared), lines.filter(~shared)
    if "order_id" in equal:
        restated = _find_restated_orders(inside, equal)
        inside = inside.left_join(restated, ["order_id", "extract"])
        inside = inside.mutate(restated=inside.version.notnull()).select(*equal, "extract", "restated")
        first = ibis.ifelse(inside.restated, ibis.null("int64"), inside.extract).min().over(group_by=equal)
        inside = inside.mutate(repeated=~inside.restated & (inside.extract > first))
    else:
        inside = inside.mutate(repeated=inside.extract > inside.extract.min().over(group_by=equal))
    columns = [*equal, *unflagged]
    return inside.select(columns).union(outside.mutate(**unflagged).select(columns))


def _find_restated_orders(lines: ir.Table, equal: list[str]) -> ir.Table:
    """Find the orders of which a later extract has other lines: order_id, extract and version, which is never null."""
    ids = (
        lines.filter(lines.order_id.notnull())
        .group_by("order_id")
        .agg(latest=lines.extract.max(), earliest=lines.extract.min())
    )
    common = materialize_in_process(ids.filter(ids.earliest < ids.latest).select("order_id", "latest"))
    lines = lines.inner_join(common, "order_id")
    different = lines.select(*equal, "extract", "latest").distinct()  # equal lines count as one
    different = different.mutate(same=(different.extract == different.latest).any().over(group_by=equal))
    versions = different.group_by("order_id", "extract", "latest").agg(
        rows=different.count(), same=different.same.all(), customer=different.customer_id.max()
    )
    is_latest = versions.extract == versions.latest
    versions = versions.mutate(
        rows_latest=ibis.ifelse(is_latest, versions["rows"], 0).max().over(group_by="order_id"),
        customer_latest=ibis.ifelse(is_latest, versions.customer, ibis.null("string")).max().over(group_by="order_id"),
    )
    differs = ~versions.same | (versions["rows"] != versions.rows_latest)
    restated = materialize_in_process(versions.filter((versions.extract < versions.latest) & differs))
    _check_restated_share(common, restated)
    return restated.select("order_id", "extract", version="extract")


def _check_restated_share(common: ir.Table, restated: ir.Table) -> None:
    """Raise `CleaningError` if most orders of two extracts differ: then their ids are not of one system."""
    orders = common.count().execute()
    others = (restated.customer != restated.customer_latest).fill_null(False)
    found = restated.aggregate(
        orders=restated.order_id.nunique(),
        of_others=restated.order_id.nunique(where=others),
        example=restated.order_id.min(),
    )
    row = found.execute().iloc[0]
    if row.orders > orders / 2 and (row.orders > MOST_RESTATED or row.of_others > row.orders / 2):
        raise CleaningError(
            f"{row.orders:,} of {orders:,} order ids that are in several files of the same dates stand for other "
            f"lines in each, {row.of_others:,} of them of another customer, for example {row.example!r}: if the files "
            "are of different shops or tills, add the column that tells them apart: columns.order_id: [shop, order]; "
            "if each file has a part of every order, join them to one file"
        )


def removal_rules(
    lines: ir.Table,
    analysis_date: date,
    cancellations: str = "drop",
    duplicates: str = "keep",
    exclude_products: Sequence[str] = (),
    exclude_customers: Sequence[str] = (),
) -> dict[str, ir.BooleanValue]:
    """Return the rules that remove line items, in their order.

    Parameters
    ----------
    lines : ibis.Table
        Line items (see `flag_repeated_lines`).
    analysis_date : datetime.date
        The last day whose orders count.
    cancellations : {"drop", "net", "match"}
        With "drop", a cancellation is a line of an order whose id begins with C and a digit. Otherwise, any line that
        takes money back is one too, except those of excluded products and customers. A negative line of an order that
        has positive ones is no cancellation but a discount of that order (see `_order_discounts`).
    duplicates : {"keep", "drop"}
        With "drop", one of several equal lines is kept.
    exclude_products, exclude_customers : sequence of str
        Ids to leave out.

    Returns
    -------
    dict of str to ibis.BooleanValue
        The name of each rule (see `Rule`) and its condition, true for the lines that it removes. A rule on a column
        that the source does not have is left out.

    Raises
    ------
    CleaningError
        If a choice needs a column that the source does not have.
    """
    columns = set(lines.columns)
    _require_columns(columns, cancellations, exclude_products)
    excluded = _exclusion_rules(lines, exclude_products, exclude_customers)
    equal = [lines[column] for column in lines.columns]
    repeats = ibis.row_number().over(group_by=equal, order_by=lines.ordered_at) > 0
    rules: dict[str, ir.BooleanValue] = {}
    if "excluded_by" in columns:
        rules |= {rule: lines.excluded_by == rule.value for rule in EXCLUSIONS}
    if "repeated" in columns:
        rules[Rule.EXTRACT_OVERLAP] = lines.repeated
    if "restated" in columns:
        rules[Rule.RESTATED_ORDER] = lines.restated
    rules[Rule.AFTER_ANALYSIS_DATE] = lines.ordered_at.date() > ibis.literal(analysis_date)
    rules[Rule.UNKNOWN_CUSTOMER] = lines.customer_id.isnull()
    if duplicates == "drop" and cancellations != "drop":
        rules[Rule.DUPLICATE] = repeats  # before cancellations: one that is there twice takes money back once
    discount = worthless = None
    if {"order_id", "negative"} <= columns:
        discount, worthless = _order_discounts(lines, cancellations, [*rules.values(), *excluded.values()])
    if "order_id" in columns:
        rules[Rule.CANCELLATION] = _is_cancellation(lines, cancellations, list(excluded.values()), discount)
    rules |= excluded | ({} if worthless is None else {Rule.WORTHLESS_ORDER: worthless})
    rules |= _no_value_rules(lines, discount)
    if duplicates == "drop" and cancellations == "drop":
        rules[Rule.DUPLICATE] = repeats
    return rules


def describe_rules(rules: Mapping[str, ir.BooleanValue]) -> pd.DataFrame:
    """List the rules with their conditions.

    Parameters
    ----------
    rules : mapping of str to ibis.BooleanValue
        See `removal_rules`.

    Returns
    -------
    pandas.DataFrame
        One row per rule, in the order in which they apply: rule, condition (the expression, as text).
    """
    return pd.DataFrame({"rule": list(map(str, rules)), "condition": [value.get_name() for value in rules.values()]})


def classify(lines: ir.Table, rules: Mapping[str, ir.BooleanValue]) -> ir.Table:
    """Name the rule that removes each line item.

    Parameters
    ----------
    lines : ibis.Table
        Line items.
    rules : mapping of str to ibis.BooleanValue
        See `removal_rules`. A condition that is null removes nothing.

    Returns
    -------
    ibis.Table
        The line items with `removed_by`: the first rule that removes the line, null for lines that count.
    """
    cases = [(condition, str(name)) for name, condition in rules.items()]
    return lines.mutate(removed_by=ibis.cases(*cases, else_=ibis.null("string")))


def keep_counted_lines(classified: ir.Table, ledger: pd.DataFrame, analysis_date: date) -> ir.Table:
    """Keep the line items that count.

    Parameters
    ----------
    classified : ibis.Table
        See `classify`.
    ledger : pandas.DataFrame
        See `build_ledger`. It says whether any line is left.
    analysis_date : datetime.date
        The last day whose orders count.

    Returns
    -------
    ibis.Table
        The line items that no rule removed.

    Raises
    ------
    CleaningError
        If no line is left. The message names the rule that removed the last ones.
    """
    if ledger.rows_left.iloc[-1] == 0:
        last = ledger[ledger.rows_removed > 0].iloc[-1] if ledger.rows_removed.any() else ledger.iloc[0]
        cause = f"rule {last.rule!r} removed the last ones"
        if last.rule == Rule.AFTER_ANALYSIS_DATE:
            first = classified.ordered_at.min().execute()
            cause = f"the first is dated {first:%Y-%m-%d}: choose a later analysis date"
        rows = ledger.rows_left.iloc[0]
        raise CleaningError(f"no order on or before {analysis_date} is left of {rows:,} rows; {cause}")
    return classified.filter(classified.removed_by.isnull()).drop("removed_by")


def select_cancellations(classified: ir.Table) -> ir.Table:
    """Select the cancelled line items.

    Parameters
    ----------
    classified : ibis.Table
        See `classify`.

    Returns
    -------
    ibis.Table
        The line items that the rule on cancellations removed.
    """
    return classified.filter(classified.removed_by == Rule.CANCELLATION.value).drop("removed_by")


def _require_columns(columns: set[str], cancellations: str, exclude_products: Sequence[str]) -> None:
    missing = sorted(NEEDED_COLUMNS[cancellations] - columns)
    if missing:
        raise CleaningError(
            f"cancellations: {cancellations} needs {', '.join(missing)}: name the column, or choose drop"
        )
    if exclude_products and "product_id" not in columns:
        raise CleaningError("exclude_products needs product_id: name the column, or leave the list empty")


def _exclusion_rules(
    lines: ir.Table, exclude_products: Sequence[str], exclude_customers: Sequence[str]
) -> dict[str, ir.BooleanValue]:
    excluded: dict[str, ir.BooleanValue] = {}
    if exclude_products:
        excluded[Rule.EXCLUDED_PRODUCT] = lines.product_id.isin(list(exclude_products)).fill_null(False)
    if exclude_customers:
        excluded[Rule.EXCLUDED_CUSTOMER] = lines.customer_id.isin(list(exclude_customers)).fill_null(False)
    return excluded


def _no_value_rules(lines: ir.Table, discount: ir.BooleanValue | None) -> dict[str, ir.BooleanValue]:
    rules: dict[str, ir.BooleanValue] = {}
    if "quantity" in lines.columns:
        rules[Rule.NON_POSITIVE_QUANTITY] = (lines.quantity <= 0) | lines.quantity.isnull()
    rules[Rule.NON_POSITIVE_AMOUNT] = (lines.amount <= 0) | lines.amount.isnull()
    return rules if discount is None else {name: condition & ~discount for name, condition in rules.items()}


def _order_discounts(
    lines: ir.Table, cancellations: str, removed: list[ir.BooleanValue]
) -> tuple[ir.BooleanValue, ir.BooleanValue | None]:
    """Return which lines are discounts of their order, and which are of orders worth nothing after their discounts.

    A discount is a negative line of an order that has positive ones. If cancellations are matched, a line dated after
    the last sale of its order is a refund instead, and so is each negative line of an order worth nothing.
    """
    named = lines.order_id.re_search(CANCELLED_ORDER_ID).fill_null(False)
    of_sales = ~(named | ibis.or_(*(condition.fill_null(False) for condition in removed)))
    if "refund_of" in lines.columns:
        of_sales = of_sales & lines.refund_of.isnull()
    negative = lines.negative & of_sales
    key = _order_key(lines)
    worth, worthless = _orders_with_discounts(lines.filter(of_sales), lines.filter(negative))
    if cancellations == "drop":
        belongs = key.isin(worth.key) | key.isin(worthless.key)
        return negative & belongs, of_sales & key.isin(worthless.key)
    dated = lines.filter(negative).mutate(key=_order_key).join(worth, "key")
    late = materialize_in_process(dated.filter(dated.ordered_at.date() > dated.sold_until).select("key", "ordered_at"))
    discount = negative & key.isin(worth.key)
    if late.count().execute():
        moments = late.key + "|" + late.ordered_at.cast("string")
        discount = discount & ~(key + "|" + lines.ordered_at.cast("string")).isin(moments)
    return discount, None


def _orders_with_discounts(sold: ir.Table, negative: ir.Table) -> tuple[ir.Table, ir.Table]:
    """Return the orders with negative and positive lines: those worth more than 0 in total, and the others."""
    sold = sold.mutate(key=_order_key)
    found = sold.filter(sold.key.isin(negative.mutate(key=_order_key).key))
    orders = found.group_by("key").agg(
        sold_until=found.ordered_at.date().max(where=found.amount > 0), total=exact_sum(found.amount)
    )
    orders = materialize_in_process(orders.filter(orders.sold_until.notnull()))
    return orders.filter(orders.total > 0), orders.filter(orders.total <= 0)


def _order_key(lines: ir.Table) -> ir.StringValue:
    """Return what names an order: some shops use one number for orders of several customers."""
    return lines.customer_id.fill_null("") + "|" + lines.order_id


def _shared_spans(lines: ir.Table) -> list[tuple[datetime, datetime]]:
    """Return the times from and to which two extracts both cover."""
    spans = lines.group_by("extract").agg(first=lines.ordered_at.min(), last=lines.ordered_at.max()).execute()
    pairs = itertools.combinations(zip(spans["first"], spans["last"], strict=True), 2)
    shared = {(max(one[0], other[0]), min(one[1], other[1])) for one, other in pairs}
    return sorted(span for span in shared if span[0] <= span[1])


def _is_cancellation(
    lines: ir.Table, cancellations: str, excluded: list[ir.BooleanValue], discount: ir.BooleanValue | None
) -> ir.BooleanValue:
    named = lines.order_id.re_search(CANCELLED_ORDER_ID)
    if cancellations == "drop":
        return named
    taken_back = named.fill_null(False) | (lines.amount < 0).fill_null(False)
    for condition in [*excluded, *([] if discount is None else [discount])]:
        taken_back = taken_back & ~condition
    return taken_back
