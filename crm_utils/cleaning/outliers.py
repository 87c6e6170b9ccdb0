"""Extreme quantities and prices, held at a limit drawn from the data. Off unless a report asks for it."""

import ibis
import ibis.expr.types as ir

from crm_utils.core.errors import OutlierError

CAPPED_COLUMNS = ("quantity", "unit_price")


def fit_caps(counted: ir.Table, wanted: bool = True) -> dict[str, float]:
    """The caps of quantity and unit price: q99 + 1.5 (q99 − q01) of the line items that count, quantiles interpolated.

    Source: the cap most public notebooks on Online Retail II use. Computed exactly, from the counts of each value.
    Nothing where no caps are wanted. Raises `OutlierError` where a column is missing.
    """
    if not wanted:
        return {}
    if not set(CAPPED_COLUMNS) <= set(counted.columns):
        raise OutlierError("cap_outliers needs quantity and unit_price: name both columns, or leave it off")
    return {column: _fit_cap(counted, column) for column in CAPPED_COLUMNS}


def apply_caps(classified: ir.Table, limits: dict[str, float]) -> ir.Table:
    """The line items with quantity and unit price no further from 0 than their limits, and amounts that follow."""
    if not limits:
        return classified
    held = {name: _capped(classified[name], limit) for name, limit in limits.items()}
    return classified.mutate(**held, amount=(held["quantity"] * held["unit_price"]).cast(classified.amount.type()))


def _capped(column: ir.Column, limit: float) -> ir.Column:
    highest = ibis.literal(round(limit, 4)).cast(column.type())
    return ibis.greatest(ibis.least(column, highest), -highest)


def _fit_cap(counted: ir.Table, column: str) -> float:
    values = counted.group_by(column).agg(rows=counted.count()).execute().astype(float).sort_values(column)
    reached, last = values.rows.cumsum(), values.rows.sum() - 1

    def quantile(share: float) -> float:
        low = int(share * last)
        at = [values[column].iloc[int(reached.searchsorted(min(place, last), "right"))] for place in (low, low + 1)]
        return at[0] + (share * last - low) * (at[1] - at[0])

    return quantile(0.99) + 1.5 * (quantile(0.99) - quantile(0.01))
