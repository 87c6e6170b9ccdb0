"""Leave customers out by a rule on what is known about them. The rule has its own row in the ledger."""

from collections.abc import Mapping, Sequence
from datetime import date

import ibis
import ibis.expr.types as ir
import pandas as pd

from crm_utils.cleaning.cancellations import match_cancellations, order_adjustments
from crm_utils.cleaning.customer_features import compute_customer_features
from crm_utils.cleaning.rules import Rule, classify, select_cancellations
from crm_utils.config.safe_query import evaluate, named_columns
from crm_utils.core.errors import CleaningError
from crm_utils.core.exact_money import exact_sum
from crm_utils.core.orders import aggregate_lines, orders_as_of, orders_from_aggregates
from crm_utils.core.suggestions import did_you_mean

# A row of the ledger that begins with this is the rule of `exclude_where`
EXCLUDED_WHERE = "exclude_where: "
# Tables about customers from which those who are left out are removed: they must not count as prospects
KNOWN_BEFOREHAND = ("attributes", "contacts")


def find_customers(
    lines: ir.Table,
    rules: Mapping[str, ir.BooleanValue],
    where: str,
    analysis_date: date,
    cancellations: str,
    attributes: pd.DataFrame | None,
) -> list[str]:
    """Find the customers whom a rule leaves out.

    Parameters
    ----------
    lines : ibis.Table
        Line items.
    rules : mapping of str to ibis.BooleanValue
        See `removal_rules`.
    where : str
        A pandas query that is true for the customers to leave out. It may use customer_id, first_order, last_order,
        recency_days, orders, revenue and mean_order_value as known on the analysis date, the columns of
        `compute_customer_features`, and those of the attributes. Empty: nobody is left out.
    analysis_date : datetime.date
        The last day that counts.
    cancellations : {"drop", "net", "match"}
        What happens to cancelled lines.
    attributes : pandas.DataFrame or None
        The table `attributes`.

    Returns
    -------
    list of str
        Their ids, sorted.

    Raises
    ------
    CleaningError
        If the rule names an unknown column, is no condition on the customers, or leaves out all of them.
    """
    if not where:
        return []
    classified = classify(lines, rules)
    counted = classified.filter(classified.removed_by.isnull()).drop("removed_by")
    cancelled = select_cancellations(classified)
    adjustments = order_adjustments(match_cancellations(counted, cancelled, cancellations))
    placed = orders_from_aggregates(aggregate_lines(classified))
    customers = _measure(orders_as_of(placed, adjustments, analysis_date), analysis_date)
    if attributes is not None:
        customers = customers.merge(attributes, on="customer_id", how="left", suffixes=("", " (attribute)"))
    names = named_columns(where)
    if not set(names) <= set(customers.columns):
        features = compute_customer_features(counted, cancelled).execute()
        customers = customers.merge(features, on="customer_id", how="left", suffixes=("", " (feature)"))
    for name in names:
        if name not in customers.columns:
            hint = did_you_mean(name, customers.columns) or "choose one of them"
            raise CleaningError(
                f"cleaning.exclude_where: {name!r} is not known of a customer; {hint} "
                f"(known: {', '.join(customers.columns)})"
            )
    left_out = customers.customer_id[_matching(customers, where)]
    if len(left_out) == len(customers) > 0:
        raise CleaningError(f"cleaning.exclude_where: {where!r} is true for all {len(customers):,} customers")
    return sorted(left_out)


def add_exclusion(
    rules: Mapping[str, ir.BooleanValue], lines: ir.Table, where: str, customers: Sequence[str]
) -> dict[str, ir.BooleanValue]:
    """Add the rule that leaves customers out to the rules that remove line items.

    Parameters
    ----------
    rules : mapping of str to ibis.BooleanValue
        See `removal_rules`.
    lines : ibis.Table
        Line items.
    where : str
        The query, which names the row of the ledger. Empty: nothing is added.
    customers : sequence of str
        Their ids.

    Returns
    -------
    dict of str to ibis.BooleanValue
        The rules. The new one comes before cancellations, so that those of the customers left out count as theirs.
    """
    if not where:
        return dict(rules)
    ids = list(customers)
    if lines.get_backend().name == "duckdb":  # any number of ids; other databases may not let us send them a table
        ids = ibis.memtable({"customer_id": ids}, schema={"customer_id": "string"}).customer_id
    leaves_out = lines.customer_id.isin(ids).fill_null(False)
    extended: dict[str, ir.BooleanValue] = {}
    for name, condition in rules.items():
        extended[name] = condition
        if name == Rule.UNKNOWN_CUSTOMER:
            extended[EXCLUDED_WHERE + where] = leaves_out
    return extended


def drop_customers(tables: Mapping[str, pd.DataFrame], *customers: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Remove customers who are left out from the attributes and contacts, in which they would count as prospects.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        See `read_customer_tables`.
    *customers : sequence of str
        The ids of customers who are left out.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables.
    """
    gone = {name for names in customers for name in names}
    return {
        name: table[~table.customer_id.isin(gone)].reset_index(drop=True) if name in KNOWN_BEFOREHAND else table
        for name, table in tables.items()
    }


def _measure(known: ir.Table, analysis_date: date) -> pd.DataFrame:
    """Return what the orders tell of each customer, under the names of the table `customers`."""
    grouped = known.group_by("customer_id").agg(
        first_order=known.ordered_at.date().min(),
        last_order=known.ordered_at.date().max(),
        orders=known.count(),
        revenue=exact_sum(known.revenue).cast("float64"),
    )
    frame = grouped.order_by("customer_id").execute()
    frame = frame.astype({"first_order": "datetime64[us]", "last_order": "datetime64[us]"})
    recency = (pd.Timestamp(analysis_date) - frame.last_order).dt.days
    return frame.assign(recency_days=recency, mean_order_value=frame.revenue / frame.orders)


def _matching(customers: pd.DataFrame, where: str) -> pd.Series:
    try:
        return pd.Series(evaluate(customers, where), index=customers.index)
    except Exception as error:  # pandas raises many kinds for a query that does not fit
        raise CleaningError(f"cleaning.exclude_where: {where!r} is no condition on the customers: {error}") from error
