"""Cap extreme quantities and prices at a limit estimated from the data. Disabled by default."""

import ibis
import ibis.expr.types as ir

from crm_utils.core.errors import OutlierError
from crm_utils.core.orders import aggregate_lines

CAPPED_COLUMNS = ("quantity", "unit_price")


def fit_caps(counted: ir.Table, wanted: bool = True) -> dict[str, float]:
    """Estimate the caps of quantity and unit price: q99 + 1.5 (q99 − q01), with interpolated quantiles.

    Source: the cap that most public notebooks on Online Retail II use. It is computed exactly, from the counts of each
    value.

    Parameters
    ----------
    counted : ibis.Table
        The line items that count.
    wanted : bool
        Whether the report caps outliers.

    Returns
    -------
    dict of str to float
        The cap of `quantity` (pieces) and of `unit_price` (in the report's currency); empty if caps are not wanted.

    Raises
    ------
    OutlierError
        If the source has no quantity or no unit price.
    """
    if not wanted:
        return {}
    if not set(CAPPED_COLUMNS) <= set(counted.columns):
        raise OutlierError("cap_outliers needs quantity and unit_price: name both columns, or leave it off")
    return {column: _fit_cap(counted, column) for column in CAPPED_COLUMNS}


def apply_caps(classified: ir.Table, caps: dict[str, float]) -> ir.Table:
    """Cap quantities and unit prices.

    Parameters
    ----------
    classified : ibis.Table
        See `classify`.
    caps : dict of str to float
        See `fit_caps`.

    Returns
    -------
    ibis.Table
        The line items with quantity and unit price no further from 0 than their caps, and amount = quantity × unit
        price. The same table if there are no caps.
    """
    if not caps:
        return classified
    capped = {name: _cap(classified[name], cap) for name, cap in caps.items()}
    return classified.mutate(
        **capped, amount=(capped["quantity"] * capped["unit_price"]).cast(classified.amount.type())
    )


def totals_after_capping(totals: ir.Table, capped: ir.Table, caps: dict[str, float]) -> ir.Table:
    """Aggregate the capped line items.

    Parameters
    ----------
    totals : ibis.Table
        The line items before they were capped, aggregated (see `aggregate_lines`).
    capped : ibis.Table
        See `apply_caps`.
    caps : dict of str to float
        See `fit_caps`.

    Returns
    -------
    ibis.Table
        See `aggregate_lines`. Without caps, `totals` as they are: nothing is computed twice.
    """
    return aggregate_lines(capped) if caps else totals


def _cap(column: ir.Column, cap: float) -> ir.Column:
    highest = ibis.literal(round(cap, 4)).cast(column.type())
    return ibis.greatest(ibis.least(column, highest), -highest)


def _fit_cap(counted: ir.Table, column: str) -> float:
    values = counted.group_by(column).agg(rows=counted.count()).execute().astype(float).sort_values(column)
    reached, last = values.rows.cumsum(), values.rows.sum() - 1

    def quantile(share: float) -> float:
        low = int(share * last)
        at = [values[column].iloc[int(reached.searchsorted(min(index, last), "right"))] for index in (low, low + 1)]
        return at[0] + (share * last - low) * (at[1] - at[0])

    return quantile(0.99) + 1.5 * (quantile(0.99) - quantile(0.01))
